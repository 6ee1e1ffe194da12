//! What goes wrong with streams.

use ckpt_core::key_group::{KeyGroup, KeyGroupRange};
use ckpt_core::{Error, ErrorKind};

/// What went wrong with a stream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StreamError {
    #[error("the streams of this checkpoint were cancelled")]
    Cancelled,
    #[error("the stream failed at an earlier write")]
    FailedEarlier,
    #[error(
        "a write of {write_bytes} bytes at {position_bytes} is refused: state in memory has at most {limit_bytes} bytes, \
         larger state needs file storage"
    )]
    OverLimit { write_bytes: usize, position_bytes: u64, limit_bytes: usize },
    #[error("state that was staged elsewhere cannot be sealed here")]
    StagedElsewhere,
    #[error("state file '{path}' could not be finished: its name was taken")]
    NameTaken { path: String },
    #[error("copy '{path}' may have been made or not, expected to know: {reason}")]
    CopyInDoubt { path: String, reason: String },
    #[error("state file '{path}' could not be synced: a sync of it panicked")]
    SyncPanicked { path: String },
    #[error("state file '{path}' may be left: removing it panicked")]
    RemovePanicked { path: String },
    #[error("state file '{path}' may be left: its file system does not say what became of it")]
    RemoveUnanswered { path: String },
    #[error("state at {place} cannot be duplicated here: expected inline state or a file of ours below {expected}")]
    CannotDuplicate { place: String, expected: String },
    #[error("a copy that stands at {secondary_bytes} bytes would be none of a stream that stands at {primary_bytes}")]
    PositionsDiffer { primary_bytes: u64, secondary_bytes: u64 },
    #[error("a write of the copy panicked")]
    CopyPanicked,
    #[error(
        "there is no room for a part of {part_bytes} bytes in the budget of {limit_bytes} bytes, and it cannot wait"
    )]
    NoRoom { part_bytes: usize, limit_bytes: u64 },
    #[error("key group {group} is none of those that are written here, {range}")]
    GroupOutside { group: KeyGroup, range: KeyGroupRange },
    #[error("key group {group} cannot begin after key group {current}: groups ascend, and each begins once")]
    GroupNotAfter { group: KeyGroup, current: KeyGroup },
    #[error("an operator whose input has no keys has no state that belongs to keys")]
    NoKeys,
}

impl From<StreamError> for Error {
    fn from(error: StreamError) -> Self {
        let kind = match error {
            StreamError::Cancelled => ErrorKind::Cancelled,
            StreamError::RemovePanicked { .. } | StreamError::RemoveUnanswered { .. } => ErrorKind::Retry,
            StreamError::StagedElsewhere | StreamError::CannotDuplicate { .. } => ErrorKind::FailJob,
            StreamError::GroupOutside { .. } | StreamError::GroupNotAfter { .. } | StreamError::NoKeys => {
                ErrorKind::Configuration
            }
            _ => ErrorKind::AbortCheckpoint,
        };
        Self::new(kind, error)
    }
}
