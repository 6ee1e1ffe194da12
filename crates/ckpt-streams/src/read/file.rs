//! State files, opened and read block by block.

use ckpt_core::id::FileName;
use ckpt_core::state::{FileRef, Place, RelPath, Root, StateHandle};
use ckpt_core::state_file::{BLOCK_BYTES, BlockDigester, BlockDigests, Trailer, file_bytes, table_bytes};
use ckpt_core::{Digest, Digester, ErrorKind};

use crate::StateDirectory;
use crate::file_system::ReadAt;
use crate::read::error::ReadError;
use crate::read::options::Verification;
use crate::read::segment::Segment;

/// The most that is read at once: whole blocks, few enough that they are still in the processor's second cache when they
/// are verified, and many enough that the calls do not count.
pub(super) const PIECE_BYTES: usize = 4 * BLOCK_BYTES;

/// A state file, or a segment of one, that was compared with its handle as far as it was to be.
#[derive(Debug)]
pub(crate) struct StateFile {
    name: String,
    file: Box<dyn ReadAt>,
    payload_bytes: u64,
    /// How many of them the file has; less than all only of one that was not compared.
    present_bytes: u64,
    /// One digest for each block. `None` when blocks are not verified.
    digests: Option<BlockDigests>,
}

impl StateFile {
    pub(crate) fn open(
        directory: &StateDirectory,
        file: &FileRef,
        handle: &StateHandle,
        verification: Verification,
    ) -> Result<Self, ReadError> {
        let path = match file {
            FileRef::Ours(name) => directory.path_of(&RelPath::from(name)),
            FileRef::Foreign(path) => directory.path_of(path),
            other => return Err(ReadError::UnknownPlace { place: format!("{other:?}") }),
        };
        let name = directory.file_system.shown(&path);
        let opened = directory.file_system.open(&path).map_err(|source| match source.kind() {
            ErrorKind::NotFound => ReadError::Missing { file: name.clone(), source },
            _ => ReadError::NotOpened { source },
        })?;
        let payload_bytes = handle.length_bytes();
        let (name, opened) = match handle.place() {
            Place::Segment { offset_bytes, .. } => {
                let stored_bytes = match file {
                    FileRef::Ours(_) => file_bytes(payload_bytes).unwrap_or(u64::MAX),
                    _ => payload_bytes,
                };
                let segment = Segment::new(opened, *offset_bytes, stored_bytes);
                (format!("{name}, from byte {offset_bytes}"), Box::new(segment) as Box<dyn ReadAt>)
            }
            _ => (name, opened),
        };
        let present_bytes = opened.length_bytes().min(payload_bytes);
        let mut this = Self { name, file: opened, payload_bytes, present_bytes, digests: None };
        this.digests = match (verification, file, handle.digest()) {
            (Verification::Off, ..) => None,
            (Verification::Lengths, FileRef::Ours(_), _) => this.trailer().map(|_| None)?,
            (Verification::Lengths, ..) => this.check_length(payload_bytes).map(|()| None)?,
            (Verification::Always, FileRef::Ours(ours), Some(digest)) => Some(this.table(ours, digest)?),
            (Verification::Always, FileRef::Foreign(_), Some(digest)) => Some(this.read_whole(digest)?),
            (Verification::Always, FileRef::Foreign(_), None)
                if matches!(directory.root, Root::Claimed(_) | Root::Borrowed(_)) =>
            {
                this.check_length(payload_bytes).map(|()| None)?
            }
            _ => return Err(ReadError::no_digest(handle)),
        };
        Ok(this)
    }

    /// Payload bytes in all.
    pub(super) const fn payload_bytes(&self) -> u64 {
        self.payload_bytes
    }

    /// As people find it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Fills `blocks`, with which the payload may end, with whole blocks from `at` on, and verifies them where they are.
    ///
    /// It says how many bytes of them there are. That is all, or up to the first block that is not as it was written; if
    /// that is the first, it is an error. No byte behind them is one that was read: it is zero, or what it was before.
    pub(super) fn read_blocks(&self, at: u64, blocks: &mut [u8]) -> Result<usize, ReadError> {
        let present = self.present_bytes.saturating_sub(at);
        if present == 0 {
            return Err(self.ends_before(at));
        }
        // No longer than what is in memory.
        let length = (blocks.len() as u64).min(present) as usize;
        let found = &mut blocks[..length];
        let Err((verified, error)) = self.read_and_verify(at, found) else { return Ok(length) };
        found[verified..].fill(0);
        match verified {
            0 => Err(error),
            _ => Ok(verified),
        }
    }

    /// On an error, how many bytes are right.
    fn read_and_verify(&self, at: u64, blocks: &mut [u8]) -> Result<(), (usize, ReadError)> {
        self.read(blocks, at).map_err(|error| (0, error))?;
        let Some(digests) = &self.digests else { return Ok(()) };
        for (number, block) in (at / BLOCK_BYTES as u64..).zip(blocks.chunks(BLOCK_BYTES)) {
            digests.verify(number, block).map_err(|source| {
                // A block of these, so it fits.
                let verified = (number * BLOCK_BYTES as u64 - at) as usize;
                (verified, self.damaged(source))
            })?;
        }
        Ok(())
    }

    /// The digests of its blocks, when there are any.
    pub(crate) fn into_digests(self) -> Option<BlockDigests> {
        self.digests
    }

