//! Why key groups are refused.

use super::{KeyGroup, MaxParallelism};
use crate::error::{Error, ErrorKind};

/// Key groups that cannot be.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeyGroupError {
    #[error("maximum parallelism must be from 1 to {}, found {found}", MaxParallelism::UPPER_BOUND)]
    MaxParallelism { found: u32 },
    #[error("no key groups for subtask {subtask} of {parallelism}: the maximum parallelism is {max}")]
    NoSubtask { subtask: u32, parallelism: u32, max: MaxParallelism },
    #[error("nobody owns key group {group} at parallelism {parallelism}: the maximum parallelism is {max}")]
    NoOwner { group: KeyGroup, parallelism: u32, max: MaxParallelism },
    #[error("a key-group range is never empty: its first, {first}, lies after its last, {last}")]
    EmptyRange { first: KeyGroup, last: KeyGroup },
    #[error("a key-group range ends with group {last}, expected at most {}", MaxParallelism::UPPER_BOUND - 1)]
    NoSuchGroup { last: KeyGroup },
}

impl From<KeyGroupError> for Error {
    fn from(error: KeyGroupError) -> Self {
        Self::new(ErrorKind::Configuration, error)
    }
}
