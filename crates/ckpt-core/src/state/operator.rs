//! State that belongs to an operator's subtask and not to keys.

use std::ops::Range;

use crate::error::Result;
use crate::state::{Sections, SortedMap, StateHandle};

/// Named lists of partitions in one piece (Flink's `OperatorStateHandle`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorState<H = StateHandle> {
    states: SortedMap<Box<str>, Partitions>,
    handle: H,
}

/// The partitions of one state.
///
/// Each has its own end, because after a change of parallelism the next one in the piece may belong to another subtask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partitions {
    sections: Sections,
    redistribution: Redistribution,
}

/// How partitions are handed out when the parallelism changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a kind that a restore does not know loses state; the compiler shall say so"
)]
pub enum Redistribution {
    /// Each partition goes to one subtask, evenly (Flink's `SPLIT_DISTRIBUTE`).
    Split,
    /// Every subtask gets all partitions of all subtasks (`UNION`).
    Union,
    /// All subtasks hold the same; each new one gets the state of one old one (`BROADCAST`).
    Broadcast,
}

impl<H> OperatorState<H> {
    /// State in that piece: by the name of each state, where its partitions lie and how they are handed out at another
    /// parallelism.
    pub const fn new(states: SortedMap<Box<str>, Partitions>, handle: H) -> Self {
        Self { states, handle }
    }

    /// By the name of each state: where its partitions lie and how they are handed out at another parallelism.
    pub const fn states(&self) -> &SortedMap<Box<str>, Partitions> {
        &self.states
    }

    /// The piece that holds the partitions.
    pub const fn handle(&self) -> &H {
        &self.handle
    }

    /// The same state with its handle replaced.
    ///
    /// # Errors
    ///
    /// That of `map`.
    pub fn try_map_handles<T, E>(self, map: &mut dyn FnMut(H) -> Result<T, E>) -> Result<OperatorState<T>, E> {
        Ok(OperatorState { states: self.states, handle: map(self.handle)? })
    }
}

impl Partitions {
    /// Partitions that lie there within the piece, from a first byte to an end that is not theirs any more.
    ///
    /// # Errors
    ///
    /// `Configuration` when one ends before it begins, or begins before the one ahead of it ends.
    pub fn new(ranges_bytes: impl IntoIterator<Item = Range<u64>>, redistribution: Redistribution) -> Result<Self> {
        Ok(Self::of(Sections::new(ranges_bytes)?, redistribution))
    }

    pub(crate) const fn of(sections: Sections, redistribution: Redistribution) -> Self {
        Self { sections, redistribution }
    }

    /// Where each partition lies within the piece; ascending, none reaching into another.
    pub const fn ranges_bytes(&self) -> &[Range<u64>] {
        self.sections.ranges_bytes()
    }

    /// Where the last one ends; 0 when there is none.
    pub fn end_bytes(&self) -> u64 {
        self.sections.end_bytes()
    }

    /// How they are handed out at another parallelism.
    pub const fn redistribution(&self) -> Redistribution {
        self.redistribution
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn partitions_ascend_and_do_not_overlap() {
        let partitions = |ranges: &[Range<u64>]| Partitions::new(ranges.iter().cloned(), Redistribution::Split);
        assert!(partitions(&[]).is_ok());
        assert_eq!(partitions(&[0..0, 0..3, 5..9, 9..9]).unwrap().ranges_bytes().len(), 4);
        for bad in [&[0..3, 2..4][..], &[5..6, 0..1], &[Range { start: 4, end: 3 }]] {
            assert_eq!(partitions(bad).unwrap_err().kind(), ErrorKind::Configuration, "{bad:?}");
        }
    }
}
