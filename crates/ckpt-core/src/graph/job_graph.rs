//! The graph itself.

use std::ops::Range;

use super::error::GraphError;
use super::index::Index;
use super::{digest, pointwise};
use crate::digest::Digest;
use crate::error::Result;
use crate::graph::{Distribution, Edge, Exchange, MaxParallelismOrigin, Operator, Vertex};
use crate::id::{OperatorId, TaskId, VertexId};
use crate::key_group::MaxParallelism;

/// The vertices of a job and how they are connected. Checked when it is made, unchanging afterwards.
///
/// The order in which edges are given is that of a vertex's inputs (Flink's gates) and of its outputs (its partitions).
/// Nothing is looked up in linear time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobGraph {
    vertices: Vec<Vertex>,
    edges: Vec<Edge>,
    index: Index,
}

impl JobGraph {
    /// The graph of these vertices and edges.
    ///
    /// # Errors
    ///
    /// `Configuration` when there is no vertex; a vertex, an operator's identity or a state of an operator appears
    /// twice; a parallelism is zero or above its maximum; a vertex has no operator; a name is empty or too long; an edge
    /// names a vertex that is not there; or edges lead in a circle, of which none is a feedback edge.
    pub fn new(vertices: Vec<Vertex>, edges: Vec<Edge>) -> Result<Self> {
        let index = Index::new(&vertices, &edges)?;
        Ok(Self { vertices, edges, index })
    }

    /// The vertices in the order they were given.
    pub fn vertices(&self) -> &[Vertex] {
        &self.vertices
    }

    /// The vertices in an order in which each comes after those it reads from, feedback aside.
    pub fn vertices_in_topological_order(&self) -> impl Iterator<Item = &Vertex> {
        self.index.topological.iter().map(|&at| &self.vertices[at])
    }

    /// The edges in the order they were given.
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// The vertex with that identity.
    pub fn vertex(&self, id: VertexId) -> Option<&Vertex> {
        Some(&self.vertices[self.index.vertex(id)?])
    }

    /// The vertex in which that operator runs, under its generated or its user-defined identity.
    pub fn vertex_of(&self, operator: OperatorId) -> Option<&Vertex> {
        Some(&self.vertices[self.index.operator(operator)?.0])
    }

    /// The operator with that generated or user-defined identity.
    pub fn operator(&self, id: OperatorId) -> Option<&Operator> {
        let (vertex, operator) = self.index.operator(id)?;
        Some(&self.vertices[vertex].operators[operator])
    }

    /// The edges that lead to that vertex, by input.
    pub fn inputs(&self, vertex: VertexId) -> impl Iterator<Item = &Edge> {
        self.index.inputs(vertex).iter().map(|&at| &self.edges[at])
    }

    /// The edges that lead from that vertex, by output.
    pub fn outputs(&self, vertex: VertexId) -> impl Iterator<Item = &Edge> {
        self.index.outputs(vertex).iter().map(|&at| &self.edges[at])
    }

    /// The vertices that no edge leads to, feedback aside: a checkpoint is triggered at their tasks.
    pub fn sources(&self) -> impl Iterator<Item = &Vertex> {
        self.vertices.iter().filter(|vertex| self.inputs(vertex.id).all(Edge::is_feedback))
    }

    /// Whether records get across some edge only once its producer has ended: no checkpoint can be taken.
    pub fn has_blocking_edge(&self) -> bool {
        self.edges.iter().any(|edge| edge.exchange == Exchange::Blocking)
    }

    /// All tasks, by vertex and subtask.
    pub fn tasks(&self) -> impl Iterator<Item = TaskId> + '_ {
        self.vertices.iter().flat_map(Vertex::tasks)
    }

    /// How many tasks there are.
    pub fn task_count(&self) -> usize {
        self.index.task_count()
    }

    /// The place of a task among all [`tasks`](Self::tasks), from 0.
    pub fn task_index(&self, task: TaskId) -> Option<usize> {
        let vertex = self.index.vertex(task.vertex)?;
        (task.subtask < self.vertices[vertex].parallelism)
            .then(|| self.index.first_task(vertex) + task.subtask as usize)
    }

    /// The subtasks of `edge.from` that send to that subtask of `edge.to`; none when there is no such subtask.
    pub fn producers(&self, edge: &Edge, subtask: u32) -> Range<u32> {
        match self.parallelisms(edge) {
            Some((from, to)) if subtask < to => match edge.distribution {
                Distribution::AllToAll => 0..from,
                Distribution::Pointwise => pointwise::producers(subtask, from, to),
            },
            _ => 0..0,
        }
    }

    /// The subtasks of `edge.to` that read from that subtask of `edge.from`; none when there is no such subtask.
    pub fn consumers(&self, edge: &Edge, subtask: u32) -> Range<u32> {
        match self.parallelisms(edge) {
            Some((from, to)) if subtask < from => match edge.distribution {
                Distribution::AllToAll => 0..to,
                Distribution::Pointwise => pointwise::consumers(subtask, from, to),
            },
            _ => 0..0,
        }
    }

    /// The same graph, in which that vertex has the maximum parallelism of the state that it is restored from.
    ///
    /// # Errors
    ///
    /// `Configuration` when there is no such vertex, or it has another maximum parallelism that is fixed, or runs at a
    /// higher parallelism.
    pub fn adopt_max_parallelism(mut self, vertex: VertexId, stored: MaxParallelism) -> Result<Self> {
        let at = self.index.vertex(vertex).ok_or(GraphError::NoSuchVertex { vertex })?;
        let vertex = &mut self.vertices[at];
        if vertex.max_parallelism != stored {
            let (name, fixed) = (|| vertex.name.clone(), vertex.max_parallelism);
            if vertex.max_parallelism_origin == MaxParallelismOrigin::Fixed {
                return Err(GraphError::FixedMaxParallelism { vertex: name(), fixed, found: stored }.into());
            }
            if vertex.parallelism > u32::from(stored.get()) {
                let (found, max) = (vertex.parallelism, stored);
                return Err(GraphError::Parallelism { vertex: name(), found, max }.into());
            }
            vertex.max_parallelism = stored;
        }
        Ok(self)
    }

    /// A digest of what decides where state goes at a restore: identities, parallelism, maximum parallelism, and which
    /// subtasks are connected. Names, declared states, exchanges and the order of vertices do not change it.
    /// `docs/format.md` has the bytes.
    pub fn digest(&self) -> Digest {
        digest::of(self)
    }

    /// Those of an edge's ends.
    fn parallelisms(&self, edge: &Edge) -> Option<(u32, u32)> {
        Some((self.vertex(edge.from)?.parallelism, self.vertex(edge.to)?.parallelism))
    }
}

#[cfg(test)]
#[path = "job_graph_test.rs"]
mod tests;
