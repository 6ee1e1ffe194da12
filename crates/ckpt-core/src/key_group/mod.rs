//! Key groups: the unit in which keyed state moves between subtasks (Flink's `KeyGroupRangeAssignment`).
//!
//! A key belongs to a group for ever, and a group to one subtask at each parallelism. So at another parallelism whole
//! groups move, and nobody looks at keys:
//!
//! ```
//! use ckpt_core::key_group::MaxParallelism;
//!
//! let max = MaxParallelism::new(128)?;
//! let group = max.key_group(4_711);
//! assert_eq!((group.get(), max.subtask_of(group, 4)?), (18, 0));
//!
//! // Of four subtasks one is left out: the last of three takes its groups, and some of its neighbour.
//! let [third, fourth] = [max.range_of(2, 4)?, max.range_of(3, 4)?];
//! let last = max.range_of(2, 3)?;
//! assert_eq!(last.to_string(), "86..=127");
//! assert_eq!(last.intersection(third).map(|groups| groups.count()), Some(10));
//! assert_eq!(last.intersection(fourth), Some(fourth));
//! # Ok::<(), ckpt_core::Error>(())
//! ```

mod error;
mod hash;
mod range;

use std::fmt;
use std::num::NonZeroU16;

pub use range::KeyGroupRange;

use self::error::KeyGroupError;
use crate::error::Result;

/// One of the groups that all keys of a job are divided into.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyGroup(u16);

/// How many key groups a vertex has: the highest parallelism that its state can be spread over. From 1 to 32,768.
///
/// Fixed at the first run, since it decides where every key lives (Flink's maximum parallelism).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MaxParallelism(NonZeroU16);

impl KeyGroup {
    /// The group with that number. Which numbers exist is decided by the [`MaxParallelism`].
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    /// Its number, from 0.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl MaxParallelism {
    /// The highest that there is: 2^15, as in Flink.
    pub const UPPER_BOUND: u32 = 1 << 15;

    /// That many key groups.
    ///
    /// # Errors
    ///
    /// `Configuration` unless `1 <= number <= 32768`.
    pub fn new(number: u32) -> Result<Self> {
        u16::try_from(number)
            .ok()
            .filter(|&number| u32::from(number) <= Self::UPPER_BOUND)
            .and_then(NonZeroU16::new)
            .map(Self)
            .ok_or_else(|| KeyGroupError::MaxParallelism { found: number }.into())
    }

    /// What Flink derives when none is given (`computeDefaultMaxParallelism`): 1.5 times the parallelism rounded up to a
    /// power of two, at least 128 and at most 32,768.
    ///
    /// # Errors
    ///
    /// `Configuration` when the parallelism itself is zero or above 32,768.
    pub fn derived(parallelism: u32) -> Result<Self> {
        Self::new(parallelism)?;
        Self::new((parallelism + parallelism / 2).next_power_of_two().clamp(128, Self::UPPER_BOUND))
    }

    /// The number itself.
    pub const fn get(self) -> u16 {
        self.0.get()
    }

    /// The key group of a key with that 32-bit hash (Java's `hashCode`): murmur3 of it modulo the number of groups, as in
    /// Flink's `computeKeyGroupForKeyHash`.
    pub fn key_group(self, key_hash: i32) -> KeyGroup {
        // The remainder is below 2^15, so it fits.
        KeyGroup((hash::murmur(key_hash) % u32::from(self.get())) as u16)
    }

    /// The subtask that owns `group` at that parallelism (Flink's `computeOperatorIndexForKeyGroup`).
    ///
    /// Who routes records asks it once for each group, and looks the answers up.
    ///
    /// # Errors
    ///
    /// `Configuration` when the parallelism is zero or above the maximum, or there is no such group.
    pub fn subtask_of(self, group: KeyGroup, parallelism: u32) -> Result<u32> {
        let groups = u32::from(self.get());
        if parallelism == 0 || parallelism > groups || group.get() >= self.get() {
            return Err(KeyGroupError::NoOwner { group, parallelism, max: self }.into());
        }
        Ok(u32::from(group.get()) * parallelism / groups)
    }

    /// The groups of one subtask at that parallelism; together the ranges of all subtasks cover every group once (Flink's
    /// `computeKeyGroupRangeForOperatorIndex`).
    ///
    /// # Errors
    ///
    /// `Configuration` when the parallelism is zero or above the maximum, or there is no such subtask.
    pub fn range_of(self, subtask: u32, parallelism: u32) -> Result<KeyGroupRange> {
        let groups = u32::from(self.get());
        if parallelism == 0 || parallelism > groups || subtask >= parallelism {
            return Err(KeyGroupError::NoSubtask { subtask, parallelism, max: self }.into());
        }
        let first = (subtask * groups).div_ceil(parallelism);
        let last = ((subtask + 1) * groups - 1) / parallelism;
        KeyGroupRange::new(KeyGroup(first as u16), KeyGroup(last as u16))
    }
}

impl fmt::Display for KeyGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for KeyGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key-group-{}", self.0)
    }
}

impl fmt::Display for MaxParallelism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for MaxParallelism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MaxParallelism({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_cover_every_group_once_and_agree_with_the_owner() {
        for groups in [1, 2, 3, 7, 127, 128, 129, 32767, 32768] {
            let max = MaxParallelism::new(groups).unwrap();
            for parallelism in (1..=groups.min(64)).chain([groups]) {
                let mut next = 0;
                for subtask in 0..parallelism {
                    let range = max.range_of(subtask, parallelism).unwrap();
                    assert_eq!(u32::from(range.first().get()), next);
                    next = u32::from(range.last().get()) + 1;
                    for end in [range.first(), range.last()] {
                        assert_eq!(max.subtask_of(end, parallelism).unwrap(), subtask, "{max} {parallelism}");
                    }
                }
                assert_eq!(next, groups);
            }
        }
    }

    #[test]
    fn bounds_are_refused() {
        assert!(MaxParallelism::new(0).is_err());
        assert!(MaxParallelism::new(32769).is_err());
        let max = MaxParallelism::new(128).unwrap();
        assert!(max.range_of(0, 129).is_err());
        assert!(max.range_of(2, 2).is_err());
        assert!(max.range_of(0, 0).is_err());
        for (group, parallelism) in [(0, 0), (0, 129), (128, 1), (127, u32::MAX)] {
            let error = max.subtask_of(KeyGroup::new(group), parallelism).unwrap_err();
            let expected =
                format!("nobody owns key group {group} at parallelism {parallelism}: the maximum parallelism is 128");
            assert_eq!((error.kind(), error.to_string()), (crate::ErrorKind::Configuration, expected));
        }
    }

    #[test]
    fn derived_as_in_flink() {
        for (parallelism, expected) in [(1, 128), (86, 256), (85, 128), (128, 256), (30000, 32768)] {
            assert_eq!(MaxParallelism::derived(parallelism).unwrap().get(), expected, "{parallelism}");
        }
    }
}
