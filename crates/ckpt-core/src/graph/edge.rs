//! How vertices are connected.

use crate::id::VertexId;

/// A connection from one vertex to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Edge {
    /// Where records come from.
    pub from: VertexId,
    /// Where they go.
    pub to: VertexId,
    /// Which subtasks are connected.
    pub distribution: Distribution,
}

/// Which subtasks of two vertices are connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Distribution {
    /// Each with each.
    AllToAll,
    /// Each with its counterpart, or with a few.
    Pointwise,
}

impl Edge {
    /// An edge on which every subtask sends to every subtask.
    pub const fn all_to_all(from: VertexId, to: VertexId) -> Self {
        Self { from, to, distribution: Distribution::AllToAll }
    }

    /// An edge on which every subtask sends to its counterpart, or to a few.
    pub const fn pointwise(from: VertexId, to: VertexId) -> Self {
        Self { from, to, distribution: Distribution::Pointwise }
    }
}
