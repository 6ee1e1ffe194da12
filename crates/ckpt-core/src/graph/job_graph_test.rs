//! What a graph answers, against the lists it was made of.

use super::*;
use crate::descriptor::{CodecId, KeyedStateKind, StateDeclaration, StateDescriptor, StateKind};
use crate::error::ErrorKind;
use crate::graph::{SubtaskStateMapper, UnalignedSupport};

fn id(number: u8) -> VertexId {
    VertexId::new([number; 16])
}

fn vertex(number: u8, parallelism: u32) -> Vertex {
    Vertex::single(id(number), format!("v{number}"), parallelism, MaxParallelism::new(128).unwrap())
}

/// 1 and 2 both lead to 3, which leads to 4 twice.
fn diamond() -> JobGraph {
    let edges = vec![
        Edge::keyed(id(2), id(3)),
        Edge::pointwise(id(1), id(3)),
        Edge::all_to_all(id(3), id(4)),
        Edge::broadcast(id(3), id(4)),
    ];
    JobGraph::new(vec![vertex(4, 1), vertex(3, 3), vertex(2, 2), vertex(1, 6)], edges).unwrap()
}

#[track_caller]
fn refused(vertices: Vec<Vertex>, edges: Vec<Edge>, message: &str) {
    let error = JobGraph::new(vertices, edges).unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Configuration, message));
}

#[test]
fn inputs_and_outputs_keep_the_order_of_the_edges() {
    let graph = diamond();
    let ends = |edges: Vec<&Edge>| edges.iter().map(|edge| (edge.from, edge.to)).collect::<Vec<_>>();
    assert_eq!(ends(graph.inputs(id(3)).collect()), [(id(2), id(3)), (id(1), id(3))]);
    assert_eq!(ends(graph.outputs(id(2)).collect()), [(id(2), id(3))]);
    let between: Vec<_> = graph.outputs(id(3)).map(|edge| edge.downstream_mapper).collect();
    assert_eq!(between, [SubtaskStateMapper::RoundRobin, SubtaskStateMapper::Unsupported], "two edges are two");
    assert_eq!(graph.inputs(id(4)).count(), 2);
    assert_eq!(graph.inputs(id(9)).chain(graph.outputs(id(9))).count(), 0);
    assert_eq!(graph.edges().len(), 4);
}

#[test]
fn producers_come_first_in_the_topological_order() {
    let names = |graph: &JobGraph| {
        graph.vertices_in_topological_order().map(|vertex| vertex.name.clone()).collect::<Vec<_>>().join(" ")
    };
    let graph = diamond();
    assert_eq!(names(&graph), "v2 v1 v3 v4");
    assert_eq!(graph.sources().map(|vertex| vertex.id).collect::<Vec<_>>(), [id(2), id(1)]);
    // What leads back does not count.
    let back = Edge::all_to_all(id(2), id(1)).with_exchange(Exchange::Feedback);
    let edges = vec![Edge::all_to_all(id(1), id(2)), back];
    let graph = JobGraph::new(vec![vertex(2, 1), vertex(1, 1)], edges).unwrap();
    assert_eq!(names(&graph), "v1 v2");
    assert_eq!(graph.sources().map(|vertex| vertex.id).collect::<Vec<_>>(), [id(1)]);
}

#[test]
fn tasks_have_places_without_gaps() {
    let graph = diamond();
    let tasks: Vec<TaskId> = graph.tasks().collect();
    assert_eq!((graph.task_count(), tasks.len()), (12, 12));
    for (place, task) in tasks.into_iter().enumerate() {
        assert_eq!(graph.task_index(task), Some(place));
    }
    assert_eq!(graph.task_index(TaskId::new(id(3), 3)), None);
    assert_eq!(graph.task_index(TaskId::new(id(9), 0)), None);
}

