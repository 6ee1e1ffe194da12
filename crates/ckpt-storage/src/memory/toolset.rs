//! State in memory is not copied as a file.

use ckpt_core::state::StateHandle;
use ckpt_core::{ErrorKind, Result};

use crate::error::StorageError;
use crate::toolset::Toolset;

/// Copies nothing: there are no files.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MemoryToolset;

impl Toolset for MemoryToolset {
    fn can_duplicate(&self, _: &StateHandle) -> bool {
        false
    }

    fn duplicate(&self, _: &[StateHandle]) -> Result<Vec<StateHandle>> {
        Err(StorageError::NothingDuplicated.kind(ErrorKind::FailJob))
    }
}
