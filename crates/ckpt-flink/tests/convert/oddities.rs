//! What Flink's files may say and ours cannot: each kind of change, made by hand.

use std::collections::BTreeSet;

use bytes::Bytes;
use ckpt_core::id::OperatorId;
use ckpt_flink::{
    ByteStream, ChangeKind, ChannelHandle, CheckpointProperties, Direction, Field, FileHandle, FlinkMetadata,
    KeyGroupOffsets, KeyGroupsHandle, KeyGroupsKind, KeyGroupsStream, KeyedHandle, LocalPathAndHandle, MasterState,
    MergingDirectories, OperatorDescription, OperatorState, OperatorSubtasks, PostCheckpointAction, RelativeFileHandle,
    SavepointFormat, SingleChannel, SnapshotType, StoredProperties, StreamHandle, Subtask,
};

use super::from_flink::files;
use super::made::{
    base, changelog, channel, channels, file, incremental, key_groups, keyed, managed, no_unicode, operator_handle,
    overlong, segment, state, subtasks, text,
};
use super::round_trip::{context, there_and_back};

type Case = (Field, ChangeKind, fn(&mut FlinkMetadata));

fn cases() -> Vec<Case> {
    use ChangeKind as Kind;
    use Field::{InputChannels, ManagedKeyed, ManagedOperator, MasterStates, RawKeyed};
    vec![
        (Field::Identity, Kind::MadeUpIdentity, |_| {}),
        (Field::Identity, Kind::CheckpointIdZero, |it| it.checkpoint_id = 0),
        (Field::Properties, Kind::UnknownProperties, |it| it.properties = Some(StoredProperties::null())),
        (Field::Properties, Kind::SnapshotKind, |it| {
            let native = SnapshotType::savepoint(SavepointFormat::Native, PostCheckpointAction::Suspend);
            it.properties = Some(StoredProperties::new(CheckpointProperties::new(native)));
        }),
        (Field::Properties, Kind::DiscardFlags, |it| {
            it.properties = Some(StoredProperties::new(CheckpointProperties::new(SnapshotType::checkpoint())));
        }),
        (Field::Properties, Kind::PropertiesBytes, |it| {
            // Another build of Flink has another number there.
            let number = [0xd6, 0xde, 0x4f, 0x03, 0x05, 0xae, 0x1d, 0x3a];
            let mut file = it.encode().unwrap();
            let at = file.windows(8).position(|window| window == number).unwrap();
            file[at] = 0;
            *it = FlinkMetadata::decode(file.into()).unwrap().metadata;
        }),
        (Field::Operators, Kind::Order, |it| {
            let description = OperatorDescription::new(OperatorId::new([4; 16]), 1, 1);
            it.operators.push(OperatorState::new(description, OperatorSubtasks::FullyFinished));
        }),
        (Field::Subtasks, Kind::Order, |it| subtasks(it).insert(0, Subtask::finished(1))),
        (MasterStates, Kind::Order, |it| {
            it.master_states = ["b", "a"].map(|name| MasterState::new(1, text(name), Bytes::new())).to_vec();
        }),
        (Field::Name, Kind::OperatorName, |it| it.operators[0].description.name = Some(text(&"ä".repeat(600)))),
        (Field::Name, Kind::OperatorName, |it| it.operators[0].description.name = Some(no_unicode())),
        (Field::Name, Kind::TextEncoding, |it| it.operators[0].description.name = Some(overlong())),
        (Field::Uid, Kind::OperatorUid, |it| it.operators[0].description.uid = Some(text(&"u".repeat(1_025)))),
        (Field::Uid, Kind::OperatorUid, |it| it.operators[0].description.uid = Some(no_unicode())),
        (Field::Operators, Kind::Parallelism, |it| {
            it.operators[0].description.parallelism = 0;
            subtasks(it).clear();
        }),
        (Field::Operators, Kind::Parallelism, |it| it.operators[0].description.max_parallelism = 32_769),
        (Field::Operators, Kind::DuplicateOperator, |it| it.operators.push(it.operators[0].clone())),
        (Field::Subtasks, Kind::DuplicateSubtask, |it| subtasks(it).push(Subtask::finished(0))),
        (Field::Subtasks, Kind::AllFinished, |it| {
            *subtasks(it) = vec![Subtask::finished(0), Subtask::finished(1)];
        }),
        (Field::Coordinator, Kind::CoordinatorOfFinished, |it| {
            *subtasks(it) = vec![Subtask::finished(0), Subtask::finished(1)];
            it.operators[0].description.coordinator = Some(ByteStream::new(text("c"), Bytes::from_static(b"1")));
        }),
        (MasterStates, Kind::MasterStateVersion, |it| {
            it.master_states.push(MasterState::new(-1, text("a"), Bytes::from_static(b"1")));
        }),
        (MasterStates, Kind::MasterStateName, |it| {
            it.master_states.push(MasterState::new(1, text(" "), Bytes::from_static(b"1")));
        }),
        (MasterStates, Kind::MasterStateName, |it| {
            it.master_states.push(MasterState::new(1, no_unicode(), Bytes::from_static(b"1")));
        }),
        (MasterStates, Kind::DuplicateMasterState, |it| {
            it.master_states = [1, 2].map(|version| MasterState::new(version, text("a"), Bytes::new())).to_vec();
        }),
        (ManagedOperator, Kind::HandleName, |it| {
            managed(it, StreamHandle::ByteStream(ByteStream::new(text("name"), Bytes::from_static(b"12"))));
        }),
        (ManagedOperator, Kind::EmptyFile, |it| managed(it, file(0))),
        (ManagedOperator, Kind::EmptyFile, |it| {
            managed(it, StreamHandle::RelativeFile(RelativeFileHandle::new(text("a"), 0)));
        }),
        (ManagedOperator, Kind::EmptyFile, |it| managed(it, segment(3, 0))),
        (ManagedOperator, Kind::EmptySegment, |it| managed(it, StreamHandle::EmptySegment)),
        (ManagedOperator, Kind::EmptySegment, |it| {
            let directories = MergingDirectories::empty(text("file:/data/taskowned"), text("file:/data/shared"));
            let handle = operator_handle(&[], StreamHandle::EmptySegment).with_merging(directories);
            state(it).managed_operator = Some(Box::new(handle));
        }),
        (ManagedOperator, Kind::SegmentIdentity, |it| managed(it, segment(3, 4))),
        (ManagedOperator, Kind::SegmentStart, |it| managed(it, segment(-1, 4))),
        (ManagedOperator, Kind::SizeUnknown, |it| managed(it, file(-1))),
        (ManagedOperator, Kind::Path, |it| {
            managed(it, StreamHandle::RelativeFile(RelativeFileHandle::new(text("../a"), 9)));
        }),
        (ManagedOperator, Kind::Path, |it| {
            managed(it, StreamHandle::File(FileHandle::new(text("s3://user:secret@bucket/a"), 9)));
        }),
        (ManagedOperator, Kind::PathSpelling, |it| {
            managed(it, StreamHandle::File(FileHandle::new(text("/data/chk-7/file"), 9)));
        }),
        (ManagedOperator, Kind::PathSpelling, |it| {
            managed(it, StreamHandle::File(FileHandle::new(text("S3://bucket/file"), 9)));
        }),
        (ManagedOperator, Kind::DuplicateState, |it| {
            let twice = operator_handle(&[("a", &[0]), ("a", &[5])], file(9));
            state(it).managed_operator = Some(Box::new(twice));
        }),
        (ManagedOperator, Kind::StateName, |it| {
            state(it).managed_operator = Some(Box::new(operator_handle(&[(&"n".repeat(1_025), &[0])], file(9))));
        }),
        (ManagedOperator, Kind::OffsetOrder, |it| {
            state(it).managed_operator = Some(Box::new(operator_handle(&[("a", &[5, 0])], file(9))));
        }),
        (ManagedOperator, Kind::OffsetOutOfRange, |it| {
            state(it).managed_operator = Some(Box::new(operator_handle(&[("a", &[10])], file(9))));
        }),
        (ManagedOperator, Kind::MergingDirectories, |it| {
            let directories = MergingDirectories::new(text("file:/data/taskowned"), text("file:/data/shared"));
            let handle = operator_handle(&[("list", &[0])], segment(3, 4)).with_merging(directories);
            state(it).managed_operator = Some(Box::new(handle));
        }),
        (ManagedKeyed, Kind::KeyGroupsStream, |it| {
            let outer = KeyGroupsStream::new(KeyGroupOffsets::new(0, vec![3, 4]), file(9));
            keyed(it, key_groups(0, &[1, 2], StreamHandle::KeyGroups(Box::new(outer))));
        }),
        (ManagedKeyed, Kind::StateHandleId, |it| keyed(it, key_groups(0, &[1, 2], file(9)))),
        (ManagedKeyed, Kind::KeyGroupsKind, |it| {
            let offsets = KeyGroupOffsets::new(0, vec![1, 2]);
            keyed(it, KeyedHandle::KeyGroups(KeyGroupsHandle::new(KeyGroupsKind::Savepoint, offsets, file(9))));
        }),
        (ManagedKeyed, Kind::KeyGroupOffsets, |it| keyed(it, key_groups(0, &[-1, 2], file(9)))),
        (RawKeyed, Kind::KeyGroupOffsets, |it| {
            state(it).raw_keyed = Some(Box::new(key_groups(0, &[2, 2], file(9))));
        }),
        (ManagedKeyed, Kind::OffsetOrder, |it| keyed(it, key_groups(0, &[3, 2], file(9)))),
        (ManagedKeyed, Kind::OffsetOutOfRange, |it| keyed(it, key_groups(0, &[3, 10], file(9)))),
        (ManagedKeyed, Kind::EmptyKeyGroupRange, |it| keyed(it, key_groups(0, &[], file(9)))),
        (ManagedKeyed, Kind::KeyGroupsElsewhere, |it| keyed(it, key_groups(1, &[1, 2], file(9)))),
        (ManagedKeyed, Kind::KeyGroupsElsewhere, |it| keyed(it, key_groups(70_000, &[1], file(9)))),
        (ManagedKeyed, Kind::IncrementalIdentity, |it| keyed(it, KeyedHandle::Incremental(incremental().into()))),
        (ManagedKeyed, Kind::CheckpointedSize, |it| {
            let mut handle = incremental();
            handle.identity.as_mut().unwrap().checkpointed_size = -1;
            keyed(it, KeyedHandle::Incremental(handle.into()));
        }),
        (ManagedKeyed, Kind::CheckpointedSize, |it| {
            let mut handle = incremental();
            handle.identity = None;
            keyed(it, KeyedHandle::Incremental(handle.into()));
        }),
        (ManagedKeyed, Kind::DuplicateFile, |it| {
            let mut handle = incremental();
            handle.shared.push(handle.shared[0].clone());
            keyed(it, KeyedHandle::Incremental(handle.into()));
        }),
        (ManagedKeyed, Kind::Order, |it| {
            let mut handle = incremental();
            handle.shared.push(LocalPathAndHandle::new(text("0.sst"), file(20)));
            keyed(it, KeyedHandle::Incremental(handle.into()));
        }),
        (ManagedKeyed, Kind::Changelog, |it| {
            let mut handle = changelog();
            handle.materialized = vec![Some(Box::new(key_groups(0, &[1, 2], file(9)))), None];
            handle.non_materialized.clear();
            keyed(it, KeyedHandle::Changelog(handle));
        }),
        (ManagedKeyed, Kind::ChangelogChanges, |it| {
            let mut handle = changelog();
            handle.non_materialized = vec![Some(Box::new(key_groups(0, &[1, 2], file(9))))];
            keyed(it, KeyedHandle::Changelog(handle));
        }),
        (InputChannels, Kind::ChannelSize, |it| channels(it, &[((0, 0), 50, &[4])])),
        (InputChannels, Kind::ChannelSize, |it| {
            channels(it, &[((0, 0), 96, &[4])]);
            let ChannelHandle::Merged(merged) = &mut state(it).input_channels[0] else { panic!("it is merged") };
            merged.state_size = 97;
        }),
        (InputChannels, Kind::Order, |it| channels(it, &[((0, 1), 46, &[54]), ((0, 0), 50, &[4])])),
        (InputChannels, Kind::ChannelNumbers, |it| channels(it, &[((0, -1), 96, &[4])])),
        (InputChannels, Kind::ChannelNumbers, |it| channels(it, &[((0, 0), 50, &[4]), ((0, 0), 46, &[54])])),
        (InputChannels, Kind::OffsetOutOfRange, |it| channels(it, &[((0, 0), 50, &[101])])),
        (InputChannels, Kind::SerializedChannels, |it| {
            channels(it, &[((0, 0), 96, &[4])]);
            let ChannelHandle::Merged(merged) = &mut state(it).input_channels[0] else { panic!("it is merged") };
            merged.serialized_channels = merged.serialized_channels.slice(1..);
        }),
        (InputChannels, Kind::ChannelForm, |it| {
            let single = SingleChannel::new(0, channel(0, 1), vec![4], 96, file(100));
            state(it).input_channels.push(ChannelHandle::Single(single));
        }),
    ]
}

