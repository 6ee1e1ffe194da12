//! Reaches a driver from other threads.

use std::fmt;
use std::sync::Arc;

use ckpt_core::Result;
use ckpt_core::id::{OperatorId, TaskAttempt, WriterId};
use ckpt_core::message::ToCoordinator;
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::snapshot::{JobEnd, RetentionPolicy};
use ckpt_streams::Pending;
use crossbeam_channel::Sender;
use parking_lot::Mutex;

use crate::coordinator::{CheckpointStatistics, Event, Failure, ManualTrigger};
use crate::driver::inbox::Input;
use crate::driver::replies::Owed;
use crate::gateway::CoordinatorGateway;
use crate::observer::CompletedCheckpoint;

/// Reaches a driver from any thread; cheap to clone. No method blocks. Whoever waits for an answer gets one: when the
/// driver stops, at the latest.
#[derive(Clone)]
pub struct DriverHandle {
    inbox: Sender<Input>,
    shared: Arc<Shared>,
}

/// What the driver's thread and its handles share. Each lock is held for a copy only.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) statistics: Mutex<CheckpointStatistics>,
    /// Why the driver stopped, if not on request.
    pub(super) failure: Mutex<Option<Failure>>,
}

impl DriverHandle {
    pub(super) const fn new(inbox: Sender<Input>, shared: Arc<Shared>) -> Self {
        Self { inbox, shared }
    }

    /// Tasks run, state restored, each under the number by which it names files. Checkpoints are taken once all tasks of
    /// the job are reported, at once or one after the other.
    ///
    /// The answer's error is `Configuration` when a task is none of the job's, or takes the place of another though
    /// [`restore_latest`](Self::restore_latest) was not called and answered before, or it or its writer is known from a
    /// former deployment under this leader: none of them counts then, and they must not go on. `Cancelled` when the
    /// driver stops, `Fenced` and `Unknown` as below.
    pub fn attempts_started(&self, attempts: Vec<(TaskAttempt, WriterId)>) -> Pending<Result<()>> {
        self.ask(|owed| Input::Deploy(attempts, owed))
    }

    /// What to restore after tasks have failed, without a new leader. `None` when no checkpoint is committed yet: begin
    /// from nothing.
    ///
    /// Stop all tasks of the job, then call this: what is pending is aborted, a commit under way is waited for, and
    /// nothing is triggered any more. With the answer make a [plan](crate::restore::plan) for new attempts *and* new
    /// writers, since files of the former ones are named by theirs and no name is used twice under a leader; deploy all
    /// tasks, restore them, and report them by [`attempts_started`](Self::attempts_started).
    ///
    /// The answer's error is `Fenced` when another leader is there, `Unknown` when it is not known whether a checkpoint
    /// was committed: [claim](crate::driver::ClaimedJob::claim) the job again, if at all. `Cancelled` when the driver stops.
    pub fn restore_latest(&self) -> Pending<Result<Option<Arc<CheckpointMetadata>>>> {
        self.ask(Input::Restore)
    }

    /// A task runs no more and has not finished, or cannot be reached. What still waits for it is aborted, and no
    /// checkpoint is taken until all tasks are [restored](Self::restore_latest).
    pub fn attempt_lost(&self, attempt: TaskAttempt, reason: impl Into<String>) {
        self.tell(Event::AttemptLost { attempt, reason: reason.into() });
    }

    /// A task has finished: its input ended, and a checkpoint that began after that is committed. Later checkpoints go
    /// on without it.
    pub fn attempt_finished(&self, attempt: TaskAttempt) {
        self.tell(Event::AttemptFinished { attempt });
    }

    /// A source works off a backlog: periodic checkpoints come at the
    /// [interval for that](ckpt_core::config::CheckpointConfig::backlog_interval), if at all, until each source that has
    /// one has [ended](Self::backlog_ended) it. One that is due already is not put off.
    ///
    /// All backlogs are forgotten when all tasks are [restored](Self::restore_latest); report those that there are then.
    pub fn backlog_began(&self, operator: OperatorId) {
        self.tell(Event::BacklogBegan { operator });
    }

    /// A source works off a backlog no more: the next periodic checkpoint comes within the usual interval.
    pub fn backlog_ended(&self, operator: OperatorId) {
        self.tell(Event::BacklogEnded { operator });
    }

    /// Nobody names files as any of these any more: whatever they wrote and no checkpoint names is deleted. Never needed
    /// for writers of tasks that are [restored](Self::restore_latest); needed where tasks, and pools of tasks, end while
    /// the job goes on.
    pub fn writers_ended(&self, writers: Vec<WriterId>) {
        self.tell(Event::WritersEnded { writers });
    }

    /// Takes a checkpoint now, whatever the minimum pause, or as soon as there is room for one.
    ///
    /// The answer's error is `Retry` when not all tasks run, `AbortCheckpoint` when the checkpoint failed, `Cancelled`
    /// when the driver shuts down, `FailJob` when it failed by itself, `Fenced` when another leader is there, `Unknown` when only HEAD knows.
    pub fn trigger_checkpoint(&self, trigger: ManualTrigger) -> Pending<Result<CompletedCheckpoint>> {
        self.ask(|owed| Input::Trigger(trigger, owed))
    }

    /// The job is over: takes no checkpoint any more, aborts what is pending, writes the terminal HEAD, and deletes what
    /// that removes.
    ///
    /// The answer's error is `Fenced` or `Unknown` as above; `Cancelled` when the driver was stopped already.
    pub fn end(&self, end: JobEnd, retention: RetentionPolicy) -> Pending<Result<()>> {
        self.ask(|owed| Input::End(end, retention, owed))
    }

    /// Stops, once a commit that is under way has ended; the job may go on under another leader. Nothing that is committed
    /// is deleted.
    pub fn shut_down(&self) -> Pending<Result<()>> {
        self.ask(Input::ShutDown)
    }

    /// What happened so far.
    pub fn statistics(&self) -> CheckpointStatistics {
        *self.shared.statistics.lock()
    }

    fn tell(&self, event: Event) {
        // A driver that has stopped needs to know nothing.
        let _ = self.inbox.send(Input::Event(event));
    }

    fn ask<T>(&self, request: impl FnOnce(Owed<T>) -> Input) -> Pending<Result<T>> {
        let (promise, pending) = Pending::channel();
        // A request that cannot be sent is dropped, which answers it.
        let _ = self.inbox.send(request(Owed::new(promise, Arc::clone(&self.shared))));
        pending
    }
}

impl CoordinatorGateway for DriverHandle {
    fn send(&self, message: ToCoordinator) {
        self.tell(Event::MessageReceived { message });
    }
}

impl fmt::Debug for DriverHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DriverHandle").finish_non_exhaustive()
    }
}
