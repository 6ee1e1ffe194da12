//! The job graph: which tasks there are, how they are connected, whose state is whose.

mod digest;
mod edge;
mod error;
mod index;
mod job_graph;
mod mapper;
mod operator;
mod pointwise;
mod vertex;

pub use edge::{Distribution, Edge, Exchange, UnalignedSupport};
pub use job_graph::JobGraph;
pub use mapper::SubtaskStateMapper;
pub use operator::{InputSelection, Operator};
pub use vertex::{MaxParallelismOrigin, Vertex};
