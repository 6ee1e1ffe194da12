//! A file system of one's own, registered by its scheme.
//!
//! This one keeps files in a map; one for a store of yours has the same methods. What each must promise stands at
//! the trait, and the contract suite (feature `testing`) tells whether it does:
//!
//! ```text
//! cargo run -p ckpt-streams --features testing --example own_file_system
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read as _, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use ckpt_core::id::{LeaderEpoch, Writer, WriterId};
use ckpt_core::state::{RelPath, Root};
use ckpt_core::{Error, ErrorKind, Result};
use ckpt_streams::file_system::{
    Capabilities, CasOutcome, Durability, Entry, Expect, FileSystem, FileSystems, FileWriter, ReadAt, VersionTag,
    Visible,
};
use ckpt_streams::testing::contract;
use ckpt_streams::{
    FileNames, FileStateReader, FileStreams, FileStreamsOptions, FileStreamsTarget, Pool, PoolOptions, StateDirectory,
    StateReader as _, StateScope, StreamFactory as _,
};

/// Files in a map. Clones see the same ones.
#[derive(Clone, Debug, Default)]
struct OwnFileSystem {
    store: Arc<Mutex<Store>>,
}

#[derive(Debug, Default)]
struct Store {
    files: BTreeMap<RelPath, Bytes>,
    records: BTreeMap<RelPath, (u64, Bytes)>,
    /// Names that are taken by a file that is being written.
    begun: BTreeSet<RelPath>,
}

/// A file that is being written. Nobody sees it before it is finished, which `Visible::AtOnce` permits: it only says
/// that nobody would look.
struct OwnWriter {
    store: Arc<Mutex<Store>>,
    path: RelPath,
    visible: Visible,
    bytes: Vec<u8>,
    ended: bool,
}

#[derive(Debug)]
struct OwnFile(Bytes);

impl OwnFileSystem {
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FileSystem for OwnFileSystem {
    fn create_new(&self, path: &RelPath, visible: Visible) -> Result<Box<dyn FileWriter>> {
        let mut store = self.store();
        // A name is never given twice. What is to appear whole decides that when it is finished.
        if visible == Visible::AtOnce && (store.files.contains_key(path) || !store.begun.insert(path.clone())) {
            return Err(Error::new(ErrorKind::AbortCheckpoint, format!("'{path}' is there already")));
        }
        let (store, path) = (Arc::clone(&self.store), path.clone());
        Ok(Box::new(OwnWriter { store, path, visible, bytes: Vec::new(), ended: false }))
    }

    fn open(&self, path: &RelPath) -> Result<Box<dyn ReadAt>> {
        match self.store().files.get(path) {
            Some(bytes) => Ok(Box::new(OwnFile(bytes.clone()))),
            None => Err(Error::new(ErrorKind::NotFound, format!("'{path}' is not there"))),
        }
    }

    fn duplicate(&self, from: &RelPath, to: &RelPath, _durability: Durability) -> CasOutcome {
        let mut store = self.store();
        let Some(bytes) = store.files.get(from).cloned() else {
            return CasOutcome::Failed(Error::new(ErrorKind::NotFound, format!("'{from}' is not there")));
        };
        if store.files.contains_key(to) {
            return CasOutcome::Lost;
        }
        store.files.insert(to.clone(), bytes);
        CasOutcome::Done(tag_of(1))
    }

    /// Names are as durable as the files here. Where they are not, this is what makes them so.
    fn sync_entries(&self, _written: &[RelPath]) -> Result<()> {
        Ok(())
    }

    fn read_record(&self, path: &RelPath) -> Result<Option<(Bytes, VersionTag)>> {
        Ok(self.store().records.get(path).map(|(version, body)| (body.clone(), tag_of(*version))))
    }

    fn put_record(&self, path: &RelPath, body: Bytes, expect: Expect<'_>) -> CasOutcome {
        let mut store = self.store();
        let newest = store.records.get(path);
        let version = newest.map_or(0, |(version, _)| *version);
        let expected = match expect {
            Expect::Version(tag) => tag.clone(),
            _ => tag_of(0),
        };
        if expected == tag_of(version) {
            store.records.insert(path.clone(), (version + 1, body));
            return CasOutcome::Done(tag_of(version + 1));
        }
        match newest {
            // The same write once more: whoever sent it did not hear that it was done.
            Some((_, there)) if expected == tag_of(version - 1) && *there == body => CasOutcome::Done(tag_of(version)),
            _ => CasOutcome::Lost,
        }
    }

    fn list(&self, prefix: Option<&RelPath>, after: Option<&RelPath>, limit: usize) -> Result<Vec<Entry>> {
        let store = self.store();
        let is_below = |path: &RelPath| {
            let rest = prefix.map(|prefix| path.as_str().strip_prefix(prefix.as_str()));
            rest.is_none_or(|rest| rest.is_some_and(|rest| rest.starts_with('/')))
        };
        let files = store.files.iter().chain(store.records.iter().map(|(path, (_, body))| (path, body)));
        let is_listed = |path: &RelPath| is_below(path) && after.is_none_or(|after| path > after);
        let mut listed: Vec<_> = files.filter(|(path, _)| is_listed(path)).collect();
        listed.sort_unstable();
        Ok(listed.into_iter().take(limit).map(|(path, bytes)| Entry::new(path.clone(), bytes.len() as u64)).collect())
    }

    fn remove(&self, paths: &[RelPath]) -> Vec<Result<()>> {
        let mut store = self.store();
        let mut remove = |path| {
            store.files.remove(path);
            store.records.remove(path);
            // The name of a file that is being written does not come back.
            store.begun.remove(path);
            Ok(())
        };
        paths.iter().map(&mut remove).collect()
    }

    fn sync_removed(&self, _removed: &[RelPath]) -> Result<()> {
        Ok(())
    }

    fn capabilities(&self) -> Capabilities {
        // Two processes have two maps, so nothing is decided between them.
        Capabilities::NONE
    }
}

impl OwnWriter {
    /// Lets go of the name; whether it was still held.
    fn let_go(&mut self, store: &mut Store) -> bool {
        !std::mem::replace(&mut self.ended, true)
            && (self.visible == Visible::WholeAtFinish || store.begun.remove(&self.path))
    }
}

impl Write for OwnWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl FileWriter for OwnWriter {
    fn finish(mut self: Box<Self>, _durability: Durability) -> CasOutcome {
        let store = Arc::clone(&self.store);
        let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.let_go(&mut store) {
            let error = Error::new(ErrorKind::AbortCheckpoint, format!("'{}' was removed", self.path));
            return CasOutcome::Failed(error);
        }
        if store.files.contains_key(&self.path) {
            return CasOutcome::Lost;
        }
        store.files.insert(self.path.clone(), std::mem::take(&mut self.bytes).into());
        CasOutcome::Done(tag_of(1))
    }

