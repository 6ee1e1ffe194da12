//! State that belongs to an operator's subtask and not to keys.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::state::StateHandle;

/// Named lists of partitions in one piece (Flink's `OperatorStateHandle`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperatorState<H = StateHandle> {
    /// By the name of each state: where its partitions begin and how they are handed out at another parallelism.
    pub states: BTreeMap<String, Partitions>,
    /// The piece that holds the partitions.
    pub handle: H,
}

/// The partitions of one state.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Partitions {
    /// Where each partition begins within the piece, ascending; it ends where any next one begins or at the end.
    pub offsets_bytes: Vec<u64>,
    /// How they are handed out at another parallelism.
    pub redistribution: Redistribution,
}

/// How partitions are handed out when the parallelism changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Redistribution {
    /// Each partition goes to one subtask, evenly (Flink's `SPLIT_DISTRIBUTE`).
    Split,
    /// Every subtask gets all partitions of all subtasks.
    Union,
    /// All subtasks hold the same; each new one gets the state of one old one.
    Broadcast,
}

impl<H> OperatorState<H> {
    /// State in that piece.
    pub const fn new(states: BTreeMap<String, Partitions>, handle: H) -> Self {
        Self { states, handle }
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
    /// Partitions that begin there.
    pub const fn new(offsets_bytes: Vec<u64>, redistribution: Redistribution) -> Self {
        Self { offsets_bytes, redistribution }
    }
}
