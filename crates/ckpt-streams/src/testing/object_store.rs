//! A file system with the rules of an object store.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::io::{self, Write};

use bytes::Bytes;
use ckpt_core::state::RelPath;
use ckpt_core::{Error, ErrorKind, Result};

use crate::file_system::memory::copy_exact_at;
use crate::file_system::{
    Capabilities, CasOutcome, Durability, Entry, Expect, FileSystem, FileWriter, ReadAt, VersionTag, Visible,
};
use crate::sync::{Arc, Mutex};

/// A file system in memory with the rules of an object store. Clones see the same objects.
///
/// * There is no rename and no link. An object appears whole when its upload is completed, if its name is free then.
/// * The answer to a request that changes something may be lost, before or after it was done; the request may be done
///   *late*, when whoever sent it has long given up: see [`answer_next`](Self::answer_next) and
///   [`land`](Self::land). A late completion or record keeps its condition, and a removal does not stop it.
/// * A list may be of the past: see [`list_the_past`](Self::list_the_past).
#[derive(Clone)]
pub struct ObjectStoreFileSystem {
    store: Arc<Mutex<Store>>,
    part_bytes: usize,
}

/// What becomes of a request that changes something, and of the answer to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply {
    /// It is done, and the answer arrives.
    Arrives,
    /// It is not done, and the answer says so.
    Refused,
    /// It is done, and the answer is lost.
    LostAfterApplied,
    /// It is not done, and nobody says so.
    LostBeforeApplied,
    /// Nobody says anything, and it is done with the next [`land`](ObjectStoreFileSystem::land).
    Late,
}

#[derive(Default)]
struct Store {
    objects: BTreeMap<RelPath, Bytes>,
    records: BTreeMap<RelPath, (u64, Bytes)>,
    /// Uploads that were begun, and neither completed nor aborted.
    uploads: BTreeMap<RelPath, BTreeSet<u64>>,
    last_upload: u64,
    replies: VecDeque<Reply>,
    late: Vec<Request>,
    /// Whether removals are.
    removes_late: bool,
    /// The names that lists show, while they show the past.
    past: Option<BTreeMap<RelPath, u64>>,
}

/// A request that changes something.
#[derive(Clone)]
enum Request {
    Complete { path: RelPath, bytes: Bytes },
    Put { path: RelPath, body: Bytes, expected: u64 },
    Remove { path: RelPath },
}

/// What became of one.
enum Applied {
    Done(u64),
    Lost,
}

struct Upload {
    store: Arc<Mutex<Store>>,
    path: RelPath,
    number: u64,
    bytes: Vec<u8>,
    part_bytes: usize,
}

struct Object(Bytes);

/// What goes wrong with objects.
#[derive(Debug, thiserror::Error)]
enum ObjectError {
    #[error("'{path}' is there already, expected a new name")]
    Exists { path: RelPath },
    #[error("'{path}' is not there")]
    Missing { path: RelPath },
    #[error("'{path}' was refused")]
    Refused { path: RelPath },
    #[error("no answer came about '{path}'")]
    NoAnswer { path: RelPath },
    #[error("the upload of '{path}' was aborted")]
    Aborted { path: RelPath },
    #[error("'{tag}' is no version of record '{path}'")]
    NotAVersion { path: RelPath, tag: String },
}

impl ObjectStoreFileSystem {
    /// An empty one, in which every answer arrives and lists are of the present.
    pub fn new() -> Self {
        Self { store: Arc::new(Mutex::new(Store::default())), part_bytes: 0 }
    }

    /// Takes uploads in parts of that many bytes, of which each is confirmed when its write returns.
    #[must_use]
    pub const fn with_part_bytes(mut self, part_bytes: usize) -> Self {
        self.part_bytes = part_bytes;
        self
    }

    /// What becomes of the next requests that change something (a file finished or duplicated, a record written), one each.
    pub fn answer_next(&self, replies: impl IntoIterator<Item = Reply>) {
        self.store.lock().replies.extend(replies);
    }

    /// Does what is late, in the order in which it was sent. How many requests that were.
    pub fn land(&self) -> usize {
        let mut store = self.store.lock();
        let late = std::mem::take(&mut store.late);
        for request in &late {
            let (Applied::Done(_) | Applied::Lost) = store.apply(request);
        }
        late.len()
    }

