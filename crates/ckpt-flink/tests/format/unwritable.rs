//! Values that a version has no place for, or that Flink would refuse to read.

use bytes::Bytes;
use ckpt_core::ErrorKind;
use ckpt_flink::{
    ByteStream, ChannelEntry, ChannelHandle, ChannelInfo, CheckpointedStateScope, FileHandle, FlinkMetadata,
    InputChannelInfo, JavaText, KeyGroupOffsets, KeyGroupRange, KeyGroupsHandle, KeyGroupsKind, KeyedHandle,
    MasterState, MergedChannels, MetadataVersion, OperatorDescription, OperatorHandle, OperatorState, OperatorSubtasks,
    RelativeFileHandle, SegmentHandle, SingleChannel, StoredProperties, StreamHandle, Subtask, SubtaskState,
};

use super::by_hand;
use super::samples::sample_file;

const OPERATOR: &str = "operator 112233445566778899aabbccddeeff00 cannot be written";

fn sample(version: MetadataVersion) -> FlinkMetadata {
    FlinkMetadata::decode(sample_file(version)).unwrap().metadata
}

/// What the error says, and what its sources say.
fn refusal(metadata: &FlinkMetadata) -> Vec<String> {
    let error = metadata.encode().expect_err("it is refused");
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let mut texts = vec![error.to_string()];
    let mut source = std::error::Error::source(&error);
    while let Some(error) = source {
        texts.push(error.to_string());
        source = error.source();
    }
    texts
}

/// The sample of version 6, in which something was changed.
fn changed(change: impl FnOnce(&mut FlinkMetadata)) -> FlinkMetadata {
    let mut metadata = sample(MetadataVersion::V6);
    change(&mut metadata);
    metadata
}

fn with_state(state: SubtaskState) -> FlinkMetadata {
    let mut metadata = FlinkMetadata::new(MetadataVersion::V3, 1);
    let description = OperatorDescription::new(ckpt_core::id::OperatorId::new([7; 16]), 1, 1);
    let subtasks = OperatorSubtasks::Subtasks(vec![Subtask::with_state(0, state)]);
    metadata.operators.push(OperatorState::new(description, subtasks));
    metadata
}

#[test]
fn what_older_versions_have_no_place_for_is_named() {
    let of = |version, change: fn(&mut FlinkMetadata)| {
        let mut metadata = sample(MetadataVersion::V6);
        metadata.version = version;
        change(&mut metadata);
        refusal(&metadata)
    };
    assert_eq!(
        of(MetadataVersion::V5, |_| {}),
        [
            OPERATOR,
            "subtask 1 cannot be written",
            "metadata of version 5 has no place for merged handles of data in flight, expected at least version 6"
        ]
    );
    let no_place = "metadata of version 4 has no place for the name of an operator, expected at least version 5";
    assert_eq!(of(MetadataVersion::V4, |_| {}), [OPERATOR, no_place]);
    let no_place = "metadata of version 4 has no place for the uid of an operator, expected at least version 5";
    assert_eq!(of(MetadataVersion::V4, |it| it.operators[0].description.name = None), [OPERATOR, no_place]);
    assert_eq!(
        of(MetadataVersion::V3, |metadata| metadata.operators.clear()),
        ["metadata of version 3 has no place for properties, expected at least version 4"]
    );
    assert_eq!(
        of(MetadataVersion::V4, |metadata| (metadata.operators, metadata.properties) = (Vec::new(), None)),
        ["the value of the properties is missing, expected something, if only null, from version 4 on"]
    );
    assert_eq!(of(MetadataVersion::V2, |_| {}), ["metadata of version 2 can be read only, expected one of 3 to 6"]);
}

#[test]
fn what_flink_would_refuse_to_read_is_named() {
    assert_eq!(refusal(&changed(|it| it.checkpoint_id = -1)), ["the checkpoint id is -1, expected at least 0"]);
    assert_eq!(
        refusal(&changed(|it| it.operators[0].description.parallelism = 129)),
        [OPERATOR, "the parallelism is 129, expected at most the maximum of 128"]
    );
    assert_eq!(
        refusal(&changed(|it| it.operators[0].description.parallelism = 3)),
        [OPERATOR, "the index of a subtask is 3, expected at least 0 and below the parallelism of 3"]
    );
    assert_eq!(
        refusal(&changed(|it| it.operators[0].description.uid = Some(JavaText::default()))),
        [OPERATOR, "the uid of an operator is empty, expected none or some text"]
    );
    assert_eq!(
        refusal(&changed(|it| it.operators[0].subtasks = OperatorSubtasks::FullyFinished)),
        [OPERATOR, "the state of the coordinator is there, expected none, since all subtasks are finished"]
    );
    let merged = changed(|it| {
        let OperatorSubtasks::Subtasks(subtasks) = &mut it.operators[0].subtasks else { panic!("it has subtasks") };
        let state = subtasks[1].state.as_deref_mut().unwrap();
        let file = OperatorHandle::new(Vec::new(), StreamHandle::ByteStream(byte_stream()));
        state.managed_operator.as_deref_mut().unwrap().delegate = file.delegate;
    });
    assert_eq!(
        refusal(&merged)[2],
        "the stream of operator state is another handle, expected a segment of a file, since its directories are given"
    );
}

fn byte_stream() -> ByteStream {
    ByteStream::new(JavaText::new("x").unwrap(), Bytes::from_static(b"y"))
}

#[test]
fn key_groups_below_0_are_refused() {
    let key_groups = KeyGroupOffsets::new(-1, vec![0]);
    let handle = KeyGroupsHandle::new(KeyGroupsKind::Savepoint, key_groups, StreamHandle::EmptySegment);
    let mut state = SubtaskState::default();
    state.managed_keyed = Some(Box::new(KeyedHandle::KeyGroups(handle)));
    assert_eq!(refusal(&with_state(state))[2], "the first key group is -1, expected at least 0");
}

