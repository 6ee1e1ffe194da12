//! Many files at once.

use ckpt_core::state::RelPath;
use ckpt_core::{Error, Result};
use ckpt_streams::file_system::{Entry, FileSystem, FileVisitor};

use crate::error::StorageError;

/// How many files a removal takes at once.
const PAGE: usize = 1000;

/// Removes the files that lie directly in `directory` and of which `dead` is true, whatever their number. Returns how many
/// answers were good.
///
/// # Errors
///
/// `Retry` when they could not be listed, or naming the first that could not be removed: the others were tried.
pub(crate) fn delete_where(
    file_system: &dyn FileSystem,
    directory: &RelPath,
    dead: &dyn Fn(&RelPath) -> bool,
    shown: &dyn Fn(&RelPath) -> String,
) -> Result<u64> {
    let (mut deleted, mut first) = (0, None);
    visit_in(file_system, directory, &|| shown(directory), &mut |page| {
        let paths: Vec<_> = page.into_iter().map(|entry| entry.path).filter(dead).collect();
        let (count, error) = delete(file_system, &paths, shown);
        deleted += count;
        first = first.take().or(error);
    })?;
    first.map_or(Ok(deleted), Err)
}

/// Calls `each` with the files that lie directly in `directory`, some at a time.
///
/// # Errors
///
/// `Retry` when they could not be listed; `shown` is what was.
pub(crate) fn visit_in(
    file_system: &dyn FileSystem,
    directory: &RelPath,
    shown: &dyn Fn() -> String,
    each: &mut dyn FnMut(Vec<Entry>),
) -> Result<()> {
    visit(file_system, Some(directory), shown, &mut DirectlyIn(each))
}

struct DirectlyIn<'a>(&'a mut dyn FnMut(Vec<Entry>));

impl FileVisitor for DirectlyIn<'_> {
    fn enters(&mut self, _: &RelPath) -> bool {
        false
    }

    fn files(&mut self, files: Vec<Entry>) {
        (self.0)(files);
    }
}

/// Shows `visitor` the files below `prefix`, or below the root.
///
/// # Errors
///
/// `Retry` when they could not be listed; `shown` is what was.
pub(crate) fn visit(
    file_system: &dyn FileSystem,
    prefix: Option<&RelPath>,
    shown: &dyn Fn() -> String,
    visitor: &mut dyn FileVisitor,
) -> Result<()> {
    let visited = file_system.visit(prefix, visitor);
    visited.map_err(|source| StorageError::NotListed { path: shown(), source }.retry())
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
