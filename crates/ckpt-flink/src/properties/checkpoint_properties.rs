//! The properties, decoded.

use super::SnapshotType;

/// What a checkpoint was taken with (Flink's `CheckpointProperties`). Flink goes by its own settings when it restores, and
/// uses of these only whether files may be shared.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckpointProperties {
    /// A checkpoint or a savepoint, and of which kind.
    pub checkpoint_type: SnapshotType,
    /// Whether it was to be discarded when the job is cancelled.
    pub discard_cancelled: bool,
    /// When the job fails.
    pub discard_failed: bool,
    /// When the job finishes.
    pub discard_finished: bool,
    /// When newer checkpoints take its place.
    pub discard_subsumed: bool,
    /// When the job is suspended.
    pub discard_suspended: bool,
    /// Whether it was taken whatever the pause between checkpoints and their number.
    pub forced: bool,
    /// Whether it belonged to nobody: restored from, and not to be discarded.
    pub unclaimed: bool,
}

impl CheckpointProperties {
    /// Those of a snapshot that is never discarded, and was not forced.
    pub const fn new(checkpoint_type: SnapshotType) -> Self {
        Self {
            checkpoint_type,
            discard_cancelled: false,
            discard_failed: false,
            discard_finished: false,
            discard_subsumed: false,
            discard_suspended: false,
            forced: false,
            unclaimed: false,
        }
    }
}
