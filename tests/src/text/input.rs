//! Files that are read.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use ckpt_core::Result;
use serde::{Deserialize, Serialize};

use crate::error::Fault;

/// A file that is read, as it was when the job began: it must not change, or what was read could not be read again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InputFile {
    /// Where it is.
    pub path: PathBuf,
    /// How long it is.
    pub length_bytes: u64,
}

impl InputFile {
    /// Looks at a file that is to be read.
    ///
    /// # Errors
    ///
    /// `Configuration` when it is not a regular file or cannot be opened.
    pub fn inspect(path: &Path) -> Result<Self> {
        let unreadable = |source| Fault::Input { path: path.to_owned(), source };
        let path_from_root = fs::canonicalize(path).map_err(unreadable)?;
        // Before it is opened: that of a named pipe waits for whoever writes to it.
        if !fs::metadata(&path_from_root).map_err(unreadable)?.is_file() {
            return Err(Fault::InputNotRegular { path: path.to_owned() }.into());
        }
        let metadata = File::open(&path_from_root).and_then(|file| file.metadata()).map_err(unreadable)?;
        Ok(Self { path: path_from_root, length_bytes: metadata.len() })
    }

    /// Opens it.
    ///
    /// # Errors
    ///
    /// `Configuration` when it cannot be opened or its length is not the one that it had.
    pub fn open(&self) -> Result<File> {
        let unreadable = |source| Fault::Input { path: self.path.clone(), source };
        let file = File::open(&self.path).map_err(unreadable)?;
        let found_bytes = file.metadata().map_err(unreadable)?.len();
        if found_bytes != self.length_bytes {
            return Err(self.changed(found_bytes));
        }
        Ok(file)
    }

    pub(crate) fn changed(&self, found_bytes: u64) -> ckpt_core::Error {
        Fault::InputChanged { path: self.path.clone(), expected_bytes: self.length_bytes, found_bytes }.into()
    }
}
