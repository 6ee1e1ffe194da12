//! What the coordinator says to a task.

use crate::id::{CheckpointId, LeaderEpoch};
use crate::snapshot::CheckpointBarrier;

/// What the coordinator says to a task. A task drops what comes from a lower epoch than the highest it has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ToTask {
    /// Take a checkpoint now; said to sources, the others learn it from barriers.
    Trigger(CheckpointBarrier),
    /// A checkpoint is committed.
    Completed {
        /// The leader that says so.
        epoch: LeaderEpoch,
        /// The checkpoint.
        id: CheckpointId,
        /// The newest one that it made superfluous, if any.
        subsumed_upto: Option<CheckpointId>,
    },
    /// A checkpoint will never complete.
    Aborted {
        /// The leader that says so.
        epoch: LeaderEpoch,
        /// The checkpoint.
        id: CheckpointId,
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
}
