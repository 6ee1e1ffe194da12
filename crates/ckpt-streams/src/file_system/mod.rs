//! File systems: what streams and storage need of a place that keeps files.

use std::borrow::Cow;
use std::fmt::Debug;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use ckpt_core::state::RelPath;
use ckpt_core::{Error, Result};

use crate::Charge;

pub use local::LocalFileSystem;
pub use memory::MemoryFileSystem;
pub use registry::FileSystems;
pub use visit::FileVisitor;

pub(crate) mod local;
pub(crate) mod memory;
mod registry;
mod visit;

/// A file system, opened at one root. Every path lies beneath the root, and no implementation follows a link out of it.
///
/// Names may have so many bytes as the file system takes, less those that it adds to names of its own: the local one takes
/// 255, 218 with [`Visible::WholeAtFinish`] and 197 for a record. A longer one is refused as `Configuration`.
///
/// Blocking; any thread may call it. Directories are an implementation's own matter: they come into being with the files
/// in them.
pub trait FileSystem: Send + Sync + Debug {
    /// Begins a file that does not exist yet; it never replaces one.
    ///
    /// # Errors
    ///
    /// `AbortCheckpoint` when the name is taken already (with [`Visible::AtOnce`]) or the file cannot be made.
    fn create_new(&self, path: &RelPath, visible: Visible) -> Result<Box<dyn FileWriter>>;

    /// Opens a file for reading.
    ///
    /// # Errors
    ///
    /// `NotFound` when there is none.
    fn open(&self, path: &RelPath) -> Result<Box<dyn ReadAt>>;

    /// Makes `to`, which does not exist yet, a copy of `from`, as cheaply as [`Capabilities`] say. With [`Durability::Full`]
    /// its bytes are durable on `Done`; its name is after [`sync_entries`](Self::sync_entries).
    ///
    /// `Lost` says that `to` exists. `Failed` is `NotFound` when `from` is missing and `AbortCheckpoint` when `to` cannot be
    /// written. After both nothing is left of the copy and nothing else was touched: the caller removes nothing, since what
    /// is there may be another's. After `Unknown` the caller removes `to`.
    fn duplicate(&self, from: &RelPath, to: &RelPath, durability: Durability) -> CasOutcome;

    /// Makes the names of files that were written durable: each directory once, and every parent up to one that is
    /// known to be durable.
    ///
    /// # Errors
    ///
    /// `AbortCheckpoint`: none of the names may be relied on, and it is not to be tried again for the same files.
    fn sync_entries(&self, written: &[RelPath]) -> Result<()>;

    /// The newest version of a record: a small file that changes by compare-and-swap. What it returns is durable, even if
    /// its writer never heard that it was.
    ///
    /// # Errors
    ///
    /// `Retry` when it could not be read.
    fn read_record(&self, path: &RelPath) -> Result<Option<(Bytes, VersionTag)>>;

