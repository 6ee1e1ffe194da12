//! Whoever wants to see checkpoints happen.

use std::fmt::Debug;
use std::time::Duration;

use ckpt_core::Error;
use ckpt_core::id::CheckpointId;
use ckpt_core::snapshot::CheckpointIdentity;

/// Told what happens to checkpoints, on the thread on which it happens; a call that blocks holds that step up.
pub trait CheckpointObserver: Send + Sync + Debug {
    /// A step begins: nothing of it has happened yet, all before it has.
    fn phase(&self, phase: Phase, checkpoint: Option<CheckpointId>) {
        let _ = (phase, checkpoint);
    }

    /// A checkpoint is committed.
    fn completed(&self, checkpoint: &CompletedCheckpoint) {
        let _ = checkpoint;
    }

    /// A checkpoint will never complete.
    fn aborted(&self, checkpoint: CheckpointId, reason: &str) {
        let _ = (checkpoint, reason);
    }

    /// This coordinator is the leader no more: it has stopped, deleted nothing and told nobody.
    fn fenced(&self, error: &Error) {
        let _ = error;
    }

    /// The coordinator has stopped by a fault of this process, a panic on its thread say: it is not known what was done.
    /// Nothing is triggered any more, and the job must be claimed again to go on.
    fn failed(&self, error: &Error) {
        let _ = error;
    }

    /// The coordinator has shut down.
    fn shut_down(&self) {}
}

/// A step on a checkpoint's way, or between checkpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// A task takes back the state it begins with.
    Restoring,
    /// A task works on records, no checkpoint holds it up.
    Reading,
    /// A task has seen the first barrier and waits for the others.
    Aligning,
    /// A task captures its state.
    Capturing,
    /// Captured state is being written.
    WritingState,
    /// Written state is being made durable.
    Sealing,
    /// A task's state is durable and it says so to the coordinator.
    Acknowledging,
    /// The coordinator publishes `_metadata`.
    Publishing,
    /// The coordinator writes HEAD: the commit.
    WritingHead,
    /// The coordinator tells the tasks that a checkpoint is committed.
    Notifying,
    /// A task commits side effects of a committed checkpoint.
    Committing,
    /// Files of removed checkpoints are deleted.
    Collecting,
}

/// A checkpoint that was committed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CompletedCheckpoint {
    /// Which one.
    pub identity: CheckpointIdentity,
    /// Payload bytes of all state that it names.
    pub total_bytes: u64,
    /// From the trigger to the commit, by the monotonic clock.
    pub duration: Duration,
}

/// Sees nothing.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct NoObserver;

impl CheckpointObserver for NoObserver {}

impl CompletedCheckpoint {
    /// A checkpoint that was committed after that time.
    pub const fn new(identity: CheckpointIdentity, total_bytes: u64, duration: Duration) -> Self {
        Self { identity, total_bytes, duration }
    }
}
