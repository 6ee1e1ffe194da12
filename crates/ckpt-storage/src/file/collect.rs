//! Deleting what nothing names any more.
//!
//! The order is the same everywhere: HEAD stops naming a snapshot first, which the type [`RemovedSnapshot`] proves; then
//! its state goes; then its `_metadata`; its directory goes with the last file. So a crash at any step leaves something
//! that the same call takes up again, and never a `_metadata` in HEAD whose state is gone. Only files whose names have a
//! form of ours are deleted.

use std::collections::BTreeSet;
use std::sync::Arc;

use ckpt_core::head::{Head, Orphans, RemovedSnapshot, TaskOwnedFiles};
use ckpt_core::id::{CheckpointId, FileName};
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::shared::EndedWriters;
use ckpt_core::state::RelPath;
use ckpt_core::{Error, ErrorKind, Result};
use ckpt_streams::file_system::{Entry, FileVisitor};

use crate::error::StorageError;
use crate::file::job_directory::JobDirectory;
use crate::layout::{self, OurFile};

/// Deletes the shared files `dead_shared`.
///
/// # Errors
///
/// `Retry`, naming the first that could not be deleted.
pub(crate) fn remove_shared(directory: &JobDirectory, dead_shared: &[FileName]) -> Result<()> {
    let paths: Vec<_> = dead_shared.iter().map(|name| layout::shared_path(*name)).collect();
    directory.delete(&paths).1.map_or(Ok(()), Err)
}

/// Deletes `dead_shared` and everything of our form in the directory of a removed snapshot. `elsewhere` is what became of the
/// files elsewhere that it names.
///
/// # Errors
///
/// `Retry`, naming the first that could not be deleted, or the error of `elsewhere`; then its `_metadata` is still there, which
/// alone says which files those are.
pub(crate) fn remove(
    directory: &JobDirectory,
    removed: &RemovedSnapshot,
    dead_shared: &[FileName],
    elsewhere: Result<()>,
) -> Result<()> {
    let shared = remove_shared(directory, dead_shared);
    let state = delete_state(directory, removed.snapshot().id);
    shared.and(state).and(elsewhere).and_then(|()| delete_metadata(directory, removed.snapshot().id))
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
    let is_state = |path: &RelPath| matches!(OurFile::parse(path), Some(OurFile::Exclusive(..)));
    directory.delete_where(&layout::checkpoint_directory(id), &is_state).map(|_| ())
}

fn delete_metadata(directory: &JobDirectory, id: CheckpointId) -> Result<()> {
    match directory.delete(&[layout::metadata_path(id)]) {
        (_, None) => Ok(()),
        (_, Some(error)) => Err(error),
    }
}

/// Deletes what leaders before the one of `claimed` left behind and nothing names: checkpoints that `claimed` neither
/// retains nor lists as removed, and shared files that none of `retained` names, nor what was set aside.
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
    let of_job = retained.iter().map(|metadata| metadata.summary()).filter(|summary| summary.job == job);
    let given: BTreeSet<_> = of_job.map(|summary| (summary.identity.id, summary.identity.epoch)).collect();
    // What lies elsewhere names no file here.
    let mut here = claimed.retained.iter().filter(|snapshot| snapshot.uri().is_none());
    if let Some(snapshot) = here.find(|snapshot| !given.contains(&(snapshot.id, snapshot.epoch))) {
        let error = StorageError::RetainedUnknown { job, id: snapshot.id };
        return Err(error.kind(ErrorKind::FailJob));
    }
    let mut alive = BTreeSet::<FileName>::new();
    for metadata in retained {
        alive.append(&mut metadata.shared_files()?);
    }
    // What is kept as evidence is kept as far as it can be read: that it cannot may be why it was set aside.
    for snapshot in claimed.set_aside.iter().filter(|snapshot| snapshot.uri().is_none()) {
        match directory.metadata_file(snapshot.id).and_then(|file| file.read_retained(job, snapshot)) {
            Ok(metadata) => alive.append(&mut metadata.shared_files()?),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Corrupt) => {}
            Err(error) => return Err(error),
        }
    }
    let orphans = Orphans::new(claimed, alive);
    let shared = delete_shared(directory, &|name| orphans.contains_shared(name));
    let checkpoints = collect_checkpoints(directory, &orphans);
    // A leader that died while it looked whether these directories can be made leaves what goes with that name.
    let probes = [layout::shared_directory(), layout::task_owned_directory()].map(|there| layout::probe_in(&there));
    let probes = directory.delete(&probes).1.map_or(Ok(()), Err);
    let deleted = shared? + checkpoints?;
    probes.map(|()| deleted)
}

