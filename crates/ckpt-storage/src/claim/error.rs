//! Why a snapshot is not claimed, or what is claimed not given back.

use std::time::Duration;

use ckpt_core::head::{ClaimMode, HeadVersion};
use ckpt_core::id::{CheckpointId, JobId, LeaderEpoch};
use ckpt_core::state::{ClaimId, Root};
use ckpt_core::uri::Uri;
use ckpt_core::{Error, ErrorKind};

/// Why a snapshot is not claimed, or what is claimed not given back.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClaimError {
    #[error("job {job} has no HEAD: there is nothing to take over")]
    NoHead { job: JobId },
    #[error(
        "job {job} is active, led under {epoch:?}: end it first, or have it taken over, which fences whoever leads it"
    )]
    Active { job: JobId, epoch: LeaderEpoch },
    #[error(
        "job {job} is led: within {waited:?} its HEAD went from version {before} to {after}; end it first, or have it fenced \
         all the same"
    )]
    Led { job: JobId, waited: Duration, before: HeadVersion, after: HeadVersion },
    #[error("HEAD of job {job} could not be written: {tries} other writes came first")]
    Contended { job: JobId, tries: u32 },

    #[error("'{pointer}' is a metadata file of another name: name the directory of the snapshot, or '_metadata' in it")]
    OtherName { pointer: String },
    #[error(
        "'{pointer}' is a snapshot of Flink, which stays its owner's: it can be borrowed (NO_CLAIM) and not claimed"
    )]
    OfFlink { pointer: String },
    #[error(
        "job {job} began from snapshot {id} at '{uri}' in mode {mode}, expected to begin from '{pointer}' in mode \
         {other_mode}: start a new job for that"
    )]
    OtherStart { job: JobId, id: CheckpointId, uri: Uri, mode: ClaimMode, pointer: String, other_mode: ClaimMode },
    #[error(
        "'{pointer}' lies in the directory of job {job_above}, and is neither a checkpoint of it nor a savepoint by its name, \
         but says that it is snapshot {found} of job {found_job}: move it out again first"
    )]
    OutOfPlace { pointer: String, job_above: JobId, found: CheckpointId, found_job: JobId },
    #[error(
        "'{pointer}' names state below {root}, and no HEAD of job {job} is there that says who else needs it: it can be \
         borrowed (NO_CLAIM) and not claimed"
    )]
    NoHeadAbove { pointer: String, root: Root, job: JobId },
    #[error(
        "HEAD of job {job} does not retain checkpoint {id} at '{pointer}', so it has no owner who could hand it over"
    )]
    NotRetained { pointer: String, id: CheckpointId, job: JobId },
    #[error(
        "'{pointer}' is not the checkpoint {id} that HEAD of job {job} names: its '_metadata' has {found_bytes} bytes, \
         expected {expected_bytes} and the index that HEAD knows"
    )]
    NotAsInHead { pointer: String, id: CheckpointId, job: JobId, found_bytes: u64, expected_bytes: u64 },
    #[error("'{pointer}' belongs to job {to}, expected job {job}: it was claimed before")]
    HandedOver { pointer: String, to: JobId, job: JobId },
    #[error("'{pointer}' belongs to job {owner} by its claim {claim}, expected job {job}: it was claimed before")]
    Owned { pointer: String, owner: JobId, claim: ClaimId, job: JobId },
    #[error("'{path}', which says who owns the snapshot, could not be made")]
    NotOwned { path: String, source: Error },
    #[error("'{path}', which says who owns the snapshot, cannot be used")]
    OwnerUnreadable { path: String, source: Error },
    #[error("'{pointer}' is being disposed of: nothing begins from it any more")]
    BeingDisposed { pointer: String },
    #[error("'{pointer}' was disposed of, or replaced, while it was claimed")]
    Gone { pointer: String },

    #[error("'{path}' is not the '_metadata' of snapshot {id} that HEAD removed: nothing of it is deleted")]
    OtherMetadata { path: String, id: CheckpointId },
    #[error("what was deleted of '{pointer}' could not be made durable")]
    NotSynced { pointer: String, source: Error },
    #[error("it cannot be told which files in '{shared}' other snapshots of job {job} name")]
    OthersUnknown { shared: String, job: JobId, source: Error },
}

impl ClaimError {
    pub(super) fn of_kind(self, kind: ErrorKind) -> Error {
        Error::new(kind, self)
    }

    pub(super) fn configuration(self) -> Error {
        self.of_kind(ErrorKind::Configuration)
    }

    pub(super) fn retry(self) -> Error {
        self.of_kind(ErrorKind::Retry)
    }
}
