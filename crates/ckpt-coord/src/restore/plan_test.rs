//! Nothing is lost, doubled or misdirected, whatever the parallelisms.

use std::ops::Range;

use bytes::Bytes;
use ckpt_core::graph::{Edge, Operator, Vertex};
use ckpt_core::id::{AttemptId, CheckpointId, JobId, VertexId};
use ckpt_core::key_group::{KeyGroup, KeyGroupRange};
use ckpt_core::metadata::{CheckpointDescription, MetadataBuilder, OperatorDescription};
use ckpt_core::snapshot::{CheckpointIdentity, CheckpointProperties, RetentionPolicy};
use ckpt_core::state::{KeyGroupsState, KeyedState, OperatorState, Partitions, Redistribution, StateHandle};
use ckpt_core::{ErrorKind, Timestamp};

use super::*;

const VERTEX: VertexId = VertexId::new([7; 16]);
const OPERATOR: OperatorId = OperatorId::new([7; 16]);

fn max(number: u32) -> MaxParallelism {
    MaxParallelism::new(number).unwrap()
}

fn graph(parallelism: u32, max_parallelism: MaxParallelism) -> JobGraph {
    JobGraph::new(vec![Vertex::single(VERTEX, "count", parallelism, max_parallelism)], vec![]).unwrap()
}

fn deployments(graph: &JobGraph) -> Vec<(TaskAttempt, WriterId)> {
    graph.tasks().zip(0..).map(|(task, n)| (task.attempt(AttemptId::new(100 + n)), WriterId::new(n))).collect()
}

/// What a snapshot holds of the one operator.
#[derive(Clone)]
struct Stored {
    parallelism: u32,
    max_parallelism: MaxParallelism,
    subtasks: BTreeMap<u32, SubtaskState>,
}

impl Stored {
    fn new(parallelism: u32, max_parallelism: MaxParallelism) -> Self {
        Self { parallelism, max_parallelism, subtasks: BTreeMap::new() }
    }
}

fn builder() -> MetadataBuilder {
    let identity =
        CheckpointIdentity::new(CheckpointId::new(9).unwrap(), LeaderEpoch::new(1), Timestamp::from_millis(0), None);
    let description = CheckpointDescription::new(
        JobId::new([1; 16]),
        identity,
        CheckpointProperties::checkpoint(RetentionPolicy::default()),
    );
    CheckpointMetadata::builder(description).unwrap()
}

fn metadata(operator: OperatorId, stored: &Stored) -> CheckpointMetadata {
    metadata_of(&[operator], stored)
}

/// A snapshot in which each of those operators has the same state. They ascend.
fn metadata_of(operators: &[OperatorId], stored: &Stored) -> CheckpointMetadata {
    let mut builder = builder();
    for operator in operators {
        let description = OperatorDescription::new(*operator, "count", stored.parallelism, stored.max_parallelism);
        let mut encoder = builder.operator(&description).unwrap();
        for (subtask, state) in &stored.subtasks {
            encoder.subtask(*subtask, state).unwrap();
        }
    }
    builder.finish(Timestamp::from_millis(1)).unwrap()
}

/// A handle of 1,000 bytes that can be told from those of other subtasks.
fn handle(subtask: u32, piece: u8) -> StateHandle {
    let mut bytes = vec![piece; 1000];
    bytes[..4].copy_from_slice(&subtask.to_le_bytes());
    StateHandle::inline(Bytes::from(bytes))
}

fn keyed(range: KeyGroupRange, handle: StateHandle) -> KeyedState {
    KeyedState::KeyGroups(KeyGroupsState::new(range, vec![0; range.count()], handle).unwrap())
}

fn partitions(count: u64, redistribution: Redistribution) -> Partitions {
    let ranges: Vec<Range<u64>> = (0..count).map(|n| n * 10..n * 10 + 7).collect();
    Partitions::new(ranges, redistribution).unwrap()
}

/// An operator whose every subtask has all its key groups, and what `operator` says of it.
fn stored(parallelism: u32, max_parallelism: MaxParallelism, operator: impl Fn(u32) -> Vec<OperatorState>) -> Stored {
    let mut stored = Stored::new(parallelism, max_parallelism);
    for subtask in 0..parallelism {
        let range = max_parallelism.range_of(subtask, parallelism).unwrap();
        let state = SubtaskState::new(vec![keyed(range, handle(subtask, 0))], operator(subtask));
        stored.subtasks.insert(subtask, state);
    }
    stored
}

