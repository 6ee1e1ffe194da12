//! A file system that fails.

use std::io::{self, Write};
use std::sync::Arc;

use bytes::Bytes;
use ckpt_core::state::RelPath;
use ckpt_core::{Error, ErrorKind, Result};
use rustix::io::Errno;

use crate::file_system::{
    Capabilities, CasOutcome, Durability, Entry, Expect, FileSystem, FileWriter, ReadAt, VersionTag, Visible,
};
use crate::testing::fault::{Burn, Fault, Fuse, Injection, Step};

/// Passes everything on but what is to fail: see [`sweep_faults`](crate::testing::sweep_faults).
///
/// A file that is finished is synced (if that is asked for), closed, and given its name (if it has none yet): three
/// operations, each of which may fail. Interruptions and short writes are met at writes only; what else may be
/// interrupted is an implementation's own matter.
#[derive(Debug)]
pub struct FailingFileSystem {
    inner: Arc<dyn FileSystem>,
    fuse: Fuse,
}

struct FailingWriter {
    inner: Box<dyn FileWriter>,
    path: RelPath,
    visible: Visible,
    fuse: Fuse,
}

#[derive(Debug)]
struct FailingFile {
    inner: Box<dyn ReadAt>,
    path: RelPath,
    fuse: Fuse,
}

/// An error that was asked for.
#[derive(Debug, thiserror::Error)]
#[error("cannot {operation} '{path}'")]
struct Injected {
    operation: &'static str,
    path: String,
    source: io::Error,
}

impl FailingFileSystem {
    /// Fails as it is told.
    pub fn new(inner: Arc<dyn FileSystem>, injection: Injection) -> Self {
        Self { inner, fuse: Fuse::new(injection) }
    }

    /// Whether the operation came that was to fail.
    pub fn has_failed(&self) -> bool {
        self.fuse.has_burnt()
    }

    /// Lets everything work from here on, as after a repair.
    pub fn lift(&self) {
        self.fuse.lift();
    }

    fn check(&self, step: Step, operation: &'static str, path: &str, kind: ErrorKind) -> Result<()> {
        check(&self.fuse, step, operation, path, kind)
    }
}

fn check(fuse: &Fuse, step: Step, operation: &'static str, path: &str, kind: ErrorKind) -> Result<()> {
    if fuse.fault().is_harmless() {
        return Ok(());
    }
    match fuse.burn(step) {
        Burn::Fails(errno) => {
            let source = errno.into();
            Err(Error::new(kind, Injected { operation, path: path.to_owned(), source }))
        }
        Burn::Passes | Burn::Halves | Burn::FailsAfterwards(_) => Ok(()),
    }
}

impl FileSystem for FailingFileSystem {
    fn create_new(&self, path: &RelPath, visible: Visible) -> Result<Box<dyn FileWriter>> {
        self.check(Step::Create, "create", path.as_str(), ErrorKind::AbortCheckpoint)?;
        let inner = self.inner.create_new(path, visible)?;
        Ok(Box::new(FailingWriter { inner, path: path.clone(), visible, fuse: self.fuse.clone() }))
    }

    fn open(&self, path: &RelPath) -> Result<Box<dyn ReadAt>> {
        self.check(Step::Open, "open", path.as_str(), ErrorKind::Retry)?;
        let inner = self.inner.open(path)?;
        Ok(Box::new(FailingFile { inner, path: path.clone(), fuse: self.fuse.clone() }))
    }

    fn duplicate(&self, from: &RelPath, to: &RelPath, durability: Durability) -> CasOutcome {
        match self.check(Step::Create, "duplicate", from.as_str(), ErrorKind::AbortCheckpoint) {
            Ok(()) => self.inner.duplicate(from, to, durability),
            Err(error) => CasOutcome::Failed(error),
        }
    }

    fn sync_entries(&self, written: &[RelPath]) -> Result<()> {
        if let Some(first) = written.first() {
            self.check(Step::Sync, "sync the name of", first.as_str(), ErrorKind::AbortCheckpoint)?;
        }
        self.inner.sync_entries(written)
    }

