//! Deleting the files of a snapshot, side by side.

use std::ops::Range;
use std::sync::Arc;

use ckpt_core::Error;
use ckpt_core::id::FileName;
use ckpt_core::state::RelPath;
use ckpt_streams::{Spawn, fan_out};

use crate::dispose::disposal::FileCount;
use crate::dispose::error::DisposeError;
use crate::dispose::owned::OwnedFiles;
use crate::dispose::place::SnapshotDirectory;

/// How many files are deleted by one call of the file system.
const BATCH: usize = 512;

/// What became of files that were to be deleted.
#[derive(Debug, Default)]
pub(super) struct Removed {
    pub(super) gone: FileCount,
    pub(super) errors: Vec<Error>,
}

/// Deletes the files on up to `parallelism` threads. An error keeps none of the others from being tried.
pub(super) fn remove_owned(
    directory: &Arc<SnapshotDirectory>,
    owned: &Arc<OwnedFiles>,
    parallelism: usize,
    spawn: &dyn Spawn,
) -> Removed {
    let all = owned.files().len();
    let batches: Vec<Range<usize>> = (0..all).step_by(BATCH).map(|first| first..all.min(first + BATCH)).collect();
    let work = {
        let (directory, owned) = (Arc::clone(directory), Arc::clone(owned));
        move |batch: Range<usize>| remove_batch(&directory, owned.files().get(batch).unwrap_or_default())
    };
    let helpers = parallelism.saturating_sub(1);
    let mut removed = Removed::default();
    for (batch, outcome) in batches.iter().zip(fan_out(spawn, "delete state files", helpers, batches.clone(), work)) {
        match outcome {
            Some(mut of_batch) => {
                removed.gone += of_batch.gone;
                removed.errors.append(&mut of_batch.errors);
            }
            None => {
                let error = DisposeError::Panicked { pointer: directory.pointer.clone(), files: batch.len() };
                removed.errors.push(error.retry());
            }
        }
    }
    removed
}

/// Deletes those files of the directory. What went wrong, if anything.
pub(crate) fn remove_all(directory: &SnapshotDirectory, paths: &[RelPath]) -> Vec<Error> {
    answers(directory, paths).flatten().collect()
}

fn remove_batch(directory: &SnapshotDirectory, files: &[(FileName, u64)]) -> Removed {
    let paths: Vec<RelPath> = files.iter().map(|(name, _)| directory.path(RelPath::from(name))).collect();
    let mut removed = Removed::default();
    for ((_, bytes), error) in files.iter().zip(answers(directory, &paths)) {
        match error {
            Some(error) => removed.errors.push(error),
            None => removed.gone += FileCount { files: 1, bytes: *bytes },
        }
    }
    removed
}

/// Deletes those files. What went wrong with each.
fn answers<'a>(
    directory: &'a SnapshotDirectory,
    paths: &'a [RelPath],
) -> impl Iterator<Item = Option<Error>> + use<'a> {
    let mut answers = directory.file_system.remove(paths).into_iter();
    paths.iter().map(move |path| match answers.next() {
        Some(Ok(())) => None,
        Some(Err(source)) => {
            let kind = source.kind();
            Some(DisposeError::NotDeleted { path: directory.shown(path), source }.of_kind(kind))
        }
        // One that says less than it was asked.
        None => Some(DisposeError::NotAnswered { path: directory.shown(path) }.retry()),
    })
}