fn restore(stored: Stored, parallelism: u32) -> Vec<TaskRestore> {
    let graph = graph(parallelism, stored.max_parallelism);
    plan(&graph, Some(&metadata(OPERATOR, &stored)), LeaderEpoch::new(2), &deployments(&graph)).unwrap()
}

/// Each key group that a new subtask may read, with the handle that it lies in.
fn key_groups(restores: &[TaskRestore]) -> Vec<(KeyGroup, StateHandle)> {
    let mut groups = Vec::new();
    for share in restores.iter().filter_map(|restore| restore.operators.get(&OPERATOR)) {
        for keyed in share.state.keyed() {
            let counts = keyed.range().intersection(share.key_groups).expect("a handle of which nothing counts");
            groups.extend(counts.iter().flat_map(|group| keyed.handles().map(move |handle| (group, handle.clone()))));
        }
    }
    groups.sort_by_key(|(group, _)| *group);
    groups
}

/// Each partition of one state that a new subtask reads: subtask, old piece, range.
fn partitions_of<'a>(restores: &'a [TaskRestore], name: &str) -> Vec<(u32, &'a StateHandle, Range<u64>)> {
    let mut found = Vec::new();
    for restore in restores {
        for piece in restore.operators.get(&OPERATOR).iter().flat_map(|share| share.state.operator()) {
            for range in piece.states().get(name).iter().flat_map(|partitions| partitions.ranges_bytes()) {
                found.push((restore.attempt.task.subtask, piece.handle(), range.clone()));
            }
        }
    }
    found
}

#[test]
fn key_groups_are_the_same_before_and_after() {
    for max_parallelism in [16, 17, 31, 128, 32768].map(max) {
        for old in 1..=16 {
            let stored = stored(old, max_parallelism, |_| vec![]);
            let expected: Vec<(KeyGroup, StateHandle)> = (0..max_parallelism.get())
                .map(KeyGroup::new)
                .map(|group| (group, handle(max_parallelism.subtask_of(group, old).unwrap(), 0)))
                .collect();
            // The largest one takes long: two steps are enough of it.
            for new in (1..=16).filter(|new| max_parallelism.get() < 32768 || [1, 13].contains(new)) {
                assert!(key_groups(&restore(stored.clone(), new)) == expected, "{old} to {new} of {max_parallelism}");
            }
        }
    }
}

#[test]
fn as_many_subtasks_as_key_groups() {
    let groups = max(128);
    let spread = restore(stored(1, groups, |_| vec![]), 128);
    assert_eq!(spread.len(), 128);
    assert_eq!(key_groups(&spread).len(), 128);
    let gathered = restore(stored(128, groups, |_| vec![]), 1);
    assert_eq!(gathered[0].operators[&OPERATOR].state.keyed().len(), 128);
    assert_eq!(key_groups(&gathered).len(), 128);
}

#[test]
fn split_partitions_are_the_same_before_and_after_and_even() {
    // Two states, one of them in two pieces, and a subtask that has none.
    let pieces = |subtask: u32| {
        let split = |count| partitions(count, Redistribution::Split);
        let first = BTreeMap::from([("a".to_owned(), split(u64::from(subtask % 4))), ("b".to_owned(), split(3))]);
        let second = BTreeMap::from([("a".to_owned(), split(2))]);
        vec![
            OperatorState::new(first.into(), handle(subtask, 1)),
            OperatorState::new(second.into(), handle(subtask, 2)),
        ]
    };
    for old in 1..=16 {
        let stored = stored(old, max(128), pieces);
        for new in 1..=16 {
            let restores = restore(stored.clone(), new);
            for name in ["a", "b"] {
                let found = partitions_of(&restores, name);
                let mut before = Vec::new();
                for piece in (0..old).flat_map(pieces) {
                    let ranges = piece.states().get(name).map_or(&[][..], Partitions::ranges_bytes);
                    before.extend(ranges.iter().map(|range| (piece.handle().clone(), range.clone())));
                }
                let mut after: Vec<_> =
                    found.iter().map(|(_, handle, range)| ((*handle).clone(), range.clone())).collect();
                let order =
                    |(handle, range): &(StateHandle, Range<u64>)| (format!("{:?}", handle.digest()), range.start);
                before.sort_by_key(order);
                after.sort_by_key(order);
                assert!(before == after, "{name}: {old} to {new}");
                if old != new {
                    let shares: Vec<usize> =
                        (0..new).map(|subtask| found.iter().filter(|(heir, ..)| *heir == subtask).count()).collect();
                    let (least, most) = (shares.iter().min().unwrap(), shares.iter().max().unwrap());
                    assert!(most - least <= 1, "{name}: {old} to {new} gives {shares:?}");
                }
            }
        }
    }
}

