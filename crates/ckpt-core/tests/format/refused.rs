//! What could not be read again is not written.

use bytes::Bytes;
use ckpt_core::ErrorKind;
use ckpt_core::id::{LeaderEpoch, OperatorId, Writer, WriterId};
use ckpt_core::key_group::MaxParallelism;
use ckpt_core::metadata::{
    CheckpointDescription, CheckpointMetadata, MasterState, MetadataBuilder, MetadataWriter, OperatorDescription,
};
use ckpt_core::state::{
    FileRef, KeyGroupsState, KeyedState, OperatorState, Place, RelPath, Root, StateHandle, SubtaskState,
    SubtaskStateParts,
};
use ckpt_core::{Digest, Timestamp};

use crate::metadata_samples::{fixed_description, fixed_operator, savepoint_description, state_of_all_other_kinds};
use crate::samples::{fixed_state, range, with_reused};

/// What is refused of the golden checkpoint, whose one operator was changed or has other state.
fn refusal(change: impl FnOnce(&mut CheckpointDescription, &mut OperatorDescription, &mut SubtaskState)) -> String {
    let (mut description, mut operator, mut state) = (fixed_description(), fixed_operator(), fixed_state());
    change(&mut description, &mut operator, &mut state);
    let build = || {
        let mut builder = CheckpointMetadata::builder(description)?;
        builder.operator(&operator)?.subtask(0, &state)?;
        builder.finish(Timestamp::from_millis(2))
    };
    let error = build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AbortCheckpoint, "{error}");
    error.to_string()
}

fn refusal_of_state(change: impl FnOnce(&mut SubtaskState)) -> String {
    refusal(|_, _, state| change(state))
}

fn file(root: Root, length_bytes: u64, digest: Option<Digest>) -> StateHandle {
    let file = FileRef::Ours(Writer::new(LeaderEpoch::new(1), WriterId::new(2)).file(3));
    StateHandle::assume_durable(Place::File { root, file }, length_bytes, digest)
}

fn segment(length_bytes: u64, offset_bytes: u64) -> StateHandle {
    let file = FileRef::Ours(Writer::new(LeaderEpoch::new(1), WriterId::new(2)).file(3));
    let place = Place::Segment { root: Root::ThisSnapshot, file, offset_bytes };
    StateHandle::assume_durable(place, length_bytes, Some(Digest::of(b"")))
}

fn with_operator_state(handle: StateHandle) -> impl FnOnce(&mut SubtaskState) {
    move |state| change(state, |parts| parts.operator.push(OperatorState::new(Default::default(), handle)))
}

fn change(state: &mut SubtaskState, change: impl FnOnce(&mut SubtaskStateParts)) {
    let mut parts = std::mem::take(state).into_parts();
    change(&mut parts);
    *state = parts.into();
}

#[test]
fn state_that_could_not_be_read_again_is_not_written() {
    let digest = Some(Digest::of(b""));
    let inline = |length_bytes, digest| {
        let handle = StateHandle::assume_durable(Place::Inline(Bytes::from_static(b"state")), length_bytes, digest);
        refusal_of_state(with_operator_state(handle))
    };
    let of_inline = Digest::of(b"state");
    for (refusal, expected) in [
        (inline(5, None), &*format!("the digest of an inline handle is absent, expected {of_inline}")),
        (inline(5, digest), &*format!("the digest of an inline handle is {}, expected {of_inline}", Digest::of(b""))),
        (inline(6, Some(of_inline)), "the length of a handle is 6, expected that of its 5 inline bytes"),
        (refusal_of_state(with_operator_state(file(Root::ThisSnapshot, 5, None))), "the digest of a handle is absent"),
        (
            refusal_of_state(with_operator_state(file(Root::ThisSnapshot, 0, digest))),
            "the length of a stored piece is 0, expected at least 1",
        ),
        (
            refusal_of_state(with_operator_state(segment(0, u64::MAX))),
            "the length of a stored piece is 0, expected at least 1",
        ),
        (
            refusal_of_state(with_operator_state(segment(1, u64::MAX))),
            "the end of a segment is 18446744073709551615 + 1, expected a number of 64 bits",
        ),
        (
            refusal_of_state(with_operator_state(file(Root::Borrowed(1), 5, digest))),
            "expected one whose place is given",
        ),
        (
            refusal_of_state(with_operator_state({
                let file = FileRef::Foreign(RelPath::new("chk-1/a").unwrap());
                StateHandle::assume_durable(Place::File { root: Root::JobShared, file }, 5, digest)
            })),
            "the name of a file is chk-1/a, expected a name of ours, since it lies below the job's directory of shared files",
        ),
        (
            refusal(|_, operator, _| operator.parallelism = 4),
            "a range of key groups is 4..=42, expected none outside of 0..=31, the key groups of the subtask",
        ),
        (
            refusal_of_state(|state| {
                let short = file(Root::ThisSnapshot, 9, digest);
                let groups = KeyGroupsState::new(range(1, 2), vec![0, 10], short).unwrap();
                change(state, |parts| parts.keyed.push(KeyedState::KeyGroups(groups)));
            }),
            "an offset is 10, expected at most 9, the length of the piece",
        ),
        (
            refusal_of_state(|state| *state = with_reused(std::mem::take(state))),
            "without a handle, expected one with the handle it was written with",
        ),
    ] {
        assert!(refusal.contains(expected), "{refusal}");
    }
}

