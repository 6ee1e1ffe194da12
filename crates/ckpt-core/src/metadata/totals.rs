//! Sums over state.

use std::fmt;
use std::ops::{Add, AddAssign};

use crate::state::StateSize;

/// Sums over the state of an operator, or of a whole checkpoint.
///
/// They are computed once, when state is entered or checked. Sums of bytes stay at the most that 64 bits can hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct StateTotals {
    /// How much state is named.
    pub size: StateSize,
    /// How many handles there are.
    pub handles: u64,
    /// How many subtasks reported state, be it empty (Flink's collected states). One that reported none does not count.
    pub subtasks: u64,
    /// How many subtasks had finished.
    pub finished_subtasks: u64,
}

impl StateTotals {
    /// Of no state.
    pub(super) const NONE: Self = Self {
        size: StateSize { inline_bytes: 0, file_bytes: 0, written_bytes: 0 },
        handles: 0,
        subtasks: 0,
        finished_subtasks: 0,
    };
}

impl fmt::Display for StateTotals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { size, handles, subtasks, finished_subtasks } = self;
        write!(f, "{size}, {handles} handles, {subtasks} subtasks with state, {finished_subtasks} finished")
    }
}

impl AddAssign for StateTotals {
    fn add_assign(&mut self, other: Self) {
        self.size += other.size;
        // What a file says of itself may be any number; what was counted is far from the largest.
        self.handles = self.handles.saturating_add(other.handles);
        self.subtasks = self.subtasks.saturating_add(other.subtasks);
        self.finished_subtasks = self.finished_subtasks.saturating_add(other.finished_subtasks);
    }
}

impl Add for StateTotals {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}
