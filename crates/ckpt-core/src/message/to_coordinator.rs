//! What a task says to the coordinator.

use std::fmt;

use crate::id::{CheckpointId, LeaderEpoch, TaskAttempt, WriterId};
use crate::snapshot::CheckpointMetrics;
use crate::state::TaskSnapshot;

/// What a task says to the coordinator.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ToCoordinator {
    /// Its part of a checkpoint is durable.
    Acknowledge(Acknowledge),
    /// It cannot take its part; the checkpoint cannot complete.
    Decline(Decline),
}

/// A task's part of a checkpoint, durable.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Acknowledge {
    /// The leader that asked for it.
    pub epoch: LeaderEpoch,
    /// The checkpoint.
    pub id: CheckpointId,
    /// Who took it.
    pub attempt: TaskAttempt,
    /// Under which number its files are named.
    pub writer: WriterId,
    /// The state.
    pub snapshot: TaskSnapshot,
    /// What was measured.
    pub metrics: CheckpointMetrics,
}

/// A task's refusal of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decline {
    /// The leader that asked for it.
    pub epoch: LeaderEpoch,
    /// The checkpoint.
    pub id: CheckpointId,
    /// Who refuses.
    pub attempt: TaskAttempt,
    /// Why.
    pub reason: DeclineReason,
    /// What went wrong, for people; at most [`Decline::MAX_MESSAGE_BYTES`], cut there.
    pub message: String,
}

/// Why a task declines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeclineReason {
    /// It is not running yet, or no more.
    NotReady,
    /// A newer checkpoint has begun at this task.
    Subsumed,
    /// A marker on an input said that the checkpoint was given up.
    CancellationBarrier,
    /// An input ended before its barrier came.
    InputEnded,
    /// Its state could not be captured or written.
    SnapshotFailed,
}

impl Acknowledge {
    /// An acknowledgement without measurements.
    pub fn new(
        epoch: LeaderEpoch,
        id: CheckpointId,
        attempt: TaskAttempt,
        writer: WriterId,
        snapshot: TaskSnapshot,
    ) -> Self {
        Self { epoch, id, attempt, writer, snapshot, metrics: CheckpointMetrics::default() }
    }
}

impl Decline {
    /// The most bytes of a message.
    pub const MAX_MESSAGE_BYTES: usize = 4096;

    /// A refusal for that reason.
    pub fn new(
        epoch: LeaderEpoch,
        id: CheckpointId,
        attempt: TaskAttempt,
        reason: DeclineReason,
        message: impl Into<String>,
    ) -> Self {
        let mut message = message.into();
        if message.len() > Self::MAX_MESSAGE_BYTES {
            let mut cut = Self::MAX_MESSAGE_BYTES;
            while !message.is_char_boundary(cut) {
                cut -= 1;
            }
            message.truncate(cut);
        }
        Self { epoch, id, attempt, reason, message }
    }
}

impl fmt::Display for DeclineReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotReady => "the task is not running",
            Self::Subsumed => "a newer checkpoint has begun at the task",
            Self::CancellationBarrier => "a marker on an input cancelled it",
            Self::InputEnded => "an input ended before its barrier came",
            Self::SnapshotFailed => "the task's state could not be captured or written",
        })
    }
}