/// What is refused of metadata that consists of those operators.
fn refusal_of(build: impl FnOnce(&mut MetadataBuilder) -> ckpt_core::Result<()>) -> String {
    let mut builder = CheckpointMetadata::builder(fixed_description()).unwrap();
    let built = build(&mut builder).and_then(|()| builder.finish(Timestamp::from_millis(2)));
    let error = built.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AbortCheckpoint, "{error}");
    error.to_string()
}

fn operator(number: u8, parallelism: u32) -> OperatorDescription {
    OperatorDescription::new(OperatorId::new([number; 16]), "operator", parallelism, MaxParallelism::new(8).unwrap())
}

#[test]
fn operators_and_subtasks_that_could_not_be_read_again_are_not_written() {
    let state = SubtaskState::default();
    let named = |change: fn(&mut OperatorDescription)| {
        refusal_of(|builder| {
            let mut operator = operator(1, 2);
            change(&mut operator);
            builder.operator(&operator).map(drop)
        })
    };
    for (refusal, expected) in [
        (
            refusal_of(|builder| [2, 1].iter().try_for_each(|id| builder.operator(&operator(*id, 1)).map(drop))),
            "expected operators that ascend",
        ),
        (
            refusal_of(|builder| [1, 1].iter().try_for_each(|id| builder.finished_operator(&operator(*id, 1)))),
            "expected operators that ascend",
        ),
        (named(|operator| operator.parallelism = 0), "the parallelism of an operator is 0, expected one from 1 to 8"),
        (named(|operator| operator.parallelism = 9), "the parallelism of an operator is 9, expected one from 1 to 8"),
        (named(|operator| operator.uid = Some(String::new())), "the length of an operator's uid is 0"),
        (named(|operator| operator.uid = Some("u".repeat(1025))), "the length of an operator's uid is 1025"),
        (
            named(|operator| {
                operator.descriptors = [fixed_operator().descriptors, fixed_operator().descriptors].concat()
            }),
            "the states of an operator is \"seen\" after \"seen\", expected names that ascend",
        ),
        (
            refusal_of(|builder| {
                let mut encoder = builder.operator(&operator(1, 2))?;
                [0, 1].into_iter().try_for_each(|subtask| encoder.finished_subtask(subtask))
            }),
            "expected fewer than all, or an operator that is fully finished",
        ),
        (
            refusal_of(|builder| {
                let mut encoder = builder.operator(&operator(1, 2))?;
                encoder.subtask(1, &state)?;
                encoder.finished_subtask(1)
            }),
            "a subtask is 1 after 1, expected subtasks that ascend",
        ),
        (
            refusal_of(|builder| builder.operator(&operator(1, 2))?.subtask(2, &state)),
            "a subtask is 2, expected one below the parallelism, 2",
        ),
    ] {
        assert!(refusal.contains(expected), "{refusal}");
    }
    let mut long = operator(1, 1);
    long.name = "ä".repeat(600);
    let mut builder = CheckpointMetadata::builder(fixed_description()).unwrap();
    builder.operator(&long).unwrap();
    let metadata = builder.finish(Timestamp::from_millis(2)).unwrap();
    assert_eq!(metadata.operator(long.id).unwrap().name, "ä".repeat(512), "of a long name there is the beginning");
}

