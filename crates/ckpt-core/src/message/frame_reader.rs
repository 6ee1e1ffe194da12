//! Frames in a stream of bytes.

use super::frame::Header;
use super::{FrameKind, frame};
use crate::error::Result;

/// Finds frames in received bytes. It does no I/O, keeps nothing and copies nothing.
#[derive(Clone, Copy, Debug)]
pub struct FrameReader {
    limit_bytes: usize,
}

/// What stands at the front of received bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a frame has come or it has not")]
pub enum Received<'a> {
    /// The part of a frame, in order so far.
    Part {
        /// How many bytes must come before asking again makes sense; at least one. Never more than the reader's limit.
        missing_bytes: usize,
    },
    /// A whole frame; its digest is verified when it is decoded.
    Frame {
        /// What it holds: which type to decode.
        kind: FrameKind,
        /// The frame.
        frame: &'a [u8],
        /// What follows it.
        rest: &'a [u8],
    },
}

impl FrameReader {
    /// The most bytes of a frame where nothing else is said (Flink's largest message has as many).
    pub const DEFAULT_LIMIT_BYTES: usize = 10 << 20;

    /// A reader of frames of at most that many bytes.
    pub const fn new(limit_bytes: usize) -> Self {
        Self { limit_bytes }
    }

    /// The most bytes of a frame.
    pub const fn limit_bytes(&self) -> usize {
        self.limit_bytes
    }

    /// What stands at the front of `received`.
    ///
    /// # Errors
    ///
    /// `Corrupt` when that is no frame; `Configuration` when it is one of a version not spoken here, or longer than the
    /// limit. Both are told before any byte of the body has come, and the connection is of no more use.
    pub fn next<'a>(&self, received: &'a [u8]) -> Result<Received<'a>> {
        let Some(header) = Header::read(received, self.limit_bytes)? else {
            return Ok(Received::Part { missing_bytes: frame::HEADER_BYTES - received.len() });
        };
        // At most the limit, so it fits.
        let frame_bytes = header.frame_bytes() as usize;
        Ok(match received.split_at_checked(frame_bytes) {
            Some((frame, rest)) => Received::Frame { kind: header.kind, frame, rest },
            None => Received::Part { missing_bytes: frame_bytes - received.len() },
        })
    }
}
