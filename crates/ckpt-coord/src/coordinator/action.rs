//! What the coordinator wants done.

use std::sync::Arc;
use std::time::Duration;

use ckpt_core::head::{AbandonedSavepoint, Head, HeadWrite, ReleasedClaim, RemovedSnapshot, TaskOwnedFiles};
use ckpt_core::id::{CheckpointId, TaskAttempt};
use ckpt_core::message::ToTask;
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::shared::{EndedWriters, RemovedFiles};
use ckpt_core::snapshot::CheckpointIdentity;

use crate::coordinator::{AbortReason, Failure};

/// What the coordinator wants done, in this order. Those with an [`IoId`] are due exactly one answer, an
/// [`Event`](crate::coordinator::Event) with the same number; the others are due none.
#[derive(Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "an embedder that overlooked an action would break the protocol")]
pub enum Action {
    /// Make the place of a checkpoint. Answer: `LocationInitialized`, or `IoFailed`.
    InitializeLocation {
        /// To answer under.
        io: IoId,
        /// Which checkpoint.
        identity: CheckpointIdentity,
    },
    /// Send the message to each of those.
    Send {
        /// To whom.
        to: Vec<TaskAttempt>,
        /// What.
        message: ToTask,
    },
    /// Publish the metadata at the place of its checkpoint. Answer: `MetadataPublished`, or `IoFailed`.
    PublishMetadata {
        /// To answer under.
        io: IoId,
        /// What to publish.
        metadata: Arc<CheckpointMetadata>,
    },
    /// Write HEAD. Answer: `HeadWritten`, or `IoFailed` with the kind `Retry` only if it certainly was not written and
    /// never will be, `Fenced` if another leader is there, any other if it is not known.
    WriteHead {
        /// To answer under.
        io: IoId,
        /// The checkpoint that it commits, if it does.
        commits: Option<CheckpointId>,
        /// What to write.
        write: HeadWrite,
    },
    /// Tell whoever watches that a checkpoint is committed.
    ReportCompleted {
        /// Which.
        completed: Completion,
    },
    /// Tell whoever watches that a checkpoint will never complete.
    ReportAborted {
        /// Which.
        checkpoint: CheckpointId,
        /// Why.
        reason: AbortReason,
    },
    /// Answer someone who waits.
    Reply {
        /// Who.
        to: ReplyToken,
        /// The answer.
        answer: Answer,
    },
    /// Delete the place of an aborted checkpoint; it may be asked for more than once. Answer: `LocationDiscarded`, or
    /// `IoFailed`.
    DiscardLocation {
        /// To answer under.
        io: IoId,
        /// The checkpoint.
        checkpoint: CheckpointId,
    },
    /// Delete a snapshot that HEAD removed. Answer: `SnapshotRemoved`, or `IoFailed`.
    RemoveSnapshot {
        /// To answer under.
        io: IoId,
        /// The snapshot.
        removed: RemovedSnapshot,
        /// Shared files that nothing names any more.
        files: RemovedFiles,
    },
    /// Delete shared files that no checkpoint committed and whose writers have ended. Answer: `FilesRemoved`, or `IoFailed`.
    RemoveFiles {
        /// To answer under.
        io: IoId,
        /// The files.
        files: RemovedFiles,
    },
    /// Delete what was written of a savepoint that nobody goes on with, unless it is complete. Answer: `SavepointRemoved`, or
    /// `IoFailed`.
    RemoveSavepoint {
        /// To answer under.
        io: IoId,
        /// The savepoint.
        abandoned: AbandonedSavepoint,
    },
    /// Take this job's mark off a place that it had claimed. Answer: `ClaimReleased`, or `IoFailed`.
    ReleaseClaim {
        /// To answer under.
        io: IoId,
        /// The claim that HEAD has released.
        released: ReleasedClaim,
    },
    /// Delete the files that the tasks managed: the job has ended, and nothing needs them any more. Answer: `FilesRemoved`, or
    /// `IoFailed`.
    RemoveTaskOwned {
        /// To answer under.
        io: IoId,
        /// The files.
        files: TaskOwnedFiles,
    },
    /// Delete what former leaders left. Answer: `OrphansCollected`, or `IoFailed`.
    CollectOrphans {
        /// To answer under.
        io: IoId,
        /// HEAD as it was claimed.
        claimed: Box<Head>,
        /// The metadata of all that it retains.
        retained: Vec<Arc<CheckpointMetadata>>,
    },
    /// Delete the shared files that writers have left which have ended, acknowledged or not. Answer: `OrphansCollected`, or
    /// `IoFailed`.
    CollectEnded {
        /// To answer under.
        io: IoId,
        /// The writers.
        ended: EndedWriters,
    },
    /// This coordinator leads no more, or does not know whether it does: stop everything, delete nothing, tell no task.
    /// Nothing follows but replies and `Stopped`.
    StepDown {
        /// How that came to be known.
        failure: Failure,
    },
    /// Everything has ended; no action follows but replies to later requests.
    Stopped,
}

/// The number of an action that is due an answer. Never used twice by one coordinator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IoId(u64);

/// Someone who waits for an answer. Chosen by the embedder, each only once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplyToken(u64);

/// What someone who waits is told.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Answer {
    /// The checkpoint is committed.
    Completed(Completion),
    /// The checkpoint will never complete.
    Aborted(AbortReason),
    /// The job has ended, or the coordinator has shut down, as was asked; or tasks that run count.
    Done,
    /// What to restore: the newest that is committed, and nothing newer will be until tasks are deployed. `None` when
    /// there is nothing yet.
    RestorePoint(Option<Arc<CheckpointMetadata>>),
    /// It could not be done.
    Failed(Failure),
}

/// A checkpoint that was committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Completion {
    /// Which.
    pub identity: CheckpointIdentity,
    /// Payload bytes of all state that it names.
    pub total_bytes: u64,
    /// From the trigger to the commit.
    pub duration: Duration,
}

impl Action {
    /// The number that its one answer bears; `None` when none is due.
    pub const fn io(&self) -> Option<IoId> {
        match self {
            Self::InitializeLocation { io, .. }
            | Self::PublishMetadata { io, .. }
            | Self::WriteHead { io, .. }
            | Self::DiscardLocation { io, .. }
            | Self::RemoveSnapshot { io, .. }
            | Self::RemoveFiles { io, .. }
            | Self::RemoveSavepoint { io, .. }
            | Self::RemoveTaskOwned { io, .. }
            | Self::ReleaseClaim { io, .. }
            | Self::CollectOrphans { io, .. }
            | Self::CollectEnded { io, .. } => Some(*io),
            Self::Send { .. }
            | Self::ReportCompleted { .. }
            | Self::ReportAborted { .. }
            | Self::Reply { .. }
            | Self::StepDown { .. }
            | Self::Stopped => None,
        }
    }
}

impl IoId {
    /// Wraps the number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number itself.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl ReplyToken {
    /// Wraps the number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number itself.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl Completion {
    /// A checkpoint that was committed after that time.
    pub const fn new(identity: CheckpointIdentity, total_bytes: u64, duration: Duration) -> Self {
        Self { identity, total_bytes, duration }
    }
}
