//! The description of a memory storage.

use std::fmt;
use std::sync::Arc;

use ckpt_core::Result;
use ckpt_core::config::CheckpointConfig;
use ckpt_core::id::{JobId, Writer};
use ckpt_core::metadata::MetadataSummary;
use ckpt_core::uri::StoragePath;
use ckpt_streams::file_system::Durability;
use serde::{Deserialize, Serialize};

use crate::completed::CompletedLocation;
use crate::context::StorageContext;
use crate::error::StorageError;
use crate::file::{
    Directory, FileCoordinatorView, HighAvailability, JobDirectory, SavepointReference, Savepoints, resolve, summarize,
};
use crate::memory::worker::MemoryWorkerView;
use crate::path_text;
use crate::view::{CheckpointStorage, CoordinatorView, WorkerView};

/// Keeps all state inside the acknowledgements of the tasks and inside the metadata, for tests and for small state. Flink's
/// `JobManagerCheckpointStorage`.
///
/// Without a directory, metadata and [HEAD](crate::HeadStore) stay in the memory of the process whose
/// [`StorageContext`] it is: they survive another coordinator in that process until the job is
/// [forgotten](StorageContext::forget), and nothing survives the process. With one, both are files in it, as durable as those of a [`FileSystemStorage`](crate::FileSystemStorage).
///
/// Savepoints always are files.
///
/// ```
/// use ckpt_storage::MemoryStorage;
///
/// let storage = MemoryStorage::new();
/// assert_eq!(storage.max_state_size_bytes(), 5 << 20);
/// assert_eq!(storage.to_string(), "memory storage of at most 5242880 bytes for a piece of state, metadata in memory");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemoryStorage {
    #[serde(default, with = "path_text")]
    base_checkpoint_dir: Option<StoragePath>,
    #[serde(default, with = "path_text")]
    default_savepoint_dir: Option<StoragePath>,
    #[serde(default)]
    max_state_size_bytes: Option<usize>,
}

impl MemoryStorage {
    /// The most bytes that a piece of state may have, unless it is said otherwise.
    pub const DEFAULT_MAX_STATE_SIZE_BYTES: usize = 5 << 20;

    /// A storage with no directory.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps metadata and HEAD in files below that directory: an absolute path or a URI with a scheme.
    #[must_use]
    pub fn with_base_checkpoint_dir(mut self, directory: impl Into<StoragePath>) -> Self {
        self.base_checkpoint_dir = Some(directory.into());
        self
    }

    /// Puts savepoints for which no target is named below that directory.
    #[must_use]
    pub fn with_default_savepoint_dir(mut self, directory: impl Into<StoragePath>) -> Self {
        self.default_savepoint_dir = Some(directory.into());
        self
    }

    /// Lets a piece of state have so many bytes, inclusive; at least one.
    #[must_use]
    pub const fn with_max_state_size_bytes(mut self, bytes: usize) -> Self {
        self.max_state_size_bytes = Some(bytes);
        self
    }

    /// A copy in which what is absent here is that of the configuration, and may stay absent.
    ///
    /// # Errors
    ///
    /// Those of [`validate`](Self::validate).
    pub fn configured_with(&self, config: &CheckpointConfig) -> Result<Self> {
        let mut configured = self.clone();
        configured.base_checkpoint_dir = configured.base_checkpoint_dir.or_else(|| config.checkpoint_dir().cloned());
        configured.default_savepoint_dir = configured.default_savepoint_dir.or_else(|| config.savepoint_dir().cloned());
        configured.validate().map(|()| configured)
    }

    /// The directory of metadata and HEAD, if they are files.
    pub fn base_checkpoint_dir(&self) -> Option<&StoragePath> {
        self.base_checkpoint_dir.as_ref()
    }

    /// Where a savepoint goes for which no target is named.
    pub fn default_savepoint_dir(&self) -> Option<&StoragePath> {
        self.default_savepoint_dir.as_ref()
    }

    /// The most bytes that a piece of state may have, inclusive.
    pub fn max_state_size_bytes(&self) -> usize {
        self.max_state_size_bytes.unwrap_or(Self::DEFAULT_MAX_STATE_SIZE_BYTES)
    }

    /// Checks what can be checked without touching the file system.
    ///
    /// # Errors
    ///
    /// `Configuration`, with a message of its own for each rule: as of
    /// [`FileSystemStorage`](crate::FileSystemStorage::validate) for the directories, and a piece of state may have a byte.
    pub fn validate(&self) -> Result<()> {
        if self.max_state_size_bytes() == 0 {
            return Err(StorageError::NoStateAllowed.configuration());
        }
        self.directories().map(|_| ())
    }

    fn directories(&self) -> Result<(Option<Directory>, Option<Directory>)> {
        Ok((Directory::of_any(self.base_checkpoint_dir())?, Directory::of_any(self.default_savepoint_dir())?))
    }

    fn job_directory(&self, job: JobId, context: &StorageContext) -> Result<Arc<JobDirectory>> {
        self.validate()?;
        match self.directories()?.0 {
            Some(base) => JobDirectory::open(base.join(job), job, Durability::Full, context),
            None => Ok(JobDirectory::in_memory(job, context)),
        }
    }
}

impl CheckpointStorage for MemoryStorage {
    fn coordinator_view(&self, job: JobId, context: &StorageContext) -> Result<Arc<dyn CoordinatorView>> {
        let directory = self.job_directory(job, context)?;
        let (base, target) = self.directories()?;
        let savepoints = Savepoints::new(job, target, SavepointReference::Default, Durability::Full, context);
        let view = match base {
            None => FileCoordinatorView::new(directory, savepoints, HighAvailability::No, context.clone()),
            Some(_) => {
                let view = FileCoordinatorView::new(directory, savepoints, HighAvailability::Yes, context.clone());
                // A directory that cannot be made shows here, and not with the first checkpoint.
                view.initialize_base_locations()?;
                view
            }
        };
        Ok(Arc::new(view))
    }

    fn worker_view(&self, job: JobId, writer: Writer, context: &StorageContext) -> Result<Arc<dyn WorkerView>> {
        let directory = self.job_directory(job, context)?;
        Ok(Arc::new(MemoryWorkerView::new(directory, writer, self.max_state_size_bytes(), context)))
    }

    fn resolve(&self, pointer: &str, context: &StorageContext) -> Result<CompletedLocation> {
        resolve(pointer, context)
    }

    fn summarize(&self, pointer: &str, context: &StorageContext) -> Result<MetadataSummary> {
        summarize(pointer, context)
    }
}

/// What it is, without what may be a secret in a directory.
impl fmt::Display for MemoryStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "memory storage of at most {} bytes for a piece of state, ", self.max_state_size_bytes())?;
        match &self.base_checkpoint_dir {
            Some(directory) => write!(f, "metadata in '{}'", directory)?,
            None => f.write_str("metadata in memory")?,
        }
        match &self.default_savepoint_dir {
            Some(directory) => write!(f, ", savepoints in '{}'", directory),
            None => Ok(()),
        }
    }
}
