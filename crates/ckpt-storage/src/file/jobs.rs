//! Which jobs have checkpoints in a directory.

use ckpt_core::Result;
use ckpt_core::id::JobId;
use ckpt_core::state::RelPath;
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
    let mut after: Option<RelPath> = None;
    loop {
        let page = file_system.list(None, after.as_ref(), 1).map_err(not_listed)?;
        let Some(entry) = page.first() else {
            return Ok(jobs);
        };
        // At least one component, as every path.
        let first = entry.path.components().next().unwrap_or_default();
        if let Ok(job) = first.parse::<JobId>() {
            if !file_system.list(Some(&layout::head_directory_of(job)), None, 1).map_err(not_listed)?.is_empty() {
                jobs.push(job);
            }
        }
        // One file of each directory is enough: on to behind the last name that could be in it.
        after = match RelPath::new(format!("{first}/{}", char::MAX)) {
            Ok(last) if last > entry.path => Some(last),
            _ => Some(entry.path.clone()),
        };
    }
}
