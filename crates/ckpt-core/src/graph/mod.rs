//! The job graph: which tasks there are, how they are connected, whose state is whose (Flink's `JobGraph`, as far as
//! checkpoints need it).
//!
//! ```
//! use ckpt_core::graph::{Edge, JobGraph, Operator, Vertex};
//! use ckpt_core::id::{TaskId, VertexId};
//!
//! let [words, counts] = [VertexId::new([1; 16]), VertexId::new([2; 16])];
//! let graph = JobGraph::new(
//!     vec![
//!         Vertex::new(words, "words", 2, vec![Operator::with_uid("source", "words")])?,
//!         Vertex::new(counts, "counts", 3, vec![Operator::with_uid("count", "count"), Operator::with_uid("sink", "sink")])?,
//!     ],
//!     vec![Edge::keyed(words, counts)],
//! )?;
//! assert_eq!(graph.task_count(), 5);
//! assert_eq!(graph.task_index(TaskId::new(counts, 2)), Some(4));
//! assert!(graph.sources().map(|source| source.id).eq([words]), "a checkpoint is triggered there");
//! assert_eq!(graph.producers(&graph.edges()[0], 2), 0..2, "whose barriers the third counter awaits");
//! # Ok::<(), ckpt_core::Error>(())
//! ```

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
