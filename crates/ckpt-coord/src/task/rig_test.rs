//! A task and everything around it, logged in one order.

use std::path::Path;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use ckpt_core::id::{AttemptId, CheckpointId, JobId, LeaderEpoch, OperatorId, TaskId, VertexId, Writer, WriterId};
use ckpt_core::message::{Marker, ToCoordinator, ToTask};
use ckpt_core::snapshot::{CheckpointBarrier, CheckpointIdentity, CheckpointOptions, LocationReference, SnapshotKind};
use ckpt_core::state::{OperatorState, Partitions, Places, Redistribution, SubtaskState, TaskRestore, TaskSnapshot};
use ckpt_core::{Error, ErrorKind, Monotonic, Now, Result, Timestamp};
use ckpt_storage::{CheckpointStorage, FileSystemStorage, MemoryStorage, StorageContext, Toolset, WorkerView};
use ckpt_streams::file_system::FileSystems;
use ckpt_streams::{Budget, Job, MemoryStreams, Rejected, Spawn, Staged, StateReader, StateScope, StreamFactory};
use parking_lot::Mutex;

use crate::clock::Clock;
use crate::gateway::CoordinatorGateway;
use crate::observer::{CheckpointObserver, Phase};
use crate::task::{CapturedState, CheckpointedTask, TaskCheckpoints, TaskOptions};

pub(super) const EPOCH: LeaderEpoch = LeaderEpoch::new(3);

/// What happened, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(super) fn add(&self, line: impl Into<String>) {
        self.0.lock().push(line.into());
    }

    /// What was added since the last call.
    pub(super) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock())
    }

    pub(super) fn take_but_phases(&self) -> Vec<String> {
        self.take().into_iter().filter(|line| !line.starts_with("phase")).collect()
    }
}

impl CoordinatorGateway for Log {
    fn send(&self, message: ToCoordinator) {
        match message {
            ToCoordinator::Acknowledge(ack) => {
                assert_eq!((ack.epoch, ack.writer), (EPOCH, WriterId::new(5)));
                self.add(format!("acknowledge {} with {} bytes", ack.id, ack.metrics.persisted_bytes()));
            }
            ToCoordinator::Decline(decline) => {
                assert_eq!(decline.epoch, EPOCH);
                self.add(format!("decline {} {:?}: {}", decline.id, decline.reason, decline.message));
            }
            other => panic!("{other:?}"),
        }
    }
}

impl CheckpointObserver for Log {
    fn phase(&self, phase: Phase, checkpoint: Option<CheckpointId>) {
        match checkpoint {
            Some(checkpoint) => self.add(format!("phase {phase:?} {checkpoint}")),
            None => self.add(format!("phase {phase:?}")),
        }
    }
}

/// Stands still, a second and a half after checkpoints are triggered.
#[derive(Debug)]
pub(super) struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Now {
        Now::new(Monotonic::since_start(Duration::from_secs(9)), Timestamp::from_millis(2500))
    }
}

/// Runs jobs when it is told to; refuses them when closed.
#[derive(Debug, Default)]
pub(super) struct Jobs(pub(super) Mutex<Waiting>);

#[derive(Default)]
pub(super) struct Waiting {
    jobs: Vec<Job>,
    pub(super) closed: bool,
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Waiting").field("jobs", &self.jobs.len()).finish_non_exhaustive()
    }
}

impl Spawn for Jobs {
    fn spawn(&self, _name: &'static str, job: Job) -> Result<(), Rejected> {
        let mut waiting = self.0.lock();
        if waiting.closed {
            drop(waiting);
            drop(job);
            return Err(Rejected::new());
        }
        waiting.jobs.push(job);
        Ok(())
    }
}

impl Jobs {
    pub(super) fn run_all(&self) {
        let jobs = std::mem::take(&mut self.0.lock().jobs);
        for job in jobs {
            job();
        }
    }
}

#[derive(Debug)]
pub(super) struct MemoryView {
    /// Of each stream.
    limit_bytes: usize,
    pub(super) budget: Arc<Budget>,
}

impl MemoryView {
    pub(super) fn new(limit_bytes: usize) -> Self {
        Self { limit_bytes, budget: Arc::new(Budget::default()) }
    }
}

