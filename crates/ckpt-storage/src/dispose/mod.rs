//! Disposing of a snapshot that no HEAD names: a savepoint, or what is left of a job.
//!
//! The order, each step durable before the next:
//!
//! 1. `_metadata` is read, and every byte of it verified. Nothing is deleted that it does not list.
//! 2. `_disposing` is created: from here on nobody begins from the snapshot, and whoever finds the mark may go on. It says
//!    of which `_metadata` it is, so that a disposal that is taken up again deletes by no other.
//! 3. The files go that are the snapshot's own, side by side. What belongs to the job as well, or to others, stays.
//! 4. `_metadata` goes, when none of them is left; then the savepoint's own mark; then `_disposing`; then the directory, when
//!    it is empty.
//!
//! A crash between any two leaves either a snapshot that is whole, or a mark that the same call takes up again. Everything
//! happens beneath the directory as it was opened once, and no link is followed.
//!
//! Several may dispose of one snapshot at once, and a job may claim it meanwhile. A mark never goes before what it marks:
//! whoever withdrew it could take it from another disposal that has taken it up and is deleting. So `OWNER` decides, which is
//! looked for once the mark is there: found, the disposal refuses and leaves its mark. Whoever claims makes `OWNER` first and
//! looks for the mark then; there, it has claimed nothing, begins from nothing, and takes its `OWNER` back. So at least one of
//! the two gives way, and a mark beside the `OWNER` of a claim that HEAD names is of a disposal that refused.

mod disposal;
mod error;
mod mark;
mod options;
mod owned;
mod place;
mod removal;

use std::slice;
use std::sync::Arc;

use ckpt_core::id::{CheckpointId, FileName, JobId};
use ckpt_core::mark::{DisposalMark, SavepointMark};
use ckpt_core::state::RelPath;
use ckpt_core::{Error, ErrorKind, Result};
use ckpt_streams::file_system::{Durability, Entry, LocalFileSystem};

pub use disposal::{Disposal, FileCount, Kept};
pub use options::DisposeOptions;
pub(crate) use place::SnapshotDirectory;
pub(crate) use removal::remove_all;

use crate::completed::CompletedLocation;
use crate::context::StorageContext;
use crate::dispose::error::DisposeError;
use crate::dispose::options::Mode;
use crate::dispose::owned::OwnedFiles;
use crate::layout;

/// How many files a listing asks for at once.
const PAGE: usize = 10_000;

/// Deletes the snapshot that a pointer names: its own files, its `_metadata`, and its directory when that is empty then.
/// For savepoints, and for checkpoints that were left behind by a job that has ended: what HEAD of a job names is that
/// job's.
///
/// It may be called again whenever it did not say that it is [complete](Disposal::is_complete), after a crash as well, and
/// goes on where the last one ended. Of what is gone already it says `NotFound`.
///
/// Of a savepoint that lies elsewhere only the HEADs are looked at that [`options`](DisposeOptions::with_job_directory) name: that
/// no other job was stopped with it to go on from it, or has borrowed it, is for the caller to know.
///
/// # Errors
///
/// Nothing of a snapshot was deleted then: `NotFound` when nothing is there, or no more since another call disposed of it;
/// `Configuration` for a pointer that is none or a link, a snapshot of Flink's, one of a job that is active or whose HEAD names
/// or needs it, what else lies in a job's directory, and one that another job has claimed; `Corrupt` when the metadata, or a mark
/// beside them, is damaged or of another snapshot; `Retry` when it could not be begun; or the kind that the file system gives.
/// What went wrong after the first file was deleted is in [`Disposal::errors`].
pub fn dispose(pointer: &str, context: &StorageContext, options: &DisposeOptions) -> Result<Disposal> {
    dispose_of(pointer, None, context, options)
}

impl CompletedLocation {
    /// Deletes it: [`dispose`] of its pointer, if that still leads to this very snapshot.
    ///
    /// # Errors
    ///
    /// Those of [`dispose`], and `Configuration` when the pointer leads to another one now.
    pub fn dispose(&self, context: &StorageContext, options: &DisposeOptions) -> Result<Disposal> {
        let summary = self.metadata.summary();
        dispose_of(&self.pointer, Some((summary.job, summary.identity.id)), context, options)
    }
}

