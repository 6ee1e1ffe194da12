//! How coordinator and tasks reach each other: by whatever transport the engine has.

use std::fmt::Debug;

use ckpt_core::id::TaskAttempt;
use ckpt_core::message::{ToCoordinator, ToTask};

/// Brings messages to tasks. It may lose, double and reorder them; a loss that it knows of it reports to the driver as a
/// lost attempt. Never blocks.
pub trait TaskGateway: Send + Sync + Debug {
    /// Sends `message` to that deployment of a task.
    fn send(&self, to: &TaskAttempt, message: ToTask);
}

/// Brings messages to the coordinator. It may lose, double and reorder them. Never blocks.
pub trait CoordinatorGateway: Send + Sync + Debug {
    /// Sends `message` to the coordinator of the job.
    fn send(&self, message: ToCoordinator);
}
