//! The order in which a checkpoint is committed. It protects data, and it stands nowhere else.
//!
//! 1. All tasks have acknowledged. Their state is durable: only sealed state fits into an acknowledgement.
//! 2. `_metadata` is published and durable. Before that HEAD must not name it, or a restore would find nothing.
//! 3. One write of HEAD commits the checkpoint *and* moves the oldest retained ones to the removed: at no moment is one
//!    visible without the other. One write is in flight at a time. Its deadline is tested before the write is emitted;
//!    afterwards nothing aborts the checkpoint, since the write may land. If the outcome is unknown, or another leader is
//!    there, this coordinator stops: it deletes nothing and tells no task, for HEAD may name the checkpoint or not.
//! 4. Older pending checkpoints are aborted: they could not be committed after this one.
//! 5. Whoever waits is answered, and the checkpoint is counted. Nothing is announced before it is committed.
//! 6. Tasks are told; sinks commit what they staged.
//! 7. Removed snapshots are deleted, with the shared files that the registry says nothing names any more. A snapshot that a
//!    pending checkpoint is based on waits until that has ended, since its tasks may name its files again. Savepoints that
//!    were given up, or that a former leader was taking, go likewise.
//!    Once HEAD names none any more that needs a place which the job had claimed, the mark of the claim goes.
//! 8. The next write of HEAD drops what was deleted from the list of the removed; at the end of a job, one more. So a
//!    crash anywhere leaves a HEAD from which the next leader goes on.

use std::sync::Arc;

use ckpt_core::head::{RetainedSnapshot, WrittenHead};
use ckpt_core::id::CheckpointId;
use ckpt_core::message::ToTask;
use ckpt_core::shared::RemovedFiles;
use ckpt_core::{ErrorKind, Monotonic, Timestamp};

use crate::coordinator::committed::Removal;
use crate::coordinator::outbox::{HeadPurpose, Purpose};
use crate::coordinator::pending::{PendingCheckpoint, Stage};
use crate::coordinator::{AbortReason, Action, Answer, Completion, Coordinator, Failure};

impl Coordinator {
    /// Step 2: all tasks have acknowledged.
    pub(super) fn publish(&mut self, now: Timestamp, id: CheckpointId) {
        let job = self.committed.head().head().job;
        let Some(pending) = self.pending.get_mut(&id) else { return };
        let claims = &self.committed.head().head().claims;
        let metadata = match pending.take_metadata((job, claims), &self.tasks, (self.settings.retention(), now)) {
            Ok(metadata) => Arc::new(metadata),
            Err(error) => return self.abort(id, AbortReason::PublishFailed(Failure::from(&error))),
        };
        pending.stage = Stage::Publishing(Arc::clone(&metadata));
        self.outbox.begin(Purpose::Publish(id), |io| Action::PublishMetadata { io, metadata });
    }

    /// `_metadata` is durable. If the checkpoint was aborted in the meantime, its place goes.
    pub(super) fn metadata_published(&mut self, id: CheckpointId, snapshot: RetainedSnapshot) {
        let Some(pending) = self.pending.get_mut(&id) else { return self.discard(id) };
        if let Stage::Publishing(metadata) = &pending.stage {
            pending.stage = Stage::Published(Arc::clone(metadata), snapshot);
        }
    }

    /// `_metadata` is not there, or perhaps it is: HEAD does not name it, so the checkpoint is not committed either way.
    pub(super) fn publish_failed(&mut self, id: CheckpointId, failure: Failure) {
        self.abort(id, AbortReason::PublishFailed(failure));
        self.discard(id);
    }

    /// Step 3: commits the oldest checkpoint that is published, unless HEAD is being written.
    pub(super) fn commit_next(&mut self) {
        while self.outbox.head_write().is_none() {
            let published = self.pending.values_mut().find_map(|pending| match &pending.stage {
                Stage::Published(metadata, snapshot) => Some((Arc::clone(metadata), snapshot.clone(), pending)),
                _ => None,
            });
            let Some((metadata, snapshot, pending)) = published else { return };
            let (id, retain) = (pending.id(), self.settings.num_retained());
            match self.committed.head().commit(snapshot, retain, self.committed.collected()) {
                Ok(write) => {
                    pending.stage = Stage::Committing(metadata);
                    let purpose = Purpose::WriteHead(HeadPurpose::Commit(id));
                    self.outbox.begin(purpose, |io| Action::WriteHead { io, commits: Some(id), write });
                }
                Err(error) => self.abort(id, AbortReason::CommitFailed(Failure::from(&error))),
            }
        }
    }