/// Deletes the shared files that writers have left which have ended.
///
/// # Errors
///
/// `Retry` when something could not be listed or deleted; everything else was tried.
pub(crate) fn collect_ended(directory: &JobDirectory, ended: &EndedWriters) -> Result<u64> {
    delete_shared(directory, &|name| ended.has_left(name))
}

/// Deletes the files that the tasks of a job managed which needs them no more.
///
/// # Errors
///
/// `FailJob` when they are of another job; `Retry` when something could not be listed or deleted: everything else was tried.
pub(crate) fn remove_task_owned(directory: &JobDirectory, files: &TaskOwnedFiles) -> Result<u64> {
    if files.job() != directory.job {
        let error = StorageError::HeadOfAnotherJob { found: files.job(), expected: directory.job };
        return Err(error.kind(ErrorKind::FailJob));
    }
    let is_dead = |path: &RelPath| path.file_name().parse().is_ok_and(|name| files.contains(name));
    directory.delete_where(&layout::task_owned_directory(), &is_dead)
}

fn delete_shared(directory: &JobDirectory, dead: &dyn Fn(FileName) -> bool) -> Result<u64> {
    let is_dead = |path: &RelPath| matches!(OurFile::parse(path), Some(OurFile::Shared(name)) if dead(name));
    directory.delete_where(&layout::shared_directory(), &is_dead)
}

/// Deletes the orphans in the directories of checkpoints, one after the other: nothing is kept of those that were looked at.
fn collect_checkpoints(directory: &JobDirectory, orphans: &Orphans) -> Result<u64> {
    let mut sweep = Sweep { directory, orphans, has_metadata: false, deleted: 0, first: None };
    directory.visit(None, &mut sweep)?;
    sweep.first.map_or(Ok(sweep.deleted), Err)
}

struct Sweep<'a> {
    directory: &'a JobDirectory,
    orphans: &'a Orphans,
    /// Whether the checkpoint that is looked at was published.
    has_metadata: bool,
    deleted: u64,
    /// The first that could not be deleted.
    first: Option<Error>,
}

impl FileVisitor for Sweep<'_> {
    fn enters(&mut self, directory: &RelPath) -> bool {
        self.has_metadata = false;
        layout::parse_checkpoint_directory(directory.as_str()).is_some_and(|id| !self.orphans.lists(id))
    }

    fn files(&mut self, files: Vec<Entry>) {
        let mut paths: Vec<_> = files.into_iter().map(|entry| entry.path).collect();
        paths.retain(|path| match OurFile::parse(path) {
            Some(OurFile::Exclusive(id, name)) => self.orphans.contains_state(id, name),
            Some(OurFile::Metadata(_)) => {
                self.has_metadata = true;
                false
            }
            _ => false,
        });
        self.deleted += self.delete(&paths);
    }

    fn left(&mut self, directory: &RelPath) {
        let Some(id) = layout::parse_checkpoint_directory(directory.as_str()) else { return };
        let metadata = [layout::metadata_path(id)];
        if self.has_metadata {
            if self.is_of_former(id) {
                self.deleted += self.delete(&metadata);
            }
        } else if self.orphans.contains_begun(id) {
            // A leader that died while it published leaves what the file system clears away with the name it was to get.
            self.delete(&metadata);
        }
    }
}

impl Sweep<'_> {
    /// Whose `_metadata` is says only what is in it. One that cannot be read is none that we know.
    fn is_of_former(&self, id: CheckpointId) -> bool {
        let summary = self.directory.metadata_file(id).and_then(|file| file.summary());
        summary.is_ok_and(|summary| {
            let identity = &summary.identity;
            let is_of_job = summary.job == self.directory.job && identity.id == id;
            is_of_job && self.orphans.contains_metadata(id, identity.epoch)
        })
    }

    fn delete(&mut self, paths: &[RelPath]) -> u64 {
        let (deleted, error) = self.directory.delete(paths);
        self.first = self.first.take().or(error);
        deleted
    }
}

#[cfg(test)]
#[path = "collect_test.rs"]
mod collect_test;
