//! A file system that fails.

use std::io::{self, Write};
use std::sync::Arc;

use bytes::Bytes;
use ckpt_core::state::RelPath;
use ckpt_core::{Error, ErrorKind, Result};

use crate::file_system::{
    Capabilities, CasOutcome, Durability, Entry, Expect, FileSystem, FileWriter, ReadAt, VersionTag, Visible,
};
use crate::sync::{AtomicU64, Ordering};

/// Passes everything on up to the n-th operation, which fails as if the disk were full.
///
/// A test runs what it tests with n = 1, 2, … until nothing fails any more: so every operation has failed once.
#[derive(Debug)]
pub struct FailingFileSystem {
    inner: Arc<dyn FileSystem>,
    fuse: Arc<Fuse>,
}

/// How long it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// At that operation alone.
    Once,
    /// At that operation and at every later one, except removing.
    FromThereOn,
}

#[derive(Debug)]
struct Fuse {
    done: AtomicU64,
    at: u64,
    failure: Failure,
}

struct FailingWriter {
    inner: Box<dyn FileWriter>,
    path: RelPath,
    fuse: Arc<Fuse>,
}

#[derive(Debug)]
struct FailingFile {
    inner: Box<dyn ReadAt>,
    path: RelPath,
    fuse: Arc<Fuse>,
}

impl FailingFileSystem {
    /// Fails at operation number `at`; the first is 1.
    pub fn new(inner: Arc<dyn FileSystem>, at: u64, failure: Failure) -> Self {
        Self { inner, fuse: Arc::new(Fuse { done: AtomicU64::new(0), at, failure }) }
    }

    /// Whether the operation came that was to fail.
    pub fn has_failed(&self) -> bool {
        self.fuse.done.load(Ordering::Relaxed) >= self.fuse.at
    }
}

impl Fuse {
    fn burn(&self, operation: &str, path: &str) -> Result<(), io::Error> {
        let number = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        let fails = match self.failure {
            Failure::Once => number == self.at,
            Failure::FromThereOn => number >= self.at,
        };
        match fails {
            true => Err(io::Error::new(io::ErrorKind::StorageFull, format!("cannot {operation} '{path}': disk full"))),
            false => Ok(()),
        }
    }

    fn check(&self, operation: &str, path: &RelPath, kind: ErrorKind) -> Result<()> {
        self.burn(operation, path.as_str()).map_err(|error| Error::new(kind, error))
    }
}

impl FileSystem for FailingFileSystem {
    fn create_new(&self, path: &RelPath, visible: Visible) -> Result<Box<dyn FileWriter>> {
        self.fuse.check("create", path, ErrorKind::AbortCheckpoint)?;
        let inner = self.inner.create_new(path, visible)?;
        Ok(Box::new(FailingWriter { inner, path: path.clone(), fuse: Arc::clone(&self.fuse) }))
    }

    fn open(&self, path: &RelPath) -> Result<Box<dyn ReadAt>> {
        self.fuse.check("open", path, ErrorKind::Retry)?;
        let inner = self.inner.open(path)?;
        Ok(Box::new(FailingFile { inner, path: path.clone(), fuse: Arc::clone(&self.fuse) }))
    }

    fn duplicate(&self, from: &RelPath, to: &RelPath) -> Result<()> {
        self.fuse.check("duplicate", from, ErrorKind::AbortCheckpoint)?;
        self.inner.duplicate(from, to)
    }

    fn sync_entries(&self, written: &[RelPath]) -> Result<()> {
        if let Some(first) = written.first() {
            self.fuse.check("sync the name of", first, ErrorKind::AbortCheckpoint)?;
        }
        self.inner.sync_entries(written)
    }

    fn read_record(&self, path: &RelPath) -> Result<Option<(Bytes, VersionTag)>> {
        self.fuse.check("read record", path, ErrorKind::Retry)?;
        self.inner.read_record(path)
    }

    fn put_record(&self, path: &RelPath, body: Bytes, expect: Expect<'_>) -> CasOutcome {
        match self.fuse.check("write record", path, ErrorKind::Retry) {
            Ok(()) => self.inner.put_record(path, body, expect),
            Err(error) => CasOutcome::Failed(error),
        }
    }

    fn list(&self, prefix: Option<&RelPath>, after: Option<&RelPath>, limit: usize) -> Result<Vec<Entry>> {
        self.fuse
            .burn("list", prefix.map_or("the root", RelPath::as_str))
            .map_err(|error| Error::new(ErrorKind::Retry, error))?;
        self.inner.list(prefix, after, limit)
    }

    fn remove(&self, paths: &[RelPath]) -> Vec<Result<()>> {
        self.inner.remove(paths)
    }

    fn shown(&self, path: &RelPath) -> String {
        self.inner.shown(path)
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }
}

impl Write for FailingWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.fuse.burn("write", self.path.as_str())?;
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl FileWriter for FailingWriter {
    fn finish(self: Box<Self>, durability: Durability) -> CasOutcome {
        match self.fuse.check("sync", &self.path, ErrorKind::AbortCheckpoint) {
            Ok(()) => self.inner.finish(durability),
            Err(error) => match self.inner.discard() {
                Ok(()) | Err(_) => CasOutcome::Failed(error),
            },
        }
    }

    fn discard(self: Box<Self>) -> Result<()> {
        self.inner.discard()
    }
}

impl ReadAt for FailingFile {
    fn read_exact_at(&self, buffer: &mut [u8], offset_bytes: u64) -> io::Result<()> {
        self.fuse.burn("read", self.path.as_str())?;
        self.inner.read_exact_at(buffer, offset_bytes)
    }

    fn length_bytes(&self) -> u64 {
        self.inner.length_bytes()
    }
}
