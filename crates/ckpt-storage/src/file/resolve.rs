//! Finding the checkpoint that a user's pointer names.

use std::sync::Arc;

use ckpt_core::metadata::{CheckpointMetadata, MetadataSummary};
use ckpt_core::state::{RelPath, Root};
use ckpt_core::{ErrorKind, Result};
use ckpt_streams::StateDirectory;

use crate::completed::CompletedLocation;
use crate::context::StorageContext;
use crate::error::StorageError;
use crate::file::metadata::MetadataFile;
use crate::file::not_a_snapshot::not_a_snapshot;
use crate::file::pointer::Pointed;
use crate::layout;

/// Finds the checkpoint that a pointer names: a directory with a `_metadata`, or such a file itself, by a relative path,
/// an absolute one or a URI.
///
/// # Errors
///
/// A message of its own for each way to be wrong: `Configuration` for a pointer that is none, whose file system is not
/// accessible, or that leads to what others or newer programs wrote; `NotFound` when nothing is there, it is being
/// disposed of, or state lies where it was before it was moved; `Corrupt` when it is no metadata.
pub(crate) fn resolve(pointer: &str, context: &StorageContext) -> Result<CompletedLocation> {
    let (pointed, file) = snapshot_at(pointer, context)?;
    let metadata = file.read()?;
    let mut found = CompletedLocation::new(pointed.pointer.clone(), Arc::new(metadata))
        .with_metadata_path(pointed.metadata_path.clone())
        .with_file_systems(Arc::clone(&context.file_systems));
    for directory in roots_beside(&pointed, &found.metadata)? {
        found = found.with_root(directory);
    }
    Ok(found)
}

/// What is known of the snapshot that a pointer names without reading any of its state. Where that lies is not looked at.
///
/// # Errors
///
/// Those of [`resolve`], but for state that lies where it was before the snapshot was moved.
pub(crate) fn summarize(pointer: &str, context: &StorageContext) -> Result<MetadataSummary> {
    snapshot_at(pointer, context)?.1.summary()
}

/// Where a pointer leads, and the metadata there.
///
/// # Errors
///
/// Those of [`resolve`], as far as they can be told without reading the metadata.
pub(crate) fn snapshot_at(pointer: &str, context: &StorageContext) -> Result<(Pointed, MetadataFile)> {
    let pointed = Pointed::find(pointer, context)?;
    if let Some(mark) = pointed.disposal()? {
        let (pointer, began_at) = (pointed.written, mark.began_at);
        return Err(StorageError::PointerBeingDisposed { pointer, began_at }.kind(ErrorKind::NotFound));
    }
    match pointed.open_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => Err(not_a_snapshot(&pointed)),
        opened => Ok((pointed, opened?)),
    }
}

/// The snapshot's own directory, and those of its job if it names state there.
///
/// # Errors
///
/// `NotFound` when state lies where it was before the snapshot was moved.
pub(crate) fn roots_beside(pointed: &Pointed, metadata: &CheckpointMetadata) -> Result<Vec<StateDirectory>> {
    let here = |root, directory| StateDirectory::new(root, Arc::clone(&pointed.file_system), directory);
    let mut roots = vec![here(Root::ThisSnapshot, pointed.directory.clone())];
    if metadata.summary().self_contained {
        return Ok(roots);
    }
    for (root, directory) in
        [(Root::JobShared, layout::shared_directory()), (Root::JobTaskOwned, layout::task_owned_directory())]
    {
        let Some(file) = first_file_below(root, metadata)? else { continue };
        if let Some(missing) = missing_root(pointed, metadata, &directory, &file)? {
            let (identity, job) = (metadata.summary().identity, metadata.summary().job);
            let pointer = pointed.written.clone();
            return Err(
                StorageError::StateElsewhere { pointer, id: identity.id, job, root, missing }.kind(ErrorKind::NotFound)
            );
        }
        roots.push(here(root, Some(directory)));
    }
    Ok(roots)
}

/// A file that it names below that root.
fn first_file_below(wanted: Root, metadata: &CheckpointMetadata) -> Result<Option<RelPath>> {
    let mut first = None;
    metadata.visit_handles(&mut |handle| {
        if first.is_none() && handle.file().is_some_and(|(root, _)| root == wanted) {
            first = Some(handle.to_handle());
        }
    })?;
    let file = first.as_ref().and_then(|handle| handle.place().file());
    file.map(|(_, file)| RelPath::new(file.to_string())).transpose()
}

/// What tells that this is not where the snapshot was taken: a directory of its job does not lie beside its own.
///
/// One that was moved together with its job's directory is whole. A single file that is missing says nothing of where
/// the snapshot lies: whoever reads it is told.
fn missing_root(
    pointed: &Pointed,
    metadata: &CheckpointMetadata,
    directory: &RelPath,
    file: &RelPath,
) -> Result<Option<String>> {
    let (job, own) = (metadata.summary().job, layout::checkpoint_directory(metadata.summary().identity.id));
    if pointed.directory.as_ref() != Some(&own) {
        return Ok(Some(format!("it lies in no directory '{own}' beside '{directory}'")));
    }
    if let Some(other) = pointed.job_above().filter(|other| *other != job) {
        return Ok(Some(format!("it lies in the directory of job {other}")));
    }
    match pointed.file_system.open(&directory.join(file)) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        // Whatever is wrong with the file, the directory is there.
        _ => return Ok(None),
    }
    let below = pointed.file_system.list(Some(directory), None, 1).map_err(|error| pointed.not_accessible(error))?;
    let shown = pointed.show(directory);
    Ok(below.is_empty().then(|| format!("there is nothing in '{shown}'")))
}
