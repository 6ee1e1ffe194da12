//! Why a snapshot is not disposed of.

use ckpt_core::id::{CheckpointId, JobId};
use ckpt_core::state::ClaimId;
use ckpt_core::{Error, ErrorKind};

/// Why a snapshot is not disposed of, or not wholly.
#[derive(Debug, thiserror::Error)]
pub(super) enum DisposeError {
    #[error("'{pointer}' is a metadata file of another name: name the directory of the snapshot, or '_metadata' in it")]
    OtherName { pointer: String },
    #[error("'{pointer}' is a link or no directory: name the directory of the snapshot itself")]
    Link { pointer: String, source: Error },
    #[error("'{pointer}' could not be opened")]
    NotOpened { pointer: String, source: Error },
    #[error("there is nothing to dispose of at '{pointer}': it has no '_metadata'")]
    Nothing { pointer: String },
    #[error(
        "the savepoint in '{pointer}' is not complete: it is being taken, or the next leader of its job deletes it"
    )]
    NotComplete { pointer: String },
    #[error("'{pointer}' is a snapshot of Flink: only Flink, or its owner, deletes it")]
    OfFlink { pointer: String },
    #[error("'{pointer}' is the directory of a job and no snapshot: it has a HEAD")]
    OfJob { pointer: String },
    #[error(
        "'{pointer}' has the name '{name}' of what belongs to a job as a whole: no snapshot lies in such a directory"
    )]
    PartOfJob { pointer: String, name: String },
    #[error(
        "'{pointer}' lies in the directory of job {job_above}, and is neither a checkpoint of it nor a savepoint by its \
         name, but says that it is checkpoint {found} of job {found_job}: a snapshot that was moved there is to be moved \
         out again first"
    )]
    OutOfPlace { pointer: String, job_above: JobId, found: CheckpointId, found_job: JobId },
    #[error(
        "'{pointer}' lies in the directory of job {job}, which is active: its coordinator deletes its checkpoints; end the \
         job first"
    )]
    JobActive { pointer: String, job: JobId },
    #[error(
        "'{pointer}' is checkpoint {id}, which HEAD of job {job} names: discard it there first, so that no restore begins \
         from it, or delete the directory of the job as a whole"
    )]
    NamedByHead { pointer: String, id: CheckpointId, job: JobId },
    #[error(
        "'{pointer}' is savepoint {id}, from which alone job {job} goes on: it is active, and HEAD in '{head}' says that it was \
         stopped with it; end the job first"
    )]
    StoppedWith { pointer: String, id: CheckpointId, job: JobId, head: String },
    #[error("'{pointer}' is snapshot {id} that job {job} needs: HEAD in '{head}' names it")]
    NeededByJob { pointer: String, id: CheckpointId, job: JobId, head: String },
    #[error("'{path}' is no directory of a job: it has no HEAD")]
    NoHead { path: String },
    #[error("whether a job needs the snapshot is not known: HEAD in '{path}' cannot be read")]
    HeadUnreadable { path: String, source: Error },
    #[error("'{pointer}' belongs to job {job} by its claim {claim}: that job deletes it when it needs it no more")]
    Claimed { pointer: String, job: JobId, claim: ClaimId },
    #[error("'{path}' says that another job owns the snapshot, and cannot be read")]
    OwnerUnreadable { path: String, source: Error },
    #[error("'{path}' says whose savepoint it is, and cannot be read")]
    SavepointUnreadable { path: String, source: Error },
    #[error("'{path}' is of savepoint {found} of job {found_job}, expected snapshot {expected} of job {expected_job}")]
    OfAnotherSavepoint {
        path: String,
        found: CheckpointId,
        found_job: JobId,
        expected: CheckpointId,
        expected_job: JobId,
    },
    #[error("'{path}' says that the snapshot is being disposed of, and cannot be read")]
    MarkUnreadable { path: String, source: Error },
    #[error(
        "'{path}' was made for a '_metadata' of {expected_bytes} bytes of checkpoint {expected}, found one of {found_bytes} \
         bytes of checkpoint {found}"
    )]
    MarkOfAnother { path: String, expected: CheckpointId, expected_bytes: u64, found: CheckpointId, found_bytes: u64 },
    #[error(
        "'{pointer}' is checkpoint {found} of job {found_job}, expected checkpoint {expected} of job {expected_job}"
    )]
    AnotherSnapshot {
        pointer: String,
        found: CheckpointId,
        found_job: JobId,
        expected: CheckpointId,
        expected_job: JobId,
    },
    #[error("'{pointer}' was disposed of by another call meanwhile")]
    Gone { pointer: String, source: Error },
    #[error("'{path}', which marks what is being disposed of, could not be made")]
    NotMarked { path: String, source: Error },

    #[error("'{path}' could not be deleted")]
    NotDeleted { path: String, source: Error },
    #[error("the file system did not say whether '{path}' was deleted")]
    NotAnswered { path: String },
    #[error("a thread that deleted {files} files of '{pointer}' panicked")]
    Panicked { pointer: String, files: usize },
    #[error("what was deleted of '{pointer}' could not be made durable")]
    NotSynced { pointer: String, source: Error },
    #[error("what is left of '{pointer}' could not be listed")]
    NotListed { pointer: String, source: Error },
}

impl DisposeError {
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
