//! The marker that flows between records.

use crate::id::CheckpointId;
use crate::snapshot::{CheckpointIdentity, CheckpointOptions};

/// The marker that a checkpoint sends through every channel: records before it are in the snapshot, records after it
/// are not (Flink's `CheckpointBarrier`). A direct trigger of a source carries the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct CheckpointBarrier {
    /// Which checkpoint.
    pub identity: CheckpointIdentity,
    /// How it is taken.
    pub options: CheckpointOptions,
}

impl CheckpointBarrier {
    /// The barrier of that checkpoint.
    pub const fn new(identity: CheckpointIdentity, options: CheckpointOptions) -> Self {
        Self { identity, options }
    }

    /// Its number.
    pub const fn id(&self) -> CheckpointId {
        self.identity.id
    }

    /// The checkpoint whose shared files may be reused; `None` for a savepoint and for a full checkpoint, which the first
    /// one after a restore that owns nothing is.
    pub fn base(&self) -> Option<CheckpointId> {
        self.identity.latest_completed.filter(|_| self.options.kind().may_reuse_files())
    }
}
