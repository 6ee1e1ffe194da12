//! The local file system.
//!
//! * `system`: the calls that all of it is made of; `posix`: those of the real system;
//! * `beneath`: paths that cannot leave the root; `root`: opening and making it;
//! * `writer`: files that are new, whole and synced; `durable`: when their names are;
//! * `file`: reading; `duplicate`: copies, cheap where that is possible;
//! * `record`: compare-and-swap by links; `list` and `entries`: listing and removing; `unlisted`: what is no file.

mod beneath;
mod duplicate;
mod durable;
mod entries;
mod error;
mod file;
mod list;
mod posix;
mod record;
mod root;
pub(crate) mod system;
mod unlisted;
mod visit;
mod writer;

#[cfg(all(test, not(ckpt_loom)))]
mod local_test;
#[cfg(all(test, ckpt_loom))]
mod record_models_test;
#[cfg(all(test, not(ckpt_loom)))]
mod record_test;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use ckpt_core::state::RelPath;
use ckpt_core::{ErrorKind, Result};
use parking_lot::Mutex;
use rustix::fs::FileType;
use rustix::io::{Errno, retry_on_intr};

use crate::file_system::local::beneath::Beneath;
use crate::file_system::local::error::LocalError;
use crate::file_system::local::file::LocalFile;
use crate::file_system::local::posix::Posix;
use crate::file_system::local::record::Record;
use crate::file_system::local::system::System;
use crate::file_system::local::writer::LocalWriter;
use crate::file_system::{
    Capabilities, CasOutcome, Durability, Entry, Expect, FileSystem, FileVisitor, FileWriter, ReadAt, VersionTag,
    Visible,
};

/// A directory of the local (or a shared POSIX) file system.
///
/// Directories are made with mode 0700 and files with 0600, whatever the umask. No symbolic link below the root is
/// followed. A record has a directory of its own.
///
/// What never replaces is a hard link, so there must be such links. A state file is duplicated without copying its bytes:
/// by sharing them (reflink) where the file system can, or else by a second name.
///
/// On a file system that machines share (NFS):
///
/// * A handle that the server no longer knows (`ESTALE`) is an error like any other: `Retry` of what is read,
///   `AbortCheckpoint` of what is written, whose file is dead. Files are opened by their names again each time, so the next
///   one finds what is there.
/// * A link whose answer is lost is told by what it has made, and a close that fails loses its file.
/// * Names and bytes are never changed once others may look, so what a client has cached of them is at worst absent, and
///   `Retry` or `NotFound`. An old version of a record that is read so never lets a write happen: the server refuses its
///   name. But a writer also looks whether its version was declared dead while it slept, and that look must not come from
///   a cache: mount the directory of records with `lookupcache=none` and `noac`, or let one machine serve them.
#[derive(Debug)]
pub struct LocalFileSystem {
    system: Arc<dyn System>,
    path: PathBuf,
    /// Empty until the root is there.
    root: OnceLock<Arc<Beneath>>,
    /// Held while the root is looked for and made: before it has its mode, the umask may lock even its owner out.
    making: Mutex<()>,
}

impl LocalFileSystem {
    /// The name that a file was to have which its writer left under another one, unpublished; `None` for any other name.
    pub fn unpublished_name(name: &str) -> Option<&str> {
        writer::final_name_of(name)
    }

    /// Opens a directory as the root. One that is missing is made, mode 0700, together with the first file in it.
    ///
    /// # Errors
    ///
    /// `Configuration` when it is no directory or may not be opened, `Retry` when that cannot be told now.
    pub fn open(root: impl AsRef<Path>) -> Result<Self> {
        Self::open_on(Arc::new(Posix), root.as_ref())
    }

