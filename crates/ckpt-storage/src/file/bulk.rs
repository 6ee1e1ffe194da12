//! Files by the page.

use ckpt_core::state::RelPath;
use ckpt_core::{Error, Result};
use ckpt_streams::file_system::{Entry, FileSystem};

use crate::error::StorageError;

/// How many files a listing asks for, or a removal takes, at once.
const PAGE: usize = 1000;

/// Whether a listing goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Visit {
    /// With the next page.
    Continue,
    /// No further.
    Stop,
}

/// Calls `visit` with the files below `prefix`, or below the root, page by page in the order of their names, until it says
/// [`Visit::Stop`].
///
/// # Errors
///
/// `Retry` when a page could not be listed; `shown` is what was.
pub(crate) fn visit(
    file_system: &dyn FileSystem,
    prefix: Option<&RelPath>,
    shown: &dyn Fn() -> String,
    visit: &mut dyn FnMut(Vec<Entry>) -> Visit,
) -> Result<()> {
    let mut after: Option<RelPath> = None;
    loop {
        let page = file_system
            .list(prefix, after.as_ref(), PAGE)
            .map_err(|source| StorageError::NotListed { path: shown(), source }.retry())?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = Some(last.path.clone());
        if matches!(visit(page), Visit::Stop) {
            return Ok(());
        }
    }
}

/// Removes those files. Returns how many answers were good, and the first that was not.
pub(crate) fn delete(
    file_system: &dyn FileSystem,
    paths: &[RelPath],
    shown: &dyn Fn(&RelPath) -> String,
) -> (u64, Option<Error>) {
    let (mut deleted, mut first) = (0, None);
    for page in paths.chunks(PAGE) {
        for (path, answer) in page.iter().zip(file_system.remove(page)) {
            match answer {
                Ok(()) => deleted += 1,
                Err(source) => {
                    first.get_or_insert_with(|| StorageError::NotDeleted { path: shown(path), source }.retry());
                }
            }
        }
    }
    (deleted, first)
}
