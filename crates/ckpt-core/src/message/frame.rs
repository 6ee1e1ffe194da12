//! Messages as bytes: magic, format version, kind, length, body, digest of all before.

use std::fmt;
use std::ops::RangeInclusive;

use bytes::Bytes;

use super::{Marker, ToCoordinator, ToTask};
use crate::digest::Digest;
use crate::error::Result;
use crate::state::{TaskRestore, TaskSnapshot};
use crate::wire::v1::Body;
use crate::wire::{Fixed, Invalid, Subject, WireError, read_all};

const MAGIC: [u8; 4] = *b"CKPM";
/// The version that this program writes.
const VERSION: u16 = 1;
pub(super) const HEADER_BYTES: usize = 12;
const LENGTH_AT: usize = 8;
pub(super) const DIGEST_BYTES: usize = 8;

/// The format versions of frames that this program reads: its own, which it writes, and the one before, so that a job
/// can be upgraded process by process.
pub const FRAME_VERSIONS: RangeInclusive<u16> = spoken(VERSION);

/// What a frame holds. The number is what stands in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u16)]
pub enum FrameKind {
    /// A [`ToTask`].
    ToTask = 1,
    /// A [`ToCoordinator`].
    ToCoordinator = 2,
    /// A [`Marker`].
    Marker = 3,
    /// A [`TaskRestore`].
    TaskRestore = 4,
    /// A [`TaskSnapshot`], in the file of a spilled acknowledgement.
    TaskSnapshot = 5,
}

/// The first bytes of a frame, checked.
pub(super) struct Header {
    pub(super) kind: FrameKind,
    body_bytes: u32,
}

macro_rules! framed {
    ($type:ident) => {
        impl $type {
            /// The frame of this message.
            ///
            /// # Errors
            ///
            /// `AbortCheckpoint` when it would have more than `limit_bytes`, or something in it could not be read again.
            pub fn encode(&self, limit_bytes: usize) -> Result<Bytes> {
                let mut frame = begin(FrameKind::$type);
                self.put(Subject::Frame(FrameKind::$type), &mut frame)?;
                Ok(end(FrameKind::$type, frame, limit_bytes)?)
            }

            /// The message in a whole frame, every byte of which is verified before it is used.
            ///
            /// # Errors
            ///
            /// `Corrupt`, with what was expected and what was found; `Configuration` when it has more than `limit_bytes`,
            /// or a program sent it that speaks no [version](crate::message::FRAME_VERSIONS) of ours.
            pub fn decode(frame: &[u8], limit_bytes: usize) -> Result<Self> {
                let body = body(FrameKind::$type, frame, limit_bytes)?;
                Ok(read_all(Subject::Frame(FrameKind::$type), body, Self::read)?)
            }
        }
    };
}

framed!(ToTask);
framed!(ToCoordinator);
framed!(Marker);
framed!(TaskRestore);
framed!(TaskSnapshot);

impl FrameKind {
    const fn of(number: u16) -> Option<Self> {
        Some(match number {
            1 => Self::ToTask,
            2 => Self::ToCoordinator,
            3 => Self::Marker,
            4 => Self::TaskRestore,
            5 => Self::TaskSnapshot,
            _ => return None,
        })
    }
}

impl Header {
    /// Reads as much as has come; `None` when it goes on and is in order so far.
    ///
    /// Whatever is wrong is told at the first byte that shows it, so that nobody waits or allocates for a length that
    /// cannot be meant.
    pub(super) fn read(bytes: &[u8], limit_bytes: usize) -> Result<Option<Self>, WireError> {
        Self::read_by(VERSION, bytes, limit_bytes)
    }

    /// The same, by a program of version `own`.
    fn read_by(own: u16, bytes: &[u8], limit_bytes: usize) -> Result<Option<Self>, WireError> {
        let magic = &bytes[..bytes.len().min(MAGIC.len())];
        if !MAGIC.starts_with(magic) {
            let (expected, found) = (MAGIC.escape_ascii().to_string(), magic.escape_ascii().to_string());
            return Err(WireError::Magic { subject: Subject::AnyFrame, offset: 0, expected, found });
        }
        let Some(mut fixed) = bytes.get(MAGIC.len()..HEADER_BYTES).map(Fixed) else { return Ok(None) };
        let (version, kind, body_bytes) = (fixed.u16(), fixed.u16(), fixed.u32());
        if !spoken(own).contains(&version) {
            return Err(WireError::NotSpoken { subject: Subject::AnyFrame, spoken: spoken(own), found: version });
        }
        let Some(known) = FrameKind::of(kind) else {
            let expected = "one that this version has";
            return Err(Invalid::value("the kind of a frame", kind, expected).reading(Subject::AnyFrame));
        };
        let header = Self { kind: known, body_bytes };
        match header.frame_bytes() {
            found if found > limit_bytes as u64 => {
                Err(WireError::FrameAboveLimit { subject: Subject::Frame(known), limit: limit_bytes as u64, found })
            }
            _ => Ok(Some(header)),
        }
    }

    /// Bytes of the whole frame.
    pub(super) const fn frame_bytes(&self) -> u64 {
        (HEADER_BYTES + DIGEST_BYTES) as u64 + self.body_bytes as u64
    }
}

