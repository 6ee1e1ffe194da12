//! How a coordinator stops.

use ckpt_core::ErrorKind;
use ckpt_core::snapshot::{JobEnd, RetentionPolicy};

use crate::coordinator::outbox::{HeadPurpose, Purpose};
use crate::coordinator::{AbortReason, Action, Answer, Coordinator, Event, Failure, ReplyToken};

/// Whether a coordinator works, stops, or has stopped.
#[derive(Debug)]
pub(super) enum Lifecycle {
    Running,
    /// All tasks are to be restored; it waits for the commit under way.
    Restoring {
        replies: Vec<ReplyToken>,
    },
    /// It waits for the actions under way. Nothing that is committed is deleted.
    ShuttingDown {
        replies: Vec<ReplyToken>,
    },
    /// It waits for the actions under way, writes the terminal HEAD, deletes what that removes, and writes HEAD once more
    /// without it.
    Ending {
        end: JobEnd,
        retention: RetentionPolicy,
        reply: ReplyToken,
        step: EndStep,
        others: Vec<ReplyToken>,
    },
    /// It has stopped: on request, or for that reason.
    Stopped(Option<Failure>),
}

/// How far the end of a job has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EndStep {
    /// The terminal HEAD is not written.
    Open,
    /// It is; what it removed is being deleted.
    Ended,
    /// HEAD was asked to name what is deleted no more. Whether it does changes nothing for the job.
    Cleared,
}

impl Lifecycle {
    pub(super) const fn has_stopped(&self) -> bool {
        matches!(self, Self::Stopped(_))
    }

    /// Why no checkpoint is taken any more, if none is.
    pub(super) fn refusal(&self) -> Option<AbortReason> {
        match self {
            Self::Running => None,
            Self::Restoring { .. } => Some(AbortReason::Restore),
            Self::ShuttingDown { .. } | Self::Stopped(None) => Some(AbortReason::ShutDown),
            Self::Ending { .. } => Some(AbortReason::JobEnded),
            Self::Stopped(Some(failure)) => Some(AbortReason::LeadershipLost(failure.clone())),
        }
    }
}

impl Coordinator {
    pub(super) fn shut_down_requested(&mut self, reply: ReplyToken) {
        self.end_restore(&Answer::Failed(stopped()));
        match &mut self.lifecycle {
            Lifecycle::Running => {
                self.lifecycle = Lifecycle::ShuttingDown { replies: vec![reply] };
                self.give_up_everything(&AbortReason::ShutDown);
            }
            Lifecycle::ShuttingDown { replies } | Lifecycle::Ending { others: replies, .. } => replies.push(reply),
            Lifecycle::Restoring { .. } | Lifecycle::Stopped(_) => {}
        }
    }

    pub(super) fn end_requested(&mut self, end: JobEnd, retention: RetentionPolicy, reply: ReplyToken) {
        let refusal = match &self.lifecycle {
            Lifecycle::Running | Lifecycle::Restoring { .. } if end == JobEnd::Suspended => {
                Some(Failure::new(ErrorKind::Configuration, "a job that is suspended does not end: shut down instead"))
            }
            Lifecycle::Running | Lifecycle::Restoring { .. } => None,
            _ => Some(stopped()),
        };
        match refusal {
            Some(failure) => self.outbox.push(Action::Reply { to: reply, answer: Answer::Failed(failure) }),
            None => {
                self.end_restore(&Answer::Failed(stopped()));
                let (step, others) = (EndStep::Open, Vec::new());
                self.lifecycle = Lifecycle::Ending { end, retention, reply, step, others };
                self.give_up_everything(&AbortReason::JobEnded);
            }
        }
    }

    /// Aborts whatever is not being committed, and answers every request.
    pub(super) fn give_up_everything(&mut self, reason: &AbortReason) {
        self.schedule.disarm();
        self.abort_all(reason);
        while let Some((_, to)) = self.requests.pop_front() {
            self.outbox.push(Action::Reply { to, answer: Answer::Aborted(reason.clone()) });
        }
    }

    /// Takes the next step towards the end, if it is possible already.
    pub(super) fn proceed_to_the_end(&mut self) {
        if let Lifecycle::Ending { end, retention, step, .. } = self.lifecycle {
            match step {
                EndStep::Open => return self.write_end(end, retention),
                EndStep::Ended => {
                    self.collect_removed();
                    self.collect_ended();
                    if self.outbox.is_idle() {
                        self.clear_removed();
                    }
                }
                EndStep::Cleared => {}
            }
        }
        if self.outbox.is_idle() {
            self.stop(None);
        }
    }

