//! Every kind of snapshot, claimed and borrowed, with a crash at every step from the first look to the last mark.

use ckpt_core::head::ClaimMode;
use ckpt_core::{ErrorKind, Result};

use crate::claim::support_test::{
    ALL, FORMER, Leader, Left, Names, check_readable, file, left, names_below, start, text, view,
};
use crate::test_support::{Fault, MemoryDisk};

/// A job begins there, takes a checkpoint that names the files of the base where it may, and two that name none of them.
fn life(disk: &MemoryDisk, nonce: u8, pointer: &str, mode: ClaimMode) -> Result<()> {
    let mut leader = Leader::begin(disk, 2, nonce, &start(pointer, mode))?;
    for names in [Names::Base, Names::Nothing, Names::Nothing] {
        leader.commit(names)?;
    }
    Ok(())
}

/// What is to be left of what job 1 left, once job 2 needs nothing of it.
#[track_caller]
fn check_left(disk: &MemoryDisk, kind: Left, mode: ClaimMode, before: &[String], what: &dyn std::fmt::Debug) {
    let left: Vec<String> = disk.files().into_iter().filter(|path| before.contains(path)).collect();
    let handed_over = view(disk, 1).head().read().unwrap().map_or(0, |head| head.handed_over.len());
    assert_eq!(handed_over, 0, "{what:?}");
    assert!(!disk.files().iter().any(|path| path.ends_with("/OWNER")), "{what:?}");
    if mode == ClaimMode::NoClaim {
        assert_eq!(left, before, "what is borrowed is never deleted: {what:?}");
        return;
    }
    let other = |name: &str| format!("{FORMER}/{name}");
    let mut expected = match kind {
        Left::Canonical | Left::Native => Vec::new(),
        Left::Full | Left::Incremental => {
            vec![other(&format!("chk-1/{}", text(file(1, 10)))), other("chk-1/_metadata")]
        }
    };
    if kind == Left::Incremental {
        // Checkpoint 1 names it, too, and nobody claimed that.
        expected.push(other(&format!("shared/{}", text(file(1, 1)))));
    }
    assert_eq!(left, expected, "{what:?}");
}

#[test]
fn a_crash_at_every_step_of_a_claim_and_of_its_end_loses_nothing_and_leaves_nothing() {
    let mut runs = 0;
    for kind in ALL {
        for mode in [ClaimMode::Claim, ClaimMode::NoClaim] {
            let faults = [Fault::Fails, Fault::ReplyLost, Fault::RequestLost];
            // Of one that fails alone the leader that is told of it does nothing more.
            for (fault, how_many) in faults.into_iter().flat_map(|fault| [(fault, u64::MAX), (fault, 1)]) {
                for step in 0.. {
                    let what = (kind, mode, fault, how_many, step);
                    let disk = MemoryDisk::default();
                    let pointer = left(&disk, kind);
                    let before = disk.files();
                    let begun = disk.operations();
                    disk.fail(step, fault, how_many);
                    let outcome = life(&disk, 2, &pointer, mode);
                    let has_met = disk.operations() - begun > step;
                    disk.heal();
                    assert!(outcome.is_ok() || has_met, "{outcome:?} in {what:?}");
                    assert!(outcome.is_err() || !has_met || how_many == 1, "{what:?}");
                    check_readable(&disk, 1, &what);
                    check_readable(&disk, 2, &what);
                    // Another leader is started in the same way.
                    life(&disk, 3, &pointer, mode).unwrap_or_else(|error| panic!("{error} in {what:?}"));
                    check_readable(&disk, 1, &what);
                    check_readable(&disk, 2, &what);
                    check_left(&disk, kind, mode, &before, &what);
                    runs += 1;
                    if !has_met {
                        break;
                    }
                }
            }
        }
    }
    assert!(runs > 500, "{runs}");
}

#[test]
fn of_two_jobs_that_claim_one_snapshot_exactly_one_has_it_wherever_the_first_stops() {
    for kind in ALL {
        let (mut firsts, mut seconds) = (0, 0);
        for step in 0.. {
            let what = (kind, step);
            let disk = MemoryDisk::default();
            let pointer = left(&disk, kind);
            let start = start(&pointer, ClaimMode::Claim);
            let begun = disk.operations();
            disk.fail(step, Fault::ReplyLost, u64::MAX);
            let first = Leader::begin(&disk, 2, 2, &start);
            let has_met = disk.operations() - begun > step;
            disk.heal();
            drop(first);
            let second = Leader::begin(&disk, 3, 3, &start).map(drop);
            let first = Leader::begin(&disk, 2, 4, &start).map(drop);
            assert_ne!(first.is_ok(), second.is_ok(), "{first:?} and {second:?} in {what:?}");
            firsts += u32::from(first.is_ok());
            seconds += u32::from(second.is_ok());
            let (error, loser, winner) = match (first, second) {
                (Err(error), _) => (error, 2, 3),
                (_, Err(error)) => (error, 3, 2),
                _ => unreachable!("one of them lost"),
            };
            assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
            assert!(error.to_string().contains("belongs to job"), "{error}");
            assert!(view(&disk, loser).head().read().unwrap().is_none(), "{what:?}");
            check_readable(&disk, winner, &what);
            if !has_met {
                break;
            }
        }
        assert!(firsts > 1 && seconds > 1, "{firsts} and {seconds} of {kind:?}");
    }
}

#[test]
fn a_job_that_ends_gives_back_what_it_claimed() {
    for kind in ALL {
        let disk = MemoryDisk::default();
        let pointer = left(&disk, kind);
        let before = disk.files();
        let mut leader = Leader::begin(&disk, 2, 2, &start(&pointer, ClaimMode::Claim)).unwrap();
        leader.commit(Names::Base).unwrap();
        leader.end().unwrap();
        assert!(leader.head().claims.is_empty() && leader.head().released_claims.is_empty());
        check_left(&disk, kind, ClaimMode::Claim, &before, &kind);
        assert_eq!(names_below(&disk, "base/02020202020202020202020202020202"), [] as [&str; 0]);
    }
}
