//! Keyed state in one piece.

use crate::error::Result;
use crate::key_group::{KeyGroup, KeyGroupRange};
use crate::state::StateHandle;
use crate::state::error::StateError;

/// Keyed state in one piece, key group after key group (Flink's `KeyGroupsStateHandle`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyGroupsState<H = StateHandle> {
    range: KeyGroupRange,
    /// One for each group, and one more, the end of the last, unless that is the end of the piece.
    bounds_bytes: Box<[u64]>,
    handle: H,
}

impl<H> KeyGroupsState<H> {
    /// State whose groups' sections begin at those offsets. The last section ends with the piece, or, when there is one
    /// offset more than there are groups, there.
    ///
    /// # Errors
    ///
    /// `Configuration` unless there is one offset for each key group, or one more, and they never descend.
    pub fn new(range: KeyGroupRange, offsets_bytes: impl Into<Box<[u64]>>, handle: H) -> Result<Self> {
        let bounds_bytes = offsets_bytes.into();
        let (found, groups) = (bounds_bytes.len(), range.count());
        if (found != groups && found != groups + 1) || !bounds_bytes.is_sorted() {
            return Err(StateError::Offsets { range, found }.into());
        }
        Ok(Self { range, bounds_bytes, handle })
    }

    /// State of which the caller has made sure that its offsets are as they must be.
    pub(crate) fn of(range: KeyGroupRange, bounds_bytes: Vec<u64>, handle: H) -> Self {
        Self { range, bounds_bytes: bounds_bytes.into_boxed_slice(), handle }
    }

    /// The key groups.
    pub const fn range(&self) -> KeyGroupRange {
        self.range
    }

    /// Where each group's section begins. It ends where the next begins, the last one as [`new`](Self::new) says.
    pub fn offsets_bytes(&self) -> &[u64] {
        self.bounds_bytes.get(..self.range.count()).unwrap_or(&self.bounds_bytes)
    }

    /// The offsets, and the end of the last section unless that is the end of the piece.
    pub const fn bounds_bytes(&self) -> &[u64] {
        &self.bounds_bytes
    }

    /// Where the section of `group` begins and, unless that is the end of the piece, where it ends.
    pub fn section_of(&self, group: KeyGroup) -> Option<(u64, Option<u64>)> {
        let index = self.range.index_of(group)?;
        Some((*self.bounds_bytes.get(index)?, self.bounds_bytes.get(index + 1).copied()))
    }

    /// The piece that holds the sections.
    pub const fn handle(&self) -> &H {
        &self.handle
    }

    /// The same piece with the sections of those groups alone; `None` when it has none of them.
    pub fn intersection(&self, range: KeyGroupRange) -> Option<Self>
    where
        H: Clone,
    {
        let range = self.range.intersection(range)?;
        let first = self.range.index_of(range.first())?;
        // The bound after the last group is the end of its section, if there is one.
        let end = (first + range.count() + 1).min(self.bounds_bytes.len());
        let bounds_bytes = self.bounds_bytes.get(first..end)?.into();
        Some(Self { range, bounds_bytes, handle: self.handle.clone() })
    }

    /// The same state with its handle replaced.
    ///
    /// # Errors
    ///
    /// That of `map`.
    pub fn try_map_handles<T, E>(self, map: &mut dyn FnMut(H) -> Result<T, E>) -> Result<KeyGroupsState<T>, E> {
        Ok(KeyGroupsState { range: self.range, bounds_bytes: self.bounds_bytes, handle: map(self.handle)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(first: u16, last: u16) -> KeyGroupRange {
        KeyGroupRange::new(KeyGroup::new(first), KeyGroup::new(last)).unwrap()
    }

    #[test]
    fn an_intersection_keeps_the_sections_of_its_groups() {
        let whole = KeyGroupsState::new(range(4, 7), [0, 10, 10, 30], ()).unwrap();
        assert_eq!(whole.intersection(range(0, 3)), None);
        assert_eq!(whole.intersection(range(8, 9)), None);
        assert_eq!(whole.intersection(range(0, 100)), Some(whole.clone()));
        for (first, last) in (4..=7).flat_map(|first| (first..=7).map(move |last| (first, last))) {
            let part = whole.intersection(range(first, last)).unwrap();
            assert_eq!(part.range(), range(first, last));
            assert_eq!(part.offsets_bytes().len(), part.range().count());
            for group in part.range().iter() {
                assert_eq!(part.section_of(group), whole.section_of(group));
            }
            let inner = range(last, last);
            assert_eq!(part.intersection(inner), whole.intersection(inner));
        }
    }
}