    /// Writes the terminal HEAD, unless HEAD is being written.
    fn write_end(&mut self, end: JobEnd, retention: RetentionPolicy) {
        if self.outbox.head_write().is_some() {
            return;
        }
        match self.committed.head().end(end, retention, self.committed.collected()) {
            Ok(write) => {
                let purpose = Purpose::WriteHead(HeadPurpose::End);
                self.outbox.begin(purpose, |io| Action::WriteHead { io, commits: None, write });
            }
            Err(error) => self.end_failed(Failure::from(&error)),
        }
    }

    /// Everything is deleted that can be: no other leader follows who would drop it from the list of the removed.
    fn clear_removed(&mut self) {
        if let Lifecycle::Ending { step, .. } = &mut self.lifecycle {
            *step = EndStep::Cleared;
        }
        let collected = self.committed.collected();
        if collected.is_empty() {
            return;
        }
        if let Ok(write) = self.committed.head().collected(collected) {
            let purpose = Purpose::WriteHead(HeadPurpose::Clear);
            self.outbox.begin(purpose, |io| Action::WriteHead { io, commits: None, write });
        }
    }

    /// The terminal HEAD is written.
    pub(super) fn end_written(&mut self) {
        if let Lifecycle::Ending { step, .. } = &mut self.lifecycle {
            *step = EndStep::Ended;
        }
        let files = self.shared.end_all_writers();
        self.delete_files(files);
        // What cannot be deleted now an operator can collect: nobody leads the job any more.
        if let Some(files) = self.committed.head().task_owned() {
            self.outbox.begin(Purpose::RemoveTaskOwned, |io| Action::RemoveTaskOwned { io, files });
        }
    }

    /// HEAD names what is deleted no more. If that released claims, their marks go, and HEAD is written once more.
    pub(super) fn cleared(&mut self) {
        if let Lifecycle::Ending { step, .. } = &mut self.lifecycle {
            if self.committed.has_releases() {
                *step = EndStep::Ended;
            }
        }
    }

    /// The terminal HEAD was not written, for certain: the job may go on under another leader.
    pub(super) fn end_failed(&mut self, failure: Failure) {
        if let Lifecycle::Ending { reply, others, .. } = &mut self.lifecycle {
            let (to, replies) = (*reply, std::mem::take(others));
            self.outbox.push(Action::Reply { to, answer: Answer::Failed(failure) });
            self.lifecycle = Lifecycle::ShuttingDown { replies };
        }
        self.proceed_to_the_end();
    }

    /// This coordinator leads no more, or does not know whether it does. Nothing is deleted, no task is told.
    pub(super) fn step_down(&mut self, failure: Failure) {
        self.outbox.push(Action::StepDown { failure: failure.clone() });
        let reason = AbortReason::LeadershipLost(failure.clone());
        for (id, pending) in std::mem::take(&mut self.pending) {
            if pending.is_committing() {
                self.statistics.in_doubt += 1;
            } else {
                self.statistics.aborted += 1;
                self.outbox.push(Action::ReportAborted { checkpoint: id, reason: reason.clone() });
            }
            if let Some(to) = pending.reply {
                self.outbox.push(Action::Reply { to, answer: Answer::Aborted(reason.clone()) });
            }
        }
        self.give_up_everything(&reason);
        self.stop(Some(failure));
    }

    /// Everything has ended.
    fn stop(&mut self, failure: Option<Failure>) {
        let answer = match &failure {
            None => Answer::Done,
            Some(failure) => Answer::Failed(failure.clone()),
        };
        let waiting = match std::mem::replace(&mut self.lifecycle, Lifecycle::Stopped(failure)) {
            Lifecycle::Running | Lifecycle::Stopped(_) => Vec::new(),
            Lifecycle::Restoring { replies } | Lifecycle::ShuttingDown { replies } => replies,
            Lifecycle::Ending { reply, others, .. } => [vec![reply], others].concat(),
        };
        for to in waiting {
            self.outbox.push(Action::Reply { to, answer: answer.clone() });
        }
        self.outbox.forget_answers();
        self.outbox.push(Action::Stopped);
    }

    /// An event after the end: only requests are answered.
    pub(super) fn refuse(&mut self, event: Event) {
        let Lifecycle::Stopped(failure) = &self.lifecycle else { return };
        let (to, answer) = match event {
            Event::TriggerRequested { reply, .. } => {
                (reply, Answer::Aborted(self.lifecycle.refusal().unwrap_or(AbortReason::ShutDown)))
            }
            Event::ShutDownRequested { reply } if failure.is_none() => (reply, Answer::Done),
            Event::AttemptsStarted { reply, .. }
            | Event::RestoreRequested { reply }
            | Event::ShutDownRequested { reply }
            | Event::EndRequested { reply, .. } => (reply, Answer::Failed(failure.clone().unwrap_or_else(stopped))),
            _ => return,
        };
        self.outbox.push(Action::Reply { to, answer });
    }
}

/// It takes no such request any more.
pub(super) fn stopped() -> Failure {
    Failure::new(ErrorKind::Cancelled, "the coordinator has shut down, or is about to")
}
