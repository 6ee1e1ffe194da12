//! What goes wrong when state is read.

use std::io;

use ckpt_core::state::{Root, StateHandle};
use ckpt_core::{Digest, Error, ErrorKind};

/// What went wrong when state was read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("nothing is known of where {root} lies, which state file {file} is below")]
    UnknownRoot { root: Root, file: String },
    #[error("state file '{file}' is missing")]
    Missing { file: String, source: Error },
    /// The file system says all of it.
    #[error(transparent)]
    NotOpened { source: Error },
    #[error("cannot read state file '{file}'")]
    Io { file: String, source: io::Error },
    #[error(
        "state file '{file}' is too short for {payload_bytes} bytes of state: expected {expected_bytes} bytes, found {found_bytes}"
    )]
    FileLength { file: String, payload_bytes: u64, expected_bytes: u64, found_bytes: u64 },
    #[error("state file '{file}' has {found_bytes} bytes, expected {expected_bytes}")]
    Length { file: String, expected_bytes: u64, found_bytes: u64 },
    #[error(
        "state file '{file}' ends before byte {at}: it has {present_bytes} of {payload_bytes} bytes of state, and was not verified"
    )]
    EndsBefore { file: String, at: u64, payload_bytes: u64, present_bytes: u64 },
    #[error("state file '{file}' is not what was written")]
    Damaged { file: String, source: Error },
    #[error("there is no memory for the {table_bytes} bytes of digests that state file '{file}' says it has")]
    TableMemory { file: String, table_bytes: u64 },
    #[error("file '{file}' has digest {found}, expected {expected}")]
    Whole { file: String, expected: Digest, found: Digest },
    #[error("inline state of {found_bytes} bytes has a handle of {expected_bytes} bytes")]
    InlineLength { expected_bytes: u64, found_bytes: u64 },
    #[error("inline state of {length_bytes} bytes has digest {found}, expected {expected}")]
    Inline { length_bytes: u64, expected: Digest, found: Digest },
    #[error("the handle of {place} has no digest: only files below a claimed or borrowed root may have none")]
    NoDigest { place: String },
    #[error(
        "state at {place} is of a kind that this version cannot read: expected inline state, a file or a segment of one"
    )]
    UnknownPlace { place: String },
    #[error("section {begin_bytes}..{end_bytes} is not within the {length_bytes} bytes of {stream}")]
    Section { begin_bytes: u64, end_bytes: u64, length_bytes: u64, stream: String },
    #[error("there is no memory for section {begin_bytes}..{end_bytes} of {stream}")]
    SectionMemory { begin_bytes: u64, end_bytes: u64, stream: String },
    #[error("a seek to {to} is before the beginning or beyond any file")]
    Seek { to: i128 },
}

impl ReadError {
    pub(super) fn no_digest(handle: &StateHandle) -> Self {
        Self::NoDigest { place: format!("{:?}", handle.place()) }
    }
}

impl From<ReadError> for Error {
    fn from(error: ReadError) -> Self {
        let error = match error {
            ReadError::NotOpened { source } => return source,
            error => error,
        };
        let kind = match &error {
            ReadError::UnknownRoot { .. } | ReadError::Missing { .. } => ErrorKind::NotFound,
            // A file that is shorter than it was when it was opened was damaged meanwhile.
            ReadError::Io { source, .. } if source.kind() != io::ErrorKind::UnexpectedEof => ErrorKind::Retry,
            ReadError::Damaged { source, .. } => source.kind(),
            ReadError::UnknownPlace { .. } => ErrorKind::Configuration,
            ReadError::TableMemory { .. } | ReadError::SectionMemory { .. } | ReadError::Seek { .. } => {
                ErrorKind::FailJob
            }
            _ => ErrorKind::Corrupt,
        };
        Self::new(kind, error)
    }
}
