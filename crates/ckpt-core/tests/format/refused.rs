//! What could not be read again is not written.

use ckpt_core::ErrorKind;
use ckpt_core::id::{LeaderEpoch, Writer, WriterId};
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::state::{
    FileRef, KeyGroupsState, KeyedState, OperatorState, Place, Root, StateHandle, SubtaskStateParts,
};
use ckpt_core::{Digest, key_group::MaxParallelism};

use crate::samples::{fixed_metadata, range, with_reused};

fn refusal(change: impl FnOnce(&mut CheckpointMetadata)) -> String {
    let mut metadata = fixed_metadata();
    change(&mut metadata);
    let error = metadata.encode().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AbortCheckpoint, "{error}");
    error.to_string()
}

/// The same, after the summary was made to fit.
fn refusal_of_state(change: impl FnOnce(&mut CheckpointMetadata)) -> String {
    refusal(|metadata| {
        change(metadata);
        let summary = metadata.summary.clone();
        let (identity, places) = (summary.identity, summary.places);
        let operators = std::mem::take(&mut metadata.operators);
        *metadata =
            CheckpointMetadata::new(summary.job, identity, summary.kind, summary.completed_at, places, operators);
    })
}

fn file(root: Root, length_bytes: u64, digest: Option<Digest>) -> StateHandle {
    let file = FileRef::Ours(Writer::new(LeaderEpoch::new(1), WriterId::new(2)).file(3));
    StateHandle::assume_durable(Place::File { root, file }, length_bytes, digest)
}

fn with_operator_state(handle: StateHandle) -> impl FnOnce(&mut CheckpointMetadata) {
    move |metadata| {
        change_state(metadata, 2, |parts| parts.operator.push(OperatorState::new(Default::default(), handle)));
    }
}

fn change_state(metadata: &mut CheckpointMetadata, subtask: u32, change: impl FnOnce(&mut SubtaskStateParts)) {
    let state = metadata.operators.values_mut().last().unwrap().subtasks.get_mut(&subtask).unwrap();
    let mut parts = std::mem::take(state).into_parts();
    change(&mut parts);
    *state = parts.into();
}

#[test]
fn what_could_not_be_read_again_is_not_written() {
    let digest = Some(Digest::of(b""));
    for (refusal, expected) in [
        (refusal(|metadata| metadata.summary.total_bytes += 1), "the sum of all state is "),
        (refusal(|metadata| metadata.summary.subtasks += 1), "the number of subtasks is 3, expected 2"),
        (
            refusal(|metadata| metadata.summary.self_contained = true),
            "whether it is self-contained is true, expected false",
        ),
        (refusal_of_state(with_operator_state(file(Root::ThisSnapshot, 5, None))), "the digest of a handle is absent"),
        (
            refusal_of_state(with_operator_state(file(Root::Borrowed(1), 5, digest))),
            "expected one whose place is given",
        ),
        (
            refusal_of_state(|metadata| metadata.operators.values_mut().last().unwrap().parallelism = 2),
            "a subtask is 2, expected one below the parallelism, 2",
        ),
        (
            refusal_of_state(|metadata| {
                metadata.operators.values_mut().last().unwrap().max_parallelism = MaxParallelism::new(127).unwrap();
            }),
            "a range of key groups is 4..=127, expected groups below the maximum parallelism, 127",
        ),
        (
            refusal_of_state(|metadata| {
                let short = file(Root::ThisSnapshot, 9, digest);
                let groups = KeyGroupsState::new(range(1, 2), vec![0, 10], short).unwrap();
                change_state(metadata, 2, |parts| parts.keyed.push(KeyedState::KeyGroups(groups)));
            }),
            "an offset is 10, expected at most 9, the length of the piece",
        ),
        (
            refusal_of_state(|metadata| {
                let subtask = metadata.operators.values_mut().last().unwrap().subtasks.get_mut(&0).unwrap();
                *subtask = with_reused(std::mem::take(subtask));
            }),
            "without a handle, expected one with the handle it was written with",
        ),
    ] {
        assert!(refusal.contains(expected), "{refusal}");
    }
}
