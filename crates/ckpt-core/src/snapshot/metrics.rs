//! What was measured while a task took its part of a checkpoint.

use std::time::Duration;

/// What one task measured (Flink's `CheckpointMetrics`). What was not measured is `None` or zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckpointMetrics {
    /// From the trigger at the coordinator to the first barrier here.
    pub start_delay: Option<Duration>,
    /// From the first barrier to the last.
    pub alignment: Option<Duration>,
    /// While the task captured its state and did nothing else.
    pub capture: Option<Duration>,
    /// While the state was written and made durable in the background.
    pub write: Option<Duration>,
    /// Payload bytes that this checkpoint wrote.
    pub written_bytes: u64,
    /// Payload bytes of all state it names, written or reused.
    pub total_bytes: u64,
}
