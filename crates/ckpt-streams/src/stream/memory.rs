//! State that stays in its handle.

use ckpt_core::state::{StateHandle, TaskSnapshot};
use ckpt_core::{Error, ErrorKind, Result};

use crate::Pending;
use crate::stream::staged::Staged;
use crate::stream::{StateOutputStream, StateScope, StreamFactory};

/// Streams whose state stays in its handle, up to a limit for each.
#[derive(Debug)]
pub struct MemoryStreams {
    limit_bytes: usize,
}

impl MemoryStreams {
    /// At most that many bytes each; the write that crosses the limit is refused.
    pub fn new(limit_bytes: usize) -> Self {
        Self { limit_bytes }
    }
}

impl StreamFactory for MemoryStreams {
    fn create(&self, _scope: StateScope) -> Result<Box<dyn StateOutputStream>> {
        Err(Error::new(ErrorKind::AbortCheckpoint, format!("no stream of {} bytes yet", self.limit_bytes)))
    }

    fn seal(&self, _snapshot: TaskSnapshot<Staged>) -> Result<TaskSnapshot<StateHandle>> {
        Err(Error::new(ErrorKind::AbortCheckpoint, "nothing can be sealed yet"))
    }

    fn duplicate(&self, _from: &[StateHandle], _scope: StateScope) -> Result<Vec<Staged>> {
        Err(Error::new(ErrorKind::AbortCheckpoint, "nothing can be duplicated yet"))
    }

    fn cancel(&self) -> Pending<()> {
        Pending::ready(())
    }
}
