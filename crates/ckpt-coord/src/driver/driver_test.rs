//! The driver against file storage in a temporary directory.

use std::path::Path;
use std::time::Instant;

use ckpt_core::graph::Vertex;
use ckpt_core::head::{JobState, Nonce};
use ckpt_core::id::{AttemptId, CheckpointId, JobId, TaskAttempt, TaskId, VertexId, WriterId};
use ckpt_core::key_group::MaxParallelism;
use ckpt_core::message::{Acknowledge, Decline, DeclineReason, ToCoordinator, ToTask};
use ckpt_core::snapshot::{JobEnd, RetentionPolicy};
use ckpt_core::state::{OperatorState, StateHandle, SubtaskState, TaskSnapshot};
use ckpt_storage::{CheckpointStorage, FileSystemStorage, StorageContext};
use ckpt_streams::file_system::FileSystems;
use ckpt_streams::{Job, Pool, PoolOptions, Rejected, Spawn};
use parking_lot::{Condvar, Mutex};

use super::*;
use crate::gateway::{CoordinatorGateway, TaskGateway};
use crate::observer::{CheckpointObserver, CompletedCheckpoint, Phase};

pub(super) const JOB: JobId = JobId::new([7; 16]);
const VERTEX: VertexId = VertexId::new([1; 16]);

/// Tasks that answer each trigger at once, and keep what they are told.
#[derive(Debug, Default)]
pub(super) struct ToyTasks {
    driver: Mutex<Option<DriverHandle>>,
    pub(super) told: Mutex<Vec<ToTask>>,
    decline: Mutex<bool>,
}

impl TaskGateway for ToyTasks {
    fn send(&self, to: &TaskAttempt, message: ToTask) {
        self.told.lock().push(message.clone());
        let (ToTask::Trigger(barrier), Some(driver)) = (message, &*self.driver.lock()) else { return };
        let (epoch, id) = (barrier.identity.epoch, barrier.id());
        driver.send(if *self.decline.lock() {
            let reason = DeclineReason::SnapshotFailed;
            ToCoordinator::Decline(Decline::new(epoch, id, *to, reason, "the disk is full"))
        } else {
            let handle = StateHandle::inline(format!("{to}").into_bytes().into());
            let state = SubtaskState::new(vec![], vec![OperatorState::new(Default::default(), handle)]);
            let operator = ckpt_core::id::OperatorId::new(VERTEX.bytes());
            let snapshot = TaskSnapshot::new([(operator, state)].into());
            ToCoordinator::Acknowledge(Acknowledge::new(epoch, id, *to, WriterId::new(to.attempt.get()), snapshot))
        });
    }
}

/// Keeps what it sees, and holds one phase up while it is told to.
#[derive(Debug, Default)]
pub(super) struct Witness {
    pub(super) seen: Mutex<Vec<String>>,
    hold: Mutex<Option<Phase>>,
    /// Where the thread that enters it panics.
    panic: Mutex<Option<Phase>>,
    released: Condvar,
}

impl CheckpointObserver for Witness {
    fn phase(&self, phase: Phase, checkpoint: Option<CheckpointId>) {
        self.seen.lock().push(format!("{phase:?} {}", checkpoint.map_or(0, CheckpointId::get)));
        assert_ne!(*self.panic.lock(), Some(phase), "as it was told to");
        let mut hold = self.hold.lock();
        while *hold == Some(phase) {
            self.released.wait(&mut hold);
        }
    }

    fn completed(&self, checkpoint: &CompletedCheckpoint) {
        self.seen.lock().push(format!("completed {}", checkpoint.identity.id));
    }

    fn aborted(&self, checkpoint: CheckpointId, reason: &str) {
        self.seen.lock().push(format!("aborted {checkpoint}: {reason}"));
    }

    fn fenced(&self, error: &Error) {
        self.seen.lock().push(format!("fenced {:?}", error.kind()));
    }

