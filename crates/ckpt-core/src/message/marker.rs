//! What flows between records.

use crate::id::{CheckpointId, LeaderEpoch};
use crate::snapshot::CheckpointBarrier;

/// What tasks send each other through their channels, between records.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Marker {
    /// Records before it are in the snapshot, records after it are not.
    Barrier(CheckpointBarrier),
    /// No barrier of that checkpoint will come on this channel.
    Cancel {
        /// The leader that triggered it.
        epoch: LeaderEpoch,
        /// The checkpoint.
        id: CheckpointId,
    },
}

impl Marker {
    /// The checkpoint it belongs to.
    pub const fn id(&self) -> CheckpointId {
        match self {
            Self::Barrier(barrier) => barrier.id(),
            Self::Cancel { id, .. } => *id,
        }
    }

    /// The leader that triggered it.
    pub const fn epoch(&self) -> LeaderEpoch {
        match self {
            Self::Barrier(barrier) => barrier.identity.epoch,
            Self::Cancel { epoch, .. } => *epoch,
        }
    }
}
