//! The mark of a snapshot that is being disposed of.

use ckpt_core::id::{CheckpointId, JobId};
use ckpt_core::mark::DisposalMark;
use ckpt_core::metadata::WrittenMetadata;
use ckpt_core::state::RelPath;
use ckpt_core::{Error, ErrorKind, Result};

use crate::dispose::error::DisposeError;
use crate::dispose::options::DisposeOptions;
use crate::dispose::place::SnapshotDirectory;
use crate::dispose::removal::remove_all;
use crate::{layout, mark_file};

/// Whether a disposal was begun before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begun {
    Now,
    Before,
}

/// The mark of the directory.
pub(super) fn path(directory: &SnapshotDirectory) -> RelPath {
    directory.path(layout::file_in_savepoint(DisposalMark::FILE_NAME))
}

/// Whether there is a mark, whatever it says.
///
/// # Errors
///
/// The kind that the file system gives.
pub(super) fn is_there(directory: &SnapshotDirectory) -> Result<bool> {
    let path = path(directory);
    let found = mark_file::read(&*directory.file_system, &path).map_err(|source| unreadable(directory, source))?;
    Ok(found.is_some())
}

/// Marks the snapshot whose `_metadata` is that, durably, or finds that an earlier disposal did. From then on nobody begins
/// from it.
///
/// # Errors
///
/// `Corrupt` when the mark that is there is of another `_metadata` or damaged; the kind that the file system gives when it
/// could not be made.
pub(super) fn begin(
    directory: &SnapshotDirectory,
    snapshot: (JobId, CheckpointId),
    written: WrittenMetadata,
    options: &DisposeOptions,
) -> Result<Begun> {
    let path = path(directory);
    let (bytes, digest) = (written.length_bytes, written.index_digest);
    let ours = DisposalMark::new(snapshot, bytes, digest, options.nonce, options.began_at);
    let not_marked = |source: Error| {
        let kind = source.kind();
        DisposeError::NotMarked { path: directory.shown(&path), source }.of_kind(kind)
    };
    let encoded = ours.encode()?;
    let found = mark_file::create(&directory.file_system, &path, encoded, options.durability).map_err(not_marked)?;
    check(directory, &found, snapshot, written).map(|mark| if mark == ours { Begun::Now } else { Begun::Before })
}

/// Checks the mark that is there, if any, as [`begin`] would.
///
/// # Errors
///
/// As of [`begin`].
pub(super) fn look(
    directory: &SnapshotDirectory,
    snapshot: (JobId, CheckpointId),
    written: WrittenMetadata,
) -> Result<()> {
    let found = mark_file::read(&*directory.file_system, &path(directory));
    match found.map_err(|source| unreadable(directory, source))? {
        Some(found) => check(directory, &found, snapshot, written).map(|_| ()),
        None => Ok(()),
    }
}

/// Takes back a mark of which nothing has come yet. What cannot be taken back is found by the next disposal.
pub(super) fn withdraw(directory: &SnapshotDirectory) {
    let _ = remove_all(directory, &[path(directory)]);
}

fn check(
    directory: &SnapshotDirectory,
    found: &[u8],
    (job, id): (JobId, CheckpointId),
    written: WrittenMetadata,
) -> Result<DisposalMark> {
    let mark = DisposalMark::decode(found).map_err(|source| unreadable(directory, source))?;
    let (found_bytes, digest) = (written.length_bytes, written.index_digest);
    if (mark.job, mark.id) != (job, id) || !mark.is_of(found_bytes, digest) {
        let path = directory.shown(&path(directory));
        let (expected, expected_bytes) = (mark.id, mark.metadata_bytes);
        let error = DisposeError::MarkOfAnother { path, expected, expected_bytes, found: id, found_bytes };
        return Err(error.of_kind(ErrorKind::Corrupt));
    }
    Ok(mark)
}

fn unreadable(directory: &SnapshotDirectory, source: Error) -> Error {
    let (kind, path) = (source.kind(), directory.shown(&path(directory)));
    DisposeError::MarkUnreadable { path, source }.of_kind(kind)
}
