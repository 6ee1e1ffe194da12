//! State that tests store and read, and a file system that tells what is read of it.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use ckpt_core::id::{LeaderEpoch, Writer, WriterId};
use ckpt_core::state::{Place, RelPath, Root, StateHandle};
use ckpt_core::{Error, ErrorKind, Result};
use parking_lot::Mutex;

use crate::file_system::{
    Capabilities, CasOutcome, Durability, Entry, Expect, FileSystem, FileWriter, LocalFileSystem, ReadAt, VersionTag,
    Visible,
};
use crate::testing::RefusingSpawn;
use crate::{
    FileNames, FileStateReader, FileStreams, FileStreamsOptions, FileStreamsTarget, StateDirectory, StateReader as _,
    StateScope, StreamFactory as _, into_error,
};

/// State files in a directory that goes with it.
pub(super) struct Stored {
    _scratch: tempfile::TempDir,
    pub(super) directory: StateDirectory,
    pub(super) reader: FileStateReader,
    pub(super) files: Vec<(PathBuf, StateHandle)>,
    /// What was read of them.
    pub(super) reads: Reads,
    /// Where the next read that begins there panics.
    pub(super) panics: Arc<Mutex<Option<u64>>>,
}

/// Where each read began, how long it was, and where in memory it went.
pub(super) type Reads = Arc<Mutex<Vec<(u64, usize, usize)>>>;

/// Files of those lengths.
pub(super) fn store(lengths: &[usize]) -> Stored {
    let scratch = tempfile::tempdir().unwrap();
    let (reads, panics) = (Reads::default(), Arc::default());
    let inner = Arc::new(LocalFileSystem::open(scratch.path()).unwrap());
    let file_system = Arc::new(Watched { inner, reads: Arc::clone(&reads), panics: Arc::clone(&panics) });
    let directory = StateDirectory::new(Root::ThisSnapshot, file_system, None);
    let names = Arc::new(FileNames::new(Writer::new(LeaderEpoch::new(1), WriterId::new(1))));
    let target = FileStreamsTarget::new(directory.clone(), directory.clone(), names, Arc::new(RefusingSpawn::new()));
    let options = FileStreamsOptions { inline_threshold_bytes: 0, ..FileStreamsOptions::default() };
    let streams = FileStreams::new(target, options);
    let mut files = Vec::new();
    for length in lengths {
        let mut stream = streams.create(StateScope::Exclusive).unwrap();
        stream.write_all(&payload(*length)).unwrap();
        let handle = streams.seal_piece(stream.finish().unwrap().unwrap()).unwrap();
        let Place::File { file, .. } = handle.place() else { panic!("{handle:?}") };
        files.push((scratch.path().join(file.to_string()), handle));
    }
    let reader = FileStateReader::new(vec![directory.clone()]);
    Stored { _scratch: scratch, directory, reader, files, reads, panics }
}

/// Bytes of which none is 253 or more.
pub(super) fn payload(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n % 253) as u8).collect()
}

/// Reads everything; what was yielded before an error, and the error.
pub(super) fn read(reader: &FileStateReader, handle: &StateHandle) -> (Vec<u8>, Option<Error>) {
    let mut stream = match reader.open(handle) {
        Ok(stream) => stream,
        Err(error) => return (Vec::new(), Some(error)),
    };
    let mut found = Vec::new();
    let outcome = stream.read_to_end(&mut found);
    (found, outcome.err().map(|error| into_error(error, ErrorKind::Retry)))
}

/// A file as somebody else writes it.
pub(super) fn write_foreign(directory: &Path, content: &[u8]) {
    std::fs::write(directory.join("000012.sst"), content).unwrap();
}

/// Tells what is read.
#[derive(Debug)]
struct Watched {
    inner: Arc<LocalFileSystem>,
    reads: Reads,
    panics: Arc<Mutex<Option<u64>>>,
}

#[derive(Debug)]
struct WatchedFile {
    inner: Box<dyn ReadAt>,
    reads: Reads,
    panics: Arc<Mutex<Option<u64>>>,
}

impl ReadAt for WatchedFile {
    fn read_exact_at(&self, buffer: &mut [u8], offset_bytes: u64) -> io::Result<()> {
        let panics = self.panics.lock().take_if(|at| *at == offset_bytes).is_some();
        assert!(!panics, "as it was to");
        self.reads.lock().push((offset_bytes, buffer.len(), buffer.as_ptr() as usize));
        self.inner.read_exact_at(buffer, offset_bytes)
    }

    fn length_bytes(&self) -> u64 {
        self.inner.length_bytes()
    }
}

impl FileSystem for Watched {
    fn open(&self, path: &RelPath) -> Result<Box<dyn ReadAt>> {
        let (reads, panics) = (Arc::clone(&self.reads), Arc::clone(&self.panics));
        Ok(Box::new(WatchedFile { inner: self.inner.open(path)?, reads, panics }))
    }

    fn create_new(&self, path: &RelPath, visible: Visible) -> Result<Box<dyn FileWriter>> {
        self.inner.create_new(path, visible)
    }

    fn duplicate(&self, from: &RelPath, to: &RelPath, durability: Durability) -> CasOutcome {
        self.inner.duplicate(from, to, durability)
    }

    fn sync_entries(&self, written: &[RelPath]) -> Result<()> {
        self.inner.sync_entries(written)
    }

    fn read_record(&self, path: &RelPath) -> Result<Option<(Bytes, VersionTag)>> {
        self.inner.read_record(path)
    }

    fn put_record(&self, path: &RelPath, body: Bytes, expect: Expect<'_>) -> CasOutcome {
        self.inner.put_record(path, body, expect)
    }

    fn list(&self, prefix: Option<&RelPath>, after: Option<&RelPath>, limit: usize) -> Result<Vec<Entry>> {
        self.inner.list(prefix, after, limit)
    }

    fn remove(&self, paths: &[RelPath]) -> Vec<Result<()>> {
        self.inner.remove(paths)
    }

    fn sync_removed(&self, removed: &[RelPath]) -> Result<()> {
        self.inner.sync_removed(removed)
    }

    fn shown(&self, path: &RelPath) -> String {
        self.inner.shown(path)
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }
}
