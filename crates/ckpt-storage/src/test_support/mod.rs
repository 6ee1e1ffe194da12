//! What the tests of this crate have in common: small checkpoints, and a file system in memory that fails on demand.

mod below;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use bytes::Bytes;
use ckpt_core::state::RelPath;
use ckpt_core::uri::UriParts;
use ckpt_core::{Error, ErrorKind, Result};
use ckpt_streams::file_system::{
    Capabilities, CasOutcome, Durability, Entry, Expect, FileSystem, FileSystems, FileWriter, ReadAt, VersionTag,
    Visible,
};
use ckpt_streams::{Job, Rejected, Spawn};
use parking_lot::Mutex;

use crate::{RandomSource, StorageContext};
pub(crate) use below::context_over;

/// A disk in memory. Each operation counts; one of them may be made to go wrong.
#[derive(Clone, Default)]
pub(crate) struct MemoryDisk(Arc<Mutex<Disk>>);

#[derive(Default)]
struct Disk {
    files: BTreeMap<String, Bytes>,
    records: Records,
    /// What reads show, while they show the past.
    cached: Option<Records>,
    operations: u64,
    faults: BTreeMap<u64, Fault>,
    meanwhile: Option<(u64, Meanwhile)>,
    log: Vec<String>,
}

/// What somebody else does to the files and the records.
type Meanwhile = Box<dyn FnOnce(&mut BTreeMap<String, Bytes>, &mut Records) + Send>;

/// Each with its version.
pub(crate) type Records = BTreeMap<String, (u64, Bytes)>;

/// What goes wrong with an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It does not happen and says so.
    Fails,
    /// It happens, and the answer is lost.
    ReplyLost,
    /// It does not happen, and no answer says so.
    RequestLost,
}

impl MemoryDisk {
    /// The operation that comes `after` so many others goes wrong, and those behind it, `how_many` in all.
    pub(crate) fn fail(&self, after: u64, fault: Fault, how_many: u64) {
        let mut disk = self.0.lock();
        let first = disk.operations + after;
        disk.faults = (first..first.saturating_add(how_many).min(first + 10_000)).map(|at| (at, fault)).collect();
    }

    /// The same besides those that were said before, counted from here too.
    pub(crate) fn fail_more(&self, after: u64, fault: Fault, how_many: u64) {
        let mut disk = self.0.lock();
        let first = disk.operations + after;
        disk.faults.extend((first..first + how_many).map(|at| (at, fault)));
    }

    /// Right before the operation that comes `after` so many others, somebody else does that.
    pub(crate) fn meanwhile(&self, after: u64, does: impl FnOnce(&mut BTreeMap<String, Bytes>) + Send + 'static) {
        self.meanwhile_all(after, |files, _| does(files));
    }

    /// The same with the records too.
    pub(crate) fn meanwhile_all(
        &self,
        after: u64,
        does: impl FnOnce(&mut BTreeMap<String, Bytes>, &mut Records) + Send + 'static,
    ) {
        let mut disk = self.0.lock();
        disk.meanwhile = Some((disk.operations + after, Box::new(does)));
    }

    pub(crate) fn heal(&self) {
        let mut disk = self.0.lock();
        disk.faults.clear();
        disk.meanwhile = None;
    }

    /// From here on the records that are there are read as they are now, whatever is written: out of a cache, as on a shared
    /// file system.
    /// Writes go to where the records are.
    pub(crate) fn cache_records(&self) {
        let mut disk = self.0.lock();
        disk.cached = Some(disk.records.clone());
    }

    /// Records are read as they are.
    pub(crate) fn expire_cache(&self) {
        self.0.lock().cached = None;
    }

    pub(crate) fn operations(&self) -> u64 {
        self.0.lock().operations
    }

    /// Mutating operations in their order, and a new list begins.
    pub(crate) fn take_log(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().log)
    }

    pub(crate) fn files(&self) -> Vec<String> {
        self.0.lock().files.keys().cloned().collect()
    }

    pub(crate) fn records(&self) -> Vec<String> {
        self.0.lock().records.keys().cloned().collect()
    }

    pub(crate) fn content(&self, path: &str) -> Bytes {
        self.0.lock().files[path].clone()
    }

    pub(crate) fn put(&self, path: &str, bytes: &[u8]) {
        self.0.lock().files.insert(path.to_owned(), Bytes::copy_from_slice(bytes));
    }

    /// Changes a file or record in place, as a bad disk does.
    pub(crate) fn damage(&self, path: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut disk = self.0.lock();
        let disk = &mut *disk;
        let bytes = match disk.files.get_mut(path) {
            Some(bytes) => bytes,
            None => &mut disk.records.get_mut(path).expect("a file or record to damage").1,
        };
        let mut changed = bytes.to_vec();
        change(&mut changed);
        *bytes = changed.into();
    }

    /// A process of its own that sees this disk under the scheme `mem`.
    pub(crate) fn context(&self) -> StorageContext {
        let mut file_systems = FileSystems::local();
        let disk = self.clone();
        let opener = move |uri: &str| {
            let path = UriParts::of(uri).and_then(UriParts::decoded_path).expect("a valid URI");
            let root = path.trim_start_matches('/').to_owned();
            Ok(Arc::new(MemoryFileSystem { disk: disk.clone(), root }) as Arc<dyn FileSystem>)
        };
        file_systems.register("mem", opener).unwrap();
        StorageContext::new(Arc::new(file_systems), Arc::new(SpawnHere))
    }
}

