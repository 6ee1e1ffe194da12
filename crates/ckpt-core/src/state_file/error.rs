//! What is wrong with a state file.

use super::{BLOCK_BYTES, Trailer, file_bytes};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};
use crate::wire::{kind_of_version, who_writes};

/// What is wrong with a state file. Whoever opened it adds its path.
#[derive(Debug, thiserror::Error)]
pub(super) enum StateFileError {
    #[error(
        "a state file of {payload_bytes} payload bytes has {found} bytes, expected {}",
        file_bytes(*payload_bytes).unwrap_or(u64::MAX)
    )]
    FileLength { payload_bytes: u64, found: u64 },
    #[error("the trailer has {found} bytes, expected {}", Trailer::BYTES)]
    TrailerLength { found: usize },
    #[error("the trailer has the magic '{}', expected '{}'", found.escape_ascii(), Trailer::MAGIC.escape_ascii())]
    Magic { found: [u8; 8] },
    #[error("the trailer has format version {found}, expected {}: {}", Trailer::VERSION, who_writes(*found, Trailer::VERSION))]
    Version { found: u16 },
    #[error("the trailer names digest algorithm {found}, expected {expected}")]
    Algorithm { expected: u8, found: u8 },
    #[error("the reserved byte of the trailer is {found}, expected 0")]
    Reserved { found: u8 },
    #[error("the trailer says that blocks have {found} bytes, expected {BLOCK_BYTES}")]
    BlockBytes { found: u32 },
    #[error("the trailer says that there is no payload, expected some")]
    Empty,
    #[error("the trailer says that there are {found} payload bytes, expected {expected}")]
    PayloadLength { expected: u64, found: u64 },
    #[error("the table of digests has {found} bytes, expected {expected}")]
    TableLength { expected: u64, found: u64 },
    #[error("the table of digests has digest {found}, expected {expected}")]
    Table { expected: Digest, found: Digest },
    #[error("it is not the file that its handle names: expected digest {expected}, found {found}")]
    OtherFile { expected: Digest, found: Digest },
    #[error("there is no block {number}, expected a number below {blocks}")]
    NoBlock { number: u64, blocks: u64 },
    #[error("block {number} has digest {found}, expected {expected}")]
    Block { number: u64, expected: Digest, found: Digest },
}

impl From<StateFileError> for Error {
    fn from(error: StateFileError) -> Self {
        let kind = match error {
            StateFileError::Version { found } => kind_of_version(found, Trailer::VERSION),
            _ => ErrorKind::Corrupt,
        };
        Self::new(kind, error)
    }
}
