//! What the coordinator goes by.

use std::time::Duration;

use ckpt_core::config::CheckpointConfig;
use ckpt_core::snapshot::RetentionPolicy;

/// What the coordinator goes by. It is the job's configuration and the seed of what little is drawn at random.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoordinatorSettings {
    config: CheckpointConfig,
    seed: u64,
}

impl CoordinatorSettings {
    /// That configuration, a seed of zero.
    pub const fn new(config: CheckpointConfig) -> Self {
        Self { config, seed: 0 }
    }

    /// With that seed, from which the delay before the first periodic checkpoint is drawn.
    #[must_use]
    pub const fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    pub(super) const fn seed(&self) -> u64 {
        self.seed
    }

    pub(super) fn base_interval(&self) -> Option<Duration> {
        self.config.base_interval()
    }

    pub(super) fn backlog_interval(&self) -> Option<Duration> {
        self.config.backlog_interval()
    }

    pub(super) fn min_pause(&self) -> Duration {
        self.config.min_pause()
    }

    pub(super) fn timeout(&self) -> Duration {
        self.config.timeout()
    }

    pub(super) fn max_concurrent(&self) -> usize {
        usize::try_from(self.config.max_concurrent()).unwrap_or(usize::MAX)
    }

    pub(super) fn retention(&self) -> RetentionPolicy {
        self.config.retention()
    }

    pub(super) fn num_retained(&self) -> usize {
        self.config.num_retained()
    }
}
