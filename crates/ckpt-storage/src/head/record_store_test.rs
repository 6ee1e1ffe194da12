//! HEAD when answers get lost, leaders meet and bytes rot.

use ckpt_core::ErrorKind;
use ckpt_core::head::{Collected, Head, HeadWrite, WrittenHead};
use std::sync::Arc;

use crate::test_support::{Fault, MemoryDisk, local_context};
use crate::testing::sample::{commit_next, identity, job, nonce, publish};
use crate::{CheckpointStorage, CoordinatorView, FileSystemStorage, HeadOutcome, claim};

const HEAD: &str = "base/01010101010101010101010101010101/head/HEAD";

fn view(disk: &MemoryDisk) -> Arc<dyn CoordinatorView> {
    FileSystemStorage::new("mem:/base").coordinator_view(job(1), &disk.context()).unwrap()
}

/// A leader that has committed checkpoint 1 and is about to commit checkpoint 2.
///
/// Each call of what it returns besides HEAD makes the same write, with the same bytes.
fn about_to_commit(view: &dyn CoordinatorView) -> (WrittenHead, impl Fn() -> HeadWrite + use<>) {
    let claimed = claim(&*view.head(), job(1), nonce(1)).unwrap();
    let written = commit_next(view, &claimed.head, 1, &[]);
    let published = publish(view, job(1), identity(&written.head, 2), &[]);
    let claimed = written.head.clone();
    (written, move || claimed.commit(published.clone(), 1, &Collected::none()).unwrap())
}

fn there(view: &dyn CoordinatorView) -> Head {
    view.head().read().unwrap().unwrap()
}

#[test]
fn delta_rs_268_a_commit_whose_answer_is_lost_is_found_by_reading() {
    for fault in [Fault::ReplyLost, Fault::RequestLost] {
        for lost in 1..=2 {
            let disk = MemoryDisk::default();
            let view = view(&disk);
            let (_, write) = about_to_commit(&*view);
            disk.fail(0, fault, lost);
            let outcome = view.head().write(write());
            disk.heal();
            assert!(matches!(outcome, HeadOutcome::Written(_)), "{fault:?} {lost}: {outcome:?}");
            assert_eq!(there(&*view), *write().head());
        }
    }
}

#[test]
fn flink_28265_own_first_try_is_recognised() {
    let disk = MemoryDisk::default();
    let view = view(&disk);
    let (_, write) = about_to_commit(&*view);
    disk.fail(0, Fault::ReplyLost, 1000);
    let outcome = view.head().write(write());
    let HeadOutcome::Unknown(error) = outcome else { panic!("expected an unknown outcome, found {outcome:?}") };
    assert_eq!(error.kind(), ErrorKind::Unknown);
    assert!(error.to_string().contains("head/HEAD"), "{error}");
    disk.heal();
    // The swap of the same write finds its own first try, whoever asks, and the checkpoint is there.
    for again in [&view, &self::view(&disk)] {
        assert!(matches!(again.head().write(write()), HeadOutcome::Written(_)));
        again.load(there(&**again).restore_point().unwrap()).unwrap();
    }
}

#[test]
fn flink_22494_a_lost_request_stays_unknown_and_head_is_what_it_was() {
    let disk = MemoryDisk::default();
    let view = view(&disk);
    let (before, write) = about_to_commit(&*view);
    disk.fail(0, Fault::RequestLost, 1000);
    assert!(matches!(view.head().write(write()), HeadOutcome::Unknown(_)));
    // A later try that certainly failed says nothing about the earlier one.
    disk.fail(0, Fault::Fails, 1000);
    assert!(matches!(view.head().write(write()), HeadOutcome::Unknown(_)));
    disk.heal();
    assert_eq!(there(&*view), *before.head.head());
}

#[test]
fn iceberg_3717_a_commit_under_a_later_claim_is_fenced_and_deletes_nothing() {
    let disk = MemoryDisk::default();
    let first = view(&disk);
    let (_, write) = about_to_commit(&*first);
    disk.fail(0, Fault::ReplyLost, 1000);
    assert!(matches!(first.head().write(write()), HeadOutcome::Unknown(_)));
    disk.heal();
    let second = view(&disk);
    let claimed = claim(&*second.head(), job(1), nonce(2)).unwrap();
    // The commit did land, and the second leader answers for it now.
    assert_eq!(claimed.head.head().restore_point(), write().head().restore_point());
    let files = disk.files();
    let outcome = first.head().write(write());
    let HeadOutcome::Fenced(error) = outcome else { panic!("expected to be fenced, found {outcome:?}") };
    assert_eq!(error.kind(), ErrorKind::Fenced);
    let message = error.to_string();
    assert!(message.contains(HEAD) && message.contains("epoch 2") && message.contains("ours is 1"), "{message}");
    assert_eq!(disk.files(), files);
}

