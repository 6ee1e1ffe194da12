//! What belongs to a job, to another job or to Flink is not disposed of, and what to do instead is said.

use std::fs;

use ckpt_core::head::{ClaimedHead, Collected, Nonce};
use ckpt_core::id::{CheckpointId, LeaderEpoch};
use ckpt_core::mark::OwnerRecord;
use ckpt_core::snapshot::{JobEnd, RetentionPolicy};
use ckpt_core::state::{ClaimId, RelPath, Root};
use ckpt_core::{ErrorKind, Timestamp};

use crate::dispose::support_test::{
    Snapshot, disposal_mark, file, handle, metadata, names_in, options, snapshot, snapshot_of,
};
use crate::test_support::local_context;
use crate::testing::sample::{commit_next, job, nonce};
use crate::{CheckpointStorage, FileSystemStorage, HeadOutcome, HeadStore, claim, dispose};

/// Refused in a dry run as well, and nothing was touched.
#[track_caller]
fn refused(snapshot: &Snapshot, kind: ErrorKind, message: &str) {
    let before = names_in(&snapshot.directory);
    for options in [options(), options().dry_run()] {
        let error = dispose(snapshot.pointer(), &local_context(), &options).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(message), "{error}");
        assert_eq!(names_in(&snapshot.directory), before);
    }
}

