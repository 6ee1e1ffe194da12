//! Metadata that is made, and not read, with every kind of handle: it is read as it was made.

use bytes::Bytes;
use ckpt_core::id::OperatorId;
use ckpt_flink::{
    ByteStream, ChangelogHandle, ChangelogStreamHandle, ChannelEntry, ChannelHandle, ChannelInfo, CheckpointProperties,
    CheckpointedStateScope, DistributionMode, FileHandle, FlinkMetadata, InMemoryChange, InMemoryChangelogHandle,
    IncrementalHandle, IncrementalIdentity, InputChannelInfo, JavaText, KeyGroupOffsets, KeyGroupRange,
    KeyGroupsHandle, KeyGroupsKind, KeyGroupsStream, KeyedHandle, LocalPathAndHandle, MasterState, MergedChannels,
    MergingDirectories, MetadataVersion, OffsetAndStream, OperatorDescription, OperatorHandle, OperatorState,
    OperatorStateOffsets, OperatorSubtasks, RelativeFileHandle, ResultSubpartitionInfo, SegmentHandle, SingleChannel,
    SnapshotType, StoredProperties, StreamHandle, Subtask, SubtaskState,
};

fn text(text: &str) -> JavaText {
    JavaText::new(text).unwrap()
}

fn inline() -> ByteStream {
    ByteStream::new(text("inline\0😀"), Bytes::from_static(b"state"))
}

fn segment() -> StreamHandle {
    let scope = CheckpointedStateScope::Shared;
    StreamHandle::Segment(Box::new(SegmentHandle::new(text("file:/segment"), 3, 4, scope, text("logical"))))
}

fn divided() -> KeyGroupOffsets {
    KeyGroupOffsets::new(2, vec![0, -1, i64::MAX])
}

fn streams() -> Vec<StreamHandle> {
    vec![
        StreamHandle::ByteStream(inline()),
        StreamHandle::File(FileHandle::new(text("file:/a"), -1)),
        StreamHandle::RelativeFile(RelativeFileHandle::new(text("b"), 7)),
        segment(),
        StreamHandle::EmptySegment,
        StreamHandle::KeyGroups(Box::new(KeyGroupsStream::new(divided(), StreamHandle::EmptySegment))),
    ]
}

fn keyed() -> Vec<KeyedHandle> {
    let range = KeyGroupRange::new(0, 4);
    let meta = StreamHandle::ByteStream(inline());
    let mut incremental =
        IncrementalHandle::new(1, text("backend"), range, IncrementalIdentity::new(-1, text("incremental")), meta);
    incremental.shared = streams().into_iter().map(|stream| LocalPathAndHandle::new(text("1.sst"), stream)).collect();
    incremental.private.push(LocalPathAndHandle::new(text("MANIFEST"), segment()));
    let incremental = KeyedHandle::Incremental(incremental.into());

    let changes = vec![InMemoryChange::new(-1, Bytes::from_static(b"what")), InMemoryChange::new(3, Bytes::new())];
    let in_memory = KeyedHandle::InMemoryChangelog(InMemoryChangelogHandle::new(range, 5, 7, changes, text("memory")));
    let streams_of_changes = vec![OffsetAndStream::new(9, segment())];
    let in_streams = ChangelogStreamHandle::new(range, streams_of_changes, 11, text("streams"), text("filesystem"));
    let in_streams = KeyedHandle::ChangelogStream(in_streams);

    let mut changelog = ChangelogHandle::new(range, 12, text("changelog"));
    changelog.materialized = vec![Some(Box::new(incremental.clone())), None];
    changelog.non_materialized = vec![Some(Box::new(in_memory.clone())), Some(Box::new(in_streams.clone()))];

    let kinds =
        [KeyGroupsKind::Checkpoint { state_handle_id: text("id") }, KeyGroupsKind::Savepoint, KeyGroupsKind::Legacy];
    let of_kind = |kind| KeyedHandle::KeyGroups(KeyGroupsHandle::new(kind, divided(), segment()));
    let mut handles: Vec<_> = kinds.map(of_kind).into();
    handles.extend([incremental, in_memory, in_streams, KeyedHandle::Changelog(changelog)]);
    handles
}

