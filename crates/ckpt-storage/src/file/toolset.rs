//! Copies of files that the tasks manage themselves.

use ckpt_core::state::{FileRef, Place, Root, StateHandle};
use ckpt_core::{ErrorKind, Result};
use ckpt_streams::file_system::Capabilities;
use ckpt_streams::{FileStreams, StateScope, StreamFactory as _};

use crate::error::StorageError;
use crate::toolset::Toolset;

/// Copies shared and task-owned files into the directory of those that the tasks own, by whatever is cheapest there: shared
/// bytes, a second name of what is never changed, or a copy within the system.
#[derive(Debug)]
pub(crate) struct FileToolset {
    /// Their exclusive directory is that of task-owned files, their shared one the job's.
    streams: FileStreams,
    capabilities: Capabilities,
}

impl Toolset for FileToolset {
    fn can_duplicate(&self, handle: &StateHandle) -> bool {
        self.capabilities.cheap_duplicate && is_copied(handle)
    }

    fn duplicate(&self, from: &[StateHandle]) -> Result<Vec<StateHandle>> {
        if let Some(handle) = from.iter().find(|handle| !is_copied(handle)) {
            let place = format!("{:?}", handle.place());
            return Err(StorageError::NotDuplicated { place }.kind(ErrorKind::FailJob));
        }
        let copies = self.streams.duplicate(from, StateScope::Exclusive)?;
        self.streams.seal_pieces(copies)
    }
}

/// Whether it is a file of this job that outlives a checkpoint.
const fn is_copied(handle: &StateHandle) -> bool {
    matches!(handle.place(), Place::File { root: Root::JobShared | Root::JobTaskOwned, file: FileRef::Ours(_) })
}

impl FileToolset {
    pub(crate) const fn new(streams: FileStreams, capabilities: Capabilities) -> Self {
        Self { streams, capabilities }
    }
}
