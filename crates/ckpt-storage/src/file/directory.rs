//! Directories as users write them.

use std::fmt;

use ckpt_core::Result;
use ckpt_core::id::JobId;
use ckpt_core::uri::StoragePath;

use crate::error::StorageError;

/// A directory, as an absolute path or a URI, in its one spelling. Never a root, never with a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Directory(String);

impl Directory {
    /// # Errors
    ///
    /// `Configuration`, with a message of its own for each way to be wrong.
    pub(crate) fn of(path: &StoragePath) -> Result<Self> {
        if let Some(flaw) = path.flaw() {
            // What may be a secret is not shown.
            let path = path.to_string().escape_debug().to_string();
            return Err(StorageError::Directory { path, flaw }.configuration());
        }
        Ok(Self(path.normalized()?.as_str().to_owned()))
    }

    /// The same of a directory that may be absent.
    ///
    /// # Errors
    ///
    /// As of [`of`](Self::of).
    pub(crate) fn of_any(path: Option<&StoragePath>) -> Result<Option<Self>> {
        path.map(Self::of).transpose()
    }

    /// What stands for a directory of a job whose files are in memory.
    pub(crate) fn memory_of(job: JobId) -> Self {
        Self(format!("memory of this process for job {job}"))
    }

    /// A directory or file below this one.
    pub(crate) fn join(&self, name: impl fmt::Display) -> Self {
        Self(format!("{}/{name}", self.0))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
