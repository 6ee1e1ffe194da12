//! What could not be read again is not written.

use ckpt_core::ErrorKind;
use ckpt_core::id::{LeaderEpoch, Writer, WriterId};
use ckpt_core::metadata::{CheckpointDescription, CheckpointMetadata, OperatorDescription};
use ckpt_core::state::{
    FileRef, KeyGroupsState, KeyedState, OperatorState, Place, Root, StateHandle, SubtaskState, SubtaskStateParts,
};
use ckpt_core::{Digest, Timestamp};

use crate::metadata_samples::{fixed_description, fixed_operator};
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
    for (refusal, expected) in [
        (refusal_of_state(with_operator_state(file(Root::ThisSnapshot, 5, None))), "the digest of a handle is absent"),
        (
            refusal_of_state(with_operator_state(file(Root::Borrowed(1), 5, digest))),
            "expected one whose place is given",
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