/// The versions that a program of version `own` reads: version 1 is the first there is.
const fn spoken(own: u16) -> RangeInclusive<u16> {
    if own > 1 { own - 1..=own } else { 1..=own }
}

/// The beginning of a frame, whose length is not known yet.
fn begin(kind: FrameKind) -> Vec<u8> {
    // Most messages fit, so that one allocation is all there is.
    let mut frame = Vec::with_capacity(256);
    frame.extend_from_slice(&MAGIC);
    frame.extend_from_slice(&VERSION.to_le_bytes());
    frame.extend_from_slice(&(kind as u16).to_le_bytes());
    frame.extend_from_slice(&[0; HEADER_BYTES - LENGTH_AT]);
    frame
}

/// The frame with its length and digest.
fn end(kind: FrameKind, mut frame: Vec<u8>, limit_bytes: usize) -> Result<Bytes, WireError> {
    let found = (frame.len() + DIGEST_BYTES) as u64;
    let limit = (limit_bytes as u64).min(u32::MAX.into());
    let length = match u32::try_from(frame.len() - HEADER_BYTES) {
        Ok(length) if found <= limit => length,
        _ => return Err(WireError::AboveLimit { subject: Subject::Frame(kind), limit, found }),
    };
    frame[LENGTH_AT..HEADER_BYTES].copy_from_slice(&length.to_le_bytes());
    let digest = Digest::of(&frame);
    frame.extend_from_slice(&digest.value().to_le_bytes());
    Ok(frame.into())
}

/// The body of a whole frame of that kind.
fn body(kind: FrameKind, frame: &[u8], limit_bytes: usize) -> Result<&[u8], WireError> {
    let subject = Subject::Frame(kind);
    let (least, found) = ((HEADER_BYTES + DIGEST_BYTES) as u64, frame.len() as u64);
    let header = Header::read(frame, limit_bytes)?.filter(|_| found >= least);
    let header = header.ok_or(WireError::CutShort { subject, expected: least, found })?;
    let expected = header.frame_bytes();
    if found != expected {
        return Err(WireError::Length { subject, expected, found });
    }
    let (content, digest) = frame.split_at(frame.len() - DIGEST_BYTES);
    let (expected, found) = (Digest::crc64_nvme(Fixed(digest).u64()), Digest::of(content));
    if found != expected {
        return Err(WireError::Digest { subject, expected, found });
    }
    if header.kind != kind {
        return Err(Invalid::value("the kind of a frame", header.kind, kind.to_string()).reading(subject));
    }
    Ok(&content[HEADER_BYTES..])
}

impl fmt::Display for FrameKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ToTask => "a message to a task",
            Self::ToCoordinator => "a message to the coordinator",
            Self::Marker => "a marker",
            Self::TaskRestore => "a task's restore",
            Self::TaskSnapshot => "a task's snapshot",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_version_and_the_one_before_are_spoken() {
        assert_eq!(FRAME_VERSIONS, 1..=1, "the first there is has none before it");
        assert_eq!(spoken(2), 1..=2);
        assert_eq!(spoken(7), 6..=7);
        assert_eq!(spoken(u16::MAX), u16::MAX - 1..=u16::MAX);
    }

    /// What programs of later versions say to frames of earlier ones, and the other way round.
    #[test]
    fn programs_one_version_apart_understand_each_other() {
        let frame_of = |version: u16| {
            let mut frame = end(FrameKind::Marker, begin(FrameKind::Marker), 100).unwrap().to_vec();
            frame[MAGIC.len()..][..2].copy_from_slice(&version.to_le_bytes());
            frame
        };
        assert_eq!(frame_of(VERSION), *end(FrameKind::Marker, begin(FrameKind::Marker), 100).unwrap());
        let refusal = |own, sent| match Header::read_by(own, &frame_of(sent), 100) {
            Ok(Some(header)) if header.kind == FrameKind::Marker => None,
            Err(error) => Some(error.to_string()),
            _ => panic!("a whole header of version {sent}, read by {own}"),
        };
        for (own, sent) in [(1, 1), (2, 1), (2, 2), (3, 2), (7, 6), (u16::MAX, u16::MAX - 1)] {
            assert_eq!(refusal(own, sent), None, "{own} reads {sent}");
        }
        let newer = "expected 1: a newer program sent it; upgrade this one first, one version at a time";
        assert_eq!(refusal(1, 2), Some(format!("a frame has format version 2, {newer}")));
        let newer = "expected 2 or 3: a newer program sent it; upgrade this one first, one version at a time";
        assert_eq!(refusal(3, 4), Some(format!("a frame has format version 4, {newer}")));
        let older = "expected 2 or 3: an older program sent it; upgrade that one first, one version at a time";
        assert_eq!(refusal(3, 1), Some(format!("a frame has format version 1, {older}")));
    }

    #[test]
    fn kinds_are_known_by_their_numbers() {
        let known: Vec<_> = (0..=u16::MAX).filter_map(|number| Some((number, FrameKind::of(number)?))).collect();
        assert_eq!(known.len(), 5);
        assert!(known.iter().all(|(number, kind)| *number == *kind as u16));
    }
}
