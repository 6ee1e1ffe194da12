//! Reading state files.

use ckpt_core::id::FileName;
use ckpt_core::state::{FileRef, Place, RelPath, Root, StateHandle};
use ckpt_core::state_file::{BLOCK_BYTES, BlockDigester, BlockDigests, Trailer, file_bytes, table_bytes};
use ckpt_core::{Digest, Digester, ErrorKind, Result};

use crate::StateDirectory;
use crate::file_system::ReadAt;
use crate::read::error::ReadError;
use crate::read::segment::Segment;
use crate::read::stream::{InlineStream, VerifiedStream};
use crate::read::{StateInputStream, StateReader};

/// Reads inline state, state files and segments of them below known roots. Every block is verified before a byte of it is yielded.
#[derive(Debug)]
pub struct FileStateReader {
    directories: Vec<StateDirectory>,
}

/// A state file, or a segment of one, whose length, trailer and table are those of its handle.
#[derive(Debug)]
pub(crate) struct StateFile {
    pub(crate) name: String,
    pub(crate) file: Box<dyn ReadAt>,
    pub(crate) payload_bytes: u64,
    /// One digest for each block. `None` for a foreign file that nothing is known of.
    digests: Option<BlockDigests>,
}

impl FileStateReader {
    /// A reader of those directories, at most one for each root. State below any other root is `NotFound`.
    pub const fn new(directories: Vec<StateDirectory>) -> Self {
        Self { directories }
    }
}

impl StateReader for FileStateReader {
    fn open(&self, handle: &StateHandle) -> Result<Box<dyn StateInputStream>> {
        match handle.place() {
            Place::Inline(bytes) => {
                verify_inline(handle, bytes)?;
                Ok(Box::new(InlineStream::new(bytes.clone())))
            }
            Place::File { root, file } | Place::Segment { root, file, .. } => {
                let directory = self
                    .directories
                    .iter()
                    .find(|directory| directory.root == *root)
                    .ok_or_else(|| ReadError::UnknownRoot { root: *root, file: file.to_string() })?;
                Ok(Box::new(VerifiedStream::new(StateFile::open(directory, file, handle)?)))
            }
            place => Err(ReadError::UnknownPlace { place: format!("{place:?}") }.into()),
        }
    }
}

/// Whether inline bytes are those of their handle.
pub(crate) fn verify_inline(handle: &StateHandle, bytes: &[u8]) -> Result<(), ReadError> {
    let length_bytes = bytes.len() as u64;
    if length_bytes != handle.length_bytes() {
        return Err(ReadError::InlineLength { expected_bytes: handle.length_bytes(), found_bytes: length_bytes });
    }
    let expected = handle.digest().ok_or_else(|| ReadError::NoDigest { place: format!("{:?}", handle.place()) })?;
    match Digest::of(bytes) {
        found if found == expected => Ok(()),
        found => Err(ReadError::Inline { length_bytes, expected, found }),
    }
}

