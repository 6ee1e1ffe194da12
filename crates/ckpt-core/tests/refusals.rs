//! What is refused when a value is made: the kind of error, and what it says was expected and found.

use bytes::Bytes;
use ckpt_core::ErrorKind::{Configuration, Corrupt};
use ckpt_core::graph::{Edge, JobGraph, Operator, Vertex};
use ckpt_core::id::{FileName, JobId, OperatorId, VertexId};
use ckpt_core::key_group::{KeyGroup, KeyGroupRange, MaxParallelism};
use ckpt_core::snapshot::LocationReference;
use ckpt_core::state::{ChannelMapping, ClaimId, KeyGroupsState, Partitions, Places, Redistribution, RelPath, Root};
use ckpt_core::uri::Uri;
use ckpt_core::{ErrorKind, Result};

fn refused<T: std::fmt::Debug>(result: Result<T>, kind: ErrorKind, message: &str) {
    let error = result.unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (kind, message));
}

#[test]
fn identities() {
    let message = "'a\\nb' is not a file name of the form <16 hex>-<16 hex>-<8 hex>";
    refused("a\nb".parse::<FileName>(), Corrupt, message);
    refused("0".parse::<JobId>(), Configuration, "'0' is not a job id of 32 lower-case hex digits");
    refused("".parse::<OperatorId>(), Configuration, "'' is not an operator id of 32 lower-case hex digits");
}

#[test]
fn key_groups() {
    let max = MaxParallelism::new(128).unwrap();
    for found in [0, 32_769, u32::MAX] {
        let message = format!("maximum parallelism must be from 1 to 32768, found {found}");
        refused(MaxParallelism::new(found), Configuration, &message);
    }
    for (subtask, parallelism) in [(0, 0), (2, 2), (0, 129)] {
        let message = format!("no key groups for subtask {subtask} of {parallelism}: the maximum parallelism is 128");
        refused(max.range_of(subtask, parallelism), Configuration, &message);
    }
    let message = "a key-group range is never empty: its first, 2, lies after its last, 1";
    refused(KeyGroupRange::new(KeyGroup::new(2), KeyGroup::new(1)), Configuration, message);
    let message = "a key-group range ends with group 32768, expected at most 32767";
    refused(KeyGroupRange::new(KeyGroup::new(0), KeyGroup::new(32_768)), Configuration, message);
}

#[test]
fn job_graphs() {
    let (a, b) = (VertexId::new([0xa; 16]), VertexId::new([0xb; 16]));
    let max = MaxParallelism::new(4).unwrap();
    let operator = |byte| Operator::new(OperatorId::new([byte; 16]), "operator");
    let vertex = |id, parallelism, operators| {
        let mut vertex = Vertex::single(id, "count", parallelism, max);
        vertex.operators = operators;
        vertex
    };
    let one = || vertex(a, 1, vec![operator(1)]);
    let graph = |vertices| JobGraph::new(vertices, Vec::new());
    refused(graph(vec![]), Configuration, "a job graph needs at least one vertex");
    refused(graph(vec![one(), one()]), Configuration, &format!("vertex {a} appears twice in the job graph"));
    for found in [0, 5] {
        let message = format!("vertex 'count' has parallelism {found}: expected from 1 to its maximum, 4");
        refused(graph(vec![vertex(a, found, vec![operator(1)])]), Configuration, &message);
    }
    for found in [0, 32_769] {
        let message = format!("vertex 'count' has parallelism {found}: expected from 1 to 32768");
        refused(Vertex::new(a, "count", found, vec![operator(1)]), Configuration, &message);
    }
    refused(graph(vec![vertex(a, 1, vec![])]), Configuration, "vertex 'count' has no operator");
    let message = format!("operator {} appears twice in the job graph", OperatorId::new([1; 16]));
    refused(graph(vec![one(), vertex(b, 1, vec![operator(1)])]), Configuration, &message);
    let edge = Edge::all_to_all(a, b);
    let message = format!("an edge names vertex {b}, which is not in the job graph");
    refused(JobGraph::new(vec![one()], vec![edge]), Configuration, &message);
}

#[test]
fn location_references() {
    for found in [0, 4097] {
        let message = format!("a location reference has from 1 to 4096 bytes, found {found}");
        refused(LocationReference::at(Bytes::from(vec![b'a'; found])), Configuration, &message);
    }
}

#[test]
fn paths() {
    let (long, long_component) = ("a/".repeat(2100) + "a", "x".repeat(256));
    for (path, flaw) in [
        (long.as_str(), "it is longer than 4096 bytes"),
        ("a\nb", "it has a backslash or a control character"),
        ("a//b", "it has an empty component"),
        ("a/..", "it has a component that is '.' or '..'"),
        (&long_component, "it has a component of more than 255 bytes"),
    ] {
        let shown: String = path.chars().take(200).collect();
        let message = format!("'{}' is not a path below a root: {flaw}", shown.escape_debug());
        refused(RelPath::new(path), Configuration, &message);
    }
}

#[test]
fn state() {
    let at = |root| (root, Uri::new("file:///a").unwrap());
    refused(
        Places::new(vec![at(Root::JobShared)]),
        Configuration,
        "the place of the job's directory of shared files cannot be given",
    );
    let claimed = Root::Claimed(ClaimId::new(3));
    let message = "the place of claim 3 is given twice";
    refused(Places::new(vec![at(claimed), at(claimed)]), Configuration, message);

    let range = KeyGroupRange::new(KeyGroup::new(4), KeyGroup::new(5)).unwrap();
    for offsets in [vec![], vec![1, 2, 3, 4], vec![2, 1]] {
        let message =
            format!("keyed state of 4..=5 has {} offsets: expected 2, or one more, that never descend", offsets.len());
        refused(KeyGroupsState::new(range, offsets, ()), Configuration, &message);
    }
    let message = "section 1 lies at bytes 2..4: expected it to begin at 3 or later and to end no earlier than \
                   it begins";
    refused(Partitions::new(vec![0..3, 2..4], Redistribution::Split), Configuration, message);
    let message = "a mapping of channels has 1 targets, expected 2";
    refused(ChannelMapping::new([1, 1], [0]), Configuration, message);
}
