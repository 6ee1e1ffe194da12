//! What is put is taken, and taking and checking refuse the same.

use proptest::prelude::*;

use super::*;
use crate::id::OperatorId;
use crate::key_group::{KeyGroup, KeyGroupRange};
use crate::state::{
    FileRef, HandleView, IncrementalState, KeyedState, Place, RelPath, ReusedFile, ReusedView, Root, SharedFile,
    SortedMap, StateHandle,
};
use crate::testing::strategies::{any_handle, any_subtask_state, cases};
use crate::wire::put_u64;
use crate::wire::v1::stored::{put_handle, read_handle};

/// What is told of state.
#[derive(Debug, Default, PartialEq)]
struct Told {
    handles: Vec<StateHandle>,
    reused: Vec<ReusedFile>,
    ranges: Vec<KeyGroupRange>,
}

impl Visit for Told {
    fn keyed(&mut self, range: KeyGroupRange) -> Result<(), Invalid> {
        self.ranges.push(range);
        Ok(())
    }

    fn handle(&mut self, handle: &HandleView<'_>) -> Result<(), Invalid> {
        self.handles.push(handle.to_handle());
        Ok(())
    }

    fn reused(&mut self, reused: &ReusedView<'_>) -> Result<(), Invalid> {
        self.reused.push(reused.to_reused());
        Ok(())
    }
}

fn encoded(state: &SubtaskState) -> Vec<u8> {
    let mut bytes = vec![0xee];
    put_state(&mut bytes, state, &mut Nobody).unwrap();
    bytes.split_off(1)
}

/// What taking says of bytes: the state and where it ends, or what is wrong and where.
fn taken(bytes: &[u8]) -> Result<(SubtaskState, usize), (String, usize)> {
    let mut input = Input::new(bytes);
    let state = take_state(&mut input).map_err(|flaw| (format!("{flaw:?}"), input.position()))?;
    Ok((state, input.position()))
}

/// What checking says of them.
fn checked(bytes: &[u8]) -> Result<(StateSize, Told, usize), (String, usize)> {
    let (mut input, mut told) = (Input::new(bytes), Told::default());
    let size = check_state(&mut input, &mut told).map_err(|flaw| (format!("{flaw:?}"), input.position()))?;
    Ok((size, told, input.position()))
}

/// Taking and checking say the same; and what can be taken is put as the same bytes again.
fn agree(bytes: &[u8]) {
    match (taken(bytes), checked(bytes)) {
        (Ok((state, end)), Ok((size, told, checked_end))) => {
            assert_eq!((end, state.size()), (checked_end, size));
            assert!(state.handles().eq(&told.handles));
            assert!(state.reused().eq(&told.reused));
            assert!(state.all_keyed().map(|keyed| keyed.range()).eq(told.ranges));
            assert_eq!(encoded(&state), bytes[..end]);
            // The size that was added up while reading is that of the parts.
            assert_eq!(SubtaskState::from(state.clone().into_parts()), state);
        }
        (Err(one), Err(other)) => assert_eq!(one, other),
        (one, other) => panic!("{one:?}\n{other:?}\n{bytes:?}"),
    }
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn what_is_put_is_taken(state in any_subtask_state()) {
        let bytes = encoded(&state);
        let (again, end) = taken(&bytes).unwrap();
        prop_assert_eq!(&again, &state);
        prop_assert_eq!(end, bytes.len());
        agree(&bytes);
        // What follows is not looked at, and no part of it is enough.
        agree(&[bytes.as_slice(), &[0xff]].concat());
        for end in (0..bytes.len()).rev().take(60).chain(0..bytes.len().min(20)) {
            prop_assert!(taken(&bytes[..end]).is_err());
            prop_assert!(checked(&bytes[..end]).is_err());
        }
    }

    #[test]
    fn every_changed_byte_is_refused_or_is_other_state(state in any_subtask_state(), by in 1..=255_u8) {
        let bytes = encoded(&state);
        for at in 0..bytes.len().min(100) {
            let mut changed = bytes.clone();
            changed[at] ^= by;
            agree(&changed);
            if let Ok((other, _)) = taken(&changed) {
                prop_assert_ne!(other, state.clone());
            }
        }
    }

    #[test]
    fn handles_come_back(handle in any_handle()) {
        let mut bytes = Vec::new();
        put_handle(&mut bytes, &mut Writers::none(), &handle).unwrap();
        let mut input = Input::new(&bytes);
        let view = read_handle(&mut input, &mut Writers::none()).unwrap();
        prop_assert_eq!(input.position(), bytes.len());
        prop_assert_eq!(view.digest(), handle.digest());
        prop_assert_eq!(view.to_handle(), handle.clone());
        prop_assert_eq!(handle.view().to_handle(), handle);
    }
}

