//! State of key groups and partitions, and where it lies in its piece.

use std::io::Write as _;
use std::sync::Arc;

use ckpt_core::ErrorKind;
use ckpt_core::id::OperatorId;
use ckpt_core::key_group::{KeyGroup, KeyGroupRange};
use ckpt_core::state::{
    KeyGroupsState, KeyedState, OperatorState, Redistribution, StateHandle, SubtaskStateParts, TaskSnapshot,
};

use super::kinds_test::Copies;
use super::stream_test::{directories, options, target};
use crate::file_system::{FileSystem, MemoryFileSystem};
use crate::testing::RefusingSpawn;
use crate::{
    FileStateReader, FileStreams, KeyGroupsStream, LocalCopy, MemoryStreams, PartitionsStream, RawStateStreams,
    SnapshotStream, Staged, StateReader as _, StateScope, StreamFactory, read_section,
};

fn range(first: u16, last: u16) -> KeyGroupRange {
    KeyGroupRange::new(KeyGroup::new(first), KeyGroup::new(last)).unwrap()
}

fn simple(streams: &dyn StreamFactory) -> SnapshotStream {
    SnapshotStream::simple(streams.create(StateScope::Exclusive).unwrap())
}

fn key_groups(state: KeyedState<Staged>) -> KeyGroupsState<Staged> {
    match state {
        KeyedState::KeyGroups(state) => state,
        other => panic!("{other:?}"),
    }
}

/// Seals raw state, as a message would carry it, and gives the sections of its keyed and operator state.
fn sealed(streams: &dyn StreamFactory, parts: SubtaskStateParts<Staged>) -> (Vec<KeyedState>, Vec<OperatorState>) {
    let operator = OperatorId::new([1; 16]);
    let snapshot = streams.seal(TaskSnapshot::new([(operator, parts.into())].into())).unwrap();
    let encoded = snapshot.encode(1 << 20).unwrap();
    let decoded = TaskSnapshot::<StateHandle>::decode(&encoded, 1 << 20).unwrap();
    let (_, state) = decoded.operators().iter().next().unwrap();
    (state.raw_keyed().to_vec(), state.raw_operator().to_vec())
}

#[test]
fn each_key_group_is_read_from_its_own_offset() {
    let files: Arc<dyn FileSystem> = Arc::new(MemoryFileSystem::new());
    let streams = FileStreams::new(target(&files, Arc::new(RefusingSpawn::new())), options(100));
    let mut raw = RawStateStreams::new(&streams, Some(range(4, 9)));
    let stream = raw.keyed().unwrap();
    assert_eq!((stream.range(), stream.current_key_group(), stream.position()), (range(4, 9), None, 0));
    stream.write_all(b"head").unwrap();
    // 4 and 8 are left out, 5 has nothing, 9 is never begun.
    for (group, text) in [(5, ""), (6, "six"), (7, &"seven ".repeat(20_000))] {
        stream.start_key_group(KeyGroup::new(group)).unwrap();
        assert_eq!(stream.current_key_group(), Some(KeyGroup::new(group)));
        stream.write_all(text.as_bytes()).unwrap();
    }
    let mut parts = SubtaskStateParts::default();
    raw.finish_into(&mut parts).unwrap();
    let (keyed, operator) = sealed(&streams, parts);
    assert!(operator.is_empty());
    let [KeyedState::KeyGroups(state)] = &keyed[..] else { panic!("{keyed:?}") };
    assert_eq!(state.offsets_bytes(), [4, 4, 4, 7, 120_007, 120_007]);
    let reader = FileStateReader::new(directories(&files).into());
    let mut stream = reader.open(state.handle()).unwrap();
    for (group, expected) in [
        (4, String::new()),
        (5, String::new()),
        (6, "six".into()),
        (7, "seven ".repeat(20_000)),
        (8, String::new()),
        (9, String::new()),
    ] {
        let (first, end) = state.section_of(KeyGroup::new(group)).unwrap();
        assert!(read_section(&mut *stream, first, end).unwrap() == expected.as_bytes(), "{group}");
    }
}

