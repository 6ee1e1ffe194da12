//! What becomes of single pieces of state.

use bytes::Bytes;
use ckpt_core::key_group::KeyGroup;
use ckpt_core::state::{KeyedState, SubtaskReport};
use ckpt_flink::{ByteStream, ChangeKind, KeyedHandle, MergingDirectories, StreamHandle, SubtaskState};

use super::made::{ID, base, channels, file, incremental, key_groups, keyed, operator_handle, state, subtasks, text};
use super::round_trip::there_and_back;

/// Several subtasks may write data in flight into one file.
#[test]
fn data_in_flight_ends_where_that_of_another_subtask_begins() {
    let mut metadata = base();
    channels(&mut metadata, &[((0, 0), 30, &[4, 60])]);
    let mut other = metadata.clone();
    state(&mut other).input_channels.clear();
    channels(&mut other, &[((0, 0), 66, &[14, 80])]);
    let mut second = subtasks(&mut other).remove(0);
    second.index = 1;
    subtasks(&mut metadata).push(second);
    let round_trip = there_and_back("a shared file", &metadata);
    let operator = round_trip.there.metadata.operator(ID).unwrap();
    let sections = operator.subtasks().map(|subtask| {
        let (_, SubtaskReport::State(state)) = subtask.unwrap() else { panic!("it has state") };
        let [file] = state.input_channels() else { panic!("it has one file") };
        file.channels().values().next().unwrap().ranges_bytes().to_vec()
    });
    assert_eq!(sections.collect::<Vec<_>>(), [[4..14, 60..80], [14..60, 80..100]]);
    // The sizes are the sums, so they came back.
    assert!(round_trip.changes().all(|change| change.kind != ChangeKind::ChannelSize));
}

#[test]
fn of_what_is_left_out_nothing_else_is_listed() {
    let mut metadata = base();
    let stream = StreamHandle::ByteStream(ByteStream::new(text("name"), Bytes::from_static(b"12")));
    keyed(&mut metadata, key_groups(0, &[1, 9], stream));
    let changes = there_and_back("left out", &metadata).there.changes;
    let of_subtask: Vec<_> = changes.iter().filter(|change| change.place.subtask.is_some()).collect();
    let [change] = of_subtask[..] else { panic!("{of_subtask:?}") };
    assert_eq!((change.kind, change.found.as_deref()), (ChangeKind::OffsetOutOfRange, Some("9 of 2")));
    let said =
        format!("operator {ID}, subtask 0, managed keyed state: An offset is negative or beyond the end. (9 of 2)");
    assert_eq!(change.to_string(), said);
}

#[test]
fn a_key_group_without_state_has_no_bytes() {
    let mut metadata = base();
    keyed(&mut metadata, key_groups(0, &[0, 3], file(9)));
    let round_trip = there_and_back("without state", &metadata);
    let report = round_trip.there.metadata.operator(ID).unwrap().subtask(0).unwrap();
    let Some(SubtaskReport::State(state)) = report else { panic!("it has state") };
    let [KeyedState::KeyGroups(state)] = state.keyed() else { panic!("it has key groups") };
    assert_eq!(state.section_of(KeyGroup::new(0)), Some((3, Some(3))));
    assert_eq!(state.section_of(KeyGroup::new(1)), Some((3, None)));
}

/// An empty stream instead would fail Flink's restore, which reads what describes the states.
#[test]
fn a_handle_that_stands_for_its_directories_is_no_state() {
    let mut metadata = base();
    let directories = MergingDirectories::empty(text("file:/data/taskowned"), text("file:/data/shared"));
    let handle = operator_handle(&[], StreamHandle::EmptySegment).with_merging(directories);
    state(&mut metadata).managed_operator = Some(Box::new(handle));
    let mut back = there_and_back("directories", &metadata).back.metadata;
    assert_eq!(*state(&mut back), SubtaskState::default());
}

/// What was written for it may be all of it, and no more.
#[test]
fn what_was_written_for_a_checkpoint_is_carried_up_to_all_of_its_state() {
    for (written, carried) in [(0, true), (29, true), (30, true), (31, false)] {
        let mut metadata = base();
        let mut handle = incremental();
        handle.identity.as_mut().unwrap().checkpointed_size = written;
        keyed(&mut metadata, KeyedHandle::Incremental(handle.into()));
        let round_trip = there_and_back("written", &metadata);
        let listed = round_trip.there.changes.iter().any(|change| change.kind == ChangeKind::CheckpointedSize);
        assert_eq!(listed, !carried, "{written}");
    }
}
