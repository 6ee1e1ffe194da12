//! The digests of a payload's blocks.

use super::DIGEST_BYTES;
use super::error::StateFileError;
use crate::digest::{Digest, Digester};
use crate::error::Result;
use crate::id::FileName;

/// The digests of a payload's blocks, verified or computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockDigests {
    /// As they stand in the file: one after another, eight bytes each.
    table: Vec<u8>,
}

impl BlockDigests {
    pub(super) const fn new(table: Vec<u8>) -> Self {
        Self { table }
    }

    /// Whether those are the bytes of that block, counted from 0.
    ///
    /// # Errors
    ///
    /// `Corrupt`, naming the block, when they are not or there is no such block.
    pub fn verify(&self, number: u64, block: &[u8]) -> Result<()> {
        let Some(expected) = self.get(number) else {
            let blocks = (self.table.len() / DIGEST_BYTES) as u64;
            return Err(StateFileError::NoBlock { number, blocks }.into());
        };
        match Digest::of(block) {
            found if found == expected => Ok(()),
            found => Err(StateFileError::Block { number, expected, found }.into()),
        }
    }

    /// The digest of a handle that names them as the blocks of so much payload in the file of that name: so that a file
    /// in the place of another is found, it covers the name, the length and the table.
    pub fn handle_digest(&self, name: &FileName, payload_bytes: u64) -> Digest {
        let mut digester = Digester::new();
        digester.update(name.to_string().as_bytes());
        digester.update(&payload_bytes.to_le_bytes());
        digester.update(&self.table);
        digester.finish()
    }

    /// The table as it stands in the file.
    pub(super) fn into_table(self) -> Vec<u8> {
        self.table
    }

    /// The digest of the table.
    pub(super) fn digest(&self) -> Digest {
        Digest::of(&self.table)
    }

    fn get(&self, number: u64) -> Option<Digest> {
        let at = usize::try_from(number).ok()?.checked_mul(DIGEST_BYTES)?;
        let (bytes, _) = self.table.get(at..)?.split_first_chunk()?;
        Some(Digest::crc64_nvme(u64::from_le_bytes(*bytes)))
    }
}
