//! A task's refusal of a checkpoint.

use std::fmt;

use crate::id::{CheckpointId, LeaderEpoch, TaskAttempt};

/// A task's refusal of a checkpoint (Flink's `DeclineCheckpoint`).
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

/// Why a task declines: those of Flink's `CheckpointFailureReason` that a task can give, and two of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeclineReason {
    /// It is not running yet, or no more (`CHECKPOINT_DECLINED_TASK_NOT_READY`).
    NotReady,
    /// A newer checkpoint has begun at this task (`CHECKPOINT_DECLINED_SUBSUMED`).
    Subsumed,
    /// A marker on an input said that the checkpoint was given up (`CHECKPOINT_DECLINED_ON_CANCELLATION_BARRIER`).
    CancellationBarrier,
    /// An input ended before its barrier came (`CHECKPOINT_DECLINED_INPUT_END_OF_STREAM`).
    InputEnded,
    /// Its state could not be written in the background (`CHECKPOINT_ASYNC_EXCEPTION`).
    SnapshotFailed,
    /// It is shutting down (`CHECKPOINT_DECLINED_TASK_CLOSING`).
    Closing,
    /// Its state could not be captured; in Flink that fails the task (`TASK_FAILURE`).
    CaptureFailed,
    /// Another task with which it shares a file of in-flight data failed; that one says why
    /// (`CHANNEL_STATE_SHARED_STREAM_EXCEPTION`).
    SharedStreamFailed,
    /// The worker knows no such attempt (`TASK_CHECKPOINT_FAILURE`).
    UnknownAttempt,
    /// The operator does not want this checkpoint (`CHECKPOINT_DECLINED`).
    Refused,
    /// What it has to say is longer than any acknowledgement may be. Flink loses such a message.
    TooLarge,
    /// Its acknowledgement is too long for a message and could not be written into a file, or read back from it.
    SpillFailed,
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
        message.truncate(beginning(&message).len());
        Self { epoch, id, attempt, reason, message }
    }

    /// The message, cut where it gets too long.
    pub(crate) fn sent_message(&self) -> &str {
        beginning(&self.message)
    }
}

impl DeclineReason {
    /// Whether the task had made its state durable before it declined, so that there is something to delete.
    pub const fn leaves_state(self) -> bool {
        matches!(self, Self::TooLarge | Self::SpillFailed)
    }
}

/// As much of a message as may be sent.
fn beginning(message: &str) -> &str {
    let mut end = message.len().min(Decline::MAX_MESSAGE_BYTES);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    &message[..end]
}

impl fmt::Display for DeclineReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotReady => "the task is not running",
            Self::Subsumed => "a newer checkpoint has begun at the task",
            Self::CancellationBarrier => "a marker on an input cancelled it",
            Self::InputEnded => "an input ended before its barrier came",
            Self::SnapshotFailed => "the task's state could not be written",
            Self::Closing => "the task is shutting down",
            Self::CaptureFailed => "the task's state could not be captured",
            Self::SharedStreamFailed => "another task that writes into the same file failed",
            Self::UnknownAttempt => "the worker knows no such attempt",
            Self::Refused => "the operator refuses it",
            Self::TooLarge => "the acknowledgement is too large",
            Self::SpillFailed => "the acknowledgement could not be brought over in a file",
        })
    }
}