#[test]
fn sizes_below_the_one_that_is_unknown_are_refused() {
    let path = || JavaText::new("file:/a").unwrap();
    let scope = CheckpointedStateScope::Exclusive;
    let streams = |size| {
        [
            StreamHandle::File(FileHandle::new(path(), size)),
            StreamHandle::RelativeFile(RelativeFileHandle::new(path(), size)),
            StreamHandle::Segment(Box::new(SegmentHandle::new(path(), 0, size, scope, path()))),
        ]
    };
    let info = InputChannelInfo::of_numbers([0, 0]);
    let states = |size| {
        let mut states = streams(size).map(|stream| {
            let key_groups = KeyGroupOffsets::new(0, vec![]);
            let handle = KeyGroupsHandle::new(KeyGroupsKind::Savepoint, key_groups, stream);
            let mut state = SubtaskState::default();
            state.managed_keyed = Some(Box::new(KeyedHandle::KeyGroups(handle)));
            state
        });
        let mut channel = SubtaskState::default();
        let single = SingleChannel::new(0, info, Vec::new(), size, StreamHandle::EmptySegment);
        channel.input_channels.push(ChannelHandle::Single(single));
        states.iter_mut().map(std::mem::take).chain([channel]).collect::<Vec<_>>()
    };
    for state in states(-1) {
        assert!(with_state(state).encode().is_ok());
    }
    for state in states(-2) {
        let expected = "a state size is -2, expected at least 0, or -1 where it is unknown";
        assert_eq!(refusal(&with_state(state))[2], expected);
    }
    let entry = [ChannelEntry::new(info, -2, Vec::new())];
    assert!(MergedChannels::<_, Bytes>::new(0, &entry, StreamHandle::EmptySegment).is_err());
}

/// What can be written can be read.
#[test]
fn handles_deeper_than_can_be_read_are_refused() {
    let nested = |depth: usize| {
        let keyed = by_hand::keyed_in(3, by_hand::Bytes::new().u8(7).i32(0).i32(0).u8(3).i32(0).i32(0).u8(16));
        let mut metadata = FlinkMetadata::decode(keyed.into()).unwrap().metadata;
        let OperatorSubtasks::Subtasks(subtasks) = &mut metadata.operators[0].subtasks else { panic!("subtasks") };
        let keyed = subtasks[0].state.as_deref_mut().unwrap().managed_keyed.as_deref_mut();
        let Some(KeyedHandle::KeyGroups(handle)) = keyed else { panic!("key groups") };
        let one = handle.delegate.clone();
        for _ in 1..depth {
            let StreamHandle::KeyGroups(mut outer) = one.clone() else { panic!("key groups") };
            outer.delegate = handle.delegate.clone();
            handle.delegate = StreamHandle::KeyGroups(outer);
        }
        metadata
    };
    let deepest = nested(32);
    assert_eq!(FlinkMetadata::decode(deepest.encode().unwrap().into()).unwrap().metadata, deepest);
    assert_eq!(refusal(&nested(33))[2], "a stream of key groups is one more in one another, expected at most 32");
}

#[test]
fn what_is_made_is_read_as_it_was_made() {
    let info = InputChannelInfo::of_numbers([2, 5]);
    let entries =
        [ChannelEntry::new(info, 7, vec![4, 11]), ChannelEntry::new(InputChannelInfo::of_numbers([2, 6]), 1, vec![])];
    let merged = MergedChannels::new(3, &entries, StreamHandle::EmptySegment).unwrap();
    assert_eq!((merged.state_size, merged.channels().unwrap()), (8, entries.to_vec()));
    let mut state = SubtaskState::default();
    state.input_channels.push(ChannelHandle::Merged(merged));
    let mut metadata = with_state(state);
    metadata.version = MetadataVersion::V6;
    metadata.properties = Some(StoredProperties::null());
    metadata.master_states.push(MasterState::new(1, JavaText::new("hook").unwrap(), Bytes::from_static(b"state")));
    let decoded = FlinkMetadata::decode(metadata.encode().unwrap().into()).unwrap();
    assert_eq!((decoded.metadata, decoded.trailing, decoded.notes.total()), (metadata, None, 0));

    let huge = [ChannelEntry::new(info, i64::MAX, vec![]), ChannelEntry::new(info, 1, vec![])];
    let error = MergedChannels::<_, Bytes>::new(0, &huge, StreamHandle::EmptySegment).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
}

#[test]
fn merged_channels_that_cannot_be_decoded_say_where() {
    let entry = ChannelEntry::new(InputChannelInfo::of_numbers([0, 0]), 1, vec![4]);
    let mut merged = MergedChannels::<_, Bytes>::new(0, &[entry], StreamHandle::EmptySegment).unwrap();
    let whole = merged.serialized_channels.clone();
    for length in 0..whole.len() {
        merged.serialized_channels = whole.slice(..length);
        let error = merged.channels().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
    }
    merged.serialized_channels = [&whole[..], &[0]].concat().into();
    let error = merged.channels().unwrap_err().to_string();
    assert!(
        error.ends_with("serialized channels, end at byte 32 is 1 more bytes, expected nothing behind it"),
        "{error}"
    );
}

#[test]
fn a_range_of_key_groups_may_be_empty_in_three_ways() {
    assert_eq!(KeyGroupRange::new(3, 2).groups(), Some(3..=4));
    for (start, count) in [(3, 0), (3, -1), (0, i32::MIN), (i32::MAX, 2)] {
        assert_eq!(KeyGroupRange::new(start, count).groups(), None);
    }
}