    /// Writes the next version of a record if the newest one is the expected one, durably.
    fn put_record(&self, path: &RelPath, body: Bytes, expect: Expect<'_>) -> CasOutcome;

    /// Files below `prefix`, or below the root, in the order of their names, those after `after`, at most `limit`. Those of
    /// which a record consists are among them, under its name or under names that begin with it.
    ///
    /// # Errors
    ///
    /// `Retry` when the list could not be read. A prefix that does not exist has no files.
    fn list(&self, prefix: Option<&RelPath>, after: Option<&RelPath>, limit: usize) -> Result<Vec<Entry>>;

    /// Shows every file below `prefix`, or below the root, once, if it is there all the while: whatever their number, in
    /// bounded memory and in time that grows with it alone. What lies below one directory comes in succession; there is no
    /// other order. `visitor` may remove what it is shown, and says which directories are looked into.
    ///
    /// This asks [`list`](Self::list) for one page after the other. Where that reads a whole directory each time, there is a
    /// better way.
    ///
    /// # Errors
    ///
    /// As of [`list`](Self::list): what was shown until then was there.
    fn visit(&self, prefix: Option<&RelPath>, visitor: &mut dyn FileVisitor) -> Result<()> {
        visit::by_list(self, prefix, visitor)
    }

    /// The directories directly below `prefix`, or below the root, in the order of their names: all that have files below
    /// them, and perhaps empty ones. This asks [`list`](Self::list) once for each; who can do better does.
    ///
    /// # Errors
    ///
    /// As of [`list`](Self::list).
    fn directories(&self, prefix: Option<&RelPath>) -> Result<Vec<RelPath>> {
        let (mut directories, mut after) = (Vec::<RelPath>::new(), None);
        let depth = prefix.map_or(0, |prefix| prefix.components().count());
        while let Some(Entry { path, .. }) = self.list(prefix, after.as_ref(), 1)?.pop() {
            let directory = {
                let mut names = path.components().skip(depth);
                let name = names.next().filter(|_| names.next().is_some());
                let whole =
                    name.map(|name| prefix.map_or_else(|| name.to_owned(), |prefix| format!("{prefix}/{name}")));
                whole.map(RelPath::new).transpose()?
            };
            after = Some(match directory {
                Some(directory) => {
                    // On to behind the last name that could be below it.
                    let last = visit::last_below(&directory, &path);
                    directories.push(directory);
                    last.unwrap_or(path)
                }
                None => path,
            });
        }
        directories.sort_unstable();
        directories.dedup();
        Ok(directories)
    }

    /// What lies directly below `prefix`, or below the root, and is in no [`list`](Self::list): links, pipes, sockets, devices,
    /// directories in which there is no file, and whatever has a name that no path of ours can have. Their names as people read
    /// them, in their order, at most `limit`. Where there is nothing but files, as by default, there are none.
    ///
    /// # Errors
    ///
    /// As of [`list`](Self::list).
    fn unlisted(&self, prefix: Option<&RelPath>, limit: usize) -> Result<Vec<String>> {
        let _ = (prefix, limit);
        Ok(Vec::new())
    }

    /// Removes files, one answer for each. A file that is not there counts as removed; a directory that became empty
    /// goes too, the root never. What an interrupted [`Visible::WholeAtFinish`] of that name has left goes with it.
    ///
    /// A file may be removed while it is being written: its name does not come back, whatever its writer does.
    ///
    /// A record whose files are all removed is not there any more. Only one that nobody needs may go: whoever still writes it
    /// begins it anew.
    fn remove(&self, paths: &[RelPath]) -> Vec<Result<()>>;

    /// Makes durable that those names are gone: once this returns, no loss of power brings one back. What removes files in
    /// an order calls it between the steps. There is nothing to do where a removal that was answered is durable.
    ///
    /// # Errors
    ///
    /// `Retry`: any of the names may come back.
    fn sync_removed(&self, removed: &[RelPath]) -> Result<()>;

    /// Makes a directory that nobody has, with those above it that are missing. `false`, and nothing is made, when anything
    /// at all has that name: an empty directory too. Its entry is durable after [`sync_entries`](Self::sync_entries) of a
    /// file in it.
    ///
    /// Where directories are but names, as they are by default, none is made, and one is somebody's when it has a file.
    ///
    /// # Errors
    ///
    /// `AbortCheckpoint` when it cannot be made, `Retry` when it could not be told whether it is there.
    fn make_directory(&self, directory: &RelPath) -> Result<bool> {
        Ok(self.list(Some(directory), None, 1)?.is_empty())
    }

    /// A file system with that directory as its root, which stays the same directory wherever it is moved and whatever comes
    /// to lie under its name. `None` where directories are but names, so that nothing can be put in the place of one.
    ///
    /// # Errors
    ///
    /// `NotFound` when it is not there, `Corrupt` when it is no directory, or a link is in its place or on the way.
    fn open_root(&self, directory: &RelPath) -> Result<Option<Arc<dyn FileSystem>>> {
        let _ = directory;
        Ok(None)
    }

    /// A path as people find it, for messages; without secrets.
    fn shown(&self, path: &RelPath) -> String {
        path.to_string()
    }

    /// What may be relied on here.
    fn capabilities(&self) -> Capabilities;
}

/// A file that is being written, by one thread.
pub trait FileWriter: io::Write + Send {
    /// How long the parts are in which an upload is sent, and of which each is in memory until storage has confirmed it.
    /// 0 says that there are none: what was written is out of our memory when a write returns.
    fn part_bytes(&self) -> usize {
        0
    }

    /// Writes a part of [`part_bytes`](Self::part_bytes), or the last one, which may be shorter. A writer that returns
    /// before storage has it keeps `charge` for as long: that is how the bytes stay within the budget of the process.
    ///
    /// # Errors
    ///
    /// Those of a write.
    fn write_part(&mut self, part: Bytes, charge: Charge) -> io::Result<()> {
        let outcome = self.write_all(&part);
        drop((part, charge));
        outcome
    }

