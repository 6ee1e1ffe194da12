//! Tasks come and go.
//!
//! A checkpoint above the one that tasks were restored from must never be committed from what their former attempts
//! acknowledged: its sinks would commit records that the restored tasks take again. So all tasks are replaced together,
//! and only after a restore was asked for and answered: it gives up everything pending, waits for the commit that it
//! cannot give up, and only then says what to restore.

use ckpt_core::Monotonic;
use ckpt_core::id::{OperatorId, TaskAttempt, WriterId};

use crate::coordinator::lifecycle::{Lifecycle, stopped};
use crate::coordinator::pending::PendingCheckpoint;
use crate::coordinator::reason::DeploymentRefusal;
use crate::coordinator::schedule::Schedule;
use crate::coordinator::tasks::TaskState;
use crate::coordinator::{AbortReason, Action, Answer, Coordinator, Failure, ReplyToken};

impl Coordinator {
    pub(super) fn attempts_started(&mut self, now: Monotonic, attempts: &[(TaskAttempt, WriterId)], reply: ReplyToken) {
        let answer = match self.deploy(attempts) {
            Ok(()) => Answer::Done,
            Err(failure) => Answer::Failed(failure),
        };
        self.outbox.push(Action::Reply { to: reply, answer });
        if matches!(self.lifecycle, Lifecycle::Running) && self.tasks.ready() {
            self.schedule.arm(now);
        }
    }

    fn deploy(&mut self, attempts: &[(TaskAttempt, WriterId)]) -> Result<(), Failure> {
        match self.lifecycle {
            Lifecycle::Running => {}
            Lifecycle::Restoring { .. } => return Err(DeploymentRefusal::Restoring.into()),
            _ => return Err(stopped()),
        }
        let deployed = self.tasks.deploy(attempts, |writer| self.shared.has_ended(writer));
        if let Err(DeploymentRefusal::NotRestored { former, attempt }) = deployed {
            // Whatever runs now was restored from something else than the tasks that are known: nothing that those
            // acknowledged may be committed, and nothing is triggered until all are restored.
            let reason = format!("it was replaced by {attempt}");
            self.tasks.set(former.task, TaskState::Lost);
            self.schedule.disarm();
            self.abort_all(&AbortReason::AttemptLost { attempt: former, reason });
        }
        deployed?;
        for &(attempt, writer) in attempts {
            self.shared.start_writer(writer).map_err(|_| DeploymentRefusal::WriterAgain { attempt, writer })?;
        }
        Ok(())
    }

    /// Whatever these wrote and no checkpoint names goes.
    pub(super) fn writers_ended(&mut self, writers: &[WriterId]) {
        let files = self.shared.end_writers(writers.iter().copied());
        self.delete_files(files);
    }

    /// All tasks are to be restored.
    pub(super) fn restore_requested(&mut self, reply: ReplyToken) {
        match &mut self.lifecycle {
            Lifecycle::Running => self.lifecycle = Lifecycle::Restoring { replies: vec![reply] },
            Lifecycle::Restoring { replies } => replies.push(reply),
            _ => return self.outbox.push(Action::Reply { to: reply, answer: Answer::Failed(stopped()) }),
        }
        // Before anything is given up: the tasks run no more, so none is told.
        self.tasks.forget_deployment();
        self.schedule.forget_backlog();
        self.give_up_everything(&AbortReason::Restore);
        let files = self.shared.end_all_writers();
        self.delete_files(files);
    }

    /// Says what to restore, unless a commit is under way that decides it.
    pub(super) fn proceed_to_the_restore(&mut self) {
        if self.pending.is_empty() {
            self.end_restore(&match self.committed.restore_point() {
                Ok(newest) => Answer::RestorePoint(newest),
                Err(failure) => Answer::Failed(failure),
            });
        }
    }

    /// Tells those who wait for a restore, if there are any, and goes on.
    pub(super) fn end_restore(&mut self, answer: &Answer) {
        if let Lifecycle::Restoring { replies } = &mut self.lifecycle {
            let replies = std::mem::take(replies);
            self.lifecycle = Lifecycle::Running;
            for to in replies {
                self.outbox.push(Action::Reply { to, answer: answer.clone() });
            }
        }
    }

    pub(super) fn attempt_lost(&mut self, attempt: TaskAttempt, reason: &str) {
        if self.tasks.runs(attempt) {
            self.tasks.set(attempt.task, TaskState::Lost);
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

    pub(super) fn backlog_changed(&mut self, operator: OperatorId, change: impl FnOnce(&mut Schedule, OperatorId)) {
        match self.tasks.graph().operator(operator) {
            Some(operator) => change(&mut self.schedule, operator.id),
            None => self.statistics.unknown_operators += 1,
        }
    }

    /// Gives up what cannot complete without that attempt.
    fn abort_waiting_for(&mut self, attempt: TaskAttempt, reason: &dyn Fn() -> AbortReason) {
        let Some(index) = self.tasks.index_of(attempt.task) else { return };
        let waiting = self.pending.values().filter(|pending| pending.waits_for(index, attempt).is_some());
        let waiting: Vec<_> = waiting.map(PendingCheckpoint::id).collect();
        for id in waiting {
            self.abort(id, reason());
        }
    }
}
