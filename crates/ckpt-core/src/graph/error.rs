//! Why a job graph is refused.

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
    #[error("vertex '{vertex}' has no operator")]
    NoOperator { vertex: String },
    #[error("operator {operator} appears twice in the job graph")]
    OperatorTwice { operator: OperatorId },
    #[error("an edge names vertex {vertex}, which is not in the job graph")]
    EdgeToNowhere { vertex: VertexId },
}

impl From<GraphError> for Error {
    fn from(error: GraphError) -> Self {
        Self::new(ErrorKind::Configuration, error)
    }
}
