//! Deleting what nothing names any more.
//!
//! The order is the same everywhere: HEAD stops naming a snapshot first, which the type [`RemovedSnapshot`] proves; then
//! its state goes; then its `_metadata`; its directory goes with the last file. So a crash at any step leaves something
//! that the same call takes up again, and never a `_metadata` in HEAD whose state is gone. Only files whose names have a
//! form of ours are deleted.

use std::collections::BTreeSet;
use std::sync::Arc;

use ckpt_core::head::{Head, Orphans, RemovedSnapshot};
use ckpt_core::id::{CheckpointId, FileName};
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::state::RelPath;
use ckpt_core::{ErrorKind, Result};

use crate::error::StorageError;
use crate::file::bulk::Visit;
use crate::file::job_directory::JobDirectory;
use crate::layout::{self, CHECKPOINT_DIRECTORY_PREFIX, OurFile};

/// Deletes the shared files `dead_shared`.
///
/// # Errors
///
/// `Retry`, naming the first that could not be deleted.
pub(crate) fn remove_shared(directory: &JobDirectory, dead_shared: &[FileName]) -> Result<()> {
    let paths: Vec<_> = dead_shared.iter().map(|name| layout::shared_path(*name)).collect();
    directory.delete(&paths).1.map_or(Ok(()), Err)
}

/// Deletes `dead_shared` and everything of our form in the directory of a removed snapshot.
///
/// # Errors
///
/// `Retry`, naming the first that could not be deleted; then its `_metadata` is still there.
pub(crate) fn remove(directory: &JobDirectory, removed: &RemovedSnapshot, dead_shared: &[FileName]) -> Result<()> {
    let shared = remove_shared(directory, dead_shared);
    let state = delete_state(directory, removed.snapshot().id);
    shared.and(state).and_then(|()| delete_metadata(directory, removed.snapshot().id))
}

/// Deletes everything of our form in the directory of a checkpoint, `_metadata` last.
///
/// # Errors
///
/// `Retry`, naming the first that could not be deleted; then its `_metadata` is still there.
pub(crate) fn delete_checkpoint(directory: &JobDirectory, id: CheckpointId) -> Result<()> {
    delete_state(directory, id)?;
    delete_metadata(directory, id)
}

fn delete_state(directory: &JobDirectory, id: CheckpointId) -> Result<()> {
    let state_of_any = |path: &RelPath| matches!(OurFile::parse(path), Some(OurFile::Exclusive(..)));
    delete_where(directory, Some(&layout::checkpoint_directory(id)), &mut { state_of_any }).map(|_| ())
}

fn delete_metadata(directory: &JobDirectory, id: CheckpointId) -> Result<()> {
    match directory.delete(&[layout::metadata_path(id)]) {
        (_, None) => Ok(()),
        (_, Some(error)) => Err(error),
    }
}

/// Deletes what leaders before the one of `claimed` left behind and nothing names: checkpoints that `claimed` neither
/// retains nor lists as removed, and shared files that none of `retained` names.
///
/// A leader of an epoch before `claimed` can commit nothing any more, so what HEAD did not name when it was claimed is
/// dead for ever, whoever still writes it. Files of the epoch of `claimed`, or of a higher one, are never touched.
///
/// # Errors
///
/// `FailJob` when the metadata of a retained checkpoint is missing from `retained`, or HEAD is of another job: nothing is deleted then, since it is
/// not known what is alive. `Retry` when something could not be listed or deleted; everything else was tried.
pub(crate) fn collect_orphans(
    directory: &JobDirectory,
    claimed: &Head,
    retained: &[Arc<CheckpointMetadata>],
) -> Result<u64> {
    let job = claimed.job;
    if job != directory.job {
        let error = StorageError::HeadOfAnotherJob { found: job, expected: directory.job };
        return Err(error.kind(ErrorKind::FailJob));
    }
    // What lies elsewhere names no file here.
    for snapshot in claimed.retained.iter().filter(|snapshot| snapshot.uri().is_none()) {
        let given = retained.iter().map(|metadata| metadata.summary()).any(|summary| {
            (summary.job, summary.identity.id, summary.identity.epoch) == (job, snapshot.id, snapshot.epoch)
        });
        if !given {
            let error = StorageError::RetainedUnknown { job, id: snapshot.id };
            return Err(error.kind(ErrorKind::FailJob));
        }
    }
    let mut alive = BTreeSet::<FileName>::new();
    for metadata in retained {
        alive.append(&mut metadata.shared_files()?);
    }
    let orphans = Orphans::new(claimed, alive);
    let dead_shared = |path: &RelPath| match OurFile::parse(path) {
        Some(OurFile::Shared(name)) => orphans.contains_shared(name),
        _ => false,
    };
    let shared = delete_where(directory, Some(&layout::shared_directory()), &mut { dead_shared });
    let checkpoints = collect_checkpoints(directory, &orphans);
    // A leader that died while it looked whether these directories can be made leaves what goes with that name.
    let probes = [layout::shared_directory(), layout::task_owned_directory()].map(|there| layout::probe_in(&there));
    let probes = directory.delete(&probes).1.map_or(Ok(()), Err);
    let deleted = shared? + checkpoints?;
    probes.map(|()| deleted)
}