fn operator_handles() -> Vec<OperatorHandle> {
    use DistributionMode::{Broadcast, SplitDistribute, Union};
    let states = [("list", SplitDistribute), ("union", Union), ("broadcast", Broadcast)];
    let states = states.map(|(name, mode)| OperatorStateOffsets::new(text(name), mode, vec![1, 2]));
    let directories = [MergingDirectories::new, MergingDirectories::empty];
    let [merged, empty] = directories.map(|directories| directories(text("owned"), text("shared")));
    vec![
        OperatorHandle::new(states.to_vec(), StreamHandle::ByteStream(inline())),
        OperatorHandle::new(states.to_vec(), segment()).with_merging(merged),
        OperatorHandle::new(Vec::new(), StreamHandle::EmptySegment).with_merging(empty),
    ]
}

fn channels<I: ChannelInfo>() -> Vec<ChannelHandle<I>> {
    let info = I::of_numbers([1, 2]);
    let entries = [ChannelEntry::new(info, 4, vec![4]), ChannelEntry::new(info, 0, Vec::new())];
    vec![
        ChannelHandle::Single(SingleChannel::new(0, info, vec![4, 8], 12, segment())),
        ChannelHandle::Merged(MergedChannels::new(0, &entries, StreamHandle::ByteStream(inline())).unwrap()),
    ]
}

pub(crate) fn metadata() -> FlinkMetadata {
    let mut subtasks = Vec::new();
    for (handle, index) in keyed().into_iter().zip(0..) {
        let mut state = SubtaskState::default();
        let operator_handle = operator_handles().into_iter().cycle().nth(subtasks.len()).map(Box::new);
        (state.raw_operator, state.managed_keyed) = (operator_handle.clone(), Some(Box::new(handle.clone())));
        (state.managed_operator, state.raw_keyed) = (operator_handle, Some(Box::new(handle)));
        state.input_channels = channels::<InputChannelInfo>();
        state.result_subpartitions = channels::<ResultSubpartitionInfo>();
        subtasks.push(Subtask::with_state(index, state));
    }
    subtasks.push(Subtask::finished(7));

    let mut description = OperatorDescription::new(OperatorId::new([3; 16]), 8, 128);
    (description.name, description.uid) = (Some(text("näme")), Some(text("uid")));
    description.coordinator = Some(inline());
    let finished = OperatorDescription::new(OperatorId::new([4; 16]), 1, 1);

    let mut metadata = FlinkMetadata::new(MetadataVersion::V6, 0);
    metadata.master_states.push(MasterState::new(-1, text("hook"), Bytes::from_static(b"master")));
    metadata.operators.push(OperatorState::new(description, OperatorSubtasks::Subtasks(subtasks)));
    metadata.operators.push(OperatorState::new(finished, OperatorSubtasks::FullyFinished));
    let properties = CheckpointProperties::new(SnapshotType::full_checkpoint());
    metadata.properties = Some(StoredProperties::new(properties));
    metadata
}

#[test]
fn what_is_made_of_every_kind_is_read_as_it_was_made() {
    let made = metadata();
    let file = Bytes::from(made.encode().unwrap());
    let decoded = FlinkMetadata::decode(file.clone()).unwrap();
    assert_eq!((decoded.trailing, decoded.notes.total()), (None, 0));
    assert_eq!(decoded.metadata, made);
    assert!(decoded.metadata.encode().unwrap() == file);
}

#[test]
fn what_is_made_is_the_same_in_older_versions_without_what_they_have_no_place_for() {
    let mut made = metadata();
    for version in [MetadataVersion::V5, MetadataVersion::V4, MetadataVersion::V3] {
        made.version = version;
        for operator in &mut made.operators {
            if version < MetadataVersion::V5 {
                (operator.description.name, operator.description.uid) = (None, None);
            }
            let OperatorSubtasks::Subtasks(subtasks) = &mut operator.subtasks else { continue };
            for state in subtasks.iter_mut().filter_map(|subtask| subtask.state.as_deref_mut()) {
                state.input_channels.retain(|channel| matches!(channel, ChannelHandle::Single(_)));
                state.result_subpartitions.retain(|channel| matches!(channel, ChannelHandle::Single(_)));
            }
        }
        if version < MetadataVersion::V4 {
            made.properties = None;
        }
        assert_eq!(FlinkMetadata::decode(made.encode().unwrap().into()).unwrap().metadata, made);
    }
}
