//! Vertices and the operators in them.

use crate::id::{OperatorId, TaskId, VertexId};
use crate::key_group::MaxParallelism;

/// A chain of operators that runs as one task per subtask.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Vertex {
    /// Its identity.
    pub id: VertexId,
    /// A name for people.
    pub name: String,
    /// How many subtasks run.
    pub parallelism: u32,
    /// How many key groups its keyed state has.
    pub max_parallelism: MaxParallelism,
    /// The operators, in the order of the chain from its input to its output.
    pub operators: Vec<Operator>,
}

/// An operator: the owner of state.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operator {
    /// What its state is stored under.
    pub id: OperatorId,
    /// A name for people.
    pub name: String,
}

impl Vertex {
    /// A vertex of one operator that bears the vertex's own sixteen bytes and name.
    pub fn single(id: VertexId, name: impl Into<String>, parallelism: u32, max_parallelism: MaxParallelism) -> Self {
        let name = name.into();
        let operators = vec![Operator { id: OperatorId::new(id.bytes()), name: name.clone() }];
        Self { id, name, parallelism, max_parallelism, operators }
    }

    /// Its tasks in the order of their subtasks.
    pub fn tasks(&self) -> impl Iterator<Item = TaskId> + use<> {
        let id = self.id;
        (0..self.parallelism).map(move |subtask| TaskId::new(id, subtask))
    }
}

impl Operator {
    /// An operator with that identity and name.
    pub fn new(id: OperatorId, name: impl Into<String>) -> Self {
        Self { id, name: name.into() }
    }
}
