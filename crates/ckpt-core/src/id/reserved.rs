//! The checkpoint numbers that a leader may use.

use std::fmt;

use crate::id::CheckpointId;

/// The checkpoint numbers that a leader may use and has not used yet: a run that a written HEAD reserved.
///
/// A written claim yields the first run, a later write may yield the next one, which [`append`](Self::append) adds. Each
/// number is handed out once, in ascending order.
#[derive(Clone, PartialEq, Eq)]
pub struct ReservedIds {
    /// The next number to hand out.
    next: u64,
    /// The first number that is not in the run.
    end: u64,
}

impl ReservedIds {
    /// No numbers.
    pub const fn none() -> Self {
        Self { next: 0, end: 0 }
    }

    /// The numbers from `first` on up to, but without, `end`; none when `end` is not above `first`.
    pub(crate) const fn between(first: CheckpointId, end: CheckpointId) -> Self {
        if end.get() <= first.get() { Self::none() } else { Self { next: first.get(), end: end.get() } }
    }

    /// Hands out the lowest number; `None` once they are used up.
    pub fn take(&mut self) -> Option<CheckpointId> {
        if self.is_empty() {
            return None;
        }
        let taken = CheckpointId::new(self.next)?;
        self.next += 1;
        Some(taken)
    }

    /// How many numbers are left.
    pub const fn remaining(&self) -> u64 {
        self.end - self.next
    }

    /// Whether no number is left.
    pub const fn is_empty(&self) -> bool {
        self.remaining() == 0
    }

    /// Adds the run that a later write reserved. It begins where this one ends; should it lie beyond, the numbers left in
    /// this one are given up, and should it lie below, it is not taken: numbers never descend.
    pub fn append(&mut self, later: Self) {
        if later.is_empty() {
        } else if later.next == self.end {
            self.end = later.end;
        } else if later.next > self.end {
            *self = later;
        }
    }
}

impl fmt::Debug for ReservedIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "chk-{}..chk-{}", self.next, self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(first: u64, end: u64) -> ReservedIds {
        ReservedIds::between(CheckpointId::new(first).unwrap(), CheckpointId::new(end).unwrap())
    }

    #[test]
    fn numbers_are_handed_out_once_and_ascend() {
        let mut ids = run(1, 3);
        assert_eq!(ids.remaining(), 2);
        assert_eq!(ids.take(), CheckpointId::new(1));
        ids.append(run(3, 4));
        assert_eq!(ids.take(), CheckpointId::new(2));
        assert_eq!(ids.take(), CheckpointId::new(3));
        assert_eq!(ids.take(), None);
        ids.append(run(1, 4));
        assert_eq!(ids.take(), None, "a run that lies below is not taken");
        ids.append(ReservedIds::none());
        ids.append(run(9, 10));
        assert_eq!(ids.take(), CheckpointId::new(9));
        assert!(ids.is_empty());
        let mut last = run(u64::MAX - 1, u64::MAX);
        assert_eq!(last.take(), CheckpointId::new(u64::MAX - 1));
        assert_eq!(last.take(), None);
    }
}