fn collect_checkpoints(directory: &JobDirectory, orphans: &Orphans) -> Result<u64> {
    // What is known of each directory besides its state.
    let mut with_metadata = BTreeSet::new();
    let mut without_metadata = BTreeSet::new();
    let state = delete_where(directory, None, &mut |path| {
        let Some(id) = layout::checkpoint_of(path).filter(|id| !orphans.lists(*id)) else {
            return false;
        };
        match OurFile::parse(path) {
            Some(OurFile::Exclusive(_, name)) => {
                without_metadata.insert(id);
                return orphans.contains_state(id, name);
            }
            Some(OurFile::Metadata(_)) => with_metadata.insert(id),
            _ => without_metadata.insert(id),
        };
        false
    });
    // Whose `_metadata` is says only what is in it. One that cannot be read is none that we know.
    let of_former = |id: &CheckpointId| {
        let summary = directory.metadata_file(*id).and_then(|file| file.summary());
        summary.is_ok_and(|summary| {
            let identity = &summary.identity;
            summary.job == directory.job && identity.id == *id && orphans.contains_metadata(*id, identity.epoch)
        })
    };
    let paths: Vec<_> = with_metadata.iter().copied().filter(of_former).map(layout::metadata_path).collect();
    let (deleted, mut first) = directory.delete(&paths);
    // A leader that died while it published leaves what the file system clears away with the name it was to get.
    let begun = without_metadata.difference(&with_metadata).filter(|id| orphans.contains_begun(**id));
    let paths: Vec<_> = begun.copied().map(layout::metadata_path).collect();
    first = first.or(directory.delete(&paths).1);
    let state = state?;
    first.map_or(Ok(state + deleted), Err)
}

/// Deletes the files below `prefix`, or in all checkpoint directories, that `dead` says. Returns how many.
fn delete_where(
    directory: &JobDirectory,
    prefix: Option<&RelPath>,
    dead: &mut dyn FnMut(&RelPath) -> bool,
) -> Result<u64> {
    let (mut deleted, mut first) = (0, None);
    directory.visit(prefix, &mut |page| {
        let mut beyond = false;
        let paths: Vec<_> = page
            .into_iter()
            .map(|entry| entry.path)
            .inspect(|path| beyond |= prefix.is_none() && beyond_checkpoints(path))
            .filter(|path| dead(path))
            .collect();
        let (count, error) = directory.delete(&paths);
        deleted += count;
        if first.is_none() {
            first = error;
        }
        if beyond { Visit::Stop } else { Visit::Continue }
    })?;
    first.map_or(Ok(deleted), Err)
}

/// Whether a path, and so each after it, lies behind all checkpoint directories in the order of names.
fn beyond_checkpoints(path: &RelPath) -> bool {
    let text = path.as_str();
    !text.starts_with(CHECKPOINT_DIRECTORY_PREFIX) && text > CHECKPOINT_DIRECTORY_PREFIX
}

#[cfg(test)]
#[path = "collect_test.rs"]
mod collect_test;
