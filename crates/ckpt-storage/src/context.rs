//! What storage needs of the process it runs in.

use std::sync::Arc;

use ckpt_streams::file_system::FileSystems;
use ckpt_streams::{Budget, Spawn};

/// What storage needs of the process it runs in; one per process. The description of a storage stays plain data.
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
}

impl StorageContext {
    /// A context of those, with a budget of the default size.
    pub fn new(file_systems: Arc<FileSystems>, spawn: Arc<dyn Spawn>) -> Self {
        Self { file_systems, spawn, budget: Arc::new(Budget::default()) }
    }

    /// Allows as much state in memory as that budget.
    #[must_use]
    pub fn with_budget(mut self, budget: Arc<Budget>) -> Self {
        self.budget = budget;
        self
    }
}
