//! The bytes of a state file: payload, one digest per block, a trailer. `docs/format.md` states them.

use ckpt_core::id::FileName;
use ckpt_core::{Digest, DigestAlgorithm, Digester};

/// Payload bytes that one digest covers.
pub(crate) const BLOCK_BYTES: usize = 64 * 1024;

/// Bytes of the trailer.
pub(crate) const TRAILER_BYTES: usize = 32;

const MAGIC: [u8; 8] = *b"CKPTSTAT";
const VERSION: u16 = 1;
const DIGEST_BYTES: u64 = 8;

/// The last bytes of a state file. It says enough to verify the file by itself; a handle says that it is the right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trailer {
    pub(crate) payload_bytes: u64,
    pub(crate) table_digest: Digest,
}

/// The digests of blocks whose bytes come piece by piece.
#[derive(Debug, Default)]
pub(crate) struct BlockTable {
    digests: Vec<u64>,
    /// Of the block that is not full yet.
    current: Digester,
    current_bytes: usize,
    payload_bytes: u64,
}

/// What is wrong with a trailer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TrailerError {
    #[error("expected the magic 'CKPTSTAT', found {found:02x?}")]
    Magic { found: [u8; 8] },
    #[error("expected state file version 1, found {found}")]
    Version { found: u16 },
    #[error("expected digest algorithm {expected}, found {found}")]
    Algorithm { expected: u8, found: u8 },
    #[error("expected a reserved byte of 0, found {found}")]
    Reserved { found: u8 },
    #[error("expected blocks of 65536 bytes, found {found}")]
    BlockBytes { found: u32 },
}

impl Trailer {
    pub(crate) fn encode(self) -> [u8; TRAILER_BYTES] {
        let mut bytes = [0; TRAILER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..10].copy_from_slice(&VERSION.to_le_bytes());
        bytes[10] = DigestAlgorithm::Crc64Nvme as u8;
        bytes[12..16].copy_from_slice(&(BLOCK_BYTES as u32).to_le_bytes());
        bytes[16..24].copy_from_slice(&self.payload_bytes.to_le_bytes());
        bytes[24..].copy_from_slice(&self.table_digest.value().to_le_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8; TRAILER_BYTES]) -> Result<Self, TrailerError> {
        let magic = array(bytes, 0);
        if magic != MAGIC {
            return Err(TrailerError::Magic { found: magic });
        }
        match u16::from_le_bytes(array(bytes, 8)) {
            VERSION => {}
            found => return Err(TrailerError::Version { found }),
        }
        let expected = DigestAlgorithm::Crc64Nvme as u8;
        if bytes[10] != expected {
            return Err(TrailerError::Algorithm { expected, found: bytes[10] });
        }
        if bytes[11] != 0 {
            return Err(TrailerError::Reserved { found: bytes[11] });
        }
        let block_bytes = u32::from_le_bytes(array(bytes, 12));
        if block_bytes as usize != BLOCK_BYTES {
            return Err(TrailerError::BlockBytes { found: block_bytes });
        }
        let payload_bytes = u64::from_le_bytes(array(bytes, 16));
        let table_digest = Digest::crc64_nvme(u64::from_le_bytes(array(bytes, 24)));
        Ok(Self { payload_bytes, table_digest })
    }
}

impl BlockTable {
    /// Takes more payload.
    pub(crate) fn update(&mut self, mut bytes: &[u8]) {
        self.payload_bytes += bytes.len() as u64;
        while !bytes.is_empty() {
            if self.current_bytes == 0 && bytes.len() >= BLOCK_BYTES {
                let (block, rest) = bytes.split_at(BLOCK_BYTES);
                self.digests.push(Digest::of(block).value());
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

    /// What follows the payload, and the digest of a handle that names the file.
    pub(crate) fn finish(mut self, name: &FileName) -> (Vec<u8>, Digest) {
        if self.current_bytes > 0 {
            self.end_block();
        }
        let mut bytes: Vec<u8> = Vec::with_capacity(self.digests.len() * 8 + TRAILER_BYTES);
        bytes.extend(self.digests.iter().flat_map(|digest| digest.to_le_bytes()));
        let handle_digest = handle_digest(name, self.payload_bytes, &bytes);
        let trailer = Trailer { payload_bytes: self.payload_bytes, table_digest: Digest::of(&bytes) };
        bytes.extend_from_slice(&trailer.encode());
        (bytes, handle_digest)
    }

    fn end_block(&mut self) {
        self.digests.push(std::mem::take(&mut self.current).finish().value());
        self.current_bytes = 0;
    }
}

/// What a handle's digest covers: the file's own name, so that a file in the place of another is found, the length and
/// the table.
pub(crate) fn handle_digest(name: &FileName, payload_bytes: u64, table: &[u8]) -> Digest {
    let mut digester = Digester::new();
    digester.update(name.to_string().as_bytes());
    digester.update(&payload_bytes.to_le_bytes());
    digester.update(table);
    digester.finish()
}

/// Bytes of the table of that much payload.
pub(crate) const fn table_bytes(payload_bytes: u64) -> u64 {
    payload_bytes.div_ceil(BLOCK_BYTES as u64) * DIGEST_BYTES
}

/// Bytes of the whole file; `None` when no file is that long.
pub(crate) fn file_bytes(payload_bytes: u64) -> Option<u64> {
    payload_bytes.checked_add(table_bytes(payload_bytes))?.checked_add(TRAILER_BYTES as u64)
}

/// `N` bytes from `at` on; both are constants within the trailer.
fn array<const N: usize>(bytes: &[u8; TRAILER_BYTES], at: usize) -> [u8; N] {
    let mut found = [0; N];
    found.copy_from_slice(&bytes[at..at + N]);
    found
}

#[cfg(all(test, not(ckpt_loom)))]
mod tests {
    use ckpt_core::id::{LeaderEpoch, Writer, WriterId};

    use super::*;

    #[test]
    fn the_table_does_not_depend_on_the_pieces() {
        let payload: Vec<u8> = (0..3 * BLOCK_BYTES + 17).map(|n| (n % 251) as u8).collect();
        let name = Writer::new(LeaderEpoch::new(1), WriterId::new(2)).file(3);
        let table_in_pieces_of = |size: usize| {
            let mut table = BlockTable::default();
            payload.chunks(size).for_each(|piece| table.update(piece));
            table.finish(&name)
        };
        let whole = table_in_pieces_of(payload.len());
        assert_eq!(whole.0.len() as u64 + payload.len() as u64, file_bytes(payload.len() as u64).unwrap());
        for size in [1, 1000, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1] {
            assert_eq!(table_in_pieces_of(size), whole, "{size}");
        }
        let other = Writer::new(LeaderEpoch::new(1), WriterId::new(2)).file(4);
        let table = &whole.0[..whole.0.len() - TRAILER_BYTES];
        assert_ne!(handle_digest(&other, payload.len() as u64, table), whole.1);
    }

    #[test]
    fn every_bit_of_a_trailer_is_checked_or_carried() {
        let trailer = Trailer { payload_bytes: 5, table_digest: Digest::of(b"table") };
        let bytes = trailer.encode();
        assert_eq!(Trailer::decode(&bytes), Ok(trailer));
        for bit in 0..TRAILER_BYTES * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(Trailer::decode(&flipped), Ok(trailer), "bit {bit}");
        }
        assert_eq!(file_bytes(u64::MAX), None);
    }
}
