//! A checkpoint is given up.

use ckpt_core::id::CheckpointId;
use ckpt_core::message::ToTask;
use ckpt_core::{ErrorKind, Monotonic};

use crate::coordinator::outbox::Purpose;
use crate::coordinator::pending::{PendingCheckpoint, Stage};
use crate::coordinator::{AbortReason, Action, Answer, Coordinator, Failure};

impl Coordinator {
    /// Gives up a pending checkpoint whose commit was not emitted: tasks are told, its place goes, whoever waits is
    /// answered. Does nothing when there is no such checkpoint.
    pub(super) fn abort(&mut self, id: CheckpointId, reason: AbortReason) {
        if self.pending.get(&id).is_none_or(PendingCheckpoint::is_committing) {
            return;
        }
        let Some(pending) = self.pending.remove(&id) else { return };
        let files = self.shared.release(id);
        self.delete_files(files);
        self.statistics.aborted += 1;
        if !matches!(pending.stage, Stage::Initializing) {
            let to = pending.participants().filter(|attempt| self.tasks.runs(*attempt)).collect();
            let latest_completed = self.committed.newest_id();
            self.outbox.send(to, ToTask::Aborted { epoch: pending.identity.epoch, id, latest_completed });
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
        self.failed_discards.remove(&id);
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

    /// The place of an aborted checkpoint could not be deleted: it is tried again when HEAD is written next. What is no
    /// more there needs no second try, and what is forgotten is left to the next leader.
    pub(super) fn not_discarded(&mut self, id: CheckpointId, failure: &Failure) {
        self.statistics.failed_discards += 1;
        if failure.kind != ErrorKind::NotFound {
            self.failed_discards.insert(id);
            if self.failed_discards.len() > Self::REMEMBERED_ABORTED {
                self.failed_discards.pop_first();
            }
        }
        self.discarded(id);
    }

    /// Tries once more to delete the places that could not be deleted.
    pub(super) fn discard_failed(&mut self) {
        for id in std::mem::take(&mut self.failed_discards) {
            self.discard(id);
        }
    }

    /// Gives up all that is not being committed.
    pub(super) fn abort_all(&mut self, reason: &AbortReason) {
        let pending: Vec<CheckpointId> = self.pending.keys().copied().collect();
        for id in pending {
            self.abort(id, reason.clone());
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
}
