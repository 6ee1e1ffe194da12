//! What state consists of, how much it is, and what a rescaled subtask takes of it.

use std::convert::Infallible;

use ckpt_core::id::OperatorId;
use ckpt_core::state::{
    ChannelState, FileRef, IncrementalState, InputChannel, KeyGroupsState, KeyedState, OperatorState, Partitions,
    Redistribution, ResultSubpartition, ReusedFile, Root, Sections, SharedFile, SortedMap, StateHandle, SubtaskState,
    SubtaskStateParts, TaskSnapshot,
};

use crate::common::{file, inline, name, piece, range};

fn operator_state(handle: StateHandle) -> OperatorState {
    let partitions = Partitions::new(std::iter::once(0..1), Redistribution::Split).unwrap();
    OperatorState::new([("list", partitions)].into(), handle)
}

fn key_groups(handle: StateHandle) -> KeyedState {
    KeyedState::KeyGroups(KeyGroupsState::new(range(0, 1), [0, 1], handle).unwrap())
}

fn reused() -> ReusedFile {
    ReusedFile::whole(Root::JobShared, FileRef::Ours(name(1)))
}

/// Two files below the shared root, one of them named again; a private one and the list of both.
fn incremental() -> IncrementalState {
    let shared =
        [("1.sst", SharedFile::Reused(reused())), ("2.sst", SharedFile::Written(file(Root::JobShared, 2, 200)))];
    let private = [("CURRENT", file(Root::ThisSnapshot, 3, 16))];
    IncrementalState::new(OperatorId::new([1; 16]), range(4, 7), shared.into(), private.into(), inline(5))
}

/// One piece of each kind, of sizes that can be told apart in their sum.
fn parts() -> SubtaskStateParts {
    let mut parts = SubtaskStateParts::default();
    parts.keyed = vec![KeyedState::Incremental(incremental())];
    parts.raw_keyed = vec![key_groups(file(Root::ThisSnapshot, 10, 1_000))];
    parts.operator = vec![operator_state(inline(10_000))];
    parts.raw_operator = vec![operator_state(file(Root::ThisSnapshot, 11, 100_000))];
    let sections = || Sections::new(vec![0..4, 8..9]).unwrap();
    let input = InputChannel { gate: 0, channel: 1 };
    parts.input_channels =
        vec![ChannelState::new(0, [(input, sections())].into(), file(Root::ThisSnapshot, 12, 1_000_000))];
    let output = ResultSubpartition { partition: 0, subpartition: 1 };
    parts.result_subpartitions =
        vec![ChannelState::new(0, [(output, sections())].into(), file(Root::ThisSnapshot, 13, 10_000_000))];
    parts
}

/// `OperatorSubtaskStateTest`: what a state is made of comes back, each piece is named once, and its size is their sum.
#[test]
fn the_parts_of_a_subtask_s_state_come_back_and_add_up() {
    let state = SubtaskState::from(parts());
    assert_eq!(state.size().inline_bytes, 10_005);
    assert_eq!(state.size().file_bytes, 11_101_216);
    assert_eq!(state.size().written_bytes, 11_111_221);
    assert_eq!(state.handles().count(), 8);
    let reused: Vec<_> = state.reused().collect();
    assert_eq!(reused, [&self::reused()]);
    assert_eq!(state.clone().into_parts(), parts());
    assert_eq!(SubtaskState::from(state.clone().into_parts()), state);

    // Of two operators: the sum of both.
    let two = TaskSnapshot::new([(OperatorId::new([1; 16]), state.clone()), (OperatorId::new([2; 16]), state)].into());
    assert_eq!(two.size().state_bytes(), 2 * 11_111_221);
}