fn dispose_of(
    pointer: &str,
    expected: Option<(JobId, CheckpointId)>,
    context: &StorageContext,
    options: &DisposeOptions,
) -> Result<Disposal> {
    let directory = Arc::new(SnapshotDirectory::find(pointer, context)?);
    let job_above = directory.refuse_what_is_held()?;
    // The mark before the metadata: it is made while those are there, so if they are gone then, they were deleted under it.
    // The other way round both may have come in between, and another disposal may need the mark.
    let mark = mark::read(&directory)?;
    let mut disposal = Disposal::of(directory.pointer.clone());
    let check_snapshot = |found: (JobId, CheckpointId)| {
        if let Some((expected_job, expected)) = expected.filter(|expected| *expected != found) {
            let (pointer, (found_job, found)) = (directory.pointer.clone(), found);
            let error = DisposeError::AnotherSnapshot { pointer, found, found_job, expected, expected_job };
            return Err(error.configuration());
        }
        directory.refuse_another(found, job_above)?;
        directory.refuse_what_is_needed(&options.heads, context)
    };
    let Some((metadata, written)) = directory.metadata()? else {
        // An earlier disposal came so far, or there never was anything.
        let Some(mark) = mark else {
            if options.mode == Mode::Delete {
                delete_unpublished(&directory, options);
            }
            return Err(directory.without_metadata()?.of_kind(ErrorKind::NotFound));
        };
        check_snapshot((mark.job, mark.id))?;
        match options.mode {
            Mode::DryRun => plan(&directory, &OwnedFiles::default(), &mut disposal)?,
            Mode::Delete => delete_marks(&directory, options, &mut disposal),
        }
        return Ok(disposal);
    };
    let (job, id) = (metadata.summary().job, metadata.summary().identity.id);
    check_snapshot((job, id))?;
    let (owned, not_owned) = OwnedFiles::of(&metadata)?;
    // It holds much more than the names that are needed from here on.
    drop(metadata);
    (disposal.snapshot, disposal.listed, disposal.kept) = (Some((job, id)), owned.count(), not_owned);
    if options.mode == Mode::DryRun {
        if let Some(mark) = mark {
            mark::check(&directory, &mark, (job, id), written)?;
        }
        plan(&directory, &owned, &mut disposal)?;
        return Ok(disposal);
    }
    mark::begin(&directory, (job, id), written, options)?;
    // Who claims a snapshot makes its mark and looks for this one, and we look for theirs: so at least one of us sees the
    // other, and gives way.
    directory.refuse_what_is_claimed()?;
    let removed = removal::remove_owned(&directory, &Arc::new(owned), options.parallelism.get(), &*context.spawn);
    (disposal.gone, disposal.errors) = (removed.gone, removed.errors);
    if disposal.errors.is_empty() && are_durable(&directory, options, &mut disposal) {
        delete_metadata(&directory, options, &mut disposal);
    }
    Ok(disposal)
}

/// Deletes `_metadata`, when nothing that it lists is left, and then the marks.
fn delete_metadata(directory: &SnapshotDirectory, options: &DisposeOptions, disposal: &mut Disposal) {
    if deletes(directory, layout::metadata_file(), disposal) {
        delete_marks(directory, options, disposal);
    }
}

/// Deletes the marks and the directory, when no `_metadata` is left, and tells what stays.
fn delete_marks(directory: &SnapshotDirectory, options: &DisposeOptions, disposal: &mut Disposal) {
    let all = deletes(directory, layout::file_in_savepoint(SavepointMark::FILE_NAME), disposal)
        // Should `_metadata` come back without the mark, it would be taken for a snapshot.
        && are_durable(directory, options, disposal)
        && deletes(directory, layout::file_in_savepoint(DisposalMark::FILE_NAME), disposal);
    if !all {
        return;
    }
    // A name that nobody can have foreseen, or made a file of.
    let unused = layout::unused(options.nonce);
    let keeps = directory.remove_empty(&unused);
    if options.durability != Durability::None {
        disposal.errors.extend(not_synced(directory, directory.sync_gone(unused)));
    }
    match left_over(directory) {
        Ok(entries) => {
            if keeps && entries.is_empty() {
                disposal.kept.push(Kept::Directory);
            }
            disposal.kept.extend(entries.into_iter().map(|entry| unknown(directory, entry)));
        }
        Err(error) => disposal.errors.push(error),
    }
}