fn written(head: &dyn HeadStore, write: ckpt_core::head::HeadWrite) -> ClaimedHead {
    match head.write(write) {
        HeadOutcome::Written(written) => written.head,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_checkpoint_of_a_job_is_disposed_of_once_its_head_names_it_no_more() {
    let base = tempfile::tempdir().unwrap();
    let storage = FileSystemStorage::new(base.path().canonicalize().unwrap().to_str().unwrap());
    let view = storage.coordinator_view(job(1), &local_context()).unwrap();
    let claimed = claim(&*view.head(), job(1), nonce(1)).unwrap();
    let claimed = commit_next(&*view, &claimed.head, 1, &[]).head;
    let directory = base.path().canonicalize().unwrap().join(job(1).to_string()).join("chk-1");
    let retained = Snapshot { directory, files: Vec::new() };
    refused(
        &retained,
        ErrorKind::Configuration,
        "is active: its coordinator deletes its checkpoints; end the job first",
    );
    // What HEAD does not name is no less that of a job that is active.
    let orphan = snapshot_of(retained.directory.parent().unwrap(), "chk-7", 0, &metadata(7, Vec::new()));
    refused(&orphan, ErrorKind::Configuration, "is active");

    let end = claimed.end(JobEnd::Failed, RetentionPolicy::RetainOnCancellation, &Collected::none()).unwrap();
    let ended = written(&*view.head(), end);
    refused(&retained, ErrorKind::Configuration, "is checkpoint 1, which HEAD of job");
    refused(&retained, ErrorKind::Configuration, "discard it there first");
    assert!(dispose(orphan.pointer(), &local_context(), &options()).unwrap().is_complete());
    // The directory of the job itself is no snapshot, whatever lies in it.
    let job_directory = Snapshot { directory: retained.directory.parent().unwrap().to_owned(), files: Vec::new() };
    fs::copy(retained.directory.join("_metadata"), job_directory.directory.join("_metadata")).unwrap();
    refused(&job_directory, ErrorKind::Configuration, "is the directory of a job and no snapshot");
    fs::remove_file(job_directory.directory.join("_metadata")).unwrap();

    let discarded = ended.discard(&[CheckpointId::new(1).unwrap()], &Collected::none()).unwrap();
    let _ = written(&*view.head(), discarded);
    assert!(dispose(retained.pointer(), &local_context(), &options()).unwrap().is_complete());
    assert_eq!(names_in(&job_directory.directory), ["head"]);
}

/// Metadata that somebody put there are no leave to delete what checkpoints need.
#[test]
fn in_the_directory_of_a_job_its_snapshots_go_and_nothing_else() {
    let base = tempfile::tempdir().unwrap();
    let storage = FileSystemStorage::new(base.path().canonicalize().unwrap().to_str().unwrap());
    let view = storage.coordinator_view(job(1), &local_context()).unwrap();
    let claimed = claim(&*view.head(), job(1), nonce(1)).unwrap();
    let job_directory = base.path().canonicalize().unwrap().join(job(1).to_string());
    fs::create_dir(job_directory.join("shared")).unwrap();
    fs::write(job_directory.join("shared").join(RelPath::from(&file(0)).as_str()), "abc").unwrap();
    let claimed = commit_next(&*view, &claimed.head, 1, &[file(0)]).head;
    let end = claimed.end(JobEnd::Failed, RetentionPolicy::RetainOnCancellation, &Collected::none()).unwrap();
    let _ = written(&*view.head(), end);
    let hostile = metadata(7, vec![handle(Root::ThisSnapshot, 0)]);
    let of = |name: &str| Snapshot { directory: job_directory.join(name), files: Vec::new() };
    let nothing_of_the_jobs_goes = |is_head_lost: bool| {
        if is_head_lost {
            fs::rename(job_directory.join("head"), job_directory.join("moved")).unwrap();
        }
        for name in ["shared", "taskowned", "head"] {
            let directory = of(name);
            let _ = fs::create_dir(&directory.directory);
            fs::write(directory.directory.join("_metadata"), hostile.encode().unwrap().0).unwrap();
            refused(&directory, ErrorKind::Configuration, "of what belongs to a job as a whole");
            fs::remove_file(directory.directory.join("_metadata")).unwrap();
            fs::write(directory.directory.join("_disposing"), disposal_mark(&hostile)).unwrap();
            refused(&directory, ErrorKind::Configuration, "of what belongs to a job as a whole");
            fs::remove_file(directory.directory.join("_disposing")).unwrap();
        }
    };
    nothing_of_the_jobs_goes(false);
    storage.resolve(job_directory.join("chk-1").to_str().unwrap(), &local_context()).unwrap();
    // Of other names, and of other numbers than their name.
    for name in ["chk-8", "notes", "chk-07", "savepoint-1", "savepoint-ffffff-000000000001"] {
        let directory = snapshot_of(&job_directory, name, 1, &hostile);
        refused(&directory, ErrorKind::Configuration, "is neither a checkpoint of it nor a savepoint");
        fs::remove_file(directory.directory.join("_metadata")).unwrap();
        fs::write(directory.directory.join("_disposing"), disposal_mark(&hostile)).unwrap();
        refused(&directory, ErrorKind::Configuration, "is neither a checkpoint of it nor a savepoint");
    }
    let digits = &job(1).to_string()[..6];
    for name in ["chk-7".to_owned(), format!("savepoint-{digits}-0123456789ab")] {
        let directory = snapshot_of(&job_directory, &name, 1, &hostile);
        assert!(dispose(directory.pointer(), &local_context(), &options()).unwrap().is_complete());
    }
    // HEAD may be lost.
    nothing_of_the_jobs_goes(true);
}

#[test]
fn what_another_job_has_claimed_is_that_jobs() {
    let target = tempfile::tempdir().unwrap();
    let savepoint = snapshot(target.path(), "savepoint-1", 2);
    let owner =
        OwnerRecord::new(job(9), LeaderEpoch::new(3), ClaimId::new(4), Nonce::new([5; 16]), Timestamp::from_millis(6));
    let path = savepoint.directory.join("OWNER");
    fs::write(&path, owner.encode().unwrap()).unwrap();
    refused(&savepoint, ErrorKind::Configuration, &format!("belongs to job {} by its claim 4", job(9)));
    // Whatever it says, somebody made it.
    for content in ["", "CKPTOWNR and no more", &"x".repeat(100_000)] {
        fs::write(&path, content).unwrap();
        refused(&savepoint, ErrorKind::Corrupt, "says that another job owns the snapshot, and cannot be read");
    }
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/nowhere", &path).unwrap();
    refused(&savepoint, ErrorKind::Corrupt, "says that another job owns the snapshot");
}

#[test]
fn a_snapshot_of_flink_is_flinks() {
    let target = tempfile::tempdir().unwrap();
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/../ckpt-flink/testdata");
    let mut tried = 0;
    let mut ahead = vec![std::path::PathBuf::from(samples)];
    while let Some(next) = ahead.pop() {
        if next.is_dir() {
            ahead.extend(fs::read_dir(&next).unwrap().map(|entry| entry.unwrap().path()));
        } else if fs::read(&next).unwrap().starts_with(&[0x49, 0x60, 0x67, 0x2d]) {
            let savepoint = snapshot(target.path(), &format!("savepoint-{tried}"), 2);
            fs::copy(&next, savepoint.directory.join("_metadata")).unwrap();
            refused(
                &savepoint,
                ErrorKind::Configuration,
                "is a snapshot of Flink: only Flink, or its owner, deletes it",
            );
            tried += 1;
        }
    }
    assert!(tried > 3, "{tried} files of Flink's");
}

#[test]
fn a_snapshot_is_disposed_of_by_its_own_name_only() {
    let target = tempfile::tempdir().unwrap();
    let savepoint = snapshot(target.path(), "savepoint-1", 1);
    let copy = savepoint.directory.join("copy");
    fs::copy(savepoint.directory.join("_metadata"), &copy).unwrap();
    let error = dispose(copy.to_str().unwrap(), &local_context(), &options()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("name the directory of the snapshot, or '_metadata' in it"), "{error}");
    assert_eq!(names_in(&savepoint.directory).len(), 3);
    let empty = Snapshot { directory: target.path().join("empty"), files: Vec::new() };
    fs::create_dir(&empty.directory).unwrap();
    fs::write(empty.directory.join("file"), "").unwrap();
    refused(&empty, ErrorKind::NotFound, "there is nothing to dispose of");
}

#[test]
fn damaged_metadata_and_marks_delete_nothing() {
    let target = tempfile::tempdir().unwrap();
    let savepoint = snapshot(target.path(), "savepoint-1", 3);
    let path = savepoint.directory.join("_metadata");
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << (at % 8);
        fs::write(&path, &damaged).unwrap();
        let error = dispose(savepoint.pointer(), &local_context(), &options()).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Configuration), "{at}: {error}");
        fs::write(&path, &whole[..at]).unwrap();
        let error = dispose(savepoint.pointer(), &local_context(), &options()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{at}: {error}");
    }
    assert_eq!(names_in(&savepoint.directory).len(), 4);
    fs::write(&path, &whole).unwrap();
    fs::write(savepoint.directory.join("_disposing"), "CKPTDISP").unwrap();
    refused(&savepoint, ErrorKind::Corrupt, "says that the snapshot is being disposed of, and cannot be read");
}