    /// From here on nobody hears of a removal, which is done with the next [`land`](Self::land).
    pub fn remove_late(&self) {
        self.store.lock().removes_late = true;
    }

    /// From here on removals are done and answered at once.
    pub fn remove_in_time(&self) {
        self.store.lock().removes_late = false;
    }

    /// From here on lists show what is there now, whatever is written or removed.
    pub fn list_the_past(&self) {
        let mut store = self.store.lock();
        store.past = Some(store.names());
    }

    /// Lists show the present again.
    pub fn list_the_present(&self) {
        self.store.lock().past = None;
    }

    /// How many uploads were begun and neither completed nor aborted.
    pub fn open_uploads(&self) -> usize {
        self.store.lock().uploads.values().map(BTreeSet::len).sum()
    }
}

impl Store {
    fn names(&self) -> BTreeMap<RelPath, u64> {
        let objects = self.objects.iter().map(|(path, bytes)| (path.clone(), bytes.len() as u64));
        objects.chain(self.records.iter().map(|(path, (_, body))| (path.clone(), body.len() as u64))).collect()
    }

    fn apply(&mut self, request: &Request) -> Applied {
        match request {
            Request::Remove { path } => {
                self.objects.remove(path);
                self.records.remove(path);
                self.uploads.remove(path);
                Applied::Done(0)
            }
            Request::Complete { path, bytes } => {
                if self.objects.contains_key(path) {
                    return Applied::Lost;
                }
                self.objects.insert(path.clone(), bytes.clone());
                Applied::Done(1)
            }
            Request::Put { path, body, expected } => {
                let found = self.records.get(path);
                let version = found.map_or(0, |(version, _)| *version);
                if version == *expected {
                    self.records.insert(path.clone(), (version + 1, body.clone()));
                    return Applied::Done(version + 1);
                }
                match found {
                    // The same write once more.
                    Some((_, there)) if version == *expected + 1 && there == body => Applied::Done(version),
                    _ => Applied::Lost,
                }
            }
        }
    }

    fn send(&mut self, request: Request) -> CasOutcome {
        let reply = self.replies.pop_front().unwrap_or(Reply::Arrives);
        let path = match &request {
            Request::Complete { path, .. } | Request::Put { path, .. } | Request::Remove { path } => path.clone(),
        };
        match reply {
            Reply::Arrives => {
                return match self.apply(&request) {
                    Applied::Done(version) => CasOutcome::Done(tag_of(version)),
                    Applied::Lost => CasOutcome::Lost,
                };
            }
            Reply::Refused => return CasOutcome::Failed(ObjectError::Refused { path }.of_kind(ErrorKind::Retry)),
            Reply::LostAfterApplied => {
                let (Applied::Done(_) | Applied::Lost) = self.apply(&request);
            }
            Reply::LostBeforeApplied => {}
            Reply::Late => self.late.push(request),
        }
        CasOutcome::Unknown(ObjectError::NoAnswer { path }.of_kind(ErrorKind::Unknown))
    }

    /// Ends an upload; whether it was still there.
    fn end_upload(&mut self, path: &RelPath, number: u64) -> bool {
        let Some(numbers) = self.uploads.get_mut(path) else { return false };
        let was_there = numbers.remove(&number);
        if numbers.is_empty() {
            self.uploads.remove(path);
        }
        was_there
    }
}

impl FileSystem for ObjectStoreFileSystem {
    fn create_new(&self, path: &RelPath, visible: Visible) -> Result<Box<dyn FileWriter>> {
        let mut store = self.store.lock();
        if visible == Visible::AtOnce && store.objects.contains_key(path) {
            return Err(ObjectError::Exists { path: path.clone() }.of_kind(ErrorKind::AbortCheckpoint));
        }
        store.last_upload += 1;
        let number = store.last_upload;
        store.uploads.entry(path.clone()).or_default().insert(number);
        let (path, part_bytes) = (path.clone(), self.part_bytes);
        Ok(Box::new(Upload { store: Arc::clone(&self.store), path, number, bytes: Vec::new(), part_bytes }))
    }

    fn open(&self, path: &RelPath) -> Result<Box<dyn ReadAt>> {
        match self.store.lock().objects.get(path) {
            Some(bytes) => Ok(Box::new(Object(bytes.clone()))),
            None => Err(ObjectError::Missing { path: path.clone() }.of_kind(ErrorKind::NotFound)),
        }
    }

