//! A directory that was opened once, and everything beneath it.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use ckpt_core::state::RelPath;
use parking_lot::Mutex;
use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, Result};

use crate::file_system::local::durable::KnownDurable;

/// The root, opened once. Every path is resolved beneath it and through no symbolic link, so nobody who can write below
/// the root can lead us out of it.
#[derive(Debug)]
pub(super) struct Beneath {
    root: OwnedFd,
    /// For messages, and to sync the directory that the root is in.
    path: PathBuf,
    /// Whether the kernel resolves whole paths so (`openat2`, Linux 5.6). Otherwise it goes one component at a time.
    resolves_whole_paths: AtomicBool,
    /// Directories whose own entries were synced.
    pub(super) durable: Mutex<KnownDurable>,
}

/// Owner only.
const DIRECTORY_MODE: Mode = Mode::RWXU;
const FILE_MODE: Mode = Mode::RUSR.union(Mode::WUSR);

impl Beneath {
    /// How often a directory is made again that somebody else removes because it is empty.
    pub(super) const ATTEMPTS: u32 = 64;

    pub(super) fn new(root: File, path: PathBuf) -> Self {
        let durable = Mutex::new(KnownDurable::default());
        Self { root: root.into(), path, resolves_whole_paths: AtomicBool::new(cfg!(target_os = "linux")), durable }
    }

    /// The whole path of a file, for messages.
    pub(super) fn shown(&self, path: Option<&RelPath>) -> PathBuf {
        path.map_or_else(|| self.path.clone(), |path| self.path.join(path.as_str()))
    }

    pub(super) fn root_path(&self) -> &Path {
        &self.path
    }

    /// Opens a file for reading.
    pub(super) fn open_file(&self, path: &RelPath) -> Result<File> {
        // Non-blocking, so that a pipe in the place of a file is refused and not waited for.
        self.resolve(path, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty()).map(File::from)
    }

    /// Opens a directory; the root for `None`.
    pub(super) fn open_directory(&self, path: Option<&RelPath>) -> Result<File> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        match path {
            Some(path) => self.resolve(path, flags, Mode::empty()),
            None => open_component(self.root.as_fd(), ".", flags, Mode::empty()),
        }
        .map(File::from)
    }

    /// Makes a file that does not exist, and the directories it is in.
    pub(super) fn create_file(&self, path: &RelPath) -> Result<File> {
        let mut attempts = 0;
        let file = loop {
            match self.resolve(path, OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL, FILE_MODE) {
                Err(Errno::NOENT) if attempts < Self::ATTEMPTS => {
                    attempts += 1;
                    match self.make_directories(path.parent().as_ref()) {
                        // Somebody removed one, empty as it was, before the next was in it.
                        Ok(()) | Err(Errno::NOENT) => {}
                        Err(error) => return Err(error),
                    }
                }
                outcome => break outcome?,
            }
        };
        // The mode at creation was narrowed by the umask.
        if let Err(error) = rustix::fs::fchmod(&file, FILE_MODE) {
            let _ = self.unlink(path);
            return Err(error);
        }
        Ok(file.into())
    }

    /// Makes a directory and those above it that are missing.
    pub(super) fn make_directories(&self, path: Option<&RelPath>) -> Result<()> {
        let Some(path) = path else { return Ok(()) };
        let mut parent = None;
        let mut above: Option<String> = None;
        for component in path.components() {
            let at = parent.as_ref().map_or(self.root.as_fd(), OwnedFd::as_fd);
            let whole = above.map_or_else(|| component.to_owned(), |above| format!("{above}/{component}"));
            let made = match rustix::fs::mkdirat(at, component, DIRECTORY_MODE) {
                Ok(()) => true,
                Err(Errno::EXIST) => false,
                Err(error) => return Err(error),
            };
            let directory = open_component(at, component, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())?;
            if made {
                rustix::fs::fchmod(&directory, DIRECTORY_MODE)?;
                self.durable.lock().forget(&whole);
            }
            parent = Some(directory);
            above = Some(whole);
        }
        Ok(())
    }

    /// Removes a name, following no link.
    pub(super) fn unlink(&self, path: &RelPath) -> Result<()> {
        let directory = self.open_directory(path.parent().as_ref())?;
        rustix::fs::unlinkat(&directory, path.file_name(), rustix::fs::AtFlags::empty())
    }

    fn resolve(&self, path: &RelPath, flags: OFlags, mode: Mode) -> Result<OwnedFd> {
        if self.resolves_whole_paths.load(Ordering::Relaxed) {
            match resolve_whole(self.root.as_fd(), path, flags, mode) {
                Err(Errno::NOSYS) => self.resolves_whole_paths.store(false, Ordering::Relaxed),
                // A sandbox may refuse the call as such: then the other way says whether it is about the file.
                Err(Errno::PERM) => {}
                outcome => return outcome,
            }
        }
        resolve_by_component(self.root.as_fd(), path, flags, mode)
    }
}