#[test]
fn tasks_are_connected_as_the_edge_says() {
    let graph = diamond();
    let (keyed, pointwise) = (&graph.edges()[0], &graph.edges()[1]);
    assert_eq!((graph.producers(keyed, 2), graph.consumers(keyed, 1)), (0..2, 0..3));
    assert_eq!((graph.producers(pointwise, 2), graph.consumers(pointwise, 3)), (4..6, 1..2));
    for (edge, subtask) in
        [(*keyed, 3), (*pointwise, 3), (Edge::keyed(id(1), id(9)), 0), (Edge::keyed(id(9), id(1)), 0)]
    {
        assert_eq!(graph.producers(&edge, subtask), 0..0);
    }
    for (edge, subtask) in [(*keyed, 2), (*pointwise, 6)] {
        assert_eq!(graph.consumers(&edge, subtask), 0..0);
    }
}

#[test]
fn operators_are_found_under_both_identities() {
    let (own, given) = (OperatorId::new([1; 16]), OperatorId::from_uid("old"));
    let mut vertex = vertex(1, 1);
    vertex.operators = vec![
        Operator::with_uid("reader", "read"),
        Operator::new(own, "count").with_user_defined_id(given),
        Operator::new(OperatorId::new([2; 16]), "sink").with_user_defined_id(OperatorId::new([2; 16])),
    ];
    assert_eq!(vertex.input_operator().unwrap().name, "read");
    assert_eq!(vertex.output_operator().unwrap().name, "sink");
    let graph = JobGraph::new(vec![vertex.clone()], vec![]).unwrap();
    for id in [own, given] {
        assert_eq!(graph.operator(id).unwrap().name, "count");
        assert_eq!(graph.vertex_of(id).unwrap().id, vertex.id);
    }
    assert_eq!(graph.operator(own).unwrap().ids().collect::<Vec<_>>(), [given, own]);
    let read = graph.operator(OperatorId::from_uid("reader")).unwrap();
    assert_eq!((read.uid.as_deref(), read.ids().count()), (Some("reader"), 1));
    assert_eq!(graph.operator(OperatorId::new([2; 16])).unwrap().ids().count(), 1);
    assert!(graph.operator(OperatorId::new([3; 16])).is_none() && graph.vertex_of(OperatorId::new([3; 16])).is_none());

    vertex.operators[2].user_defined_id = Some(own);
    refused(vec![vertex], vec![], &format!("operator {own} appears twice in the job graph"));
}

#[test]
fn circles_without_feedback_are_refused() {
    let circle = "the edges of the job graph lead from vertex 'v2' back to it, and none of them is a feedback edge";
    let vertices = || vec![vertex(4, 1), vertex(1, 1), vertex(2, 1)];
    // 1 -> 2 -> 2 -> 4: behind the circle lies 4, which is not on it.
    let edges = vec![Edge::keyed(id(1), id(2)), Edge::keyed(id(2), id(2)), Edge::keyed(id(2), id(4))];
    refused(vertices(), edges, circle);
    let edges = vec![Edge::keyed(id(2), id(1)), Edge::keyed(id(1), id(2)), Edge::keyed(id(1), id(4))];
    let error = JobGraph::new(vertices(), edges).unwrap_err().to_string();
    assert!(error.contains("'v1' back to it") || error.contains("'v2' back to it"), "{error}");
}

