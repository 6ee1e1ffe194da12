//! Whether a HEAD that is not there was lost.

use ckpt_core::{ErrorKind, Result};
use ckpt_streams::file_system::FileSystem;

use crate::error::StorageError;
use crate::layout;

/// Refuses to begin a job where a completed checkpoint lies: HEAD is written before the first one, so it was there. Epochs and
/// numbers would begin again, the job from nothing, and what it had completed would be deleted in time as an orphan.
///
/// # Errors
///
/// `Corrupt`, naming the newest checkpoint; `Retry` when it cannot be told.
pub(super) fn refuse_lost_head(file_system: &dyn FileSystem, shown: &str) -> Result<()> {
    let cannot_tell = |source| StorageError::LostHeadNotLookedFor { path: shown.to_owned(), source }.retry();
    let directories = file_system.directories(None).map_err(cannot_tell)?;
    let mut ids: Vec<_> =
        directories.iter().filter_map(|directory| layout::parse_checkpoint_directory(directory.file_name())).collect();
    ids.sort_unstable();
    for id in ids.into_iter().rev() {
        match file_system.open(&layout::metadata_path(id)) {
            Ok(_) => return Err(StorageError::HeadLost { path: shown.to_owned(), newest: id }.corrupt()),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(cannot_tell(error)),
        }
    }
    Ok(())
}