#[test]
fn a_finished_operator_whose_coordinator_has_state_is_refused_at_once() {
    let mut operator = operator(1, 2);
    operator.coordinator_state = Some(StateHandle::inline(Bytes::from_static(b"state")));
    let mut builder = CheckpointMetadata::builder(fixed_description()).unwrap();
    let mut out = Vec::new();
    let mut writer = MetadataWriter::new(fixed_description(), &mut out).unwrap();
    for error in [builder.finished_operator(&operator), writer.finished_operator(&operator)].map(Result::unwrap_err) {
        assert_eq!(error.kind(), ErrorKind::AbortCheckpoint, "{error}");
        let expected = "the state of a fully finished operator is 5 bytes inline, expected none";
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn a_description_that_could_not_be_read_again_is_not_written() {
    let masters = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        refusal(|description, _, _| {
            description.master_states =
                names.into_iter().map(|name| (name, MasterState::new(0, Bytes::new()))).collect();
        })
    };
    let many: Vec<String> = (0..1025).map(|number| number.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for (refusal, expected) in [
        (masters(&[" "]), "the name of a master state is \" \""),
        (masters(&["a\tb"]), "the name of a master state is \"a\\tb\""),
        (masters(&[&"m".repeat(1025)]), "expected 1 to 1024 bytes, not blank, no control characters"),
        (masters(&many), "the number of master states is 1025, expected at most 1024"),
        // The operator's coordinator has 11 bytes, and the master states have 6.
        (refusal(|description, _, _| description.inline_limit_bytes = 16), "is 17, expected at most 16"),
        (
            refusal(|description, operator, state| {
                *description = savepoint_description();
                operator.coordinator_state = None;
                *state = state_of_all_other_kinds(Root::JobShared);
                operator.parallelism = 1;
            }),
            "the root of a handle",
        ),
        (
            refusal(|description, operator, _| {
                *description = savepoint_description();
                operator.coordinator_state = Some(file(Root::JobTaskOwned, 5, Some(Digest::of(b""))));
            }),
            "the root of a handle",
        ),
    ] {
        assert!(refusal.contains(expected), "{refusal}");
    }
}

/// Whoever overlooks an error gets no file that nobody can read.
#[test]
fn nothing_goes_on_after_an_error() {
    struct Full(usize);
    impl std::io::Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 = self.0.checked_sub(1).ok_or(std::io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let inline = SubtaskState::new(
        Vec::new(),
        vec![OperatorState::new(Default::default(), StateHandle::inline(Bytes::from_static(b"0123456789")))],
    );
    let mut lost = SubtaskState::default();
    with_operator_state(file(Root::Borrowed(3), 5, Some(Digest::of(b""))))(&mut lost);
    let mut bare = fixed_description();
    bare.master_states.clear();
    let mut small = bare.clone();
    small.inline_limit_bytes = 15;
    // What is given, of which one must fail, and all that follows it.
    type Step<'a> = (u32, &'a SubtaskState);
    let cases: [(&CheckpointDescription, usize, [Step<'_>; 3]); 4] = [
        (&bare, 99, [(0, &lost), (1, &inline), (2, &inline)]),
        (&bare, 99, [(1, &inline), (0, &inline), (2, &inline)]),
        (&small, 99, [(0, &inline), (1, &inline), (2, &SubtaskState::default())]),
        (&bare, 1, [(0, &inline), (1, &inline), (2, &inline)]),
    ];
    for (description, writes, steps) in cases {
        let mut out = Full(writes);
        let mut writer = MetadataWriter::new(description.clone(), &mut out).unwrap();
        let mut builder = CheckpointMetadata::builder(description.clone()).unwrap();
        for number in 1..3 {
            let operator = operator(number, 4);
            for mut encoder in [writer.operator(&operator), builder.operator(&operator)].into_iter().flatten() {
                let mut failed = false;
                for (subtask, state) in steps {
                    let result = encoder.subtask(subtask, state);
                    assert!(!failed || result.is_err(), "{result:?}");
                    failed |= result.is_err();
                }
            }
        }
        let error = writer.finish(Timestamp::from_millis(2)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AbortCheckpoint, "{error}");
        if writes > 1 {
            let error = builder.finish(Timestamp::from_millis(2)).unwrap_err();
            assert!(error.to_string().contains("broken off by an error"), "{error}");
        }
    }
    let mut description = bare;
    description.inline_limit_bytes = 5;
    description.master_states = [("hook".to_owned(), MasterState::new(0, Bytes::from_static(b"0123456789")))].into();
    let error = CheckpointMetadata::builder(description).unwrap_err();
    assert!(error.to_string().contains("is 10, expected at most 5"), "{error}");
}
