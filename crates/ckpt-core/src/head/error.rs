//! Why HEAD cannot change as proposed.

use super::{Head, HeadVersion, JobState};
use crate::error::{Error, ErrorKind};
use crate::id::{CheckpointId, JobId, LeaderEpoch};
use crate::snapshot::SnapshotKind;
use crate::state::Root;
use crate::uri::Uri;

/// A transition that is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TransitionError {
    #[error("HEAD belongs to job {found}, expected job {expected}")]
    OtherJob { found: JobId, expected: JobId },
    #[error("job {job} has ended as {state} (HEAD version {version}): there is nothing to go on with")]
    Ended { job: JobId, state: JobState, version: HeadVersion },
    #[error("job {job} is active, expected one that has ended: take it over and end it first")]
    NotEnded { job: JobId },
    #[error(
        "job {job} began from snapshot {id} at '{uri}', expected to begin from '{other}': start a new job for that"
    )]
    OtherOrigin { job: JobId, id: CheckpointId, uri: Uri, other: Uri },
    #[error("job {job} goes on from snapshot {newest}, expected to begin from '{other}': start a new job for that")]
    BegunAlready { job: JobId, newest: CheckpointId, other: Uri },
    #[error("{root} at '{uri}' is named twice by the snapshot to begin from, expected once")]
    RootTwice { root: Root, uri: Uri },
    #[error("snapshot {to} is what a restore takes, expected an older one to go back to")]
    NothingNewer { to: CheckpointId },
    #[error("snapshot {id} is not retained")]
    NotRetained { id: CheckpointId },
    #[error("there would be more than {limit} {what}")]
    TooMany { what: &'static str, limit: usize },
    #[error("the URIs in HEAD would have {bytes} bytes, expected at most {}", Head::MAX_URI_BYTES)]
    LongUris { bytes: usize },
    #[error("{found} checkpoints cannot be retained, expected 1 to {}", Head::MAX_RETAINED)]
    Retain { found: usize },
    #[error("snapshot {id} was taken under epoch {found}, expected the leader's own epoch {expected}")]
    OtherEpoch { id: CheckpointId, found: LeaderEpoch, expected: LeaderEpoch },
    #[error(
        "number {id} was never reserved by this leader: expected one from {first} up to, and without, {unreserved}"
    )]
    NotReserved { id: CheckpointId, first: CheckpointId, unreserved: CheckpointId },
    #[error("number {id} is used already")]
    Used { id: CheckpointId },
    #[error("snapshot {id} cannot be committed after snapshot {newest}: numbers ascend")]
    NotNewer { id: CheckpointId, newest: CheckpointId },
    #[error("a savepoint is owned by its user: HEAD does not retain savepoint {id}")]
    Savepoint { id: CheckpointId },
    #[error(
        "checkpoint {id} has another owner or another place than this job: expected a checkpoint that it took itself"
    )]
    NotOurs { id: CheckpointId },
    #[error("snapshot {id} cannot be taken: this leader has stopped the job with savepoint {savepoint}")]
    Stopped { id: CheckpointId, savepoint: CheckpointId },
    #[error("checkpoint {id} may name files of a snapshot that this job does not own, expected a full checkpoint")]
    NotFull { id: CheckpointId },
    #[error("checkpoint {id} names files below claim {claim}, which this job does not hold")]
    ClaimNotHeld { id: CheckpointId, claim: u64 },
    #[error("savepoint {id} cannot begin: {} are in progress or not collected", Head::MAX_SAVEPOINTS)]
    ManySavepoints { id: CheckpointId },
    #[error("savepoint {id} is not in progress")]
    NotInProgress { id: CheckpointId },
    #[error("snapshot {id} is a {kind}, expected a savepoint that stops the job")]
    DoesNotStop { id: CheckpointId, kind: SnapshotKind },
    #[error("savepoint {id} is not its user's, expected one that this job only borrows")]
    NotItsUsers { id: CheckpointId },
    #[error("savepoint {id} was begun at '{uri}', expected it to be published there")]
    BegunElsewhere { id: CheckpointId, uri: Uri },
    #[error("a job that is suspended has not ended: HEAD stays as it is")]
    Suspended,
    #[error("snapshot {id} is not set aside, nor is it retained by a job that has ended: it cannot be discarded")]
    NotToDiscard { id: CheckpointId },
    #[error("snapshot {id} is borrowed: this job cannot hand it over")]
    NotToHandOver { id: CheckpointId },
    #[error("snapshot {id} belongs to job {to}, expected job {other}")]
    HandedOver { id: CheckpointId, to: JobId, other: JobId },
    #[error("snapshot {id} is not handed over to job {by}, or that job still needs it")]
    NotHandedBack { id: CheckpointId, by: JobId },
    #[error("all {what} are used up")]
    UsedUp { what: &'static str },
}

impl From<TransitionError> for Error {
    fn from(error: TransitionError) -> Self {
        let kind = match error {
            TransitionError::OtherJob { .. }
            | TransitionError::Ended { .. }
            | TransitionError::NotEnded { .. }
            | TransitionError::OtherOrigin { .. }
            | TransitionError::BegunAlready { .. }
            | TransitionError::RootTwice { .. }
            | TransitionError::NothingNewer { .. }
            | TransitionError::NotRetained { .. }
            | TransitionError::TooMany { .. }
            | TransitionError::NotToDiscard { .. }
            | TransitionError::NotToHandOver { .. }
            | TransitionError::HandedOver { .. }
            | TransitionError::NotHandedBack { .. } => ErrorKind::Configuration,
            TransitionError::ManySavepoints { .. } | TransitionError::LongUris { .. } => ErrorKind::AbortCheckpoint,
            TransitionError::Retain { .. }
            | TransitionError::OtherEpoch { .. }
            | TransitionError::NotReserved { .. }
            | TransitionError::Used { .. }
            | TransitionError::NotNewer { .. }
            | TransitionError::Savepoint { .. }
            | TransitionError::NotOurs { .. }
            | TransitionError::Stopped { .. }
            | TransitionError::NotFull { .. }
            | TransitionError::ClaimNotHeld { .. }
            | TransitionError::NotInProgress { .. }
            | TransitionError::DoesNotStop { .. }
            | TransitionError::NotItsUsers { .. }
            | TransitionError::BegunElsewhere { .. }
            | TransitionError::Suspended
            | TransitionError::UsedUp { .. } => ErrorKind::FailJob,
        };
        Self::new(kind, error)
    }
}
