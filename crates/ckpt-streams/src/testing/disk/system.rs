//! The calls of a simulated machine, as the local file system makes them.

use std::ffi::{CStr, CString};
use std::fmt;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use ckpt_core::state::RelPath;
use rustix::fs::FileType;
use rustix::io::{Errno, Result};

use crate::file_system::local::system::{Descriptor, Identity, Kind, Open, Raw, Status, System};
use crate::sync::Mutex;
use crate::testing::disk::Machine;
use crate::testing::disk::state::{Content, Inode, Node, ROOT, Step};

/// Calls of one machine.
#[derive(Clone, Debug)]
pub(super) struct Calls(pub(super) Arc<Mutex<Machine>>);

/// An open file or directory of one machine.
struct Opened {
    machine: Arc<Mutex<Machine>>,
    inode: Inode,
    /// Where the next write or copy begins.
    position: AtomicUsize,
}

/// What a mode must let its owner do.
const READ: u32 = 0o400;
const WRITE: u32 = 0o200;
const SEARCH: u32 = 0o100;

impl Machine {
    fn check(&self, inode: Inode, mode: u32) -> Result<&Node> {
        let node = self.nodes.get(inode)?;
        // As for anybody but root, who may do everything.
        if node.mode & mode == mode { Ok(node) } else { Err(Errno::ACCESS) }
    }

    fn entry(&self, directory: Inode, name: &str) -> Result<Inode> {
        let entries = self.nodes.entries(directory)?;
        self.check(directory, SEARCH)?;
        if name == "." { Ok(directory) } else { entries.get(name).copied().ok_or(Errno::NOENT) }
    }

    /// The directory of a path, and the last name in it.
    fn walk<'a>(&self, from: Inode, path: &'a str) -> Result<(Inode, &'a str)> {
        match path.rsplit_once('/') {
            None => Ok((from, path)),
            Some((above, name)) => {
                Ok((above.split('/').try_fold(from, |directory, name| self.entry(directory, name))?, name))
            }
        }
    }

    fn make(&mut self, directory: Inode, name: &str, mode: u32, content: Content) -> Result<Inode> {
        if self.nodes.entries(directory)?.contains_key(name) {
            return Err(Errno::EXIST);
        }
        self.check(directory, WRITE | SEARCH)?;
        let inode = self.nodes.next();
        let node = Node { mode: mode & !self.umask, content };
        self.log(Step::Make { inode, node });
        self.log(Step::Link { directory, name: name.to_owned(), inode });
        Ok(inode)
    }

    fn make_directory(&mut self, directory: Inode, name: &str) -> Result<()> {
        self.make(directory, name, 0o700, Content::Directory(Default::default())).map(drop)
    }

    fn open(&mut self, from: Inode, path: &str, open: Open) -> Result<Inode> {
        let (directory, name) = self.walk(from, path)?;
        if open == Open::NewFile {
            return self.make(directory, name, 0o600, Content::File(Arc::default()));
        }
        let inode = self.entry(directory, name)?;
        if open == Open::Directory {
            self.nodes.entries(inode)?;
        }
        self.check(inode, READ)?;
        Ok(inode)
    }

    fn set_mode(&mut self, inode: Inode, mode: u32) {
        self.log(Step::SetMode { inode, mode });
    }

    fn resolve(&self, path: &Path) -> Result<Inode> {
        let mut inode = ROOT;
        for component in path.components() {
            if let Component::Normal(name) = component {
                inode = self.entry(inode, name.to_str().ok_or(Errno::NOENT)?)?;
            }
        }
        Ok(inode)
    }

    fn status(&self, inode: Inode) -> Result<Status> {
        let (kind, length_bytes) = match &self.nodes.get(inode)?.content {
            Content::File(bytes) => (FileType::RegularFile, bytes.len() as u64),
            Content::Directory(_) => (FileType::Directory, 0),
        };
        Ok(Status { kind, length_bytes })
    }

    fn write(&mut self, inode: Inode, offset: usize, bytes: Bytes) {
        self.log(Step::Write { inode, offset, bytes });
    }
}

impl Calls {
    fn opened(&self, inode: Inode) -> Box<dyn Descriptor> {
        self.0.lock().descriptors += 1;
        Box::new(Opened { machine: Arc::clone(&self.0), inode, position: AtomicUsize::new(0) })
    }
}

impl System for Calls {
    fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        self.0.lock().resolve(path)?;
        Ok(path.to_owned())
    }

    fn open_directory(&self, path: &Path) -> Result<Box<dyn Descriptor>> {
        let machine = self.0.lock();
        let inode = machine.resolve(path)?;
        machine.nodes.entries(inode)?;
        machine.check(inode, READ)?;
        drop(machine);
        Ok(self.opened(inode))
    }

    fn make_directory(&self, path: &Path) -> Result<()> {
        let mut machine = self.0.lock();
        let above = machine.resolve(path.parent().ok_or(Errno::EXIST)?)?;
        let name = path.file_name().and_then(|name| name.to_str()).ok_or(Errno::INVAL)?;
        machine.make_directory(above, name)
    }

    fn set_directory_mode(&self, path: &Path) -> Result<()> {
        let mut machine = self.0.lock();
        let inode = machine.resolve(path)?;
        machine.set_mode(inode, 0o700);
        Ok(())
    }
}

impl Opened {
    fn calls(&self) -> Calls {
        Calls(Arc::clone(&self.machine))
    }

    fn other(other: &dyn Descriptor) -> Result<(Inode, &AtomicUsize)> {
        match other.raw() {
            Raw::Simulated(inode, position) => Ok((inode, position)),
            Raw::Descriptor(_) => Err(Errno::XDEV),
        }
    }
}

