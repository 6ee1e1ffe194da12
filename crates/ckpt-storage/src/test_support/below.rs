//! A directory of a file system, as a file system.

use std::sync::Arc;

use bytes::Bytes;
use ckpt_core::Result;
use ckpt_core::state::RelPath;
use ckpt_core::uri::UriParts;
use ckpt_streams::file_system::{
    Capabilities, CasOutcome, Durability, Entry, Expect, FileSystem, FileSystems, FileWriter, ReadAt, VersionTag,
    Visible,
};

use super::SpawnHere;
use crate::StorageContext;

/// A directory of a file system, as a file system: for those that are opened only as a whole.
#[derive(Debug)]
struct Below {
    inner: Arc<dyn FileSystem>,
    directory: RelPath,
}

/// A process that sees all of that file system under the scheme `sim`.
pub(crate) fn context_over(inner: Arc<dyn FileSystem>) -> StorageContext {
    let mut file_systems = FileSystems::local();
    let opener = move |uri: &str| {
        let path = UriParts::of(uri).and_then(UriParts::decoded_path).expect("a valid URI");
        let inner = Arc::clone(&inner);
        Ok(match RelPath::new(path.trim_start_matches('/')) {
            Ok(directory) => Arc::new(Below { inner, directory }) as Arc<dyn FileSystem>,
            Err(_) => inner,
        })
    };
    file_systems.register("sim", opener).expect("the scheme is new");
    StorageContext::new(Arc::new(file_systems), Arc::new(SpawnHere))
}

impl Below {
    fn whole(&self, path: &RelPath) -> RelPath {
        self.directory.join(path)
    }

    fn all(&self, paths: &[RelPath]) -> Vec<RelPath> {
        paths.iter().map(|path| self.whole(path)).collect()
    }
}

impl FileSystem for Below {
    fn create_new(&self, path: &RelPath, visible: Visible) -> Result<Box<dyn FileWriter>> {
        self.inner.create_new(&self.whole(path), visible)
    }

    fn open(&self, path: &RelPath) -> Result<Box<dyn ReadAt>> {
        self.inner.open(&self.whole(path))
    }

    fn duplicate(&self, from: &RelPath, to: &RelPath, durability: Durability) -> CasOutcome {
        self.inner.duplicate(&self.whole(from), &self.whole(to), durability)
    }

    fn sync_entries(&self, written: &[RelPath]) -> Result<()> {
        self.inner.sync_entries(&self.all(written))
    }

    fn read_record(&self, path: &RelPath) -> Result<Option<(Bytes, VersionTag)>> {
        self.inner.read_record(&self.whole(path))
    }

    fn put_record(&self, path: &RelPath, body: Bytes, expect: Expect<'_>) -> CasOutcome {
        self.inner.put_record(&self.whole(path), body, expect)
    }

    fn list(&self, prefix: Option<&RelPath>, after: Option<&RelPath>, limit: usize) -> Result<Vec<Entry>> {
        let prefix = prefix.map_or_else(|| self.directory.clone(), |prefix| self.whole(prefix));
        let after = after.map(|after| self.whole(after));
        let skipped = self.directory.as_str().len() + "/".len();
        let below = |entry: Entry| {
            let path = RelPath::new(&entry.path.as_str()[skipped..]).expect("a part of a path");
            Entry::new(path, entry.length_bytes)
        };
        Ok(self.inner.list(Some(&prefix), after.as_ref(), limit)?.into_iter().map(below).collect())
    }

    fn remove(&self, paths: &[RelPath]) -> Vec<Result<()>> {
        self.inner.remove(&self.all(paths))
    }

    fn sync_removed(&self, removed: &[RelPath]) -> Result<()> {
        self.inner.sync_removed(&self.all(removed))
    }

    fn make_directory(&self, directory: &RelPath) -> Result<bool> {
        self.inner.make_directory(&self.whole(directory))
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }
}
