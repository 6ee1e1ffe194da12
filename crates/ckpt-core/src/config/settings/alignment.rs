//! How barriers are aligned.

use std::time::Duration;

use crate::config::builder::CheckpointConfigBuilder;
use crate::config::checkpoint::CheckpointConfig;
use crate::config::key::{Names, OtherName};
use crate::config::setting::{Otherwise, Rule, Setting, slot};
use crate::config::value::CheckpointingMode;
use crate::snapshot::AlignmentPolicy;

const WITH_UNALIGNED: &str = "only with unaligned checkpoints";

pub(in crate::config) static MODE: Setting<CheckpointingMode> = Setting {
    names: Names {
        flink: Some("CheckpointConfig.setCheckpointingConsistencyMode"),
        pyflink: Some("CheckpointConfig.set_checkpointing_mode"),
        ..Names::new("execution.checkpointing.mode", "mode", "whether a record may count twice after a restore")
    },
    default: CheckpointingMode::ExactlyOnce,
    rules: &[],
    slot: slot!(mode),
};

pub(in crate::config) static UNALIGNED: Setting<bool> = Setting {
    names: Names {
        others: &[OtherName::Old("execution.checkpointing.unaligned")],
        flink: Some("CheckpointConfig.enableUnalignedCheckpoints"),
        pyflink: Some("CheckpointConfig.enable_unaligned_checkpoints"),
        with_others: "only with EXACTLY_ONCE",
        ..Names::new(
            "execution.checkpointing.unaligned.enabled",
            "unaligned",
            "barriers overtake what is in flight, which becomes part of the checkpoint",
        )
    },
    default: false,
    rules: &[],
    slot: slot!(unaligned),
};

pub(in crate::config) static UNALIGNED_FORCED: Setting<bool> = Setting {
    names: Names {
        flink: Some("CheckpointConfig.setForceUnalignedCheckpoints"),
        pyflink: Some("CheckpointConfig.set_force_unaligned_checkpoints"),
        with_others: WITH_UNALIGNED,
        ..Names::new(
            "execution.checkpointing.unaligned.forced",
            "unaligned_forced",
            "allows unaligned checkpoints of jobs with feedback edges or custom partitioners, at the risk of the user",
        )
    },
    default: false,
    rules: &[],
    slot: slot!(unaligned_forced),
};

pub(in crate::config) static ALIGNED_TIMEOUT: Setting<Duration> = Setting {
    names: Names {
        others: &[OtherName::Old("execution.checkpointing.alignment-timeout")],
        flink: Some("CheckpointConfig.setAlignedCheckpointTimeout"),
        pyflink: Some("CheckpointConfig.set_aligned_checkpoint_timeout"),
        with_others: WITH_UNALIGNED,
        ..Names::new(
            "execution.checkpointing.aligned-checkpoint-timeout",
            "aligned_timeout",
            "a checkpoint whose barriers take longer goes on unaligned: with 0 it begins unaligned, with \
             9223372036854775807 ms it never is (in Flink it begins unaligned then)",
        )
    },
    default: Duration::ZERO,
    rules: &[],
    slot: slot!(aligned_timeout),
};

pub(in crate::config) static INTERRUPTIBLE_TIMERS: Setting<bool> = Setting {
    names: Names {
        flink: Some("CheckpointConfig.enableUnalignedCheckpointsInterruptibleTimers"),
        with_others: WITH_UNALIGNED,
        ..Names::new(
            "execution.checkpointing.unaligned.interruptible-timers.enabled",
            "interruptible_timers",
            "a task that fires many timers stops in between for a barrier",
        )
    },
    default: false,
    rules: &[],
    slot: slot!(interruptible_timers),
};

pub(in crate::config) static MAX_SUBTASKS_PER_CHANNEL_STATE_FILE: Setting<i64> = Setting {
    names: Names {
        flink: Some("CheckpointConfig.setMaxSubtasksPerChannelStateFile"),
        with_others: WITH_UNALIGNED,
        ..Names::new(
            "execution.checkpointing.unaligned.max-subtasks-per-channel-state-file",
            "max_subtasks_per_channel_state_file",
            "how many tasks of a process write what is in flight into one file",
        )
    },
    default: 5,
    rules: &[Rule {
        must_be: "1 or more",
        holds: |max| *max >= 1,
        remedy: "write 1 for a file for each task, or leave it away for 5",
        otherwise: Otherwise::Refuse,
    }],
    slot: slot!(max_subtasks_per_channel_state_file),
};

pub(in crate::config) static CHECKPOINTS_AFTER_TASKS_FINISH: Setting<bool> = Setting {
    names: Names {
        others: &[OtherName::Old("execution.checkpointing.checkpoints-after-tasks-finish.enabled")],
        ..Names::new(
            "execution.checkpointing.checkpoints-after-tasks-finish",
            "checkpoints_after_tasks_finish",
            "checkpoints go on once some tasks have finished",
        )
    },
    default: true,
    rules: &[],
    slot: slot!(checkpoints_after_tasks_finish),
};

