//! What goes wrong in this crate, with what is known about it.

use std::sync::Arc;

use ckpt_core::head::HeadVersion;
use ckpt_core::id::{CheckpointId, JobId, LeaderEpoch};
use ckpt_core::snapshot::SnapshotKind;
use ckpt_core::state::Root;
use ckpt_core::uri::{StoragePathFlaw, Uri};
use ckpt_core::{Error, ErrorKind, Timestamp};

use crate::head::BrokenPromise;

/// What goes wrong in this crate. Outside it is an [`Error`] whose kind says what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StorageError {
    #[error("'{path}' is no directory for checkpoints: {flaw}")]
    Directory { path: String, flaw: StoragePathFlaw },
    #[error("the inline threshold is {found} bytes, expected at most {most}")]
    InlineThreshold { found: usize, most: usize },
    #[error("the most bytes of a piece of state in memory are 0, expected at least 1")]
    NoStateAllowed,
    #[error(
        "there is no directory for checkpoints: set '{key}', or give the storage one; pointers can be resolved without it"
    )]
    NoDirectory { key: &'static str },
    #[error("there is no storage '{name}', expected one of {registered}")]
    UnknownStorage { name: String, registered: String },
    #[error("storage '{name}' cannot be made")]
    StorageNotMade { name: String, source: Error },
    #[error("the storage '{name}' is there already")]
    StorageTaken { name: String },
    #[error("a storage has no name")]
    StorageUnnamed,
    #[error("cannot make or open the directory '{directory}'")]
    BaseLocation { directory: String, source: Error },
    #[error("cannot make or open the directory '{directory}' of the job")]
    JobDirectory { directory: String, source: Error },

    #[error("the pointer to a checkpoint is empty")]
    PointerEmpty,
    #[error("'{pointer}' stands for a checkpoint in the memory of its coordinator: no pointer leads there")]
    PointerIntoMemory { pointer: &'static str },
    #[error("'{pointer}' is not a valid path or URI of a checkpoint: {why}")]
    PointerNotValid { pointer: String, why: &'static str },
    #[error("cannot access the file system of '{pointer}'")]
    PointerFileSystem { pointer: String, source: Error },
    #[error("cannot find checkpoint or savepoint '{pointer}': there is no such file or directory")]
    PointerMissing { pointer: String },
    #[error("'{pointer}' is neither a file nor a directory")]
    PointerToNeither { pointer: String },
    #[error("cannot access '{pointer}'")]
    PointerUnreadable { pointer: String, source: std::io::Error },
    #[error("cannot find the metadata file '_metadata' in the directory '{pointer}'")]
    PointerWithoutMetadata { pointer: String },

    #[error(
        "'{pointer}' is being disposed of since {began_at}: nothing begins from it any more, and disposing of it again finishes it"
    )]
    PointerBeingDisposed { pointer: String, began_at: Timestamp },
    #[error(
        "'{pointer}' is the directory of job {job}, expected that of one of its checkpoints or savepoints: {snapshots}"
    )]
    PointerToJob { pointer: String, job: JobId, snapshots: String },
    #[error(
        "'{pointer}' is the directory of a job, expected that of one of its checkpoints, which '{head}' would name"
    )]
    PointerToUnknownJob { pointer: String, head: String, source: Error },
    #[error(
        "'{pointer}' has no '_metadata': savepoint {id} of job {job}, begun at {began_at}, is in progress there or was abandoned"
    )]
    PointerToUnfinishedSavepoint { pointer: String, id: CheckpointId, job: JobId, began_at: Timestamp },
    #[error("snapshot {id} of job {job} at '{pointer}' is not self-contained: needs {root}, and {missing}")]
    StateElsewhere { pointer: String, id: CheckpointId, job: JobId, root: Root, missing: String },

    #[error("'{path}' is there already: number {id} belongs to another checkpoint")]
    PlaceTaken { path: String, id: CheckpointId },
    #[error("cannot look whether the place '{path}' of a checkpoint is free")]
    PlaceUnknown { path: String, source: Error },
    #[error("metadata of checkpoint {found} of {found_epoch:?} and job {found_job} does not belong into '{path}'")]
    NotOfThisPlace { path: String, found: CheckpointId, found_epoch: LeaderEpoch, found_job: JobId },
    #[error("'{path}' is not published")]
    NotPublished { path: String, source: Error },
    #[error("checkpoint {id} is committed in '{head}' and is not discarded")]
    DiscardCommitted { id: CheckpointId, head: String },

    #[error("no savepoint location given and no default configured: name a target, or set '{key}'")]
    NoSavepointTarget { key: &'static str },
    #[error("'{target}' is no target for a savepoint: {flaw}")]
    SavepointTarget { target: String, flaw: StoragePathFlaw },
    #[error("there are no random bits")]
    NoRandom { source: getrandom::Error },
    #[error("'{uri}' is no directory for a savepoint of job {job}")]
    NoSavepointOfJob { uri: Uri, job: JobId },
    #[error("the file system of the savepoint '{uri}' cannot be opened")]
    SavepointPlace { uri: Uri, source: Error },
    #[error("cannot make the directory '{uri}' of a savepoint")]
    SavepointNotMade { uri: Uri, source: Error },
    #[error("'{uri}' is another's already")]
    SavepointTaken { uri: Uri },
    #[error("cannot make a directory for a savepoint in '{target}': the last of {attempts} attempts failed")]
    NoSavepointDirectory { target: String, attempts: u32, source: Error },
    #[error("'{path}' is not published: snapshot {id} is a {kind}, expected a savepoint")]
    NoSavepoint { path: String, id: CheckpointId, kind: SnapshotKind },
    #[error("'{path}' is not published: savepoint {id} names state outside its directory")]
    NotSelfContained { path: String, id: CheckpointId },
    #[error("savepoint {id} was given up while it was taken: '{path}' is not published")]
    SavepointGivenUp { path: String, id: CheckpointId },
    #[error("it is not known whether savepoint {id} was given up when '{path}' was published")]
    SavepointInDoubt { path: String, id: CheckpointId, source: Error },
    #[error("savepoint {id} is complete in '{path}' and is its user's: it is not discarded")]
    SavepointComplete { path: String, id: CheckpointId },
    #[error("cannot see to it that '{path}' is never published")]
    NotGivenUp { path: String, source: Error },
    #[error("the mark '{path}' cannot be used")]
    MarkUnusable { path: String, source: Error },

    #[error("metadata file '{path}' is missing")]
    MetadataMissing { path: String, source: Error },
    #[error("metadata file '{path}' could not be opened")]
    MetadataNotOpened { path: String, source: Error },
    #[error("metadata file '{path}' cannot be used")]
    MetadataNotRead { path: String, source: Error },
    #[error(
        "metadata file '{path}' is one of Flink's: `ckpt show` and `ckpt verify` read it, as the crate ckpt-flink does, and this storage restores none of it"
    )]
    MetadataOfFlink { path: String },
    #[error("'{path}' says that savepoint {id} of job {job} was given up before it was complete")]
    MetadataGivenUp { path: String, id: CheckpointId, job: JobId },
    #[error("metadata file '{path}' is of job {found}, expected {expected}")]
    MetadataOfAnotherJob { path: String, found: JobId, expected: JobId },

    #[error("there is no HEAD '{path}' that would say where a snapshot lies")]
    NoHead { path: String },
    #[error("'{path}' could not be read")]
    HeadUnreadable { path: String, source: Error },
    #[error("HEAD '{path}' cannot be used")]
    HeadDamaged { path: String, source: Error },
    #[error("'{path}' was written by the leader of epoch {found}, ours is {ours}: another leader has taken over")]
    FencedByEpoch { path: String, found: LeaderEpoch, ours: LeaderEpoch },
    #[error("'{path}' was written by another leader of our own epoch {ours}, at version {found}")]
    FencedByNonce { path: String, found: HeadVersion, ours: LeaderEpoch },
    #[error("'{path}' of epoch {epoch} has version {found}, expected {expected}, in our own epoch {ours}")]
    FencedByVersion { path: String, epoch: LeaderEpoch, found: HeadVersion, expected: u64, ours: LeaderEpoch },
    #[error("'{path}' is gone: found nothing, expected version {expected} of an epoch up to {ours}")]
    HeadGone { path: String, expected: u64, ours: LeaderEpoch },
    #[error(
        "'{path}' is not there, and checkpoint {newest} beside it was completed: HEAD was lost, expected it, or an empty \
         directory. A new job can begin from that checkpoint (NO_CLAIM)"
    )]
    HeadLost { path: String, newest: CheckpointId },
    #[error("it cannot be told whether '{path}', which is not there, was lost")]
    LostHeadNotLookedFor { path: String, source: Error },
    #[error("version {version} of '{path}' may have been written: no answer was certain in {tries} tries")]
    HeadUnknown { path: String, version: HeadVersion, tries: u32, source: Error },
    #[error("'{path}' could not be written")]
    HeadNotWritten { path: String, source: Error },
    #[error("version {version} of '{path}' was refused {tries} times although nothing else was written")]
    HeadContended { path: String, version: HeadVersion, tries: u32 },
    #[error("no job can be led with the store of '{path}', for its compare-and-swap does not hold: {promise}")]
    PromiseBroken { path: String, promise: BrokenPromise },
    #[error("it could not be told whether the compare-and-swap of the store of '{path}' holds")]
    NotProbed { path: String, source: Error },
    #[error(
        "job {job} would be restored from {}, expected to go back from snapshot {from}",
        newest.map_or_else(|| "nothing".to_owned(), |newest| format!("snapshot {newest}"))
    )]
    NotGoingBackFrom { job: JobId, from: CheckpointId, newest: Option<CheckpointId> },
    #[error("job {job} could not be claimed: {claims} other claims came first")]
    ClaimLost { job: JobId, claims: u32 },

    #[error("'{path}' could not be deleted")]
    NotDeleted { path: String, source: Error },
    #[error("the files below '{path}' could not be listed")]
    NotListed { path: String, source: Error },
    #[error("nothing is collected: HEAD is of job {found}, expected {expected}")]
    HeadOfAnotherJob { found: JobId, expected: JobId },
    #[error("nothing is collected: HEAD of job {job} retains checkpoint {id} and its metadata was not given")]
    RetainedUnknown { job: JobId, id: CheckpointId },

    #[error("a barrier of {found:?} reached a writer of {expected:?}")]
    BarrierOfEpoch { found: LeaderEpoch, expected: LeaderEpoch },
    #[error("the barrier of snapshot {id} names a place that cannot be used")]
    BarrierPlace { id: CheckpointId, source: Error },
    #[error("the barrier of savepoint {id} names no directory, expected one: its state is to lie apart")]
    BarrierWithoutPlace { id: CheckpointId },
    #[error("'{uri}' has no mark of savepoint {id}: it was given up, and nothing more is written there")]
    BarrierWithoutMark { uri: Uri, id: CheckpointId },
    #[error(
        "'{uri}' is not the place of savepoint {id} of this job and {epoch:?}: its mark is of savepoint {found_id} of job {found_job} and {found_epoch:?}"
    )]
    BarrierOfAnotherMark {
        uri: Uri,
        id: CheckpointId,
        epoch: LeaderEpoch,
        found_job: JobId,
        found_id: CheckpointId,
        found_epoch: LeaderEpoch,
    },
    #[error("state at {place} is not duplicated for tasks: expected a shared or a task-owned file")]
    NotDuplicated { place: String },
    #[error("memory storage duplicates no state: there are no files")]
    NothingDuplicated,
    #[error("the place '{uri}' of stored state cannot be opened")]
    PlaceNotOpened { uri: String, source: Arc<Error> },

    #[error("the verification was cancelled")]
    VerificationCancelled,
    #[error("the verification has no result: a job of it has panicked")]
    VerificationPanicked,
}

impl StorageError {
    /// As the public error of that kind.
    pub(crate) fn kind(self, kind: ErrorKind) -> Error {
        Error::new(kind, self)
    }

    pub(crate) fn configuration(self) -> Error {
        self.kind(ErrorKind::Configuration)
    }

    pub(crate) fn corrupt(self) -> Error {
        self.kind(ErrorKind::Corrupt)
    }

    pub(crate) fn retry(self) -> Error {
        self.kind(ErrorKind::Retry)
    }

    pub(crate) fn abort(self) -> Error {
        self.kind(ErrorKind::AbortCheckpoint)
    }

    pub(crate) fn fenced(self) -> Error {
        self.kind(ErrorKind::Fenced)
    }

    pub(crate) fn unknown(self) -> Error {
        self.kind(ErrorKind::Unknown)
    }
}
