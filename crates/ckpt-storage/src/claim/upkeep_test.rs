//! What an operator removes and collects of a job that has claimed a checkpoint.

use ckpt_core::head::ClaimMode;

use crate::claim::support_test::{
    FORMER, Leader, Left, Names, active_checkpoints, check_readable, file, left, names_below, start, text, view,
};
use crate::test_support::MemoryDisk;
use crate::testing::sample::job;
use crate::upkeep::{Authority, JobUpkeep};

fn upkeep(disk: &MemoryDisk) -> JobUpkeep {
    JobUpkeep::open(&format!("mem:/base/{}", job(2)), &disk.context()).unwrap()
}

/// A job that has ended, which retains the incremental checkpoint that it claimed, and one of its own that names the same
/// files.
fn ended(disk: &MemoryDisk) -> Leader {
    let pointer = left(disk, Left::Incremental);
    let mut leader = Leader::begin(disk, 2, 2, &start(&pointer, ClaimMode::Claim)).unwrap();
    leader.commit_and_retain(Names::Base, 2).unwrap();
    leader.cancel().unwrap();
    assert_eq!(leader.head().retained.len(), 2);
    leader
}

fn shared(number: u32) -> String {
    format!("{FORMER}/shared/{}", text(file(1, number)))
}

#[test]
fn files_below_a_claim_stay_while_what_was_claimed_names_them() {
    let disk = MemoryDisk::default();
    let leader = ended(&disk);
    let [claimed, own] = [0, 1].map(|at| leader.head().retained[at].id);
    let removed = upkeep(&disk).remove(own, Authority::Ended).unwrap();
    assert!(removed.is_complete(), "{:?}", removed.errors);
    assert!(disk.files().contains(&shared(1)) && disk.files().contains(&shared(2)));
    check_readable(&disk, 2, &"after the removal");

    let removed = upkeep(&disk).remove(claimed, Authority::Ended).unwrap();
    assert!(removed.is_complete(), "{:?}", removed.errors);
    // Checkpoint 1 of the former job names the first one.
    assert!(disk.files().contains(&shared(1)) && !disk.files().contains(&shared(2)));
    check_readable(&disk, 1, &"after the last removal");
    // Nothing is held any more: the former job may delete what it likes.
    assert_eq!(upkeep(&disk).head().unwrap().claims, []);
    assert_eq!(upkeep(&disk).head().unwrap().released_claims, []);
    assert_eq!(view(&disk, 1).head().read().unwrap().unwrap().handed_over, []);
}

#[test]
fn a_collection_leaves_what_was_claimed() {
    let disk = MemoryDisk::default();
    let leader = ended(&disk);
    // A leader that died before it had deleted what HEAD dropped.
    let discarded = leader.written.head.discard(&[leader.head().retained[1].id], &ckpt_core::head::Collected::none());
    let _ = crate::claim::support_test::write(&*view(&disk, 2), discarded.unwrap()).unwrap();
    let collected = upkeep(&disk).collect(Authority::Ended).unwrap();
    assert!(collected.is_complete(), "{:?}", collected.errors);
    assert!(upkeep(&disk).head().unwrap().removed.is_empty());
    check_readable(&disk, 2, &"after the collection");
}

/// A savepoint may lie in the directory of the job that took it. What goes on there is nothing to whoever has claimed it.
#[test]
fn a_savepoint_in_the_directory_of_a_job_that_goes_on_is_deleted_by_its_owner() {
    let disk = MemoryDisk::default();
    let _ = active_checkpoints(&disk, Left::Full);
    let elsewhere = left(&disk, Left::Native);
    let directory = format!("{FORMER}/savepoint-010101-0123456789ab");
    for path in disk.files().into_iter().filter(|path| path.starts_with("target/")) {
        let bytes = disk.content(&path);
        disk.put(&path.replace("target/savepoint-1", &directory), &bytes);
    }
    assert_eq!(elsewhere, "mem:/target/savepoint-1");
    let start = start(&format!("mem:/{directory}"), ClaimMode::Claim);
    let mut leader = Leader::begin(&disk, 2, 2, &start).unwrap();
    assert_eq!(names_below(&disk, &directory).len(), 5);
    leader.commit(Names::Nothing).unwrap();
    assert_eq!(names_below(&disk, &directory), [] as [&str; 0]);
    check_readable(&disk, 1, &"which goes on");
}
