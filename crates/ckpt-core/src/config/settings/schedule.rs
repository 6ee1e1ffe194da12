//! When checkpoints are taken.

use std::time::Duration;

use crate::config::builder::CheckpointConfigBuilder;
use crate::config::checkpoint::CheckpointConfig;
use crate::config::key::Names;
use crate::config::setting::{Otherwise, Rule, Setting, slot};

const AT_LEAST_SHORTEST: &str = "10 ms or longer";

pub(in crate::config) static INTERVAL: Setting<Option<Duration>> = Setting {
    names: Names {
        flink: Some("CheckpointConfig.setCheckpointInterval"),
        pyflink: Some("CheckpointConfig.set_checkpoint_interval"),
        with_others: "a longer min-pause counts in its place",
        ..Names::new(
            "execution.checkpointing.interval",
            "interval",
            "the time from one periodic checkpoint to the next; without it there are none",
        )
    },
    default: None,
    rules: &[Rule {
        must_be: AT_LEAST_SHORTEST,
        holds: |interval| interval.is_none_or(|interval| interval >= CheckpointConfig::SHORTEST),
        remedy: "write 10 ms or more, or leave it away for no periodic checkpoints",
        otherwise: Otherwise::Refuse,
    }],
    slot: slot!(interval),
};

pub(in crate::config) static INTERVAL_DURING_BACKLOG: Setting<Option<Duration>> = Setting {
    names: Names {
        flink: Some("CheckpointConfig.setCheckpointIntervalDuringBacklog"),
        with_others: "only with an interval, and not shorter than it",
        ..Names::new(
            "execution.checkpointing.interval-during-backlog",
            "interval_during_backlog",
            "the interval while a source works off a backlog, 0 for no periodic checkpoints then; without it the same as \
             else",
        )
    },
    default: None,
    rules: &[Rule {
        must_be: "0, or 10 ms or longer",
        holds: |interval| interval.is_none_or(|it| it.is_zero() || it >= CheckpointConfig::SHORTEST),
        remedy: "write 0 for no periodic checkpoints during a backlog, or leave it away for the usual interval",
        otherwise: Otherwise::Refuse,
    }],
    slot: slot!(interval_during_backlog),
};

pub(in crate::config) static TIMEOUT: Setting<Duration> = Setting {
    names: Names {
        flink: Some("CheckpointConfig.setCheckpointTimeout"),
        pyflink: Some("CheckpointConfig.set_checkpoint_timeout"),
        ..Names::new("execution.checkpointing.timeout", "timeout", "a checkpoint that takes longer is aborted")
    },
    default: Duration::from_secs(600),
    rules: &[Rule {
        must_be: AT_LEAST_SHORTEST,
        holds: |timeout| *timeout >= CheckpointConfig::SHORTEST,
        remedy: "write 10 ms or more, or leave it away for 10 min",
        otherwise: Otherwise::Refuse,
    }],
    slot: slot!(timeout),
};

pub(in crate::config) static MIN_PAUSE: Setting<Duration> = Setting {
    names: Names {
        flink: Some("CheckpointConfig.setMinPauseBetweenCheckpoints"),
        pyflink: Some("CheckpointConfig.set_min_pause_between_checkpoints"),
        with_others: "raises a shorter interval; only with an interval",
        ..Names::new(
            "execution.checkpointing.min-pause",
            "min_pause",
            "the least time between the end of a checkpoint and the next periodic one",
        )
    },
    default: Duration::ZERO,
    rules: &[Rule {
        must_be: "at most 365 d",
        holds: |pause| *pause <= CheckpointConfig::LONGEST_PAUSE,
        remedy: "write 365 d or less",
        otherwise: Otherwise::Take(CheckpointConfig::LONGEST_PAUSE),
    }],
    slot: slot!(min_pause),
};