/// `StateObjectCollectionTest`: empty lists are no state, whichever is not empty is.
#[test]
fn any_piece_makes_state_and_none_makes_none() {
    assert!(SubtaskState::<StateHandle>::default().is_empty());
    assert!(SubtaskState::from(SubtaskStateParts::<StateHandle>::default()).is_empty());
    let of = |state: SubtaskState| TaskSnapshot::new([(OperatorId::new([1; 16]), state)].into());
    assert!(!of(SubtaskState::default()).has_state());
    for only in 0..6 {
        let (whole, mut part) = (parts(), SubtaskStateParts::default());
        match only {
            0 => part.keyed = whole.keyed,
            1 => part.raw_keyed = whole.raw_keyed,
            2 => part.operator = whole.operator,
            3 => part.raw_operator = whole.raw_operator,
            4 => part.input_channels = whole.input_channels,
            _ => part.result_subpartitions = whole.result_subpartitions,
        }
        let state = SubtaskState::from(part);
        assert!(!state.is_empty() && of(state).has_state(), "part {only}");
    }
    // A task that had nothing left to do when it was deployed says so, and that is to be kept.
    assert!(TaskSnapshot::<StateHandle>::finished_on_restore().has_state());
    assert!(!TaskSnapshot::<StateHandle>::default().finished().has_state());
}

/// `IncrementalRemoteKeyedStateHandleTest`: a range takes it whole or not at all; what counts as written is what the
/// backend says, and a file that is named again gets the handle that is registered without counting as written.
#[test]
fn incremental_state_is_taken_whole_and_counts_what_was_written() {
    let state = incremental();
    let keyed = KeyedState::Incremental(state.clone());
    for (other, taken) in [(range(0, 3), false), (range(7, 9), true), (range(5, 5), true), (range(8, 8), false)] {
        assert_eq!(keyed.intersection(other).is_some(), taken, "{other}");
        assert!(keyed.intersection(other).is_none_or(|part| part == keyed));
    }
    assert_eq!((state.size().state_bytes(), state.size().written_bytes), (221, 221));
    let said = state.clone().with_written_bytes(60).unwrap();
    assert_eq!((said.size().state_bytes(), said.size().written_bytes), (221, 60));
    let error = state.clone().with_written_bytes(222).unwrap_err();
    assert!(error.to_string().contains("222"), "{error}");

    let filled = state.try_fill_in(&mut |found| {
        assert_eq!(*found, reused());
        Ok::<_, Infallible>(file(found.root, 1, 5_000))
    });
    let filled = filled.unwrap();
    assert_eq!((filled.size().state_bytes(), filled.size().written_bytes), (5_221, 221));
    assert_eq!(filled.reused().count(), 0);
    assert_eq!(filled.handles().count(), 4);
}

/// The changelog handles' tests: what was materialised and the changes since are pieces of one keyed state, of which a
/// subtask takes those whose key groups are its own.
#[test]
fn materialised_state_and_later_changes_are_pieces_of_one_keyed_state() {
    let change = |first, last, number| {
        let offsets = vec![0; range(first, last).count()];
        KeyedState::KeyGroups(KeyGroupsState::new(range(first, last), offsets, piece(number, 64, 30)).unwrap())
    };
    let materialised = KeyedState::Incremental(incremental());
    let state = SubtaskState::new(vec![materialised.clone(), change(4, 5, 20), change(6, 7, 21)], Vec::new());
    assert_eq!(state.size().state_bytes(), 221 + 2 * 30);
    assert_eq!(state.handles().count(), 3 + 2);
    let taken: Vec<_> = state.keyed().iter().filter_map(|keyed| keyed.intersection(range(6, 9))).collect();
    assert_eq!(taken, [materialised, change(6, 7, 21)]);
}

/// `SnapshotResultTest`: the size of a snapshot is that of what is stored of it, and nothing is nothing.
#[test]
fn a_snapshot_without_state_has_no_size() {
    let empty = TaskSnapshot::<StateHandle>::default();
    assert_eq!((empty.size().state_bytes(), empty.size().written_bytes, empty.handles().count()), (0, 0, 0));
    let nothing = SortedMap::from([(OperatorId::new([1; 16]), SubtaskState::<StateHandle>::default())]);
    assert_eq!(TaskSnapshot::new(nothing).size(), empty.size());
}
