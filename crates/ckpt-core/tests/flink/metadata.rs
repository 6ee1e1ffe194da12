//! What `_metadata` keeps of a checkpoint, as Flink's tests of its serializers ask.

use std::collections::BTreeMap;
use std::convert::Infallible;

use bytes::Bytes;
use ckpt_core::id::{CheckpointId, JobId, LeaderEpoch, OperatorId};
use ckpt_core::key_group::{KeyGroup, MaxParallelism};
use ckpt_core::metadata::{
    CheckpointDescription, CheckpointMetadata, MasterState, MetadataBuilder, OperatorDescription, OperatorStatus,
};
use ckpt_core::snapshot::{
    Admission, AfterSavepoint, CheckpointIdentity, CheckpointProperties, CheckpointType, JobEnd, RetentionPolicy,
    SavepointFormat,
};
use ckpt_core::state::{
    ChannelState, ClaimId, FileRef, IncrementalState, InputChannel, KeyGroupsState, KeyedState, OperatorState,
    Partitions, Place, Places, Redistribution, ResultSubpartition, Root, Sections, SharedFile, StateHandle,
    SubtaskReport, SubtaskState, SubtaskStateParts,
};
use ckpt_core::testing::strategies::{any_checkpoint_id, any_operator_id, any_subtask_state, cases};
use ckpt_core::uri::Uri;
use ckpt_core::{Digest, Timestamp};
use proptest::prelude::*;

use crate::common::{file, inline, name, piece, range};

const CHECKPOINT: CheckpointProperties = CheckpointProperties::checkpoint(RetentionPolicy::RetainOnCancellation);
const SAVEPOINT: CheckpointProperties =
    CheckpointProperties::savepoint(SavepointFormat::Canonical, AfterSavepoint::Continue, Admission::InTurn);

fn describe(id: CheckpointId, properties: CheckpointProperties) -> CheckpointDescription {
    let identity = CheckpointIdentity::new(id, LeaderEpoch::new(3), Timestamp::from_millis(77), None);
    CheckpointDescription::new(JobId::new([7; 16]), identity, properties)
}

fn operator(byte: u8, parallelism: u32) -> OperatorDescription {
    let max = MaxParallelism::new(128).unwrap();
    OperatorDescription::new(OperatorId::new([byte; 16]), format!("operator {byte}"), parallelism, max)
}

/// The metadata, after it was written and read.
fn read_back(builder: MetadataBuilder) -> CheckpointMetadata {
    let file = builder.finish(Timestamp::from_millis(99)).unwrap().encode().unwrap().0;
    CheckpointMetadata::decode(Bytes::from(file)).unwrap()
}

fn report_of(metadata: &CheckpointMetadata, operator: OperatorId, subtask: u32) -> Option<SubtaskReport> {
    metadata.operator(operator).unwrap().subtask(subtask).unwrap()
}

/// What a subtask's state is after it was written and read, alone in a checkpoint.
fn round_trip(state: &SubtaskState) -> SubtaskState {
    let mut builder = CheckpointMetadata::builder(describe(CheckpointId::FIRST, CHECKPOINT)).unwrap();
    builder.operator(&operator(1, 1)).unwrap().subtask(0, state).unwrap();
    match report_of(&read_back(builder), OperatorId::new([1; 16]), 0) {
        Some(SubtaskReport::State(state)) => state,
        other => panic!("expected state, found {other:?}"),
    }
}

/// Where the roots lie that generated state names.
fn places() -> Places {
    let claimed = (1..4).map(|number| Root::Claimed(ClaimId::new(number)));
    let borrowed = (0..4).map(Root::Borrowed);
    Places::new(claimed.chain(borrowed).map(|root| (root, Uri::new(format!("file:///{root:?}")).unwrap())).collect())
        .unwrap()
}

