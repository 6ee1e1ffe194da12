//! What a job begins from, and how.

use ckpt_core::Timestamp;
use ckpt_core::head::ClaimMode;
use ckpt_streams::file_system::Durability;

use crate::claim::ActiveJob;

/// The snapshot that a job is to begin from, and how. What the time is comes from outside.
#[derive(Clone, Debug)]
pub struct Start {
    pub(super) pointer: String,
    pub(super) mode: ClaimMode,
    pub(super) active: ActiveJob,
    pub(super) claimed_at: Timestamp,
    pub(super) durability: Durability,
}

impl Start {
    /// From the snapshot that `pointer` leads to: a directory with a `_metadata`, or that file. `claimed_at` is for people who
    /// find the mark of the claim. A job that is active keeps its snapshots, and marks survive a loss of power, unless it is
    /// said otherwise.
    pub fn new(pointer: impl Into<String>, mode: ClaimMode, claimed_at: Timestamp) -> Self {
        let (active, durability) = (ActiveJob::Refuse, Durability::Full);
        Self { pointer: pointer.into(), mode, active, claimed_at, durability }
    }

    /// What to do when the checkpoint that is claimed belongs to a job that has not ended.
    #[must_use]
    pub const fn with_active(mut self, active: ActiveJob) -> Self {
        self.active = active;
        self
    }

    /// Has the mark of a claim survive that.
    #[must_use]
    pub const fn with_durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }
}
