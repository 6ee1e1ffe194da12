//! How a job ends, and what is left of it then.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ckpt_core::ErrorKind;
use ckpt_core::config::CheckpointConfig;
use ckpt_core::graph::{JobGraph, Vertex};
use ckpt_core::head::{Collected, JobState, Nonce};
use ckpt_core::id::{TaskAttempt, VertexId, Writer, WriterId};
use ckpt_core::key_group::MaxParallelism;
use ckpt_core::message::ToTask;
use ckpt_core::snapshot::{JobEnd, RetentionPolicy};
use ckpt_storage::upkeep::{Authority, JobUpkeep};
use ckpt_storage::{CheckpointStorage, HeadOutcome, claim};
use ckpt_streams::StateScope;

use super::recovery_test::{JOB, commit_three, context, place, pool, storage, view};
use crate::driver::{ClaimedJob, Driver, DriverHandle, DriverOptions, RecoveryOptions};
use crate::gateway::TaskGateway;

#[derive(Debug)]
struct NoTasks;

impl TaskGateway for NoTasks {
    fn send(&self, _: &TaskAttempt, _: ToTask) {}
}

/// A job with three checkpoints, a file that a task manages, and a leader.
fn led(directory: &Path) -> (Driver, PathBuf) {
    commit_three(directory);
    let claimed =
        ClaimedJob::claim(view(directory), JOB, Nonce::new([2; 16]), &RecoveryOptions::default(), &context(pool()))
            .unwrap();
    let writer = Writer::new(claimed.epoch(), WriterId::new(1));
    let streams = storage(directory).worker_view(JOB, writer, &context(pool())).unwrap().task_owned_streams().unwrap();
    let mut stream = streams.create(StateScope::Exclusive).unwrap();
    stream.write_all(&[1; 1000]).unwrap();
    let owned = streams.seal_piece(stream.finish().unwrap().unwrap()).unwrap();
    let owned = owned.place().file().map(|(_, file)| file.to_string()).unwrap();
    let vertex = Vertex::single(VertexId::new([1; 16]), "toy", 2, MaxParallelism::new(128).unwrap());
    let graph = Arc::new(JobGraph::new(vec![vertex], vec![]).unwrap());
    let config = CheckpointConfig::builder().num_retained(3).build().unwrap();
    let driver = Driver::start(claimed, graph, config, DriverOptions::new(Arc::new(NoTasks), pool())).unwrap();
    (driver, directory.join(JOB.to_string()).join("taskowned").join(owned))
}

fn end(handle: &DriverHandle, end: JobEnd, retention: RetentionPolicy) -> Result<(), ckpt_core::Error> {
    match end {
        // It goes on elsewhere.
        JobEnd::Suspended => handle.shut_down().wait().unwrap(),
        end => handle.end(end, retention).wait().unwrap(),
    }
}

/// Every row of the matrix. That a savepoint discards on none of them is shown where it is decided.
#[test]
fn what_is_retained_at_the_end_is_as_the_policy_says() {
    use JobEnd::{Cancelled, Failed, Finished, Suspended};
    use RetentionPolicy::{NeverRetainAfterTermination, RetainOnCancellation, RetainOnFailure};
    for (retention, ended, retained) in [
        (NeverRetainAfterTermination, Finished, false),
        (NeverRetainAfterTermination, Cancelled, false),
        (NeverRetainAfterTermination, Failed, false),
        (NeverRetainAfterTermination, Suspended, true),
        (RetainOnFailure, Finished, false),
        (RetainOnFailure, Cancelled, false),
        (RetainOnFailure, Failed, true),
        (RetainOnFailure, Suspended, true),
        (RetainOnCancellation, Finished, false),
        (RetainOnCancellation, Cancelled, true),
        (RetainOnCancellation, Failed, true),
        (RetainOnCancellation, Suspended, true),
    ] {
        let what = format!("{retention:?} {ended:?}");
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path();
        let (driver, owned) = led(directory);
        assert!(owned.exists(), "{what}");
        end(&driver.handle(), ended, retention).unwrap();
        for number in 1..=3 {
            assert_eq!(place(directory, number).exists(), retained, "{what}: {number}");
        }
        // What is left may name what the tasks managed.
        assert_eq!(owned.exists(), retained, "{what}");
        let head = view(directory).head().read().unwrap().unwrap();
        let state = match ended {
            Finished => JobState::Finished,
            Cancelled => JobState::Cancelled,
            Failed => JobState::Failed,
            _ => JobState::Active,
        };
        let kept = if retained { 3 } else { 0 };
        assert_eq!((head.state, head.retained.len(), head.removed.len()), (state, kept, 0), "{what}");
        // It goes on only where it was suspended.
        let again = claim(&*view(directory).head(), JOB, Nonce::new([3; 16]));
        match ended {
            Suspended => assert_eq!(again.unwrap().head.head().retained.len(), 3, "{what}"),
            _ => assert_eq!(again.unwrap_err().kind(), ErrorKind::Configuration, "{what}"),
        }
    }
}

/// A job that is suspended deletes nothing, whoever asks for that as its end.
#[test]
fn flink_4201_what_is_suspended_does_not_end() {
    let directory = tempfile::tempdir().unwrap();
    let (driver, owned) = led(directory.path());
    let before = view(directory.path()).head().read().unwrap();
    let error = driver.handle().end(JobEnd::Suspended, RetentionPolicy::default()).wait().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
    driver.handle().shut_down().wait().unwrap().unwrap();
    assert_eq!(view(directory.path()).head().read().unwrap(), before);
    assert!(owned.exists() && (1..=3).all(|number| place(directory.path(), number).exists()));
}

/// Whoever ends the job dies right after the terminal HEAD. Nobody can lead the job any more; an operator's collection does
/// what is left to do.
#[test]
fn flink_22014_what_an_end_did_not_delete_is_collected() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let (driver, owned) = led(directory);
    driver.handle().shut_down().wait().unwrap().unwrap();
    let head = claim(&*view(directory).head(), JOB, Nonce::new([3; 16])).unwrap().head;
    let write = head.end(JobEnd::Finished, RetentionPolicy::default(), &Collected::none()).unwrap();
    assert!(matches!(view(directory).head().write(write), HeadOutcome::Written(_)));
    assert!(owned.exists() && place(directory, 3).exists());
    let refused =
        ClaimedJob::claim(view(directory), JOB, Nonce::new([4; 16]), &RecoveryOptions::default(), &context(pool()));
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Configuration);
    let job = directory.join(JOB.to_string());
    let upkept = JobUpkeep::open(job.to_str().unwrap(), &context(pool())).unwrap().collect(Authority::Ended).unwrap();
    assert!(upkept.is_complete(), "{:?}", upkept.errors);
    assert!(!owned.exists() && (1..=3).all(|number| !place(directory, number).exists()));
    let head = view(directory).head().read().unwrap().unwrap();
    assert_eq!((head.state, head.retained.len(), head.removed.len()), (JobState::Finished, 0, 0));
}

/// Numbers only ascend, whoever leads and however little it does.
#[test]
fn flink_14091_numbers_never_go_back() {
    let directory = tempfile::tempdir().unwrap();
    let mut last = None;
    for leader in 1..=20 {
        let mut written = claim(&*view(directory.path()).head(), JOB, Nonce::new([leader; 16])).unwrap();
        for _ in 0..leader % 3 {
            let taken = written.reserved.take();
            assert!(taken > last, "{taken:?} after {last:?}");
            last = taken;
        }
    }
}
