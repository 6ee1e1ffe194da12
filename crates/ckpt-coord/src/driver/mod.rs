//! Runs a [coordinator](crate::coordinator) on a thread, against storage and tasks.

mod claimed;
mod options;

use std::sync::Arc;

use ckpt_core::Result;
use ckpt_core::config::CheckpointConfig;
use ckpt_core::graph::JobGraph;
use ckpt_core::head::{AtEnd, JobState};
use ckpt_core::id::{TaskAttempt, WriterId};
use ckpt_core::message::ToCoordinator;
use ckpt_streams::Pending;

pub use claimed::ClaimedJob;
pub use options::DriverOptions;

pub use crate::coordinator::{CheckpointStatistics, ManualTrigger};
use crate::gateway::CoordinatorGateway;
use crate::observer::CompletedCheckpoint;

/// Runs the coordinator of one job. Dropping it shuts it down.
#[derive(Debug)]
pub struct Driver {
    handle: DriverHandle,
}

/// Reaches a driver from any thread; cheap to clone. No method blocks.
#[derive(Clone, Debug)]
pub struct DriverHandle {}

impl Driver {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// `Configuration` when the configuration cannot be followed, `FailJob` when no thread can be started.
    pub fn start(
        claimed: ClaimedJob,
        graph: Arc<JobGraph>,
        config: CheckpointConfig,
        options: DriverOptions,
    ) -> Result<Self> {
        let _ = (claimed, graph, config, options);
        Ok(Self { handle: DriverHandle {} })
    }

    /// Reaches this driver from other threads.
    pub fn handle(&self) -> DriverHandle {
        self.handle.clone()
    }
}

impl DriverHandle {
    /// Tasks run, each under the number by which it names files.
    pub fn attempts_started(&self, attempts: Vec<(TaskAttempt, WriterId)>) {
        drop(attempts);
    }

    /// A task runs no more and has not finished, or cannot be reached.
    pub fn attempt_lost(&self, attempt: TaskAttempt, reason: impl Into<String>) {
        let _ = (attempt, reason.into());
    }

    /// A task has finished, side effects committed: no checkpoint needs it any more.
    pub fn attempt_finished(&self, attempt: TaskAttempt) {
        let _ = attempt;
    }

    /// Takes a checkpoint now, whatever the minimum pause.
    pub fn trigger_checkpoint(&self, trigger: ManualTrigger) -> Pending<Result<CompletedCheckpoint>> {
        let _ = trigger;
        unreachable!("being written")
    }

    /// The job is over: stops triggering, aborts what is pending, writes the terminal HEAD.
    pub fn end(&self, state: JobState, at_end: AtEnd) -> Pending<Result<()>> {
        let _ = (state, at_end);
        unreachable!("being written")
    }

    /// Stops; the job may go on later. Nothing that is committed is deleted.
    pub fn shut_down(&self) -> Pending<Result<()>> {
        unreachable!("being written")
    }

    /// What happened so far.
    pub fn statistics(&self) -> CheckpointStatistics {
        CheckpointStatistics::default()
    }
}

impl CoordinatorGateway for DriverHandle {
    fn send(&self, message: ToCoordinator) {
        drop(message);
    }
}
