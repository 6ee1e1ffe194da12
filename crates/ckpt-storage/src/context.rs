//! What storage needs of the process it runs in.

use std::collections::HashMap;
use std::sync::Arc;

use ckpt_core::id::JobId;
use ckpt_streams::file_system::{FileSystems, MemoryFileSystem};
use ckpt_streams::{Budget, Spawn, StagedDescriptors};
use parking_lot::Mutex;

use crate::head::ProbedStores;
use crate::random::{RandomSource, SystemRandom};

/// What storage needs of the process it runs in; one per process. The description of a storage stays plain data.
///
/// Clones are of one process: they see the same memory.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StorageContext {
    /// The file systems that there are, by scheme.
    pub file_systems: Arc<FileSystems>,
    /// Where blocking work runs.
    pub spawn: Arc<dyn Spawn>,
    /// How many bytes of state may be in memory on their way into storage. By default
    /// [`Budget::DEFAULT_LIMIT_BYTES`].
    pub budget: Arc<Budget>,
    /// Bounds the descriptors of state files that are finished and not sealed, of all jobs together.
    pub descriptors: Arc<StagedDescriptors>,
    /// Names savepoints.
    pub random: Arc<dyn RandomSource>,
    /// What a memory storage without a directory keeps, by job.
    memory: Arc<Mutex<HashMap<JobId, MemoryFileSystem>>>,
    /// Where HEAD may be written.
    pub(crate) probed: Arc<ProbedStores>,
}

impl StorageContext {
    /// A context of those, with a budget and a count of descriptors of the default sizes.
    pub fn new(file_systems: Arc<FileSystems>, spawn: Arc<dyn Spawn>) -> Self {
        Self {
            file_systems,
            spawn,
            budget: Arc::new(Budget::default()),
            descriptors: Arc::new(StagedDescriptors::default()),
            random: Arc::new(SystemRandom),
            memory: Arc::default(),
            probed: Arc::default(),
        }
    }

    /// Allows as much state in memory as that budget.
    #[must_use]
    pub fn with_budget(mut self, budget: Arc<Budget>) -> Self {
        self.budget = budget;
        self
    }

    /// Bounds descriptors of state files by that.
    #[must_use]
    pub fn with_descriptors(mut self, descriptors: Arc<StagedDescriptors>) -> Self {
        self.descriptors = descriptors;
        self
    }

    /// Names savepoints by bits from there, which must be other ones each time.
    #[must_use]
    pub fn with_random(mut self, random: Arc<dyn RandomSource>) -> Self {
        self.random = random;
        self
    }

    /// Gives back the memory in which a [`MemoryStorage`](crate::MemoryStorage) without a directory keeps metadata and HEAD of
    /// that job, for a process that runs many jobs. Views that are still there keep it until they are dropped; one that is
    /// made later finds nothing, as after the loss of the process. Any thread may call it, when the job has ended.
    pub fn forget(&self, job: JobId) {
        self.memory.lock().remove(&job);
    }

    /// The memory of that job in this process, empty when nothing was kept before.
    pub(crate) fn memory_of(&self, job: JobId) -> MemoryFileSystem {
        self.memory.lock().entry(job).or_default().clone()
    }
}
