//! Which checkpoints are kept, and how others go.

use crate::config::builder::CheckpointConfigBuilder;
use crate::config::checkpoint::CheckpointConfig;
use crate::config::key::{Names, OtherName};
use crate::config::setting::{Otherwise, Rule, Setting, slot};
use crate::head::Head;
use crate::snapshot::RetentionPolicy;

pub(in crate::config) static RETENTION: Setting<RetentionPolicy> = Setting {
    names: Names {
        flink: Some("CheckpointConfig.setExternalizedCheckpointRetention"),
        pyflink: Some("CheckpointConfig.set_externalized_checkpoint_retention"),
        ..Names::new(
            "execution.checkpointing.externalized-checkpoint-retention",
            "retention",
            "which checkpoints outlive the job",
        )
    },
    default: RetentionPolicy::NeverRetainAfterTermination,
    rules: &[],
    slot: slot!(retention),
};

pub(in crate::config) static NUM_RETAINED: Setting<i64> = Setting {
    names: Names {
        others: &[OtherName::Old("state.checkpoints.num-retained")],
        ..Names::new("execution.checkpointing.num-retained", "num_retained", "how many completed checkpoints are kept")
    },
    default: 1,
    rules: &[
        Rule {
            must_be: "1 or more, since the newest one is always kept",
            holds: |retained| *retained >= 1,
            remedy: "write 1, or leave it away for 1",
            otherwise: Otherwise::Take(1),
        },
        Rule {
            must_be: "1,024 or fewer",
            holds: |retained| *retained <= Head::MAX_RETAINED as i64,
            remedy: "write 1,024 or less; what is to stay for longer is a savepoint",
            otherwise: Otherwise::Refuse,
        },
    ],
    slot: slot!(num_retained),
};

pub(in crate::config) static PARALLEL_CLEANER: Setting<bool> = Setting {
    names: Names {
        others: &[OtherName::Old("state.checkpoint.cleaner.parallel-mode")],
        ..Names::new(
            "execution.checkpointing.cleaner.parallel-mode",
            "parallel_cleaner",
            "files of a checkpoint that goes are deleted in parallel",
        )
    },
    default: true,
    rules: &[],
    slot: slot!(parallel_cleaner),
};

pub(in crate::config) static HISTORY_SIZE: Setting<i64> = Setting {
    names: Names {
        others: &[OtherName::Old("jobmanager.web.checkpoints.history")],
        ..Names::new(
            "web.checkpoints.history",
            "history_size",
            "of how many past checkpoints statistics are kept; with 0 of none",
        )
    },
    default: 10,
    rules: &[Rule {
        must_be: "0 or more",
        holds: |size| *size >= 0,
        remedy: "write 0 for no history, or leave it away for 10",
        otherwise: Otherwise::Refuse,
    }],
    slot: slot!(history_size),
};

impl CheckpointConfigBuilder {
    /// Lets these checkpoints outlive the job.
    ///
    /// Key: `execution.checkpointing.externalized-checkpoint-retention`.
    pub fn retention(self, retention: RetentionPolicy) -> Self {
        self.with(&RETENTION, retention)
    }

    /// Keeps that many completed checkpoints, from 1 to [`Head::MAX_RETAINED`].
    ///
    /// Key: `execution.checkpointing.num-retained`.
    pub fn num_retained(self, num_retained: usize) -> Self {
        self.with(&NUM_RETAINED, i64::try_from(num_retained).unwrap_or(i64::MAX))
    }

    /// Deletes the files of a checkpoint in parallel.
    ///
    /// Key: `execution.checkpointing.cleaner.parallel-mode`.
    pub fn parallel_cleaner(self, parallel_cleaner: bool) -> Self {
        self.with(&PARALLEL_CLEANER, parallel_cleaner)
    }

    /// Keeps the statistics of that many past checkpoints.
    ///
    /// Key: `web.checkpoints.history`.
    pub fn history_size(self, history_size: usize) -> Self {
        self.with(&HISTORY_SIZE, i64::try_from(history_size).unwrap_or(i64::MAX))
    }
}

impl CheckpointConfig {
    /// Which checkpoints outlive the job. None unless set.
    pub fn retention(&self) -> RetentionPolicy {
        *self.get(&RETENTION)
    }

    /// Whether any checkpoint may outlive the job.
    pub fn is_externalized(&self) -> bool {
        self.retention() != RetentionPolicy::NeverRetainAfterTermination
    }

    /// How many completed checkpoints are kept, from 1, which is the default, to [`Head::MAX_RETAINED`].
    pub fn num_retained(&self) -> usize {
        self.count_of(&NUM_RETAINED)
    }

    /// Whether the files of a checkpoint are deleted in parallel. They are unless set.
    pub fn parallel_cleaner(&self) -> bool {
        *self.get(&PARALLEL_CLEANER)
    }

    /// Of how many past checkpoints statistics are kept. 10 unless set.
    pub fn history_size(&self) -> usize {
        self.count_of(&HISTORY_SIZE)
    }
}
