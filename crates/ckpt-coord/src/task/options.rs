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
    /// Where state is written: the view of this task's writer. What the task captures is charged to its budget
    /// (`StorageContext::budget`, in bytes).
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
    /// An acknowledgement whose snapshot takes more bytes than this goes through a file in the checkpoint's directory,
    /// so that messages stay small. By default, and at least, [`LEAST_SPILL_ABOVE_BYTES`](Self::LEAST_SPILL_ABOVE_BYTES);
    /// the limit of the engine's frames is to be somewhat larger. Not with memory storage, where state stays in the
    /// acknowledgement: there frames are as long as the state of a task.
    pub spill_above_bytes: usize,
}

impl TaskOptions {
    /// More than any sensible number of concurrent checkpoints and savepoints.
    pub const DEFAULT_MAX_IN_FLIGHT: NonZeroUsize = NonZeroUsize::new(16).unwrap();

    /// As much as a storage may keep inline, so that what is spilled always makes a file.
    pub const LEAST_SPILL_ABOVE_BYTES: usize = 1 << 20;

    /// With the system's clock and nobody observing.
    pub fn new(view: Arc<dyn WorkerView>, coordinator: Arc<dyn CoordinatorGateway>, spawn: Arc<dyn Spawn>) -> Self {
        Self {
            view,
            coordinator,
            spawn,
            observer: Arc::new(NoObserver),
            clock: Arc::new(SystemClock::new()),
            max_in_flight: Self::DEFAULT_MAX_IN_FLIGHT,
            spill_above_bytes: Self::LEAST_SPILL_ABOVE_BYTES,
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

    /// Sends acknowledgements of up to that many bytes as they are; never fewer than
    /// [`LEAST_SPILL_ABOVE_BYTES`](Self::LEAST_SPILL_ABOVE_BYTES).
    #[must_use]
    pub const fn with_spill_above_bytes(mut self, bytes: usize) -> Self {
        self.spill_above_bytes = bytes;
        self
    }

    /// From where on an acknowledgement is spilled; `None` where its state stays in it.
    pub(super) fn spill_above(&self) -> Option<usize> {
        (!self.view.keeps_state_in_acknowledgements()).then_some(self.spill_above_bytes)
    }

    /// Allows that many captured snapshots on their way to storage.
    #[must_use]
    pub fn with_max_in_flight(mut self, max_in_flight: NonZeroUsize) -> Self {
        self.max_in_flight = max_in_flight;
        self
    }
}
