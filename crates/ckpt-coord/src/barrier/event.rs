//! What happens to an aligner.

use ckpt_core::id::{CheckpointId, LeaderEpoch};
use ckpt_core::snapshot::CheckpointBarrier;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BarrierEvent {
    /// A barrier came out of an input.
    BarrierArrived {
        /// The input.
        input: u32,
        /// The barrier.
        barrier: CheckpointBarrier,
    },
    /// A cancellation came out of an input: no barrier of that checkpoint will.
    CancelArrived {
        /// The input.
        input: u32,
        /// The leader that triggered the checkpoint.
        epoch: LeaderEpoch,
        /// The checkpoint.
        id: CheckpointId,
    },
    /// Nothing will ever come out of that input again. Every barrier counts as arrived on it.
    InputEnded {
        /// The input.
        input: u32,
    },
    /// The coordinator said that the checkpoint will never complete.
    AbortNotified {
        /// The leader that said so.
        epoch: LeaderEpoch,
        /// The checkpoint.
        id: CheckpointId,
    },
}
