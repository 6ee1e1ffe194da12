//! The last bytes of a state file.

use super::error::StateFileError;
use super::{BLOCK_BYTES, BlockDigests, table_bytes};
use crate::digest::{Digest, DigestAlgorithm};
use crate::error::Result;
use crate::id::FileName;
use crate::wire::Fixed;

/// The last bytes of a state file. They say enough to verify the file by itself; the handle says that it is the right
/// one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trailer {
    /// Bytes of the payload; never 0, since state without bytes makes no file.
    pub payload_bytes: u64,
    /// The digest of the table.
    pub table_digest: Digest,
}

impl Trailer {
    /// How many bytes it has.
    pub const BYTES: usize = 32;
    pub(super) const MAGIC: [u8; 8] = *b"CKPTSTAT";
    pub(super) const VERSION: u16 = 1;
    const ALGORITHM: u8 = DigestAlgorithm::Crc64Nvme as u8;

    /// The trailer of a file with so much payload and that table.
    pub fn new(payload_bytes: u64, digests: &BlockDigests) -> Self {
        Self { payload_bytes, table_digest: digests.digest() }
    }

    /// Its bytes.
    pub fn encode(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..8].copy_from_slice(&Self::MAGIC);
        bytes[8..10].copy_from_slice(&Self::VERSION.to_le_bytes());
        bytes[10] = Self::ALGORITHM;
        bytes[12..16].copy_from_slice(&(BLOCK_BYTES as u32).to_le_bytes());
        bytes[16..24].copy_from_slice(&self.payload_bytes.to_le_bytes());
        bytes[24..].copy_from_slice(&self.table_digest.value().to_le_bytes());
        bytes
    }

    /// Reads the last [`BYTES`](Self::BYTES) of a file. They have no digest of their own: every field is either fixed or
    /// compared with what the handle and the table say, by [`verify`](Self::verify).
    ///
    /// # Errors
    ///
    /// `Corrupt`, with the field, what was expected and what was found; `Configuration` when a newer program wrote it.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        if bytes.len() != Self::BYTES {
            return Err(StateFileError::TrailerLength { found: bytes.len() }.into());
        }
        let mut fixed = Fixed(bytes);
        let magic: [u8; 8] = fixed.array();
        if magic != Self::MAGIC {
            return Err(StateFileError::Magic { found: magic }.into());
        }
        match fixed.u16() {
            Self::VERSION => {}
            found => return Err(StateFileError::Version { found }.into()),
        }
        let [algorithm, reserved] = fixed.array();
        if algorithm != Self::ALGORITHM {
            return Err(StateFileError::Algorithm { expected: Self::ALGORITHM, found: algorithm }.into());
        }
        if reserved != 0 {
            return Err(StateFileError::Reserved { found: reserved }.into());
        }
        match fixed.u32() {
            found if found as usize != BLOCK_BYTES => return Err(StateFileError::BlockBytes { found }.into()),
            _ => {}
        }
        match fixed.u64() {
            0 => Err(StateFileError::Empty.into()),
            payload_bytes => Ok(Self { payload_bytes, table_digest: Digest::crc64_nvme(fixed.u64()) }),
        }
    }

    /// Whether it ends a file with so much payload.
    ///
    /// # Errors
    ///
    /// `Corrupt`, with what was expected and what was found.
    pub fn verify_length(&self, payload_bytes: u64) -> Result<()> {
        match self.payload_bytes {
            found if found == payload_bytes => Ok(()),
            found => Err(StateFileError::PayloadLength { expected: payload_bytes, found }.into()),
        }
    }

    /// Verifies the table that stands before it, and that the file is the one of that name, length and digest. What it
    /// yields verifies blocks.
    ///
    /// # Errors
    ///
    /// `Corrupt`, with what was expected and what was found.
    pub fn verify(&self, name: &FileName, payload_bytes: u64, table: Vec<u8>, digest: Digest) -> Result<BlockDigests> {
        self.verify_length(payload_bytes)?;
        let (expected, found) = (table_bytes(payload_bytes), table.len() as u64);
        if found != expected {
            return Err(StateFileError::TableLength { expected, found }.into());
        }
        let digests = BlockDigests::new(table);
        match digests.digest() {
            found if found == self.table_digest => {}
            found => return Err(StateFileError::Table { expected: self.table_digest, found }.into()),
        }
        match digests.handle_digest(name, payload_bytes) {
            found if found == digest => Ok(digests),
            found => Err(StateFileError::OtherFile { expected: digest, found }.into()),
        }
    }
}
