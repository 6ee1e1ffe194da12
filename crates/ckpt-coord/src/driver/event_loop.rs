//! The driver's thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ckpt_core::ErrorKind;
use ckpt_core::config::CheckpointConfig;
use ckpt_core::graph::JobGraph;
use ckpt_core::message::{ToCoordinator, ToTask};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use crate::clock::Clock;
use crate::coordinator::{Action, Coordinator, CoordinatorSettings, Event, Failure};
use crate::driver::handle::Shared;
use crate::driver::inbox::Input;
use crate::driver::jobs::Jobs;
use crate::driver::replies::{Replies, completed};
use crate::driver::{ClaimedJob, DriverOptions};
use crate::gateway::TaskGateway;
use crate::observer::{CheckpointObserver, Phase};

/// Takes what comes, asks the coordinator, does what it wants done.
#[derive(Debug)]
pub(super) struct EventLoop {
    coordinator: Coordinator,
    inbox: Receiver<Input>,
    jobs: Jobs,
    gateway: Arc<dyn TaskGateway>,
    observer: Arc<dyn CheckpointObserver>,
    clock: Arc<dyn Clock>,
    replies: Replies,
    shared: Arc<Shared>,
    stopped: bool,
}

impl EventLoop {
    pub(super) fn new(
        claimed: ClaimedJob,
        graph: Arc<JobGraph>,
        config: CheckpointConfig,
        options: DriverOptions,
        (sender, inbox): (Sender<Input>, Receiver<Input>),
        shared: Arc<Shared>,
    ) -> ckpt_core::Result<Self> {
        let ClaimedJob { view, written, retained, .. } = claimed;
        let DriverOptions { gateway, spawn, observer, clock, seed } = options;
        let settings = CoordinatorSettings::new(config).with_seed(seed);
        Ok(Self {
            coordinator: Coordinator::new(settings, graph, written, retained)?,
            inbox,
            jobs: Jobs::new(view, spawn, Arc::clone(&observer), sender),
            gateway,
            observer,
            clock,
            replies: Replies::default(),
            shared,
            stopped: false,
        })
    }

    /// Runs until the coordinator has stopped. A panic, of an observer say, must not leave anyone waiting: the observer
    /// is told, and whoever is owed an answer gets that failure.
    pub(super) fn run(mut self) {
        if catch_unwind(AssertUnwindSafe(|| self.work())).is_err() {
            let failure = Failure::new(ErrorKind::FailJob, "the coordinator's thread panicked");
            *self.shared.failure.lock() = Some(failure.clone());
            self.observer.failed(&failure.into());
        }
    }

    fn work(&mut self) {
        self.act();
        while !self.stopped {
            let input = match self.coordinator.poll_timeout() {
                None => self.inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(deadline) => {
                    let wait = deadline.since(self.clock.now().monotonic);
                    if wait.is_zero() { self.next_or_deadline() } else { self.inbox.recv_timeout(wait) }
                }
            };
            match input {
                Ok(input) => self.take(input),
                Err(RecvTimeoutError::Timeout) => self.tell(Event::DeadlineReached),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
        // Requests that came meanwhile are answered; those that come later answer themselves.
        while let Ok(input) = self.inbox.try_recv() {
            self.take(input);
        }
        if self.shared.failure.lock().is_none() {
            self.observer.shut_down();
        }
    }

    /// At a deadline, what has come is taken first: the coordinator tests deadlines before each event.
    fn next_or_deadline(&self) -> Result<Input, RecvTimeoutError> {
        self.inbox.try_recv().map_err(|_| RecvTimeoutError::Timeout)
    }

    fn take(&mut self, input: Input) {
        let event = match input {
            Input::Event(Event::MessageReceived { message: ToCoordinator::AcknowledgeSpilled(spilled) }) => {
                return self.jobs.load(spilled);
            }
            Input::Event(event) => event,
            Input::Located { io, checkpoint, location } => {
                let target = location.reference();
                self.jobs.located(checkpoint, location);
                Event::LocationInitialized { io, target }
            }
            Input::Trigger(trigger, owed) => {
                Event::TriggerRequested { trigger, reply: self.replies.owe_checkpoint(owed) }
            }
            Input::End(end, retention, owed) => {
                Event::EndRequested { end, retention, reply: self.replies.owe_done(owed) }
            }
            Input::Deploy(attempts, owed) => Event::AttemptsStarted { attempts, reply: self.replies.owe_done(owed) },
            Input::Restore(owed) => Event::RestoreRequested { reply: self.replies.owe_restore_point(owed) },
            Input::ShutDown(owed) => Event::ShutDownRequested { reply: self.replies.owe_done(owed) },
        };
        self.tell(event);
    }

    fn tell(&mut self, event: Event) {
        self.coordinator.handle(self.clock.now(), event);
        // Before the actions: whoever is answered finds what it was told in the statistics too.
        *self.shared.statistics.lock() = self.coordinator.statistics();
        self.act();
    }

    fn act(&mut self) {
        while let Some(action) = self.coordinator.poll_action() {
            match action {
                Action::InitializeLocation { io, identity } => self.jobs.initialize(io, identity),
                Action::Send { to, message } => {
                    if let ToTask::Completed { id, .. } = &message {
                        self.observer.phase(Phase::Notifying, Some(*id));
                    }
                    for attempt in &to {
                        self.gateway.send(attempt, message.clone());
                    }
                }
                Action::PublishMetadata { io, metadata } => self.jobs.publish(io, metadata),
                Action::WriteHead { io, commits, write } => self.jobs.write_head(io, commits, write),
                Action::ReportCompleted { completed: completion } => {
                    self.jobs.completed(completion.identity.id);
                    self.observer.completed(&completed(completion));
                }
                Action::ReportAborted { checkpoint, reason } => {
                    self.jobs.aborted(checkpoint);
                    self.observer.aborted(checkpoint, &reason.to_string());
                }
                Action::Reply { to, answer } => self.replies.answer(to, answer),
                Action::DiscardLocation { io, checkpoint } => self.jobs.discard(io, checkpoint),
                Action::RemoveSnapshot { io, removed, files } => self.jobs.remove(io, removed, files),
                Action::RemoveFiles { io, files } => self.jobs.remove_files(io, files),
                Action::RemoveSavepoint { io, abandoned } => self.jobs.remove_savepoint(io, abandoned),
                Action::ReleaseClaim { io, released } => self.jobs.release_claim(io, released),
                Action::RemoveTaskOwned { io, files } => self.jobs.remove_task_owned(io, files),
                Action::CollectOrphans { io, claimed, retained } => self.jobs.collect_orphans(io, claimed, retained),
                Action::CollectEnded { io, ended } => self.jobs.collect_ended(io, ended),
                Action::StepDown { failure } => {
                    *self.shared.failure.lock() = Some(failure.clone());
                    self.observer.fenced(&failure.into());
                }
                Action::Stopped => self.stopped = true,
            }
        }
    }
}
