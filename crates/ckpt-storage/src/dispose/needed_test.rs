//! Snapshots elsewhere that a job needs.

use ckpt_core::head::{ClaimMode, Collected, Ownership, RetainedSnapshot, SavepointInProgress};
use ckpt_core::id::CheckpointId;
use ckpt_core::snapshot::{AfterSavepoint, JobEnd, RetentionPolicy, SavepointFormat, SnapshotKind};
use ckpt_core::uri::Uri;
use ckpt_core::{Digest, ErrorKind, Timestamp};

use super::support_test::{metadata, options, snapshot_of};
use crate::test_support::local_context;
use crate::testing::sample::{job, nonce, write_head};
use crate::{CheckpointStorage, FileSystemStorage, Start, ThreadWait, begin_from, claim, dispose};

/// From being begun until the job has ended, whoever asks by which way.
#[test]
fn the_savepoint_that_an_active_job_was_stopped_with_stays() {
    let root = tempfile::tempdir().unwrap();
    let (base, target) = (root.path().join("jobs"), root.path().join("savepoints"));
    [&base, &target].iter().for_each(|directory| std::fs::create_dir(directory).unwrap());
    let base = base.canonicalize().unwrap();
    let job_directory = base.join(job(1).to_string()).to_str().unwrap().to_owned();
    let (storage, context) = (FileSystemStorage::new(base.to_str().unwrap()), local_context());
    let view = storage.coordinator_view(job(1), &context).unwrap();
    let mut claimed = claim(&*view.head(), job(1), nonce(1)).unwrap();
    let id = claimed.reserved.take().unwrap();
    let savepoint = snapshot_of(&target, "savepoint-010101-0123456789ab", 2, &metadata(id.get(), Vec::new()));
    // HEAD names it by a link, as whoever took it may have gone through one.
    std::os::unix::fs::symlink(&target, root.path().join("link")).unwrap();
    let link = root.path().canonicalize().unwrap().join("link/savepoint-010101-0123456789ab");
    let uri = Uri::new(format!("file://{}", link.display())).unwrap();
    let with_jobs_below = || options().with_jobs_below(base.to_str().unwrap());
    let refused = |message: &str| {
        let by_storage = storage.dispose(savepoint.pointer(), &context, &options());
        let by_base = dispose(savepoint.pointer(), &context, &with_jobs_below());
        let by_base_itself = dispose(savepoint.pointer(), &context, &options().with_jobs_below(job_directory.clone()));
        let by_job = options().with_job_directory(job_directory.clone());
        let by_plan = dispose(savepoint.pointer(), &context, &by_job.clone().dry_run());
        let by_job = dispose(savepoint.pointer(), &context, &by_job);
        for outcome in [by_storage, by_base, by_base_itself, by_job, by_plan] {
            let error = outcome.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(error.to_string().contains(message) && error.to_string().contains(&job_directory), "{error}");
        }
        assert!(savepoint.directory.join("_metadata").exists() && !savepoint.directory.join("_disposing").exists());
    };
    let begun = claimed.head.begin_savepoint(SavepointInProgress::new(id, uri.clone()), &Collected::none()).unwrap();
    let head = write_head(&*view, begun).head;
    refused("is snapshot 1 that job 01010101010101010101010101010101 needs");
    let kind = SnapshotKind::Savepoint { format: SavepointFormat::Canonical, then: AfterSavepoint::Suspend };
    let stopped = RetainedSnapshot::new(id, head.head().epoch, kind, 100, Digest::of(b"its index"));
    let stopped = stopped.elsewhere(uri, Ownership::Borrowed);
    let head = write_head(&*view, head.stop(stopped, &Collected::none()).unwrap()).head;
    refused("is savepoint 1, from which alone job 01010101010101010101010101010101 goes on");
    // A directory that was named and is no job's is a mistake of the caller's; one where a job may be is not.
    let none = root.path().to_str().unwrap();
    let error = dispose(savepoint.pointer(), &context, &options().with_job_directory(none)).unwrap_err();
    assert!(error.to_string().contains("it has no HEAD"), "{error}");
    let planned = dispose(savepoint.pointer(), &context, &options().with_jobs_below(none).dry_run());
    assert!(planned.unwrap().planned.is_some());
    // Nobody goes on with a job that has ended: it is its user's.
    let end = head.end(JobEnd::Cancelled, RetentionPolicy::RetainOnCancellation, &Collected::none()).unwrap();
    write_head(&*view, end);
    assert!(storage.dispose(savepoint.pointer(), &context, &options()).unwrap().is_complete());
    assert_eq!(id, CheckpointId::FIRST);
}

/// Another job than the one that took it began from it, and can restore nothing else yet.
#[test]
fn a_savepoint_that_a_job_has_borrowed_stays_while_it_may_be_restored() {
    let root = tempfile::tempdir().unwrap();
    let (base, target) = (root.path().join("jobs"), root.path().join("savepoints"));
    std::fs::create_dir(&target).unwrap();
    let (storage, context) = (FileSystemStorage::new(base.to_str().unwrap()), local_context());
    let savepoint = snapshot_of(&target, "savepoint-010101-0123456789ab", 2, &metadata(1, Vec::new()));
    let with_jobs_below = || options().with_jobs_below(base.to_str().unwrap());
    assert!(dispose(savepoint.pointer(), &context, &with_jobs_below().dry_run()).unwrap().planned.is_some());
    let view = storage.coordinator_view(job(2), &context).unwrap();
    let start = Start::new(savepoint.pointer(), ClaimMode::NoClaim, Timestamp::from_millis(1));
    let begun = begin_from(&*view.head(), job(2), nonce(2), &start, &context, &ThreadWait).unwrap();
    for asked in [dispose(savepoint.pointer(), &context, &with_jobs_below()), {
        storage.dispose(savepoint.pointer(), &context, &options())
    }] {
        let error = asked.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains("that job 02020202020202020202020202020202 needs"), "{error}");
    }
    let end = begun.written.head.end(JobEnd::Finished, RetentionPolicy::default(), &Collected::none()).unwrap();
    write_head(&*view, end);
    assert!(dispose(savepoint.pointer(), &context, &with_jobs_below()).unwrap().is_complete());
}
