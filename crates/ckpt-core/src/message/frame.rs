//! Messages as bytes: magic, format version, kind, length, body, digest of all before.

use bytes::Bytes;

use super::{Marker, ToCoordinator, ToTask};
use crate::digest::Digest;
use crate::error::Result;
use crate::state::TaskRestore;
use crate::wire::{Fixed, Invalid, Subject, WireError, decode, encode, v1};

const MAGIC: [u8; 4] = *b"CKPM";
const VERSION: u16 = 1;
const HEADER_BYTES: usize = 12;
const DIGEST_BYTES: usize = 8;

/// Kinds of frames: the number that stands in them and the name for people.
const TO_TASK: (u16, &str) = (1, "a message to a task");
const TO_COORDINATOR: (u16, &str) = (2, "a message to the coordinator");
const MARKER: (u16, &str) = (3, "a marker");
const TASK_RESTORE: (u16, &str) = (4, "a task's restore");

macro_rules! framed {
    ($type:ty, $kind:ident, $mirror:ident, |$value:ident| $of:expr) => {
        impl $type {
            /// The frame of this message.
            ///
            /// # Errors
            ///
            /// `AbortCheckpoint` when it would have more than `limit_bytes`, or something in it could not be read again.
            pub fn encode(&self, limit_bytes: usize) -> Result<Bytes> {
                let (subject, $value) = (Subject::Frame($kind.1), self);
                let mirror = $of.map_err(|invalid: Invalid| invalid.writing(subject))?;
                Ok(frame($kind, encode(subject, &mirror)?, limit_bytes)?)
            }

            /// The message in a whole frame, every byte of which is verified.
            ///
            /// # Errors
            ///
            /// `Corrupt`, with what was expected and what was found; `Configuration` when a newer program sent it.
            pub fn decode(frame: &[u8]) -> Result<Self> {
                let subject = Subject::Frame($kind.1);
                let decoded: v1::$mirror<'_> = decode(subject, body($kind, frame)?)?;
                Ok(decoded.into_domain().map_err(|invalid| invalid.reading(subject))?)
            }
        }
    };
}

framed!(ToTask, TO_TASK, ToTask, |message| Ok(v1::ToTask::of(message)));
framed!(ToCoordinator, TO_COORDINATOR, ToCoordinator, |message| v1::ToCoordinator::of(message));
framed!(Marker, MARKER, Marker, |message| Ok(v1::Marker::of(message)));
framed!(TaskRestore, TASK_RESTORE, TaskRestore, |message| v1::TaskRestore::of(message));

fn frame((kind, name): (u16, &'static str), body: Vec<u8>, limit_bytes: usize) -> Result<Bytes, WireError> {
    let subject = Subject::Frame(name);
    let found = (HEADER_BYTES + body.len() + DIGEST_BYTES) as u64;
    let limit = (limit_bytes as u64).min(u64::from(u32::MAX));
    let length = match u32::try_from(body.len()) {
        Ok(length) if found <= limit => length,
        _ => return Err(WireError::AboveLimit { subject, limit, found }),
    };
    let mut frame = Vec::with_capacity(HEADER_BYTES + body.len() + DIGEST_BYTES);
    frame.extend_from_slice(&MAGIC);
    frame.extend_from_slice(&VERSION.to_le_bytes());
    frame.extend_from_slice(&kind.to_le_bytes());
    frame.extend_from_slice(&length.to_le_bytes());
    frame.extend_from_slice(&body);
    let digest = Digest::of(&frame);
    frame.extend_from_slice(&digest.value().to_le_bytes());
    Ok(frame.into())
}

fn body<'a>((kind, name): (u16, &'static str), frame: &'a [u8]) -> Result<&'a [u8], WireError> {
    let subject = Subject::Frame(name);
    let (least, found) = ((HEADER_BYTES + DIGEST_BYTES) as u64, frame.len() as u64);
    if found < least {
        return Err(WireError::CutShort { subject, expected: least, found });
    }
    let mut fixed = Fixed(frame);
    let magic: [u8; 4] = fixed.array();
    if magic != MAGIC {
        let (expected, found) = (MAGIC.escape_ascii().to_string(), magic.escape_ascii().to_string());
        return Err(WireError::Magic { subject, offset: 0, expected, found });
    }
    let version = fixed.u16();
    if version != VERSION {
        return Err(WireError::Version { subject, expected: VERSION.into(), found: version.into() });
    }
    let (found_kind, length) = (fixed.u16(), fixed.u32());
    let expected = least + u64::from(length);
    if found != expected {
        return Err(WireError::Length { subject, expected, found });
    }
    let (content, digest) = frame.split_at(frame.len() - DIGEST_BYTES);
    let (expected, found) = (Digest::crc64_nvme(Fixed(digest).u64()), Digest::of(content));
    if found != expected {
        return Err(WireError::Digest { subject, expected, found });
    }
    if found_kind != kind {
        let expected = format!("{kind}, {name}");
        return Err(Invalid::value("the kind of a frame", found_kind, expected).reading(subject));
    }
    Ok(&content[HEADER_BYTES..])
}
