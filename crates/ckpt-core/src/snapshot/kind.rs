//! The kinds of snapshot.

use std::fmt;

/// What kind of snapshot is taken (Flink's `SnapshotType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SnapshotKind {
    /// May reuse files of the checkpoint it is based on; later ones may reuse its files.
    Checkpoint,
    /// Reuses nothing; later ones may reuse its files.
    FullCheckpoint,
    /// Owned by the user, self-contained: shares files in neither direction.
    Savepoint {
        /// How its state is laid out.
        format: SavepointFormat,
        /// What the job does once it is taken.
        then: AfterSavepoint,
    },
}

/// How a savepoint's state is laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SavepointFormat {
    /// The same for every state backend.
    #[default]
    Canonical,
    /// The state backend's own.
    Native,
}

/// What a job does once a savepoint is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AfterSavepoint {
    /// Goes on.
    #[default]
    Continue,
    /// Stops where it is.
    Suspend,
    /// Drains its sources' end of input and stops.
    Terminate,
}

impl SnapshotKind {
    /// Whether it is a savepoint.
    pub const fn is_savepoint(self) -> bool {
        matches!(self, Self::Savepoint { .. })
    }

    /// Whether it may name files that an earlier checkpoint wrote.
    pub const fn may_reuse_files(self) -> bool {
        matches!(self, Self::Checkpoint)
    }
}

impl fmt::Display for SnapshotKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Checkpoint => "checkpoint",
            Self::FullCheckpoint => "full checkpoint",
            Self::Savepoint { then: AfterSavepoint::Continue, .. } => "savepoint",
            Self::Savepoint { then: AfterSavepoint::Suspend, .. } => "suspend savepoint",
            Self::Savepoint { then: AfterSavepoint::Terminate, .. } => "terminate savepoint",
        })
    }
}
