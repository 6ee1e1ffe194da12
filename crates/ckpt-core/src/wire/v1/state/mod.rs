//! The state of one subtask, written and read by hand: of nothing else is there as much.
//!
//! What is put can be taken; what was checked can be taken. All three refuse the same.

mod check;
mod grammar;
mod put;
mod rule;
mod take;

pub(super) use check::Nobody;
pub(crate) use check::Visit;
pub(super) use grammar::read_range;
pub(super) use put::put_range;

use super::writers::Writers;
use crate::state::{StateSize, SubtaskState};
use crate::wire::{Flaw, Input, Invalid};

/// The numbers of variants.
mod variant {
    pub(super) const KEY_GROUPS: u8 = 0;
    pub(super) const INCREMENTAL: u8 = 1;

    pub(super) const WRITTEN: u8 = 0;
    pub(super) const REUSED: u8 = 1;
    pub(super) const REUSED_SEGMENT: u8 = 2;

    pub(super) const SPLIT: u8 = 0;
    pub(super) const UNION: u8 = 1;
    pub(super) const BROADCAST: u8 = 2;
}

/// Appends the state of one subtask, and tells `visit` of it.
///
/// # Errors
///
/// What could not be read again, or what `visit` refuses. Then `out` ends with a part of it.
pub(crate) fn put_state(out: &mut Vec<u8>, state: &SubtaskState, visit: &mut impl Visit) -> Result<(), Invalid> {
    put::Putter { out, visit, writers: Writers::none() }.subtask(state)
}

/// Takes the state of one subtask from where `input` stands.
pub(crate) fn take_state(input: &mut Input<'_>) -> Result<SubtaskState, Flaw> {
    grammar::read(input, &mut take::Take)
}

/// Reads the state of one subtask as [`take_state`] does, and tells `visit` of it, without memory for it. Gives its size.
pub(crate) fn check_state(input: &mut Input<'_>, visit: &mut impl Visit) -> Result<StateSize, Flaw> {
    grammar::read(input, &mut check::Check(visit))
}

#[cfg(test)]
#[path = "state_test.rs"]
mod tests;
