//! How a checkpoint is to be taken.

use crate::snapshot::{LocationReference, SnapshotKind};

/// How a checkpoint is to be taken (Flink's `CheckpointOptions`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct CheckpointOptions {
    /// What kind of snapshot.
    pub kind: SnapshotKind,
    /// Where its state goes.
    pub target: LocationReference,
    /// How barriers are aligned.
    pub alignment: Alignment,
}

/// How barriers of several inputs are aligned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Alignment {
    /// Inputs whose barrier has come wait until all have come: exactly once.
    #[default]
    Aligned,
    /// No input waits: at least once.
    AtLeastOnce,
}

impl CheckpointOptions {
    /// Aligned, at that place.
    pub const fn aligned(kind: SnapshotKind, target: LocationReference) -> Self {
        Self { kind, target, alignment: Alignment::Aligned }
    }
}