/// State of every kind, as the metadata of a checkpoint may hold it: every file with its handle.
fn any_checkpointed_state() -> impl Strategy<Value = SubtaskState> {
    any_subtask_state().prop_map(|state| {
        let state = state.try_fill_in(&mut |reused| {
            let (root, file) = (reused.root, reused.file.clone());
            let place = match reused.offset_bytes {
                None => Place::File { root, file },
                Some(offset_bytes) => Place::Segment { root, file, offset_bytes },
            };
            Ok::<_, Infallible>(StateHandle::assume_durable(place, 1, Some(Digest::of(b"1"))))
        });
        state.unwrap()
    })
}

/// The same state, all of it below the directory of a savepoint, under names of ours.
fn in_savepoint(state: SubtaskState) -> SubtaskState {
    let ours = |file| match file {
        FileRef::Foreign(_) => FileRef::Ours(name(1)),
        file => file,
    };
    let moved = state.try_map_handles(&mut |handle: StateHandle| {
        let place = match handle.place().clone() {
            Place::File { file, .. } => Place::File { root: Root::ThisSnapshot, file: ours(file) },
            Place::Segment { file, offset_bytes, .. } => {
                Place::Segment { root: Root::ThisSnapshot, file: ours(file), offset_bytes }
            }
            _ => return Ok(handle),
        };
        let digest = handle.digest().or(Some(Digest::of(b"none")));
        Ok::<_, Infallible>(StateHandle::assume_durable(place, handle.length_bytes(), digest))
    });
    moved.unwrap()
}

fn any_master_states() -> impl Strategy<Value = BTreeMap<String, MasterState>> {
    let bytes = proptest::collection::vec(any::<u8>(), 0..200);
    let state = (any::<u32>(), bytes).prop_map(|(version, bytes)| MasterState::new(version, Bytes::from(bytes)));
    proptest::collection::btree_map("[a-zä-]{1,9}", state, 1..6)
}

/// State of some operators by subtask. Keyed state is any that one subtask with all key groups has; of more than one
/// subtask each has state of the other kinds.
fn any_operators() -> impl Strategy<Value = BTreeMap<OperatorId, (u32, BTreeMap<u32, SubtaskState>)>> {
    let alone = proptest::collection::btree_map(Just(0), any_checkpointed_state(), 0..2);
    let without_keyed = any_checkpointed_state().prop_map(|state| {
        let mut parts = state.into_parts();
        (parts.keyed, parts.raw_keyed) = (Vec::new(), Vec::new());
        parts.into()
    });
    let several = proptest::collection::btree_map(0..3_u32, without_keyed, 0..4);
    let operator = prop_oneof![alone.prop_map(|states| (1, states)), several.prop_map(|states| (3, states))];
    proptest::collection::btree_map(any_operator_id(), operator, 1..4)
}

/// Writes such a checkpoint, reads it, and compares all that was given with what was read.
fn comes_back(
    description: &CheckpointDescription,
    operators: BTreeMap<OperatorId, (u32, BTreeMap<u32, SubtaskState>)>,
) -> Result<CheckpointMetadata, TestCaseError> {
    let mut builder = CheckpointMetadata::builder(description.clone()).unwrap();
    for (&id, (parallelism, subtasks)) in &operators {
        let operator = OperatorDescription::new(id, "an operator", *parallelism, MaxParallelism::new(128).unwrap());
        let mut encoder = builder.operator(&operator).unwrap();
        for (&subtask, state) in subtasks {
            encoder.subtask(subtask, state).unwrap();
        }
    }
    let read = read_back(builder);
    let summary = read.summary();
    prop_assert_eq!((summary.job, summary.identity), (description.job, description.identity));
    prop_assert_eq!((summary.properties, &summary.places), (description.properties, &description.places));
    prop_assert_eq!(read.master_states(), &description.master_states);
    prop_assert_eq!(
        read.operators().map(|found| found.id).collect::<Vec<_>>(),
        Vec::from_iter(operators.keys().copied())
    );
    for (id, (parallelism, subtasks)) in operators {
        for subtask in 0..parallelism {
            let given = subtasks.get(&subtask).cloned().map(SubtaskReport::State);
            prop_assert_eq!(report_of(&read, id, subtask), given);
        }
    }
    Ok(read)
}

