//! Metadata of Flink's made by hand, and what is put into it.

use bytes::Bytes;
use ckpt_core::id::OperatorId;
use ckpt_flink::{
    ChangelogHandle, ChannelEntry, ChannelHandle, ChannelInfo as _, CheckpointProperties, CheckpointedStateScope,
    DistributionMode, FileHandle, FlinkMetadata, IncrementalHandle, IncrementalIdentity, InputChannelInfo, JavaText,
    KeyGroupOffsets, KeyGroupRange, KeyGroupsHandle, KeyGroupsKind, KeyedHandle, LocalPathAndHandle, MasterState,
    MergedChannels, MetadataVersion, OperatorDescription, OperatorHandle, OperatorState, OperatorStateOffsets,
    OperatorSubtasks, SegmentHandle, SnapshotType, StoredProperties, StreamHandle, Subtask, SubtaskState,
};

pub(crate) const ID: OperatorId = OperatorId::new([5; 16]);

pub(crate) fn text(text: &str) -> JavaText {
    JavaText::new(text).unwrap()
}

pub(crate) fn file(size: i64) -> StreamHandle {
    StreamHandle::File(FileHandle::new(text("file:/data/chk-7/file"), size))
}

pub(crate) fn key_groups(start: i32, offsets: &[i64], delegate: StreamHandle) -> KeyedHandle {
    let kind = KeyGroupsKind::Checkpoint { state_handle_id: text("id") };
    KeyedHandle::KeyGroups(KeyGroupsHandle::new(kind, KeyGroupOffsets::new(start, offsets.to_vec()), delegate))
}

pub(crate) fn operator_handle(states: &[(&str, &[i64])], delegate: StreamHandle) -> OperatorHandle {
    let states = states.iter().map(|(name, offsets)| {
        OperatorStateOffsets::new(text(name), DistributionMode::SplitDistribute, offsets.to_vec())
    });
    OperatorHandle::new(states.collect(), delegate)
}

/// One operator of two subtasks, each with two key groups, of which the first has state.
pub(crate) fn base() -> FlinkMetadata {
    let mut metadata = FlinkMetadata::new(MetadataVersion::V6, 7);
    let mut properties = CheckpointProperties::new(SnapshotType::checkpoint());
    properties.discard_subsumed = true;
    properties.discard_finished = true;
    metadata.properties = Some(StoredProperties::new(properties));
    let description = OperatorDescription::new(ID, 2, 4);
    let subtasks = vec![Subtask::with_state(0, SubtaskState::default())];
    metadata.operators.push(OperatorState::new(description, OperatorSubtasks::Subtasks(subtasks)));
    metadata
}

pub(crate) fn subtasks(metadata: &mut FlinkMetadata) -> &mut Vec<Subtask> {
    match &mut metadata.operators[0].subtasks {
        OperatorSubtasks::Subtasks(subtasks) => subtasks,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn state(metadata: &mut FlinkMetadata) -> &mut SubtaskState {
    subtasks(metadata)[0].state.as_deref_mut().unwrap()
}

pub(crate) fn managed(metadata: &mut FlinkMetadata, delegate: StreamHandle) {
    state(metadata).managed_operator = Some(Box::new(operator_handle(&[("list", &[0])], delegate)));
}

pub(crate) fn keyed(metadata: &mut FlinkMetadata, handle: KeyedHandle) {
    state(metadata).managed_keyed = Some(Box::new(handle));
}

pub(crate) fn segment(start: i64, size: i64) -> StreamHandle {
    let scope = CheckpointedStateScope::Shared;
    let segment = SegmentHandle::new(text("file:/data/shared/merged"), start, size, scope, text("logical"));
    StreamHandle::Segment(Box::new(segment))
}

pub(crate) fn incremental() -> IncrementalHandle {
    let (groups, identity) = (KeyGroupRange::new(0, 2), IncrementalIdentity::new(20, text("id")));
    let mut handle = IncrementalHandle::new(7, text("backend"), groups, identity, file(10));
    handle.shared = vec![LocalPathAndHandle::new(text("1.sst"), file(20))];
    handle
}

pub(crate) fn changelog() -> ChangelogHandle {
    ChangelogHandle::new(KeyGroupRange::new(0, 2), 7, text("id"))
}

pub(crate) fn channel(gate: i32, channel: i32) -> InputChannelInfo {
    InputChannelInfo::of_numbers([gate, channel])
}

pub(crate) fn channels(metadata: &mut FlinkMetadata, entries: &[((i32, i32), i64, &[i64])]) {
    let entries = entries
        .iter()
        .map(|((gate, number), size, offsets)| ChannelEntry::new(channel(*gate, *number), *size, offsets.to_vec()));
    let merged = MergedChannels::new(0, &entries.collect::<Vec<_>>(), file(100)).unwrap();
    state(metadata).input_channels.push(ChannelHandle::Merged(merged));
}

/// With a lone surrogate, which Java can write.
pub(crate) fn no_unicode() -> JavaText {
    let mut metadata = FlinkMetadata::new(MetadataVersion::V3, 1);
    metadata.master_states.push(MasterState::new(0, text("xyz"), Bytes::new()));
    let mut file = metadata.encode().unwrap();
    let at = file.windows(3).position(|window| window == b"xyz").unwrap();
    file[at..at + 3].copy_from_slice(&[0xed, 0xa0, 0x80]);
    FlinkMetadata::decode(file.into()).unwrap().metadata.master_states.remove(0).name
}

/// As Java reads it and does not write it: in two bytes where one is enough.
pub(crate) fn overlong() -> JavaText {
    let mut metadata = FlinkMetadata::new(MetadataVersion::V3, 1);
    metadata.master_states.push(MasterState::new(0, text("xy"), Bytes::new()));
    let mut file = metadata.encode().unwrap();
    let at = file.windows(2).position(|window| window == b"xy").unwrap();
    file[at..at + 2].copy_from_slice(&[0xc1, 0x80]);
    FlinkMetadata::decode(file.into()).unwrap().metadata.master_states.remove(0).name
}