    fn failed(&self, error: &Error) {
        self.seen.lock().push(format!("failed {:?}: {error}", error.kind()));
    }

    fn shut_down(&self) {
        self.seen.lock().push("shut down".to_owned());
    }
}

impl Witness {
    pub(super) fn hold(&self, phase: Option<Phase>) {
        *self.hold.lock() = phase;
        self.released.notify_all();
    }

    pub(super) fn await_line(&self, line: &str) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.seen.lock().iter().any(|seen| seen.starts_with(line)) {
            assert!(Instant::now() < deadline, "'{line}' was not seen, but {:?}", self.seen.lock());
            thread::sleep(Duration::from_millis(2));
        }
    }
}

pub(super) struct Running {
    pub(super) driver: Driver,
    pub(super) tasks: Arc<ToyTasks>,
    pub(super) witness: Arc<Witness>,
    pub(super) newest: Option<CheckpointId>,
}

fn task(subtask: u32) -> TaskAttempt {
    TaskId::new(VERTEX, subtask).attempt(AttemptId::new(1))
}

/// All tasks, deployed for the n-th time; both name files by the number of the deployment.
fn deployment(number: u64) -> Vec<(TaskAttempt, WriterId)> {
    (0..2).map(|subtask| (task(subtask).task.attempt(AttemptId::new(number)), WriterId::new(number))).collect()
}

pub(super) fn pool() -> Arc<dyn Spawn> {
    Arc::new(Pool::new(PoolOptions::default()).unwrap())
}

fn start(directory: &Path, config: CheckpointConfig, nonce: u8, spawn: Arc<dyn Spawn>) -> Running {
    let context = StorageContext::new(Arc::new(FileSystems::local()), pool());
    let storage = FileSystemStorage::new(directory.to_str().unwrap());
    start_on(&storage, &context, config, nonce, spawn)
}

pub(super) fn start_on(
    storage: &FileSystemStorage,
    context: &StorageContext,
    config: CheckpointConfig,
    nonce: u8,
    spawn: Arc<dyn Spawn>,
) -> Running {
    let view = storage.coordinator_view(JOB, context).unwrap();
    let claimed = ClaimedJob::claim(view, JOB, Nonce::new([nonce; 16]), &RecoveryOptions::default(), context).unwrap();
    let newest = claimed.newest().map(|metadata| metadata.summary().identity.id);
    let vertex = Vertex::single(VERTEX, "toy", 2, MaxParallelism::new(128).unwrap());
    let graph = Arc::new(JobGraph::new(vec![vertex], vec![]).unwrap());
    let (tasks, witness) = (Arc::new(ToyTasks::default()), Arc::new(Witness::default()));
    let options = DriverOptions::new(Arc::clone(&tasks) as Arc<dyn TaskGateway>, spawn)
        .with_observer(Arc::clone(&witness) as Arc<dyn CheckpointObserver>);
    let driver = Driver::start(claimed, graph, config, options).unwrap();
    *tasks.driver.lock() = Some(driver.handle());
    driver.handle().attempts_started(deployment(1)).wait().unwrap().unwrap();
    Running { driver, tasks, witness, newest }
}

pub(super) fn checkpoint(running: &Running) -> Result<CompletedCheckpoint> {
    running.driver.handle().trigger_checkpoint(ManualTrigger::Configured).wait().unwrap()
}

