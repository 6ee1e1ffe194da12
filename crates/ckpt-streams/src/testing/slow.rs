//! A file system that is slow, in virtual time.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ckpt_core::Result;
use ckpt_core::state::RelPath;

use crate::Charge;
use crate::file_system::{
    Capabilities, CasOutcome, Durability, Entry, Expect, FileSystem, FileWriter, ReadAt, VersionTag, Visible,
};
use crate::testing::VirtualClock;

/// Passes everything on, late by a clock that the test advances.
///
/// A stall of ten minutes is an [`operation`](Delays::operation) that takes ten minutes: nothing happens until the test
/// has let them pass, and the test takes no time.
#[derive(Debug)]
pub struct SlowFileSystem {
    inner: Arc<dyn FileSystem>,
    clock: VirtualClock,
    delays: Delays,
}

/// How long things take. Zero for what is not named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delays {
    /// Every operation: each write and read, and whatever else is asked of the file system.
    pub operation: Duration,
    /// On top of that, a sync of a file or of names.
    pub sync: Duration,
    /// On top of that, 1 MiB that is written or read.
    pub mebibyte: Duration,
}

struct SlowWriter {
    inner: Box<dyn FileWriter>,
    clock: VirtualClock,
    delays: Delays,
}

#[derive(Debug)]
struct SlowFile {
    inner: Box<dyn ReadAt>,
    clock: VirtualClock,
    delays: Delays,
}

impl Delays {
    /// Every operation takes that long.
    pub fn of_operations(operation: Duration) -> Self {
        Self { operation, ..Self::default() }
    }

    fn of_bytes(&self, length: usize) -> Duration {
        let nanoseconds = self.mebibyte.as_nanos().saturating_mul(length as u128) >> 20;
        self.operation + Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
    }
}

impl SlowFileSystem {
    /// As slow as that.
    pub fn new(inner: Arc<dyn FileSystem>, clock: VirtualClock, delays: Delays) -> Self {
        Self { inner, clock, delays }
    }

    fn operation(&self) {
        self.clock.sleep(self.delays.operation);
    }
}

impl FileSystem for SlowFileSystem {
    fn create_new(&self, path: &RelPath, visible: Visible) -> Result<Box<dyn FileWriter>> {
        self.operation();
        let inner = self.inner.create_new(path, visible)?;
        Ok(Box::new(SlowWriter { inner, clock: self.clock.clone(), delays: self.delays }))
    }

    fn open(&self, path: &RelPath) -> Result<Box<dyn ReadAt>> {
        self.operation();
        let inner = self.inner.open(path)?;
        Ok(Box::new(SlowFile { inner, clock: self.clock.clone(), delays: self.delays }))
    }

    fn duplicate(&self, from: &RelPath, to: &RelPath, durability: Durability) -> CasOutcome {
        self.operation();
        self.inner.duplicate(from, to, durability)
    }

    fn sync_entries(&self, written: &[RelPath]) -> Result<()> {
        self.clock.sleep(self.delays.operation + self.delays.sync);
        self.inner.sync_entries(written)
    }

    fn read_record(&self, path: &RelPath) -> Result<Option<(Bytes, VersionTag)>> {
        self.operation();
        self.inner.read_record(path)
    }

    fn put_record(&self, path: &RelPath, body: Bytes, expect: Expect<'_>) -> CasOutcome {
        self.clock.sleep(self.delays.operation + self.delays.sync);
        self.inner.put_record(path, body, expect)
    }

    fn list(&self, prefix: Option<&RelPath>, after: Option<&RelPath>, limit: usize) -> Result<Vec<Entry>> {
        self.operation();
        self.inner.list(prefix, after, limit)
    }

    fn remove(&self, paths: &[RelPath]) -> Vec<Result<()>> {
        self.operation();
        self.inner.remove(paths)
    }

    fn sync_removed(&self, removed: &[RelPath]) -> Result<()> {
        self.clock.sleep(self.delays.operation + self.delays.sync);
        self.inner.sync_removed(removed)
    }

    fn make_directory(&self, directory: &RelPath) -> Result<bool> {
        self.operation();
        self.inner.make_directory(directory)
    }

    fn shown(&self, path: &RelPath) -> String {
        self.inner.shown(path)
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }
}

impl Write for SlowWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.clock.sleep(self.delays.of_bytes(bytes.len()));
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl FileWriter for SlowWriter {
    fn part_bytes(&self) -> usize {
        self.inner.part_bytes()
    }

    fn write_part(&mut self, part: Bytes, charge: Charge) -> io::Result<()> {
        self.clock.sleep(self.delays.of_bytes(part.len()));
        self.inner.write_part(part, charge)
    }

    fn finish(self: Box<Self>, durability: Durability) -> CasOutcome {
        let sync = if durability == Durability::Full { self.delays.sync } else { Duration::ZERO };
        self.clock.sleep(self.delays.operation + sync);
        self.inner.finish(durability)
    }

    fn begin_sync(&mut self) {
        self.inner.begin_sync();
    }

    fn discard(self: Box<Self>) -> Result<()> {
        self.clock.sleep(self.delays.operation);
        self.inner.discard()
    }
}

impl ReadAt for SlowFile {
    fn read_exact_at(&self, buffer: &mut [u8], offset_bytes: u64) -> io::Result<()> {
        self.clock.sleep(self.delays.of_bytes(buffer.len()));
        self.inner.read_exact_at(buffer, offset_bytes)
    }

    fn length_bytes(&self) -> u64 {
        self.inner.length_bytes()
    }
}
