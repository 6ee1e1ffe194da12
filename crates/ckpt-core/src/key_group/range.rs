//! A run of key groups.

use std::fmt;

use crate::error::Result;
use crate::key_group::KeyGroup;
use crate::key_group::error::KeyGroupError;

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
    /// `Corrupt` when `first` lies after `last`.
    pub fn new(first: KeyGroup, last: KeyGroup) -> Result<Self> {
        if first > last {
            return Err(KeyGroupError::EmptyRange { first, last }.into());
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
        assert_eq!(range(0, u16::MAX).count(), 65536);
    }
}
