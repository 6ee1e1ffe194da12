//! How many aborted checkpoints a job puts up with.

use ckpt_core::Result;

use crate::error::Fault;

/// Counts aborted checkpoints in a row.
#[derive(Debug, Default)]
pub(super) struct Aborts {
    tolerated: u32,
    in_a_row: u32,
    total: u64,
    over: Over,
}

/// Whether there is anything left that a checkpoint could save.
#[derive(Debug, Default, PartialEq, Eq)]
enum Over {
    #[default]
    No,
    Yes,
}

impl Aborts {
    /// After more than that many in a row the job fails.
    pub(super) fn new(tolerated: u32) -> Self {
        Self { tolerated, ..Self::default() }
    }

    /// How many there were in all.
    pub(super) const fn total(&self) -> u64 {
        self.total
    }

    /// A checkpoint was committed.
    pub(super) const fn completed(&mut self) {
        self.in_a_row = 0;
    }

    /// A checkpoint will never complete.
    ///
    /// # Errors
    ///
    /// `FailJob` when that is one too many.
    pub(super) fn aborted(&mut self, reason: &str) -> Result<()> {
        self.total += 1;
        self.in_a_row += 1;
        if self.in_a_row <= self.tolerated || self.over == Over::Yes {
            return Ok(());
        }
        Err(Fault::Checkpoints { count: self.in_a_row, reason: reason.to_owned() }.into())
    }

    /// The last checkpoint is committed. What is triggered while the tasks end may well be aborted: a trigger that
    /// overtakes the end of an input is declined.
    pub(super) const fn tolerate_all(&mut self) {
        self.over = Over::Yes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_too_many_in_a_row_fails_the_job_unless_it_is_over() {
        let mut aborts = Aborts::new(2);
        for _ in 0..3 {
            aborts.aborted("x").unwrap();
            aborts.aborted("x").unwrap();
            aborts.completed();
        }
        assert_eq!(aborts.total(), 6);
        aborts.aborted("x").unwrap();
        aborts.aborted("x").unwrap();
        assert!(aborts.aborted("why").unwrap_err().to_string().contains("3 checkpoints in a row"));
        aborts.tolerate_all();
        aborts.aborted("x").unwrap();
    }
}
