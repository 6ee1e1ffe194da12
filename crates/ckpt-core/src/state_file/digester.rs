//! Digests of blocks whose bytes come piece by piece.

use super::{BLOCK_BYTES, BlockDigests, Trailer};
use crate::digest::{Digest, Digester};
use crate::id::FileName;

/// Computes the digests of blocks whose bytes come piece by piece.
#[derive(Debug, Default)]
pub struct BlockDigester {
    table: Vec<u8>,
    /// Of the block that is not full yet.
    current: Digester,
    current_bytes: usize,
    payload_bytes: u64,
}

/// What stands behind the payload.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileEnd {
    /// The table and the trailer: the last bytes of the file.
    pub bytes: Vec<u8>,
    /// The digest of a handle that names the file.
    pub handle_digest: Digest,
}

impl BlockDigester {
    /// No payload yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes more payload.
    pub fn update(&mut self, mut bytes: &[u8]) {
        self.payload_bytes += bytes.len() as u64;
        while !bytes.is_empty() {
            if self.current_bytes == 0 && bytes.len() >= BLOCK_BYTES {
                let (block, rest) = bytes.split_at(BLOCK_BYTES);
                self.push(Digest::of(block));
                bytes = rest;
            } else {
                let (piece, rest) = bytes.split_at(bytes.len().min(BLOCK_BYTES - self.current_bytes));
                self.current.update(piece);
                self.current_bytes += piece.len();
                if self.current_bytes == BLOCK_BYTES {
                    self.end_block();
                }
                bytes = rest;
            }
        }
    }

    /// What follows the payload in the file of that name. A file without payload is never written.
    pub fn finish(self, name: &FileName) -> FileEnd {
        let payload_bytes = self.payload_bytes;
        let digests = self.into_digests();
        let handle_digest = digests.handle_digest(name, payload_bytes);
        let trailer = Trailer::new(payload_bytes, &digests);
        let mut bytes = digests.into_table();
        bytes.reserve_exact(Trailer::BYTES);
        bytes.extend_from_slice(&trailer.encode());
        FileEnd { bytes, handle_digest }
    }

    /// The digests alone: for a file that has no table of its own.
    pub fn into_digests(mut self) -> BlockDigests {
        if self.current_bytes > 0 {
            self.end_block();
        }
        BlockDigests::new(self.table)
    }

    fn end_block(&mut self) {
        let digest = std::mem::take(&mut self.current).finish();
        self.push(digest);
        self.current_bytes = 0;
    }

    fn push(&mut self, digest: Digest) {
        self.table.extend_from_slice(&digest.value().to_le_bytes());
    }
}
