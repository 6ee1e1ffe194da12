//! A directory that was opened once, and everything beneath it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ckpt_core::state::RelPath;
use parking_lot::Mutex;
use rustix::io::{Errno, Result, retry_on_intr};

use crate::file_system::local::durable::KnownDurable;
use crate::file_system::local::system::{Descriptor, Kind, Open, System};

/// The root, opened once. Every path is resolved beneath it and through no symbolic link, so nobody who can write below
/// the root can lead us out of it.
#[derive(Debug)]
pub(super) struct Beneath {
    pub(super) system: Arc<dyn System>,
    root: Box<dyn Descriptor>,
    /// Given up when no descriptor is left to remove a name with, which takes one: what fails then is to leave nothing.
    /// Opened by the first that makes or removes a name, so that who only reads does not hold it.
    spare: OnceLock<Mutex<Option<Box<dyn Descriptor>>>>,
    /// For messages, and to sync the directory that the root is in.
    path: PathBuf,
    /// Whether the system resolves whole paths so (`openat2`, Linux 5.6). Otherwise it goes one component at a time.
    resolves_whole_paths: AtomicBool,
    /// Whether files may share their bytes here; `false` once that was refused.
    pub(super) clones: AtomicBool,
    /// Whether a file may have several names here; `false` once that was refused.
    pub(super) links: AtomicBool,
    /// Held while a directory is made: before it has its mode, the umask may lock even its owner out.
    making: Mutex<()>,
    /// Directories whose own entries were synced.
    pub(super) durable: Mutex<KnownDurable>,
}

impl Beneath {
    /// How often a directory is made again that somebody else removes because it is empty, and how often a path is
    /// resolved again on which somebody else makes or renames a directory.
    pub(super) const ATTEMPTS: u32 = 64;

    /// How often a path that may not be opened is resolved again as soon as no thread of ours makes a directory.
    const ATTEMPTS_OF_THREADS: u32 = 4;

    pub(super) fn new(system: Arc<dyn System>, root: Box<dyn Descriptor>, path: PathBuf) -> Self {
        Self {
            system,
            root,
            spare: OnceLock::new(),
            path,
            resolves_whole_paths: AtomicBool::new(true),
            clones: AtomicBool::new(true),
            links: AtomicBool::new(true),
            making: Mutex::new(()),
            durable: Mutex::new(KnownDurable::default()),
        }
    }

    /// The directory below it as a root of its own, on the same system.
    pub(super) fn root_at(&self, directory: &RelPath) -> Result<Self> {
        let opened = self.open_directory(Some(directory))?;
        let root = Self::new(Arc::clone(&self.system), opened, self.shown(Some(directory)));
        root.resolves_whole_paths.store(self.resolves_whole_paths.load(Ordering::Relaxed), Ordering::Relaxed);
        Ok(root)
    }

    /// From here on goes one component at a time, as where the system resolves no whole paths.
    #[cfg(any(test, feature = "testing"))]
    pub(super) fn resolve_by_component(&self) {
        self.resolves_whole_paths.store(false, Ordering::Relaxed);
    }

    /// The whole path of a file, for messages.
    pub(super) fn shown(&self, path: Option<&RelPath>) -> PathBuf {
        path.map_or_else(|| self.path.clone(), |path| self.path.join(path.as_str()))
    }

    pub(super) fn root_path(&self) -> &Path {
        &self.path
    }

    /// Opens a file for reading.
    pub(super) fn open_file(&self, path: &RelPath) -> Result<Box<dyn Descriptor>> {
        self.resolve(path, Open::File)
    }

    /// Opens a directory; the root for `None`.
    pub(super) fn open_directory(&self, path: Option<&RelPath>) -> Result<Box<dyn Descriptor>> {
        match path {
            Some(path) => self.resolve(path, Open::Directory),
            None => open_at(&*self.root, ".", Open::Directory),
        }
    }

    fn spare(&self) -> &Mutex<Option<Box<dyn Descriptor>>> {
        // Without it, it goes on as long as there are descriptors.
        self.spare.get_or_init(|| Mutex::new(open_at(&*self.root, ".", Open::Directory).ok()))
    }

