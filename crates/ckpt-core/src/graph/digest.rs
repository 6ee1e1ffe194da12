//! The digest of a graph.

use super::{Distribution, Edge, JobGraph, SubtaskStateMapper, Vertex};
use crate::digest::{Digest, Digester};

/// As `docs/format.md` has it, vertex by vertex in the order of their identities.
pub(super) fn of(graph: &JobGraph) -> Digest {
    let mut vertices: Vec<&Vertex> = graph.vertices().iter().collect();
    vertices.sort_by_key(|vertex| vertex.id);
    let mut digester = Digester::new();
    digester.update(b"CKPTGRPH");
    for vertex in vertices {
        digester.update(&vertex_bytes(graph, vertex));
    }
    digester.finish()
}

fn vertex_bytes(graph: &JobGraph, vertex: &Vertex) -> Vec<u8> {
    let mut bytes = vertex.id.bytes().to_vec();
    let mut number = |number: u32| bytes.extend_from_slice(&number.to_le_bytes());
    number(vertex.parallelism);
    number(vertex.max_parallelism.get().into());
    number(vertex.operators.len() as u32);
    number(graph.inputs(vertex.id).count() as u32);
    for operator in &vertex.operators {
        bytes.extend_from_slice(&operator.id.bytes());
        // No user-defined identity is the same as one that says what the generated one does.
        bytes.extend_from_slice(&operator.user_defined_id.unwrap_or(operator.id).bytes());
    }
    for edge in graph.inputs(vertex.id) {
        bytes.extend_from_slice(&edge.from.bytes());
        let output = graph.outputs(edge.from).position(|output| std::ptr::eq(output, edge));
        bytes.extend_from_slice(&(output.unwrap_or(0) as u32).to_le_bytes());
        bytes.extend_from_slice(&edge_bytes(edge));
    }
    bytes
}

const fn edge_bytes(edge: &Edge) -> [u8; 3] {
    let distribution = match edge.distribution {
        Distribution::AllToAll => 0,
        Distribution::Pointwise => 1,
    };
    [distribution, mapper_byte(edge.upstream_mapper), mapper_byte(edge.downstream_mapper)]
}

const fn mapper_byte(mapper: SubtaskStateMapper) -> u8 {
    match mapper {
        SubtaskStateMapper::Arbitrary => 0,
        SubtaskStateMapper::First => 1,
        SubtaskStateMapper::Full => 2,
        SubtaskStateMapper::Range => 3,
        SubtaskStateMapper::RoundRobin => 4,
        SubtaskStateMapper::Unsupported => 5,
    }
}
