//! Vertices.

use crate::error::Result;
use crate::graph::Operator;
use crate::graph::error::GraphError;
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
    /// Who chose that number.
    pub max_parallelism_origin: MaxParallelismOrigin,
    /// The operators, in the order of the chain from its input to its output: the first one owns the records in flight
    /// on the way in, the last one those on the way out. (Flink's `JobVertex` lists them the other way round.)
    pub operators: Vec<Operator>,
}

/// Who chose a maximum parallelism.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MaxParallelismOrigin {
    /// The user: state with another one is not restored.
    Fixed,
    /// It was derived from the parallelism: a restore takes over that of the stored state, if it is not below the
    /// parallelism.
    Derived,
}

impl Vertex {
    /// A vertex of these operators, in the order from input to output. Its maximum parallelism is
    /// [derived](MaxParallelism::derived).
    ///
    /// # Errors
    ///
    /// `Configuration` when the parallelism is zero or above 32,768.
    pub fn new(id: VertexId, name: impl Into<String>, parallelism: u32, operators: Vec<Operator>) -> Result<Self> {
        let name = name.into();
        let max_parallelism = match MaxParallelism::derived(parallelism) {
            Ok(max_parallelism) => max_parallelism,
            Err(_) => return Err(GraphError::NoParallelism { vertex: name, found: parallelism }.into()),
        };
        let max_parallelism_origin = MaxParallelismOrigin::Derived;
        Ok(Self { id, name, parallelism, max_parallelism, max_parallelism_origin, operators })
    }

    /// A vertex of one operator that bears the vertex's own sixteen bytes and name.
    pub fn single(id: VertexId, name: impl Into<String>, parallelism: u32, max_parallelism: MaxParallelism) -> Self {
        let name = name.into();
        let operators = vec![Operator::new(OperatorId::new(id.bytes()), name.clone())];
        let max_parallelism_origin = MaxParallelismOrigin::Fixed;
        Self { id, name, parallelism, max_parallelism, max_parallelism_origin, operators }
    }

    /// The same with a maximum parallelism that the user chose.
    #[must_use]
    pub fn with_max_parallelism(self, max_parallelism: MaxParallelism) -> Self {
        Self { max_parallelism, max_parallelism_origin: MaxParallelismOrigin::Fixed, ..self }
    }

    /// The operator that reads the vertex's inputs.
    pub fn input_operator(&self) -> Option<&Operator> {
        self.operators.first()
    }

    /// The operator that writes the vertex's outputs.
    pub fn output_operator(&self) -> Option<&Operator> {
        self.operators.last()
    }

    /// Its tasks in the order of their subtasks.
    pub fn tasks(&self) -> impl Iterator<Item = TaskId> + use<> {
        let id = self.id;
        (0..self.parallelism).map(move |subtask| TaskId::new(id, subtask))
    }
}
