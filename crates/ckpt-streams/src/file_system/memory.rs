//! Files in memory.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::ops::Bound;
use std::sync::Arc as StdArc;

use bytes::Bytes;
use ckpt_core::state::RelPath;
use ckpt_core::{Error, ErrorKind, Result};

use crate::file_system::{
    Capabilities, CasOutcome, Durability, Entry, Expect, FileSystem, FileWriter, ReadAt, VersionTag, Visible,
};
use crate::sync::{Arc, Mutex};

/// A file system in memory, for tests and for state that need not outlive its process. Clones see the same files.
///
/// No scheme is registered for it, since every part of a process that is to see the same files needs a clone of the same
/// value:
///
/// ```
/// # use std::sync::Arc;
/// # use ckpt_streams::file_system::{FileSystems, MemoryFileSystem};
/// let files = MemoryFileSystem::new();
/// let mut file_systems = FileSystems::local();
/// file_systems.register("mem", move |_location| Ok(Arc::new(files.clone())))?;
/// # Ok::<(), ckpt_core::Error>(())
/// ```
#[derive(Clone)]
pub struct MemoryFileSystem {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    files: BTreeMap<RelPath, Stored>,
    records: BTreeMap<RelPath, (u64, Bytes)>,
    made: u64,
}

struct Stored {
    /// Tells a file from a later one of the same name.
    number: u64,
    /// Shared with those who read it.
    bytes: StdArc<Vec<u8>>,
    synced: bool,
}

struct MemoryWriter {
    state: Arc<Mutex<State>>,
    path: RelPath,
    kind: Kind,
}

enum Kind {
    /// In the map already, under that number.
    AtOnce(u64),
    WholeAtFinish(Vec<u8>),
    Ended,
}

struct MemoryFile(StdArc<Vec<u8>>);

impl MemoryFileSystem {
    /// An empty one.
    pub fn new() -> Self {
        Self { state: Arc::new(Mutex::new(State::default())) }
    }

    /// The paths of all files.
    pub fn paths(&self) -> Vec<RelPath> {
        self.state.lock().files.keys().cloned().collect()
    }

    /// The paths of the files that were finished with [`Durability::Full`].
    pub fn synced(&self) -> Vec<RelPath> {
        self.state.lock().files.iter().filter(|(_, stored)| stored.synced).map(|(path, _)| path.clone()).collect()
    }
}

impl FileSystem for MemoryFileSystem {
    fn create_new(&self, path: &RelPath, visible: Visible) -> Result<Box<dyn FileWriter>> {
        let kind = match visible {
            Visible::AtOnce => {
                let mut state = self.state.lock();
                if state.files.contains_key(path) {
                    return Err(Error::new(ErrorKind::AbortCheckpoint, format!("'{path}' is there already")));
                }
                state.made += 1;
                let number = state.made;
                state.files.insert(path.clone(), Stored { number, bytes: StdArc::default(), synced: false });
                Kind::AtOnce(number)
            }
            Visible::WholeAtFinish => Kind::WholeAtFinish(Vec::new()),
        };
        Ok(Box::new(MemoryWriter { state: Arc::clone(&self.state), path: path.clone(), kind }))
    }

    fn open(&self, path: &RelPath) -> Result<Box<dyn ReadAt>> {
        match self.state.lock().files.get(path) {
            Some(stored) => Ok(Box::new(MemoryFile(StdArc::clone(&stored.bytes)))),
            None => Err(Error::new(ErrorKind::NotFound, format!("'{path}' is not there"))),
        }
    }

    fn duplicate(&self, from: &RelPath, to: &RelPath, durability: Durability) -> CasOutcome {
        let mut state = self.state.lock();
        if state.files.contains_key(to) {
            return CasOutcome::Lost;
        }
        let Some(stored) = state.files.get(from) else {
            return CasOutcome::Failed(Error::new(ErrorKind::NotFound, format!("'{from}' is not there")));
        };
        let bytes = StdArc::clone(&stored.bytes);
        state.made += 1;
        let number = state.made;
        state.files.insert(to.clone(), Stored { number, bytes, synced: durability == Durability::Full });
        CasOutcome::Done(tag_of(1))
    }

    fn sync_entries(&self, _written: &[RelPath]) -> Result<()> {
        Ok(())
    }

    fn read_record(&self, path: &RelPath) -> Result<Option<(Bytes, VersionTag)>> {
        Ok(self.state.lock().records.get(path).map(|(version, body)| (body.clone(), tag_of(*version))))
    }

    fn put_record(&self, path: &RelPath, body: Bytes, expect: Expect<'_>) -> CasOutcome {
        let mut state = self.state.lock();
        let found = state.records.get(path);
        let version = found.map_or(0, |(version, _)| *version);
        let expected = match expect {
            Expect::Absent => tag_of(0),
            Expect::Version(tag) => tag.clone(),
        };
        if expected == tag_of(version) {
            state.records.insert(path.clone(), (version + 1, body));
            return CasOutcome::Done(tag_of(version + 1));
        }
        match found {
            Some((_, there)) if version > 0 && expected == tag_of(version - 1) && *there == body => {
                CasOutcome::Done(tag_of(version))
            }
            _ => CasOutcome::Lost,
        }
    }

