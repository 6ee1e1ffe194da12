//! The way from the coordinator to the tasks.

use std::collections::BTreeMap;

use ckpt_coord::TaskGateway;
use ckpt_core::id::TaskAttempt;
use ckpt_core::message::ToTask;
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
