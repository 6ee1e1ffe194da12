//! What a snapshot is to the job that takes or restores it.

use crate::snapshot::{
    AfterSavepoint, AlignmentPolicy, CheckpointType, JobEnd, RetentionPolicy, SavepointFormat, SnapshotKind,
};

/// What a snapshot is to the job that takes or restores it: its kind, whether it waits for its turn, and what discards
/// it (Flink's `CheckpointProperties`).
///
/// | profile | kind | forced | discarded when subsumed | discarded at the end of the job |
/// |---|---|---|---|---|
/// | [checkpoint](Self::checkpoint) | checkpoint | no | yes | by the [`RetentionPolicy`] |
/// | [savepoint](Self::savepoint) | as given | as given | no | no |
/// | [unclaimed snapshot](Self::unclaimed) | canonical savepoint | no | no | no |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CheckpointProperties(Profile);

/// The combinations that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Profile {
    Checkpoint { reuse: Reuse, retention: RetentionPolicy },
    Savepoint { format: SavepointFormat, then: AfterSavepoint, admission: Admission },
    Unclaimed,
}

/// Whether a checkpoint may reuse files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Reuse {
    Allowed,
    Forbidden,
}

/// Whether a request waits until fewer checkpoints are pending than may be at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Admission {
    /// It waits.
    InTurn,
    /// It is taken beside those (Flink's `forceCheckpoint`).
    Forced,
}

impl CheckpointProperties {
    /// A periodic checkpoint of a job with that policy.
    pub const fn checkpoint(retention: RetentionPolicy) -> Self {
        Self(Profile::Checkpoint { reuse: Reuse::Allowed, retention })
    }

    /// A savepoint that the job takes and goes on, or stops with.
    pub const fn savepoint(format: SavepointFormat, then: AfterSavepoint, admission: Admission) -> Self {
        Self(Profile::Savepoint { format, then, admission })
    }

    /// A snapshot that the job was restored from and does not own: it is never discarded, and nothing in it is reused by
    /// the first checkpoint after it.
    pub const fn unclaimed() -> Self {
        Self(Profile::Unclaimed)
    }

    pub(crate) const fn of_profile(profile: Profile) -> Self {
        Self(profile)
    }

    pub(crate) const fn profile(self) -> Profile {
        self.0
    }

    /// These, for a checkpoint that is asked for as that type. A savepoint stays what it is.
    ///
    /// A configured checkpoint and an incremental one are the same kind: whether files are in fact reused is the state
    /// backend's setting.
    #[must_use]
    pub const fn requested_as(self, checkpoint: CheckpointType) -> Self {
        match (self.0, checkpoint) {
            (Profile::Checkpoint { retention, .. }, CheckpointType::Full) => {
                Self(Profile::Checkpoint { reuse: Reuse::Forbidden, retention })
            }
            (Profile::Checkpoint { retention, .. }, CheckpointType::Incremental) => {
                Self(Profile::Checkpoint { reuse: Reuse::Allowed, retention })
            }
            _ => self,
        }
    }

    /// What kind of snapshot.
    pub const fn kind(self) -> SnapshotKind {
        match self.0 {
            Profile::Checkpoint { reuse: Reuse::Allowed, .. } => SnapshotKind::Checkpoint,
            Profile::Checkpoint { reuse: Reuse::Forbidden, .. } => SnapshotKind::FullCheckpoint,
            Profile::Savepoint { format, then, .. } => SnapshotKind::Savepoint { format, then },
            Profile::Unclaimed => {
                SnapshotKind::Savepoint { format: SavepointFormat::Canonical, then: AfterSavepoint::Continue }
            }
        }
    }

    /// Whether it waits for its turn.
    pub const fn admission(self) -> Admission {
        match self.0 {
            Profile::Savepoint { admission, .. } => admission,
            Profile::Checkpoint { .. } | Profile::Unclaimed => Admission::InTurn,
        }
    }

    /// Whether it was restored from and belongs to somebody else.
    pub const fn is_unclaimed(self) -> bool {
        matches!(self.0, Profile::Unclaimed)
    }

    /// Whether a newer checkpoint takes its place.
    pub const fn discards_on_subsumption(self) -> bool {
        matches!(self.0, Profile::Checkpoint { .. })
    }

    /// Whether that end of its job discards it.
    pub const fn discards_on(self, end: JobEnd) -> bool {
        match self.0 {
            Profile::Checkpoint { retention, .. } => retention.discards_on(end),
            Profile::Savepoint { .. } | Profile::Unclaimed => false,
        }
    }
}

impl Admission {
    /// How a savepoint is admitted: out of turn, except where unaligned checkpoints are enabled, since with those no two
    /// snapshots may be pending at once.
    pub const fn of_savepoint(policy: AlignmentPolicy) -> Self {
        match policy {
            AlignmentPolicy::Unaligned { .. } => Self::InTurn,
            AlignmentPolicy::AtLeastOnce | AlignmentPolicy::Aligned => Self::Forced,
        }
    }
}

#[cfg(test)]
#[path = "properties_test.rs"]
mod tests;