pub(in crate::config) static MAX_CONCURRENT: Setting<i64> = Setting {
    names: Names {
        flink: Some("CheckpointConfig.setMaxConcurrentCheckpoints"),
        pyflink: Some("CheckpointConfig.set_max_concurrent_checkpoints"),
        with_others: "1 with unaligned checkpoints",
        ..Names::new(
            "execution.checkpointing.max-concurrent-checkpoints",
            "max_concurrent",
            "how many checkpoints may be in progress at once",
        )
    },
    default: 1,
    rules: &[Rule {
        must_be: "1 or more",
        holds: |max| *max >= 1,
        remedy: "write 1, or leave it away for 1",
        otherwise: Otherwise::Refuse,
    }],
    slot: slot!(max_concurrent),
};

impl CheckpointConfigBuilder {
    /// Takes a checkpoint once in each `interval`, 10 ms or longer.
    ///
    /// Key: `execution.checkpointing.interval`.
    pub fn interval(self, interval: Duration) -> Self {
        self.with(&INTERVAL, Some(interval))
    }

    /// Takes no periodic checkpoints, whatever other configuration says; those that are asked for are still taken.
    ///
    /// Key: `execution.checkpointing.interval`.
    pub fn without_interval(self) -> Self {
        self.with(&INTERVAL, None)
    }

    /// Takes a checkpoint once in each `interval` while a source works off a backlog; zero for none. Not shorter than
    /// the usual interval.
    ///
    /// Key: `execution.checkpointing.interval-during-backlog`.
    pub fn interval_during_backlog(self, interval: Duration) -> Self {
        self.with(&INTERVAL_DURING_BACKLOG, Some(interval))
    }

    /// Aborts a checkpoint that takes longer; 10 ms or longer.
    ///
    /// Key: `execution.checkpointing.timeout`.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(&TIMEOUT, timeout)
    }

    /// Waits at least that long after each checkpoint; a year at most.
    ///
    /// Key: `execution.checkpointing.min-pause`.
    pub fn min_pause(self, min_pause: Duration) -> Self {
        self.with(&MIN_PAUSE, min_pause)
    }

    /// Has up to that many checkpoints in progress at once, at least 1.
    ///
    /// Key: `execution.checkpointing.max-concurrent-checkpoints`.
    pub fn max_concurrent(self, max_concurrent: u32) -> Self {
        self.with(&MAX_CONCURRENT, max_concurrent.into())
    }
}

impl CheckpointConfig {
    /// The shortest interval and the shortest timeout.
    pub const SHORTEST: Duration = Duration::from_millis(10);

    /// The longest pause.
    pub const LONGEST_PAUSE: Duration = Duration::from_secs(365 * 86_400);

    /// The time from one periodic checkpoint to the next; `None`, the default, when there are none. See
    /// [`base_interval`](Self::base_interval) for the one that counts.
    pub fn interval(&self) -> Option<Duration> {
        *self.get(&INTERVAL)
    }

    /// The interval that counts: never shorter than the pause, as in Flink.
    pub fn base_interval(&self) -> Option<Duration> {
        self.interval().map(|interval| interval.max(self.min_pause()))
    }

    /// The interval that counts while a source works off a backlog; `None` when there are no periodic checkpoints then.
    /// As in Flink the pause does not raise one that was set.
    pub fn backlog_interval(&self) -> Option<Duration> {
        match (self.base_interval(), *self.get(&INTERVAL_DURING_BACKLOG)) {
            (None, _) | (_, Some(Duration::ZERO)) => None,
            (Some(_), Some(interval)) => Some(interval),
            (base, None) => base,
        }
    }

    /// How long a checkpoint may take before it is aborted. 10 minutes unless set.
    pub fn timeout(&self) -> Duration {
        *self.get(&TIMEOUT)
    }

    /// The least time between the end of a checkpoint and the next periodic one. Zero unless set.
    pub fn min_pause(&self) -> Duration {
        *self.get(&MIN_PAUSE)
    }

    /// How many checkpoints may be in progress at once, at least 1, which is the default.
    pub fn max_concurrent(&self) -> u32 {
        self.count(&MAX_CONCURRENT)
    }
}
