//! A local file system whose calls of the system fail.

use std::ffi::CStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ckpt_core::Result;
use ckpt_core::state::RelPath;
use rustix::fs::FileType;
use rustix::io::Result as CallResult;

use crate::file_system::LocalFileSystem;
use crate::file_system::local::system::{Descriptor, Identity, Kind, Open, Raw, Status, System};
use crate::testing::disk::Disk;
use crate::testing::fault::{Burn, Fuse, Injection, Step, Watch};

/// Opens local file systems whose calls of the system fail as they are told, below the code that ships: see
/// [`sweep_faults`](crate::testing::sweep_faults).
///
/// A close that fails has closed. Removing a name works, unless that is what is to fail; it may need to open a directory,
/// which is a call of its own.
#[derive(Debug)]
pub struct FailingCalls {
    inner: Arc<dyn System>,
    fuse: Fuse,
}

#[derive(Debug)]
struct FailingSystem {
    inner: Arc<dyn System>,
    fuse: Fuse,
}

#[derive(Debug)]
struct FailingDescriptor {
    inner: Box<dyn Descriptor>,
    fuse: Fuse,
}

impl FailingCalls {
    /// Fails as it is told; the calls of all file systems that it opens count together.
    pub fn new(injection: Injection) -> Self {
        Self { inner: LocalFileSystem::system(), fuse: Fuse::new(injection) }
    }

    /// The same on a simulated disk.
    pub fn on(disk: &Disk, injection: Injection) -> Self {
        Self { inner: disk.calls(), fuse: Fuse::new(injection) }
    }

    /// Fails never, and calls `watch` before each call of the system, on the thread that makes it, with its name as of
    /// [`take_calls`](Self::take_calls): whatever `watch` does holds that call up.
    pub fn watched(watch: impl Fn(&'static str) + Send + Sync + 'static) -> Self {
        Self { inner: LocalFileSystem::system(), fuse: Fuse::watched(Watch(Arc::new(watch))) }
    }

    /// Opens a local file system.
    ///
    /// # Errors
    ///
    /// Those of [`LocalFileSystem::open`], which may be what is to fail.
    pub fn open(&self, root: impl AsRef<Path>) -> Result<LocalFileSystem> {
        let system = FailingSystem { inner: Arc::clone(&self.inner), fuse: self.fuse.clone() };
        LocalFileSystem::open_on(Arc::new(system), root.as_ref())
    }

    /// Lets everything work from here on, as after a repair.
    pub fn lift(&self) {
        self.fuse.lift();
    }

    /// How many calls there were so far that the fault meets.
    #[cfg(all(test, not(ckpt_loom)))]
    pub(crate) fn met(&self) -> u64 {
        self.fuse.met()
    }

    /// The calls of the system since this was asked the last time, in their order: `create` (a file or directory), `open`,
    /// `set mode`, `look`, `read`, `write`, `sync`, `link`, `remove` and `close`, as far as its answer is looked at.
    pub fn take_calls(&self) -> Vec<&'static str> {
        self.fuse.take_log().into_iter().map(Step::name).collect()
    }

    /// Whether the call came that was to fail.
    pub fn has_failed(&self) -> bool {
        self.fuse.has_burnt()
    }
}

impl Fuse {
    fn check(&self, step: Step) -> CallResult<()> {
        match self.burn(step) {
            Burn::Fails(errno) => Err(errno),
            Burn::Passes | Burn::Halves | Burn::FailsAfterwards(_) => Ok(()),
        }
    }

    fn check_open(&self, open: Open) -> CallResult<()> {
        self.check(match open {
            Open::NewFile => Step::Create,
            Open::File | Open::Directory => Step::Open,
        })
    }

    fn opened(&self, inner: CallResult<Box<dyn Descriptor>>) -> CallResult<Box<dyn Descriptor>> {
        Ok(Box::new(FailingDescriptor { inner: inner?, fuse: self.clone() }))
    }
}

impl System for FailingSystem {
    fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        self.inner.canonical(path)
    }

    fn open_directory(&self, path: &Path) -> CallResult<Box<dyn Descriptor>> {
        self.fuse.check(Step::Open)?;
        self.fuse.opened(self.inner.open_directory(path))
    }

    fn make_directory(&self, path: &Path) -> CallResult<()> {
        self.fuse.check(Step::Create)?;
        self.inner.make_directory(path)
    }

    fn set_directory_mode(&self, path: &Path) -> CallResult<()> {
        self.fuse.check(Step::SetMode)?;
        self.inner.set_directory_mode(path)
    }
}

