//! What storage needs of the process it runs in.

use std::sync::Arc;

use ckpt_streams::Spawn;
use ckpt_streams::file_system::FileSystems;

/// What storage needs of the process it runs in; one per process. The description of a storage stays plain data.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StorageContext {
    /// The file systems that there are, by scheme.
    pub file_systems: Arc<FileSystems>,
    /// Where blocking work runs.
    pub spawn: Arc<dyn Spawn>,
}

impl StorageContext {
    /// A context of those.
    pub const fn new(file_systems: Arc<FileSystems>, spawn: Arc<dyn Spawn>) -> Self {
        Self { file_systems, spawn }
    }
}
