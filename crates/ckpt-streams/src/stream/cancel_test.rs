//! Streams that are cancelled in the middle of a write, by counts and not by clocks.

use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use ckpt_core::state::RelPath;
use ckpt_core::{ErrorKind, Result};

use super::stream_test::{options, target};
use crate::file_system::{
    Capabilities, CasOutcome, Durability, Entry, Expect, FileSystem, FileWriter, MemoryFileSystem, ReadAt, VersionTag,
    Visible,
};
use crate::testing::RefusingSpawn;
use crate::{FileStreams, MemoryStreams, StateScope, StreamFactory as _};

const MIB: usize = 1 << 20;

/// Calls somebody in the write that brings the bytes of all files to a number.
#[derive(Clone)]
struct Calling {
    files: MemoryFileSystem,
    shared: Arc<Shared>,
}

struct Shared {
    at_bytes: usize,
    written_bytes: AtomicUsize,
    call: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

struct CallingWriter {
    inner: Box<dyn FileWriter>,
    shared: Arc<Shared>,
}

impl Calling {
    fn new(at_bytes: usize) -> Self {
        let shared = Shared { at_bytes, written_bytes: AtomicUsize::new(0), call: Mutex::new(None) };
        Self { files: MemoryFileSystem::new(), shared: Arc::new(shared) }
    }

    /// Streams that are cancelled in that write.
    fn streams(&self, write_buffer_bytes: usize) -> Arc<FileStreams> {
        let file_system: Arc<dyn FileSystem> = Arc::new(self.clone());
        let mut options = options(0);
        options.write_buffer_bytes = write_buffer_bytes;
        let streams = Arc::new(FileStreams::new(target(&file_system, Arc::new(RefusingSpawn::new())), options));
        let (cancelled, files) = (Arc::clone(&streams), self.files.clone());
        *self.shared.call.lock().unwrap() = Some(Box::new(move || {
            // The answer comes though the write has not returned.
            cancelled.cancel().wait().unwrap();
            assert_eq!(files.paths(), []);
        }));
        streams
    }

    fn written_bytes(&self) -> usize {
        self.shared.written_bytes.load(Ordering::Relaxed)
    }
}

impl Write for CallingWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        if self.shared.written_bytes.fetch_add(written, Ordering::Relaxed) + written >= self.shared.at_bytes {
            if let Some(call) = self.shared.call.lock().unwrap().take() {
                call();
            }
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl FileWriter for CallingWriter {
    fn finish(self: Box<Self>, durability: Durability) -> CasOutcome {
        self.inner.finish(durability)
    }

    fn discard(self: Box<Self>) -> Result<()> {
        self.inner.discard()
    }
}

impl FileSystem for Calling {
    fn create_new(&self, path: &RelPath, visible: Visible) -> Result<Box<dyn FileWriter>> {
        let inner = self.files.create_new(path, visible)?;
        Ok(Box::new(CallingWriter { inner, shared: Arc::clone(&self.shared) }))
    }

    fn open(&self, path: &RelPath) -> Result<Box<dyn ReadAt>> {
        self.files.open(path)
    }

    fn duplicate(&self, from: &RelPath, to: &RelPath) -> Result<()> {
        self.files.duplicate(from, to)
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
        self.files.remove(paths)
    }

    fn capabilities(&self) -> Capabilities {
        self.files.capabilities()
    }
}

/// Every buffer and every MiB is a look at the cancellation, however much is given at once: what was begun is the last.
#[test]
fn a_write_ends_with_the_piece_in_which_it_was_cancelled() {
    for (write_bytes, buffer_bytes, piece_bytes) in
        [(64 * MIB, 64 << 10, MIB), (64 << 10, 64 << 10, 64 << 10), (64, 64 << 10, 64 << 10), (1000, MIB, MIB)]
    {
        let calling = Calling::new(5 * MIB);
        let streams = calling.streams(buffer_bytes);
        let mut stream = streams.create(StateScope::Exclusive).unwrap();
        let piece = vec![1; write_bytes];
        let mut accepted_bytes = 0;
        let error = loop {
            match stream.write_all(&piece) {
                Ok(()) => accepted_bytes += write_bytes,
                Err(error) => break error,
            }
            assert!(accepted_bytes <= 6 * MIB, "{write_bytes} {accepted_bytes}");
        };
        assert_eq!(error.kind(), io::ErrorKind::Other);
        assert_eq!(crate::into_error(error, ErrorKind::FailJob).kind(), ErrorKind::Cancelled);
        let most = (5 * MIB).next_multiple_of(piece_bytes);
        assert_eq!(calling.written_bytes(), most, "{write_bytes}");
        assert!(stream.finish().is_err());
        assert_eq!(calling.files.paths(), []);
        let counts = streams.counts();
        assert_eq!((counts.dropped, counts.left_behind), (0, 0));
    }
}

#[test]
fn state_that_has_no_file_hears_of_a_cancellation_too() {
    let calling = Calling::new(usize::MAX);
    let file_system: Arc<dyn FileSystem> = Arc::new(calling);
    let streams = FileStreams::new(target(&file_system, Arc::new(RefusingSpawn::new())), options(usize::MAX));
    let mut stream = streams.create(StateScope::Exclusive).unwrap();
    stream.write_all(&[1; 100]).unwrap();
    streams.cancel().wait().unwrap();
    let after = (0..2000).take_while(|_| stream.write_all(&[1; 1000]).is_ok()).count();
    assert!(after * 1000 <= MIB, "{after}");
    assert_eq!(stream.finish().unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!(streams.create(StateScope::Exclusive).unwrap_err().kind(), ErrorKind::Cancelled);
}

/// Asserted by the compiler.
#[test]
fn what_threads_share_can_be_shared() {
    fn shared<T: Send + Sync>() {}
    fn sent<T: Send>() {}
    shared::<FileStreams>();
    shared::<MemoryStreams>();
    shared::<crate::Budget>();
    shared::<crate::BudgetAccount>();
    sent::<crate::Charge>();
    sent::<crate::Staged>();
    sent::<Box<dyn crate::StateOutputStream>>();
    sent::<crate::Pending<()>>();
}

impl fmt::Debug for Calling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calling").finish_non_exhaustive()
    }
}
