//! State that belongs to keys.

use crate::key_group::KeyGroupRange;
use crate::state::{IncrementalState, KeyGroupsState, StateHandle, StatePiece, StateSize};

/// The keyed state of one subtask, as it was written by one snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyedState<H = StateHandle> {
    /// One piece in which each key group has its own section.
    KeyGroups(KeyGroupsState<H>),
    /// A set of files of which some were written by earlier checkpoints.
    Incremental(IncrementalState<H>),
}

impl<H> KeyedState<H> {
    /// The key groups it holds.
    pub const fn range(&self) -> KeyGroupRange {
        match self {
            Self::KeyGroups(state) => state.range(),
            Self::Incremental(state) => state.range(),
        }
    }

    /// Every handle in it.
    pub fn handles(&self) -> impl Iterator<Item = &H> {
        let (groups, incremental) = match self {
            Self::KeyGroups(state) => (Some(state.handle()), None),
            Self::Incremental(state) => (None, Some(state.handles())),
        };
        groups.into_iter().chain(incremental.into_iter().flatten())
    }

    /// How much it is.
    pub fn size(&self) -> StateSize
    where
        H: StatePiece,
    {
        match self {
            Self::KeyGroups(state) => StateSize::written([state.handle()]),
            Self::Incremental(state) => state.size(),
        }
    }

    /// What a subtask with those key groups needs of it; `None` when it has none of them. Sections of other groups are
    /// left out; an incremental state cannot be divided and is taken whole.
    pub fn intersection(&self, range: KeyGroupRange) -> Option<Self>
    where
        H: Clone,
    {
        match self {
            Self::KeyGroups(state) => state.intersection(range).map(Self::KeyGroups),
            Self::Incremental(state) => state.range().intersection(range).map(|_| Self::Incremental(state.clone())),
        }
    }

    /// The same state with every handle replaced.
    ///
    /// # Errors
    ///
    /// The first error of `map`.
    pub fn try_map_handles<T: StatePiece, E>(self, map: &mut dyn FnMut(H) -> Result<T, E>) -> Result<KeyedState<T>, E> {
        Ok(match self {
            Self::KeyGroups(state) => KeyedState::KeyGroups(state.try_map_handles(map)?),
            Self::Incremental(state) => KeyedState::Incremental(state.try_map_handles(map)?),
        })
    }
}
