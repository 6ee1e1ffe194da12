//! What flows between records.

use crate::id::{CheckpointId, LeaderEpoch};
use crate::snapshot::CheckpointBarrier;

/// What tasks send each other through their channels, between records.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Marker {
    /// Records before it are in the snapshot, records after it are not. With unaligned options it overtakes them, and
    /// those that it overtook belong to the snapshot.
    Barrier(CheckpointBarrier),
    /// No barrier of that checkpoint will come on this channel.
    Cancel {
        /// The leader that triggered it.
        epoch: LeaderEpoch,
        /// The checkpoint.
        id: CheckpointId,
    },
    /// A barrier that may become unaligned has entered the channel, behind records (Flink's `EventAnnouncement`). It
    /// overtakes them, so that the receiver's deadline runs before the barrier itself comes.
    Announcement {
        /// The barrier that follows.
        barrier: CheckpointBarrier,
        /// The sequence number that the barrier has in the channel, by which it can be let through first.
        sequence: u64,
    },
}

impl Marker {
    /// The checkpoint it belongs to.
    pub const fn id(&self) -> CheckpointId {
        match self {
            Self::Barrier(barrier) | Self::Announcement { barrier, .. } => barrier.id(),
            Self::Cancel { id, .. } => *id,
        }
    }

    /// The leader that triggered it.
    pub const fn epoch(&self) -> LeaderEpoch {
        match self {
            Self::Barrier(barrier) | Self::Announcement { barrier, .. } => barrier.identity.epoch,
            Self::Cancel { epoch, .. } => *epoch,
        }
    }
}