#[test]
fn a_key_group_is_begun_once_in_its_range_and_in_its_order() {
    let streams = MemoryStreams::new(100);
    let mut stream = KeyGroupsStream::new(simple(&streams), range(4, 6));
    let refused = |stream: &mut KeyGroupsStream, group: u16| {
        let error = stream.start_key_group(KeyGroup::new(group)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        error.to_string()
    };
    assert_eq!(refused(&mut stream, 3), "key group 3 is none of those that are written here, 4..=6");
    assert_eq!(refused(&mut stream, 7), "key group 7 is none of those that are written here, 4..=6");
    stream.start_key_group(KeyGroup::new(5)).unwrap();
    stream.write_all(b"five").unwrap();
    let again = "key group 5 cannot begin after key group 5: groups ascend, and each begins once";
    assert_eq!(refused(&mut stream, 5), again);
    assert!(refused(&mut stream, 4).starts_with("key group 4 cannot begin after key group 5"));
    // What was refused has changed nothing.
    assert_eq!(stream.current_key_group(), Some(KeyGroup::new(5)));
    stream.write_all(b" more").unwrap();
    stream.start_key_group(KeyGroup::new(6)).unwrap();
    let state = key_groups(stream.finish().unwrap().stored.unwrap());
    assert_eq!((state.range(), state.offsets_bytes()), (range(4, 6), &[0, 0, 9][..]));
}

/// As many as a job may have. Each begins in constant time, or else this takes far too long.
#[test]
fn every_key_group_of_the_largest_range_is_begun() {
    let streams = MemoryStreams::new(1 << 20);
    let groups = range(0, 32_767);
    let mut stream = KeyGroupsStream::new(simple(&streams), groups);
    for group in groups.iter() {
        stream.start_key_group(group).unwrap();
        assert_eq!(stream.current_key_group(), Some(group));
        stream.write_all(&[1; 3]).unwrap();
    }
    let state = key_groups(stream.finish().unwrap().stored.unwrap());
    assert!(state.offsets_bytes().iter().copied().eq((0..32_768).map(|group| group * 3)));
}

#[test]
fn key_groups_without_a_byte_are_no_state() {
    let streams = MemoryStreams::new(100);
    let mut stream = KeyGroupsStream::new(simple(&streams), range(0, 3));
    for group in 0..=3 {
        stream.start_key_group(KeyGroup::new(group)).unwrap();
        stream.write_all(b"").unwrap();
    }
    assert!(stream.finish().unwrap().stored.is_none());
    KeyGroupsStream::new(simple(&streams), range(0, 3)).abort().unwrap();
    // Bytes of no group are a piece all of whose groups are empty.
    let mut head = KeyGroupsStream::new(simple(&streams), range(0, 1));
    head.write_all(b"head").unwrap();
    assert_eq!(key_groups(head.finish().unwrap().stored.unwrap()).offsets_bytes(), [4, 4]);
}

#[test]
fn state_and_copy_have_the_same_offsets() {
    let files: Arc<dyn FileSystem> = Arc::new(MemoryFileSystem::new());
    let (streams, copies) = (MemoryStreams::new(100), Copies::new(&files));
    let with_copy = || SnapshotStream::with_copy(streams.create(StateScope::Exclusive).unwrap(), copies.create());
    let mut stream = KeyGroupsStream::new(with_copy(), range(0, 2));
    for group in [0, 2] {
        stream.start_key_group(KeyGroup::new(group)).unwrap();
        stream.write_all(b"values").unwrap();
    }
    let result = stream.finish().unwrap();
    let (Some(stored), LocalCopy::Written(copy)) = (result.stored, result.local) else { panic!("the disk works") };
    let (stored, copy) = (key_groups(stored), key_groups(copy));
    assert_eq!((stored.offsets_bytes(), copy.offsets_bytes()), (&[0, 6, 6][..], &[0, 6, 6][..]));
    assert_eq!((stored.handle().length_bytes(), copy.handle().length_bytes()), (12, 12));

    let mut stream = PartitionsStream::new(with_copy());
    stream.write_all(b"all").unwrap();
    let result = stream.finish().unwrap();
    let (Some(stored), LocalCopy::Written(copy)) = (result.stored, result.local) else { panic!("the disk works") };
    assert_eq!(stored.states(), copy.states());
}

#[test]
fn partitions_lie_where_they_were_begun() {
    let streams = MemoryStreams::new(100);
    let mut raw = RawStateStreams::new(&streams, None);
    let stream = raw.operator().unwrap();
    stream.write_all(b"head").unwrap();
    for text in ["one", "", "three"] {
        stream.start_partition();
        stream.write_all(text.as_bytes()).unwrap();
    }
    assert_eq!((stream.partitions(), stream.position()), (3, 12));
    let mut parts = SubtaskStateParts::default();
    raw.finish_into(&mut parts).unwrap();
    let (keyed, operator) = sealed(&streams, parts);
    assert!(keyed.is_empty());
    let partitions = operator[0].states().get("_default_").unwrap();
    assert_eq!(partitions.ranges_bytes(), [4..7, 7..7, 7..12]);
    assert_eq!((operator[0].states().len(), partitions.redistribution()), (1, Redistribution::Split));
}

#[test]
fn what_is_written_without_a_partition_is_one_from_the_first_byte() {
    let streams = MemoryStreams::new(100);
    let mut stream = PartitionsStream::new(simple(&streams));
    stream.write_all(b"all").unwrap();
    stream.write_all(b" of it").unwrap();
    assert_eq!(stream.partitions(), 0);
    let state = stream.finish().unwrap().stored.unwrap();
    let partitions = state.states().get(PartitionsStream::STATE_NAME).unwrap();
    assert_eq!(partitions.ranges_bytes(), std::slice::from_ref(&(0..9)));
}

#[test]
fn partitions_without_a_byte_are_no_state() {
    let streams = MemoryStreams::new(100);
    let mut stream = PartitionsStream::new(simple(&streams));
    stream.start_partition();
    stream.start_partition();
    assert!(stream.finish().unwrap().stored.is_none());
    PartitionsStream::new(simple(&streams)).abort().unwrap();
}

#[test]
fn streams_of_raw_state_begin_when_they_are_asked_for() {
    let files = MemoryFileSystem::new();
    let file_system: Arc<dyn FileSystem> = Arc::new(files.clone());
    let streams = FileStreams::new(target(&file_system, Arc::new(RefusingSpawn::new())), options(0));
    let mut parts = SubtaskStateParts::default();
    RawStateStreams::new(&streams, Some(range(0, 1))).finish_into(&mut parts).unwrap();
    assert!(parts.raw_keyed.is_empty() && parts.raw_operator.is_empty());
    // Asked for twice it is the same one, and of what was begun and not used nothing comes.
    let mut raw = RawStateStreams::new(&streams, Some(range(0, 1)));
    raw.operator().unwrap();
    raw.keyed().unwrap().start_key_group(KeyGroup::new(1)).unwrap();
    raw.keyed().unwrap().write_all(b"one").unwrap();
    assert_eq!(raw.keyed().unwrap().current_key_group(), Some(KeyGroup::new(1)));
    raw.finish_into(&mut parts).unwrap();
    assert_eq!((parts.raw_keyed.len(), parts.raw_operator.len()), (1, 0));
    // Without keys there is no keyed state.
    let mut raw = RawStateStreams::new(&streams, None);
    assert_eq!(raw.keyed().unwrap_err().kind(), ErrorKind::Configuration);
    raw.operator().unwrap().write_all(b"state").unwrap();
    assert_eq!(files.paths().len(), 2);
    raw.abort().unwrap();
    drop(parts);
    assert_eq!((files.paths(), streams.counts().dropped), (vec![], 0));
    // After a cancellation none begins, and those that had begun end with an error.
    let mut raw = RawStateStreams::new(&streams, Some(range(0, 1)));
    raw.keyed().unwrap().write_all(b"head").unwrap();
    streams.cancel().wait().unwrap();
    assert_eq!(raw.operator().unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!(raw.finish_into(&mut SubtaskStateParts::default()).unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!(files.paths(), []);
}
