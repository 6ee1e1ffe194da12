//! The calls of the system that this process runs on.

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use ckpt_core::state::RelPath;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::{Errno, Result};

use crate::file_system::local::entries::visit_entries;
use crate::file_system::local::system::{Descriptor, Identity, Kind, Open, Raw, Status, System};

/// The system that this process runs on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Posix;

/// Owner only.
const DIRECTORY_MODE: Mode = Mode::RWXU;
const FILE_MODE: Mode = Mode::RUSR.union(Mode::WUSR);

impl System for Posix {
    fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        path.canonicalize()
    }

    fn open_directory(&self, path: &Path) -> Result<Box<dyn Descriptor>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(boxed(rustix::fs::open(path, flags, Mode::empty())?.into()))
    }

    fn make_directory(&self, path: &Path) -> Result<()> {
        rustix::fs::mkdir(path, DIRECTORY_MODE)
    }

    fn set_directory_mode(&self, path: &Path) -> Result<()> {
        rustix::fs::chmod(path, DIRECTORY_MODE)
    }
}

impl Descriptor for File {
    #[cfg(target_os = "linux")]
    fn open_beneath(&self, path: &RelPath, open: Open) -> Result<Box<dyn Descriptor>> {
        use rustix::fs::ResolveFlags;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        Ok(boxed(rustix::fs::openat2(self, path.as_str(), open.flags(), open.mode(), resolve)?.into()))
    }

    #[cfg(not(target_os = "linux"))]
    fn open_beneath(&self, _path: &RelPath, _open: Open) -> Result<Box<dyn Descriptor>> {
        Err(Errno::NOSYS)
    }

    fn open_at(&self, name: &str, open: Open) -> Result<Box<dyn Descriptor>> {
        Ok(boxed(rustix::fs::openat(self, name, open.flags(), open.mode())?.into()))
    }

    fn make_directory_at(&self, name: &str) -> Result<()> {
        rustix::fs::mkdirat(self, name, DIRECTORY_MODE)
    }

    #[cfg(target_os = "linux")]
    fn set_directory_mode_at(&self, name: &str) -> Result<()> {
        use std::os::fd::AsRawFd as _;
        // A descriptor that needs no permission to read, and no link: its own name leads to what it has opened.
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(self, name, flags, Mode::empty())?;
        rustix::fs::chmod(format!("/proc/self/fd/{}", opened.as_raw_fd()), DIRECTORY_MODE)
    }

    #[cfg(not(target_os = "linux"))]
    fn set_directory_mode_at(&self, name: &str) -> Result<()> {
        rustix::fs::chmodat(self, name, DIRECTORY_MODE, AtFlags::SYMLINK_NOFOLLOW)
    }

    fn link_at(&self, name: &str, to: &dyn Descriptor, new_name: &str) -> Result<()> {
        rustix::fs::linkat(self, name, descriptor_of(to)?, new_name, AtFlags::empty())
    }

    fn unlink_at(&self, name: &str, kind: Kind) -> Result<()> {
        let flags = match kind {
            Kind::File => AtFlags::empty(),
            Kind::Directory => AtFlags::REMOVEDIR,
        };
        rustix::fs::unlinkat(self, name, flags)
    }

    fn status_at(&self, name: &str) -> Result<Status> {
        let found = rustix::fs::statat(self, name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(status_of(&found))
    }

    fn visit_entries(&self, visit: &mut dyn FnMut(&CStr, FileType) -> Result<()>) -> Result<()> {
        visit_entries(self, visit)
    }

    fn status(&self) -> Result<Status> {
        Ok(status_of(&rustix::fs::fstat(self)?))
    }

    fn identity(&self) -> Result<Identity> {
        let found = self.metadata().map_err(errno)?;
        Ok(Identity { device: found.dev(), inode: found.ino(), born: found.created().ok() })
    }

    fn set_mode(&self, kind: Kind) -> Result<()> {
        let mode = match kind {
            Kind::File => FILE_MODE,
            Kind::Directory => DIRECTORY_MODE,
        };
        // Few umasks narrow what its owner may do, and to look costs less than to change.
        if Mode::from_raw_mode(rustix::fs::fstat(self)?.st_mode) == mode {
            return Ok(());
        }
        rustix::fs::fchmod(self, mode)
    }

    fn read_at(&self, buffer: &mut [u8], offset_bytes: u64) -> Result<usize> {
        rustix::io::pread(self, buffer, offset_bytes)
    }

    fn write(&self, bytes: &[u8]) -> Result<usize> {
        rustix::io::write(self, bytes)
    }

    #[cfg(target_os = "linux")]
    fn clone_from(&self, source: &dyn Descriptor) -> Result<()> {
        rustix::fs::ioctl_ficlone(self, descriptor_of(source)?)
    }

    #[cfg(not(target_os = "linux"))]
    fn clone_from(&self, _source: &dyn Descriptor) -> Result<()> {
        Err(Errno::OPNOTSUPP)
    }

    #[cfg(target_os = "linux")]
    fn copy_from(&self, source: &dyn Descriptor, length_bytes: usize) -> Result<usize> {
        rustix::fs::copy_file_range(descriptor_of(source)?, None, self, None, length_bytes)
    }

    #[cfg(not(target_os = "linux"))]
    fn copy_from(&self, _source: &dyn Descriptor, _length_bytes: usize) -> Result<usize> {
        Err(Errno::OPNOTSUPP)
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn begin_write_back(&self) {
        // Of bytes that are not needed the system writes back those that are not written, and drops only the others.
        let _ = rustix::fs::fadvise(self, 0, None, rustix::fs::Advice::DontNeed);
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    fn begin_write_back(&self) {}

    fn sync(&self) -> Result<()> {
        // By the standard library, which knows what it takes elsewhere than on Linux.
        self.sync_all().map_err(errno)
    }

    fn close(self: Box<Self>) -> Result<()> {
        nix::unistd::close(*self).map_err(|error| errno(error.into()))
    }

    fn raw(&self) -> Raw<'_> {
        Raw::Descriptor(self.as_fd())
    }
}

impl Open {
    fn flags(self) -> OFlags {
        let flags = match self {
            // Non-blocking, so that a pipe in the place of a file is refused and not waited for.
            Self::File => OFlags::RDONLY | OFlags::NONBLOCK,
            Self::Directory => OFlags::RDONLY | OFlags::DIRECTORY,
            Self::NewFile => OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL,
        };
        flags | OFlags::NOFOLLOW | OFlags::CLOEXEC
    }

    /// What a new one may be done with; nothing for what is there already, as `openat2` demands.
    const fn mode(self) -> Mode {
        match self {
            Self::File | Self::Directory => Mode::empty(),
            Self::NewFile => FILE_MODE,
        }
    }
}

fn status_of(found: &Stat) -> Status {
    let kind = FileType::from_raw_mode(found.st_mode);
    Status { kind, length_bytes: u64::try_from(found.st_size).unwrap_or(0) }
}

fn boxed(file: File) -> Box<dyn Descriptor> {
    Box::new(file)
}

/// The other descriptor of a call that takes two. One of another system is on another device.
fn descriptor_of(other: &dyn Descriptor) -> Result<BorrowedFd<'_>> {
    match other.raw() {
        Raw::Descriptor(descriptor) => Ok(descriptor),
        #[cfg(any(test, feature = "testing"))]
        Raw::Simulated(..) => Err(Errno::XDEV),
    }
}

fn errno(error: io::Error) -> Errno {
    Errno::from_io_error(&error).unwrap_or(Errno::IO)
}
