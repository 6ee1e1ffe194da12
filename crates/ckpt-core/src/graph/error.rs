//! Why a job graph is refused.

use super::Operator;
use crate::error::{Error, ErrorKind};
use crate::id::{OperatorId, VertexId};
use crate::key_group::MaxParallelism;

/// A job graph that does not fit together.
#[derive(Debug, thiserror::Error)]
pub(super) enum GraphError {
    #[error("a job graph needs at least one vertex")]
    Empty,
    #[error("vertex {vertex} appears twice in the job graph")]
    VertexTwice { vertex: VertexId },
    #[error("vertex '{vertex}' has parallelism {found}: expected from 1 to its maximum, {max}")]
    Parallelism { vertex: String, found: u32, max: MaxParallelism },
    #[error("vertex '{vertex}' has parallelism {found}: expected from 1 to {}", MaxParallelism::UPPER_BOUND)]
    NoParallelism { vertex: String, found: u32 },
    #[error("vertex '{vertex}' has no operator")]
    NoOperator { vertex: String },
    #[error("operator {operator} appears twice in the job graph")]
    OperatorTwice { operator: OperatorId },
    #[error("the {what} {of} has {found_bytes} bytes: expected from 1 to {}", Operator::MAX_NAME_BYTES)]
    Name { what: &'static str, of: String, found_bytes: usize },
    #[error("operator {operator} declares state '{state}' twice")]
    StateTwice { operator: OperatorId, state: String },
    #[error("an edge names vertex {vertex}, which is not in the job graph")]
    EdgeToNowhere { vertex: VertexId },
    #[error("the edges of the job graph lead from vertex '{vertex}' back to it, and none of them is a feedback edge")]
    Cycle { vertex: String },
    #[error("vertex {vertex} is not in the job graph")]
    NoSuchVertex { vertex: VertexId },
    #[error(
        "the maximum parallelism of vertex '{vertex}' is fixed at {fixed}: expected state with the same, found {found}"
    )]
    FixedMaxParallelism { vertex: String, fixed: MaxParallelism, found: MaxParallelism },
    #[error(
        "no subtask {subtask} inherits records in flight of {old_parallelism} subtasks at parallelism {new_parallelism}"
    )]
    NoRescale { subtask: u32, old_parallelism: u32, new_parallelism: u32 },
    #[error("records in flight on this edge cannot be restored at another parallelism: expected the same")]
    RescaleUnsupported,
}

impl From<GraphError> for Error {
    fn from(error: GraphError) -> Self {
        Self::new(ErrorKind::Configuration, error)
    }
}
