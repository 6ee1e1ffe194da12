//! Finding the checkpoint that a user's pointer names.

use std::sync::Arc;

use ckpt_core::id::CheckpointId;
use ckpt_core::state::{RelPath, Root};
use ckpt_core::{ErrorKind, Result};
use ckpt_streams::StateDirectory;

use crate::completed::CompletedLocation;
use crate::context::StorageContext;
use crate::error::StorageError;
use crate::file::metadata::MetadataFile;
use crate::file::pointer::Pointed;
use crate::layout;

/// Finds the checkpoint that a pointer names: a directory with a `_metadata`, or such a file itself, by a relative path,
/// an absolute one or a URI.
///
/// # Errors
///
/// A message of its own for each way to be wrong: `Configuration` for a pointer that is none or whose file system is not
/// accessible, `NotFound` when nothing is there, `Corrupt` when it is no metadata.
pub(crate) fn resolve(pointer: &str, context: &StorageContext) -> Result<CompletedLocation> {
    let pointed = Pointed::find(pointer, context)?;
    let file_system = &pointed.file_system;
    let shown = file_system.shown(&pointed.metadata_path);
    let metadata = match MetadataFile::open(&**file_system, &pointed.metadata_path, shown) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(StorageError::PointerWithoutMetadata { pointer: pointed.written }.kind(ErrorKind::NotFound));
        }
        opened => opened?.read()?,
    };
    let own = StateDirectory::new(Root::ThisSnapshot, Arc::clone(file_system), pointed.directory.clone());
    let job_roots =
        pointed.directory.as_ref().and_then(checkpoint_named).map(|_| {
            [(Root::JobShared, layout::shared_directory()), (Root::JobTaskOwned, layout::task_owned_directory())]
        });
    let mut found = CompletedLocation::new(pointed.pointer, Arc::new(metadata))
        .with_root(own)
        .with_metadata_path(pointed.metadata_path)
        .with_file_systems(Arc::clone(&context.file_systems));
    for (root, directory) in job_roots.into_iter().flatten() {
        found = found.with_root(StateDirectory::new(root, Arc::clone(file_system), Some(directory)));
    }
    Ok(found)
}

/// The number of the checkpoint as whose directory this is named.
fn checkpoint_named(directory: &RelPath) -> Option<CheckpointId> {
    layout::parse_checkpoint_directory(directory.as_str())
}
