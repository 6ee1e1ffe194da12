//! Others claim a savepoint, or dispose of it, between any two steps of a claim.

use bytes::Bytes;
use ckpt_core::ErrorKind;
use ckpt_core::Timestamp;
use ckpt_core::head::{ClaimMode, Nonce};
use ckpt_core::id::LeaderEpoch;
use ckpt_core::mark::OwnerRecord;
use ckpt_core::state::ClaimId;

use crate::claim::support_test::{Leader, Left, Names, check_readable, left, names_below, start, view};
use crate::dispose;
use crate::dispose::support_test::options;
use crate::test_support::{Fault, MemoryDisk};
use crate::testing::sample::job;

const DIRECTORY: &str = "target/savepoint-1";

fn owned_by(number: u8) -> Bytes {
    let (epoch, nonce) = (LeaderEpoch::new(1), Nonce::new([9; 16]));
    OwnerRecord::new(job(number), epoch, ClaimId::FIRST, nonce, Timestamp::from_millis(5)).encode().unwrap()
}

fn owner(disk: &MemoryDisk) -> Option<OwnerRecord> {
    let context = disk.context();
    let file_system = context.file_systems.open(&format!("mem:/{DIRECTORY}")).unwrap();
    let found = crate::mark_file::read(&*file_system, &"OWNER".parse().unwrap()).unwrap();
    found.map(|found| OwnerRecord::decode(&found).unwrap())
}

/// Another job makes its `OWNER`, which replaces none, before each step.
#[test]
fn a_savepoint_that_another_job_claims_meanwhile_has_one_owner() {
    let (mut ours, mut theirs) = (0, 0);
    for after in 0.. {
        let disk = MemoryDisk::default();
        let pointer = left(&disk, Left::Canonical);
        let begun = disk.operations();
        disk.meanwhile(after, |files| {
            files.entry(format!("{DIRECTORY}/OWNER")).or_insert_with(|| owned_by(3));
        });
        let outcome = Leader::begin(&disk, 2, 2, &start(&pointer, ClaimMode::Claim));
        let has_met = disk.operations() - begun > after;
        disk.heal();
        let owner = owner(&disk).map(|owner| owner.job);
        match outcome {
            Ok(leader) => {
                assert_eq!((owner, leader.head().claims.len()), (Some(job(2)), 1), "at {after}");
                ours += 1;
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
                assert!(error.to_string().contains("belongs to job 03030303030303030303030303030303"), "{error}");
                assert_eq!(owner, Some(job(3)));
                assert!(view(&disk, 2).head().read().unwrap().is_none(), "at {after}");
                theirs += 1;
            }
        }
        if !has_met {
            break;
        }
    }
    assert!(ours > 2 && theirs > 2, "{ours} and {theirs}");
}

/// Somebody makes the mark of a disposal before each step: whoever sees the other gives way, and at least one does.
#[test]
fn a_claim_and_a_disposal_never_both_go_on() {
    let (mut claimed, mut gave_way, mut taken_back) = (0, 0, 0);
    for after in 0.. {
        let disk = MemoryDisk::default();
        let pointer = left(&disk, Left::Native);
        // What a disposal makes, and that it is killed right after.
        let mark = {
            let other = MemoryDisk::default();
            let pointer = left(&other, Left::Native);
            let disposing = format!("{DIRECTORY}/_disposing");
            (0..).find_map(|step| {
                let disk = MemoryDisk::default();
                left(&disk, Left::Native);
                disk.fail(step, Fault::Fails, u64::MAX);
                drop(dispose(&pointer, &disk.context(), &options()));
                disk.heal();
                disk.files().contains(&disposing).then(|| disk.content(&disposing))
            })
        };
        let mark = mark.expect("a disposal makes a mark");
        let begun = disk.operations();
        disk.take_log();
        disk.meanwhile(after, move |files| {
            files.insert(format!("{DIRECTORY}/_disposing"), mark);
        });
        let outcome = Leader::begin(&disk, 2, 2, &start(&pointer, ClaimMode::Claim));
        let has_met = disk.operations() - begun > after;
        disk.heal();
        match outcome {
            Ok(mut leader) => {
                claimed += 1;
                // The disposal that made the mark looks for the owner now, and so does every other.
                let error = dispose(&pointer, &disk.context(), &options()).unwrap_err();
                assert!(error.to_string().contains("belongs to job"), "{error}");
                check_readable(&disk, 2, &after);
                for names in [Names::Base, Names::Nothing, Names::Nothing] {
                    leader.commit(names).unwrap();
                }
                // The owner deletes what others left there.
                assert_eq!(names_below(&disk, DIRECTORY), [] as [&str; 0]);
            }
            Err(error) => {
                gave_way += 1;
                assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
                let head = view(&disk, 2).head().read().unwrap();
                assert!(head.is_none_or(|head| head.origin.is_none() && head.retained.is_empty()));
                assert_eq!(owner(&disk), None, "at {after}");
                // Whoever of the same job has found the mark is fenced before it goes.
                let log = disk.take_log();
                let step = |what: &str| log.iter().position(|line| line.starts_with(what));
                let removed = step("remove target/savepoint-1/OWNER");
                assert!(removed.is_none() || step("put base/") < removed, "{log:?}");
                taken_back += u32::from(removed.is_some());
                assert!(dispose(&pointer, &disk.context(), &options()).unwrap().is_complete());
                assert_eq!(names_below(&disk, DIRECTORY), [] as [&str; 0]);
            }
        }
        if !has_met {
            break;
        }
    }
    assert!(claimed > 2 && gave_way > 2 && taken_back > 1, "{claimed}, {gave_way} and {taken_back}");
}

/// Before each step somebody has disposed of all of it.
#[test]
fn a_savepoint_that_goes_meanwhile_is_not_claimed() {
    let mut gone = 0;
    for after in 0.. {
        let disk = MemoryDisk::default();
        let pointer = left(&disk, Left::Canonical);
        let begun = disk.operations();
        disk.meanwhile(after, |files| files.retain(|path, _| !path.starts_with(DIRECTORY) || path.ends_with("OWNER")));
        let outcome = Leader::begin(&disk, 2, 2, &start(&pointer, ClaimMode::Claim)).map(drop);
        let has_met = disk.operations() - begun > after;
        disk.heal();
        if !has_met {
            outcome.unwrap();
            break;
        }
        // A disposal that found the mark of the claim would have refused, so nobody disposes of it after that.
        if let Err(error) = outcome {
            gone += 1;
            assert!(matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Retry), "{error}");
        }
    }
    assert!(gone > 2, "{gone}");
}

#[test]
fn the_same_job_may_claim_again_and_another_never() {
    let disk = MemoryDisk::default();
    let pointer = left(&disk, Left::Canonical);
    // A leader of the job died when it had made the mark.
    disk.put(&format!("{DIRECTORY}/OWNER"), &owned_by(2));
    let start = start(&pointer, ClaimMode::Claim);
    assert_eq!(Leader::begin(&disk, 3, 3, &start).map(drop).unwrap_err().kind(), ErrorKind::Configuration);
    for nonce in [2, 3] {
        let leader = Leader::begin(&disk, 2, nonce, &start).unwrap();
        assert_eq!(leader.head().epoch, LeaderEpoch::new(u64::from(nonce) - 1));
        assert_eq!(owner(&disk).map(|owner| owner.job), Some(job(2)));
    }
    disk.damage(&format!("{DIRECTORY}/OWNER"), |bytes| bytes[20] ^= 1);
    let error = Leader::begin(&disk, 3, 3, &start).map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
}
