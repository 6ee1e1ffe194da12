//! What is wrong with bytes.

use std::fmt;
use std::io;
use std::ops::RangeInclusive;

use crate::digest::Digest;
use crate::error::{Error, ErrorKind};
use crate::id::OperatorId;
use crate::message::FrameKind;
use crate::wire::{kind_of_version, who_writes};

/// Bytes that cannot be read, or a value that cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WireError {
    #[error("{subject} is cut short: expected at least {expected} bytes, found {found}")]
    CutShort { subject: Subject, expected: u64, found: u64 },
    #[error("{subject} has {found} bytes, expected {expected}")]
    Length { subject: Subject, expected: u64, found: u64 },
    #[error("{subject} does not have the magic '{expected}' at byte {offset}, found '{found}'")]
    Magic { subject: Subject, offset: u64, expected: String, found: String },
    #[error("{subject} has format version {found}, expected {expected}: {}", who_writes(*found, *expected))]
    Version { subject: Subject, expected: u32, found: u32 },
    #[error("{subject} has format version {found}, expected {}", spoken_beside(spoken, *found))]
    NotSpoken { subject: Subject, spoken: RangeInclusive<u16>, found: u16 },
    #[error("the digest of {subject} is {found}, expected {expected}")]
    Digest { subject: Subject, expected: Digest, found: Digest },
    #[error("{subject} cannot be decoded at byte {offset} of {length}")]
    Malformed { subject: Subject, offset: u64, length: u64, source: postcard::Error },
    #[error("{subject} ends at byte {offset}, expected its end at byte {length}")]
    LeftOver { subject: Subject, offset: u64, length: u64 },
    #[error("{subject} cannot be used: {invalid}")]
    Invalid { subject: Subject, invalid: Invalid },
    #[error("{subject} has a section of the unknown kind {tag} at byte {offset} that must not be skipped")]
    UnknownSection { subject: Subject, tag: u32, offset: u64 },
    #[error("{subject} cannot be read")]
    Read { subject: Subject, source: io::Error },
    #[error("{subject} cannot be written")]
    Write { subject: Subject, source: io::Error },
    #[error("{subject} cannot be encoded")]
    Encode { subject: Subject, source: postcard::Error },
    #[error("{subject} cannot be encoded: {invalid}")]
    Unencodable { subject: Subject, invalid: Invalid },
    #[error("{subject} has {found} bytes, expected at most {limit}")]
    AboveLimit { subject: Subject, limit: u64, found: u64 },
    #[error("{subject} says that it has {found} bytes, expected at most {limit}, the limit for what is received here")]
    FrameAboveLimit { subject: Subject, limit: u64, found: u64 },
}

/// What the bytes are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// The record of what is committed.
    Head,
    /// The record of who owns a savepoint.
    Owner,
    /// The mark of a savepoint.
    Savepoint,
    /// The mark of a snapshot that is being deleted.
    Disposal,
    /// A checkpoint's metadata file.
    Metadata,
    /// Its first bytes.
    MetadataHeader,
    /// Its last bytes.
    MetadataTrailer,
    /// Its list of sections.
    MetadataIndex,
    /// Its section for the checkpoint as a whole.
    MetadataSummary,
    /// A section with the state of some subtasks.
    MetadataPart {
        /// Whose state.
        operator: OperatorId,
        /// Which of its sections, from 0.
        part: u32,
    },
    /// The state of one subtask of an operator in it.
    MetadataSubtask {
        /// Whose state.
        operator: OperatorId,
        /// Which subtask.
        subtask: u32,
    },
    /// The state of an operator's coordinator in it.
    MetadataCoordinator {
        /// Whose state.
        operator: OperatorId,
    },
    /// Its section for participants that are not tasks.
    MetadataMasters,
    /// A section of metadata that is skipped.
    MetadataSkipped {
        /// Where it begins.
        offset_bytes: u64,
    },
    /// A message.
    Frame(FrameKind),
    /// A message of a kind that is not known yet.
    AnyFrame,
}

