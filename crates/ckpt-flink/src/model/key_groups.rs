//! Runs of key groups.

use std::ops::RangeInclusive;

use bytes::Bytes;

use super::{InlineBytes, Offsets as _};

/// A run of key groups as it is in the file: a first one and a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct KeyGroupRange {
    /// The first.
    pub start: i32,
    /// How many. Flink takes 0, what is below and what ends beyond 2,147,483,647 for the empty range.
    pub count: i32,
}

impl KeyGroupRange {
    /// So many key groups from that one on.
    pub const fn new(start: i32, count: i32) -> Self {
        Self { start, count }
    }

    /// The first and the last one; `None` when there are none.
    pub fn groups(self) -> Option<RangeInclusive<i32>> {
        let last = self.start.checked_add(self.count.checked_sub(1)?)?;
        (self.count > 0).then_some(self.start..=last)
    }

    /// There are some, and the last one has no number.
    pub(crate) const fn ends_beyond_int(self) -> bool {
        self.count > 0 && self.start.checked_add(self.count - 1).is_none()
    }
}

/// A run of key groups, and where each begins in a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyGroupOffsets<D: InlineBytes = Bytes> {
    /// The first.
    pub start: i32,
    /// Of each from the first on, its absolute position; -1 for one of raw state that was never begun.
    pub offsets: D::Offsets,
}

impl<D: InlineBytes> KeyGroupOffsets<D> {
    /// Where the key groups from `start` on begin.
    pub const fn new(start: i32, offsets: D::Offsets) -> Self {
        Self { start, offsets }
    }

    /// The run of key groups.
    pub fn range(&self) -> KeyGroupRange {
        KeyGroupRange::new(self.start, i32::try_from(self.offsets.count()).unwrap_or(i32::MAX))
    }
}