proptest! {
    #![proptest_config(cases(100))]

    /// `testCheckpointWithNoState`.
    #[test]
    fn a_checkpoint_without_state_comes_back(id in any_checkpoint_id()) {
        let read = comes_back(&describe(id, CHECKPOINT), BTreeMap::new())?;
        prop_assert_eq!((read.operators().len(), read.summary().totals.handles), (0, 0));
        prop_assert!(read.summary().self_contained);
    }

    /// `testCheckpointWithOnlyMasterState`.
    #[test]
    fn master_states_alone_come_back(id in any_checkpoint_id(), masters in any_master_states()) {
        let mut description = describe(id, CHECKPOINT);
        description.master_states = masters;
        comes_back(&description, BTreeMap::new())?;
    }

    /// `testCheckpointWithOnlyTaskStateForCheckpoint` and `testCheckpointWithMasterAndTaskStateForCheckpoint`.
    #[test]
    fn state_of_tasks_comes_back_with_master_states_and_without(
        id in any_checkpoint_id(),
        masters in proptest::option::of(any_master_states()),
        operators in any_operators(),
    ) {
        let mut description = describe(id, CHECKPOINT);
        (description.places, description.master_states) = (places(), masters.unwrap_or_default());
        comes_back(&description, operators)?;
    }

    /// `testCheckpointWithOnlyTaskStateForSavepoint` and `testCheckpointWithMasterAndTaskStateForSavepoint`: all that it
    /// names lies below its own directory, and no name says where that is.
    #[test]
    fn state_in_a_savepoint_comes_back_and_lies_in_its_own_directory(
        id in any_checkpoint_id(),
        masters in proptest::option::of(any_master_states()),
        operators in any_operators(),
    ) {
        let mut description = describe(id, SAVEPOINT);
        description.master_states = masters.unwrap_or_default();
        let moved = operators.into_iter().map(|(id, (parallelism, subtasks))| {
            let subtasks = subtasks.into_iter().map(|(subtask, state)| (subtask, in_savepoint(state)));
            (id, (parallelism, subtasks.collect()))
        });
        let read = comes_back(&description, moved.collect())?;
        prop_assert!(read.summary().self_contained);
        let mut roots = Vec::new();
        read.visit_handles(&mut |handle| roots.extend(handle.file().map(|(root, _)| root))).unwrap();
        prop_assert!(roots.iter().all(|root| *root == Root::ThisSnapshot), "{:?}", roots);
    }
}

/// State of one subtask in files of its own and in bytes.
fn exclusive(subtask: u32) -> SubtaskState {
    let group = range(subtask as u16 * 4, subtask as u16 * 4 + 3);
    let keyed = KeyGroupsState::new(group, [0, 10, 10, 25], file(Root::ThisSnapshot, subtask, 30)).unwrap();
    let partitions = Partitions::new(vec![0..3, 5..9], Redistribution::Split).unwrap();
    let list = OperatorState::new([("list", partitions)].into(), inline(10 + subtask as usize));
    SubtaskState::new(vec![KeyedState::KeyGroups(keyed)], vec![list])
}

/// `testCheckpointWithFinishedTasks…`: operators that run, that have finished in part and in full, in their order.
#[test]
fn what_has_finished_comes_back_in_its_order() {
    use OperatorStatus::{FullyFinished, Running};
    for properties in [CHECKPOINT, SAVEPOINT] {
        let mut builder = CheckpointMetadata::builder(describe(CheckpointId::FIRST, properties)).unwrap();
        builder.finished_operator(&operator(1, 2)).unwrap();
        let mut in_part = builder.operator(&operator(2, 3)).unwrap();
        in_part.subtask(0, &exclusive(0)).unwrap();
        in_part.finished_subtask(1).unwrap();
        builder.operator(&operator(3, 1)).unwrap().subtask(0, &exclusive(1)).unwrap();
        builder.finished_operator(&operator(4, 1)).unwrap();
        let read = read_back(builder);
        let found: Vec<_> = read.operators().map(|found| (found.status, found.totals.finished_subtasks)).collect();
        assert_eq!(found, [(FullyFinished, 0), (Running, 1), (Running, 0), (FullyFinished, 0)]);
        let report = |byte: u8, subtask| report_of(&read, OperatorId::new([byte; 16]), subtask);
        assert_eq!(report(2, 0), Some(SubtaskReport::State(exclusive(0))));
        assert_eq!(report(2, 1), Some(SubtaskReport::Finished));
        assert_eq!((report(2, 2), report(1, 0), report(4, 0)), (None, None, None));
        assert_eq!(report(3, 0), Some(SubtaskReport::State(exclusive(1))));
    }
}

