//! Listing and removing local files.

use std::collections::{BTreeMap, BTreeSet};

use ckpt_core::id::FileName;
use ckpt_core::state::RelPath;
use ckpt_core::{ErrorKind, Result};
use rustix::fs::FileType;
use rustix::io::{Errno, retry_on_intr};

use crate::file_system::Entry;
use crate::file_system::local::beneath::Beneath;
use crate::file_system::local::error::LocalError;
use crate::file_system::local::system::Kind;
use crate::file_system::local::writer::final_name_of;

/// A name in a directory.
struct Named {
    path: RelPath,
    is_directory: bool,
}

impl Named {
    /// What all paths of files below it begin with. The paths of a whole tree are in order when the names of each
    /// directory are ordered by this.
    fn sort_key(&self) -> impl Iterator<Item = u8> {
        self.path.as_str().bytes().chain(self.is_directory.then_some(b'/'))
    }

    /// Whether nothing of it comes after that path.
    fn ends_before(&self, after: &RelPath) -> bool {
        if !self.is_directory {
            return self.path <= *after;
        }
        let is_within = after.as_str().strip_prefix(self.path.as_str()).is_some_and(|rest| rest.starts_with('/'));
        !is_within && self.sort_key().lt(after.as_str().bytes())
    }
}

/// What a path has before its last component.
fn directory_of(path: &RelPath) -> Option<&str> {
    path.as_str().rsplit_once('/').map(|(directory, _)| directory)
}

impl Beneath {
    /// Regular files below a directory in the order of their paths, one directory in memory at each level. Names that
    /// no [`RelPath`] can have are not ours and are left out.
    pub(super) fn list(
        &self,
        prefix: Option<&RelPath>,
        after: Option<&RelPath>,
        limit: usize,
    ) -> Result<Vec<Entry>, LocalError> {
        let mut found = Vec::new();
        // The next one to look at is last. Directories are replaced by what is in them.
        let mut ahead = self.names_in(prefix)?;
        while let Some(named) = ahead.pop() {
            if found.len() >= limit {
                break;
            }
            if after.is_some_and(|after| named.ends_before(after)) {
                continue;
            }
            if named.is_directory {
                ahead.extend(self.names_in(Some(&named.path))?);
            } else if let Some(length_bytes) = self.length_of(&named.path)? {
                found.push(Entry::new(named.path, length_bytes));
            }
        }
        Ok(found)
    }

    /// Files and directories in a directory, last first; none when it is not there.
    fn names_in(&self, directory: Option<&RelPath>) -> Result<Vec<Named>, LocalError> {
        let mut names = Vec::new();
        for (name, kind) in self.entries_of(directory)? {
            let is_directory = match kind {
                FileType::RegularFile => false,
                FileType::Directory => true,
                _ => continue,
            };
            // What may not begin a path may stand further in it.
            let whole = directory.map_or_else(|| name.clone(), |directory| format!("{directory}/{name}"));
            names.extend(RelPath::new(whole).ok().map(|path| Named { path, is_directory }));
        }
        names.sort_unstable_by(|a, b| b.sort_key().cmp(a.sort_key()));
        Ok(names)
    }

    /// Directories in a directory; none when it is not there.
    pub(super) fn directories(&self, directory: Option<&RelPath>) -> Result<Vec<RelPath>, LocalError> {
        let names = self.names_in(directory)?;
        let mut directories: Vec<_> =
            names.into_iter().filter(|named| named.is_directory).map(|named| named.path).collect();
        directories.sort_unstable();
        Ok(directories)
    }

    /// Everything that a directory holds, in no order; nothing when it is not there. Names that are not UTF-8 are left
    /// out.
    pub(super) fn entries_of(&self, directory: Option<&RelPath>) -> Result<Vec<(String, FileType)>, LocalError> {
        match self.try_entries_of(directory) {
            Err(Errno::NOENT) => Ok(Vec::new()),
            Err(Errno::NOTDIR | Errno::LOOP) => Err(LocalError::NotADirectory { path: self.shown(directory) }),
            entries => entries.map_err(|error| LocalError::io("list", self.shown(directory), error)),
        }
    }

    fn try_entries_of(&self, directory: Option<&RelPath>) -> Result<Vec<(String, FileType)>, Errno> {
        let opened = self.open_directory(directory)?;
        let mut entries = Vec::new();
        loop {
            let visited = opened.visit_entries(&mut |name, mut kind| {
                let Ok(name) = name.to_str() else { return Ok(()) };
                if kind == FileType::Unknown {
                    kind = match retry_on_intr(|| opened.status_at(name)) {
                        Ok(found) => found.kind,
                        Err(Errno::NOENT) => return Ok(()),
                        Err(error) => return Err(error),
                    };
                }
                entries.push((name.to_owned(), kind));
                Ok(())
            });
            match visited {
                // Goes on where it was interrupted.
                Err(Errno::INTR) => {}
                outcome => return outcome.map(|()| entries),
            }
        }
    }

