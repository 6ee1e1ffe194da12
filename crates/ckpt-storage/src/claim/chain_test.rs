//! Snapshots that went through the hands of several jobs.

use ckpt_core::head::ClaimMode;

use crate::claim::support_test::{ALL, Leader, Names, check_readable, left, start};
use crate::test_support::MemoryDisk;
use crate::testing::sample::job;

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
