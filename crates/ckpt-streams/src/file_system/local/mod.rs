//! The local file system.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use ckpt_core::state::RelPath;
use ckpt_core::{Error, ErrorKind, Result};

use crate::file_system::{
    Capabilities, CasOutcome, Entry, Expect, FileSystem, FileWriter, ReadAt, VersionTag, Visible,
};

/// A directory of the local (or a shared POSIX) file system.
#[derive(Debug)]
pub struct LocalFileSystem {
    root: PathBuf,
}

impl LocalFileSystem {
    /// Opens a directory as the root. One that is missing is made, mode 0700, with the first file.
    ///
    /// # Errors
    ///
    /// `Configuration` when it is no directory or may not be opened.
    pub fn open(root: impl AsRef<Path>) -> Result<Self> {
        Ok(Self { root: root.as_ref().to_owned() })
    }
}

impl FileSystem for LocalFileSystem {
    fn create_new(&self, _path: &RelPath, _visible: Visible) -> Result<Box<dyn FileWriter>> {
        Err(Error::new(ErrorKind::Retry, format!("{} is not open yet", self.root.display())))
    }

    fn open(&self, _path: &RelPath) -> Result<Box<dyn ReadAt>> {
        Err(Error::new(ErrorKind::Retry, "not open yet"))
    }

    fn duplicate(&self, _from: &RelPath, _to: &RelPath) -> Result<()> {
        Err(Error::new(ErrorKind::Retry, "not open yet"))
    }

    fn sync_entries(&self, _written: &[RelPath]) -> Result<()> {
        Err(Error::new(ErrorKind::Retry, "not open yet"))
    }

    fn read_record(&self, _path: &RelPath) -> Result<Option<(Bytes, VersionTag)>> {
        Err(Error::new(ErrorKind::Retry, "not open yet"))
    }

    fn put_record(&self, _path: &RelPath, _body: Bytes, _expect: Expect<'_>) -> CasOutcome {
        CasOutcome::Failed(Error::new(ErrorKind::Retry, "not open yet"))
    }

    fn list(&self, _prefix: Option<&RelPath>, _after: Option<&RelPath>, _limit: usize) -> Result<Vec<Entry>> {
        Err(Error::new(ErrorKind::Retry, "not open yet"))
    }

    fn remove(&self, paths: &[RelPath]) -> Vec<Result<()>> {
        paths.iter().map(|_| Err(Error::new(ErrorKind::Retry, "not open yet"))).collect()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::NONE
    }
}