#[test]
fn stored_pieces_have_bytes_and_room_for_them() {
    // A borrowed root without a digest, a file called 'a'.
    let file = |kind: u8, length_bytes: u64, offset_bytes: Option<u64>| {
        let mut bytes = vec![kind, 4, 0, 0, 1, b'a'];
        put_u64(&mut bytes, length_bytes);
        bytes.push(0);
        offset_bytes.into_iter().for_each(|offset| put_u64(&mut bytes, offset));
        let read = read_handle(&mut Input::new(&bytes), &mut Writers::none()).map(|view| view.to_handle());
        let read = read.map_err(|flaw| format!("{flaw:?}"));
        // What cannot be read cannot be written either, whoever made the handle.
        let file = FileRef::Foreign(RelPath::new("a").unwrap());
        let place = match offset_bytes {
            None => Place::File { root: Root::Borrowed(0), file },
            Some(offset_bytes) => Place::Segment { root: Root::Borrowed(0), file, offset_bytes },
        };
        let handle = StateHandle::assume_durable(place, length_bytes, None);
        let mut put = Vec::new();
        let written = put_handle(&mut put, &mut Writers::none(), &handle);
        assert_eq!(written.is_ok(), read.is_ok(), "{read:?}");
        if let Ok(read) = &read {
            assert_eq!((read, &put), (&handle, &bytes));
        }
        read.map(drop)
    };
    for (length_bytes, offset_bytes) in [(1, None), (u64::MAX, None), (1, Some(u64::MAX - 1)), (u64::MAX, Some(0))] {
        file(1 + u8::from(offset_bytes.is_some()), length_bytes, offset_bytes).unwrap();
    }
    for (length_bytes, offset_bytes, expected) in [
        (0, None, "the length of a stored piece"),
        (0, Some(0), "the length of a stored piece"),
        (0, Some(u64::MAX), "the length of a stored piece"),
        (1, Some(u64::MAX), "the end of a segment"),
        (2, Some(u64::MAX - 1), "the end of a segment"),
    ] {
        let refused = file(1 + u8::from(offset_bytes.is_some()), length_bytes, offset_bytes).unwrap_err();
        assert!(refused.contains(expected), "{refused}");
    }
}

/// A number that is cut to its width would name another file.
#[test]
fn numbers_above_their_width_are_refused() {
    let handle = |root: u64, number: u64| {
        let mut bytes = vec![1, 4];
        put_u64(&mut bytes, root);
        bytes.extend([1, 1, 1]);
        put_u64(&mut bytes, number);
        bytes.extend([9, 0]);
        read_handle(&mut Input::new(&bytes), &mut Writers::none()).map(|view| view.to_handle())
    };
    let (root, number) = (u64::from(u16::MAX), u64::from(u32::MAX));
    handle(root, number).unwrap();
    assert!(handle(root + 1, number).is_err() && handle(root, number + 1).is_err());
    let range = |first: u64, last: u64| {
        let mut bytes = Vec::new();
        [first, last].into_iter().for_each(|group| put_u64(&mut bytes, group));
        read_range(&mut Input::new(&bytes)).map(|range| range.count())
    };
    assert!(range(1, 2).is_ok() && range(1 << 16, (1 << 16) + 1).is_err() && range(1, (1 << 16) + 2).is_err());
}

#[test]
fn a_piece_is_named_again_where_one_can_begin() {
    let state = |offset_bytes| {
        let file = FileRef::Foreign(RelPath::new("a").unwrap());
        let reused = SharedFile::Reused(ReusedFile::segment(Root::Borrowed(0), file, offset_bytes));
        let range = KeyGroupRange::new(KeyGroup::new(0), KeyGroup::new(0)).unwrap();
        let meta = StateHandle::inline(Default::default());
        let files =
            IncrementalState::new(OperatorId::new([0; 16]), range, [("a", reused)].into(), SortedMap::default(), meta);
        SubtaskState::new(vec![KeyedState::Incremental(files)], Vec::new())
    };
    let bytes = encoded(&state(u64::MAX - 1));
    agree(&bytes);
    let refused = put_state(&mut Vec::new(), &state(u64::MAX), &mut Nobody).unwrap_err();
    assert!(format!("{refused:?}").contains("the end of a segment"), "{refused:?}");
    // The same where it is read: the number differs in its lowest bits, which stand first.
    let (mut number, mut last) = (Vec::new(), bytes);
    put_u64(&mut number, u64::MAX - 1);
    let at = last.windows(number.len()).position(|window| window == number).unwrap();
    last[at] |= 1;
    let (refused, _) = taken(&last).unwrap_err();
    assert!(refused.contains("the end of a segment"), "{refused}");
    agree(&last);
}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn taking_and_checking_refuse_the_same(
        state in any_subtask_state(),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>(), 0..4_u8), 1..4),
    ) {
        let mut bytes = encoded(&state);
        for (at, byte, change) in changes {
            let at = at.index(bytes.len() + 1).min(bytes.len());
            match change {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, byte),
                _ => bytes.get_mut(at).into_iter().for_each(|changed| *changed = byte),
            }
            if bytes.is_empty() {
                break;
            }
        }
        agree(&bytes);
    }
}