impl WorkerView for MemoryView {
    fn streams(&self, barrier: &CheckpointBarrier) -> Result<Arc<dyn StreamFactory>> {
        match barrier.options.target() {
            LocationReference::Default => Ok(Arc::new(MemoryStreams::new(self.limit_bytes))),
            _ => Err(Error::new(ErrorKind::AbortCheckpoint, "no such place")),
        }
    }

    fn task_owned_streams(&self) -> Result<Arc<dyn StreamFactory>> {
        Ok(Arc::new(MemoryStreams::new(self.limit_bytes)))
    }

    fn shared_streams(&self) -> Result<Arc<dyn StreamFactory>> {
        Ok(Arc::new(MemoryStreams::new(self.limit_bytes)))
    }

    fn task_owned_toolset(&self) -> Arc<dyn Toolset> {
        panic!("these tasks copy nothing")
    }

    /// It does, and says nothing of it.
    fn keeps_state_in_acknowledgements(&self) -> bool {
        false
    }

    fn budget(&self) -> Arc<Budget> {
        Arc::clone(&self.budget)
    }

    fn reader(&self, _: CheckpointId, _: &Places) -> Result<Arc<dyn StateReader>> {
        Err(Error::new(ErrorKind::Configuration, "nothing is read here"))
    }
}

/// A task that logs every call and whose state is some bytes.
pub(super) struct Task {
    pub(super) log: Log,
    pub(super) state_bytes: usize,
    pub(super) capture_fails: bool,
    pub(super) commit_fails: bool,
    /// What the next capture stops at in the middle of its writing.
    pub(super) gate: Option<Arc<Barrier>>,
}

impl CheckpointedTask for Task {
    fn capture_bytes(&self) -> u64 {
        self.state_bytes as u64
    }

    fn capture(&mut self, barrier: &CheckpointBarrier) -> Result<Box<dyn CapturedState>> {
        self.log.add(format!("capture {}", barrier.id()));
        if self.capture_fails {
            return Err(Error::new(ErrorKind::AbortCheckpoint, "the operator will not"));
        }
        Ok(Box::new(Captured { state_bytes: self.state_bytes, gate: self.gate.take() }))
    }

    fn forward(&mut self, marker: &Marker) -> Result<()> {
        match marker {
            Marker::Barrier(barrier) => self.log.add(format!("forward barrier {}", barrier.id())),
            marker => self.log.add(format!("forward cancel {}", marker.id())),
        }
        Ok(())
    }

    fn block(&mut self, input: u32) {
        self.log.add(format!("block {input}"));
    }

    fn unblock_all(&mut self) {
        self.log.add("unblock all");
    }

    fn commit(&mut self, upto: CheckpointId) -> Result<()> {
        self.log.add(format!("commit {upto}"));
        if self.commit_fails { Err(Error::new(ErrorKind::FailJob, "the disk is full")) } else { Ok(()) }
    }

    fn abort(&mut self, id: CheckpointId) -> Result<()> {
        self.log.add(format!("abort {id}"));
        Ok(())
    }
}

pub(super) struct Captured {
    state_bytes: usize,
    gate: Option<Arc<Barrier>>,
}

impl CapturedState for Captured {
    fn write(self: Box<Self>, streams: &dyn StreamFactory) -> Result<TaskSnapshot<Staged>> {
        assert!(self.state_bytes != usize::MAX, "this state cannot be written");
        let mut stream = streams.create(StateScope::Exclusive)?;
        let mut write = |count: usize| {
            stream.write_all(&vec![7; count]).map_err(|error| Error::new(ErrorKind::AbortCheckpoint, error))
        };
        let half = self.state_bytes / 2;
        write(half)?;
        if let Some(gate) = self.gate {
            // Once to say that it is here, once to be let on.
            gate.wait();
            gate.wait();
        }
        write(self.state_bytes - half)?;
        let Some(staged) = stream.finish()? else { return Ok(TaskSnapshot::default()) };
        let length = u64::try_from(self.state_bytes).unwrap();
        let partitions = Partitions::new(std::iter::once(0..length), Redistribution::Split)?;
        let piece = OperatorState::new([("s", partitions)].into(), staged);
        let operator = (OperatorId::new([1; 16]), SubtaskState::new(vec![], vec![piece]));
        Ok(TaskSnapshot::new([operator].into()))
    }
}

