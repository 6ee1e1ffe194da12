//! Deploying the tasks of a job.

use std::any::Any;
use std::num::NonZeroU64;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use ckpt_coord::task::{TaskCheckpoints, TaskOptions};
use ckpt_coord::{Clock, CoordinatorGateway, Phase};
use ckpt_core::graph::JobGraph;
use ckpt_core::id::{AttemptId, TaskAttempt, VertexId, WriterId};
use ckpt_core::snapshot::CheckpointIdentity;
use ckpt_core::state::TaskRestore;
use ckpt_core::{Error, Result};
use ckpt_storage::{CheckpointStorage, FileSystemStorage, StorageContext, WorkerView};
use ckpt_streams::Spawn;
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use crate::error::Fault;
use crate::exchange::{Control, Inbox, Output};
use crate::job::gateway::Inboxes;
use crate::job::graph::{COUNT, SINK, SOURCE, name_of, operator_of};
use crate::job::observer::TaskObserver;
use crate::job::progress::Progress;
use crate::job::task_thread::{TaskEvent, run_receiver, run_source};
use crate::job::{JobFile, JobOptions};
use crate::operators::{CountTask, SinkOptions, SinkTask, SourceOptions, SourceTask};

/// The channels between all tasks of a deployment, before any task runs.
#[derive(Debug)]
pub(super) struct Deployment {
    attempts: Vec<(TaskAttempt, WriterId)>,
    /// In the order of the attempts.
    inboxes: Vec<Inbox>,
    /// By attempt: where its records go.
    outputs: Vec<Vec<Output>>,
    gateway: Arc<Inboxes>,
    stop: Sender<()>,
    pub(super) events: Sender<TaskEvent>,
    received_events: Receiver<TaskEvent>,
}

/// What every task is given besides its own restore.
#[derive(Debug)]
pub(super) struct TaskSurroundings<'a> {
    pub(super) file: &'a JobFile,
    pub(super) options: &'a JobOptions,
    pub(super) storage: &'a FileSystemStorage,
    pub(super) context: &'a StorageContext,
    pub(super) coordinator: Arc<dyn CoordinatorGateway>,
    pub(super) spawn: Arc<dyn Spawn>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) progress: Arc<Progress>,
}

/// The threads of a deployment. Dropping it stops and joins them.
#[derive(Debug)]
pub(super) struct Tasks {
    gateway: Arc<Inboxes>,
    events: Receiver<TaskEvent>,
    /// Dropping it tells every task to stop.
    stop: Option<Sender<()>>,
    threads: Vec<JoinHandle<()>>,
}

impl Deployment {
    /// The tasks of the graph, each a new attempt, with channels between them.
    pub(super) fn new(graph: &JobGraph, attempt: AttemptId, parallelism: u32, credits_per_input: usize) -> Self {
        let (stop, stopped) = bounded(0);
        let tasks: Vec<_> = graph.tasks().collect();
        let attempts: Vec<_> =
            (0..).zip(&tasks).map(|(writer, task)| (task.attempt(attempt), WriterId::new(writer))).collect();
        let mut inboxes = Vec::new();
        let mut addresses = Vec::new();
        let mut outputs: Vec<Vec<Output>> = attempts.iter().map(|_| Vec::new()).collect();
        let index_of = |vertex: VertexId, subtask: u32| {
            tasks.iter().position(|task| task.vertex == vertex && task.subtask == subtask)
        };
        for (index, task) in tasks.iter().enumerate() {
            let senders: Vec<_> = match task.vertex {
                COUNT => (0..parallelism).filter_map(|source| index_of(SOURCE, source)).collect(),
                SINK => index_of(COUNT, task.subtask).into_iter().collect(),
                _ => Vec::new(),
            };
            let (inbox, address, ends) = Inbox::new(senders.len(), credits_per_input, &stopped);
            // Tasks are visited by subtask, so a source's outputs come to be in the order of their receivers.
            for (sender, end) in senders.into_iter().zip(ends) {
                outputs[sender].push(end);
            }
            inboxes.push(inbox);
            addresses.push((attempts[index].0, address));
        }
        let (events, received_events) = unbounded();
        let gateway = Arc::new(Inboxes::new(addresses.into_iter().collect()));
        Self { attempts, inboxes, outputs, gateway, stop, events, received_events }
    }

    /// Each task with the number by which it names files.
    pub(super) fn attempts(&self) -> &[(TaskAttempt, WriterId)] {
        &self.attempts
    }

    pub(super) fn gateway(&self) -> Arc<Inboxes> {
        Arc::clone(&self.gateway)
    }

    /// Starts a thread for each task. `restores` are in the order of the attempts.
    pub(super) fn start(self, restores: Vec<TaskRestore>, surroundings: &TaskSurroundings<'_>) -> Result<Tasks> {
        let mut tasks = Tasks {
            gateway: self.gateway,
            events: self.received_events,
            stop: Some(self.stop),
            threads: Vec::with_capacity(restores.len()),
        };
        for ((restore, inbox), outputs) in restores.into_iter().zip(self.inboxes).zip(self.outputs) {
            let task = Task::new(restore, inbox, outputs, self.events.clone(), surroundings)?;
            let name = task.name.clone();
            let thread = thread::Builder::new()
                .name(name.clone())
                .spawn(move || task.run())
                .map_err(|source| Fault::Thread { name, source })?;
            tasks.threads.push(thread);
        }
        Ok(tasks)
    }
}