impl fmt::Debug for MemoryDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryDisk")
    }
}

/// The same bits in the same order, time and again.
#[derive(Debug)]
pub(crate) struct Seeded {
    state: Mutex<u64>,
    step: u64,
}

impl Seeded {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { state: Mutex::new(seed), step: 0x9e37_79b9_7f4a_7c15 }
    }

    /// Every byte is that one.
    pub(crate) const fn constant(byte: u8) -> Self {
        Self { state: Mutex::new((byte as u64) << 56), step: 0 }
    }
}

impl RandomSource for Seeded {
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        let mut state = self.state.lock();
        for byte in bytes {
            *state = state.wrapping_add(self.step);
            *byte = (*state >> 56) as u8;
        }
        Ok(())
    }
}

/// Runs jobs on the caller's thread.
#[derive(Debug)]
struct SpawnHere;

impl Spawn for SpawnHere {
    fn spawn(&self, _name: &'static str, job: Job) -> Result<(), Rejected> {
        job();
        Ok(())
    }
}

/// A process that sees the local file system only.
pub(crate) fn local_context() -> StorageContext {
    StorageContext::new(Arc::new(FileSystems::local()), Arc::new(SpawnHere))
}

/// A directory of a [`MemoryDisk`].
#[derive(Debug)]
struct MemoryFileSystem {
    disk: MemoryDisk,
    root: String,
}

impl MemoryFileSystem {
    fn whole(&self, path: &RelPath) -> String {
        format!("{}/{path}", self.root)
    }

    /// Counts an operation and says what is to go wrong with it.
    fn begin(&self, disk: &mut Disk, log: Option<String>) -> Option<Fault> {
        if let Some((_, does)) = disk.meanwhile.take_if(|(at, _)| *at == disk.operations) {
            does(&mut disk.files, &mut disk.records);
        }
        let fault = disk.faults.get(&disk.operations).copied();
        disk.operations += 1;
        if fault.is_none_or(|fault| fault == Fault::ReplyLost) {
            disk.log.extend(log);
        }
        fault
    }

    /// For operations that cannot be in doubt.
    fn begin_certain(&self, disk: &mut Disk, log: Option<String>, kind: ErrorKind) -> Result<()> {
        match self.begin(disk, log) {
            None => Ok(()),
            Some(_) => Err(Error::new(kind, "injected")),
        }
    }
}

fn in_doubt() -> CasOutcome {
    CasOutcome::Unknown(Error::new(ErrorKind::Unknown, "injected"))
}

impl FileSystem for MemoryFileSystem {
    fn create_new(&self, path: &RelPath, visible: Visible) -> Result<Box<dyn FileWriter>> {
        let path = self.whole(path);
        let mut disk = self.disk.0.lock();
        self.begin_certain(&mut disk, None, ErrorKind::AbortCheckpoint)?;
        if visible == Visible::AtOnce {
            if disk.files.contains_key(&path) {
                return Err(Error::new(ErrorKind::AbortCheckpoint, format!("{path} exists")));
            }
            disk.files.insert(path.clone(), Bytes::new());
        }
        let file_system = Self { disk: self.disk.clone(), root: self.root.clone() };
        Ok(Box::new(MemoryWriter { file_system, path, visible, bytes: Vec::new() }))
    }

    fn open(&self, path: &RelPath) -> Result<Box<dyn ReadAt>> {
        let path = self.whole(path);
        let mut disk = self.disk.0.lock();
        self.begin_certain(&mut disk, None, ErrorKind::Retry)?;
        match disk.files.get(&path) {
            Some(bytes) => Ok(Box::new(MemoryFile(bytes.clone()))),
            None => Err(Error::new(ErrorKind::NotFound, format!("{path} is missing"))),
        }
    }

    fn duplicate(&self, _from: &RelPath, _to: &RelPath, _durability: Durability) -> CasOutcome {
        CasOutcome::Failed(Error::new(ErrorKind::AbortCheckpoint, "this disk duplicates nothing"))
    }

    fn sync_entries(&self, written: &[RelPath]) -> Result<()> {
        let log = written.iter().map(|path| format!("sync {}", self.whole(path))).collect::<Vec<_>>().join(", ");
        self.begin_certain(&mut self.disk.0.lock(), Some(log), ErrorKind::AbortCheckpoint)
    }

    fn read_record(&self, path: &RelPath) -> Result<Option<(Bytes, VersionTag)>> {
        let mut disk = self.disk.0.lock();
        self.begin_certain(&mut disk, None, ErrorKind::Retry)?;
        let path = self.whole(path);
        let cached = disk.cached.as_ref().and_then(|cached| cached.get(&path));
        let record = cached.or_else(|| disk.records.get(&path));
        Ok(record.map(|(version, body)| (body.clone(), VersionTag::new(version.to_string()))))
    }

