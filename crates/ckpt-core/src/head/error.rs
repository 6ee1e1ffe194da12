//! Why HEAD cannot change as proposed.

use super::{HeadVersion, JobState};
use crate::error::{Error, ErrorKind};
use crate::id::{CheckpointId, JobId, LeaderEpoch};

/// A transition that is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TransitionError {
    #[error("HEAD belongs to job {found}, expected job {expected}")]
    OtherJob { found: JobId, expected: JobId },
    #[error("job {job} has ended as {state} (HEAD version {version}): there is nothing to go on with")]
    Ended { job: JobId, state: JobState, version: HeadVersion },
    #[error("at least one checkpoint must be retained, found 0")]
    RetainsNone,
    #[error("checkpoint {id} was taken under epoch {found}, expected the leader's own epoch {expected}")]
    OtherEpoch { id: CheckpointId, found: LeaderEpoch, expected: LeaderEpoch },
    #[error("checkpoint {id} was never reserved: expected a number below {unreserved}")]
    NotReserved { id: CheckpointId, unreserved: CheckpointId },
    #[error("checkpoint {id} cannot be committed after checkpoint {newest}: numbers ascend")]
    NotNewer { id: CheckpointId, newest: CheckpointId },
    #[error("a savepoint is owned by its user: HEAD does not retain savepoint {id}")]
    Savepoint { id: CheckpointId },
    #[error(
        "checkpoint {id} has another owner or another place than this job: expected a checkpoint that it took itself"
    )]
    NotOurs { id: CheckpointId },
    #[error("checkpoint {id} cannot be committed: this leader has stopped the job with savepoint {savepoint}")]
    Stopped { id: CheckpointId, savepoint: CheckpointId },
    #[error("a job cannot end as active")]
    EndsActive,
    #[error("all {what} are used up")]
    UsedUp { what: &'static str },
}

impl From<TransitionError> for Error {
    fn from(error: TransitionError) -> Self {
        let kind = match error {
            TransitionError::OtherJob { .. } | TransitionError::Ended { .. } => ErrorKind::Configuration,
            TransitionError::RetainsNone
            | TransitionError::OtherEpoch { .. }
            | TransitionError::NotReserved { .. }
            | TransitionError::NotNewer { .. }
            | TransitionError::Savepoint { .. }
            | TransitionError::NotOurs { .. }
            | TransitionError::Stopped { .. }
            | TransitionError::EndsActive
            | TransitionError::UsedUp { .. } => ErrorKind::FailJob,
        };
        Self::new(kind, error)
    }
}