#[test]
fn names_and_states_are_checked() {
    let with = |change: fn(&mut Operator)| {
        let mut vertex = vertex(1, 1);
        change(&mut vertex.operators[0]);
        vec![vertex]
    };
    let own = OperatorId::new([1; 16]);
    let bytes = "bytes: expected from 1 to 1024";
    refused(with(|operator| operator.name.clear()), vec![], &format!("the name of operator {own} has 0 {bytes}"));
    let long = with(|operator| operator.name = "x".repeat(1025));
    refused(long, vec![], &format!("the name of operator {own} has 1025 {bytes}"));
    let uid = with(|operator| operator.uid = Some(String::new()));
    refused(uid, vec![], &format!("the uid of operator {own} has 0 {bytes}"));
    let mut unnamed = vertex(1, 1);
    unnamed.name.clear();
    refused(vec![unnamed], vec![], &format!("the name of vertex {own} has 0 {bytes}"));

    let state = |version| {
        let codec = CodecId::new("postcard").unwrap();
        StateDeclaration::new(
            StateDescriptor::new("counts", StateKind::Keyed(KeyedStateKind::Value), codec, version).unwrap(),
        )
    };
    let mut vertex = vertex(1, 1);
    vertex.operators = vec![Operator::new(own, "count").with_state(state(1))];
    assert_eq!(JobGraph::new(vec![vertex.clone()], vec![]).unwrap().operator(own).unwrap().states, [state(1)]);
    vertex.operators[0].states.push(state(2));
    refused(vec![vertex], vec![], &format!("operator {own} declares state 'counts' twice"));
}

#[test]
fn edges_are_what_flinks_partitioners_make() {
    use SubtaskStateMapper::{Arbitrary, First, Full, Range, RoundRobin, Unsupported};
    type Make = fn(VertexId, VertexId) -> Edge;
    // made by, distribution, mappers up and down, unaligned supported, must be forced
    let table: [(Make, _, _, _, _, _); 6] = [
        (Edge::all_to_all, Distribution::AllToAll, Arbitrary, RoundRobin, UnalignedSupport::Supported, false),
        (Edge::keyed, Distribution::AllToAll, Arbitrary, Range, UnalignedSupport::Supported, false),
        (Edge::global, Distribution::AllToAll, Arbitrary, First, UnalignedSupport::Supported, false),
        (Edge::custom, Distribution::AllToAll, Arbitrary, Full, UnalignedSupport::Unsupported, true),
        (Edge::broadcast, Distribution::AllToAll, Unsupported, Unsupported, UnalignedSupport::Unsupported, false),
        (Edge::pointwise, Distribution::Pointwise, Unsupported, Unsupported, UnalignedSupport::Unsupported, false),
    ];
    for (make, distribution, up, down, unaligned, forced) in table {
        let edge = make(id(1), id(2));
        assert_eq!((edge.from, edge.to, edge.exchange), (id(1), id(2), Exchange::Pipelined));
        assert_eq!((edge.distribution, edge.unaligned), (distribution, unaligned));
        assert_eq!((edge.upstream_mapper, edge.downstream_mapper), (up, down));
        assert_eq!(edge.needs_forced_unaligned(), forced);
        assert!(edge.with_exchange(Exchange::Feedback).needs_forced_unaligned());
    }
    let graph = |exchange| {
        let edge = Edge::keyed(id(1), id(2)).with_exchange(exchange);
        JobGraph::new(vec![vertex(1, 1), vertex(2, 1)], vec![edge]).unwrap()
    };
    assert!(graph(Exchange::Blocking).has_blocking_edge());
    assert!(!graph(Exchange::Pipelined).has_blocking_edge() && !graph(Exchange::Feedback).has_blocking_edge());
}

#[test]
fn a_derived_maximum_parallelism_gives_way_to_that_of_the_state() {
    let max = |number| MaxParallelism::new(number).unwrap();
    let operators = || vec![Operator::new(OperatorId::new([1; 16]), "count")];
    let derived = Vertex::new(id(1), "count", 100, operators()).unwrap();
    assert_eq!((derived.max_parallelism, derived.max_parallelism_origin), (max(256), MaxParallelismOrigin::Derived));
    let graph = |vertex: Vertex| JobGraph::new(vec![vertex], vec![]).unwrap();
    let adopted = graph(derived.clone()).adopt_max_parallelism(id(1), max(100)).unwrap();
    assert_eq!(adopted.vertices()[0].max_parallelism, max(100));
    let again = adopted.adopt_max_parallelism(id(1), max(128)).unwrap();
    assert_eq!(again.vertices()[0].max_parallelism, max(128), "it is still derived");

    let fixed = graph(derived.clone().with_max_parallelism(max(128)));
    assert_eq!(fixed.clone().adopt_max_parallelism(id(1), max(128)).unwrap(), fixed);
    for (graph, vertex, stored, message) in [
        (
            fixed.clone(),
            id(1),
            256,
            "the maximum parallelism of vertex 'count' is fixed at 128: expected state with the same, found 256",
        ),
        (graph(derived), id(1), 99, "vertex 'count' has parallelism 100: expected from 1 to its maximum, 99"),
        (fixed, id(9), 128, "vertex 09090909090909090909090909090909 is not in the job graph"),
    ] {
        let error = graph.adopt_max_parallelism(vertex, max(stored)).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Configuration, message));
    }
    assert!(Vertex::new(id(1), "count", 0, operators()).is_err());
}

