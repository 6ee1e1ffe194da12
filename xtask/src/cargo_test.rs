//! Running `cargo test` and counting what it says.

use std::ops::AddAssign;
use std::process::Command;

use crate::shell::Channel;
use crate::{Result, shell};

/// What a run of tests came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) passed: u64,
    /// Failed tests, test programs that ended without a result, and commands that failed for another reason.
    pub(crate) failed: u64,
    /// Test programs that were started.
    pub(crate) programs: u64,
    results: u64,
}

/// Runs a `cargo test` command to its end and counts.
pub(crate) fn run(command: &mut Command) -> Result<Totals> {
    let mut totals = Totals::default();
    let status = shell::watch(command, |channel, line| totals.note(channel, line))?;
    Ok(totals.closed(status.success()))
}

impl Totals {
    /// Everything that ran.
    pub(crate) fn runs(&self) -> u64 {
        self.passed + self.failed
    }

    fn note(&mut self, channel: Channel, line: &str) {
        match channel {
            Channel::Error => {
                let line = line.trim_start();
                self.programs += u64::from(line.starts_with("Running ") || line.starts_with("Doc-tests "));
            }
            Channel::Output => {
                if let Some((passed, failed)) = result_of(line) {
                    self.results += 1;
                    self.passed += passed;
                    self.failed += failed;
                }
            }
        }
    }

    /// A program that was started and gave no result died; a command that failed without any of these failed itself.
    fn closed(mut self, success: bool) -> Self {
        self.failed += self.programs.saturating_sub(self.results);
        if !success && self.failed == 0 {
            self.failed = 1;
        }
        self
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.programs += other.programs;
        self.results += other.results;
    }
}

/// Passed and failed of a line `test result: ok. 12 passed; 0 failed; …`.
fn result_of(line: &str) -> Option<(u64, u64)> {
    // A test that prints without a newline may stand before it on the line.
    let (_, rest) = line.split_once("test result: ")?;
    let (_, counts) = rest.split_once(". ")?;
    let mut parts = counts.split("; ");
    let passed = parts.next()?.strip_suffix(" passed")?.parse().ok()?;
    let failed = parts.next()?.strip_suffix(" failed")?.parse().ok()?;
    Some((passed, failed))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNNING: &str = "     Running unittests src/lib.rs (target/debug/deps/ckpt_core-0)";

    #[test]
    fn results_of_all_programs_are_added() {
        let mut totals = Totals::default();
        totals.note(Channel::Error, RUNNING);
        totals.note(Channel::Output, "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 3 filtered out");
        totals.note(Channel::Error, "   Doc-tests ckpt_core");
        totals.note(Channel::Output, "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out");
        let totals = totals.closed(false);
        assert_eq!((totals.passed, totals.failed, totals.programs), (13, 2, 2));
    }

    #[test]
    fn a_program_that_dies_is_a_failure() {
        let mut totals = Totals::default();
        totals.note(Channel::Error, RUNNING);
        totals.note(Channel::Output, "test x ... ok");
        assert_eq!(totals.closed(false).failed, 1);
    }

    #[test]
    fn a_build_that_fails_is_a_failure() {
        assert_eq!(Totals::default().closed(false).failed, 1);
        assert_eq!(Totals::default().closed(true).runs(), 0);
    }
}
