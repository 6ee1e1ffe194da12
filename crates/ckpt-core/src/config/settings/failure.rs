//! What a checkpoint that fails does to the job.

use std::fmt;

use crate::config::builder::CheckpointConfigBuilder;
use crate::config::checkpoint::CheckpointConfig;
use crate::config::key::Names;
use crate::config::setting::{Otherwise, Rule, Setting, slot};

/// How many checkpoints may fail one after the other before the job fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TolerableFailures {
    /// That many: one more fails the job.
    AtMost(u32),
    /// As many as there are.
    Unlimited,
}

/// What a task does whose own snapshot fails while it captures its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnSnapshotError {
    /// It fails, and with it the job.
    FailTask,
    /// It declines the checkpoint with the cause, and goes on.
    Decline,
}

/// Flink's unlimited number.
const UNLIMITED: i64 = i32::MAX as i64;

pub(in crate::config) static TOLERABLE_FAILURES: Setting<i64> = Setting {
    names: Names {
        flink: Some("CheckpointConfig.setTolerableCheckpointFailureNumber"),
        pyflink: Some("CheckpointConfig.set_tolerable_checkpoint_failure_number"),
        ..Names::new(
            "execution.checkpointing.tolerable-failed-checkpoints",
            "tolerable_failures",
            "how many checkpoints may fail one after the other before the job fails; 2147483647 for any number",
        )
    },
    default: 0,
    rules: &[Rule {
        must_be: "0 or more",
        holds: |tolerable| *tolerable >= 0,
        remedy: "write 0 to fail the job with the first checkpoint that fails",
        otherwise: Otherwise::Refuse,
    }],
    slot: slot!(tolerable_failures),
};

pub(in crate::config) static FAIL_ON_CHECKPOINTING_ERRORS: Setting<Option<bool>> = Setting {
    names: Names {
        pyflink: Some("CheckpointConfig.set_fail_on_checkpointing_errors"),
        with_others: "has no effect beside tolerable-failed-checkpoints",
        ..Names::new(
            "execution.checkpointing.fail-on-checkpointing-errors",
            "fail_on_checkpointing_errors",
            "true: the first checkpoint that fails fails the job; false: none does, and a task whose own snapshot fails \
             declines and goes on. A setter in Flink until 1.20 (`setFailOnCheckpointingErrors`), never a key there",
        )
    },
    default: None,
    rules: &[],
    slot: slot!(fail_on_checkpointing_errors),
};

impl TolerableFailures {
    /// Whether that many failures one after the other are too many.
    pub const fn is_exceeded_by(self, failures: u32) -> bool {
        match self {
            Self::AtMost(most) => failures > most,
            Self::Unlimited => false,
        }
    }
}

impl fmt::Display for TolerableFailures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(most) => most.fmt(f),
            Self::Unlimited => f.write_str("any number"),
        }
    }
}

impl CheckpointConfigBuilder {
    /// Lets that many checkpoints fail one after the other before the job fails.
    ///
    /// Key: `execution.checkpointing.tolerable-failed-checkpoints`.
    pub fn tolerable_failures(self, tolerable: TolerableFailures) -> Self {
        let number = match tolerable {
            TolerableFailures::AtMost(most) => most.into(),
            TolerableFailures::Unlimited => UNLIMITED,
        };
        self.with(&TOLERABLE_FAILURES, number)
    }

    /// Flink's former setter: with `true` the first checkpoint that fails fails the job; with `false` none does, and a
    /// task whose own snapshot fails declines and goes on. Not beside
    /// [`tolerable_failures`](Self::tolerable_failures), which says it better.
    ///
    /// Key: `execution.checkpointing.fail-on-checkpointing-errors`.
    pub fn fail_on_checkpointing_errors(self, fail_on_checkpointing_errors: bool) -> Self {
        self.with(&FAIL_ON_CHECKPOINTING_ERRORS, Some(fail_on_checkpointing_errors))
    }
}

impl CheckpointConfig {
    /// How many checkpoints may fail one after the other before the job fails. None unless set.
    pub fn tolerable_failures(&self) -> TolerableFailures {
        match (*self.get(&FAIL_ON_CHECKPOINTING_ERRORS), *self.get(&TOLERABLE_FAILURES)) {
            (Some(false), _) | (None, UNLIMITED) => TolerableFailures::Unlimited,
            (Some(true), _) => TolerableFailures::AtMost(0),
            (None, _) => TolerableFailures::AtMost(self.count(&TOLERABLE_FAILURES)),
        }
    }

    /// Whether the first checkpoint that fails fails the job: no failure is tolerable.
    pub fn fails_on_checkpointing_errors(&self) -> bool {
        self.tolerable_failures() == TolerableFailures::AtMost(0)
    }

    /// What a task does whose own snapshot fails while it captures its state. It fails, unless
    /// `fail-on-checkpointing-errors` is false and no number of tolerable failures is set.
    pub fn on_snapshot_error(&self) -> OnSnapshotError {
        match *self.get(&FAIL_ON_CHECKPOINTING_ERRORS) {
            Some(false) => OnSnapshotError::Decline,
            Some(true) | None => OnSnapshotError::FailTask,
        }
    }
}