#[test]
fn a_swap_that_certainly_failed_changes_nothing_and_may_be_tried_again() {
    let disk = MemoryDisk::default();
    let view = view(&disk);
    let (before, write) = about_to_commit(&*view);
    disk.fail(0, Fault::Fails, 1);
    let outcome = view.head().write(write());
    let HeadOutcome::Failed(error) = outcome else { panic!("expected a failure, found {outcome:?}") };
    assert_eq!(error.kind(), ErrorKind::Retry);
    assert_eq!(there(&*view), *before.head.head());
    assert!(matches!(view.head().write(write()), HeadOutcome::Written(_)));
}

#[test]
fn delta_1410_another_leader_of_the_same_epoch_overwrites_nothing() {
    let disk = MemoryDisk::default();
    let (first, second) = (view(&disk), view(&disk));
    let ours = Head::claim(None, job(1), nonce(1)).unwrap();
    let theirs = Head::claim(None, job(1), nonce(2)).unwrap();
    assert!(matches!(second.head().write(theirs), HeadOutcome::Written(_)));
    let HeadOutcome::Fenced(error) = first.head().write(ours) else { panic!("not fenced") };
    assert!(error.to_string().contains("our own epoch 1"), "{error}");
}

#[test]
fn flink_40114_a_leader_whose_claim_was_never_written_is_fenced_though_the_version_fits() {
    let disk = MemoryDisk::default();
    let _ = claim(&*view(&disk).head(), job(1), nonce(2)).unwrap();
    // It takes a claim for written that the store never confirmed.
    let believed = Head::claim(None, job(1), nonce(1)).unwrap().written();
    let write = believed.head.reserve(&Collected::none()).unwrap();
    assert!(matches!(view(&disk).head().write(write), HeadOutcome::Fenced(_)));
}

#[test]
fn slatedb_352_a_stale_write_never_lands_on_a_later_version() {
    let disk = MemoryDisk::default();
    let first = view(&disk);
    let (_, stale) = about_to_commit(&*first);
    let second = view(&disk);
    let mut written = claim(&*second.head(), job(1), nonce(2)).unwrap();
    for number in 1001..1010 {
        written = commit_next(&*second, &written.head, number, &[]);
        assert!(matches!(first.head().write(stale()), HeadOutcome::Fenced(_)));
        assert!(matches!(view(&disk).head().write(stale()), HeadOutcome::Fenced(_)));
        assert_eq!(there(&*second), *written.head.head());
    }
}

#[test]
fn flink_27572_head_that_vanished_is_no_fresh_start_for_its_leader() {
    let disk = MemoryDisk::default();
    let (_, write) = about_to_commit(&*view(&disk));
    let empty = MemoryDisk::default();
    let HeadOutcome::Fenced(error) = view(&empty).head().write(write()) else { panic!("written into nothing") };
    assert!(error.to_string().contains("is gone"), "{error}");
    assert_eq!(view(&empty).head().read().unwrap(), None);
}

#[test]
fn flink_22502_a_damaged_head_is_an_error_and_no_older_one_is_taken() {
    let disk = MemoryDisk::default();
    let view = view(&disk);
    let (_, write) = about_to_commit(&*view);
    assert!(matches!(view.head().write(write()), HeadOutcome::Written(_)));
    let length = write().head().encode().unwrap().len();
    let check = |change: &dyn Fn(&mut Vec<u8>), what: String| {
        let disk = MemoryDisk::default();
        let view = self::view(&disk);
        let (_, write) = about_to_commit(&*view);
        assert!(matches!(view.head().write(write()), HeadOutcome::Written(_)));
        disk.damage(HEAD, |bytes| change(bytes));
        // Another process finds it.
        let view = self::view(&disk);
        for error in [view.head().read().unwrap_err(), claim(&*view.head(), job(1), nonce(2)).unwrap_err()] {
            assert!(matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Configuration), "{what}: {error}");
            assert!(error.to_string().contains(HEAD), "{what}: {error}");
        }
        let files = disk.files();
        let HeadOutcome::Failed(_) = view.head().write(write()) else { panic!("{what}: written over damage") };
        assert_eq!(disk.files(), files, "{what}");
    };
    for at in 0..length {
        check(&|bytes| bytes[at] ^= 1 << (at % 8), format!("bit {} of byte {at}", at % 8));
        check(&|bytes| bytes.truncate(at), format!("cut to {at}"));
    }
    check(&|bytes| bytes.push(0), "a byte more".to_owned());
}

#[test]
fn flink_7783_a_head_that_cannot_be_read_is_no_absent_one() {
    let disk = MemoryDisk::default();
    let (before, _) = about_to_commit(&*view(&disk));
    let view = view(&disk);
    disk.fail(0, Fault::Fails, 1000);
    assert_eq!(view.head().read().unwrap_err().kind(), ErrorKind::Retry);
    assert_eq!(claim(&*view.head(), job(1), nonce(2)).unwrap_err().kind(), ErrorKind::Retry);
    disk.heal();
    assert_eq!(there(&*view), *before.head.head());
}

