//! Which jobs have checkpoints in a directory.

use ckpt_core::Result;
use ckpt_core::id::JobId;
use ckpt_core::uri::StoragePath;

use crate::context::StorageContext;
use crate::error::StorageError;
use crate::file::directory::Directory;
use crate::layout;

/// The jobs that have a HEAD below `base`, in the order of their ids. With it an engine tells its user that a directory
/// holds the checkpoints of another job.
///
/// # Errors
///
/// `Configuration` when `base` is no directory for checkpoints, `Retry` when it could not be listed. A directory that
/// does not exist has no jobs.
pub fn jobs_in(base: &str, context: &StorageContext) -> Result<Vec<JobId>> {
    let base = Directory::of(&StoragePath::from(base))?;
    let not_listed = |source| StorageError::NotListed { path: base.to_string(), source }.retry();
    let file_system = context.file_systems.open(base.as_str())?;
    let mut jobs = Vec::new();
    for directory in file_system.directories(None).map_err(not_listed)? {
        let Ok(job) = directory.as_str().parse::<JobId>() else { continue };
        if !file_system.list(Some(&layout::head_directory_of(job)), None, 1).map_err(not_listed)?.is_empty() {
            jobs.push(job);
        }
    }
    Ok(jobs)
}
