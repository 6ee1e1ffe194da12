//! Marks beside a snapshot, as files.

use std::sync::Arc;

use bytes::Bytes;
use ckpt_core::mark;
use ckpt_core::state::RelPath;
use ckpt_core::{Error, ErrorKind, Result};
use ckpt_streams::file_system::{Durability, FileSystem, ReadAt};
use ckpt_streams::{MetadataTarget, into_error};

/// The mark of that name; `None` when there is none. Of one that is too long only as much that this is told.
///
/// # Errors
///
/// The kind that the file system gives.
pub(crate) fn read(file_system: &dyn FileSystem, path: &RelPath) -> Result<Option<Bytes>> {
    let file = match file_system.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    beginning_of(&*file).map(Some)
}

/// As much of a file as tells whether it is a mark.
///
/// # Errors
///
/// `Retry` when it could not be read.
pub(crate) fn beginning_of(file: &dyn ReadAt) -> Result<Bytes> {
    let most_bytes = mark::MAX_BYTES + 1;
    let length = usize::try_from(file.length_bytes()).unwrap_or(most_bytes).min(most_bytes);
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, 0).map_err(|error| into_error(error, ErrorKind::Retry))?;
    Ok(bytes.into())
}

/// Creates a mark, whole and durable as `durability` says. Returns the mark that is there now: this one, or that of whoever
/// was first, whose name is durable then as well.
///
/// # Errors
///
/// The kind that the file system gives.
pub(crate) fn create(
    file_system: &Arc<dyn FileSystem>,
    path: &RelPath,
    mark: Bytes,
    durability: Durability,
) -> Result<Bytes> {
    let target = MetadataTarget::new(Arc::clone(file_system), path.clone(), durability);
    let written: Result<(), Error> =
        target.publish(&mut |out| out.write_all(&mark).map_err(|error| into_error(error, ErrorKind::AbortCheckpoint)));
    match written {
        Ok(()) => Ok(mark),
        Err(error) => match read(&**file_system, path)? {
            Some(found) if found != mark => {
                keep(&**file_system, path, durability)?;
                Ok(found)
            }
            _ => Err(error),
        },
    }
}

/// Makes the name of a mark durable that was found: whoever created it may have died before it was.
///
/// # Errors
///
/// The kind that the file system gives.
pub(crate) fn keep(file_system: &dyn FileSystem, path: &RelPath, durability: Durability) -> Result<()> {
    match durability {
        Durability::None => Ok(()),
        _ => file_system.sync_entries(std::slice::from_ref(path)),
    }
}