#[test]
fn checkpoints_complete_in_order_and_are_found_again() {
    let directory = tempfile::tempdir().unwrap();
    let running = start(directory.path(), CheckpointConfig::default(), 1, pool());
    let first = checkpoint(&running).unwrap();
    assert_eq!(first.identity.id.get(), 1);
    assert!(first.total_bytes > 0);
    let second = checkpoint(&running).unwrap();
    assert_eq!(second.identity.latest_completed, Some(first.identity.id));
    running.witness.await_line("Collecting 1");
    let statistics = running.driver.handle().statistics();
    assert_eq!((statistics.triggered, statistics.completed, statistics.aborted), (2, 2, 0));
    running.driver.handle().shut_down().wait().unwrap().unwrap();
    let seen = running.witness.seen.lock().clone();
    let place = |line: &str| seen.iter().position(|seen| seen == line).unwrap_or_else(|| panic!("{line}: {seen:?}"));
    let order = ["Publishing 1", "WritingHead 1", "completed 1", "Notifying 1", "Publishing 2", "Collecting 1"];
    assert!(order.map(place).is_sorted(), "{seen:?}");
    let told = running.tasks.told.lock().len();
    assert_eq!(told, 2 * 2 * 2, "each task is triggered and told twice");
    let again = start(directory.path(), CheckpointConfig::default(), 2, pool());
    assert_eq!(again.newest, Some(second.identity.id));
    let third = checkpoint(&again).unwrap();
    assert!(third.identity.id > second.identity.id);
    assert_eq!(third.identity.latest_completed, Some(second.identity.id));
}

#[test]
fn second_driver_on_the_directory_fences_the_first() {
    let directory = tempfile::tempdir().unwrap();
    let first = start(directory.path(), CheckpointConfig::default(), 1, pool());
    checkpoint(&first).unwrap();
    let second = start(directory.path(), CheckpointConfig::default(), 2, pool());
    // While the second deletes what it takes for orphans, the first may not even come to its commit.
    let error = loop {
        let error = checkpoint(&first).unwrap_err();
        if error.kind() != ErrorKind::AbortCheckpoint {
            break error;
        }
    };
    assert_eq!(error.kind(), ErrorKind::Fenced, "{error}");
    assert_eq!(first.driver.handle().statistics().in_doubt, 1);
    first.witness.await_line("fenced Fenced");
    let told = first.tasks.told.lock().clone();
    assert!(!told.iter().any(|message| matches!(message, ToTask::Completed { id, .. } if id.get() > 1)), "{told:?}");
    assert_eq!(checkpoint(&first).unwrap_err().kind(), ErrorKind::Fenced, "later requests are told as well");
    assert_eq!(first.driver.handle().shut_down().wait().unwrap().unwrap_err().kind(), ErrorKind::Fenced);
    checkpoint(&second).unwrap();
    assert_eq!(second.newest.map(CheckpointId::get), Some(1));
}

#[test]
fn shut_down_waits_for_a_commit_in_flight() {
    let directory = tempfile::tempdir().unwrap();
    let running = start(directory.path(), CheckpointConfig::default(), 1, pool());
    running.witness.hold(Some(Phase::WritingHead));
    let pending = running.driver.handle().trigger_checkpoint(ManualTrigger::Full);
    running.witness.await_line("WritingHead 1");
    let mut stopped = running.driver.handle().shut_down();
    assert!(stopped.wait_timeout(Duration::from_millis(50)).is_none(), "the commit is not decided yet");
    running.witness.hold(None);
    stopped.wait().unwrap().unwrap();
    let completed = pending.wait().unwrap().unwrap();
    running.witness.await_line("shut down");
    assert_eq!(checkpoint(&running).unwrap_err().kind(), ErrorKind::Cancelled);
    let again = start(directory.path(), CheckpointConfig::default(), 2, pool());
    assert_eq!(again.newest, Some(completed.identity.id));
}

#[test]
fn a_declined_checkpoint_is_aborted_and_its_directory_goes() {
    let directory = tempfile::tempdir().unwrap();
    let running = start(directory.path(), CheckpointConfig::default(), 1, pool());
    *running.tasks.decline.lock() = true;
    let error = checkpoint(&running).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AbortCheckpoint);
    assert!(error.to_string().contains("the disk is full"), "{error}");
    *running.tasks.decline.lock() = false;
    let completed = checkpoint(&running).unwrap();
    assert_eq!(completed.identity.id.get(), 2);
    running.driver.handle().shut_down().wait().unwrap().unwrap();
    let job = directory.path().join(JOB.to_string());
    assert!(!job.join("chk-1").exists());
    assert!(job.join("chk-2").exists());
}

