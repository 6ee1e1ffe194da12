//! What is gone.

use super::Head;
use crate::id::CheckpointId;
use crate::state::ClaimId;

/// What is gone, so that HEAD need not list it any more. It names what a [`RemovedSnapshot`](super::RemovedSnapshot), an
/// [`AbandonedSavepoint`](super::AbandonedSavepoint) or a [`ReleasedClaim`](super::ReleasedClaim) named; anything else in it
/// changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Collected {
    /// Removed snapshots of which nothing is left.
    pub snapshots: Vec<CheckpointId>,
    /// Abandoned savepoints that are deleted, or turned out to be complete.
    pub savepoints: Vec<CheckpointId>,
    /// Released claims whose mark is deleted.
    pub claims: Vec<ClaimId>,
}

impl Collected {
    /// Nothing.
    pub const fn none() -> Self {
        Self { snapshots: Vec::new(), savepoints: Vec::new(), claims: Vec::new() }
    }

    /// Whether it is nothing.
    pub fn is_empty(&self) -> bool {
        self.snapshots.is_empty() && self.savepoints.is_empty() && self.claims.is_empty()
    }

    /// What of it `head` still lists.
    #[must_use]
    pub fn listed_in(mut self, head: &Head) -> Self {
        self.snapshots.retain(|id| head.removed.iter().any(|removed| removed.id == *id));
        self.savepoints.retain(|id| head.abandoned_savepoints.iter().any(|savepoint| savepoint.id == *id));
        self.claims.retain(|id| head.released_claims.iter().any(|claim| claim.id == *id));
        self
    }
}
