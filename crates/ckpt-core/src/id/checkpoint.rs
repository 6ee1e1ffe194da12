//! The number of a checkpoint.

use std::fmt;
use std::num::NonZeroU64;

/// The number of a checkpoint or savepoint within its job.
///
/// The first is 1. Numbers ascend but may leave gaps; checkpoints and savepoints share them, and none is ever used
/// twice, not by two leaders either.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CheckpointId(NonZeroU64);

impl CheckpointId {
    /// The first number of every job (Flink's `INITIAL_CHECKPOINT_ID`).
    pub const FIRST: Self = Self(NonZeroU64::MIN);

    /// The checkpoint of that number; `None` for zero, which is no checkpoint.
    pub const fn new(number: u64) -> Option<Self> {
        match NonZeroU64::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The number itself, never zero.
    pub const fn get(self) -> u64 {
        self.0.get()
    }

    /// The number after this one; `None` once 2^64 − 1 is used up.
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }
}

impl fmt::Display for CheckpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for CheckpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "chk-{}", self.0)
    }
}
