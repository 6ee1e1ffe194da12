//! Files in memory that tell what is done with them.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use bytes::Bytes;
use ckpt_core::Result;
use ckpt_core::state::RelPath;

use crate::file_system::{
    Capabilities, CasOutcome, Durability, Entry, Expect, FileSystem, FileWriter, MemoryFileSystem, ReadAt, VersionTag,
    Visible,
};

/// What is told of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A file is about to be made.
    Creating,
    /// A file was made.
    Created,
    /// So many bytes were written.
    Written(usize),
    /// A sync of it is about to begin.
    Beginning,
    /// It is about to be synced.
    Syncing,
    /// It is about to be removed.
    Removing,
    /// It is about to close without a sync.
    Closing,
    /// It is about to be copied.
    Copying,
}

/// Is told, in the thread that does it.
type Watch = dyn Fn(Event, &MemoryFileSystem) + Send + Sync;

/// Files in memory.
#[derive(Clone)]
pub(crate) struct Watched {
    files: MemoryFileSystem,
    watch: Arc<Watch>,
    /// Removes nothing and does not say so.
    is_mute: bool,
}

struct WatchedWriter {
    inner: Box<dyn FileWriter>,
    files: Watched,
}

impl Watched {
    pub(crate) fn new(watch: impl Fn(Event, &MemoryFileSystem) + Send + Sync + 'static) -> Self {
        Self { files: MemoryFileSystem::new(), watch: Arc::new(watch), is_mute: false }
    }

    /// Breaks its contract: it answers no removal.
    pub(crate) fn mute() -> Self {
        Self { is_mute: true, ..Self::new(|_, _| ()) }
    }

    pub(crate) fn paths(&self) -> Vec<RelPath> {
        self.files.paths()
    }

    fn tell(&self, event: Event) {
        (self.watch)(event, &self.files);
    }
}

impl Write for WatchedWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.files.tell(Event::Written(written));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl FileWriter for WatchedWriter {
    fn finish(self: Box<Self>, durability: Durability) -> CasOutcome {
        self.files.tell(if durability == Durability::Full { Event::Syncing } else { Event::Closing });
        self.inner.finish(durability)
    }

    fn begin_sync(&mut self) {
        self.files.tell(Event::Beginning);
        self.inner.begin_sync();
    }

    fn discard(self: Box<Self>) -> Result<()> {
        self.files.tell(Event::Removing);
        self.inner.discard()
    }
}

impl FileSystem for Watched {
    fn create_new(&self, path: &RelPath, visible: Visible) -> Result<Box<dyn FileWriter>> {
        self.tell(Event::Creating);
        let inner = self.files.create_new(path, visible)?;
        self.tell(Event::Created);
        Ok(Box::new(WatchedWriter { inner, files: self.clone() }))
    }

    fn open(&self, path: &RelPath) -> Result<Box<dyn ReadAt>> {
        self.files.open(path)
    }

    fn duplicate(&self, from: &RelPath, to: &RelPath, durability: Durability) -> CasOutcome {
        self.tell(Event::Copying);
        self.files.duplicate(from, to, durability)
    }

    fn sync_entries(&self, written: &[RelPath]) -> Result<()> {
        self.files.sync_entries(written)
    }

    fn read_record(&self, path: &RelPath) -> Result<Option<(Bytes, VersionTag)>> {
        self.files.read_record(path)
    }

    fn put_record(&self, path: &RelPath, body: Bytes, expect: Expect<'_>) -> CasOutcome {
        self.files.put_record(path, body, expect)
    }

    fn list(&self, prefix: Option<&RelPath>, after: Option<&RelPath>, limit: usize) -> Result<Vec<Entry>> {
        self.files.list(prefix, after, limit)
    }

    fn remove(&self, paths: &[RelPath]) -> Vec<Result<()>> {
        if self.is_mute {
            return Vec::new();
        }
        paths.iter().for_each(|_| self.tell(Event::Removing));
        self.files.remove(paths)
    }

    fn sync_removed(&self, removed: &[RelPath]) -> Result<()> {
        self.files.sync_removed(removed)
    }

    fn capabilities(&self) -> Capabilities {
        self.files.capabilities()
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").finish_non_exhaustive()
    }
}
