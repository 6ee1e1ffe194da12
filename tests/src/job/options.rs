//! How a job is run.

use std::num::NonZeroU64;
use std::sync::Arc;

use ckpt_coord::driver::CheckpointStatistics;
use ckpt_core::config::CheckpointConfig;
use ckpt_core::id::{CheckpointId, LeaderEpoch};

use crate::job::{JobObserver, NobodyWatches};

/// How a job is run this time; nothing of it is part of its state.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct JobOptions {
    /// How many subtasks each vertex has.
    pub parallelism: u32,
    /// When checkpoints are taken.
    pub checkpoints: CheckpointConfig,
    /// How many batches may be on their way from one task to another; at least one.
    pub credits_per_input: usize,
    /// How many bytes of input a second all sources together read at most; without it, as many as they can.
    pub read_limit: Option<NonZeroU64>,
    /// After that many aborted checkpoints in a row the job fails.
    pub tolerated_aborts: u32,
    /// What the delay before the first checkpoint is drawn from.
    pub seed: u64,
    /// Sees what happens.
    pub observer: Arc<dyn JobObserver>,
}

/// What became of a job that has ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct JobReport {
    /// The epoch under which it ended.
    pub epoch: LeaderEpoch,
    /// The checkpoint from which this run of it began.
    pub restored_from: Option<CheckpointId>,
    /// What happened to the checkpoints of this run.
    pub statistics: CheckpointStatistics,
}

impl JobOptions {
    /// That parallelism, those checkpoints, and nobody who watches.
    pub fn new(parallelism: u32, checkpoints: CheckpointConfig) -> Self {
        Self {
            parallelism,
            checkpoints,
            credits_per_input: 8,
            read_limit: None,
            tolerated_aborts: 10,
            seed: 0,
            observer: Arc::new(NobodyWatches),
        }
    }

    /// With that observer.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn JobObserver>) -> Self {
        self.observer = observer;
        self
    }

    /// With that many batches on their way from one task to another.
    #[must_use]
    pub const fn with_credits_per_input(mut self, credits: usize) -> Self {
        self.credits_per_input = credits;
        self
    }

    /// With sources that read that many bytes a second at most.
    #[must_use]
    pub const fn with_read_limit(mut self, bytes_per_second: Option<NonZeroU64>) -> Self {
        self.read_limit = bytes_per_second;
        self
    }

    /// With that many aborted checkpoints in a row before the job fails.
    #[must_use]
    pub const fn with_tolerated_aborts(mut self, tolerated: u32) -> Self {
        self.tolerated_aborts = tolerated;
        self
    }

    /// With that seed.
    #[must_use]
    pub const fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
}