/// Deletes what a disposal that was interrupted left of a mark which it had not made yet, and the directory if that was all.
fn delete_unpublished(directory: &SnapshotDirectory, options: &DisposeOptions) {
    // What cannot be listed or deleted means nothing.
    let entries = left_over(directory).unwrap_or_default();
    let is_unpublished = |entry: &Entry| {
        let name = directory.name_of(&entry.path);
        name.is_some_and(|name| LocalFileSystem::unpublished_name(name.as_str()) == Some(DisposalMark::FILE_NAME))
    };
    let left: Vec<RelPath> = entries.into_iter().filter(is_unpublished).map(|entry| entry.path).collect();
    if !left.is_empty() && remove_all(directory, &left).is_empty() {
        directory.remove_empty(&layout::unused(options.nonce));
    }
}

/// Deletes one file. Whether it is gone; if not, why is among the errors.
fn deletes(directory: &SnapshotDirectory, name: RelPath, disposal: &mut Disposal) -> bool {
    let mut errors = remove_all(directory, slice::from_ref(&directory.path(name)));
    disposal.errors.append(&mut errors);
    disposal.errors.is_empty()
}

/// Makes durable what was deleted so far. Whether it is; if not, why is among the errors.
fn are_durable(directory: &SnapshotDirectory, options: &DisposeOptions, disposal: &mut Disposal) -> bool {
    if options.durability == Durability::None {
        return true;
    }
    // All files lie in one directory.
    let synced = directory.file_system.sync_removed(&[directory.path(layout::metadata_file())]);
    disposal.errors.extend(not_synced(directory, synced));
    disposal.errors.is_empty()
}

fn not_synced(directory: &SnapshotDirectory, synced: Result<()>) -> Option<Error> {
    let source = synced.err()?;
    let kind = source.kind();
    Some(DisposeError::NotSynced { pointer: directory.pointer.clone(), source }.of_kind(kind))
}

/// Says what would be deleted and what would stay.
fn plan(directory: &SnapshotDirectory, owned: &OwnedFiles, disposal: &mut Disposal) -> Result<()> {
    let of_ours = |name: &RelPath| name.as_str().parse::<FileName>().is_ok_and(|name| owned.contains(name));
    let last = [layout::METADATA_FILE, SavepointMark::FILE_NAME, DisposalMark::FILE_NAME];
    let (mut planned, mut at_last) = (Vec::new(), Vec::new());
    for entry in left_over(directory)? {
        match directory.name_of(&entry.path) {
            Some(name) if of_ours(&name) => planned.push(name),
            Some(name) if last.contains(&name.as_str()) => at_last.push(name),
            _ => disposal.kept.push(unknown(directory, entry)),
        }
    }
    at_last.sort_by_key(|name| last.iter().position(|last| name.as_str() == *last));
    planned.append(&mut at_last);
    disposal.planned = Some(planned);
    Ok(())
}

/// What lies in the directory.
fn left_over(directory: &SnapshotDirectory) -> Result<Vec<Entry>> {
    let mut all: Vec<Entry> = Vec::new();
    loop {
        let after = all.last().map(|entry| entry.path.clone());
        let page = directory.file_system.list(directory.below(), after.as_ref(), PAGE).map_err(|source| {
            let kind = source.kind();
            DisposeError::NotListed { pointer: directory.pointer.clone(), source }.of_kind(kind)
        })?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

fn unknown(directory: &SnapshotDirectory, entry: Entry) -> Kept {
    let path = directory.name_of(&entry.path).unwrap_or(entry.path);
    Kept::Unknown { path, length_bytes: entry.length_bytes }
}

#[cfg(test)]
mod crash_test;
#[cfg(test)]
mod dispose_test;
#[cfg(test)]
mod hostile_test;
#[cfg(test)]
mod needed_test;
#[cfg(test)]
mod race_test;
#[cfg(test)]
mod refusal_test;
#[cfg(test)]
pub(crate) mod support_test;