impl CheckpointConfigBuilder {
    /// Gives that guarantee.
    ///
    /// Key: `execution.checkpointing.mode`.
    pub fn mode(self, mode: CheckpointingMode) -> Self {
        self.with(&MODE, mode)
    }

    /// Lets barriers overtake what is in flight. Only with exactly once, and one checkpoint at a time.
    ///
    /// Key: `execution.checkpointing.unaligned.enabled`.
    pub fn unaligned(self, unaligned: bool) -> Self {
        self.with(&UNALIGNED, unaligned)
    }

    /// Allows unaligned checkpoints of jobs with feedback edges or custom partitioners.
    ///
    /// Key: `execution.checkpointing.unaligned.forced`.
    pub fn unaligned_forced(self, unaligned_forced: bool) -> Self {
        self.with(&UNALIGNED_FORCED, unaligned_forced)
    }

    /// Lets a checkpoint begin aligned and go on unaligned after that time; zero begins unaligned.
    ///
    /// Key: `execution.checkpointing.aligned-checkpoint-timeout`.
    pub fn aligned_timeout(self, aligned_timeout: Duration) -> Self {
        self.with(&ALIGNED_TIMEOUT, aligned_timeout)
    }

    /// Lets a task that fires many timers stop in between for a barrier.
    ///
    /// Key: `execution.checkpointing.unaligned.interruptible-timers.enabled`.
    pub fn interruptible_timers(self, interruptible_timers: bool) -> Self {
        self.with(&INTERRUPTIBLE_TIMERS, interruptible_timers)
    }

    /// Lets that many tasks of a process, at least 1, write what is in flight into one file.
    ///
    /// Key: `execution.checkpointing.unaligned.max-subtasks-per-channel-state-file`.
    pub fn max_subtasks_per_channel_state_file(self, most: u32) -> Self {
        self.with(&MAX_SUBTASKS_PER_CHANNEL_STATE_FILE, most.into())
    }

    /// Lets checkpoints go on once some tasks have finished.
    ///
    /// Key: `execution.checkpointing.checkpoints-after-tasks-finish`.
    pub fn checkpoints_after_tasks_finish(self, checkpoints_after_tasks_finish: bool) -> Self {
        self.with(&CHECKPOINTS_AFTER_TASKS_FINISH, checkpoints_after_tasks_finish)
    }
}

impl CheckpointConfig {
    /// The guarantee that every snapshot gives, those that are asked for without an interval included. Exactly once
    /// unless set.
    pub fn mode(&self) -> CheckpointingMode {
        *self.get(&MODE)
    }

    /// The guarantee as Flink reports it: at least once as long as there are no periodic checkpoints.
    pub fn reported_mode(&self) -> CheckpointingMode {
        if self.interval().is_some() { self.mode() } else { CheckpointingMode::AtLeastOnce }
    }

    /// Whether barriers overtake what is in flight: only when that is wanted and the guarantee is exactly once.
    pub fn is_unaligned(&self) -> bool {
        *self.get(&UNALIGNED) && self.mode() == CheckpointingMode::ExactlyOnce
    }

    /// Whether checkpoints may be unaligned despite feedback edges and custom partitioners.
    pub fn is_unaligned_forced(&self) -> bool {
        *self.get(&UNALIGNED_FORCED)
    }

    /// What is wanted of alignment, mode, unaligned checkpoints and timeout together.
    pub fn alignment_policy(&self) -> AlignmentPolicy {
        match self.mode() {
            CheckpointingMode::AtLeastOnce => AlignmentPolicy::AtLeastOnce,
            CheckpointingMode::ExactlyOnce if self.is_unaligned() => {
                AlignmentPolicy::Unaligned { aligned_timeout: self.aligned_timeout() }
            }
            CheckpointingMode::ExactlyOnce => AlignmentPolicy::Aligned,
        }
    }

    /// After which time an aligned checkpoint goes on unaligned. It counts only where
    /// [`is_unaligned`](Self::is_unaligned): zero, the default, begins unaligned; one that is longer than
    /// [`AlignmentTimeout::LONGEST`](crate::snapshot::AlignmentTimeout::LONGEST) never is.
    pub fn aligned_timeout(&self) -> Duration {
        *self.get(&ALIGNED_TIMEOUT)
    }

    /// Whether a task that fires many timers stops in between for a barrier; only with unaligned checkpoints.
    pub fn has_interruptible_timers(&self) -> bool {
        *self.get(&INTERRUPTIBLE_TIMERS) && self.is_unaligned()
    }

    /// How many tasks of a process write what is in flight into one file, at least 1. 5 unless set.
    pub fn max_subtasks_per_channel_state_file(&self) -> u32 {
        self.count(&MAX_SUBTASKS_PER_CHANNEL_STATE_FILE)
    }

    /// Whether checkpoints go on once some tasks have finished. They do unless set.
    pub fn checkpoints_after_tasks_finish(&self) -> bool {
        *self.get(&CHECKPOINTS_AFTER_TASKS_FINISH)
    }
}
