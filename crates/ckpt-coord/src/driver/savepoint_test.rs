//! What a driver does with savepoints that a former leader was taking.

use std::path::Path;
use std::sync::Arc;

use ckpt_core::Timestamp;
use ckpt_core::config::CheckpointConfig;
use ckpt_core::graph::{JobGraph, Vertex};
use ckpt_core::head::{Collected, Head, JobState, Nonce, SavepointInProgress};
use ckpt_core::id::{CheckpointId, JobId, TaskAttempt, VertexId};
use ckpt_core::key_group::MaxParallelism;
use ckpt_core::message::ToTask;
use ckpt_core::snapshot::{CheckpointIdentity, JobEnd, RetentionPolicy};
use ckpt_core::uri::Uri;
use ckpt_storage::{
    CheckpointStorage, CoordinatorView, FileSystemStorage, HeadOutcome, InitializedSavepoint, StorageContext, claim,
};
use ckpt_streams::file_system::FileSystems;
use ckpt_streams::{Pool, PoolOptions, Spawn};

use crate::driver::{ClaimedJob, Driver, DriverOptions, RecoveryOptions};
use crate::gateway::TaskGateway;

const JOB: JobId = JobId::new([7; 16]);

#[derive(Debug)]
struct NoTasks;

impl TaskGateway for NoTasks {
    fn send(&self, _: &TaskAttempt, _: ToTask) {}
}

fn spawn() -> Arc<dyn Spawn> {
    Arc::new(Pool::new(PoolOptions::default()).unwrap())
}

fn context() -> StorageContext {
    StorageContext::new(Arc::new(FileSystems::local()), spawn())
}

fn view(directory: &Path) -> Arc<dyn CoordinatorView> {
    let context = context();
    let target = directory.join("savepoints");
    let storage = FileSystemStorage::new(directory.to_str().unwrap());
    storage.with_default_savepoint_dir(target.to_str().unwrap()).coordinator_view(JOB, &context).unwrap()
}

/// A leader dies that has made the directory of a savepoint.
fn die_taking_a_savepoint(directory: &Path) -> Uri {
    let view = view(directory);
    let head = claim(&*view.head(), JOB, Nonce::new([1; 16])).unwrap().head;
    let identity = CheckpointIdentity::new(CheckpointId::FIRST, head.head().epoch, Timestamp::from_millis(7), None);
    let uri = view.name_savepoint(&identity, None).unwrap();
    let savepoint = SavepointInProgress::new(identity.id, uri.clone());
    let write = head.begin_savepoint(savepoint, &Collected::none()).unwrap();
    assert!(matches!(view.head().write(write), HeadOutcome::Written(_)));
    let made = view.initialize_savepoint(&identity, &uri).unwrap();
    assert!(matches!(made, InitializedSavepoint::Made(_)));
    uri
}

/// The next leader, which is asked for nothing but to stop.
fn lead(directory: &Path, end: Option<JobEnd>) -> Head {
    let view = view(directory);
    let recovery = RecoveryOptions::default();
    let claimed = ClaimedJob::claim(Arc::clone(&view), JOB, Nonce::new([2; 16]), &recovery, &context()).unwrap();
    let vertex = Vertex::single(VertexId::new([1; 16]), "toy", 2, MaxParallelism::new(128).unwrap());
    let graph = Arc::new(JobGraph::new(vec![vertex], vec![]).unwrap());
    let options = DriverOptions::new(Arc::new(NoTasks), spawn());
    let driver = Driver::start(claimed, graph, CheckpointConfig::default(), options).unwrap();
    let stopped = match end {
        Some(end) => driver.handle().end(end, RetentionPolicy::default()),
        None => driver.handle().shut_down(),
    };
    stopped.wait().unwrap().unwrap();
    view.head().read().unwrap().unwrap()
}

#[test]
fn the_next_leader_deletes_a_savepoint_that_was_not_completed() {
    let directory = tempfile::tempdir().unwrap();
    let uri = die_taking_a_savepoint(directory.path());
    let path = directory.path().join("savepoints").join(uri.as_str().rsplit_once('/').unwrap().1);
    assert!(path.exists());
    let head = lead(directory.path(), None);
    assert!(!path.exists());
    // Nothing was written since: the next write of HEAD drops it.
    assert_eq!((head.savepoints_in_progress.len(), head.abandoned_savepoints.len()), (0, 1));
    let head = lead(directory.path(), Some(JobEnd::Cancelled));
    assert_eq!((head.state, head.abandoned_savepoints), (JobState::Cancelled, vec![]));
}

#[test]
fn at_the_end_of_the_job_it_goes_too() {
    let directory = tempfile::tempdir().unwrap();
    let uri = die_taking_a_savepoint(directory.path());
    let path = directory.path().join("savepoints").join(uri.as_str().rsplit_once('/').unwrap().1);
    let head = lead(directory.path(), Some(JobEnd::Failed));
    assert_eq!((path.exists(), head.abandoned_savepoints), (false, vec![]));
}