    /// Copies within the store.
    fn duplicate(&self, from: &RelPath, to: &RelPath, _durability: Durability) -> CasOutcome {
        let mut store = self.store.lock();
        let Some(bytes) = store.objects.get(from).cloned() else {
            return CasOutcome::Failed(ObjectError::Missing { path: from.clone() }.of_kind(ErrorKind::NotFound));
        };
        store.send(Request::Complete { path: to.clone(), bytes })
    }

    /// Names are durable with their objects.
    fn sync_entries(&self, _written: &[RelPath]) -> Result<()> {
        Ok(())
    }

    fn read_record(&self, path: &RelPath) -> Result<Option<(Bytes, VersionTag)>> {
        Ok(self.store.lock().records.get(path).map(|(version, body)| (body.clone(), tag_of(*version))))
    }

    fn put_record(&self, path: &RelPath, body: Bytes, expect: Expect<'_>) -> CasOutcome {
        let expected = match expect {
            Expect::Absent => Some(0),
            Expect::Version(tag) => tag.as_str().parse().ok(),
        };
        match (expected, expect) {
            (Some(expected), _) => self.store.lock().send(Request::Put { path: path.clone(), body, expected }),
            (None, Expect::Version(tag)) => {
                let error = ObjectError::NotAVersion { path: path.clone(), tag: tag.as_str().to_owned() };
                CasOutcome::Failed(error.of_kind(ErrorKind::Configuration))
            }
            (None, Expect::Absent) => CasOutcome::Lost,
        }
    }

    fn list(&self, prefix: Option<&RelPath>, after: Option<&RelPath>, limit: usize) -> Result<Vec<Entry>> {
        let store = self.store.lock();
        let names = store.past.clone().unwrap_or_else(|| store.names());
        let is_below = |path: &RelPath| {
            prefix.is_none_or(|prefix| {
                path.as_str().strip_prefix(prefix.as_str()).is_some_and(|rest| rest.starts_with('/'))
            })
        };
        let names = names.into_iter().filter(|(path, _)| is_below(path) && after.is_none_or(|after| path > after));
        Ok(names.take(limit).map(|(path, length_bytes)| Entry::new(path, length_bytes)).collect())
    }

    /// Aborts uploads too, so that nothing comes back but what is late.
    fn remove(&self, paths: &[RelPath]) -> Vec<Result<()>> {
        let mut store = self.store.lock();
        let mut remove = |path: RelPath| {
            let request = Request::Remove { path: path.clone() };
            if store.removes_late {
                store.late.push(request);
                return Err(ObjectError::NoAnswer { path }.of_kind(ErrorKind::Retry));
            }
            let (Applied::Done(_) | Applied::Lost) = store.apply(&request);
            Ok(())
        };
        paths.iter().cloned().map(&mut remove).collect()
    }

    fn sync_removed(&self, _removed: &[RelPath]) -> Result<()> {
        Ok(())
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { cheap_duplicate: true, compare_and_swap: true }
    }
}

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl FileWriter for Upload {
    fn part_bytes(&self) -> usize {
        self.part_bytes
    }

    fn finish(mut self: Box<Self>, _durability: Durability) -> CasOutcome {
        let bytes = std::mem::take(&mut self.bytes).into();
        let mut store = self.store.lock();
        if !store.end_upload(&self.path, self.number) {
            let error = ObjectError::Aborted { path: self.path.clone() };
            return CasOutcome::Failed(error.of_kind(ErrorKind::AbortCheckpoint));
        }
        store.send(Request::Complete { path: self.path.clone(), bytes })
    }

    fn discard(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.store.lock().end_upload(&self.path, self.number);
    }
}

impl ReadAt for Object {
    fn read_exact_at(&self, buffer: &mut [u8], offset_bytes: u64) -> io::Result<()> {
        copy_exact_at(&self.0, buffer, offset_bytes)
    }

    fn length_bytes(&self) -> u64 {
        self.0.len() as u64
    }
}

impl ObjectError {
    fn of_kind(self, kind: ErrorKind) -> Error {
        Error::new(kind, self)
    }
}

impl Default for ObjectStoreFileSystem {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ObjectStoreFileSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectStoreFileSystem").finish_non_exhaustive()
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Object({} bytes)", self.0.len())
    }
}

fn tag_of(version: u64) -> VersionTag {
    VersionTag::new(version.to_string())
}
