//! Why a checkpoint does not complete.

use std::fmt;
use std::time::Duration;

use ckpt_core::id::{CheckpointId, FileName, OperatorId, TaskAttempt, TaskId, WriterId};
use ckpt_core::message::DeclineReason;
use ckpt_core::shared::SharedStateRefusal;
use ckpt_core::state::{FileRef, MisplacedFile, Root};
use ckpt_core::{Error, ErrorKind};

/// An error as plain data: what an action that failed says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// What to do about it.
    pub kind: ErrorKind,
    /// The error and its sources.
    pub message: String,
}

/// Why a checkpoint does not complete, or was not begun.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AbortReason {
    /// Tasks are being deployed or were lost; try again when all run.
    #[error("not all tasks are running")]
    NotAllTasksRunning,
    /// A source has finished, and its state lies in the newest checkpoint's own directory, where no later one may name it.
    #[error("source {0} has finished and its state cannot be named by another checkpoint")]
    FinishedSource(TaskId),
    /// The queue of requests is full.
    #[error("{0} requests for checkpoints wait already")]
    TooManyRequests(usize),
    /// No numbers are left.
    #[error("there is no number for the checkpoint: {0}")]
    NoNumber(Failure),
    /// Its place could not be made.
    #[error("the place of the checkpoint could not be made: {0}")]
    LocationFailed(Failure),
    /// A task declined it.
    #[error("task {attempt} declined: {reason}: {message}")]
    Declined {
        /// The task.
        attempt: TaskAttempt,
        /// Why.
        reason: DeclineReason,
        /// What went wrong, for people.
        message: String,
    },
    /// A task acknowledged state that no checkpoint may name.
    #[error("the state that task {attempt} acknowledged is refused: {refusal}")]
    StateRefused {
        /// The task.
        attempt: TaskAttempt,
        /// What is wrong with it.
        refusal: Box<StateRefusal>,
    },
    /// Not all tasks acknowledged it in time.
    #[error("the checkpoint expired after {after:?}, {outstanding} tasks had not acknowledged")]
    Expired {
        /// The timeout.
        after: Duration,
        /// How many tasks it still waited for.
        outstanding: usize,
    },
    /// A task that it waited for was lost.
    #[error("task {attempt} was lost: {reason}")]
    AttemptLost {
        /// The task.
        attempt: TaskAttempt,
        /// How it was lost, for people.
        reason: String,
    },
    /// A task that it waited for finished without it.
    #[error("task {attempt} finished without acknowledging")]
    AttemptFinished {
        /// The task.
        attempt: TaskAttempt,
    },
    /// The state of a task that had finished cannot be named again.
    #[error("the state of a finished task cannot be named again: {0}")]
    InheritedState(SharedStateRefusal),
    /// A newer checkpoint was committed.
    #[error("checkpoint {by} was committed first")]
    Subsumed {
        /// The newer one.
        by: CheckpointId,
    },
    /// `_metadata` could not be published.
    #[error("the metadata could not be published: {0}")]
    PublishFailed(Failure),
    /// HEAD could not be written, which is certain.
    #[error("the checkpoint was not committed: {0}")]
    CommitFailed(Failure),
    /// All tasks are being restored.
    #[error("the tasks are being restored")]
    Restore,
    /// The coordinator shut down.
    #[error("the coordinator shut down")]
    ShutDown,
    /// The job ended.
    #[error("the job ended")]
    JobEnded,
    /// Another leader has taken over, or may have. Whether the checkpoint is committed, HEAD says.
    #[error("this coordinator leads no more: {0}")]
    LeadershipLost(Failure),
}

/// What is wrong with state that a task acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateRefusal {
    /// Its operator is none of the task's.
    #[error("operator {0} is none of the task's")]
    UnknownOperator(OperatorId),
    /// It names a file that must not be named there.
    #[error(transparent)]
    Misplaced(#[from] MisplacedFile),
    /// It lies below a root that a checkpoint may not name here.
    #[error("{file} below {root} lies where a checkpoint of this job may not name files")]
    Root {
        /// The root.
        root: Root,
        /// The file.
        file: FileRef,
    },
    /// It was not written by the task under this leader.
    #[error("file {file} was not written by the acknowledging task under this leader")]
    ForeignWriter {
        /// The file.
        file: FileName,
    },
    /// A shared file that it names must not be named.
    #[error(transparent)]
    Shared(#[from] SharedStateRefusal),
    /// It is of a form that this version does not know.
    #[error("it is of a form that this version does not know")]
    UnknownForm,
    /// It has no digest though it was written by us.
    #[error("file {file} has no digest")]
    NoDigest {
        /// The file.
        file: FileRef,
    },
}

/// Why tasks that are said to run are not taken note of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum DeploymentRefusal {
    #[error("task {0} is deployed, but the job graph has no such task")]
    NoSuchTask(TaskId),
    #[error("task {0} is deployed twice")]
    DeployedTwice(TaskId),
    #[error("task {attempt} is deployed in the place of {former}, but no restore was asked for and answered before")]
    NotRestored { attempt: TaskAttempt, former: TaskAttempt },
    #[error("task {0} is deployed, but that attempt was deployed before")]
    AttemptAgain(TaskAttempt),
    #[error("task {attempt} names files as writer {writer}, as a former deployment under this leader did")]
    WriterAgain { attempt: TaskAttempt, writer: WriterId },
    #[error("tasks are deployed, but the restore that was asked for is not answered yet")]
    Restoring,
}

impl From<DeploymentRefusal> for Failure {
    fn from(refusal: DeploymentRefusal) -> Self {
        Self::new(ErrorKind::Configuration, refusal.to_string())
    }
}

impl Failure {
    /// A failure of that kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

impl From<&Error> for Failure {
    /// Keeps the kind, and the messages of the error and all its sources.
    fn from(error: &Error) -> Self {
        let mut message = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(error) = source {
            message = format!("{message}: {error}");
            source = error.source();
        }
        Self { kind: error.kind(), message }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::new(failure.kind, failure.message)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl AbortReason {
    /// What whoever asked for the checkpoint does about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotAllTasksRunning | Self::TooManyRequests(_) | Self::Subsumed { .. } => ErrorKind::Retry,
            Self::NoNumber(failure) | Self::LeadershipLost(failure) => failure.kind,
            Self::ShutDown | Self::JobEnded => ErrorKind::Cancelled,
            Self::FinishedSource(_)
            | Self::LocationFailed(_)
            | Self::Declined { .. }
            | Self::StateRefused { .. }
            | Self::InheritedState(_)
            | Self::Expired { .. }
            | Self::AttemptLost { .. }
            | Self::AttemptFinished { .. }
            | Self::Restore
            | Self::PublishFailed(_)
            | Self::CommitFailed(_) => ErrorKind::AbortCheckpoint,
        }
    }
}

impl From<AbortReason> for Error {
    fn from(reason: AbortReason) -> Self {
        Self::new(reason.kind(), reason)
    }
}
