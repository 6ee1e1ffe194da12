//! Actions that wait to be taken, and answers that are due.

use std::collections::{BTreeMap, VecDeque};

use ckpt_core::head::{AbandonedSavepoint, ReleasedClaim};
use ckpt_core::id::{CheckpointId, TaskAttempt};
use ckpt_core::message::ToTask;
use ckpt_core::shared::EndedWriters;

use crate::coordinator::committed::Removal;
use crate::coordinator::{Action, IoId};

/// Actions that wait to be taken, and what each answer that is due will be about.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    actions: VecDeque<Action>,
    next_io: u64,
    in_flight: BTreeMap<IoId, Purpose>,
}

/// What an answer will be about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Initialize(CheckpointId),
    Publish(CheckpointId),
    WriteHead(HeadPurpose),
    Discard(CheckpointId),
    Remove(Removal),
    RemoveSavepoint(AbandonedSavepoint),
    RemoveTaskOwned,
    Release(ReleasedClaim),
    CollectOrphans,
    CollectEnded(EndedWriters),
}

/// What HEAD is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeadPurpose {
    Commit(CheckpointId),
    Reserve,
    End,
    Clear,
}

impl Purpose {
    /// Those whose files are being collected.
    pub(super) const fn ended_writers(&self) -> Option<&EndedWriters> {
        match self {
            Self::CollectEnded(ended) => Some(ended),
            _ => None,
        }
    }
}

impl Outbox {
    pub(super) fn push(&mut self, action: Action) {
        self.actions.push_back(action);
    }

    /// Queues a message, if there is anybody to send it to.
    pub(super) fn send(&mut self, to: Vec<TaskAttempt>, message: ToTask) {
        if !to.is_empty() {
            self.push(Action::Send { to, message });
        }
    }

    pub(super) fn pop(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Queues an action whose answer will be about `purpose`.
    pub(super) fn begin(&mut self, purpose: Purpose, action: impl FnOnce(IoId) -> Action) {
        let io = IoId::new(self.next_io);
        // A coordinator that did an action each nanosecond would need five centuries to come back to zero.
        self.next_io += 1;
        self.in_flight.insert(io, purpose);
        self.actions.push_back(action(io));
    }

    /// The answer has come; `None` when none is due under that number.
    pub(super) fn finish(&mut self, io: IoId) -> Option<Purpose> {
        self.in_flight.remove(&io)
    }

    /// No answer counts any more.
    pub(super) fn forget_answers(&mut self) {
        self.in_flight.clear();
    }

    pub(super) fn in_flight(&self) -> impl Iterator<Item = &Purpose> {
        self.in_flight.values()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.in_flight.is_empty()
    }

    /// What HEAD is being written for.
    pub(super) fn head_write(&self) -> Option<HeadPurpose> {
        self.in_flight().find_map(|purpose| match purpose {
            Purpose::WriteHead(purpose) => Some(*purpose),
            _ => None,
        })
    }
}
