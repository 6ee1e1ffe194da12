//! A job that runs.

use std::sync::Arc;
use std::time::Duration;

use ckpt_coord::driver::{ClaimedJob, Driver, DriverHandle, DriverOptions, ManualTrigger, RecoveryOptions};
use ckpt_coord::{Clock, CompletedCheckpoint, CoordinatorGateway, SystemClock, restore};
use ckpt_core::head::{JobState, Nonce};
use ckpt_core::id::{AttemptId, CheckpointId, LeaderEpoch};
use ckpt_core::snapshot::{JobEnd, RetentionPolicy};
use ckpt_core::{Error, ErrorKind, Result};
use ckpt_storage::{CheckpointStorage, CoordinatorView, FileSystemStorage, StorageContext};
use ckpt_streams::file_system::FileSystems;
use ckpt_streams::{Pending, Pool, PoolOptions};

use crate::error::Fault;
use crate::job::aborts::Aborts;
use crate::job::deployment::{Deployment, TaskSurroundings, Tasks};
use crate::job::entropy::random_bytes;
use crate::job::gateway::CoordinatorAddress;
use crate::job::graph::graph;
use crate::job::observer::EngineObserver;
use crate::job::progress::Progress;
use crate::job::task_thread::{TaskEvent, is_stop};
use crate::job::{JobFile, JobOptions, JobReport};
use crate::operators::{drop_leftovers, refuse_output_ahead};

/// A job that runs in threads of this process.
///
/// Dropping it is like the loss of the process: nothing is finished, nothing is deleted, a later run goes on from the
/// newest checkpoint.
#[derive(Debug)]
pub struct RunningJob {
    // The order of the fields is the order in which they are dropped: first who sends, then who receives.
    tasks: Tasks,
    driver: Driver,
    view: Arc<dyn CoordinatorView>,
    options: JobOptions,
    epoch: LeaderEpoch,
    restored_from: Option<CheckpointId>,
    state: State,
    file: JobFile,
}

/// How far the job is.
#[derive(Debug, Default)]
struct State {
    sources_ended: u32,
    tasks_ended: usize,
    aborts: Aborts,
}

/// What storage needs of this process: local files, and threads that may block.
///
/// # Errors
///
/// `FailJob` when the system gives no threads.
pub fn storage_context() -> Result<StorageContext> {
    let pool = Pool::new(PoolOptions::default())?;
    Ok(StorageContext::new(Arc::new(FileSystems::local()), Arc::new(pool)))
}

impl RunningJob {
    /// Takes the job over, restores every task from the newest checkpoint and lets them run. Returns once they do.
    ///
    /// The order matters. HEAD is claimed before anything is deployed, so that no former leader can commit any more. The
    /// driver is started once every task has its state: until then nothing is deleted, so that a job that cannot be
    /// restored stays as it is. Then tasks are announced, and only then are checkpoints triggered.
    ///
    /// # Errors
    ///
    /// `Configuration` when the job cannot be run so, or has ended; `Corrupt` or `NotFound` when what it needs is damaged or
    /// missing. Nothing is deleted then.
    pub fn start(file: &JobFile, options: JobOptions, context: &StorageContext) -> Result<Self> {
        if options.credits_per_input == 0 {
            return Err(Fault::NoCredits.into());
        }
        let storage = FileSystemStorage::new(file.checkpoints.to_string_lossy());
        let view = storage.coordinator_view(file.job, context)?;
        let graph = Arc::new(graph(options.parallelism, file.max_parallelism)?);

        let (nonce, recovery) = (Nonce::new(random_bytes()?), RecoveryOptions::default());
        let claimed = ClaimedJob::claim(Arc::clone(&view), file.job, nonce, &recovery, context)?;
        let epoch = claimed.epoch();
        let newest = claimed.newest().cloned();
        let restored_from = newest.as_ref().map(|newest| newest.summary().identity.id);
        refuse_output_ahead(&file.output, file.job, restored_from)?;
        // One deployment in each epoch, so its number tells attempts apart.
        let attempt = AttemptId::new(epoch.get());
        let deployment = Deployment::new(&graph, attempt, options.parallelism, options.credits_per_input);
        let attempts = deployment.attempts().to_vec();
        let restores = restore::plan(&graph, newest.as_deref(), epoch, &attempts)?;

        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let gateway = deployment.gateway();
        let watched = EngineObserver { observer: Arc::clone(&options.observer), events: deployment.events.clone() };
        let coordinator = Arc::new(CoordinatorAddress::default());
        let progress = Arc::new(Progress::new(file.input_bytes(), Arc::clone(&options.observer)));
        let surroundings = TaskSurroundings {
            file,
            options: &options,
            storage: &storage,
            context,
            coordinator: Arc::clone(&coordinator) as Arc<dyn CoordinatorGateway>,
            spawn: Arc::clone(&context.spawn),
            clock: Arc::clone(&clock),
            progress: Arc::clone(&progress),
        };
        let mut tasks = deployment.start(restores, &surroundings)?;
        let inquest = Inquest { view: &*view, epoch };
        tasks.wait_until_restored().map_err(|error| inquest.explain(&mut tasks, error))?;

        // Nothing was changed so far but HEAD. Now the driver deletes what former leaders left, and tasks commit.
        let driver_options = DriverOptions::new(gateway, Arc::clone(&context.spawn))
            .with_observer(Arc::new(watched))
            .with_clock(clock)
            .with_seed(options.seed);
        let driver = Driver::start(claimed, graph, options.checkpoints.clone(), driver_options)?;
        coordinator.set(driver.handle());
        options.observer.restored(restored_from, progress.restored_bytes());
        tasks.begin();
        driver.handle().attempts_started(attempts).wait()??;
        let state = State { aborts: Aborts::new(options.tolerated_aborts), ..State::default() };
        Ok(Self { tasks, driver, view, options, epoch, restored_from, state, file: file.clone() })
    }