    fn put_record(&self, path: &RelPath, body: Bytes, expect: Expect<'_>) -> CasOutcome {
        let path = self.whole(path);
        let mut disk = self.disk.0.lock();
        let fault = self.begin(&mut disk, Some(format!("put {path}")));
        match fault {
            Some(Fault::Fails) => return CasOutcome::Failed(Error::new(ErrorKind::Retry, "injected")),
            Some(Fault::RequestLost) => return in_doubt(),
            Some(Fault::ReplyLost) | None => {}
        }
        let current = disk.records.get(&path).map(|(version, _)| *version);
        let expected = match expect {
            Expect::Absent => None,
            Expect::Version(tag) => Some(tag.as_str().parse().unwrap()),
            _ => unreachable!("no other expectation is known"),
        };
        let version = current.map_or(1, |version| version + 1);
        if current == expected {
            disk.records.insert(path, (version, body));
        }
        match fault {
            Some(_) => in_doubt(),
            None if current == expected => CasOutcome::Done(VersionTag::new(version.to_string())),
            None => CasOutcome::Lost,
        }
    }

    fn list(&self, prefix: Option<&RelPath>, after: Option<&RelPath>, limit: usize) -> Result<Vec<Entry>> {
        let mut disk = self.disk.0.lock();
        self.begin_certain(&mut disk, None, ErrorKind::Retry)?;
        let below = match prefix {
            Some(prefix) => format!("{}/", self.whole(prefix)),
            None => format!("{}/", self.root),
        };
        let records = disk.records.iter().map(|(path, (_, body))| (path, body));
        let mut all: Vec<_> = disk.files.iter().chain(records).filter(|(path, _)| path.starts_with(&below)).collect();
        all.sort();
        let entries = all
            .into_iter()
            .map(|(path, bytes)| Entry::new(RelPath::new(&path[self.root.len() + 1..]).unwrap(), bytes.len() as u64));
        Ok(entries.filter(|entry| after.is_none_or(|after| entry.path > *after)).take(limit).collect())
    }

    fn remove(&self, paths: &[RelPath]) -> Vec<Result<()>> {
        let remove = |path: &RelPath| {
            let path = self.whole(path);
            let mut disk = self.disk.0.lock();
            self.begin_certain(&mut disk, Some(format!("remove {path}")), ErrorKind::Retry)?;
            disk.files.remove(&path);
            disk.records.remove(&path);
            Ok(())
        };
        paths.iter().map(remove).collect()
    }

    fn sync_removed(&self, removed: &[RelPath]) -> Result<()> {
        let log = removed.iter().map(|path| format!("sync {}", self.whole(path))).collect::<Vec<_>>().join(", ");
        self.begin_certain(&mut self.disk.0.lock(), Some(log), ErrorKind::Retry)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::NONE
    }
}

struct MemoryWriter {
    file_system: MemoryFileSystem,
    path: String,
    visible: Visible,
    bytes: Vec<u8>,
}

impl Write for MemoryWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut disk = self.file_system.disk.0.lock();
        self.file_system.begin_certain(&mut disk, None, ErrorKind::AbortCheckpoint).map_err(io::Error::other)?;
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl FileWriter for MemoryWriter {
    fn finish(self: Box<Self>, _durability: Durability) -> CasOutcome {
        let mut disk = self.file_system.disk.0.lock();
        let fault = self.file_system.begin(&mut disk, Some(format!("publish {}", self.path)));
        match fault {
            Some(Fault::Fails) => return CasOutcome::Failed(Error::new(ErrorKind::AbortCheckpoint, "injected")),
            Some(Fault::RequestLost) => return in_doubt(),
            Some(Fault::ReplyLost) | None => {}
        }
        let taken = self.visible == Visible::WholeAtFinish && disk.files.contains_key(&self.path);
        if !taken {
            disk.files.insert(self.path, self.bytes.into());
        }
        match fault {
            Some(_) => in_doubt(),
            None if taken => CasOutcome::Lost,
            None => CasOutcome::Done(VersionTag::new("1")),
        }
    }

    fn discard(self: Box<Self>) -> Result<()> {
        let mut disk = self.file_system.disk.0.lock();
        if self.visible == Visible::AtOnce {
            disk.files.remove(&self.path);
        }
        self.file_system.begin_certain(&mut disk, None, ErrorKind::Retry)
    }
}

#[derive(Debug)]
struct MemoryFile(Bytes);

impl ReadAt for MemoryFile {
    fn read_exact_at(&self, buffer: &mut [u8], offset_bytes: u64) -> io::Result<()> {
        let begin = usize::try_from(offset_bytes).map_err(io::Error::other)?;
        let bytes = self.0.get(begin..).and_then(|rest| rest.get(..buffer.len()));
        buffer.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn length_bytes(&self) -> u64 {
        self.0.len() as u64
    }
}