#[test]
fn each_kind_of_change_is_listed_at_its_place() {
    let mut seen = BTreeSet::new();
    for (field, kind, edit) in cases() {
        let mut metadata = base();
        edit(&mut metadata);
        let round_trip = there_and_back(&format!("{kind:?} of {field}"), &metadata);
        let found = round_trip.there.changes.iter().find(|change| change.kind == kind);
        let found = found.unwrap_or_else(|| panic!("{kind:?} of {field}: {:?}", round_trip.there.changes));
        assert_eq!(found.place.field, field, "{kind:?}");
        seen.insert(kind);
    }
    // What only files of other versions or Java's serializer have, fixtures have.
    for (name, file) in files() {
        let metadata = FlinkMetadata::decode(file).unwrap().metadata;
        seen.extend(there_and_back(&name, &metadata).there.changes.iter().map(|change| change.kind));
    }
    let from_flink = ChangeKind::ALL.iter().filter(|kind| kind.direction() != Direction::ToFlink);
    let missing: Vec<_> = from_flink.filter(|kind| !seen.contains(kind)).collect();
    // No file that can be read has a subtask beyond the parallelism.
    assert_eq!(missing, [&ChangeKind::SubtaskOutOfRange]);
    let to_flink_alone = seen.iter().find(|kind| kind.direction() == Direction::ToFlink);
    assert_eq!(to_flink_alone, None);
}

#[test]
fn a_subtask_beyond_the_parallelism_is_left_out() {
    let mut metadata = base();
    subtasks(&mut metadata).push(Subtask::finished(2));
    let there = ckpt_flink::to_checkpoint(&metadata, &context()).unwrap();
    let left_out: Vec<_> = there.not_carried().map(|change| (change.kind, change.found.as_deref())).collect();
    assert_eq!(left_out, [(ChangeKind::SubtaskOutOfRange, Some("2"))]);
}

#[test]
fn a_secret_in_a_path_is_shown_nowhere() {
    let mut metadata = base();
    managed(&mut metadata, StreamHandle::File(FileHandle::new(text("s3://user:hunter2@bucket/a"), 9)));
    let there = ckpt_flink::to_checkpoint(&metadata, &context()).unwrap();
    assert!(there.not_carried().any(|change| change.kind == ChangeKind::Path));
    assert!(!format!("{there:?}").contains("hunter2"));
}
