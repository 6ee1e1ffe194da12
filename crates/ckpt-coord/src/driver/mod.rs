//! Runs a [coordinator](crate::coordinator) on a thread of its own, against storage and tasks.
//!
//! The thread takes what comes from one inbox, waits no longer than the coordinator's next deadline, and never blocks on
//! anything else: whatever may block runs as a job of the [`Spawn`](ckpt_streams::Spawn) in [`DriverOptions`], whose
//! answer comes back through the inbox. Begin with [`ClaimedJob::claim`], deploy the tasks, then [`Driver::start`].

mod begin;
mod claimed;
mod event_loop;
mod handle;
mod inbox;
mod jobs;
mod lane;
mod load;
mod options;
mod recovery;
mod replies;
mod retained;

use std::sync::Arc;
use std::thread::{self, ThreadId};
use std::time::Duration;

use ckpt_core::config::CheckpointConfig;
use ckpt_core::graph::JobGraph;
use ckpt_core::{Error, ErrorKind, Result};
use crossbeam_channel::unbounded;

pub use claimed::ClaimedJob;
pub use handle::DriverHandle;
pub use options::DriverOptions;
pub use recovery::{GoingBack, RecoveryFlaws, RecoveryOptions, RecoveryRefused, RecoveryVerification};

pub use crate::coordinator::{CheckpointStatistics, ManualTrigger};
use event_loop::EventLoop;
use handle::Shared;

/// Runs the coordinator of one job. Dropping it shuts it down, for which it waits a few seconds at most; call
/// [`DriverHandle::shut_down`] or [`DriverHandle::end`] first to wait as long as it takes.
#[derive(Debug)]
pub struct Driver {
    handle: DriverHandle,
    thread: ThreadId,
}

impl Driver {
    /// How long a drop waits.
    const GRACE: Duration = Duration::from_secs(5);

    /// Starts the thread. What former leaders left is collected at once; checkpoints are taken as soon as all tasks are
    /// reported to run.
    ///
    /// # Errors
    ///
    /// `Configuration` when checkpoints of the job cannot be taken with that configuration (see
    /// [`CheckpointConfig::validate`], which also says what should be looked at); `FailJob` when no thread can be started;
    /// `Corrupt` when retained checkpoints do not agree on what a shared file holds.
    pub fn start(
        claimed: ClaimedJob,
        graph: Arc<JobGraph>,
        config: CheckpointConfig,
        options: DriverOptions,
    ) -> Result<Self> {
        config.validate(&graph)?;
        let (sender, receiver) = unbounded();
        let shared = Arc::new(Shared::default());
        let event_loop =
            EventLoop::new(claimed, graph, config, options, (sender.clone(), receiver), Arc::clone(&shared))?;
        let thread = thread::Builder::new().name("ckpt-coordinator".to_owned()).spawn(move || event_loop.run());
        let thread = thread.map_err(|error| {
            Error::new(ErrorKind::FailJob, format!("the coordinator's thread cannot be started: {error}"))
        })?;
        Ok(Self { handle: DriverHandle::new(sender, shared), thread: thread.thread().id() })
    }

    /// Reaches this driver from other threads.
    pub fn handle(&self) -> DriverHandle {
        self.handle.clone()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let mut stopped = self.handle.shut_down();
        // An observer that drops the driver must not wait for itself.
        if thread::current().id() != self.thread {
            let _ = stopped.wait_timeout(Self::GRACE);
        }
    }
}

#[cfg(test)]
mod begin_test;
#[cfg(test)]
mod late_test;
#[cfg(test)]
mod recovery_test;
#[cfg(test)]
mod savepoint_test;
#[cfg(test)]
mod stop_test;
#[cfg(test)]
#[path = "driver_test.rs"]
mod tests;
