//! The metadata of the golden files, which together have everything that metadata can say.

use bytes::Bytes;
use ckpt_core::descriptor::{CodecId, Fingerprint, KeyedStateKind, StateDescriptor, StateKind};
use ckpt_core::id::{JobId, LeaderEpoch, OperatorId, Writer, WriterId};
use ckpt_core::key_group::MaxParallelism;
use ckpt_core::metadata::{CheckpointDescription, CheckpointMetadata, MasterState, OperatorDescription};
use ckpt_core::snapshot::{Admission, AfterSavepoint, CheckpointProperties, RetentionPolicy, SavepointFormat};
use ckpt_core::state::{
    ChannelState, FileRef, InputChannel, KeyGroupsState, KeyedState, OperatorState, Partitions, Place, Redistribution,
    ResultSubpartition, Root, Sections, StateHandle, SubtaskState, SubtaskStateParts,
};
use ckpt_core::testing::every_state_kind;
use ckpt_core::{Digest, Timestamp};

use crate::samples::{fixed_identity, fixed_state, places, range};

const COMPLETED: Timestamp = Timestamp::from_millis(1_767_225_600_123);

/// Of a checkpoint with everything that may stand in one.
pub(crate) fn fixed_metadata() -> CheckpointMetadata {
    let mut builder = CheckpointMetadata::builder(fixed_description()).unwrap();
    builder.operator(&OperatorDescription::new(OperatorId::new([0x11; 16]), "größe", 1, max())).unwrap();
    let mut stateful = builder.operator(&fixed_operator()).unwrap();
    stateful.subtask(0, &fixed_state()).unwrap();
    stateful.finished_subtask(1).unwrap();
    stateful.subtask(2, &SubtaskState::default()).unwrap();
    builder.finished_operator(&OperatorDescription::new(OperatorId::new([0x33; 16]), "ended", 2, max())).unwrap();
    let mut last = OperatorDescription::new(OperatorId::new([0x44; 16]), "", 2, max());
    let descriptors = every_state_kind().into_iter().zip('a'..);
    last.descriptors = descriptors.map(|(kind, name)| descriptor(&name.to_string(), kind)).collect();
    last.coordinator_state = Some(file(Root::JobTaskOwned, 9, 512));
    builder.operator(&last).unwrap().subtask(1, &state_of_all_other_kinds(Root::ThisSnapshot)).unwrap();
    builder.finish(COMPLETED).unwrap()
}

/// Of a savepoint that the job is stopped with: it names nothing outside of its own directory.
pub(crate) fn fixed_savepoint() -> CheckpointMetadata {
    let mut builder = CheckpointMetadata::builder(savepoint_description()).unwrap();
    let mut operator = fixed_operator();
    operator.coordinator_state = Some(file(Root::ThisSnapshot, 9, 512));
    builder.operator(&operator).unwrap().subtask(2, &state_of_all_other_kinds(Root::ThisSnapshot)).unwrap();
    builder.finish(COMPLETED).unwrap()
}

/// What the golden checkpoint says of itself.
pub(crate) fn fixed_description() -> CheckpointDescription {
    let properties = CheckpointProperties::checkpoint(RetentionPolicy::RetainOnCancellation);
    let mut description = CheckpointDescription::new(JobId::new(*b"0123456789abcdef"), fixed_identity(), properties);
    description.places = places();
    description.graph_digest = Some(Digest::of(b"graph"));
    let states =
        [("hook", MasterState::new(2, Bytes::from_static(b"hooked"))), ("other", MasterState::new(0, Bytes::new()))];
    description.master_states = states.map(|(name, state)| (name.to_owned(), state)).into();
    description
}

/// What the golden savepoint says of itself.
pub(crate) fn savepoint_description() -> CheckpointDescription {
    let properties =
        CheckpointProperties::savepoint(SavepointFormat::Native, AfterSavepoint::Terminate, Admission::Forced);
    CheckpointDescription::new(JobId::new(*b"0123456789abcdef"), fixed_identity(), properties)
}

/// What the golden files say of the operator with an identity of its user's.
pub(crate) fn fixed_operator() -> OperatorDescription {
    let mut operator = OperatorDescription::new(OperatorId::new([0x22; 16]), "count", 3, max());
    operator.uid = Some("the counter".to_owned());
    let sums = descriptor("sums", StateKind::Keyed(KeyedStateKind::Reducing));
    let seen = descriptor("seen", StateKind::Operator(Redistribution::Union));
    operator.descriptors = vec![sums.with_fingerprint(Fingerprint::new(0xfeed)), seen];
    operator.coordinator_state = Some(StateHandle::inline(Bytes::from_static(b"coordinated")));
    operator
}

fn descriptor(name: &str, kind: StateKind) -> StateDescriptor {
    StateDescriptor::new(name, kind, CodecId::new("postcard").unwrap(), 2).unwrap()
}

fn max() -> MaxParallelism {
    MaxParallelism::new(128).unwrap()
}

pub(crate) fn file(root: Root, number: u32, length_bytes: u64) -> StateHandle {
    let file = FileRef::Ours(Writer::new(LeaderEpoch::new(3), WriterId::new(0xab)).file(number));
    StateHandle::assume_durable(Place::File { root, file }, length_bytes, Some(Digest::of(&number.to_le_bytes())))
}

/// What [`fixed_state`] has none of: state that the operator writes itself, and data in flight. Its key groups are the
/// last ones, so that it fits the last of any number of subtasks.
pub(crate) fn state_of_all_other_kinds(root: Root) -> SubtaskState {
    let raw_keyed = KeyGroupsState::new(range(126, 127), vec![0, 7, 11], file(root, 20, 11)).unwrap();
    let partitions = Partitions::new([0..4, 4..6], Redistribution::Split).unwrap();
    let sections = |ranges: &[std::ops::Range<u64>]| Sections::new(ranges.to_vec()).unwrap();
    let input = |gate, channel| InputChannel { gate, channel };
    let inputs = [(input(0, 1), sections(&[0..10, 30..40])), (input(1, 0), sections(&[10..20, 20..30]))];
    let output = ResultSubpartition { partition: 0, subpartition: 3 };
    let mut parts = SubtaskStateParts::default();
    parts.raw_keyed = vec![KeyedState::KeyGroups(raw_keyed)];
    parts.raw_operator = vec![OperatorState::new([("raw", partitions)].into(), file(root, 21, 6))];
    parts.input_channels = vec![ChannelState::new(1, inputs.into(), file(root, 22, 40))];
    parts.result_subpartitions =
        vec![ChannelState::new(1, [(output, sections(&[0..2, 5..9]))].into(), file(root, 23, 9))];
    parts.into()
}