#[test]
fn another_write_of_the_same_leader_is_not_taken_for_this_one() {
    let disk = MemoryDisk::default();
    let view = view(&disk);
    let (written, write) = about_to_commit(&*view);
    assert!(matches!(view.head().write(write()), HeadOutcome::Written(_)));
    let other = written.head.reserve(&Collected::none()).unwrap();
    assert_eq!(other.head().version, write().head().version);
    assert!(matches!(view.head().write(other), HeadOutcome::Fenced(_)));
    assert_eq!(there(&*view), *write().head());
}

/// A cache that is old delays, and decides nothing: whoever writes upon what it shows is refused where the record is.
#[test]
fn reads_of_the_past_let_nobody_write() {
    let disk = MemoryDisk::default();
    let leader = view(&disk);
    let (_, write) = about_to_commit(&*leader);
    disk.cache_records();
    // One with a newer view takes over; the former leader still reads itself as the newest.
    let next = Head::claim(Some(&there(&*leader)), job(1), nonce(2)).unwrap();
    let HeadOutcome::Written(taken) = view(&disk).head().write(next) else { panic!("nobody else writes") };
    assert!(there(&*leader).epoch < taken.head.head().epoch);
    for former in [&leader, &view(&disk)] {
        let outcome = former.head().write(write());
        let HeadOutcome::Failed(error) = outcome else { panic!("expected no write, found {outcome:?}") };
        assert_eq!(error.kind(), ErrorKind::Retry);
        assert!(error.to_string().contains("head/HEAD"), "{error}");
    }
    // A claim that begins from the past is not made either, and says to try again.
    assert_eq!(claim(&*view(&disk).head(), job(1), nonce(3)).unwrap_err().kind(), ErrorKind::Retry);
    disk.expire_cache();
    assert_eq!(there(&*leader), *taken.head.head());
    assert!(matches!(leader.head().write(write()), HeadOutcome::Fenced(_)));
    assert!(claim(&*view(&disk).head(), job(1), nonce(3)).is_ok());
}

/// An answer that was lost is not taken for a failure because the past shows nothing of the write.
#[test]
fn a_write_in_doubt_stays_so_while_reads_are_of_the_past() {
    let disk = MemoryDisk::default();
    let leader = view(&disk);
    let (_, write) = about_to_commit(&*leader);
    disk.cache_records();
    disk.fail(0, Fault::ReplyLost, 1000);
    let outcome = leader.head().write(write());
    assert!(matches!(outcome, HeadOutcome::Unknown(_)), "{outcome:?}");
    disk.heal();
    disk.expire_cache();
    assert_eq!(there(&*leader), *write().head());
    assert!(matches!(leader.head().write(write()), HeadOutcome::Written(_)));
}

/// Jobs began again from nothing, and their checkpoints were collected, when what named these was lost.
#[test]
fn flink_30437_a_job_whose_head_is_lost_is_not_begun_from_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    let storage = FileSystemStorage::new(scratch.path().to_str().unwrap());
    let view = || storage.coordinator_view(job(1), &local_context()).unwrap();
    let claimed = claim(&*view().head(), job(1), nonce(1)).unwrap();
    let published = publish(&*view(), job(1), identity(&claimed.head, 1), &[]);
    let head = scratch.path().join(job(1).to_string()).join("head");
    std::fs::remove_dir_all(&head).unwrap();
    let begun = || claim(&*view().head(), job(1), nonce(2));
    let error = begun().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("checkpoint 1 beside it was completed"), "{error}");
    assert!(!head.exists());
    // Whoever lost it still leads nothing.
    let commit = claimed.head.commit(published, 1, &Collected::none()).unwrap();
    assert!(matches!(view().head().write(commit), HeadOutcome::Fenced(_)));
    // Without anything complete there is nothing to lose.
    std::fs::remove_file(head.with_file_name("chk-1").join("_metadata")).unwrap();
    assert_eq!(begun().unwrap().head.head().epoch.get(), 1);
}

/// Another leader begins the job, and completes a checkpoint, between a first claim's look and its write.
#[test]
fn a_first_claim_that_comes_late_finds_the_job_begun() {
    let disk = MemoryDisk::default();
    let late = Head::claim(None, job(1), nonce(2)).unwrap();
    let (written, _) = about_to_commit(&*view(&disk));
    let HeadOutcome::Fenced(error) = view(&disk).head().write(late) else { panic!("expected that it is fenced") };
    assert_eq!(error.kind(), ErrorKind::Fenced, "{error}");
    assert_eq!(there(&*view(&disk)), *written.head.head());
}
