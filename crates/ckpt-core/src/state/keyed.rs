//! State that belongs to keys.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::id::OperatorId;
use crate::key_group::{KeyGroup, KeyGroupRange};
use crate::state::error::StateError;
use crate::state::{FileRef, Root, StateHandle};

/// The keyed state of one subtask, as it was written by one snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyedState<H = StateHandle> {
    /// One piece in which each key group has its own section.
    KeyGroups(KeyGroupsState<H>),
    /// A set of files of which some were written by earlier checkpoints.
    Incremental(IncrementalState<H>),
}

/// Keyed state in one piece, key group after key group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyGroupsState<H = StateHandle> {
    range: KeyGroupRange,
    offsets_bytes: Vec<u64>,
    handle: H,
}

/// Keyed state as a set of named files (Flink's incremental handle).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IncrementalState<H = StateHandle> {
    /// The operator that wrote it, for whoever looks into the backend's own format.
    pub operator: OperatorId,
    /// The key groups it holds.
    pub range: KeyGroupRange,
    /// Files that later checkpoints may name again, by the state backend's name for each.
    pub shared: BTreeMap<String, SharedFile<H>>,
    /// Files of this checkpoint alone, by the state backend's name for each.
    pub private: BTreeMap<String, H>,
    /// What the backend needs besides.
    pub meta: H,
}

/// A file that several checkpoints may name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SharedFile<H = StateHandle> {
    /// Written for this checkpoint.
    Written(H),
    /// Named by the checkpoint this one is based on. The coordinator knows the rest.
    Reused(Root, FileRef),
}

impl<H> KeyedState<H> {
    /// The key groups it holds.
    pub const fn range(&self) -> KeyGroupRange {
        match self {
            Self::KeyGroups(state) => state.range,
            Self::Incremental(state) => state.range,
        }
    }

    /// Every handle in it.
    pub fn handles(&self) -> impl Iterator<Item = &H> {
        let (groups, incremental) = match self {
            Self::KeyGroups(state) => (Some(&state.handle), None),
            Self::Incremental(state) => (None, Some(state)),
        };
        groups.into_iter().chain(incremental.into_iter().flat_map(|state| {
            let written = state.shared.values().filter_map(|file| match file {
                SharedFile::Written(handle) => Some(handle),
                SharedFile::Reused(..) => None,
            });
            written.chain(state.private.values()).chain([&state.meta])
        }))
    }

    /// The same state with every handle replaced.
    ///
    /// # Errors
    ///
    /// The first error of `map`.
    pub fn try_map_handles<T, E>(self, map: &mut dyn FnMut(H) -> Result<T, E>) -> Result<KeyedState<T>, E> {
        Ok(match self {
            Self::KeyGroups(state) => KeyedState::KeyGroups(KeyGroupsState {
                range: state.range,
                offsets_bytes: state.offsets_bytes,
                handle: map(state.handle)?,
            }),
            Self::Incremental(state) => {
                let mut shared = BTreeMap::new();
                for (name, file) in state.shared {
                    let file = match file {
                        SharedFile::Written(handle) => SharedFile::Written(map(handle)?),
                        SharedFile::Reused(root, file) => SharedFile::Reused(root, file),
                    };
                    shared.insert(name, file);
                }
                let mut private = BTreeMap::new();
                for (name, handle) in state.private {
                    private.insert(name, map(handle)?);
                }
                let meta = map(state.meta)?;
                KeyedState::Incremental(IncrementalState {
                    operator: state.operator,
                    range: state.range,
                    shared,
                    private,
                    meta,
                })
            }
        })
    }
}

impl<H> KeyGroupsState<H> {
    /// # Errors
    ///
    /// `Corrupt` unless there is one offset for each key group and they never descend.
    pub fn new(range: KeyGroupRange, offsets_bytes: Vec<u64>, handle: H) -> Result<Self> {
        if offsets_bytes.len() != range.count() || !offsets_bytes.is_sorted() {
            return Err(StateError::Offsets { range, found: offsets_bytes.len() }.into());
        }
        Ok(Self { range, offsets_bytes, handle })
    }

    /// The key groups.
    pub const fn range(&self) -> KeyGroupRange {
        self.range
    }

    /// Where each group's section begins; it ends where the next begins, the last at the end.
    pub fn offsets_bytes(&self) -> &[u64] {
        &self.offsets_bytes
    }

    /// Where the section of `group` begins and, unless it is the last, where it ends.
    pub fn section_of(&self, group: KeyGroup) -> Option<(u64, Option<u64>)> {
        let index = self.range.index_of(group)?;
        Some((*self.offsets_bytes.get(index)?, self.offsets_bytes.get(index + 1).copied()))
    }

    /// The piece that holds the sections.
    pub const fn handle(&self) -> &H {
        &self.handle
    }
}

impl<H> IncrementalState<H> {
    /// State of that operator and those key groups.
    pub const fn new(
        operator: OperatorId,
        range: KeyGroupRange,
        shared: BTreeMap<String, SharedFile<H>>,
        private: BTreeMap<String, H>,
        meta: H,
    ) -> Self {
        Self { operator, range, shared, private, meta }
    }
}
