//! What one task contributes to a snapshot.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::id::OperatorId;
use crate::state::{KeyedState, OperatorState, StateHandle};

/// What one task contributes to a snapshot: the state of each operator of its chain.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskSnapshot<H = StateHandle> {
    /// By operator; one without state may be absent.
    pub operators: BTreeMap<OperatorId, SubtaskState<H>>,
}

/// The state of one operator in one subtask.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubtaskState<H = StateHandle> {
    /// State that belongs to keys.
    pub keyed: Vec<KeyedState<H>>,
    /// State that belongs to the subtask.
    pub operator: Vec<OperatorState<H>>,
}

impl<H> Default for TaskSnapshot<H> {
    fn default() -> Self {
        Self { operators: BTreeMap::new() }
    }
}

impl<H> Default for SubtaskState<H> {
    fn default() -> Self {
        Self { keyed: Vec::new(), operator: Vec::new() }
    }
}

impl<H> TaskSnapshot<H> {
    /// The state of those operators.
    pub const fn new(operators: BTreeMap<OperatorId, SubtaskState<H>>) -> Self {
        Self { operators }
    }

    /// Every handle in it.
    pub fn handles(&self) -> impl Iterator<Item = &H> {
        self.operators.values().flat_map(SubtaskState::handles)
    }

    /// The same snapshot with every handle replaced.
    ///
    /// # Errors
    ///
    /// The first error of `map`.
    pub fn try_map_handles<T, E>(self, map: &mut dyn FnMut(H) -> Result<T, E>) -> Result<TaskSnapshot<T>, E> {
        let mut operators = BTreeMap::new();
        for (operator, state) in self.operators {
            operators.insert(operator, state.try_map_handles(map)?);
        }
        Ok(TaskSnapshot { operators })
    }
}

impl<H> SubtaskState<H> {
    /// That state.
    pub const fn new(keyed: Vec<KeyedState<H>>, operator: Vec<OperatorState<H>>) -> Self {
        Self { keyed, operator }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keyed.is_empty() && self.operator.is_empty()
    }

    /// Every handle in it.
    pub fn handles(&self) -> impl Iterator<Item = &H> {
        self.keyed.iter().flat_map(KeyedState::handles).chain(self.operator.iter().map(|state| &state.handle))
    }

    /// The same state with every handle replaced.
    ///
    /// # Errors
    ///
    /// The first error of `map`.
    pub fn try_map_handles<T, E>(self, map: &mut dyn FnMut(H) -> Result<T, E>) -> Result<SubtaskState<T>, E> {
        let mut keyed = Vec::with_capacity(self.keyed.len());
        for state in self.keyed {
            keyed.push(state.try_map_handles(map)?);
        }
        let mut operator = Vec::with_capacity(self.operator.len());
        for state in self.operator {
            operator.push(state.try_map_handles(map)?);
        }
        Ok(SubtaskState { keyed, operator })
    }
}