#[test]
fn the_end_is_final_and_discards_what_it_is_told_to() {
    let directory = tempfile::tempdir().unwrap();
    let running = start(directory.path(), CheckpointConfig::default(), 1, pool());
    checkpoint(&running).unwrap();
    running.driver.handle().end(JobEnd::Finished, RetentionPolicy::default()).wait().unwrap().unwrap();
    assert!(!directory.path().join(JOB.to_string()).join("chk-1").exists());
    let context = StorageContext::new(Arc::new(FileSystems::local()), pool());
    let storage = FileSystemStorage::new(directory.path().to_str().unwrap());
    let view = storage.coordinator_view(JOB, &context).unwrap();
    let head = view.head().read().unwrap().unwrap();
    assert_eq!((head.state, head.retained, head.removed), (JobState::Finished, vec![], vec![]));
    let error = ClaimedJob::claim(view, JOB, Nonce::new([2; 16]), &RecoveryOptions::default(), &context).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
}

#[test]
fn periodic_checkpoints_need_nobody_who_asks() {
    let directory = tempfile::tempdir().unwrap();
    let config = CheckpointConfig::builder().interval(Duration::from_millis(10)).build().unwrap();
    let running = start(directory.path(), config, 1, pool());
    running.witness.await_line("completed 3");
    running.driver.handle().attempt_lost(task(0), "killed");
    assert_eq!(checkpoint(&running).unwrap_err().kind(), ErrorKind::Retry);
}

/// Refuses every job.
#[derive(Debug)]
struct Full;

impl Spawn for Full {
    fn spawn(&self, _: &'static str, job: Job) -> Result<(), Rejected> {
        drop(job);
        Err(Rejected::new())
    }
}

#[test]
fn refused_jobs_are_errors_and_nobody_is_left_waiting() {
    let directory = tempfile::tempdir().unwrap();
    let running = start(directory.path(), CheckpointConfig::default(), 1, Arc::new(Full));
    let error = checkpoint(&running).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AbortCheckpoint, "{error}");
    let pending = running.driver.handle().trigger_checkpoint(ManualTrigger::Configured);
    let handle = running.driver.handle();
    drop(running);
    pending.wait().unwrap().unwrap_err();
    let late = handle.trigger_checkpoint(ManualTrigger::Configured).wait().unwrap().unwrap_err();
    assert_eq!(late.kind(), ErrorKind::Cancelled);
}

#[test]
fn a_head_write_that_panics_leaves_its_checkpoint_in_doubt() {
    let directory = tempfile::tempdir().unwrap();
    let running = start(directory.path(), CheckpointConfig::default(), 1, pool());
    *running.witness.panic.lock() = Some(Phase::WritingHead);
    let error = checkpoint(&running).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unknown, "{error}");
    running.witness.await_line("fenced Unknown");
    assert!(!running.tasks.told.lock().iter().any(|told| matches!(told, ToTask::Aborted { .. })));
    let statistics = running.driver.handle().statistics();
    assert_eq!((statistics.in_doubt, statistics.aborted), (1, 0));
    assert!(directory.path().join(JOB.to_string()).join("chk-1/_metadata").exists());
}

