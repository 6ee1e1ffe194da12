//! Keyed state as a set of files.

use crate::error::Result;
use crate::id::OperatorId;
use crate::key_group::KeyGroupRange;
use crate::state::error::StateError;
use crate::state::{ReusedFile, SortedMap, StateHandle, StatePiece, StateSize};

/// Keyed state as a set of named files (Flink's `IncrementalRemoteKeyedStateHandle`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncrementalState<H = StateHandle> {
    operator: OperatorId,
    range: KeyGroupRange,
    shared: SortedMap<Box<str>, SharedFile<H>>,
    private: SortedMap<Box<str>, H>,
    meta: H,
    size: StateSize,
}

/// A file that several checkpoints may name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SharedFile<H = StateHandle> {
    /// Written for this checkpoint; in metadata, for it or for an earlier one.
    Written(H),
    /// Named by the checkpoint this one is based on. The coordinator knows the rest.
    Reused(ReusedFile),
}

impl<H: StatePiece> IncrementalState<H> {
    /// State of that operator and those key groups: files that later checkpoints may name again and files of this one
    /// alone, each by the name that the state backend knows it by, and what the backend needs besides.
    ///
    /// All of it that is not reused counts as written for this checkpoint.
    pub fn new(
        operator: OperatorId,
        range: KeyGroupRange,
        shared: SortedMap<Box<str>, SharedFile<H>>,
        private: SortedMap<Box<str>, H>,
        meta: H,
    ) -> Self {
        let size = StateSize::written(handles_of(&shared, &private, &meta));
        Self { operator, range, shared, private, meta, size }
    }

    /// The same state of which only so many bytes were written for this checkpoint (Flink's persisted size).
    ///
    /// # Errors
    ///
    /// `Configuration` when that is more than it has.
    pub fn with_written_bytes(mut self, written_bytes: u64) -> Result<Self> {
        let state_bytes = self.size.state_bytes();
        if written_bytes > state_bytes {
            return Err(StateError::Written { written_bytes, state_bytes }.into());
        }
        self.size.written_bytes = written_bytes;
        Ok(self)
    }

    /// The same state with the handle of each reused file filled in. What counts as written stays.
    ///
    /// # Errors
    ///
    /// The first error of `handle_of`.
    pub fn try_fill_in<E>(self, handle_of: &mut dyn FnMut(&ReusedFile) -> Result<H, E>) -> Result<Self, E> {
        let written_bytes = self.size.written_bytes;
        let shared = self.shared.try_map_values(|file| {
            Ok(SharedFile::Written(match file {
                SharedFile::Written(handle) => handle,
                SharedFile::Reused(file) => handle_of(&file)?,
            }))
        })?;
        let mut filled = Self::new(self.operator, self.range, shared, self.private, self.meta);
        filled.size.written_bytes = written_bytes;
        Ok(filled)
    }
}

impl<H> IncrementalState<H> {
    /// State whose size is known.
    pub(crate) const fn of(
        (operator, range): (OperatorId, KeyGroupRange),
        shared: SortedMap<Box<str>, SharedFile<H>>,
        private: SortedMap<Box<str>, H>,
        meta: H,
        size: StateSize,
    ) -> Self {
        Self { operator, range, shared, private, meta, size }
    }

    /// The operator that wrote it, for whoever looks into the backend's own format.
    pub const fn operator(&self) -> OperatorId {
        self.operator
    }

    /// The key groups it holds.
    pub const fn range(&self) -> KeyGroupRange {
        self.range
    }

    /// Files that later checkpoints may name again, by the state backend's name for each.
    pub const fn shared(&self) -> &SortedMap<Box<str>, SharedFile<H>> {
        &self.shared
    }

    /// Files of this checkpoint alone, by the state backend's name for each.
    pub const fn private(&self) -> &SortedMap<Box<str>, H> {
        &self.private
    }

    /// What the backend needs besides.
    pub const fn meta(&self) -> &H {
        &self.meta
    }

    /// How much it is, and how much of that was written for this checkpoint.
    pub const fn size(&self) -> StateSize {
        self.size
    }

    /// Files that are named again and whose handles only the coordinator knows.
    pub fn reused(&self) -> impl Iterator<Item = &ReusedFile> {
        self.shared.values().filter_map(|file| match file {
            SharedFile::Written(_) => None,
            SharedFile::Reused(file) => Some(file),
        })
    }

    /// Every handle in it.
    pub fn handles(&self) -> impl Iterator<Item = &H> {
        handles_of(&self.shared, &self.private, &self.meta)
    }

    /// The same state with every handle replaced. What counts as written stays.
    ///
    /// # Errors
    ///
    /// The first error of `map`.
    pub fn try_map_handles<T: StatePiece, E>(
        self,
        map: &mut dyn FnMut(H) -> Result<T, E>,
    ) -> Result<IncrementalState<T>, E> {
        let written_bytes = self.size.written_bytes;
        let shared = self.shared.try_map_values(|file| {
            Ok(match file {
                SharedFile::Written(handle) => SharedFile::Written(map(handle)?),
                SharedFile::Reused(file) => SharedFile::Reused(file),
            })
        })?;
        let private = self.private.try_map_values(&mut *map)?;
        let mut mapped = IncrementalState::new(self.operator, self.range, shared, private, map(self.meta)?);
        mapped.size.written_bytes = written_bytes.min(mapped.size.state_bytes());
        Ok(mapped)
    }
}

fn handles_of<'a, H>(
    shared: &'a SortedMap<Box<str>, SharedFile<H>>,
    private: &'a SortedMap<Box<str>, H>,
    meta: &'a H,
) -> impl Iterator<Item = &'a H> {
    let written = shared.values().filter_map(|file| match file {
        SharedFile::Written(handle) => Some(handle),
        SharedFile::Reused(..) => None,
    });
    written.chain(private.values()).chain([meta])
}