    /// Waits until the job has ended: all input read, all output committed, HEAD says so.
    ///
    /// # Errors
    ///
    /// Why it could not go on. `Fenced` when another leader has taken over. Nothing is deleted then.
    pub fn wait(mut self) -> Result<JobReport> {
        self.run_to_end()
            .map_err(|error| Inquest { view: &*self.view, epoch: self.epoch }.explain(&mut self.tasks, error))
    }

    fn run_to_end(&mut self) -> Result<JobReport> {
        let sources = self.options.parallelism;
        while self.state.sources_ended < sources {
            self.next_event()?;
        }
        let last = self.take_last_checkpoint()?;
        self.state.aborts.tolerate_all();
        self.tasks.finish(&last.identity);
        while self.state.tasks_ended < self.tasks.count() {
            self.next_event()?;
        }
        // A former leader may have staged files after this one had dropped what it found. Before HEAD says that the job has
        // ended, since nobody comes back to it afterwards.
        drop_leftovers(&self.file.output, self.file.job, self.epoch, |_| false)?;
        let mut ended = self.handle().end(JobEnd::Finished, RetentionPolicy::default());
        self.wait_for(&mut ended)?;
        Ok(JobReport { epoch: self.epoch, restored_from: self.restored_from, statistics: self.handle().statistics() })
    }

    /// A checkpoint that begins now, after all sources have ended, covers every record.
    fn take_last_checkpoint(&mut self) -> Result<CompletedCheckpoint> {
        loop {
            let aborted_before = self.state.aborts.total();
            let mut taken = self.handle().trigger_checkpoint(ManualTrigger::default());
            match self.wait_for(&mut taken) {
                Ok(completed) => return Ok(completed),
                Err(error) if matches!(error.kind(), ErrorKind::Retry | ErrorKind::AbortCheckpoint) => {
                    // The event of an abort comes before the answer; a refusal has none.
                    self.take_events()?;
                    if self.state.aborts.total() == aborted_before {
                        self.state.aborts.aborted(&error.to_string())?;
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits for an answer of the driver, and for whatever goes wrong meanwhile.
    fn wait_for<T>(&mut self, pending: &mut Pending<Result<T>>) -> Result<T> {
        loop {
            if let Some(answer) = pending.wait_timeout(Duration::from_millis(5)) {
                return answer?;
            }
            self.take_events()?;
        }
    }

    fn take_events(&mut self) -> Result<()> {
        while let Ok(event) = self.tasks.events().try_recv() {
            self.handle_event(event)?;
        }
        Ok(())
    }

    fn next_event(&mut self) -> Result<()> {
        // The driver's observer holds a sender for as long as the driver lives.
        let event = self.tasks.events().recv().map_err(|_| Fault::Stopped)?;
        self.handle_event(event)
    }

    fn handle_event(&mut self, event: TaskEvent) -> Result<()> {
        match event {
            TaskEvent::Started => {}
            TaskEvent::SourceEnded => self.state.sources_ended += 1,
            TaskEvent::Ended(attempt, outcome) => {
                outcome?;
                self.state.tasks_ended += 1;
                self.handle().attempt_finished(attempt);
            }
            TaskEvent::CheckpointCompleted => self.state.aborts.completed(),
            TaskEvent::CheckpointAborted { reason } => self.state.aborts.aborted(&reason)?,
            TaskEvent::LeadershipLost { kind, message } => {
                let source = Error::new(kind, message);
                return Err(match kind {
                    ErrorKind::Fenced => Fault::Fenced { source: Some(source) }.into(),
                    _ => source,
                });
            }
        }
        Ok(())
    }

    fn handle(&self) -> DriverHandle {
        self.driver.handle()
    }
}

/// What is needed to find out why a job cannot go on.
struct Inquest<'a> {
    view: &'a dyn CoordinatorView,
    epoch: LeaderEpoch,
}

impl Inquest<'_> {
    /// Stops the tasks and finds out what `error` followed from: a task that lost its neighbour or its files says so
    /// first, why it did is known to another, or to HEAD.
    fn explain(&self, tasks: &mut Tasks, error: Error) -> Error {
        tasks.stop();
        if error.kind() == ErrorKind::Fenced {
            return error;
        }
        match self.view.head().read() {
            Ok(Some(head)) if head.epoch > self.epoch => return Fault::Fenced { source: None }.into(),
            _ => {}
        }
        if !is_stop(&error) {
            return error;
        }
        let causes = tasks.events().try_iter().filter_map(|event| match event {
            TaskEvent::Ended(_, Err(cause)) if !is_stop(&cause) => Some(cause),
            _ => None,
        });
        causes.last().unwrap_or(error)
    }
}

/// What HEAD says of a job; `None` when it has never run.
///
/// # Errors
///
/// `Corrupt` when HEAD is damaged, `Retry` when it cannot be read.
pub fn state_of(file: &JobFile, context: &StorageContext) -> Result<Option<JobState>> {
    let storage = FileSystemStorage::new(file.checkpoints.to_string_lossy());
    Ok(storage.coordinator_view(file.job, context)?.head().read()?.map(|head| head.state))
}