/// A value that breaks a rule.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Invalid {
    /// The rule is told here.
    #[error("{field} is {found}, expected {expected}")]
    Value { field: &'static str, found: String, expected: String },
    /// The rule is that of a type.
    #[error("{field}: {error}")]
    Refused { field: &'static str, error: Error },
}

/// The versions that are spoken, and who has to be upgraded so that it speaks one of them.
fn spoken_beside(spoken: &RangeInclusive<u16>, found: u16) -> String {
    let (first, last) = spoken.clone().into_inner();
    let versions = if first == last { last.to_string() } else { format!("{first} or {last}") };
    let (sender, upgraded) = if found > last { ("a newer", "this") } else { ("an older", "that") };
    format!("{versions}: {sender} program sent it; upgrade {upgraded} one first, one version at a time")
}

impl Invalid {
    pub(crate) fn value(field: &'static str, found: impl fmt::Display, expected: impl Into<String>) -> Self {
        Self::Value { field, found: found.to_string(), expected: expected.into() }
    }

    /// The same violation, found while reading.
    pub(crate) const fn reading(self, subject: Subject) -> WireError {
        WireError::Invalid { subject, invalid: self }
    }

    /// The same violation, found while writing.
    pub(crate) const fn writing(self, subject: Subject) -> WireError {
        WireError::Unencodable { subject, invalid: self }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head => f.write_str("HEAD"),
            Self::Owner => f.write_str("the OWNER record"),
            Self::Savepoint => f.write_str("the mark of a savepoint"),
            Self::Disposal => f.write_str("the mark of a disposal"),
            Self::Metadata => f.write_str("checkpoint metadata"),
            Self::MetadataHeader => f.write_str("the header of checkpoint metadata"),
            Self::MetadataTrailer => f.write_str("the trailer of checkpoint metadata"),
            Self::MetadataIndex => f.write_str("the index of checkpoint metadata"),
            Self::MetadataSummary => f.write_str("the summary of checkpoint metadata"),
            Self::MetadataPart { operator, part } => {
                write!(f, "part {part} of operator {operator} in checkpoint metadata")
            }
            Self::AnyFrame => f.write_str("a frame"),
            Self::MetadataSubtask { operator, subtask } => {
                write!(f, "subtask {subtask} of operator {operator} in checkpoint metadata")
            }
            Self::MetadataCoordinator { operator } => {
                write!(f, "the coordinator of operator {operator} in checkpoint metadata")
            }
            Self::MetadataMasters => f.write_str("the master states of checkpoint metadata"),
            Self::MetadataSkipped { offset_bytes } => {
                write!(f, "the section at byte {offset_bytes} of checkpoint metadata, of a kind that is skipped,")
            }
            Self::Frame(kind) => write!(f, "the frame of {kind}"),
        }
    }
}

impl From<WireError> for Error {
    fn from(error: WireError) -> Self {
        let kind = match &error {
            WireError::Read { source, .. } if source.kind() == io::ErrorKind::UnexpectedEof => ErrorKind::Corrupt,
            WireError::Read { .. } => ErrorKind::Retry,
            WireError::Version { expected, found, .. } => kind_of_version(*found, *expected),
            WireError::NotSpoken { .. } | WireError::FrameAboveLimit { .. } => ErrorKind::Configuration,
            WireError::Write { .. }
            | WireError::Encode { .. }
            | WireError::Unencodable { .. }
            | WireError::AboveLimit { .. } => ErrorKind::AbortCheckpoint,
            WireError::CutShort { .. }
            | WireError::Length { .. }
            | WireError::Magic { .. }
            | WireError::Digest { .. }
            | WireError::Malformed { .. }
            | WireError::LeftOver { .. }
            | WireError::Invalid { .. }
            | WireError::UnknownSection { .. } => ErrorKind::Corrupt,
        };
        Self::new(kind, error)
    }
}