    /// HEAD is written and durable.
    pub(super) fn head_written(&mut self, now: Monotonic, purpose: HeadPurpose, written: WrittenHead) {
        let pending = match purpose {
            HeadPurpose::Commit(id) => self.pending.remove(&id),
            HeadPurpose::Reserve | HeadPurpose::End | HeadPurpose::Clear => None,
        };
        let subsumed_upto = written.removed.last().map(|removed| removed.snapshot().id);
        let metadata = pending.as_ref().and_then(|pending| match &pending.stage {
            Stage::Committing(metadata) => Some(Arc::clone(metadata)),
            _ => None,
        });
        let total_bytes = metadata.as_ref().map_or(0, |metadata| metadata.summary().totals.size.state_bytes());
        self.shared.head_written(&written);
        self.committed.written(written, metadata);
        match pending {
            Some(pending) => self.completed(now, &pending, total_bytes, subsumed_upto),
            None if purpose == HeadPurpose::End => self.end_written(),
            None if purpose == HeadPurpose::Clear => self.cleared(),
            None => {}
        }
        self.discard_failed();
        for ended in std::mem::take(&mut self.failed_writers) {
            self.shared.not_collected(&ended);
        }
    }

    /// Steps 4 to 6; the seventh follows each event.
    fn completed(
        &mut self,
        now: Monotonic,
        pending: &PendingCheckpoint,
        total_bytes: u64,
        subsumed_upto: Option<CheckpointId>,
    ) {
        let id = pending.id();
        let older: Vec<_> = self.pending.range(..id).map(|(id, _)| *id).collect();
        for older in older {
            self.abort(older, AbortReason::Subsumed { by: id });
        }
        let completed = Completion::new(pending.identity, total_bytes, now.since(pending.started));
        self.schedule.completed(now);
        self.statistics.completed += 1;
        self.statistics.latest = Some(completed);
        self.statistics.latest_id = Some(id);
        self.outbox.push(Action::ReportCompleted { completed });
        if let Some(to) = pending.reply {
            self.outbox.push(Action::Reply { to, answer: Answer::Completed(completed) });
        }
        let to = pending.participants().filter(|attempt| self.tasks.runs(*attempt)).collect();
        let message = ToTask::Completed { epoch: pending.identity.epoch, id, subsumed_upto };
        self.outbox.send(to, message);
    }

    /// HEAD was not written for certain, or nobody knows.
    pub(super) fn head_not_written(&mut self, purpose: HeadPurpose, failure: Failure) {
        match (failure.kind, purpose) {
            (ErrorKind::Retry, HeadPurpose::Commit(id)) => {
                if let Some(pending) = self.pending.get_mut(&id) {
                    // The write was never made, so it can be aborted as before it was emitted.
                    if let Stage::Committing(metadata) = &pending.stage {
                        pending.stage = Stage::Publishing(Arc::clone(metadata));
                    }
                }
                self.abort(id, AbortReason::CommitFailed(failure));
                self.discard(id);
            }
            (ErrorKind::Retry, HeadPurpose::Reserve) => {
                while let Some((_, to)) = self.requests.pop_front() {
                    let answer = Answer::Aborted(AbortReason::NoNumber(failure.clone()));
                    self.outbox.push(Action::Reply { to, answer });
                }
                self.schedule.give_up();
            }
            (ErrorKind::Retry, HeadPurpose::End) => self.end_failed(failure),
            // The job has ended whatever becomes of this one, and nothing follows that it could endanger.
            (_, HeadPurpose::Clear) => {}
            _ => self.step_down(failure),
        }
    }

    /// Step 7.
    pub(super) fn collect_removed(&mut self) {
        for removal in self.committed.take_removals(&mut self.shared) {
            self.delete(removal);
        }
        for abandoned in self.committed.take_abandoned() {
            let purpose = Purpose::RemoveSavepoint(abandoned.clone());
            self.outbox.begin(purpose, |io| Action::RemoveSavepoint { io, abandoned });
        }
        for released in self.committed.take_releases() {
            self.outbox.begin(Purpose::Release(released.clone()), |io| Action::ReleaseClaim { io, released });
        }
    }

    /// Deletes files that no checkpoint committed, and whose writers have ended.
    pub(super) fn delete_files(&mut self, files: RemovedFiles) {
        if !files.is_empty() {
            self.delete(Removal { removed: None, files });
        }
    }

    fn delete(&mut self, removal: Removal) {
        let Removal { removed, files } = removal.clone();
        self.outbox.begin(Purpose::Remove(removal), |io| match removed {
            Some(removed) => Action::RemoveSnapshot { io, removed, files },
            None => Action::RemoveFiles { io, files },
        });
    }

    /// Deletes what writers have left that have ended, besides what is known of it: they may have written files that nobody
    /// ever acknowledged. One such collection at a time, so that a thousand tasks that end are a few of them.
    pub(super) fn collect_ended(&mut self) {
        if self.outbox.in_flight().any(|purpose| purpose.ended_writers().is_some()) {
            return;
        }
        let ended = self.shared.take_ended();
        if !ended.is_empty() {
            self.outbox.begin(Purpose::CollectEnded(ended.clone()), |io| Action::CollectEnded { io, ended });
        }
    }

    /// What former leaders removed or left is collected when this one begins.
    pub(super) fn collect_leftovers(&mut self) {
        self.collect_removed();
        let claimed = Box::new(self.committed.head().head().clone());
        let retained = self.committed.retained().cloned().collect();
        self.outbox.begin(Purpose::CollectOrphans, |io| Action::CollectOrphans { io, claimed, retained });
    }
}