    /// The system that this process runs on.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn system() -> Arc<dyn System> {
        Arc::new(Posix)
    }

    /// The same on that system.
    pub(crate) fn open_on(system: Arc<dyn System>, root: &Path) -> Result<Self> {
        let local = Self { system, path: root.to_owned(), root: OnceLock::new(), making: Mutex::new(()) };
        local.existing().map_err(|error| {
            let kind = if error.passes() { ErrorKind::Retry } else { ErrorKind::Configuration };
            error.of_kind(kind)
        })?;
        Ok(local)
    }

    /// The same where the system resolves no whole paths (before Linux 5.6): one component at a time.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn by_components(self) -> Self {
        if let Some(root) = self.root.get() {
            root.resolve_by_component();
        }
        self
    }

    /// The root if it is there.
    fn existing(&self) -> Result<Option<&Arc<Beneath>>, LocalError> {
        if self.root.get().is_none() {
            let _making = self.making.lock();
            self.find()?;
        }
        Ok(self.root.get())
    }

    /// The root, made if it is missing.
    fn made(&self) -> Result<&Arc<Beneath>, LocalError> {
        if let Some(root) = self.root.get() {
            return Ok(root);
        }
        let _making = self.making.lock();
        self.find()?;
        match self.root.get() {
            Some(root) => Ok(root),
            None => {
                let made = Arc::new(root::make(&self.system, &self.path)?);
                Ok(self.root.get_or_init(|| made))
            }
        }
    }

    /// Opens the root if it is there and was not opened yet.
    fn find(&self) -> Result<(), LocalError> {
        if self.root.get().is_none() {
            if let Some(opened) = root::open(&self.system, &self.path)? {
                let _ = self.root.set(Arc::new(opened));
            }
        }
        Ok(())
    }
}

impl FileSystem for LocalFileSystem {
    fn create_new(&self, path: &RelPath, visible: Visible) -> Result<Box<dyn FileWriter>> {
        let abort = |error: LocalError| error.of_kind(ErrorKind::AbortCheckpoint);
        let root = self.made().map_err(abort)?;
        Ok(Box::new(LocalWriter::create(Arc::clone(root), path, visible).map_err(abort)?))
    }