impl Descriptor for Opened {
    fn open_beneath(&self, path: &RelPath, open: Open) -> Result<Box<dyn Descriptor>> {
        let inode = self.machine.lock().open(self.inode, path.as_str(), open)?;
        Ok(self.calls().opened(inode))
    }

    fn open_at(&self, name: &str, open: Open) -> Result<Box<dyn Descriptor>> {
        let inode = self.machine.lock().open(self.inode, name, open)?;
        Ok(self.calls().opened(inode))
    }

    fn make_directory_at(&self, name: &str) -> Result<()> {
        self.machine.lock().make_directory(self.inode, name)
    }

    fn set_directory_mode_at(&self, name: &str) -> Result<()> {
        let mut machine = self.machine.lock();
        let inode = machine.entry(self.inode, name)?;
        machine.set_mode(inode, 0o700);
        Ok(())
    }

    fn link_at(&self, name: &str, to: &dyn Descriptor, new_name: &str) -> Result<()> {
        let (directory, _) = Self::other(to)?;
        let mut machine = self.machine.lock();
        let inode = machine.entry(self.inode, name)?;
        machine.nodes.bytes(inode).map_err(|_| Errno::PERM)?;
        if machine.nodes.entries(directory)?.contains_key(new_name) {
            return Err(Errno::EXIST);
        }
        machine.check(directory, WRITE | SEARCH)?;
        machine.log(Step::Link { directory, name: new_name.to_owned(), inode });
        Ok(())
    }

    fn unlink_at(&self, name: &str, kind: Kind) -> Result<()> {
        let mut machine = self.machine.lock();
        let inode = machine.entry(self.inode, name)?;
        match (&machine.nodes.get(inode)?.content, kind) {
            (Content::File(_), Kind::File) => {}
            (Content::Directory(entries), Kind::Directory) if entries.is_empty() => {}
            (Content::Directory(_), Kind::Directory) => return Err(Errno::NOTEMPTY),
            (Content::File(_), Kind::Directory) => return Err(Errno::NOTDIR),
            (Content::Directory(_), Kind::File) => return Err(Errno::ISDIR),
        }
        machine.log(Step::Unlink { directory: self.inode, name: name.to_owned() });
        Ok(())
    }

    fn status_at(&self, name: &str) -> Result<Status> {
        let machine = self.machine.lock();
        machine.status(machine.entry(self.inode, name)?)
    }

    fn visit_entries(&self, visit: &mut dyn FnMut(&CStr, FileType) -> Result<()>) -> Result<()> {
        let mut entries = Vec::new();
        let machine = self.machine.lock();
        for (name, inode) in machine.nodes.entries(self.inode)? {
            entries.push((CString::new(name.as_str()).map_err(|_| Errno::INVAL)?, machine.status(*inode)?.kind));
        }
        drop(machine);
        entries.iter().try_for_each(|(name, kind)| visit(name, *kind))
    }

    fn status(&self) -> Result<Status> {
        self.machine.lock().status(self.inode)
    }

    fn identity(&self) -> Result<Identity> {
        Ok(Identity { device: 1, inode: self.inode as u64, born: None })
    }

    fn set_mode(&self, kind: Kind) -> Result<()> {
        let mode = if kind == Kind::Directory { 0o700 } else { 0o600 };
        self.machine.lock().set_mode(self.inode, mode);
        Ok(())
    }

    fn read_at(&self, buffer: &mut [u8], offset_bytes: u64) -> Result<usize> {
        let machine = self.machine.lock();
        let bytes = machine.nodes.bytes(self.inode)?;
        let ahead = usize::try_from(offset_bytes).ok().and_then(|offset| bytes.get(offset..)).unwrap_or_default();
        let read = ahead.len().min(buffer.len());
        buffer[..read].copy_from_slice(&ahead[..read]);
        Ok(read)
    }

    fn write(&self, bytes: &[u8]) -> Result<usize> {
        let position = self.position.fetch_add(bytes.len(), Ordering::Relaxed);
        self.machine.lock().write(self.inode, position, Bytes::copy_from_slice(bytes));
        Ok(bytes.len())
    }

    fn clone_from(&self, source: &dyn Descriptor) -> Result<()> {
        let (source, _) = Self::other(source)?;
        let mut machine = self.machine.lock();
        if !machine.shares_bytes {
            return Err(Errno::OPNOTSUPP);
        }
        let bytes = Bytes::copy_from_slice(machine.nodes.bytes(source)?);
        machine.write(self.inode, 0, bytes);
        Ok(())
    }

    fn copy_from(&self, source: &dyn Descriptor, length_bytes: usize) -> Result<usize> {
        let (source, from) = Self::other(source)?;
        let mut machine = self.machine.lock();
        let begin = from.load(Ordering::Relaxed);
        let ahead = machine.nodes.bytes(source)?.get(begin..).unwrap_or_default();
        let bytes = Bytes::copy_from_slice(&ahead[..ahead.len().min(length_bytes)]);
        let copied = bytes.len();
        from.store(begin + copied, Ordering::Relaxed);
        if copied > 0 {
            let position = self.position.fetch_add(copied, Ordering::Relaxed);
            machine.write(self.inode, position, bytes);
        }
        Ok(copied)
    }

    /// What is not synced may be lost, whether it is on its way or not.
    fn begin_write_back(&self) {}

    fn sync(&self) -> Result<()> {
        self.machine.lock().log(Step::Sync { inode: self.inode });
        Ok(())
    }

    fn close(self: Box<Self>) -> Result<()> {
        Ok(())
    }

    fn raw(&self) -> Raw<'_> {
        Raw::Simulated(self.inode, &self.position)
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.machine.lock().descriptors -= 1;
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node {}", self.inode)
    }
}