#[test]
fn a_piece_is_split_between_partitions_and_the_remainder_takes_turns() {
    let piece = |subtask| {
        let states = ["a", "b"].map(|name| (name.to_owned(), partitions(2, Redistribution::Split)));
        vec![OperatorState::new(states.into(), handle(subtask, 1))]
    };
    let restores = restore(stored(2, max(128), piece), 3);
    let heirs =
        |name| partitions_of(&restores, name).into_iter().map(|(heir, _, range)| (heir, range)).collect::<Vec<_>>();
    // Four partitions to three subtasks: of "a" the first gets two, of "b" the second.
    assert_eq!(heirs("a"), [(0, 0..7), (0, 10..17), (1, 0..7), (2, 10..17)]);
    assert_eq!(heirs("b"), [(0, 10..17), (1, 0..7), (1, 10..17), (2, 0..7)]);
}

#[test]
fn unions_go_to_all_at_the_same_parallelism_too() {
    let piece = |subtask| {
        let split = ("s".to_owned(), partitions(1, Redistribution::Split));
        let union = ("u".to_owned(), partitions(2, Redistribution::Union));
        vec![OperatorState::new([split, union].into(), handle(subtask, 1))]
    };
    for new in 1..=5 {
        let restores = restore(stored(3, max(128), piece), new);
        let found = partitions_of(&restores, "u");
        for subtask in 0..new {
            let own: Vec<_> = found.iter().filter(|(heir, ..)| *heir == subtask).collect();
            assert_eq!(own.len(), 6);
            assert!((0..3).all(|old| own.iter().filter(|(_, piece, _)| **piece == handle(old, 1)).count() == 2));
        }
        assert_eq!(partitions_of(&restores, "s").len(), 3);
    }
    let restores = restore(stored(3, max(128), piece), 3);
    for (heir, piece, _) in partitions_of(&restores, "s") {
        assert_eq!(*piece, handle(heir, 1), "what is split stays where it is");
    }
}

#[test]
fn broadcasts_reach_every_subtask_once() {
    let piece = |subtask: u32| match subtask {
        // One that reported nothing.
        1 => vec![],
        _ => {
            let states = BTreeMap::from([("c".to_owned(), partitions(2, Redistribution::Broadcast))]);
            vec![OperatorState::new(states.into(), handle(subtask, 1))]
        }
    };
    for new in 1..=5 {
        let restores = restore(stored(3, max(128), piece), new);
        let found = partitions_of(&restores, "c");
        for subtask in 0..new {
            let own: Vec<_> = found.iter().filter(|(heir, ..)| *heir == subtask).collect();
            let expected = handle([0, 2][subtask as usize % 2], 1);
            assert!(own.len() == 2 && own.iter().all(|(_, piece, _)| **piece == expected), "{new}: {own:?}");
        }
    }
}

#[test]
fn the_same_parallelism_leaves_state_untouched() {
    let piece = |subtask| {
        let states = BTreeMap::from([("s".to_owned(), partitions(4, Redistribution::Split))]);
        vec![OperatorState::new(states.into(), handle(subtask, 1))]
    };
    let mut stored = stored(3, max(128), piece);
    stored.subtasks.remove(&1);
    let restores = restore(stored.clone(), 3);
    assert!(restores[1].operators.is_empty());
    for subtask in [0, 2] {
        let share = &restores[subtask as usize].operators[&OPERATOR];
        assert_eq!(share.state, stored.subtasks[&subtask]);
        assert_eq!(share.key_groups, max(128).range_of(subtask, 3).unwrap());
    }
    assert_eq!(restores[0].from, CheckpointId::new(9));
    assert_eq!(restores[2].attempt.attempt, AttemptId::new(102));
    assert_eq!(restores[2].writer, Writer::new(LeaderEpoch::new(2), WriterId::new(2)));
}