    fn length_of(&self, path: &RelPath) -> Result<Option<u64>, LocalError> {
        let found = self
            .open_directory(path.parent().as_ref())
            .and_then(|directory| retry_on_intr(|| directory.status_at(path.file_name())));
        match found {
            Ok(found) => Ok(Some(found.length_bytes)),
            // Removed since it was listed.
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(LocalError::io("look at", self.shown(Some(path)), error)),
        }
    }

    /// Removes files, and directories that are empty then.
    pub(super) fn remove(&self, paths: &[RelPath]) -> Vec<Result<()>> {
        let mut outcomes = Vec::with_capacity(paths.len());
        let mut touched: BTreeMap<Option<RelPath>, BTreeSet<&str>> = BTreeMap::new();
        for run in paths.chunk_by(|one, next| directory_of(one) == directory_of(next)) {
            let mut names = None;
            self.unlink_all(run, &mut |path, unlinked| {
                let outcome = match unlinked {
                    Ok(()) | Err(Errno::NOENT) => Ok(()),
                    Err(error) => Err(LocalError::io("remove", self.shown(Some(path)), error)),
                };
                if outcome.is_ok() {
                    let names = names.get_or_insert_with(BTreeSet::new);
                    // State files have their final names at once, and there are many of them: nobody looks beside them.
                    if path.file_name().parse::<FileName>().is_err() {
                        names.insert(path.file_name());
                    }
                }
                outcomes.push(outcome.map_err(|error| error.of_kind(ErrorKind::Retry)));
            });
            if let (Some(mut names), Some(first)) = (names, run.first()) {
                touched.entry(first.parent()).or_default().append(&mut names);
            }
        }
        // Deepest first, as far as a path sorts after its own beginning. A directory that stays is harmless, so what
        // keeps it is no error of the files that are gone.
        for (directory, names) in touched.iter().rev() {
            let is_gone = || directory.as_ref().is_some_and(|directory| self.remove_directory(directory));
            if !is_gone() && !names.is_empty() && self.remove_temporaries(directory.as_ref(), names) {
                is_gone();
            }
        }
        outcomes
    }

    /// Removes the names of files that are in one directory, which is opened once.
    fn unlink_all<'a>(&self, paths: &'a [RelPath], ended: &mut dyn FnMut(&'a RelPath, Result<(), Errno>)) {
        let parent = match paths {
            [_, _, ..] => paths.first().and_then(RelPath::parent),
            // One is opened and closed again all the same.
            _ => None,
        };
        let Some(parent) = parent else {
            return paths.iter().for_each(|path| ended(path, self.unlink(path)));
        };
        match self.open_directory(Some(&parent)) {
            Ok(directory) => {
                let unlink = |path: &RelPath| retry_on_intr(|| directory.unlink_at(path.file_name(), Kind::File));
                paths.iter().for_each(|path| ended(path, unlink(path)));
            }
            // Each knows what to give up for it.
            Err(Errno::MFILE | Errno::NFILE) => paths.iter().for_each(|path| ended(path, self.unlink(path))),
            Err(error) => paths.iter().for_each(|path| ended(path, Err(error))),
        }
    }

    /// Removes a directory if it is empty, and then those above. Whether it is gone.
    pub(super) fn remove_directory(&self, directory: &RelPath) -> bool {
        let mut gone = false;
        let mut next = Some(directory.clone());
        while let Some(directory) = next {
            let parent = directory.parent();
            let removed = self
                .open_directory(parent.as_ref())
                .and_then(|above| retry_on_intr(|| above.unlink_at(directory.file_name(), Kind::Directory)));
            match removed {
                Ok(()) | Err(Errno::NOENT) => self.durable.lock().forget(directory.as_str()),
                Err(_) => break,
            }
            gone = true;
            next = parent;
        }
        gone
    }

    /// Removes what interrupted writers left beside those names. Whether there was any.
    fn remove_temporaries(&self, directory: Option<&RelPath>, names: &BTreeSet<&str>) -> bool {
        let Ok(entries) = self.entries_of(directory) else { return false };
        let mut any = false;
        for (name, _) in entries {
            if final_name_of(&name).is_some_and(|name| names.contains(name)) {
                if let Ok(name) = RelPath::new(name) {
                    let path = directory.map_or_else(|| name.clone(), |directory| directory.join(&name));
                    any |= self.unlink(&path).is_ok();
                }
            }
        }
        any
    }
}