/// `testSerializeKeyGroupsStateHandle`.
#[test]
fn key_groups_keep_their_sections() {
    for ends in [vec![0, 10, 10, 25], vec![3, 10, 10, 25, 28]] {
        let state = KeyGroupsState::new(range(8, 11), ends.clone(), file(Root::ThisSnapshot, 1, 30)).unwrap();
        let read = round_trip(&SubtaskState::new(vec![KeyedState::KeyGroups(state)], Vec::new()));
        let [KeyedState::KeyGroups(groups)] = read.keyed() else { panic!("{read:?}") };
        assert_eq!((groups.range(), groups.bounds_bytes()), (range(8, 11), ends.as_slice()));
        assert_eq!(groups.section_of(KeyGroup::new(10)), Some((10, Some(25))));
        assert_eq!(groups.section_of(KeyGroup::new(11)), Some((25, ends.get(4).copied())));
        assert_eq!(groups.handle(), &file(Root::ThisSnapshot, 1, 30));
    }
}

/// `testSerializeIncrementalChangelogStateBackendHandle` and `testSerializeFullChangelogStateBackendHandle`. There is no
/// changelog here; a backend that writes one has what it materialised, as files or in one piece, and the changes since
/// then as keyed states of one subtask, whose order is kept.
#[test]
fn materialised_state_and_changes_come_back_in_their_order() {
    let changes =
        |offset| KeyedState::KeyGroups(KeyGroupsState::new(range(0, 1), [0, 5], piece(20, offset, 30)).unwrap());
    let shared = [("000012.sst", SharedFile::Written(file(Root::JobShared, 12, 4096)))];
    let private = [("CURRENT", file(Root::ThisSnapshot, 13, 16))];
    let files = IncrementalState::new(OperatorId::new([5; 16]), range(0, 1), shared.into(), private.into(), inline(40));
    let as_files = KeyedState::Incremental(files.with_written_bytes(100).unwrap());
    let whole = KeyedState::KeyGroups(KeyGroupsState::new(range(0, 1), [0, 9], file(Root::JobShared, 14, 20)).unwrap());
    for materialised in [as_files, whole] {
        let keyed = vec![materialised, changes(30), changes(0)];
        assert_eq!(round_trip(&SubtaskState::new(keyed.clone(), Vec::new())).keyed(), keyed);
    }
}

/// `testSerializeUnmergedChannelStateHandle` and `testSerializeMergedChannelStateHandle`.
#[test]
fn data_in_flight_come_back_whether_channels_share_a_file_or_not() {
    let sections = |first: u64| Sections::new(vec![first..first + 4, first + 9..first + 10]).unwrap();
    let input = |channel| InputChannel { gate: 1, channel };
    let output = |subpartition| ResultSubpartition { partition: 2, subpartition };
    let of = |number| file(Root::ThisSnapshot, number, 100);
    let mut apart = SubtaskStateParts::default();
    // The higher channel first: their order is kept.
    apart.input_channels = (0..2).map(|n| ChannelState::new(0, [(input(9 - n), sections(0))].into(), of(n))).collect();
    apart.result_subpartitions =
        (0..2).map(|n| ChannelState::new(4, [(output(n), sections(0))].into(), of(10 + n))).collect();
    let mut shared = SubtaskStateParts::default();
    let channels = [(input(0), sections(0)), (input(3), sections(20)), (input(7), sections(40))];
    shared.input_channels = vec![ChannelState::new(0, channels.into(), of(0))];
    let subpartitions = [(output(0), sections(0)), (output(1), sections(30))];
    shared.result_subpartitions = vec![ChannelState::new(0, subpartitions.into(), of(1))];
    for parts in [apart, shared] {
        assert_eq!(round_trip(&parts.clone().into()).into_parts(), parts);
    }
}