impl Descriptor for FailingDescriptor {
    fn open_beneath(&self, path: &RelPath, open: Open) -> CallResult<Box<dyn Descriptor>> {
        self.fuse.check_open(open)?;
        self.fuse.opened(self.inner.open_beneath(path, open))
    }

    fn open_at(&self, name: &str, open: Open) -> CallResult<Box<dyn Descriptor>> {
        self.fuse.check_open(open)?;
        self.fuse.opened(self.inner.open_at(name, open))
    }

    fn make_directory_at(&self, name: &str) -> CallResult<()> {
        self.fuse.check(Step::Create)?;
        self.inner.make_directory_at(name)
    }

    fn set_directory_mode_at(&self, name: &str) -> CallResult<()> {
        self.fuse.check(Step::SetMode)?;
        self.inner.set_directory_mode_at(name)
    }

    fn link_at(&self, name: &str, to: &dyn Descriptor, new_name: &str) -> CallResult<()> {
        match self.fuse.burn(Step::Link) {
            Burn::Fails(errno) => Err(errno),
            Burn::FailsAfterwards(errno) => self.inner.link_at(name, to, new_name).and(Err(errno)),
            Burn::Passes | Burn::Halves => self.inner.link_at(name, to, new_name),
        }
    }

    fn unlink_at(&self, name: &str, kind: Kind) -> CallResult<()> {
        self.fuse.check(Step::Remove)?;
        self.inner.unlink_at(name, kind)
    }

    fn status_at(&self, name: &str) -> CallResult<Status> {
        self.fuse.check(Step::Look)?;
        self.inner.status_at(name)
    }

    fn visit_entries(&self, visit: &mut dyn FnMut(&CStr, FileType) -> CallResult<()>) -> CallResult<()> {
        self.fuse.check(Step::Look)?;
        self.inner.visit_entries(visit)
    }

    fn status(&self) -> CallResult<Status> {
        self.fuse.check(Step::Look)?;
        self.inner.status()
    }

    fn identity(&self) -> CallResult<Identity> {
        self.fuse.check(Step::Look)?;
        self.inner.identity()
    }

    fn set_mode(&self, kind: Kind) -> CallResult<()> {
        self.fuse.check(Step::SetMode)?;
        self.inner.set_mode(kind)
    }

    fn read_at(&self, buffer: &mut [u8], offset_bytes: u64) -> CallResult<usize> {
        match self.fuse.burn(Step::Read) {
            Burn::Passes | Burn::FailsAfterwards(_) => self.inner.read_at(buffer, offset_bytes),
            Burn::Halves => {
                let half = buffer.len().div_ceil(2);
                self.inner.read_at(&mut buffer[..half], offset_bytes)
            }
            Burn::Fails(errno) => Err(errno),
        }
    }

    fn write(&self, bytes: &[u8]) -> CallResult<usize> {
        match self.fuse.burn(Step::Write) {
            Burn::Passes | Burn::FailsAfterwards(_) => self.inner.write(bytes),
            Burn::Halves => self.inner.write(&bytes[..bytes.len().div_ceil(2)]),
            Burn::Fails(errno) => Err(errno),
        }
    }

    fn clone_from(&self, source: &dyn Descriptor) -> CallResult<()> {
        self.fuse.check(Step::Write)?;
        self.inner.clone_from(source)
    }

    fn copy_from(&self, source: &dyn Descriptor, length_bytes: usize) -> CallResult<usize> {
        match self.fuse.burn(Step::Write) {
            Burn::Passes | Burn::FailsAfterwards(_) => self.inner.copy_from(source, length_bytes),
            Burn::Halves => self.inner.copy_from(source, 1),
            Burn::Fails(errno) => Err(errno),
        }
    }

    fn begin_write_back(&self) {
        self.inner.begin_write_back();
    }

    fn sync(&self) -> CallResult<()> {
        self.fuse.check(Step::Sync)?;
        self.inner.sync()
    }

    fn close(self: Box<Self>) -> CallResult<()> {
        let Self { inner, fuse } = *self;
        inner.close()?;
        fuse.check(Step::Close)
    }

    fn raw(&self) -> Raw<'_> {
        self.inner.raw()
    }
}
