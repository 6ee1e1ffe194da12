//! A run of key groups.

use std::fmt;

use crate::error::Result;
use crate::key_group::error::KeyGroupError;
use crate::key_group::{KeyGroup, MaxParallelism};

/// Key groups from a first to a last one, both inclusive; never empty (Flink's `KeyGroupRange`, whose empty one is an
/// `Option` here).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyGroupRange {
    first: KeyGroup,
    last: KeyGroup,
}

impl KeyGroupRange {
    /// The groups from `first` to `last`.
    ///
    /// # Errors
    ///
    /// `Configuration` when `first` lies after `last`, or `last` is no group of the largest
    /// [maximum parallelism](MaxParallelism::UPPER_BOUND).
    pub fn new(first: KeyGroup, last: KeyGroup) -> Result<Self> {
        if first > last {
            return Err(KeyGroupError::EmptyRange { first, last }.into());
        }
        if u32::from(last.get()) >= MaxParallelism::UPPER_BOUND {
            return Err(KeyGroupError::NoSuchGroup { last }.into());
        }
        Ok(Self { first, last })
    }

    /// The first group.
    pub const fn first(self) -> KeyGroup {
        self.first
    }

    /// The last group, inclusive.
    pub const fn last(self) -> KeyGroup {
        self.last
    }

    /// How many groups, at least 1.
    pub fn count(self) -> usize {
        usize::from(self.last.get() - self.first.get()) + 1
    }

    /// Whether the group is one of these.
    pub fn contains(self, group: KeyGroup) -> bool {
        self.first <= group && group <= self.last
    }

    /// The place of a group within the range, from 0; `None` when it is outside.
    pub fn index_of(self, group: KeyGroup) -> Option<usize> {
        self.contains(group).then(|| usize::from(group.get() - self.first.get()))
    }

    /// The groups that both have; `None` when there is none.
    pub fn intersection(self, other: Self) -> Option<Self> {
        let (first, last) = (self.first.max(other.first), self.last.min(other.last));
        (first <= last).then_some(Self { first, last })
    }

    /// Each group in order.
    pub fn iter(self) -> impl ExactSizeIterator<Item = KeyGroup> + DoubleEndedIterator {
        let first = self.first.get();
        (0..self.count()).map(move |index| KeyGroup::new(first + index as u16))
    }
}

impl fmt::Display for KeyGroupRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..={}", self.first, self.last)
    }
}

impl fmt::Debug for KeyGroupRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key-groups-{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn range(first: u16, last: u16) -> KeyGroupRange {
        KeyGroupRange::new(KeyGroup::new(first), KeyGroup::new(last)).unwrap()
    }

    #[test]
    fn intersections() {
        assert_eq!(range(0, 63).intersection(range(63, 127)), Some(range(63, 63)));
        assert_eq!(range(0, 63).intersection(range(64, 127)), None);
        assert_eq!(range(5, 9).intersection(range(0, 127)), Some(range(5, 9)));
        assert!(KeyGroupRange::new(KeyGroup::new(2), KeyGroup::new(1)).is_err());
        assert_eq!(range(3, 5).iter().map(KeyGroup::get).collect::<Vec<_>>(), [3, 4, 5]);
        assert_eq!(range(0, 32_767).count(), 32_768);
    }

    #[test]
    fn groups_that_no_job_has_are_refused() {
        for (first, last, message) in [
            (2, 1, "a key-group range is never empty: its first, 2, lies after its last, 1"),
            (0, 32_768, "a key-group range ends with group 32768, expected at most 32767"),
            (u16::MAX, u16::MAX, "a key-group range ends with group 65535, expected at most 32767"),
        ] {
            let error = KeyGroupRange::new(KeyGroup::new(first), KeyGroup::new(last)).unwrap_err();
            assert_eq!((error.kind(), error.to_string()), (ErrorKind::Configuration, message.to_owned()));
        }
    }
}