    fn open(&self, path: &RelPath) -> Result<Box<dyn ReadAt>> {
        let shown = || self.path.join(path.as_str());
        let missing = || LocalError::Missing { path: shown() }.of_kind(ErrorKind::NotFound);
        let retry = |error: Errno| LocalError::io("open", shown(), error).of_kind(ErrorKind::Retry);
        let root = self.existing().map_err(|error| error.of_kind(ErrorKind::Retry))?.ok_or_else(missing)?;
        let file = match root.open_file(path) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Err(missing()),
            // A link, or a socket.
            Err(Errno::LOOP | Errno::NXIO) => {
                return Err(LocalError::NotAFile { path: shown() }.of_kind(ErrorKind::Corrupt));
            }
            Err(error) => return Err(retry(error)),
        };
        let found = retry_on_intr(|| file.status()).map_err(retry)?;
        if found.kind != FileType::RegularFile {
            return Err(LocalError::NotAFile { path: shown() }.of_kind(ErrorKind::Corrupt));
        }
        Ok(Box::new(LocalFile::new(file, shown(), found.length_bytes)))
    }

    fn duplicate(&self, from: &RelPath, to: &RelPath, durability: Durability) -> CasOutcome {
        match self.made() {
            Ok(made) => made.duplicate(from, to, durability),
            Err(error) => CasOutcome::Failed(error.of_kind(ErrorKind::AbortCheckpoint)),
        }
    }

    fn sync_entries(&self, written: &[RelPath]) -> Result<()> {
        if written.is_empty() {
            return Ok(());
        }
        self.made()
            .and_then(|root| root.sync_directories(written.iter().map(RelPath::parent).collect()))
            .map_err(|error| error.of_kind(ErrorKind::AbortCheckpoint))
    }

    fn read_record(&self, path: &RelPath) -> Result<Option<(Bytes, VersionTag)>> {
        match self.existing().map_err(|error| error.of_kind(ErrorKind::Retry))? {
            Some(root) => Record::new(root, path).read(),
            None => Ok(None),
        }
    }

    fn put_record(&self, path: &RelPath, body: Bytes, expect: Expect<'_>) -> CasOutcome {
        match self.made() {
            Ok(root) => Record::new(root, path).put(&body, expect),
            Err(error) => CasOutcome::Failed(error.of_kind(ErrorKind::Retry)),
        }
    }

    fn list(&self, prefix: Option<&RelPath>, after: Option<&RelPath>, limit: usize) -> Result<Vec<Entry>> {
        let listed = self.existing().and_then(|root| match root {
            Some(root) => root.list(prefix, after, limit),
            None => Ok(Vec::new()),
        });
        listed.map_err(|error| error.of_kind(ErrorKind::Retry))
    }

    /// Reads each directory once, and holds a descriptor for each on the way to what is shown. A file is shown where the
    /// system names it; one that it passes over while others are removed is found by the next visit.
    fn visit(&self, prefix: Option<&RelPath>, visitor: &mut dyn FileVisitor) -> Result<()> {
        let visited = self.existing().and_then(|root| root.map_or(Ok(()), |root| root.visit(prefix, visitor)));
        visited.map_err(|error| error.of_kind(ErrorKind::Retry))
    }

    fn directories(&self, prefix: Option<&RelPath>) -> Result<Vec<RelPath>> {
        let found =
            self.existing().and_then(|root| root.map_or_else(|| Ok(Vec::new()), |root| root.directories(prefix)));
        found.map_err(|error| error.of_kind(ErrorKind::Retry))
    }

    fn unlisted(&self, prefix: Option<&RelPath>, limit: usize) -> Result<Vec<String>> {
        let found =
            self.existing().and_then(|root| root.map_or_else(|| Ok(Vec::new()), |root| root.unlisted(prefix, limit)));
        found.map_err(|error| error.of_kind(ErrorKind::Retry))
    }

    fn remove(&self, paths: &[RelPath]) -> Vec<Result<()>> {
        match self.existing() {
            Ok(Some(root)) => root.remove(paths),
            Ok(None) => paths.iter().map(|_| Ok(())).collect(),
            Err(_) => paths
                .iter()
                .map(|_| self.existing().map(|_| ()).map_err(|error| error.of_kind(ErrorKind::Retry)))
                .collect(),
        }
    }

    fn sync_removed(&self, removed: &[RelPath]) -> Result<()> {
        let synced = self.existing().and_then(|root| match root {
            Some(root) => root.sync_removed(removed.iter().map(RelPath::parent).collect()),
            None => Ok(()),
        });
        synced.map_err(|error| error.of_kind(ErrorKind::Retry))
    }

    fn make_directory(&self, directory: &RelPath) -> Result<bool> {
        let failed = |error| LocalError::io("make directory", self.path.join(directory.as_str()), error);
        let made = self.made().and_then(|root| root.make_new_directory(directory).map_err(failed));
        made.map_err(|error| error.of_kind(ErrorKind::AbortCheckpoint))
    }

    fn open_root(&self, directory: &RelPath) -> Result<Option<Arc<dyn FileSystem>>> {
        let path = self.path.join(directory.as_str());
        let missing = || LocalError::Missing { path: path.clone() }.of_kind(ErrorKind::NotFound);
        let root = self.existing().map_err(|error| error.of_kind(ErrorKind::Retry))?.ok_or_else(missing)?;
        let root = match root.root_at(directory) {
            Ok(root) => OnceLock::from(Arc::new(root)),
            Err(Errno::NOENT) => return Err(missing()),
            Err(Errno::LOOP | Errno::NOTDIR) => {
                return Err(LocalError::NotADirectory { path }.of_kind(ErrorKind::Corrupt));
            }
            Err(error) => return Err(LocalError::io("open", path, error).of_kind(ErrorKind::Retry)),
        };
        Ok(Some(Arc::new(Self { system: Arc::clone(&self.system), path, root, making: Mutex::new(()) })))
    }

    fn shown(&self, path: &RelPath) -> String {
        self.path.join(path.as_str()).display().to_string()
    }

    fn capabilities(&self) -> Capabilities {
        // As far as it is known: looking makes nothing, so that only a copy tells.
        let cheap_duplicate = self.root.get().is_none_or(|root| root.duplicates_cheaply());
        Capabilities { cheap_duplicate, compare_and_swap: true }
    }
}
