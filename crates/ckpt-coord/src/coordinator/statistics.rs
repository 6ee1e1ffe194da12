//! What is counted.

use ckpt_core::id::CheckpointId;

use crate::coordinator::Completion;

/// What happened since the coordinator began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckpointStatistics {
    /// Checkpoints that were given a number.
    pub triggered: u64,
    /// Checkpoints that were committed.
    pub completed: u64,
    /// Checkpoints that will never complete.
    pub aborted: u64,
    /// Checkpoints whose commit was on its way when leadership was lost: only HEAD knows.
    pub in_doubt: u64,
    /// Checkpoints that are being taken.
    pub pending: u64,
    /// Aborted checkpoints that were declined by a task, or whose state was refused.
    pub declined: u64,
    /// Aborted checkpoints that were not acknowledged by all tasks in time.
    pub expired: u64,
    /// Acknowledgements that came again and said the same.
    pub duplicate_acknowledgements: u64,
    /// Acknowledgements that came again and said something else; the first holds.
    pub conflicting_acknowledgements: u64,
    /// Acknowledgements and refusals of checkpoints that had ended.
    pub late_messages: u64,
    /// Messages from deployments that no checkpoint waits for.
    pub unknown_attempts: u64,
    /// Reports of a backlog of operators that the job does not have.
    pub unknown_operators: u64,
    /// Messages that answer another leader.
    pub foreign_epochs: u64,
    /// Places of aborted checkpoints that could not be deleted; tried again when HEAD is written next.
    pub failed_discards: u64,
    /// Removed snapshots that could not be deleted; tried again after the next completion.
    pub failed_removals: u64,
    /// Collections that failed: of what former leaders left, which the next leader tries again, or of what writers left that
    /// have ended, which is tried again when HEAD is written next.
    pub failed_collections: u64,
    /// Files that nobody names and that were deleted: of former leaders, and of writers that have ended.
    pub orphans_collected: u64,
    /// The newest checkpoint that this coordinator committed.
    pub latest: Option<Completion>,
    /// The newest checkpoint that is committed at all.
    pub latest_id: Option<CheckpointId>,
}
