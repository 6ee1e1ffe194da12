//! What a driver needs of its engine.

use std::sync::Arc;

use ckpt_streams::Spawn;

use crate::clock::{Clock, SystemClock};
use crate::gateway::TaskGateway;
use crate::observer::{CheckpointObserver, NoObserver};

/// What a driver needs of its engine.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DriverOptions {
    /// Brings messages to tasks.
    pub gateway: Arc<dyn TaskGateway>,
    /// Where blocking work runs.
    pub spawn: Arc<dyn Spawn>,
    /// Sees what happens.
    pub observer: Arc<dyn CheckpointObserver>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// What the delay before the first checkpoint is drawn from.
    pub seed: u64,
}

impl DriverOptions {
    /// Those two, the clocks of the system, nobody who watches, and a seed of zero.
    pub fn new(gateway: Arc<dyn TaskGateway>, spawn: Arc<dyn Spawn>) -> Self {
        Self { gateway, spawn, observer: Arc::new(NoObserver), clock: Arc::new(SystemClock::new()), seed: 0 }
    }

    /// With that observer.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn CheckpointObserver>) -> Self {
        self.observer = observer;
        self
    }

    /// With that clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// With that seed.
    #[must_use]
    pub const fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
}