impl Tasks {
    /// What happens to them.
    pub(super) const fn events(&self) -> &Receiver<TaskEvent> {
        &self.events
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.threads.len()
    }

    /// Waits until all of them have their state.
    pub(super) fn wait_until_restored(&self) -> Result<()> {
        for _ in 0..self.count() {
            // Before the driver runs there are no events but these and those of tasks that have their state.
            if let TaskEvent::Ended(_, Err(error)) = self.events.recv().map_err(|_| Fault::Stopped)? {
                return Err(error);
            }
        }
        Ok(())
    }

    /// Tells them that all of them have their state.
    pub(super) fn begin(&self) {
        self.gateway.tell_all(|| Control::Begin);
    }

    /// Tells them that the last checkpoint, this one, is committed.
    pub(super) fn finish(&self, last: &CheckpointIdentity) {
        self.gateway.tell_all(|| Control::Finish(*last));
    }

    /// Stops and joins them; what they still had to say is in the events.
    pub(super) fn stop(&mut self) {
        self.stop = None;
        for thread in self.threads.drain(..) {
            // A panic was reported by the thread itself.
            let _ = thread.join();
        }
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        self.stop();
    }
}

/// One task, ready to run on a thread.
#[derive(Debug)]
struct Task {
    name: String,
    restore: TaskRestore,
    inbox: Inbox,
    outputs: Vec<Output>,
    view: Arc<dyn WorkerView>,
    checkpoints: TaskOptions,
    source: SourceOptions,
    sink: SinkOptions,
    events: Sender<TaskEvent>,
}

impl Task {
    fn new(
        restore: TaskRestore,
        inbox: Inbox,
        outputs: Vec<Output>,
        events: Sender<TaskEvent>,
        surroundings: &TaskSurroundings<'_>,
    ) -> Result<Self> {
        let TaskSurroundings { file, options, storage, context, coordinator, spawn, clock, progress } = surroundings;
        let task = restore.attempt.task;
        let view = storage.worker_view(file.job, restore.writer, context)?;
        let observer = TaskObserver::new(Arc::clone(&options.observer), name_of(task.vertex), task);
        Ok(Self {
            name: observer.task.clone(),
            restore,
            inbox,
            outputs,
            checkpoints: TaskOptions::new(Arc::clone(&view), Arc::clone(coordinator), Arc::clone(spawn))
                .with_observer(Arc::new(observer))
                .with_clock(Arc::clone(clock)),
            view,
            source: SourceOptions {
                operator: operator_of(SOURCE),
                files: file.shared_inputs(),
                max_parallelism: file.max_parallelism,
                parallelism: options.parallelism,
                progress: Arc::clone(progress),
                read_limit: options.read_limit.map(|limit| {
                    NonZeroU64::new(limit.get() / u64::from(options.parallelism)).unwrap_or(NonZeroU64::MIN)
                }),
            },
            sink: SinkOptions {
                operator: operator_of(SINK),
                job: file.job,
                parallelism: options.parallelism,
                directory: file.output.as_path().into(),
            },
            events,
        })
    }

    /// Runs the task and tells the engine how it ended.
    fn run(self) {
        let (events, attempt, name) = (self.events.clone(), self.restore.attempt, self.name.clone());
        let outcome = catch_unwind(AssertUnwindSafe(|| self.run_to_end()));
        let outcome = outcome.unwrap_or_else(|panic: Box<dyn Any + Send>| {
            drop(panic);
            Err(Fault::Panicked { name: name.clone() }.into())
        });
        let outcome = outcome.map_err(|source| explain(name, source));
        // Once the engine is gone nobody needs to know.
        let _ = events.send(TaskEvent::Ended(attempt, outcome));
    }

    fn run_to_end(mut self) -> Result<()> {
        let task = self.restore.attempt.task;
        self.checkpoints.observer.phase(Phase::Restoring, self.restore.from);
        let checkpoints = TaskCheckpoints::new(&self.restore, self.inbox.inputs(), self.checkpoints);
        match task.vertex {
            SOURCE => {
                let source = SourceTask::restore(&self.source, self.outputs, &self.restore, &*self.view)?;
                run_source(source, self.inbox, checkpoints, &self.events)
            }
            COUNT => {
                let range = self.source.max_parallelism.range_of(task.subtask, self.source.parallelism)?;
                let output = self.outputs.pop().ok_or(Fault::Stopped)?;
                let operator = operator_of(COUNT);
                let count = CountTask::restore(operator, range, self.inbox, output, &self.restore, &*self.view)?;
                run_receiver(count, checkpoints, &self.events)
            }
            _ => {
                let sink = SinkTask::restore(&self.sink, self.inbox, &self.restore, &*self.view)?;
                run_receiver(sink, checkpoints, &self.events)
            }
        }
    }
}

/// Says which task failed, and keeps the kind.
fn explain(task: String, source: Error) -> Error {
    let kind = source.kind();
    Error::new(kind, Fault::Task { task, source })
}