/// `MetadataV4SerializerTest`: what the checkpoint is to its job, of each kind.
#[test]
fn properties_come_back() {
    let policies = [
        RetentionPolicy::NeverRetainAfterTermination,
        RetentionPolicy::RetainOnFailure,
        RetentionPolicy::RetainOnCancellation,
    ];
    let checkpoints = policies.map(CheckpointProperties::checkpoint);
    let full = checkpoints.map(|properties| properties.requested_as(CheckpointType::Full));
    let mut all = Vec::from_iter(checkpoints.into_iter().chain(full).chain([CheckpointProperties::unclaimed()]));
    for format in [SavepointFormat::Canonical, SavepointFormat::Native] {
        for then in [AfterSavepoint::Continue, AfterSavepoint::Suspend, AfterSavepoint::Terminate] {
            let of = |admission| CheckpointProperties::savepoint(format, then, admission);
            all.extend([Admission::InTurn, Admission::Forced].map(of));
        }
    }
    for given in all {
        let builder = CheckpointMetadata::builder(describe(CheckpointId::FIRST, given)).unwrap();
        let read = read_back(builder).summary().properties;
        assert_eq!(read, given);
        assert_eq!((read.kind(), read.admission()), (given.kind(), given.admission()));
        for end in [JobEnd::Finished, JobEnd::Failed, JobEnd::Cancelled, JobEnd::Suspended] {
            assert_eq!(read.discards_on(end), given.discards_on(end));
        }
    }
}

/// `MetadataV5SerializerTest`: an operator's name and the identity that the user gave it, or none.
#[test]
fn operators_keep_their_names_and_the_identities_that_users_gave_them() {
    let mut builder = CheckpointMetadata::builder(describe(CheckpointId::FIRST, CHECKPOINT)).unwrap();
    let expected = [("source", None), ("", Some("my-counter")), ("Füllstand → Meldung", Some("µ"))];
    for (byte, (name, uid)) in (1..).zip(expected) {
        let mut operator = operator(byte, 1);
        (operator.name, operator.uid) = (name.to_owned(), uid.map(str::to_owned));
        builder.operator(&operator).unwrap();
    }
    let read = read_back(builder);
    assert_eq!(read.operators().map(|operator| (operator.name, operator.uid)).collect::<Vec<_>>(), expected);
}

/// Master hooks and operator coordinators: neither has objects of its own in metadata, nor a serializer that must be found.
#[test]
fn participants_that_are_no_tasks_are_kept_as_bytes() {
    let mut description = describe(CheckpointId::FIRST, CHECKPOINT);
    let hook = MasterState::new(3, Bytes::from_static(b"of a hook"));
    description.master_states.insert("hook".to_owned(), hook.clone());
    let mut builder = CheckpointMetadata::builder(description).unwrap();
    let states = [inline(9), file(Root::ThisSnapshot, 1, 1 << 20)];
    for (byte, state) in (1..).zip(&states) {
        let mut operator = operator(byte, 1);
        operator.coordinator_state = Some(state.clone());
        builder.operator(&operator).unwrap();
    }
    let read = read_back(builder);
    assert_eq!(*read.master_states(), [("hook".to_owned(), hook)].into());
    let found = [1, 2].map(|byte| {
        let operator = read.operator(OperatorId::new([byte; 16])).unwrap();
        operator.coordinator_state().unwrap().unwrap().to_handle()
    });
    assert_eq!(found, states);
}