    fn list(&self, prefix: Option<&RelPath>, after: Option<&RelPath>, limit: usize) -> Result<Vec<Entry>> {
        let state = self.state.lock();
        let is_below = |path: &RelPath| {
            prefix.is_none_or(|prefix| {
                path.as_str().strip_prefix(prefix.as_str()).is_some_and(|rest| rest.starts_with('/'))
            })
        };
        // What lies below a directory comes after it, and all that begins as its name does in succession.
        let begin = after.max(prefix).map_or(Bound::Unbounded, Bound::Excluded);
        let may_be_below = |path: &RelPath| prefix.is_none_or(|prefix| path.as_str().starts_with(prefix.as_str()));
        let files = state.files.range::<RelPath, _>((begin, Bound::Unbounded));
        let files = files.take_while(|(path, _)| may_be_below(path)).filter(|(path, _)| is_below(path));
        let records = state.records.range::<RelPath, _>((begin, Bound::Unbounded));
        let records = records.take_while(|(path, _)| may_be_below(path)).filter(|(path, _)| is_below(path));
        let mut listed: Vec<_> = files.take(limit).map(|(path, stored)| (path, stored.bytes.len())).collect();
        listed.extend(records.take(limit).map(|(path, (_, body))| (path, body.len())));
        listed.sort_unstable();
        listed.truncate(limit);
        Ok(listed.into_iter().map(|(path, bytes)| Entry::new(path.clone(), bytes as u64)).collect())
    }

    fn remove(&self, paths: &[RelPath]) -> Vec<Result<()>> {
        let mut state = self.state.lock();
        paths
            .iter()
            .map(|path| {
                state.files.remove(path);
                state.records.remove(path);
                Ok(())
            })
            .collect()
    }

    fn sync_removed(&self, _removed: &[RelPath]) -> Result<()> {
        Ok(())
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { cheap_duplicate: true, compare_and_swap: true }
    }
}

impl Write for MemoryWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.kind {
            Kind::AtOnce(number) => {
                // A file that was removed takes bytes and shows them to nobody.
                if let Some(stored) = self.state.lock().files.get_mut(&self.path) {
                    if stored.number == *number {
                        StdArc::make_mut(&mut stored.bytes).extend_from_slice(bytes);
                    }
                }
            }
            Kind::WholeAtFinish(whole) => whole.extend_from_slice(bytes),
            Kind::Ended => {}
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl FileWriter for MemoryWriter {
    fn finish(mut self: Box<Self>, durability: Durability) -> CasOutcome {
        let synced = durability == Durability::Full;
        let kind = std::mem::replace(&mut self.kind, Kind::Ended);
        let mut state = self.state.lock();
        match kind {
            Kind::AtOnce(number) => {
                if let Some(stored) = state.files.get_mut(&self.path).filter(|stored| stored.number == number) {
                    stored.synced = synced;
                }
            }
            Kind::WholeAtFinish(bytes) => {
                if state.files.contains_key(&self.path) {
                    return CasOutcome::Lost;
                }
                state.made += 1;
                let number = state.made;
                state.files.insert(self.path.clone(), Stored { number, bytes: StdArc::new(bytes), synced });
            }
            Kind::Ended => {}
        }
        CasOutcome::Done(tag_of(1))
    }

    fn discard(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

impl Drop for MemoryWriter {
    fn drop(&mut self) {
        if let Kind::AtOnce(number) = self.kind {
            let mut state = self.state.lock();
            if state.files.get(&self.path).is_some_and(|stored| stored.number == number) {
                state.files.remove(&self.path);
            }
        }
    }
}

impl ReadAt for MemoryFile {
    fn read_exact_at(&self, buffer: &mut [u8], offset_bytes: u64) -> io::Result<()> {
        copy_exact_at(&self.0, buffer, offset_bytes)
    }

    fn length_bytes(&self) -> u64 {
        self.0.len() as u64
    }
}

impl Default for MemoryFileSystem {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryFileSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryFileSystem").finish_non_exhaustive()
    }
}

impl fmt::Debug for MemoryFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryFile({} bytes)", self.0.len())
    }
}

/// What [`ReadAt::read_exact_at`] does, of bytes in memory.
pub(crate) fn copy_exact_at(bytes: &[u8], buffer: &mut [u8], offset_bytes: u64) -> io::Result<()> {
    let from = usize::try_from(offset_bytes).map_err(|_| io::ErrorKind::UnexpectedEof)?;
    let to = from.checked_add(buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
    buffer.copy_from_slice(bytes.get(from..to).ok_or(io::ErrorKind::UnexpectedEof)?);
    Ok(())
}

fn tag_of(version: u64) -> VersionTag {
    VersionTag::new(version.to_string())
}
