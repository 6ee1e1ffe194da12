//! The job graph: which tasks there are, how they are connected, whose state is whose.

mod edge;
mod error;
mod job_graph;
mod vertex;

pub use edge::{Distribution, Edge};
pub use job_graph::JobGraph;
pub use vertex::{Operator, Vertex};
