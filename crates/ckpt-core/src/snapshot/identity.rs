//! Which checkpoint.

use crate::id::{CheckpointId, LeaderEpoch};
use crate::time::Timestamp;

/// Which checkpoint it is: nothing of how it is taken, nothing measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct CheckpointIdentity {
    /// Its number.
    pub id: CheckpointId,
    /// The leader that triggered it.
    pub epoch: LeaderEpoch,
    /// The coordinator's wall clock when it was triggered.
    pub triggered_at: Timestamp,
    /// The newest checkpoint that was committed when the barrier left. Everything that it references stays until this
    /// one has ended, and seeing it counts as every missed notice of completion up to it.
    pub latest_completed: Option<CheckpointId>,
}

impl CheckpointIdentity {
    /// That checkpoint, triggered then by that leader.
    pub const fn new(
        id: CheckpointId,
        epoch: LeaderEpoch,
        triggered_at: Timestamp,
        latest_completed: Option<CheckpointId>,
    ) -> Self {
        Self { id, epoch, triggered_at, latest_completed }
    }
}
