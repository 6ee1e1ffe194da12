//! A file system that tells what was done with it.

use std::io::{self, Write};
use std::sync::Arc;

use bytes::Bytes;
use ckpt_core::Result;
use ckpt_core::state::RelPath;

use crate::file_system::{
    Capabilities, CasOutcome, Durability, Entry, Expect, FileSystem, FileWriter, ReadAt, VersionTag, Visible,
};
use crate::sync::Mutex;

/// Passes everything on and remembers it in the order in which it ended.
#[derive(Debug)]
pub struct RecordingFileSystem {
    inner: Arc<dyn FileSystem>,
    operations: Arc<Mutex<Vec<Operation>>>,
}

/// Something that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// What.
    pub kind: OperationKind,
    /// To which paths.
    pub paths: Vec<RelPath>,
}

/// What was done. Reading is not remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OperationKind {
    /// A file was begun.
    CreateNew,
    /// A file was finished and synced.
    Sync,
    /// A file was finished and not synced.
    Finish,
    /// A file was discarded or its writer dropped.
    Discard,
    /// A file was copied.
    Duplicate,
    /// Names were made durable.
    SyncEntries,
    /// A record was written.
    PutRecord,
    /// Files were removed.
    Remove,
    /// Removals were made durable.
    SyncRemoved,
}

struct RecordingWriter {
    inner: Option<Box<dyn FileWriter>>,
    path: RelPath,
    operations: Arc<Mutex<Vec<Operation>>>,
}

impl RecordingFileSystem {
    /// Watches that file system.
    pub fn new(inner: Arc<dyn FileSystem>) -> Self {
        Self { inner, operations: Arc::new(Mutex::new(Vec::new())) }
    }

    /// What was done so far.
    pub fn operations(&self) -> Vec<Operation> {
        self.operations.lock().clone()
    }
}

fn record(operations: &Mutex<Vec<Operation>>, kind: OperationKind, paths: &[RelPath]) {
    operations.lock().push(Operation { kind, paths: paths.to_vec() });
}

impl FileSystem for RecordingFileSystem {
    fn create_new(&self, path: &RelPath, visible: Visible) -> Result<Box<dyn FileWriter>> {
        let inner = self.inner.create_new(path, visible)?;
        record(&self.operations, OperationKind::CreateNew, std::slice::from_ref(path));
        let operations = Arc::clone(&self.operations);
        Ok(Box::new(RecordingWriter { inner: Some(inner), path: path.clone(), operations }))
    }

    fn open(&self, path: &RelPath) -> Result<Box<dyn ReadAt>> {
        self.inner.open(path)
    }

    fn duplicate(&self, from: &RelPath, to: &RelPath, durability: Durability) -> CasOutcome {
        let outcome = self.inner.duplicate(from, to, durability);
        record(&self.operations, OperationKind::Duplicate, &[from.clone(), to.clone()]);
        outcome
    }

    fn sync_entries(&self, written: &[RelPath]) -> Result<()> {
        let outcome = self.inner.sync_entries(written);
        record(&self.operations, OperationKind::SyncEntries, written);
        outcome
    }

    fn read_record(&self, path: &RelPath) -> Result<Option<(Bytes, VersionTag)>> {
        self.inner.read_record(path)
    }

    fn put_record(&self, path: &RelPath, body: Bytes, expect: Expect<'_>) -> CasOutcome {
        let outcome = self.inner.put_record(path, body, expect);
        record(&self.operations, OperationKind::PutRecord, std::slice::from_ref(path));
        outcome
    }

    fn list(&self, prefix: Option<&RelPath>, after: Option<&RelPath>, limit: usize) -> Result<Vec<Entry>> {
        self.inner.list(prefix, after, limit)
    }

    fn remove(&self, paths: &[RelPath]) -> Vec<Result<()>> {
        let outcomes = self.inner.remove(paths);
        record(&self.operations, OperationKind::Remove, paths);
        outcomes
    }

    fn sync_removed(&self, removed: &[RelPath]) -> Result<()> {
        let outcome = self.inner.sync_removed(removed);
        record(&self.operations, OperationKind::SyncRemoved, removed);
        outcome
    }

    fn make_directory(&self, directory: &RelPath) -> Result<bool> {
        self.inner.make_directory(directory)
    }

    fn shown(&self, path: &RelPath) -> String {
        self.inner.shown(path)
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }
}

impl RecordingWriter {
    fn record(&self, kind: OperationKind) {
        record(&self.operations, kind, std::slice::from_ref(&self.path));
    }
}

impl Write for RecordingWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.as_mut().map_or(Ok(0), |inner| inner.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.as_mut().map_or(Ok(()), |inner| inner.flush())
    }
}

impl FileWriter for RecordingWriter {
    fn part_bytes(&self) -> usize {
        self.inner.as_ref().map_or(0, |inner| inner.part_bytes())
    }

    fn finish(mut self: Box<Self>, durability: Durability) -> CasOutcome {
        let inner = self.inner.take().expect("a writer is finished or discarded once");
        let outcome = inner.finish(durability);
        self.record(match durability {
            Durability::Full => OperationKind::Sync,
            Durability::None => OperationKind::Finish,
        });
        outcome
    }

    fn begin_sync(&mut self) {
        if let Some(inner) = &mut self.inner {
            inner.begin_sync();
        }
    }

    fn discard(mut self: Box<Self>) -> Result<()> {
        let inner = self.inner.take().expect("a writer is finished or discarded once");
        let outcome = inner.discard();
        self.record(OperationKind::Discard);
        outcome
    }
}

impl Drop for RecordingWriter {
    fn drop(&mut self) {
        if let Some(inner) = self.inner.take() {
            drop(inner);
            self.record(OperationKind::Discard);
        }
    }
}
