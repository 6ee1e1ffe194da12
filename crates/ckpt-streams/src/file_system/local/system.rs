//! The calls that the local file system is made of.
//!
//! Everything above decides what is called and in which order; [`Posix`](super::posix::Posix) passes it on. Tests put
//! disks that fail and crash in its place, so that what they test is what ships.

use std::ffi::CStr;
use std::fmt::Debug;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ckpt_core::state::RelPath;
use rustix::fs::FileType;
use rustix::io::Result;

/// Where paths of the operator lead to. Links on the way are followed.
pub(crate) trait System: Send + Sync + Debug {
    /// The path without links.
    fn canonical(&self, path: &Path) -> io::Result<PathBuf>;

    /// Opens a directory.
    fn open_directory(&self, path: &Path) -> Result<Box<dyn Descriptor>>;

    /// Makes a directory for its owner alone, as far as the umask lets it.
    fn make_directory(&self, path: &Path) -> Result<()>;

    /// Gives a directory to its owner alone, whatever the umask was.
    fn set_directory_mode(&self, path: &Path) -> Result<()>;
}

/// An open file or directory. Each call is one of the system, and may be interrupted. Dropping it closes it without
/// saying how that went.
pub(crate) trait Descriptor: Send + Sync + Debug {
    /// Opens a path beneath this directory, through no link, by one call: `NOSYS` where the system has none.
    fn open_beneath(&self, path: &RelPath, open: Open) -> Result<Box<dyn Descriptor>>;

    /// Opens a name in this directory, which is no link.
    fn open_at(&self, name: &str, open: Open) -> Result<Box<dyn Descriptor>>;

    /// Makes a directory for its owner alone, as far as the umask lets it.
    fn make_directory_at(&self, name: &str) -> Result<()>;

    /// Gives a directory that is not a link to its owner alone. For one that the umask has made unreadable.
    fn set_directory_mode_at(&self, name: &str) -> Result<()>;

    /// Gives a file of this directory another name, in that directory. Never replaces.
    fn link_at(&self, name: &str, to: &dyn Descriptor, new_name: &str) -> Result<()>;

    /// Removes a name of this directory, following no link.
    fn unlink_at(&self, name: &str, kind: Kind) -> Result<()>;

    /// What a name of this directory is, following no link.
    fn status_at(&self, name: &str) -> Result<Status>;

    /// Calls `visit` with the name and the kind of every entry of this directory but itself and the one above.
    fn visit_entries(&self, visit: &mut dyn FnMut(&CStr, FileType) -> Result<()>) -> Result<()>;

    /// What it is.
    fn status(&self) -> Result<Status>;

    /// Which one it is.
    fn identity(&self) -> Result<Identity>;

    /// Gives it to its owner alone, whatever the umask was.
    fn set_mode(&self, kind: Kind) -> Result<()>;

    /// Reads at a position; nothing at the end of the file.
    fn read_at(&self, buffer: &mut [u8], offset_bytes: u64) -> Result<usize>;

    /// Writes at the end; perhaps not all.
    fn write(&self, bytes: &[u8]) -> Result<usize>;

    /// Makes this file, empty so far, share the bytes of another.
    fn clone_from(&self, source: &dyn Descriptor) -> Result<()>;

    /// Copies within the system, from the positions of both; nothing at the end of the source.
    fn copy_from(&self, source: &dyn Descriptor, length_bytes: usize) -> Result<usize>;

    /// Begins to write back the bytes of a file. An error of that is one of [`sync`](Self::sync) too.
    fn begin_write_back(&self);

    /// Makes the bytes of a file, or the names in a directory, durable.
    fn sync(&self) -> Result<()>;

    /// Closes it. It is closed whatever this says; an error is of bytes that were written and are lost.
    fn close(self: Box<Self>) -> Result<()>;

    /// What a call that takes two of them needs of the other.
    fn raw(&self) -> Raw<'_>;
}

/// What is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Open {
    /// A file that is there, to be read.
    File,
    /// A directory that is there.
    Directory,
    /// A file that is not there yet, to be written.
    NewFile,
}

/// What is removed, or given to its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Anything that is no directory.
    File,
    /// A directory; an empty one if it is removed.
    Directory,
}

/// What a file or a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) kind: FileType,
    pub(crate) length_bytes: u64,
}

/// Tells a file or a directory from a later one of the same name. Inode numbers are reused, so the time of birth counts
/// as well, where it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) born: Option<SystemTime>,
}

/// What a descriptor is to its own system.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Raw<'a> {
    /// Of this process.
    Descriptor(BorrowedFd<'a>),
    /// Of a simulated machine: the number of its file, and where it reads or writes next.
    #[cfg(any(test, feature = "testing"))]
    Simulated(usize, &'a std::sync::atomic::AtomicUsize),
}
