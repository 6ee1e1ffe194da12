//! What a task's checkpoints need of the process they run in.

use std::num::NonZeroUsize;
use std::sync::Arc;

use ckpt_storage::WorkerView;
use ckpt_streams::Spawn;

use crate::clock::{Clock, SystemClock};
use crate::gateway::CoordinatorGateway;
use crate::observer::{CheckpointObserver, NoObserver};

/// What a task's checkpoints need of the process they run in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TaskOptions {
    /// Where state is written: the view of this task's writer.
    pub view: Arc<dyn WorkerView>,
    /// The way to the coordinator.
    pub coordinator: Arc<dyn CoordinatorGateway>,
    /// Where captured state is written in the background.
    pub spawn: Arc<dyn Spawn>,
    /// Told each phase; by default nobody.
    pub observer: Arc<dyn CheckpointObserver>,
    /// Where time comes from; by default the system.
    pub clock: Arc<dyn Clock>,
    /// How many captured snapshots may be on their way to storage; one more is declined, so that slow storage does not
    /// fill the memory. By default [`DEFAULT_MAX_IN_FLIGHT`](Self::DEFAULT_MAX_IN_FLIGHT).
    pub max_in_flight: NonZeroUsize,
}

impl TaskOptions {
    /// More than any sensible number of concurrent checkpoints and savepoints.
    pub const DEFAULT_MAX_IN_FLIGHT: NonZeroUsize = NonZeroUsize::new(16).unwrap();

    /// With the system's clock and nobody observing.
    pub fn new(view: Arc<dyn WorkerView>, coordinator: Arc<dyn CoordinatorGateway>, spawn: Arc<dyn Spawn>) -> Self {
        Self {
            view,
            coordinator,
            spawn,
            observer: Arc::new(NoObserver),
            clock: Arc::new(SystemClock::new()),
            max_in_flight: Self::DEFAULT_MAX_IN_FLIGHT,
        }
    }

    /// Tells that observer.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn CheckpointObserver>) -> Self {
        self.observer = observer;
        self
    }

    /// Takes time from that clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Allows that many captured snapshots on their way to storage.
    #[must_use]
    pub fn with_max_in_flight(mut self, max_in_flight: NonZeroUsize) -> Self {
        self.max_in_flight = max_in_flight;
        self
    }
}