#[cfg(target_os = "linux")]
fn resolve_whole(root: BorrowedFd<'_>, path: &RelPath, flags: OFlags, mode: Mode) -> Result<OwnedFd> {
    use rustix::fs::ResolveFlags;
    loop {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        match rustix::fs::openat2(root, path.as_str(), flags, mode, resolve) {
            // `AGAIN` says that a rename elsewhere made the kernel unsure.
            Err(Errno::INTR | Errno::AGAIN) => {}
            outcome => return outcome,
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn resolve_whole(_root: BorrowedFd<'_>, _path: &RelPath, _flags: OFlags, _mode: Mode) -> Result<OwnedFd> {
    Err(Errno::NOSYS)
}

/// The same without help of the kernel: no component of a [`RelPath`] leads upwards, and none may be a link.
fn resolve_by_component(root: BorrowedFd<'_>, path: &RelPath, flags: OFlags, mode: Mode) -> Result<OwnedFd> {
    let mut directory = None;
    if let Some(parent) = path.parent() {
        for component in parent.components() {
            let at = directory.as_ref().map_or(root, OwnedFd::as_fd);
            directory = Some(open_component(at, component, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())?);
        }
    }
    open_component(directory.as_ref().map_or(root, OwnedFd::as_fd), path.file_name(), flags, mode)
}

fn open_component(at: BorrowedFd<'_>, component: &str, flags: OFlags, mode: Mode) -> Result<OwnedFd> {
    loop {
        match rustix::fs::openat(at, component, flags | OFlags::NOFOLLOW | OFlags::CLOEXEC, mode) {
            Err(Errno::INTR) => {}
            outcome => return outcome,
        }
    }
}

#[cfg(all(test, not(ckpt_loom)))]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_resolving_refuse_links_and_agree() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().join("root");
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        std::fs::write(root.join("a/b/file"), "x").unwrap();
        std::fs::write(scratch.path().join("outside"), "x").unwrap();
        std::os::unix::fs::symlink(scratch.path(), root.join("out")).unwrap();
        std::os::unix::fs::symlink(root.join("a/b/file"), root.join("a/link")).unwrap();
        let beneath = Beneath::new(File::open(&root).unwrap(), root);
        for whole in [true, false] {
            beneath.resolves_whole_paths.store(whole, Ordering::Relaxed);
            let open = |path: &str| beneath.open_file(&RelPath::new(path).unwrap()).map(drop);
            assert_eq!(open("a/b/file"), Ok(()));
            assert_eq!(open("a/b/none"), Err(Errno::NOENT));
            assert!(matches!(open("out/outside"), Err(Errno::LOOP | Errno::NOTDIR)), "{whole}");
            assert_eq!(open("a/link"), Err(Errno::LOOP), "{whole}");
            assert!(beneath.create_file(&RelPath::new("out/new").unwrap()).is_err());
        }
        assert!(!scratch.path().join("new").exists());
    }
}