    fn discard(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

impl Drop for OwnWriter {
    /// One that is dropped is discarded.
    fn drop(&mut self) {
        if !self.ended {
            let store = Arc::clone(&self.store);
            self.let_go(&mut store.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

impl ReadAt for OwnFile {
    fn read_exact_at(&self, buffer: &mut [u8], offset_bytes: u64) -> io::Result<()> {
        let from = usize::try_from(offset_bytes).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let to = from.checked_add(buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(self.0.get(from..to).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn length_bytes(&self) -> u64 {
        self.0.len() as u64
    }
}

fn tag_of(version: u64) -> VersionTag {
    VersionTag::new(version.to_string())
}

/// Writes state through the registry, and reads it back.
fn write_and_read() -> Result<Vec<u8>> {
    let mut file_systems = FileSystems::local();
    // The opener is given the whole location; here all of them are the same map.
    let own = OwnFileSystem::default();
    file_systems.register("own", move |_location| Ok(Arc::new(own.clone())))?;
    let opened = file_systems.open("own:/checkpoints")?;

    let of = |root, name| -> Result<StateDirectory> {
        Ok(StateDirectory::new(root, Arc::clone(&opened), Some(RelPath::new(name)?)))
    };
    let (exclusive, shared) = (of(Root::ThisSnapshot, "chk-1")?, of(Root::JobShared, "shared")?);
    let names = Arc::new(FileNames::new(Writer::new(LeaderEpoch::new(1), WriterId::new(1))));
    let pool = Arc::new(Pool::new(PoolOptions::new(2, 8))?);
    let target = FileStreamsTarget::new(exclusive.clone(), shared.clone(), names, pool);
    let streams = FileStreams::new(target, FileStreamsOptions::default());

    let mut stream = streams.create(StateScope::Exclusive)?;
    stream.write_all(&[7; 100_000]).map_err(|error| ckpt_streams::into_error(error, ErrorKind::AbortCheckpoint))?;
    let Some(staged) = stream.finish()? else { return Ok(Vec::new()) };
    let handle = streams.seal_piece(staged)?;

    let mut bytes = Vec::new();
    let mut state = FileStateReader::new(vec![exclusive, shared]).open(&handle)?;
    state.read_to_end(&mut bytes).map_err(|error| ckpt_streams::into_error(error, ErrorKind::Retry))?;
    Ok(bytes)
}

fn main() -> Result<()> {
    contract::file_system(&|| Arc::new(OwnFileSystem::default()));
    println!("the contract of file systems is kept");
    println!("{} bytes were written and read", write_and_read()?.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_the_contract() {
        contract::file_system(&|| Arc::new(OwnFileSystem::default()));
    }

    #[test]
    fn state_is_written_and_read() {
        assert_eq!(write_and_read().unwrap(), [7; 100_000]);
    }
}