#[test]
fn a_first_start_has_no_state() {
    let graph = graph(2, max(128));
    let mut deployments = deployments(&graph);
    deployments.reverse();
    let restores = plan(&graph, None, LeaderEpoch::new(1), &deployments).unwrap();
    let attempts: Vec<TaskAttempt> = restores.iter().map(|restore| restore.attempt).collect();
    assert_eq!(attempts, deployments.iter().map(|(attempt, _)| *attempt).collect::<Vec<_>>());
    assert!(restores.iter().all(|restore| restore.from.is_none() && restore.operators.is_empty()));
}

#[test]
fn refusals_name_what_does_not_fit() {
    let graph = graph(2, max(128));
    let all = deployments(&graph);
    let epoch = LeaderEpoch::new(2);
    let refuse = |metadata: CheckpointMetadata, message: &str| {
        let error = plan(&graph, Some(&metadata), epoch, &all).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
        assert!(error.to_string().contains(message), "{error}");
    };
    let other = OperatorId::new([8; 16]);
    refuse(
        metadata(other, &stored(2, max(128), |_| vec![])),
        "operator 'count' (08080808080808080808080808080808), which is not",
    );
    refuse(
        metadata(OPERATOR, &stored(2, max(64), |_| vec![])),
        "operator 'count' (07070707070707070707070707070707) has maximum parallelism 128 in the job graph, but its state \
         in checkpoint 9 was stored with 64",
    );
    let description = OperatorDescription::new(OPERATOR, "count", 2, max(128));
    let mut finished = builder();
    finished.finished_operator(&description).unwrap();
    refuse(finished.finish(Timestamp::from_millis(1)).unwrap(), "had finished subtasks in checkpoint 9");
    let mut finished = builder();
    finished.operator(&description).unwrap().finished_subtask(1).unwrap();
    refuse(finished.finish(Timestamp::from_millis(1)).unwrap(), "had finished subtasks in checkpoint 9");

    let empty = metadata(other, &Stored::new(1, max(1)));
    assert!(plan(&graph, Some(&empty), epoch, &all).is_ok(), "nothing is lost with it");
}

#[test]
fn state_is_found_under_a_user_defined_identity_first() {
    let (old, epoch) = (OperatorId::new([8; 16]), LeaderEpoch::new(2));
    let mut vertex = Vertex::single(VERTEX, "count", 2, max(128));
    vertex.operators = vec![Operator::new(OPERATOR, "count").with_user_defined_id(old)];
    let graph = JobGraph::new(vec![vertex], vec![]).unwrap();
    let all = deployments(&graph);
    let good = || stored(2, max(128), |_| vec![]);
    for stored_under in [old, OPERATOR] {
        let restores = plan(&graph, Some(&metadata(stored_under, &good())), epoch, &all).unwrap();
        assert_eq!(key_groups(&restores).len(), 128, "{stored_under}: it is given out under the generated identity");
    }
    // With state under both, that under the generated one has no heir.
    let both = metadata_of(&[OPERATOR, old], &good());
    let error = plan(&graph, Some(&both), epoch, &all).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains(&format!("operator 'count' ({OPERATOR}), which is not")), "{error}");
}

#[test]
fn each_task_is_deployed_exactly_once() {
    let sink = VertexId::new([9; 16]);
    let vertices = vec![Vertex::single(VERTEX, "count", 2, max(128)), Vertex::single(sink, "sink", 1, max(128))];
    let graph = JobGraph::new(vertices, vec![Edge::all_to_all(VERTEX, sink)]).unwrap();
    let all = deployments(&graph);
    let refuse = |deployments: &[(TaskAttempt, WriterId)], message: &str| {
        let error = plan(&graph, None, LeaderEpoch::new(1), deployments).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains(message), "{error}");
    };
    refuse(&all[..1], "2 of the 3 tasks of the job graph are not deployed, the first of them 0707");
    refuse(&[all[0], all[0], all[1]], "is deployed twice");
    let stranger = TaskId::new(sink, 1).attempt(AttemptId::new(0));
    refuse(&[all[0], (stranger, WriterId::new(5))], "has no such task");
}
