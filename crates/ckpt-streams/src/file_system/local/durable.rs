//! Which names are durable.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ckpt_core::state::RelPath;
use rustix::io::{Errno, retry_on_intr};

use crate::file_system::local::beneath::{Beneath, patiently};
use crate::file_system::local::error::LocalError;
use crate::file_system::local::system::{Descriptor, Identity, System};

/// Directories whose own entry, in the directory above, was synced by us.
///
/// A directory that was removed and made again, perhaps by another process, is another directory with an entry that
/// need not be durable. So each is remembered by what it is and not by its name alone.
#[derive(Debug, Default)]
pub(super) struct KnownDurable {
    directories: BTreeMap<String, Identity>,
    root: bool,
    /// Records in whose directory a sync failed, since when no name was added there by us. The system forgets what it could not
    /// write, so a sync that succeeds now says nothing of the names that were there then.
    doubtful_records: BTreeSet<String>,
}

impl KnownDurable {
    /// That directory was made anew.
    pub(super) fn forget(&mut self, path: &str) {
        self.directories.remove(path);
    }

    pub(super) fn is_doubtful(&self, record: &str) -> bool {
        self.doubtful_records.contains(record)
    }

    /// What a sync of that record's names came to.
    pub(super) fn record_synced<T, E>(&mut self, record: &str, outcome: &Result<T, E>) {
        match outcome {
            Ok(_) => self.doubtful_records.remove(record),
            Err(_) => self.doubtful_records.insert(record.to_owned()),
        };
    }

    #[cfg(all(test, not(ckpt_loom)))]
    pub(super) fn contains(&self, path: &str) -> bool {
        self.directories.contains_key(path)
    }
}

impl Beneath {
    /// Makes it durable that names of those directories are gone: each is synced once, or the closest above that is left.
    pub(super) fn sync_removed(&self, directories: BTreeSet<Option<RelPath>>) -> Result<(), LocalError> {
        let mut synced = BTreeSet::new();
        for directory in directories {
            let mut next = directory;
            let opened = loop {
                match self.open_directory(next.as_ref()) {
                    // It was empty, and went with the last name in it.
                    Err(Errno::NOENT) if next.is_some() => next = next.and_then(|gone| gone.parent()),
                    opened => break opened,
                }
            };
            if synced.insert(next.clone()) {
                opened
                    .and_then(|directory| retry_on_intr(|| directory.sync()))
                    .map_err(|error| LocalError::io("sync directory", self.shown(next.as_ref()), error))?;
            }
        }
        Ok(())
    }

    /// Syncs those directories once each, and the entry of every directory above up to one known to be durable.
    pub(super) fn sync_directories(&self, directories: BTreeSet<Option<RelPath>>) -> Result<(), LocalError> {
        let mut to_sync: BTreeMap<Option<RelPath>, Box<dyn Descriptor>> = BTreeMap::new();
        let mut newly_durable = Vec::new();
        for directory in directories {
            let mut next = Some(directory);
            // From the directory that holds new names upwards: the one above is synced when this one's own entry may
            // not be durable.
            while let Some(directory) = next.take() {
                if to_sync.contains_key(&directory) {
                    break;
                }
                let opened = self
                    .open_directory(directory.as_ref())
                    .map_err(|error| LocalError::io("open directory", self.shown(directory.as_ref()), error))?;
                if let Some(path) = &directory {
                    let identity = retry_on_intr(|| opened.identity())
                        .map_err(|error| LocalError::io("look at directory", self.shown(Some(path)), error))?;
                    if self.durable.lock().directories.get(path.as_str()) != Some(&identity) {
                        newly_durable.push((path.as_str().to_owned(), identity));
                        next = Some(path.parent());
                    }
                }
                to_sync.insert(directory, opened);
            }
        }
        // Children before parents: then an entry that survives is never of a directory whose content does not.
        for (path, directory) in to_sync.iter().rev() {
            retry_on_intr(|| directory.sync())
                .map_err(|error| LocalError::io("sync directory", self.shown(path.as_ref()), error))?;
        }
        if !self.durable.lock().root {
            sync_parent(&*self.system, self.root_path())?;
        }
        let mut durable = self.durable.lock();
        durable.root = true;
        durable.directories.extend(newly_durable);
        Ok(())
    }
}

/// Syncs the directory that `path` is in. One that we may not even read was not made by us just now, so its entries are
/// somebody else's matter.
pub(super) fn sync_parent(system: &dyn System, path: &Path) -> Result<(), LocalError> {
    let parent = match path.parent() {
        None => return Ok(()),
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
    };
    match patiently(|| system.open_directory(parent)) {
        Err(Errno::ACCESS | Errno::PERM) => Ok(()),
        opened => opened
            .and_then(|directory| retry_on_intr(|| directory.sync()))
            .map_err(|error| LocalError::io("sync directory", parent.to_owned(), error)),
    }
}
