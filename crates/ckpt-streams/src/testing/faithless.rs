//! A file system whose records promise what they do not keep.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use ckpt_core::Result;
use ckpt_core::state::RelPath;

use crate::file_system::{
    Capabilities, CasOutcome, Durability, Entry, Expect, FileSystem, FileWriter, ReadAt, VersionTag, Visible,
};
use crate::sync::Mutex;

/// Passes everything on, and breaks one promise of compare-and-swap: as stores do that do not know the condition of a write,
/// and proxies and caches before them. Whoever leads a job there must find out before.
#[derive(Debug)]
pub struct FaithlessFileSystem {
    inner: Arc<dyn FileSystem>,
    breach: Breach,
    /// What each record was before it was written last.
    past: Mutex<BTreeMap<RelPath, Option<(Bytes, VersionTag)>>>,
}

/// Which promise is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Breach {
    /// A write that asks for no record replaces the one that is there.
    ReplacesWhatIsThere,
    /// A write that asks for an older version replaces the newest one.
    ReplacesWhatIsNewer,
    /// Both, and the answer is that another write came first.
    ReplacesAndSaysLost,
    /// A write that asks for the version that is there is refused.
    RefusesWhatIsRight,
    /// A write is done, and all of the record is gone.
    LosesWrites,
    /// A write says that it is done, and is not.
    SaysDone,
    /// A read shows what was there before the last write.
    ReadsThePast,
    /// Every version has the same tag.
    OneTag,
}

impl FaithlessFileSystem {
    /// Breaks that promise.
    pub fn new(inner: Arc<dyn FileSystem>, breach: Breach) -> Self {
        Self { inner, breach, past: Mutex::new(BTreeMap::new()) }
    }

    fn put(&self, path: &RelPath, body: Bytes, expect: Expect<'_>) -> CasOutcome {
        match (self.breach, expect) {
            (Breach::ReplacesWhatIsThere, Expect::Absent)
            | (Breach::ReplacesWhatIsNewer, Expect::Version(_))
            | (Breach::OneTag, _) => match self.replace(path, body) {
                CasOutcome::Done(_) if self.breach == Breach::OneTag => CasOutcome::Done(one_tag()),
                outcome => outcome,
            },
            (Breach::ReplacesAndSaysLost, _) => match self.inner.put_record(path, body.clone(), expect) {
                CasOutcome::Lost => match self.replace(path, body) {
                    CasOutcome::Done(_) => CasOutcome::Lost,
                    outcome => outcome,
                },
                outcome => outcome,
            },
            (Breach::RefusesWhatIsRight, Expect::Version(_)) => CasOutcome::Lost,
            (Breach::LosesWrites, _) => {
                let outcome = self.inner.put_record(path, body, expect);
                let listed = self.inner.list(path.parent().as_ref(), None, usize::MAX).unwrap_or_default();
                let listed = listed.into_iter().map(|entry| entry.path);
                let of_record: Vec<_> = listed.filter(|file| file.as_str().starts_with(path.as_str())).collect();
                drop(self.inner.remove(&of_record));
                outcome
            }
            (Breach::SaysDone, _) => CasOutcome::Done(one_tag()),
            _ => self.inner.put_record(path, body, expect),
        }
    }

    /// Writes whatever is there.
    fn replace(&self, path: &RelPath, body: Bytes) -> CasOutcome {
        match self.inner.read_record(path) {
            Ok(Some((_, newest))) => self.inner.put_record(path, body, Expect::Version(&newest)),
            Ok(None) => self.inner.put_record(path, body, Expect::Absent),
            Err(error) => CasOutcome::Failed(error),
        }
    }
}

impl FileSystem for FaithlessFileSystem {
    fn create_new(&self, path: &RelPath, visible: Visible) -> Result<Box<dyn FileWriter>> {
        self.inner.create_new(path, visible)
    }

    fn open(&self, path: &RelPath) -> Result<Box<dyn ReadAt>> {
        self.inner.open(path)
    }

    fn duplicate(&self, from: &RelPath, to: &RelPath, durability: Durability) -> CasOutcome {
        self.inner.duplicate(from, to, durability)
    }

    fn sync_entries(&self, written: &[RelPath]) -> Result<()> {
        self.inner.sync_entries(written)
    }

    fn read_record(&self, path: &RelPath) -> Result<Option<(Bytes, VersionTag)>> {
        let past = match self.breach {
            Breach::ReadsThePast => self.past.lock().get(path).cloned(),
            _ => None,
        };
        let found = past.map_or_else(|| self.inner.read_record(path), Ok)?;
        Ok(match self.breach {
            Breach::OneTag => found.map(|(body, _)| (body, one_tag())),
            _ => found,
        })
    }

    fn put_record(&self, path: &RelPath, body: Bytes, expect: Expect<'_>) -> CasOutcome {
        let past = self.inner.read_record(path).ok();
        let outcome = self.put(path, body, expect);
        if let (CasOutcome::Done(_), Some(past)) = (&outcome, past) {
            self.past.lock().insert(path.clone(), past);
        }
        outcome
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

fn one_tag() -> VersionTag {
    VersionTag::fixed("1")
}
