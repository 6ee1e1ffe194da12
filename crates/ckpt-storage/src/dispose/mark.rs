//! The mark of a snapshot that is being disposed of.

use ckpt_core::id::{CheckpointId, JobId};
use ckpt_core::mark::DisposalMark;
use ckpt_core::metadata::WrittenMetadata;
use ckpt_core::state::RelPath;
use ckpt_core::{Error, ErrorKind, Result};

use crate::dispose::error::DisposeError;
use crate::dispose::options::DisposeOptions;
use crate::dispose::place::SnapshotDirectory;
use crate::{layout, mark_file};

/// The mark of the directory.
pub(super) fn path(directory: &SnapshotDirectory) -> RelPath {
    directory.path(layout::file_in_savepoint(DisposalMark::FILE_NAME))
}

/// The mark that is there.
///
/// # Errors
///
/// `Corrupt` when it is damaged, `Configuration` when a newer program wrote it; the kind that the file system gives.
pub(super) fn read(directory: &SnapshotDirectory) -> Result<Option<DisposalMark>> {
    let found = mark_file::read(&*directory.file_system, &path(directory));
    let decoded = found.and_then(|found| found.map(|found| DisposalMark::decode(&found)).transpose());
    decoded.map_err(|source| unreadable(directory, source))
}

/// Marks the snapshot whose `_metadata` is that, durably, or finds that an earlier disposal did. From then on nobody begins
/// from it, and the mark is not taken back: another disposal may have found it, and be deleting.
///
/// # Errors
///
/// `Corrupt` when the mark that is there is of another `_metadata` or damaged; `NotFound` when another disposal came to its
/// end meanwhile; `Retry` when it could not be made, or the kind that the file system gives if that is not to be tried again.
pub(super) fn begin(
    directory: &SnapshotDirectory,
    snapshot: (JobId, CheckpointId),
    written: WrittenMetadata,
    options: &DisposeOptions,
) -> Result<()> {
    let (bytes, digest) = (written.length_bytes, written.index_digest);
    let ours = DisposalMark::new(snapshot, bytes, digest, options.nonce, options.began_at).encode()?;
    let created = mark_file::create(&directory.file_system, &path(directory), ours, options.durability);
    let found = created.map_err(|source| not_marked(directory, source))?;
    let mark = DisposalMark::decode(&found).map_err(|source| unreadable(directory, source))?;
    check(directory, &mark, snapshot, written)
}

/// Checks that a mark was made for that `_metadata`.
///
/// # Errors
///
/// `Corrupt` when it was made for another.
pub(super) fn check(
    directory: &SnapshotDirectory,
    mark: &DisposalMark,
    (job, id): (JobId, CheckpointId),
    written: WrittenMetadata,
) -> Result<()> {
    let (found_bytes, digest) = (written.length_bytes, written.index_digest);
    if (mark.job, mark.id) != (job, id) || !mark.is_of(found_bytes, digest) {
        let path = directory.shown(&path(directory));
        let (expected, expected_bytes) = (mark.id, mark.metadata_bytes);
        let error = DisposeError::MarkOfAnother { path, expected, expected_bytes, found: id, found_bytes };
        return Err(error.of_kind(ErrorKind::Corrupt));
    }
    Ok(())
}

/// Why there is no mark. Another disposal may have deleted the directory while it was made.
fn not_marked(directory: &SnapshotDirectory, source: Error) -> Error {
    if matches!(directory.has_metadata(), Ok(false)) && matches!(read(directory), Ok(None)) {
        return DisposeError::Gone { pointer: directory.pointer.clone(), source }.of_kind(ErrorKind::NotFound);
    }
    let kind = match source.kind() {
        // Nothing was deleted, and whether the mark is there now or not, the next call finds out.
        ErrorKind::AbortCheckpoint | ErrorKind::Unknown | ErrorKind::NotFound => ErrorKind::Retry,
        kind => kind,
    };
    DisposeError::NotMarked { path: directory.shown(&path(directory)), source }.of_kind(kind)
}

fn unreadable(directory: &SnapshotDirectory, source: Error) -> Error {
    let (kind, path) = (source.kind(), directory.shown(&path(directory)));
    DisposeError::MarkUnreadable { path, source }.of_kind(kind)
}