    /// Makes a file that does not exist, and the directories it is in.
    pub(super) fn create_file(&self, path: &RelPath) -> Result<Box<dyn Descriptor>> {
        // While there are descriptors: it may be removed when there are none.
        let _ = self.spare();
        let mut attempts = 0;
        let file = loop {
            match self.resolve(path, Open::NewFile) {
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
        if let Err(error) = retry_on_intr(|| file.set_mode(Kind::File)) {
            let _ = self.unlink(path);
            return Err(error);
        }
        Ok(file)
    }

    /// Makes a directory and those above it that are missing.
    pub(super) fn make_directories(&self, path: Option<&RelPath>) -> Result<()> {
        let Some(path) = path else { return Ok(()) };
        let _making = self.making.lock();
        let mut parent: Option<Box<dyn Descriptor>> = None;
        let mut above: Option<String> = None;
        for component in path.components() {
            let at = parent.as_deref().unwrap_or(&*self.root);
            let whole = above.map_or_else(|| component.to_owned(), |above| format!("{above}/{component}"));
            let directory = match self.make_directory_at(at, component, &whole)? {
                Some(made) => made,
                None => patiently(|| at.open_at(component, Open::Directory))?,
            };
            parent = Some(directory);
            above = Some(whole);
        }
        Ok(())
    }

    /// Makes a directory and those above it that are missing; `false` when anything has its name already.
    pub(super) fn make_new_directory(&self, path: &RelPath) -> Result<bool> {
        let parent = path.parent();
        let mut attempts = 0;
        let parent = loop {
            self.make_directories(parent.as_ref())?;
            match self.open_directory(parent.as_ref()) {
                // Somebody removed it, empty as it was.
                Err(Errno::NOENT) if attempts < Self::ATTEMPTS => attempts += 1,
                opened => break opened?,
            }
        };
        let _making = self.making.lock();
        Ok(self.make_directory_at(&*parent, path.file_name(), path.as_str())?.is_some())
    }

    /// Makes one directory, whose path is `whole`; `None` when anything has its name already. `making` is held.
    fn make_directory_at(&self, at: &dyn Descriptor, name: &str, whole: &str) -> Result<Option<Box<dyn Descriptor>>> {
        match patiently(|| at.make_directory_at(name)) {
            Ok(()) => {}
            Err(Errno::EXIST) => return Ok(None),
            Err(error) => return Err(error),
        }
        // An entry that was durable was that of another directory.
        self.durable.lock().forget(whole);
        give_to_owner(at, name).map(Some).inspect_err(|_| {
            // Nobody could use it.
            let _ = at.unlink_at(name, Kind::Directory);
        })
    }

    /// Removes a name, following no link.
    pub(super) fn unlink(&self, path: &RelPath) -> Result<()> {
        let _ = self.spare();
        let Some(parent) = path.parent() else {
            return retry_on_intr(|| self.root.unlink_at(path.file_name(), Kind::File));
        };
        let unlink =
            |directory: Box<dyn Descriptor>| retry_on_intr(|| directory.unlink_at(path.file_name(), Kind::File));
        match self.open_directory(Some(&parent)) {
            Err(Errno::MFILE | Errno::NFILE) => {
                // One after the other: there is one descriptor for all.
                let mut spare = self.spare().lock();
                drop(spare.take());
                let outcome = self.open_directory(Some(&parent)).and_then(unlink);
                *spare = open_at(&*self.root, ".", Open::Directory).ok();
                outcome
            }
            directory => unlink(directory?),
        }
    }

    fn resolve(&self, path: &RelPath, open: Open) -> Result<Box<dyn Descriptor>> {
        for _ in 0..Self::ATTEMPTS_OF_THREADS {
            match self.try_resolve(path, open) {
                // Perhaps another thread is making a directory on the way.
                Err(Errno::ACCESS) => drop(self.making.lock()),
                outcome => return outcome,
            }
        }
        patiently(|| self.try_resolve(path, open))
    }

    fn try_resolve(&self, path: &RelPath, open: Open) -> Result<Box<dyn Descriptor>> {
        let mut attempts = 0;
        while self.resolves_whole_paths.load(Ordering::Relaxed) {
            match self.root.open_beneath(path, open) {
                Err(Errno::NOSYS) => self.resolves_whole_paths.store(false, Ordering::Relaxed),
                // A sandbox may refuse the call as such: then the other way says whether it is about the file.
                Err(Errno::PERM) => break,
                Err(Errno::INTR) => {}
                // A rename elsewhere made the system unsure.
                Err(Errno::AGAIN) if attempts < Self::ATTEMPTS => attempts += 1,
                outcome => return outcome,
            }
        }
        resolve_by_component(&*self.root, path, open)
    }
}

/// Calls again while it is refused, for a while: perhaps another process is making a directory on the way, and has yet to
/// give it to its owner.
pub(super) fn patiently<T>(mut call: impl FnMut() -> Result<T>) -> Result<T> {
    for _ in 0..Beneath::ATTEMPTS {
        match retry_on_intr(&mut call) {
            Err(Errno::ACCESS) => std::thread::sleep(Duration::from_millis(1)),
            outcome => return outcome,
        }
    }
    retry_on_intr(call)
}

/// Opens a directory that was just made, with the mode that it must have: that at creation was narrowed by the umask.
fn give_to_owner(at: &dyn Descriptor, name: &str) -> Result<Box<dyn Descriptor>> {
    let directory = match open_at(at, name, Open::Directory) {
        // So narrow that not even its owner may open it.
        Err(Errno::ACCESS) => {
            retry_on_intr(|| at.set_directory_mode_at(name))?;
            open_at(at, name, Open::Directory)?
        }
        opened => opened?,
    };
    retry_on_intr(|| directory.set_mode(Kind::Directory))?;
    Ok(directory)
}

/// The same without help of the system: no component of a [`RelPath`] leads upwards, and none may be a link.
fn resolve_by_component(root: &dyn Descriptor, path: &RelPath, open: Open) -> Result<Box<dyn Descriptor>> {
    let mut directory: Option<Box<dyn Descriptor>> = None;
    if let Some(parent) = path.parent() {
        for component in parent.components() {
            let at = directory.as_deref().unwrap_or(root);
            directory = Some(open_at(at, component, Open::Directory)?);
        }
    }
    open_at(directory.as_deref().unwrap_or(root), path.file_name(), open)
}

fn open_at(at: &dyn Descriptor, component: &str, open: Open) -> Result<Box<dyn Descriptor>> {
    retry_on_intr(|| at.open_at(component, open))
}

#[cfg(all(test, not(ckpt_loom)))]
mod tests {
    use super::*;
    use crate::file_system::local::posix::Posix;

    #[test]
    fn both_ways_of_resolving_refuse_links_and_agree() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().join("root");
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        std::fs::write(root.join("a/b/file"), "x").unwrap();
        std::fs::write(scratch.path().join("outside"), "x").unwrap();
        std::os::unix::fs::symlink(scratch.path(), root.join("out")).unwrap();
        std::os::unix::fs::symlink(root.join("a/b/file"), root.join("a/link")).unwrap();
        let opened = Posix.open_directory(&root).unwrap();
        let beneath = Beneath::new(Arc::new(Posix), opened, root);
        for whole in [true, false] {
            if !whole {
                beneath.resolve_by_component();
            }
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
