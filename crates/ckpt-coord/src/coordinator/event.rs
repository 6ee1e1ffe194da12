//! What happened.

use ckpt_core::head::{RetainedSnapshot, WrittenHead};
use ckpt_core::id::{OperatorId, TaskAttempt, WriterId};
use ckpt_core::message::ToCoordinator;
use ckpt_core::snapshot::{JobEnd, LocationReference, RetentionPolicy};

use crate::coordinator::{Failure, IoId, ReplyToken};

/// What happened, as the embedder tells it. An event that fits nothing is counted and ignored.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The time that `poll_timeout` named has come.
    DeadlineReached,
    /// Someone wants a checkpoint now.
    TriggerRequested {
        /// Of which kind.
        trigger: ManualTrigger,
        /// Who waits for it.
        reply: ReplyToken,
    },
    /// Tasks run, each under the number by which it names files. Answer: `Done`, or `Failed` when they are none of the
    /// job's, or take the place of others though no restore was asked for and answered; none of them counts then.
    AttemptsStarted {
        /// The tasks.
        attempts: Vec<(TaskAttempt, WriterId)>,
        /// Who waits to be told that they count.
        reply: ReplyToken,
    },
    /// All tasks are to be restored under this leader: those known so far run no more. Answer: `RestorePoint`, once no
    /// commit is under way that could make it another, or `Failed`.
    RestoreRequested {
        /// Who waits for it.
        reply: ReplyToken,
    },
    /// A task runs no more and has not finished, or cannot be reached.
    AttemptLost {
        /// The task.
        attempt: TaskAttempt,
        /// How it was lost, for people.
        reason: String,
    },
    /// A task has finished, side effects committed: no checkpoint needs it any more.
    AttemptFinished {
        /// The task.
        attempt: TaskAttempt,
    },
    /// A source works off a backlog: from here on the interval for that counts, until no source has one.
    BacklogBegan {
        /// The source.
        operator: OperatorId,
    },
    /// A source works off a backlog no more: the next periodic checkpoint comes within the usual interval. All backlogs
    /// are forgotten when all tasks are to be restored; who has one then says so again.
    BacklogEnded {
        /// The source.
        operator: OperatorId,
    },
    /// Nobody names files as any of these any more.
    WritersEnded {
        /// The writers.
        writers: Vec<WriterId>,
    },
    /// A task has said something.
    MessageReceived {
        /// What it said.
        message: ToCoordinator,
    },
    /// The place of a checkpoint is made.
    LocationInitialized {
        /// What it answers.
        io: IoId,
        /// What barriers carry of it.
        target: LocationReference,
    },
    /// `_metadata` is published, whole and durable.
    MetadataPublished {
        /// What it answers.
        io: IoId,
        /// What HEAD says of it.
        snapshot: RetainedSnapshot,
    },
    /// HEAD is written and durable.
    HeadWritten {
        /// What it answers.
        io: IoId,
        /// HEAD, and what it allows.
        written: WrittenHead,
    },
    /// Nothing of ours is left of an aborted checkpoint.
    LocationDiscarded {
        /// What it answers.
        io: IoId,
    },
    /// Nothing of ours is left of a removed snapshot.
    SnapshotRemoved {
        /// What it answers.
        io: IoId,
    },
    /// Nothing is left of files that were to be deleted and belong to no snapshot.
    FilesRemoved {
        /// What it answers.
        io: IoId,
    },
    /// Nothing is left of an abandoned savepoint, or it is complete and its user's.
    SavepointRemoved {
        /// What it answers.
        io: IoId,
    },
    /// A place that the job had claimed bears its mark no more.
    ClaimReleased {
        /// What it answers.
        io: IoId,
    },
    /// Nothing is left of what former leaders, or writers that have ended, left.
    OrphansCollected {
        /// What it answers.
        io: IoId,
        /// How many files that were.
        files: u64,
    },
    /// An action failed.
    IoFailed {
        /// What it answers.
        io: IoId,
        /// How.
        failure: Failure,
    },
    /// The coordinator is to stop, the job may go on later: nothing committed is deleted.
    ShutDownRequested {
        /// Who waits for it.
        reply: ReplyToken,
    },
    /// The job is over.
    EndRequested {
        /// How it ended.
        end: JobEnd,
        /// What becomes of the retained checkpoints.
        retention: RetentionPolicy,
        /// Who waits for it.
        reply: ReplyToken,
    },
}

/// What kind of checkpoint is asked for by hand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ManualTrigger {
    /// The kind that is taken periodically.
    #[default]
    Configured,
    /// One that reuses no file of an earlier one.
    Full,
}