#[test]
fn a_restore_waits_for_a_commit_in_flight_and_takes_what_it_commits() {
    let directory = tempfile::tempdir().unwrap();
    let config = CheckpointConfig::builder().max_concurrent(2).build().unwrap();
    let running = start(directory.path(), config, 1, pool());
    let handle = running.driver.handle();
    checkpoint(&running).unwrap();
    running.witness.hold(Some(Phase::WritingHead));
    let committing = handle.trigger_checkpoint(ManualTrigger::Configured);
    running.witness.await_line("WritingHead 2");
    let mut restore = handle.restore_latest();
    assert!(restore.wait_timeout(Duration::from_millis(50)).is_none(), "the commit is not decided yet");
    let early = handle.attempts_started(deployment(2)).wait().unwrap().unwrap_err();
    assert_eq!(early.kind(), ErrorKind::Configuration, "{early}");
    running.witness.hold(None);
    let newest = restore.wait().unwrap().unwrap().unwrap();
    assert_eq!(committing.wait().unwrap().unwrap().identity, newest.summary().identity);
    assert_eq!(newest.summary().identity.id.get(), 2);

    // Nothing is taken until tasks are deployed again, under names of their own.
    assert_eq!(checkpoint(&running).unwrap_err().kind(), ErrorKind::Retry);
    let again = handle.attempts_started(deployment(1)).wait().unwrap().unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Configuration, "{again}");
    handle.attempts_started(deployment(2)).wait().unwrap().unwrap();
    let third = checkpoint(&running).unwrap();
    assert_eq!((third.identity.id.get(), third.identity.latest_completed), (3, Some(newest.summary().identity.id)));

    // Tasks that replace others without a restore are refused, and nothing is taken until they are restored.
    let refused = handle.attempts_started(deployment(3)).wait().unwrap().unwrap_err();
    assert!(refused.to_string().contains("no restore was asked for"), "{refused}");
    assert_eq!(checkpoint(&running).unwrap_err().kind(), ErrorKind::Retry);
    let newest = handle.restore_latest().wait().unwrap().unwrap().unwrap();
    assert_eq!(newest.summary().identity.id, third.identity.id);
    handle.attempts_started(deployment(3)).wait().unwrap().unwrap();
    checkpoint(&running).unwrap();
    handle.shut_down().wait().unwrap().unwrap();
    assert_eq!(handle.restore_latest().wait().unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
}

#[test]
fn a_restore_is_refused_by_a_commit_whose_outcome_is_unknown() {
    let directory = tempfile::tempdir().unwrap();
    let running = start(directory.path(), CheckpointConfig::default(), 1, pool());
    assert_eq!(running.driver.handle().restore_latest().wait().unwrap().unwrap(), None);
    running.driver.handle().attempts_started(deployment(2)).wait().unwrap().unwrap();
    running.witness.hold(Some(Phase::WritingHead));
    let pending = running.driver.handle().trigger_checkpoint(ManualTrigger::Configured);
    running.witness.await_line("WritingHead 1");
    let restore = running.driver.handle().restore_latest();
    let _second = start(directory.path(), CheckpointConfig::default(), 2, pool());
    running.witness.hold(None);
    assert_eq!(restore.wait().unwrap().unwrap_err().kind(), ErrorKind::Fenced);
    assert_eq!(pending.wait().unwrap().unwrap_err().kind(), ErrorKind::Fenced);
}

#[test]
fn a_panic_on_the_thread_is_reported_and_leaves_nobody_waiting() {
    let directory = tempfile::tempdir().unwrap();
    let running = start(directory.path(), CheckpointConfig::default(), 1, pool());
    *running.witness.panic.lock() = Some(Phase::Notifying);
    let handle = running.driver.handle();
    let first = handle.trigger_checkpoint(ManualTrigger::Configured);
    let queued = handle.trigger_checkpoint(ManualTrigger::Configured);
    first.wait().unwrap().unwrap();
    assert_eq!(queued.wait().unwrap().unwrap_err().kind(), ErrorKind::FailJob);
    running.witness.await_line("failed FailJob: the coordinator's thread panicked");
    assert_eq!(checkpoint(&running).unwrap_err().kind(), ErrorKind::FailJob);
    let seen = running.witness.seen.lock().clone();
    assert!(!seen.iter().any(|seen| seen == "shut down" || seen.starts_with("fenced")), "{seen:?}");
}