    /// Of a file of our format: whether it is as long as it says and as the handle says.
    fn trailer(&self) -> Result<Trailer, ReadError> {
        let (payload_bytes, found_bytes) = (self.payload_bytes, self.file.length_bytes());
        let expected_bytes = file_bytes(payload_bytes).unwrap_or(u64::MAX);
        if found_bytes < expected_bytes {
            return Err(ReadError::FileLength { file: self.name.clone(), payload_bytes, expected_bytes, found_bytes });
        }
        self.check_length(expected_bytes)?;
        let mut trailer = [0; Trailer::BYTES];
        self.read(&mut trailer, expected_bytes - Trailer::BYTES as u64)?;
        let trailer = Trailer::decode(&trailer).map_err(|source| self.damaged(source))?;
        trailer.verify_length(payload_bytes).map_err(|source| self.damaged(source))?;
        Ok(trailer)
    }

    /// Of a file of our format: the digests of its blocks, verified.
    fn table(&self, ours: &FileName, digest: Digest) -> Result<BlockDigests, ReadError> {
        let trailer = self.trailer()?;
        let table_bytes = table_bytes(self.payload_bytes);
        let mut table =
            zeroed(table_bytes).ok_or_else(|| ReadError::TableMemory { file: self.name.clone(), table_bytes })?;
        self.read(&mut table, self.payload_bytes)?;
        trailer.verify(ours, self.payload_bytes, table, digest).map_err(|source| self.damaged(source))
    }

    /// Of a file as somebody else wrote it, with a digest of the whole. It is read once now; the digests of its blocks
    /// then tell whether later reads yield the same.
    fn read_whole(&self, expected: Digest) -> Result<BlockDigests, ReadError> {
        self.check_length(self.payload_bytes)?;
        let mut whole = Digester::new();
        let mut blocks = BlockDigester::new();
        let mut piece = vec![0; PIECE_BYTES];
        let mut at = 0;
        while at < self.payload_bytes {
            // At most a piece, so it fits.
            let take = (self.payload_bytes - at).min(PIECE_BYTES as u64) as usize;
            let piece = &mut piece[..take];
            self.read(piece, at)?;
            whole.update(piece);
            blocks.update(piece);
            at += take as u64;
        }
        match whole.finish() {
            found if found == expected => Ok(blocks.into_digests()),
            found => Err(ReadError::Whole { file: self.name.clone(), expected, found }),
        }
    }

    fn check_length(&self, expected_bytes: u64) -> Result<(), ReadError> {
        match self.file.length_bytes() {
            found if found == expected_bytes => Ok(()),
            found_bytes => Err(ReadError::Length { file: self.name.clone(), expected_bytes, found_bytes }),
        }
    }

    fn read(&self, buffer: &mut [u8], at: u64) -> Result<(), ReadError> {
        self.file.read_exact_at(buffer, at).map_err(|source| ReadError::Io { file: self.name.clone(), source })
    }

    fn damaged(&self, source: ckpt_core::Error) -> ReadError {
        ReadError::Damaged { file: self.name.clone(), source }
    }

    /// What is wrong with a read at a place that only a longer file would have.
    pub(super) fn ends_before(&self, at: u64) -> ReadError {
        let (payload_bytes, present_bytes) = (self.payload_bytes, self.present_bytes);
        ReadError::EndsBefore { file: self.name.clone(), at, payload_bytes, present_bytes }
    }
}

/// So many zeros; `None` when there is no memory for them. A file may be sparse, so that its length proves nothing.
fn zeroed(bytes: u64) -> Option<Vec<u8>> {
    let bytes = usize::try_from(bytes).ok()?;
    let mut zeros = Vec::new();
    zeros.try_reserve_exact(bytes).ok()?;
    zeros.resize(bytes, 0);
    Some(zeros)
}

#[cfg(all(test, not(ckpt_loom)))]
mod tests {
    use std::io;

    use ckpt_core::id::{LeaderEpoch, Writer, WriterId};

    use super::*;

    /// A file that says that it is longer than any memory, with a trailer that is in order.
    #[derive(Debug)]
    struct Sparse {
        payload_bytes: u64,
    }

    impl ReadAt for Sparse {
        fn read_exact_at(&self, buffer: &mut [u8], _offset_bytes: u64) -> io::Result<()> {
            let trailer = Trailer::new(self.payload_bytes, &BlockDigester::new().into_digests());
            buffer.copy_from_slice(&trailer.encode());
            Ok(())
        }

        fn length_bytes(&self) -> u64 {
            file_bytes(self.payload_bytes).unwrap()
        }
    }

    #[test]
    fn the_table_of_a_sparse_file_is_an_error_and_ends_no_process() {
        let payload_bytes = 1 << 62;
        let name = Writer::new(LeaderEpoch::new(1), WriterId::new(2)).file(3);
        let file = Box::new(Sparse { payload_bytes });
        let file = StateFile { name: "sparse".to_owned(), file, payload_bytes, present_bytes: 0, digests: None };
        let opened = file.table(&name, Digest::of(&[]));
        let expected =
            "there is no memory for the 562949953421312 bytes of digests that state file 'sparse' says it has";
        assert_eq!(opened.unwrap_err().to_string(), expected);
    }
}