    fn read_record(&self, path: &RelPath) -> Result<Option<(Bytes, VersionTag)>> {
        self.check(Step::Open, "open record", path.as_str(), ErrorKind::Retry)?;
        self.check(Step::Read, "read record", path.as_str(), ErrorKind::Retry)?;
        self.inner.read_record(path)
    }

    fn put_record(&self, path: &RelPath, body: Bytes, expect: Expect<'_>) -> CasOutcome {
        for (step, operation) in [
            (Step::Create, "create record"),
            (Step::Write, "write record"),
            (Step::Sync, "sync record"),
            (Step::Close, "close record"),
            (Step::Link, "name record"),
        ] {
            if let Err(error) = self.check(step, operation, path.as_str(), ErrorKind::Retry) {
                return CasOutcome::Failed(error);
            }
        }
        self.inner.put_record(path, body, expect)
    }

    fn list(&self, prefix: Option<&RelPath>, after: Option<&RelPath>, limit: usize) -> Result<Vec<Entry>> {
        self.check(Step::Look, "list", prefix.map_or("", RelPath::as_str), ErrorKind::Retry)?;
        self.inner.list(prefix, after, limit)
    }

    fn remove(&self, paths: &[RelPath]) -> Vec<Result<()>> {
        let remove = |path: &RelPath| {
            self.check(Step::Remove, "remove", path.as_str(), ErrorKind::Retry)?;
            self.inner.remove(std::slice::from_ref(path)).pop().unwrap_or(Ok(()))
        };
        match self.fuse.fault() {
            Fault::RemoveFails => paths.iter().map(remove).collect(),
            _ => self.inner.remove(paths),
        }
    }

    fn sync_removed(&self, removed: &[RelPath]) -> Result<()> {
        if let Some(first) = removed.first() {
            self.check(Step::Sync, "sync the removal of", first.as_str(), ErrorKind::Retry)?;
        }
        self.inner.sync_removed(removed)
    }

    fn make_directory(&self, directory: &RelPath) -> Result<bool> {
        self.check(Step::Create, "make directory", directory.as_str(), ErrorKind::AbortCheckpoint)?;
        self.inner.make_directory(directory)
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
        match self.fuse.burn(Step::Write) {
            Burn::Passes | Burn::FailsAfterwards(_) => self.inner.write(bytes),
            Burn::Halves => self.inner.write(&bytes[..bytes.len().div_ceil(2)]),
            Burn::Fails(Errno::INTR) => Err(Errno::INTR.into()),
            Burn::Fails(errno) => {
                let (source, path) = (io::Error::from(errno), self.path.to_string());
                let kind = source.kind();
                let error = Error::new(ErrorKind::AbortCheckpoint, Injected { operation: "write", path, source });
                Err(io::Error::new(kind, error))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl FileWriter for FailingWriter {
    fn part_bytes(&self) -> usize {
        self.inner.part_bytes()
    }

    fn finish(self: Box<Self>, durability: Durability) -> CasOutcome {
        let check =
            |step, operation| check(&self.fuse, step, operation, self.path.as_str(), ErrorKind::AbortCheckpoint);
        let sync = if durability == Durability::Full { check(Step::Sync, "sync") } else { Ok(()) };
        let close = sync.and_then(|()| check(Step::Close, "close"));
        let name = close.and_then(|()| match self.visible {
            Visible::AtOnce => Ok(()),
            Visible::WholeAtFinish => check(Step::Link, "publish"),
        });
        match name {
            Ok(()) => self.inner.finish(durability),
            Err(error) => match self.inner.discard() {
                Ok(()) => CasOutcome::Failed(error),
                Err(_) => CasOutcome::Unknown(error),
            },
        }
    }

    fn begin_sync(&mut self) {
        self.inner.begin_sync();
    }

    fn discard(self: Box<Self>) -> Result<()> {
        self.inner.discard()
    }
}

impl ReadAt for FailingFile {
    fn read_exact_at(&self, buffer: &mut [u8], offset_bytes: u64) -> io::Result<()> {
        check(&self.fuse, Step::Read, "read", self.path.as_str(), ErrorKind::Retry).map_err(io::Error::other)?;
        self.inner.read_exact_at(buffer, offset_bytes)
    }

    fn length_bytes(&self) -> u64 {
        self.inner.length_bytes()
    }
}
