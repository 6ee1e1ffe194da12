//! What becomes of completed checkpoints when their job ends.

use std::fmt;

/// What becomes of completed checkpoints when their job ends (Flink's `CheckpointRetentionPolicy`; in parentheses its
/// value of `execution.checkpointing.externalized-checkpoint-retention`).
///
/// | policy | finished | cancelled | failed | suspended |
/// |---|---|---|---|---|
/// | `NeverRetainAfterTermination` | discarded | discarded | discarded | kept |
/// | `RetainOnFailure` | discarded | discarded | kept | kept |
/// | `RetainOnCancellation` | discarded | kept | kept | kept |
///
/// Flink's first two discard on suspension as well; here it never deletes anything, since the job is to go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RetentionPolicy {
    /// Discarded whenever the job has ended for good (`NO_EXTERNALIZED_CHECKPOINTS`).
    #[default]
    NeverRetainAfterTermination,
    /// Kept when the job fails (`DELETE_ON_CANCELLATION`).
    RetainOnFailure,
    /// Kept when the job fails or is cancelled (`RETAIN_ON_CANCELLATION`).
    RetainOnCancellation,
}

/// How a job comes to an end (Flink's terminal `JobStatus`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JobEnd {
    /// It has read all input.
    Finished,
    /// It was cancelled.
    Cancelled,
    /// It failed for good.
    Failed,
    /// It stops here and may go on elsewhere.
    Suspended,
}

impl RetentionPolicy {
    /// Whether that end discards the checkpoints.
    pub const fn discards_on(self, end: JobEnd) -> bool {
        match end {
            JobEnd::Suspended => false,
            JobEnd::Finished => true,
            JobEnd::Cancelled => !matches!(self, Self::RetainOnCancellation),
            JobEnd::Failed => matches!(self, Self::NeverRetainAfterTermination),
        }
    }
}

impl fmt::Display for JobEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Finished => "finished",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::Suspended => "suspended",
        })
    }
}
