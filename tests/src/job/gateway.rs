//! The ways between coordinator and tasks.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use ckpt_coord::driver::DriverHandle;
use ckpt_coord::{CoordinatorGateway, TaskGateway};
use ckpt_core::id::TaskAttempt;
use ckpt_core::message::{ToCoordinator, ToTask};
use crossbeam_channel::Sender;

use crate::exchange::Control;

/// Puts messages into inboxes. All tasks live in this process, so a channel each is enough.
#[derive(Debug)]
pub(super) struct Inboxes(BTreeMap<TaskAttempt, Sender<Control>>);

impl Inboxes {
    pub(super) const fn new(inboxes: BTreeMap<TaskAttempt, Sender<Control>>) -> Self {
        Self(inboxes)
    }

    /// Tells every task.
    pub(super) fn tell_all(&self, control: impl Fn() -> Control) {
        for inbox in self.0.values() {
            // A task that is gone has failed, which the engine learns from its thread.
            let _ = inbox.send(control());
        }
    }
}

impl TaskGateway for Inboxes {
    fn send(&self, to: &TaskAttempt, message: ToTask) {
        // As above. The queue has no bound, so this never blocks; the coordinator sends little and waits for answers.
        if let Some(inbox) = self.0.get(to) {
            let _ = inbox.send(Control::Message(message));
        }
    }
}

/// The way from the tasks to the coordinator, which begins after them.
#[derive(Debug, Default)]
pub(super) struct CoordinatorAddress(OnceLock<DriverHandle>);

impl CoordinatorAddress {
    /// Says where the coordinator is; once.
    pub(super) fn set(&self, driver: DriverHandle) {
        let _ = self.0.set(driver);
    }
}

impl CoordinatorGateway for CoordinatorAddress {
    fn send(&self, message: ToCoordinator) {
        // No task has anything to say before a coordinator has asked.
        if let Some(driver) = self.0.get() {
            driver.send(message);
        }
    }
}
