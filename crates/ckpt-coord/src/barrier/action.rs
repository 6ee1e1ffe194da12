//! What an aligner wants done.

use std::time::Duration;

use ckpt_core::id::{CheckpointId, LeaderEpoch};
use ckpt_core::message::{DeclineReason, Marker};
use ckpt_core::snapshot::CheckpointBarrier;

/// What is to be done, at once and in order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "an embedder that overlooks one breaks the cut; the compiler shall say so")]
pub enum BarrierAction {
    /// Take nothing more from that input.
    Block {
        /// The input.
        input: u32,
    },
    /// Take from every input again.
    UnblockAll,
    /// Every record before the barrier is in and none after it: forward the barrier, then capture the state.
    Snapshot {
        /// The barrier.
        barrier: CheckpointBarrier,
        /// From the first barrier to the last.
        alignment: Duration,
        /// From the trigger, by the coordinator's wall clock, to the first barrier, by ours; never negative.
        start_delay: Duration,
    },
    /// Send the marker on every output. It is a cancellation; a barrier is forwarded by `Snapshot`.
    Forward(Marker),
    /// Decline the checkpoint: this task will never take its part.
    Abort {
        /// The leader that triggered it.
        epoch: LeaderEpoch,
        /// The checkpoint.
        id: CheckpointId,
        /// Why.
        reason: DeclineReason,
    },
}
