//! The encoded form of what a subtask and a coordinator have. It is checked whenever it is made or read, and nothing else
//! is ever decoded.

use super::rules::{Found, Inspection, StateRules};
use crate::state::{HandleView, StateHandle, StateSize, SubtaskState};
use crate::wire::v1::{self, Visit};
use crate::wire::{Invalid, Subject, WireError, read_all};

/// Appends the state of a subtask.
pub(super) fn put_state(
    subject: Subject,
    state: &SubtaskState,
    (rules, subtask): (&StateRules<'_>, u32),
    out: &mut Vec<u8>,
) -> Result<Found, WireError> {
    let mut inspection = Inspection::of_subtask(rules, subtask);
    inspection.set_size(state.size());
    v1::put_state(out, state, &mut inspection).map_err(|invalid| invalid.writing(subject))?;
    Ok(inspection.found())
}

/// Whether those bytes are the state of a subtask that keeps the rules.
pub(super) fn check_state(
    subject: Subject,
    bytes: &[u8],
    rules: &StateRules<'_>,
    subtask: u32,
) -> Result<Found, WireError> {
    let mut inspection = Inspection::of_subtask(rules, subtask);
    let size = visit_state(subject, bytes, &mut inspection)?;
    inspection.set_size(size);
    Ok(inspection.found())
}

/// Tells `visit` of the state of a subtask.
pub(super) fn visit_state(subject: Subject, bytes: &[u8], visit: &mut impl Visit) -> Result<StateSize, WireError> {
    read_all(subject, bytes, |input| v1::check_state(input, visit))
}

/// The state of a subtask.
pub(super) fn take_state(subject: Subject, bytes: &[u8]) -> Result<SubtaskState, WireError> {
    read_all(subject, bytes, v1::take_state)
}

/// Appends the state of a coordinator.
pub(super) fn put_coordinator(
    subject: Subject,
    handle: &StateHandle,
    rules: &StateRules<'_>,
    out: &mut Vec<u8>,
) -> Result<Found, WireError> {
    v1::put_handle_alone(out, handle).map_err(|invalid| invalid.writing(subject))?;
    inspect_coordinator(&handle.view(), rules).map_err(|invalid| invalid.writing(subject))
}

/// Whether those bytes are the state of a coordinator that keeps the rules.
pub(super) fn check_coordinator(subject: Subject, bytes: &[u8], rules: &StateRules<'_>) -> Result<Found, WireError> {
    read_all(subject, bytes, |input| Ok(inspect_coordinator(&v1::read_handle_alone(input)?, rules)?))
}

/// The state of a coordinator.
pub(super) fn view_coordinator(subject: Subject, bytes: &[u8]) -> Result<HandleView<'_>, WireError> {
    read_all(subject, bytes, v1::read_handle_alone)
}

fn inspect_coordinator(handle: &HandleView<'_>, rules: &StateRules<'_>) -> Result<Found, Invalid> {
    let mut inspection = Inspection::of_coordinator(rules);
    inspection.handle(handle)?;
    let mut size = StateSize::default();
    size.add_written(handle.location(), handle.length_bytes());
    inspection.set_size(size);
    Ok(inspection.found())
}
