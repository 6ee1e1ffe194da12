//! The graph itself.

use std::collections::BTreeSet;

use crate::error::Result;
use crate::graph::error::GraphError;
use crate::graph::{Edge, Vertex};
use crate::id::{OperatorId, TaskId, VertexId};

/// The vertices of a job and how they are connected. Checked when it is made, unchanging afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobGraph {
    vertices: Vec<Vertex>,
    edges: Vec<Edge>,
}

impl JobGraph {
    /// # Errors
    ///
    /// `Configuration` when there is no vertex, a vertex or operator appears twice, a parallelism is zero or above its
    /// maximum, a vertex has no operator, or an edge names a vertex that is not there.
    pub fn new(vertices: Vec<Vertex>, edges: Vec<Edge>) -> Result<Self> {
        if vertices.is_empty() {
            return Err(GraphError::Empty.into());
        }
        let mut ids = BTreeSet::new();
        let mut operators = BTreeSet::new();
        for vertex in &vertices {
            if !ids.insert(vertex.id) {
                return Err(GraphError::VertexTwice { vertex: vertex.id }.into());
            }
            if vertex.parallelism == 0 || vertex.parallelism > u32::from(vertex.max_parallelism.get()) {
                let (vertex, found, max) = (vertex.name.clone(), vertex.parallelism, vertex.max_parallelism);
                return Err(GraphError::Parallelism { vertex, found, max }.into());
            }
            if vertex.operators.is_empty() {
                return Err(GraphError::NoOperator { vertex: vertex.name.clone() }.into());
            }
            for operator in &vertex.operators {
                if !operators.insert(operator.id) {
                    return Err(GraphError::OperatorTwice { operator: operator.id }.into());
                }
            }
        }
        for edge in &edges {
            for end in [edge.from, edge.to] {
                if !ids.contains(&end) {
                    return Err(GraphError::EdgeToNowhere { vertex: end }.into());
                }
            }
        }
        Ok(Self { vertices, edges })
    }

    /// The vertices in the order they were given.
    pub fn vertices(&self) -> &[Vertex] {
        &self.vertices
    }

    /// The edges in the order they were given.
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// The vertex with that identity.
    pub fn vertex(&self, id: VertexId) -> Option<&Vertex> {
        self.vertices.iter().find(|vertex| vertex.id == id)
    }

    /// The vertex in which that operator runs.
    pub fn vertex_of(&self, operator: OperatorId) -> Option<&Vertex> {
        self.vertices.iter().find(|vertex| vertex.operators.iter().any(|candidate| candidate.id == operator))
    }

    /// The vertices that no edge leads to: a checkpoint is triggered at their tasks.
    pub fn sources(&self) -> impl Iterator<Item = &Vertex> {
        self.vertices.iter().filter(|vertex| self.edges.iter().all(|edge| edge.to != vertex.id))
    }

    /// All tasks, by vertex and subtask.
    pub fn tasks(&self) -> impl Iterator<Item = TaskId> + '_ {
        self.vertices.iter().flat_map(Vertex::tasks)
    }
}
