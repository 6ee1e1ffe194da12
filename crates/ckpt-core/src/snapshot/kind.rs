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

/// How a savepoint's state is laid out (Flink's `SavepointFormatType`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SavepointFormat {
    /// The same for every state backend.
    #[default]
    Canonical,
    /// The state backend's own.
    Native,
}

/// What a job does once a savepoint is taken (Flink's `PostCheckpointAction`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AfterSavepoint {
    /// Goes on.
    #[default]
    Continue,
    /// Stops where it is.
    Suspend,
    /// Counts its input as ended, lets operators emit what they still hold, and stops.
    Terminate,
}

/// With which other snapshots a snapshot may share files (Flink's `SharingFilesStrategy`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SharingFilesStrategy {
    /// It may name files of earlier checkpoints, and later ones may name its files.
    ForwardBackward,
    /// It names no file of an earlier checkpoint; later ones may name its files.
    Forward,
    /// Neither.
    NoSharing,
}

/// Which checkpoint is asked for by hand (Flink's `CheckpointType` of a request).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CheckpointType {
    /// As periodic ones are.
    #[default]
    Configured,
    /// One that reuses nothing.
    Full,
    /// One that may reuse files of an earlier one.
    Incremental,
}

impl SnapshotKind {
    /// Whether it is a savepoint.
    pub const fn is_savepoint(self) -> bool {
        matches!(self, Self::Savepoint { .. })
    }

    /// Whether the job stops with it: tasks wait after it until it is complete.
    pub const fn is_synchronous(self) -> bool {
        matches!(self, Self::Savepoint { then: AfterSavepoint::Suspend | AfterSavepoint::Terminate, .. })
    }

    /// Whether time is advanced to its end and all input counts as ended before it is taken: operators emit what they
    /// still hold.
    pub const fn should_drain(self) -> bool {
        matches!(self, Self::Savepoint { then: AfterSavepoint::Terminate, .. })
    }

    /// Whether the end of input that follows it must not be acted on: the job will be continued from here.
    pub const fn should_ignore_end_of_input(self) -> bool {
        matches!(self, Self::Savepoint { then: AfterSavepoint::Suspend, .. })
    }

    /// With which other snapshots it may share files.
    pub const fn sharing_files_strategy(self) -> SharingFilesStrategy {
        match self {
            Self::Checkpoint => SharingFilesStrategy::ForwardBackward,
            Self::FullCheckpoint => SharingFilesStrategy::Forward,
            Self::Savepoint { .. } => SharingFilesStrategy::NoSharing,
        }
    }

    /// Whether it may name files that an earlier checkpoint wrote.
    pub const fn may_reuse_files(self) -> bool {
        matches!(self.sharing_files_strategy(), SharingFilesStrategy::ForwardBackward)
    }

    /// Whether a later checkpoint may name files that it wrote.
    pub const fn files_may_be_reused(self) -> bool {
        !matches!(self.sharing_files_strategy(), SharingFilesStrategy::NoSharing)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_shares_and_stops_as_flinks_does() {
        use AfterSavepoint::{Continue, Suspend, Terminate};
        use SharingFilesStrategy::{Forward, ForwardBackward, NoSharing};
        // name, sharing, savepoint, synchronous, drain, ignore end of input, may reuse, may be reused
        let table = [
            (SnapshotKind::Checkpoint, "checkpoint", ForwardBackward, [false, false, false, false, true, true]),
            (SnapshotKind::FullCheckpoint, "full checkpoint", Forward, [false, false, false, false, false, true]),
            (savepoint(Continue), "savepoint", NoSharing, [true, false, false, false, false, false]),
            (savepoint(Suspend), "suspend savepoint", NoSharing, [true, true, false, true, false, false]),
            (savepoint(Terminate), "terminate savepoint", NoSharing, [true, true, true, false, false, false]),
        ];
        for (kind, name, sharing, predicates) in table {
            assert_eq!((kind.to_string().as_str(), kind.sharing_files_strategy()), (name, sharing));
            let found = [
                kind.is_savepoint(),
                kind.is_synchronous(),
                kind.should_drain(),
                kind.should_ignore_end_of_input(),
                kind.may_reuse_files(),
                kind.files_may_be_reused(),
            ];
            assert_eq!(found, predicates, "{kind}");
        }
    }

    fn savepoint(then: AfterSavepoint) -> SnapshotKind {
        SnapshotKind::Savepoint { format: SavepointFormat::Canonical, then }
    }
}
