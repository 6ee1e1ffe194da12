//! What the coordinator says to a task.

use crate::id::{CheckpointId, LeaderEpoch};
use crate::snapshot::CheckpointBarrier;

/// What the coordinator says to a task. A task drops what comes from a lower epoch than the highest it has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ToTask {
    /// Take a checkpoint now; said to sources, the others learn it from barriers (Flink's `TriggerCheckpoint`).
    Trigger(CheckpointBarrier),
    /// A checkpoint is committed (Flink's `confirmCheckpoint`).
    Completed {
        /// The leader that says so.
        epoch: LeaderEpoch,
        /// The checkpoint.
        id: CheckpointId,
        /// The newest one that it made superfluous, if any; below `id`.
        subsumed_upto: Option<CheckpointId>,
    },
    /// A checkpoint will never complete (Flink's `abortCheckpoint`).
    Aborted {
        /// The leader that says so.
        epoch: LeaderEpoch,
        /// The checkpoint.
        id: CheckpointId,
        /// The newest checkpoint that is committed: its own notice may have been lost, so it counts as one. Never `id`.
        latest_completed: Option<CheckpointId>,
    },
}

impl ToTask {
    /// The leader that says it.
    pub const fn epoch(&self) -> LeaderEpoch {
        match self {
            Self::Trigger(barrier) => barrier.identity.epoch,
            Self::Completed { epoch, .. } | Self::Aborted { epoch, .. } => *epoch,
        }
    }

    /// The checkpoint it is about.
    pub const fn id(&self) -> CheckpointId {
        match self {
            Self::Trigger(barrier) => barrier.id(),
            Self::Completed { id, .. } | Self::Aborted { id, .. } => *id,
        }
    }
}
