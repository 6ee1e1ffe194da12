//! Bugs that others had with leaders that come and go, each by its ticket.

use std::sync::Arc;

use ckpt_core::ErrorKind;
use ckpt_core::head::{Collected, JobState, WrittenHead};
use ckpt_core::id::{CheckpointId, Writer, WriterId};
use ckpt_core::snapshot::{JobEnd, RetentionPolicy};

use crate::test_support::MemoryDisk;
use crate::testing::sample::{barrier, commit_next, identity, job, nonce, publish, written_state};
use crate::{CheckpointStorage as _, CoordinatorView, FileSystemStorage, HeadOutcome, claim};

fn storage() -> FileSystemStorage {
    FileSystemStorage::new("mem:/base").with_inline_threshold_bytes(0)
}

fn view(disk: &MemoryDisk) -> Arc<dyn CoordinatorView> {
    storage().coordinator_view(job(1), &disk.context()).unwrap()
}

fn retained(written: &WrittenHead) -> Vec<u64> {
    written.head.head().retained.iter().map(|snapshot| snapshot.id.get()).collect()
}

/// There the cleaning of a job that had finished raced a leader that stopped, and what was restored afterwards was very old.
#[test]
fn flink_19816_a_job_that_ended_comes_back_with_nothing_whoever_still_writes() {
    for end in [JobEnd::Finished, JobEnd::Cancelled] {
        let disk = MemoryDisk::default();
        let former = view(&disk);
        let claimed = claim(&*former.head(), job(1), nonce(1)).unwrap();
        let first = commit_next(&*former, &claimed.head, 1, &[]);
        let published = publish(&*former, job(1), identity(&first.head, 2), &[]);

        let last = view(&disk);
        let claimed = claim(&*last.head(), job(1), nonce(2)).unwrap();
        let write = claimed.head.end(end, RetentionPolicy::default(), &Collected::none()).unwrap();
        let HeadOutcome::Written(ended) = last.head().write(write) else { panic!("nobody else writes") };
        // The former leader commits while the other deletes, and after it.
        let late = || first.head.commit(published.clone(), 1, &Collected::none()).unwrap();
        assert!(matches!(former.head().write(late()), HeadOutcome::Fenced(_)));
        for removed in ended.all_removed() {
            last.remove(&removed, &Default::default()).unwrap();
        }
        assert!(matches!(former.head().write(late()), HeadOutcome::Fenced(_)));
        let error = claim(&*view(&disk).head(), job(1), nonce(3)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
        let head = view(&disk).head().read().unwrap().unwrap();
        assert!(head.restore_point().is_none() && head.state != JobState::Active, "{head:?}");
    }
}

/// There what the former leader held locked could not be removed by the next.
#[test]
fn flink_10011_what_a_former_leader_holds_open_is_removed_by_the_next() {
    let disk = MemoryDisk::default();
    let former = view(&disk);
    let claimed = claim(&*former.head(), job(1), nonce(1)).unwrap();
    let first = commit_next(&*former, &claimed.head, 1, &[]);
    let second = commit_next(&*former, &first.head, 2, &[]);
    // It has read what it is about to remove, and is stopped there.
    let held = second.all_removed();
    let open = former.load(held[0].snapshot()).unwrap();

    let next = view(&disk);
    let claimed = claim(&*next.head(), job(1), nonce(2)).unwrap();
    let removed: Vec<_> = claimed.all_removed();
    assert_eq!(removed.iter().map(|removed| removed.snapshot().id).collect::<Vec<_>>(), [open.summary().identity.id]);
    next.remove(&removed[0], &Default::default()).unwrap();
    assert!(!disk.files().iter().any(|file| file.contains("/chk-1/")), "{:?}", disk.files());
    let mut collected = Collected::none();
    collected.snapshots.push(CheckpointId::FIRST);
    let HeadOutcome::Written(written) = next.head().write(claimed.head.collected(&collected).unwrap()) else {
        panic!("nobody else writes");
    };
    assert_eq!((written.all_removed().len(), retained(&written)), (0, vec![2]));
    // The former leader wakes up and does what it was about to do.
    former.remove(&held[0], &Default::default()).unwrap();
    next.load(written.head.head().restore_point().unwrap()).unwrap();
}

/// There a collector went by clocks, and took what was uploaded and not named by any record yet.
#[test]
fn slatedb_604_uploads_that_no_record_names_yet_are_not_collected() {
    let disk = MemoryDisk::default();
    let former = view(&disk);
    let old = claim(&*former.head(), job(1), nonce(1)).unwrap();
    let upload = |written: &WrittenHead, number: u64| {
        let before = disk.files();
        let writer = Writer::new(written.head.head().epoch, WriterId::new(1));
        let worker = storage().worker_view(job(1), writer, &disk.context()).unwrap();
        let barrier = barrier(identity(&written.head, number));
        let _ = written_state(&*worker.streams(&barrier).unwrap(), &[1; 100]);
        let uploaded: Vec<_> = disk.files().into_iter().filter(|file| !before.contains(file)).collect();
        assert_eq!(uploaded.len(), 2, "one of each scope: {uploaded:?}");
        uploaded
    };
    let of_the_former = upload(&old, 1);
    let present = view(&disk);
    let claimed = claim(&*present.head(), job(1), nonce(2)).unwrap();
    let of_the_present = upload(&claimed, 1001);
    let there = |files: &[String]| files.iter().all(|file| disk.files().contains(file));
    // Neither the former leader nor the present one takes what the present one will name; only what nobody can name goes.
    assert_eq!(former.collect_orphans(old.head.head(), &[]).unwrap(), 0);
    assert!(there(&of_the_former) && there(&of_the_present), "{:?}", disk.files());
    assert_eq!(present.collect_orphans(claimed.head.head(), &[]).unwrap(), 2);
    assert!(!there(&of_the_former[..1]) && !there(&of_the_former[1..]) && there(&of_the_present), "{:?}", disk.files());
    assert_eq!(retained(&commit_next(&*present, &claimed.head, 1002, &[])), [1002]);
    assert!(there(&of_the_present));
}
