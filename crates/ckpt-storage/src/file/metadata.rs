//! Reading and writing `_metadata`.

use std::collections::BTreeSet;

use ckpt_core::id::FileName;
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::state::{FileRef, KeyedState, RelPath, Root, SharedFile};
use ckpt_core::{Digest, ErrorKind, Result};
use ckpt_streams::file_system::{FileSystem, ReadAt};

use crate::error::StorageError;

/// The most bytes of metadata that are read into memory.
const MOST_BYTES: u64 = 1 << 30;

/// How much is read, and so allocated, at a time: a file that only claims to be long ends the reading early.
const PIECE_BYTES: u64 = 4 << 20;

/// Metadata as it stands in its file.
#[derive(Debug)]
pub(crate) struct EncodedMetadata {
    pub(crate) bytes: Vec<u8>,
    pub(crate) index_digest: Digest,
}

/// The bytes of `_metadata`.
pub(crate) fn encode(metadata: &CheckpointMetadata) -> Result<EncodedMetadata> {
    Err(StorageError::MetadataNotEncoded {
        id: metadata.summary.identity.id,
        source: ckpt_core::Error::new(ErrorKind::Retry, "no encoding"),
    }
    .abort())
}

/// Reads a metadata file and gives the digest of its index too. `length_bytes` is what it must have, if that is known.
///
/// # Errors
///
/// `NotFound` or `Corrupt`; `Retry` when it could not be read. All name the file.
pub(crate) fn read(
    file_system: &dyn FileSystem,
    path: &RelPath,
    shown: &str,
    length_bytes: Option<u64>,
) -> Result<(CheckpointMetadata, Digest)> {
    let file = open(file_system, path, shown)?;
    let found_bytes = file.length_bytes();
    if let Some(expected_bytes) = length_bytes.filter(|expected| *expected != found_bytes) {
        return Err(StorageError::MetadataLength { path: shown.to_owned(), found_bytes, expected_bytes }.corrupt());
    }
    let bytes = read_all(&*file, shown)?;
    decode(&bytes).map_err(|source| StorageError::MetadataDamaged { path: shown.to_owned(), source }.corrupt())
}

/// Whether a file holds exactly those bytes.
///
/// # Errors
///
/// As for [`read`].
pub(crate) fn same(file_system: &dyn FileSystem, path: &RelPath, shown: &str, bytes: &[u8]) -> Result<bool> {
    let file = open(file_system, path, shown)?;
    Ok(file.length_bytes() == bytes.len() as u64 && read_all(&*file, shown)? == bytes)
}

/// The files of the job's shared directory that a checkpoint names, written by it or reused.
pub(crate) fn shared_files(metadata: &CheckpointMetadata) -> BTreeSet<FileName> {
    let mut names = metadata.shared_files();
    for state in metadata.operators.values().flat_map(|operator| operator.subtasks.values()) {
        for keyed in &state.keyed {
            let KeyedState::Incremental(state) = keyed else {
                continue;
            };
            names.extend(state.shared.values().filter_map(|file| match file {
                SharedFile::Reused(Root::JobShared, FileRef::Ours(name)) => Some(*name),
                _ => None,
            }));
        }
    }
    names
}

fn decode(bytes: &[u8]) -> Result<(CheckpointMetadata, Digest)> {
    Err(ckpt_core::Error::new(ErrorKind::Corrupt, format!("no decoding of {} bytes", bytes.len())))
}

fn open(file_system: &dyn FileSystem, path: &RelPath, shown: &str) -> Result<Box<dyn ReadAt>> {
    file_system.open(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => {
            StorageError::MetadataMissing { path: shown.to_owned(), source }.kind(ErrorKind::NotFound)
        }
        kind => StorageError::MetadataNotOpened { path: shown.to_owned(), source }.kind(kind),
    })
}

fn read_all(file: &dyn ReadAt, shown: &str) -> Result<Vec<u8>> {
    let found_bytes = file.length_bytes();
    if found_bytes > MOST_BYTES {
        let error = StorageError::MetadataTooLong { path: shown.to_owned(), found_bytes, most_bytes: MOST_BYTES };
        return Err(error.corrupt());
    }
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < found_bytes {
        let (begin, length) = (bytes.len(), PIECE_BYTES.min(found_bytes - bytes.len() as u64));
        // No more than PIECE_BYTES, which every usize holds.
        bytes.resize(begin + length as usize, 0);
        file.read_exact_at(&mut bytes[begin..], begin as u64).map_err(|source| {
            let kind = match source.kind() {
                std::io::ErrorKind::UnexpectedEof => ErrorKind::Corrupt,
                _ => ErrorKind::Retry,
            };
            StorageError::MetadataUnreadable { path: shown.to_owned(), source }.kind(kind)
        })?;
    }
    Ok(bytes)
}
