//! The job graph of the word count.

use ckpt_core::Result;
use ckpt_core::graph::{Edge, JobGraph, Vertex};
use ckpt_core::id::{OperatorId, VertexId};
use ckpt_core::key_group::MaxParallelism;

use crate::operators::{CountTask, SinkTask, SourceTask};

/// The identities by which state is found again: they never change.
pub(super) const SOURCE: VertexId = VertexId::new(*b"wordcount/source");
pub(super) const COUNT: VertexId = VertexId::new(*b"wordcount/count_");
pub(super) const SINK: VertexId = VertexId::new(*b"wordcount/sink__");

/// Each vertex has one operator, which bears its sixteen bytes.
pub(super) const fn operator_of(vertex: VertexId) -> OperatorId {
    OperatorId::new(vertex.bytes())
}

/// source ⇒ count → sink, all at one parallelism: every source sends to every count, each count to its own sink.
pub(super) fn graph(parallelism: u32, max_parallelism: MaxParallelism) -> Result<JobGraph> {
    let vertices = [(SOURCE, SourceTask::NAME), (COUNT, CountTask::NAME), (SINK, SinkTask::NAME)]
        .map(|(id, name)| Vertex::single(id, name, parallelism, max_parallelism));
    JobGraph::new(vertices.into(), vec![Edge::all_to_all(SOURCE, COUNT), Edge::pointwise(COUNT, SINK)])
}

/// The name of a vertex, for people.
pub(super) fn name_of(vertex: VertexId) -> &'static str {
    match vertex {
        SOURCE => SourceTask::NAME,
        COUNT => CountTask::NAME,
        _ => SinkTask::NAME,
    }
}
