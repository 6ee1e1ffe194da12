//! Snapshots that went through the hands of several jobs, and what those before keep.

use ckpt_core::ErrorKind;
use ckpt_core::head::{ClaimMode, Collected};
use ckpt_core::snapshot::{JobEnd, RetentionPolicy};

use crate::claim::support_test::{
    ALL, FORMER, Leader, Left, Names, active_checkpoints, check_readable, file, left, start, text, view, write,
};
use crate::test_support::MemoryDisk;
use crate::testing::sample::{job, nonce};

/// The second of four jobs still retains what it claimed, and what names it.
#[test]
fn who_claims_last_keeps_what_any_job_before_retains() {
    for kind in ALL {
        let disk = MemoryDisk::default();
        let pointer = left(&disk, kind);
        let mut second = Leader::begin(&disk, 2, 2, &start(&pointer, ClaimMode::Claim)).unwrap();
        second.commit_and_retain(Names::Base, 3).unwrap();
        let taken = second.commit_and_retain(Names::Base, 3).unwrap();
        second.cancel().unwrap();
        let pointer = format!("mem:/base/{}/chk-{taken}", job(2));
        let mut third = Leader::begin(&disk, 3, 3, &start(&pointer, ClaimMode::Claim)).unwrap();
        let taken = third.commit(Names::Base).unwrap();
        third.cancel().unwrap();
        let pointer = format!("mem:/base/{}/chk-{taken}", job(3));
        let mut fourth = Leader::begin(&disk, 4, 4, &start(&pointer, ClaimMode::Claim)).unwrap();
        for _ in 0..2 {
            fourth.commit(Names::Nothing).unwrap();
        }
        check_readable(&disk, 2, &kind);
        check_readable(&disk, 4, &kind);
        fourth.end().unwrap();
        check_readable(&disk, 2, &kind);
    }
}

/// What a former owner keeps as evidence names files, too.
#[test]
fn files_that_a_former_owner_has_set_aside_stay() {
    let disk = MemoryDisk::default();
    let former = view(&disk, 1);
    let active = active_checkpoints(&disk, Left::Incremental).head.head().clone();
    // It went back from checkpoint 2 to 1, and both name the first shared file.
    let (from, to) = (active.retained[1].id, active.retained[0].id);
    let head = crate::claim_going_back(&*former.head(), job(1), nonce(8), from, to).unwrap().head;
    let end = head.end(JobEnd::Cancelled, RetentionPolicy::RetainOnCancellation, &Collected::none()).unwrap();
    let _ = write(&*former, end).unwrap();
    let mut second = Leader::begin(&disk, 2, 2, &start(&format!("mem:/{FORMER}/chk-1"), ClaimMode::Claim)).unwrap();
    for _ in 0..2 {
        second.commit(Names::Nothing).unwrap();
    }
    assert!(!disk.files().contains(&format!("{FORMER}/chk-1/_metadata")));
    assert!(disk.files().contains(&format!("{FORMER}/shared/{}", text(file(1, 1)))));
}

/// Of another `_metadata` than the one that HEAD names nothing is claimed, and none is deleted.
#[test]
fn metadata_that_is_not_what_head_names_is_neither_claimed_nor_deleted() {
    let disk = MemoryDisk::default();
    let pointer = left(&disk, Left::Incremental);
    let path = format!("{FORMER}/chk-2/_metadata");
    // Of a checkpoint of the same number, job and leader, which names less.
    let elsewhere = MemoryDisk::default();
    let _ = left(&elsewhere, Left::Full);
    let (own, other) = (disk.content(&path), elsewhere.content(&path));
    disk.put(&path, &other);
    let begin = |nonce| Leader::begin(&disk, 2, nonce, &start(&pointer, ClaimMode::Claim));
    let error = begin(2).map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert!(view(&disk, 1).head().read().unwrap().unwrap().handed_over.is_empty(), "{error}");
    disk.put(&path, &own);
    let mut leader = begin(3).unwrap();
    leader.commit_and_retain(Names::Nothing, 2).unwrap();
    disk.put(&path, &other);
    let error = leader.commit(Names::Nothing).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert!(error.to_string().contains("nothing of it is deleted"), "{error}");
    assert!(disk.files().contains(&path));
}
