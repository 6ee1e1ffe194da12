//! Every file, whatever their number.

use ckpt_core::Result;
use ckpt_core::state::RelPath;

use crate::file_system::{Entry, FileSystem};

/// How many files are shown, or asked for, at once.
pub(crate) const PAGE: usize = 1000;

/// Who is shown the files of a [`FileSystem::visit`]. It may remove what it is shown.
pub trait FileVisitor {
    /// Whether the files below that directory are to be shown. It may have none.
    fn enters(&mut self, directory: &RelPath) -> bool;

    /// Some of the files that lie directly in one directory.
    fn files(&mut self, files: Vec<Entry>);

    /// All that lies below a directory which was entered has been shown. Nothing is said of the one that the visit is of.
    fn left(&mut self, directory: &RelPath) {
        let _ = directory;
    }
}

/// The last path that may lie below a directory, if it comes behind `path`.
pub(super) fn last_below(directory: &RelPath, path: &RelPath) -> Option<RelPath> {
    RelPath::new(format!("{directory}/{}", char::MAX)).ok().filter(|last| last > path)
}

/// Whether a path lies below a directory.
fn is_below(path: &RelPath, directory: &RelPath) -> bool {
    path.as_str().strip_prefix(directory.as_str()).is_some_and(|rest| rest.starts_with('/'))
}

/// A visit by lists, page by page.
pub(super) fn by_list(
    file_system: &(impl FileSystem + ?Sized),
    prefix: Option<&RelPath>,
    visitor: &mut dyn FileVisitor,
) -> Result<()> {
    let mut visit = Visit { visitor, entered: Vec::new(), passed_by: None, files: Vec::new() };
    let mut after = None;
    loop {
        let page = file_system.list(prefix, after.as_ref(), PAGE)?;
        let Some(last) = page.last().map(|entry| entry.path.clone()) else { break };
        for entry in page {
            visit.show(entry, prefix);
        }
        visit.flush();
        // Nothing more is asked of a directory that is not looked into.
        let passed_by = visit.passed_by.as_ref().filter(|directory| is_below(&last, directory));
        after = Some(passed_by.and_then(|directory| last_below(directory, &last)).unwrap_or(last));
    }
    while visit.leave() {}
    Ok(())
}

struct Visit<'a> {
    visitor: &'a mut dyn FileVisitor,
    /// The directories on the way to what is shown, below the one that the visit is of.
    entered: Vec<RelPath>,
    /// The one that was not entered last.
    passed_by: Option<RelPath>,
    /// Of the last directory on the way.
    files: Vec<Entry>,
}

impl Visit<'_> {
    fn show(&mut self, entry: Entry, prefix: Option<&RelPath>) {
        let path = &entry.path;
        if self.passed_by.as_ref().is_some_and(|directory| is_below(path, directory)) {
            return;
        }
        while self.entered.last().is_some_and(|directory| !is_below(path, directory)) {
            self.leave();
        }
        let begins = self.entered.last().or(prefix).map_or(0, |directory| directory.as_str().len() + "/".len());
        let slashes = path.as_str().char_indices().skip_while(|(at, _)| *at < begins);
        for (at, _) in slashes.filter(|(_, character)| *character == '/') {
            // What comes before a separator of a path is one.
            let Ok(directory) = RelPath::new(&path.as_str()[..at]) else { return };
            self.flush();
            if !self.visitor.enters(&directory) {
                self.passed_by = Some(directory);
                return;
            }
            self.entered.push(directory);
        }
        self.files.push(entry);
    }

    /// Leaves the last directory on the way. Whether there was any.
    fn leave(&mut self) -> bool {
        self.flush();
        let left = self.entered.pop();
        left.iter().for_each(|directory| self.visitor.left(directory));
        left.is_some()
    }

    fn flush(&mut self) {
        if !self.files.is_empty() {
            self.visitor.files(std::mem::take(&mut self.files));
        }
    }
}
