//! What goes wrong with streams.

use ckpt_core::{Error, ErrorKind};

/// What went wrong with a stream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StreamError {
    #[error("the streams of this checkpoint were cancelled")]
    Cancelled,
    #[error("the stream failed at an earlier write")]
    FailedEarlier,
    #[error(
        "a write of {write_bytes} bytes at {position_bytes} crosses the limit of {limit_bytes} bytes for state in memory"
    )]
    OverLimit { write_bytes: usize, position_bytes: u64, limit_bytes: usize },
    #[error("state that was staged elsewhere cannot be sealed here")]
    StagedElsewhere,
    #[error("state file '{path}' could not be synced: its name was taken")]
    NameTaken { path: String },
    #[error("state file '{path}' could not be synced: a sync of it panicked")]
    SyncPanicked { path: String },
    #[error("state at {place} cannot be duplicated here: expected inline state or a file of ours below {expected}")]
    CannotDuplicate { place: String, expected: String },
}

impl From<StreamError> for Error {
    fn from(error: StreamError) -> Self {
        let kind = match error {
            StreamError::Cancelled => ErrorKind::Cancelled,
            StreamError::StagedElsewhere | StreamError::CannotDuplicate { .. } => ErrorKind::FailJob,
            _ => ErrorKind::AbortCheckpoint,
        };
        Self::new(kind, error)
    }
}