#[test]
fn the_digest_is_that_of_the_documented_bytes() {
    let given = OperatorId::from_uid("old");
    let mut second = vertex(2, 3);
    second.operators = vec![
        Operator::new(OperatorId::new([5; 16]), "count"),
        Operator::new(OperatorId::new([6; 16]), "sink").with_user_defined_id(given),
    ];
    let edges = vec![Edge::pointwise(id(1), id(2)), Edge::keyed(id(1), id(2))];
    let graph = JobGraph::new(vec![second, vertex(1, 1)], edges).unwrap();
    let mut bytes = b"CKPTGRPH".to_vec();
    bytes
        .extend([[1; 16].as_slice(), &[1, 0, 0, 0, 128, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0], &[1; 16], &[1; 16]].concat());
    bytes.extend([[2; 16].as_slice(), &[3, 0, 0, 0, 128, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0]].concat());
    bytes.extend([[5; 16], [5; 16], [6; 16], given.bytes()].concat());
    bytes.extend([[1; 16].as_slice(), &[0, 0, 0, 0, 1, 5, 5], &[1; 16], &[1, 0, 0, 0, 0, 0, 3]].concat());
    assert_eq!(graph.digest(), Digest::of(&bytes));
}

#[test]
fn the_digest_changes_with_what_a_restore_depends_on_and_with_nothing_else() {
    type Change = fn(&mut Vec<Vertex>, &mut Vec<Edge>);
    let build = |change: Change| {
        let graph = diamond();
        let (mut vertices, mut edges) = (graph.vertices, graph.edges);
        change(&mut vertices, &mut edges);
        JobGraph::new(vertices, edges).unwrap().digest()
    };
    let digest = diamond().digest();
    let unchanged: [Change; 5] = [
        |vertices, _| vertices.reverse(),
        |vertices, _| vertices[0].name = "renamed".to_owned(),
        |vertices, _| vertices[0].operators[0].name = "renamed".to_owned(),
        |vertices, _| vertices[0].max_parallelism_origin = MaxParallelismOrigin::Derived,
        |_, edges| edges[0].unaligned = UnalignedSupport::Unsupported,
    ];
    for (at, change) in unchanged.into_iter().enumerate() {
        assert_eq!(build(change), digest, "{at}");
    }
    let changed: [Change; 9] = [
        |vertices, _| vertices[0].parallelism = 2,
        |vertices, _| vertices[0].max_parallelism = MaxParallelism::new(127).unwrap(),
        |vertices, _| vertices[0].operators[0].id = OperatorId::new([9; 16]),
        |vertices, _| vertices[0].operators[0].user_defined_id = Some(OperatorId::new([9; 16])),
        |vertices, _| vertices[0].operators.push(Operator::new(OperatorId::new([9; 16]), "more")),
        |_, edges| edges[0].distribution = Distribution::Pointwise,
        |_, edges| edges[0].downstream_mapper = SubtaskStateMapper::Full,
        |_, edges| edges.swap(0, 1),
        |_, edges| edges.truncate(3),
    ];
    let mut digests = vec![digest];
    for (at, change) in changed.into_iter().enumerate() {
        let found = build(change);
        assert!(!digests.contains(&found), "{at}");
        digests.push(found);
    }
}