impl StateFile {
    pub(crate) fn open(directory: &StateDirectory, file: &FileRef, handle: &StateHandle) -> Result<Self> {
        let path = match file {
            FileRef::Ours(name) => directory.path_of(&RelPath::new(name.to_string())?),
            FileRef::Foreign(path) => directory.path_of(path),
            other => return Err(ReadError::UnknownPlace { place: format!("{other:?}") }.into()),
        };
        let name = directory.file_system.shown(&path);
        let opened = directory.file_system.open(&path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => ReadError::Missing { file: name.clone(), source: error }.into(),
            _ => error,
        })?;
        let no_digest = || ReadError::NoDigest { place: format!("{:?}", handle.place()) };
        let (name, opened) = match handle.place() {
            Place::Segment { offset_bytes, .. } => {
                let stored_bytes = match file {
                    FileRef::Ours(_) => file_bytes(handle.length_bytes()).unwrap_or(u64::MAX),
                    _ => handle.length_bytes(),
                };
                let segment = Segment::new(opened, *offset_bytes, stored_bytes);
                (format!("{name}, from byte {offset_bytes}"), Box::new(segment) as Box<dyn ReadAt>)
            }
            _ => (name, opened),
        };
        Ok(match (file, handle.digest()) {
            (FileRef::Ours(ours), Some(digest)) => {
                Self::open_ours(name, opened, (ours, handle.length_bytes(), digest))?
            }
            (FileRef::Foreign(_), Some(digest)) => Self::open_foreign(name, opened, handle.length_bytes(), digest)?,
            (FileRef::Foreign(_), None) if matches!(directory.root, Root::Claimed(_) | Root::Borrowed(_)) => {
                check_length(&name, handle.length_bytes(), opened.length_bytes())?;
                Self { name, file: opened, payload_bytes: handle.length_bytes(), digests: None }
            }
            _ => return Err(no_digest().into()),
        })
    }

    /// A file of our format: the trailer and the table are verified here, blocks when they are read.
    fn open_ours(
        name: String,
        file: Box<dyn ReadAt>,
        (ours, payload_bytes, digest): (&FileName, u64, Digest),
    ) -> Result<Self, ReadError> {
        let found_bytes = file.length_bytes();
        let expected_bytes = file_bytes(payload_bytes).unwrap_or(u64::MAX);
        if found_bytes < expected_bytes {
            return Err(ReadError::FileLength { file: name, payload_bytes, expected_bytes, found_bytes });
        }
        check_length(&name, expected_bytes, found_bytes)?;
        let mut trailer = [0; Trailer::BYTES];
        read(&*file, &name, &mut trailer, expected_bytes - Trailer::BYTES as u64)?;
        let damaged = |source| ReadError::Damaged { file: name.clone(), source };
        let trailer = Trailer::decode(&trailer).map_err(damaged)?;
        let table_bytes = table_bytes(payload_bytes);
        let mut table =
            zeroed(table_bytes).ok_or_else(|| ReadError::TableMemory { file: name.clone(), table_bytes })?;
        read(&*file, &name, &mut table, payload_bytes)?;
        let digests = trailer.verify(ours, payload_bytes, table, digest).map_err(damaged)?;
        Ok(Self { name, file, payload_bytes, digests: Some(digests) })
    }

    /// A file as somebody else wrote it, with a digest of the whole. It is read once now; the digests of its blocks
    /// then tell whether later reads yield the same.
    fn open_foreign(
        name: String,
        file: Box<dyn ReadAt>,
        length_bytes: u64,
        expected: Digest,
    ) -> Result<Self, ReadError> {
        check_length(&name, length_bytes, file.length_bytes())?;
        let mut whole = Digester::new();
        let mut blocks = BlockDigester::new();
        let mut block = vec![0; BLOCK_BYTES];
        let mut at = 0;
        while at < length_bytes {
            let take = (length_bytes - at).min(BLOCK_BYTES as u64);
            let block = &mut block[..to_memory(&name, take)?];
            read(&*file, &name, block, at)?;
            whole.update(block);
            blocks.update(block);
            at += take;
        }
        match whole.finish() {
            found if found == expected => {
                Ok(Self { name, file, payload_bytes: length_bytes, digests: Some(blocks.into_digests()) })
            }
            found => Err(ReadError::Whole { file: name, expected, found }),
        }
    }

    /// Fills `block` with one block and verifies it. Afterwards it holds that block alone.
    pub(crate) fn read_block(&self, number: u64, block: &mut Vec<u8>) -> Result<(), ReadError> {
        let at = number * BLOCK_BYTES as u64;
        let length = to_memory(&self.name, self.payload_bytes.saturating_sub(at).min(BLOCK_BYTES as u64))?;
        block.resize(length, 0);
        read(&*self.file, &self.name, block, at)?;
        let Some(digests) = &self.digests else { return Ok(()) };
        digests.verify(number, block).map_err(|source| {
            block.clear();
            ReadError::Damaged { file: self.name.clone(), source }
        })
    }

    /// The digests of its blocks, when there are any.
    pub(crate) fn into_digests(self) -> Option<BlockDigests> {
        self.digests
    }
}

fn check_length(name: &str, expected_bytes: u64, found_bytes: u64) -> Result<(), ReadError> {
    match found_bytes == expected_bytes {
        true => Ok(()),
        false => Err(ReadError::Length { file: name.to_owned(), expected_bytes, found_bytes }),
    }
}

fn read(file: &dyn ReadAt, name: &str, buffer: &mut [u8], at: u64) -> Result<(), ReadError> {
    file.read_exact_at(buffer, at).map_err(|source| ReadError::Io { file: name.to_owned(), source })
}

/// A length that was compared with that of a file, as one of memory.
fn to_memory(name: &str, bytes: u64) -> Result<usize, ReadError> {
    usize::try_from(bytes).map_err(|error| ReadError::Io {
        file: name.to_owned(),
        source: std::io::Error::new(std::io::ErrorKind::OutOfMemory, error),
    })
}

/// So many zeros; `None` when there is no memory for them. A file may be sparse, so that its length proves nothing.
pub(crate) fn zeroed(bytes: u64) -> Option<Vec<u8>> {
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
        let expects = (&name, payload_bytes, Digest::of(&[]));
        let opened = StateFile::open_ours("sparse".to_owned(), Box::new(Sparse { payload_bytes }), expects);
        let expected =
            "there is no memory for the 562949953421312 bytes of digests that state file 'sparse' says it has";
        assert_eq!(opened.unwrap_err().to_string(), expected);
    }
}
