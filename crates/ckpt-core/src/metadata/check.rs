//! What holds of every checkpoint's metadata. Checked before it is written and after it was read, so that nothing is
//! committed that could not be restored.

use std::collections::BTreeSet;

use super::{CheckpointMetadata, OperatorMetadata};
use crate::state::{FileRef, Place, Root, StateHandle, SubtaskState};
use crate::wire::Invalid;

/// The first rule that is broken.
pub(super) fn check(metadata: &CheckpointMetadata) -> Result<(), Invalid> {
    for operator in metadata.operators.values() {
        check_operator(operator)?;
    }
    let given: BTreeSet<Root> = metadata.summary.places.iter().map(|(root, _)| root).collect();
    for handle in metadata.handles() {
        if let Place::File { root, .. } | Place::Segment { root, .. } = handle.place() {
            let needs_place = matches!(root, Root::Claimed(_) | Root::Borrowed(_));
            if needs_place && !given.contains(root) {
                return Err(Invalid::value("the root of a handle", format!("{root:?}"), "one whose place is given"));
            }
        }
    }
    check_totals(metadata)
}

fn check_operator(operator: &OperatorMetadata) -> Result<(), Invalid> {
    let (parallelism, max) = (operator.parallelism, operator.max_parallelism);
    if parallelism == 0 || parallelism > u32::from(max.get()) {
        return Err(Invalid::value("the parallelism of an operator", parallelism, format!("one from 1 to {max}")));
    }
    if let Some((last, _)) = operator.subtasks.last_key_value().filter(|(last, _)| **last >= parallelism) {
        return Err(Invalid::value("a subtask", last, format!("one below the parallelism, {parallelism}")));
    }
    for keyed in operator.subtasks.values().flat_map(SubtaskState::all_keyed) {
        if keyed.range().last().get() >= max.get() {
            let expected = format!("groups below the maximum parallelism, {max}");
            return Err(Invalid::value("a range of key groups", keyed.range(), expected));
        }
    }
    // A file without its handle could neither be verified nor be counted as still in use.
    if let Some((_, file)) = operator.subtasks.values().find_map(|subtask| subtask.reused().next()) {
        return Err(Invalid::value("a shared file", described(file), "one with the handle it was written with"));
    }
    Ok(())
}

fn check_totals(metadata: &CheckpointMetadata) -> Result<(), Invalid> {
    let (summary, totals) = (&metadata.summary, Totals::of(metadata));
    if summary.total_bytes != totals.bytes {
        return Err(Invalid::value("the sum of all state", summary.total_bytes, totals.bytes.to_string()));
    }
    if summary.subtasks != totals.subtasks {
        return Err(Invalid::value("the number of subtasks", summary.subtasks, totals.subtasks.to_string()));
    }
    if summary.self_contained != totals.self_contained {
        let expected = totals.self_contained.to_string();
        return Err(Invalid::value("whether it is self-contained", summary.self_contained, expected));
    }
    Ok(())
}

/// What the summary says of all operators together.
pub(super) struct Totals {
    pub(super) bytes: u64,
    pub(super) subtasks: u64,
    pub(super) self_contained: bool,
}

impl Totals {
    fn of(metadata: &CheckpointMetadata) -> Self {
        Self::of_operators(metadata.operators.values())
    }

    pub(super) fn of_operators<'a>(operators: impl Iterator<Item = &'a OperatorMetadata>) -> Self {
        let mut totals = Self { bytes: 0, subtasks: 0, self_contained: true };
        for subtask in operators.flat_map(|operator| operator.subtasks.values()) {
            totals.subtasks += 1;
            for handle in subtask.handles() {
                totals.bytes = totals.bytes.saturating_add(handle.length_bytes());
                totals.self_contained &= in_own_directory(handle);
            }
            totals.self_contained &= subtask.reused().next().is_none();
        }
        totals
    }
}

fn in_own_directory(handle: &StateHandle) -> bool {
    match handle.place() {
        Place::Inline(_) => true,
        Place::File { root, .. } | Place::Segment { root, .. } => *root == Root::ThisSnapshot,
    }
}

fn described(file: &FileRef) -> String {
    format!("{file} without a handle")
}