    /// Ends the file. With [`Durability::Full`] its bytes are durable on `Done`; its name is after
    /// [`FileSystem::sync_entries`]. `Lost` says that the name was taken (with [`Visible::WholeAtFinish`]).
    ///
    /// A failed write or sync is final: the file is dead and is removed; where that fails too it is `Unknown`. Whoever called
    /// removes the name after `Done` and `Unknown` only: after `Lost` and `Failed` what lies under it is another's. A writer
    /// that is dropped is discarded.
    fn finish(self: Box<Self>, durability: Durability) -> CasOutcome;

    /// Says that all is written and that [`Durability::Full`] is what will end it, so that bytes may be on their way by
    /// then. Waits for nothing, as far as that is possible, and promises nothing: what goes wrong is told by `finish`.
    fn begin_sync(&mut self) {}

    /// Removes what was written.
    ///
    /// # Errors
    ///
    /// `Retry` when something may be left.
    fn discard(self: Box<Self>) -> Result<()>;
}

/// A file that can be read from any position, by any number of threads.
pub trait ReadAt: Send + Sync + Debug {
    /// Fills `buffer` with the bytes from `offset_bytes` on.
    ///
    /// # Errors
    ///
    /// `UnexpectedEof` when the file ends before.
    fn read_exact_at(&self, buffer: &mut [u8], offset_bytes: u64) -> io::Result<()>;

    /// Length of the file.
    fn length_bytes(&self) -> u64;
}

/// When a file that is being written appears under its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Visible {
    /// When it is made. Nothing points to it yet, so nobody looks.
    AtOnce,
    /// Whole, when it is finished, unless the name is taken by then.
    WholeAtFinish,
}

/// What a crash may take of what was sealed.
///
/// | | a process is killed | the kernel stops, power is lost | calls for a file of 64 KiB |
/// |---|---|---|---|
/// | [`None`](Self::None) | survives | may be missing, empty or torn, which reading finds | open, its mode, 2 writes, close |
/// | [`Full`](Self::Full) | survives | survives | the same, a hint and a sync; for each batch and directory another sync |
///
/// `docs/durability.md` says more. Records are always written as under `Full`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Durability {
    /// Survives the loss of every process, not the loss of power. For tests and scratch.
    None,
    /// Survives the loss of power: files, directories and records are synced before anyone is told of them.
    #[default]
    Full,
}

/// Which version of a record is expected to be the newest.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Expect<'a> {
    /// None at all.
    Absent,
    /// That one.
    Version(&'a VersionTag),
}

/// Tells one version of a record from every other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VersionTag(Cow<'static, str>);

/// What became of a write that must not replace.
#[derive(Debug)]
#[must_use]
#[non_exhaustive]
pub enum CasOutcome {
    /// It happened; the record has this version now.
    Done(VersionTag),
    /// It did not and will not happen: another write came first.
    Lost,
    /// It did not and will not happen, for this reason; nothing of it is left.
    Failed(Error),
    /// It may have happened, or may happen yet. Only a newer write that is known to have happened decides.
    Unknown(Error),
}

/// A file in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// Its path below the root of the file system.
    pub path: RelPath,
    /// Its length.
    pub length_bytes: u64,
}

/// What may be relied on at a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// Duplicating a state file costs less than copying its bytes.
    pub cheap_duplicate: bool,
    /// A record's compare-and-swap decides between any number of writers on any number of machines.
    pub compare_and_swap: bool,
}

impl VersionTag {
    /// Wraps what an implementation tells versions by.
    pub fn new(tag: impl Into<String>) -> Self {
        Self(Cow::Owned(tag.into()))
    }

    /// One that is always the same, without an allocation: every file that is finished has a tag.
    pub(crate) const fn fixed(tag: &'static str) -> Self {
        Self(Cow::Borrowed(tag))
    }

    /// What the implementation wrapped.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Entry {
    /// A file of that length.
    pub const fn new(path: RelPath, length_bytes: u64) -> Self {
        Self { path, length_bytes }
    }
}

impl Capabilities {
    /// Neither is relied on.
    pub const NONE: Self = Self { cheap_duplicate: false, compare_and_swap: false };
}