pub(super) struct Rig {
    pub(super) log: Log,
    pub(super) jobs: Arc<Jobs>,
    pub(super) task: Task,
    pub(super) checkpoints: Option<TaskCheckpoints>,
}

pub(super) fn id(number: u64) -> CheckpointId {
    CheckpointId::new(number).unwrap()
}

pub(super) fn restore(from: Option<u64>) -> TaskRestore {
    let attempt = TaskId::new(VertexId::new([1; 16]), 0).attempt(AttemptId::new(1));
    let mut restore = TaskRestore::fresh(attempt, Writer::new(EPOCH, WriterId::new(5)));
    restore.from = from.map(id);
    restore
}

/// Triggered at wall time one second.
pub(super) fn barrier(number: u64, latest_completed: Option<u64>) -> CheckpointBarrier {
    let identity = CheckpointIdentity::new(id(number), EPOCH, Timestamp::from_millis(1000), latest_completed.map(id));
    CheckpointBarrier::new(identity, CheckpointOptions::aligned(SnapshotKind::Checkpoint, LocationReference::Default))
}

pub(super) fn completed(number: u64) -> ToTask {
    ToTask::Completed { epoch: EPOCH, id: id(number), subsumed_upto: None }
}

pub(super) fn aborted(number: u64) -> ToTask {
    ToTask::Aborted { epoch: EPOCH, id: id(number), latest_completed: None }
}

impl Rig {
    pub(super) fn new(inputs: u32) -> Self {
        Self::with(inputs, None, Arc::new(MemoryView::new(100)))
    }

    pub(super) fn with(inputs: u32, from: Option<u64>, view: Arc<dyn WorkerView>) -> Self {
        let (log, jobs) = (Log::default(), Arc::new(Jobs::default()));
        let spawn: Arc<dyn Spawn> = Arc::<Jobs>::clone(&jobs);
        let options = TaskOptions::new(view, Arc::new(log.clone()), spawn)
            .with_observer(Arc::new(log.clone()))
            .with_clock(Arc::new(Stopped))
            .with_max_in_flight(3.try_into().unwrap());
        let task = Task { log: log.clone(), state_bytes: 10, capture_fails: false, commit_fails: false, gate: None };
        let checkpoints = Some(TaskCheckpoints::new(&restore(from), inputs, options));
        Self { log, jobs, task, checkpoints }
    }

    pub(super) fn checkpoints(&mut self) -> &mut TaskCheckpoints {
        self.checkpoints.as_mut().unwrap()
    }

    pub(super) fn message(&mut self, message: ToTask) -> Result<()> {
        self.checkpoints.as_mut().unwrap().on_message(&mut self.task, message)
    }

    pub(super) fn trigger(&mut self, number: u64, latest_completed: Option<u64>) {
        self.message(ToTask::Trigger(barrier(number, latest_completed))).unwrap();
    }

    pub(super) fn arrive(&mut self, input: u32, number: u64) {
        let marker = Marker::Barrier(barrier(number, None));
        self.checkpoints.as_mut().unwrap().on_marker(&mut self.task, input, marker).unwrap();
    }
}

/// Every file below a directory.
pub(super) fn files(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path.display().to_string()) }
    }
    found
}

/// What a worker sees of a memory storage.
pub(super) fn memory_storage() -> Arc<dyn WorkerView> {
    let context = StorageContext::new(Arc::new(FileSystems::local()), Arc::new(Jobs::default()));
    MemoryStorage::new().worker_view(JobId::new([6; 16]), restore(None).writer, &context).unwrap()
}

/// A rig on real files, and where they lie.
pub(super) fn on_disk() -> (Rig, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let storage = FileSystemStorage::new(directory.path().to_str().unwrap()).with_inline_threshold_bytes(0);
    let spawn: Arc<dyn Spawn> = Arc::new(Jobs::default());
    let context = StorageContext::new(Arc::new(FileSystems::local()), spawn);
    let job = JobId::new([6; 16]);
    let coordinator = storage.coordinator_view(job, &context).unwrap();
    coordinator.initialize_base_locations().unwrap();
    for number in 1..=2 {
        coordinator.initialize_checkpoint(&barrier(number, None).identity).unwrap();
    }
    let view = storage.worker_view(job, restore(None).writer, &context).unwrap();
    (Rig::with(0, None, view), directory)
}
