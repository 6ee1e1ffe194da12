//! What a task measured and reports beside acknowledgements.

use std::time::Duration;

use crate::id::{CheckpointId, LeaderEpoch, TaskAttempt};
use crate::snapshot::CheckpointMetrics;
use crate::time::Timestamp;

/// What was measured of a snapshot that its task gave up (Flink's `reportCheckpointMetrics`). For statistics alone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AbortedMetrics {
    /// The leader that asked for the checkpoint.
    pub epoch: LeaderEpoch,
    /// The checkpoint.
    pub id: CheckpointId,
    /// Who measured.
    pub attempt: TaskAttempt,
    /// What was measured until then.
    pub metrics: CheckpointMetrics,
}

/// How the start of a task went (Flink's `SubTaskInitializationMetrics`). For statistics alone; what was not measured is
/// `None`. A duration of more than 2^64 - 1 nanoseconds, 584 years, is sent as that.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InitializationMetrics {
    /// The leader that deployed it.
    pub epoch: LeaderEpoch,
    /// Who started.
    pub attempt: TaskAttempt,
    /// The snapshot that it began from.
    pub from: Option<CheckpointId>,
    /// How it ended.
    pub outcome: InitializationOutcome,
    /// The wall clock when it began.
    pub started_at: Timestamp,
    /// From then to the first record, or to the failure.
    pub total: Duration,
    /// Until the task's thread ran.
    pub thread_start: Option<Duration>,
    /// While state was fetched from storage.
    pub download: Option<Duration>,
    /// While the operators took their state back.
    pub restore: Option<Duration>,
    /// While in-flight data of the outputs was read.
    pub read_output: Option<Duration>,
    /// While in-flight data of the inputs was read and processed.
    pub read_input: Option<Duration>,
    /// Payload bytes of the state it took back.
    pub restored_bytes: u64,
}

/// How the start of a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InitializationOutcome {
    /// It runs.
    Completed,
    /// It failed.
    Failed,
}

impl AbortedMetrics {
    /// That was measured.
    pub const fn new(epoch: LeaderEpoch, id: CheckpointId, attempt: TaskAttempt, metrics: CheckpointMetrics) -> Self {
        Self { epoch, id, attempt, metrics }
    }
}

impl InitializationMetrics {
    /// A start that took so long and ended so; its stages not measured.
    pub const fn new(
        epoch: LeaderEpoch,
        attempt: TaskAttempt,
        outcome: InitializationOutcome,
        started_at: Timestamp,
        total: Duration,
    ) -> Self {
        Self {
            epoch,
            attempt,
            from: None,
            outcome,
            started_at,
            total,
            thread_start: None,
            download: None,
            restore: None,
            read_output: None,
            read_input: None,
            restored_bytes: 0,
        }
    }
}
