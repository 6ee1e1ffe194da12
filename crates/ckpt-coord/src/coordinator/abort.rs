//! A checkpoint is given up.

use ckpt_core::Monotonic;
use ckpt_core::id::{CheckpointId, TaskAttempt};
use ckpt_core::message::ToTask;

use crate::coordinator::outbox::Purpose;
use crate::coordinator::pending::{PendingCheckpoint, Stage};
use crate::coordinator::tasks::TaskState;
use crate::coordinator::{AbortReason, Action, Answer, Coordinator};

impl Coordinator {
    /// Gives up a pending checkpoint whose commit was not emitted: tasks are told, its place goes, whoever waits is
    /// answered. Does nothing when there is no such checkpoint.
    pub(super) fn abort(&mut self, id: CheckpointId, reason: AbortReason) {
        if self.pending.get(&id).is_none_or(PendingCheckpoint::is_committing) {
            return;
        }
        let Some(pending) = self.pending.remove(&id) else { return };
        self.statistics.aborted += 1;
        if !matches!(pending.stage, Stage::Initializing) {
            let to = pending.participants().filter(|attempt| self.tasks.runs(*attempt)).collect();
            self.outbox.push(Action::Send { to, message: ToTask::Aborted { epoch: pending.identity.epoch, id } });
        }
        match pending.stage {
            // An action works on the place: its answer discards it.
            Stage::Initializing | Stage::Publishing(_) => {}
            Stage::Acknowledging | Stage::Published(..) | Stage::Committing(_) => self.discard(id),
        }
        self.outbox.push(Action::ReportAborted { checkpoint: id, reason: reason.clone() });
        if let Some(to) = pending.reply {
            self.outbox.push(Action::Reply { to, answer: Answer::Aborted(reason) });
        }
    }

    /// Deletes the place of a checkpoint that was aborted. While that is being done it may have passed by what came since,
    /// so it is done once more afterwards.
    pub(super) fn discard(&mut self, id: CheckpointId) {
        self.aborted.insert(id);
        if self.aborted.len() > Self::REMEMBERED_ABORTED {
            self.aborted.pop_first();
        }
        if self.outbox.in_flight().any(|purpose| *purpose == Purpose::Discard(id)) {
            self.discard_again.insert(id);
        } else {
            self.outbox.begin(Purpose::Discard(id), |io| Action::DiscardLocation { io, checkpoint: id });
        }
    }

    /// The place of an aborted checkpoint was deleted, or could not be.
    pub(super) fn discarded(&mut self, id: CheckpointId) {
        if self.discard_again.remove(&id) {
            self.discard(id);
        }
    }

    /// Gives up what has taken too long.
    pub(super) fn expire(&mut self, now: Monotonic) {
        let expired = self.pending.values().filter(|pending| pending.deadline <= now && !pending.is_committing());
        let expired: Vec<_> = expired.map(|pending| (pending.id(), pending.outstanding())).collect();
        for (id, outstanding) in expired {
            self.statistics.expired += 1;
            self.abort(id, AbortReason::Expired { after: self.settings.timeout(), outstanding });
        }
    }

    pub(super) fn attempt_lost(&mut self, attempt: TaskAttempt, reason: &str) {
        if self.tasks.runs(attempt) {
            self.tasks.set(attempt.task, TaskState::NotRunning);
            self.schedule.disarm();
            self.abort_waiting_for(attempt, &|| AbortReason::AttemptLost { attempt, reason: reason.to_owned() });
        } else {
            self.statistics.unknown_attempts += 1;
        }
    }

    pub(super) fn attempt_finished(&mut self, attempt: TaskAttempt) {
        if self.tasks.runs(attempt) {
            self.tasks.set(attempt.task, TaskState::Finished);
            if !self.tasks.ready() {
                self.schedule.disarm();
            }
            self.abort_waiting_for(attempt, &|| AbortReason::AttemptFinished { attempt });
        } else {
            self.statistics.unknown_attempts += 1;
        }
    }

    /// Gives up what cannot complete without that attempt.
    pub(super) fn abort_waiting_for(&mut self, attempt: TaskAttempt, reason: &dyn Fn() -> AbortReason) {
        let Some(index) = self.tasks.index_of(attempt.task) else { return };
        let waiting = self.pending.values().filter(|pending| pending.waits_for(index, attempt).is_some());
        let waiting: Vec<_> = waiting.map(PendingCheckpoint::id).collect();
        for id in waiting {
            self.abort(id, reason());
        }
    }
}
