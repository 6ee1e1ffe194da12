//! Who may begin from what, and what others keep.

use std::collections::BTreeSet;
use std::fs;

use ckpt_core::ErrorKind;
use ckpt_core::head::{ClaimMode, Ownership};
use ckpt_core::state::Root;

use crate::claim::support_test::{
    ALL, FORMER, Leader, Left, Names, NoTime, active_checkpoints, check_readable, file, left, names_below, start, text,
    view,
};
use crate::claim::{Start, begin_from};
use crate::dispose::support_test::snapshot;
use crate::test_support::{Fault, MemoryDisk, local_context};
use crate::testing::sample::{job, nonce};
use crate::upkeep::{Authority, JobUpkeep};
use crate::{CheckpointStorage, FileSystemStorage};

fn at(number: u8, id: u64) -> String {
    format!("mem:/base/{}/chk-{id}", job(number))
}

fn other(name: &str) -> String {
    format!("{FORMER}/{name}")
}

#[track_caller]
fn refused(disk: &MemoryDisk, number: u8, start: &Start, message: &str) {
    let before = (view(disk, 1).head().read().unwrap(), view(disk, number).head().read().unwrap(), disk.files());
    let error = Leader::begin(disk, number, 9, start).map(drop).unwrap_err();
    assert!(error.to_string().contains(message), "{error}");
    assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
    let after = (view(disk, 1).head().read().unwrap(), view(disk, number).head().read().unwrap(), disk.files());
    assert_eq!(after, before, "nothing changes when a start is refused");
}

#[test]
fn the_same_start_again_is_a_take_over_and_another_is_refused() {
    for kind in ALL {
        for mode in [ClaimMode::Claim, ClaimMode::NoClaim] {
            let disk = MemoryDisk::default();
            let pointer = left(&disk, kind);
            let first = start(&pointer, mode);
            let mut leader = Leader::begin(&disk, 2, 2, &first).unwrap();
            let id = leader.head().restored_from;
            let twice = Leader::begin(&disk, 2, 3, &start(&format!("{pointer}/_metadata"), mode)).unwrap();
            assert_eq!((twice.head().restored_from, twice.head().epoch.get()), (id, 2));
            leader = twice;
            let other_mode = if mode == ClaimMode::Claim { ClaimMode::NoClaim } else { ClaimMode::Claim };
            refused(&disk, 2, &start(&pointer, other_mode), "start a new job for that");
            refused(&disk, 2, &start("mem:/target/nowhere", mode), "start a new job for that");
            // What it began from is subsumed, and may be gone.
            for _ in 0..2 {
                leader.commit(Names::Nothing).unwrap();
            }
            let committed = leader.commit(Names::Nothing).unwrap();
            let again = Leader::begin(&disk, 2, 4, &first).unwrap();
            assert_eq!(again.head().restored_from, Some(committed));
        }
    }
}

#[test]
fn what_cannot_be_begun_from_changes_nothing() {
    let disk = MemoryDisk::default();
    let pointer = left(&disk, Left::Incremental);
    left(&disk, Left::Canonical);
    let claim = |pointer: &str| start(pointer, ClaimMode::Claim);
    // A job that has checkpoints of its own.
    let mut leader = Leader::begin(&disk, 4, 4, &start(&at(1, 1), ClaimMode::NoClaim)).unwrap();
    leader.commit(Names::Nothing).unwrap();
    refused(&disk, 4, &claim("mem:/target/savepoint-1"), "began from snapshot 1");
    let own = FileSystemStorage::new("mem:/base").coordinator_view(job(5), &disk.context()).unwrap();
    let claimed = crate::claim(&*own.head(), job(5), nonce(5)).unwrap();
    crate::testing::sample::commit_next(&*own, &claimed.head, 1, &[]);
    refused(&disk, 5, &claim("mem:/target/savepoint-1"), "goes on from snapshot 1");
    // The directory of one was moved to where another's is.
    for name in ["_metadata", &text(file(1, 20))] {
        disk.put(&other(&format!("chk-7/{name}")), &disk.content(&other(&format!("chk-2/{name}"))));
    }
    for name in ["_metadata", &text(file(1, 1))] {
        disk.put(&other(&format!("kept/{name}")), &disk.content(&format!("target/savepoint-1/{name}")));
    }
    let error = Leader::begin(&disk, 2, 2, &claim(&at(1, 7))).map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    refused(&disk, 2, &claim(&format!("mem:/{FORMER}/kept")), "neither a checkpoint of it nor a savepoint by its name");
    // Another name, Flink's, and nothing at all.
    disk.put("target/savepoint-1/copy", &disk.content("target/savepoint-1/_metadata"));
    refused(&disk, 2, &claim("mem:/target/savepoint-1/copy"), "is a metadata file of another name");
    disk.put("target/flink/_metadata", &[0x49, 0x60, 0x67, 0x2d, 0, 0, 0, 5]);
    refused(&disk, 2, &claim("mem:/target/flink"), "it can be borrowed (NO_CLAIM) and not claimed");
    let error = Leader::begin(&disk, 2, 2, &claim("mem:/target/nothing")).map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    // No HEAD says any more who else needs its shared files.
    for path in disk.files().into_iter().filter(|path| path.starts_with(FORMER)) {
        let copy = path.replace(FORMER, "copied");
        disk.put(&copy, &disk.content(&path));
    }
    refused(&disk, 2, &claim("mem:/copied/chk-2"), "no HEAD of job 01010101010101010101010101010101 is there");
    Leader::begin(&disk, 2, 2, &start("mem:/copied/chk-2", ClaimMode::NoClaim)).unwrap();
    // A snapshot that HEAD does not retain any more.
    let mut claimant = Leader::begin(&disk, 3, 3, &claim(&pointer)).unwrap();
    disk.put(&other("chk-9/_metadata"), &disk.content(&other("chk-2/_metadata")));
    claimant.commit(Names::Nothing).unwrap();
    disk.put(&other("chk-2/_metadata"), &disk.content(&other("chk-9/_metadata")));
    claimant.end().unwrap();
    disk.put(&other("chk-2/_metadata"), &disk.content(&other("chk-9/_metadata")));
    disk.put(&other(&format!("shared/{}", text(file(1, 2)))), b"abc");
    refused(&disk, 6, &claim(&pointer), "does not retain checkpoint 2");
}

/// What is borrowed may be of a job that goes on: its leader hears nothing of it.
#[test]
fn a_checkpoint_of_an_active_job_can_be_borrowed() {
    let disk = MemoryDisk::default();
    active_checkpoints(&disk, Left::Incremental);
    let before = view(&disk, 1).head().read().unwrap();
    let mut leader = Leader::begin(&disk, 2, 2, &start(&at(1, 2), ClaimMode::NoClaim)).unwrap();
    assert_eq!(leader.head().retained[0].ownership, Ownership::Borrowed);
    check_readable(&disk, 2, &"borrowed");
    assert!(leader.head().requires_full_checkpoint());
    leader.commit(Names::Base).unwrap();
    assert!(!leader.head().requires_full_checkpoint());
    assert_eq!(view(&disk, 1).head().read().unwrap(), before);
    check_readable(&disk, 1, &"borrowed from");
}

/// Private files of the checkpoint that a job began from went when it was subsumed, though the next one named them.
#[test]
fn flink_26079_private_files_of_a_claimed_checkpoint_stay_while_an_increment_names_them() {
    let disk = MemoryDisk::default();
    let pointer = left(&disk, Left::Incremental);
    let mut leader = Leader::begin(&disk, 2, 2, &start(&pointer, ClaimMode::Claim)).unwrap();
    leader.commit(Names::Base).unwrap();
    assert_eq!(leader.head().retained.len(), 1, "what it began from is subsumed");
    check_readable(&disk, 2, &"subsumed");
    let private = other(&format!("chk-2/{}", text(file(1, 20))));
    assert!(disk.files().contains(&private));
    // Also under a leader that finds it so.
    let mut leader = Leader::begin(&disk, 2, 3, &start(&pointer, ClaimMode::Claim)).unwrap();
    check_readable(&disk, 2, &"taken over");
    leader.commit(Names::Nothing).unwrap();
    assert!(!disk.files().contains(&private), "the last that named it is gone");
}

/// The first checkpoint after a claimed native savepoint could not be restored: its files were not where it said.
#[test]
fn flink_39964_what_names_files_of_a_claimed_native_savepoint_says_where_they_lie() {
    let disk = MemoryDisk::default();
    let pointer = left(&disk, Left::Native);
    let mut leader = Leader::begin(&disk, 2, 2, &start(&pointer, ClaimMode::Claim)).unwrap();
    leader.commit(Names::Base).unwrap();
    let snapshot = leader.head().restore_point().unwrap().clone();
    let metadata = leader.view.load(&snapshot).unwrap();
    let mut claimed = 0;
    metadata
        .visit_handles(&mut |handle| {
            if let Some((root @ Root::Claimed(_), _)) = handle.file() {
                assert_eq!(metadata.summary().places.get(root).unwrap().as_str(), "mem:/target/savepoint-1");
                claimed += 1;
            }
        })
        .unwrap();
    assert_eq!((claimed, snapshot.claims.len()), (2, 1));
    check_readable(&disk, 2, &"restored");
}

/// State that a restored checkpoint shares was discarded with the first checkpoint of the new job.
#[test]
fn flink_26985_shared_state_of_what_a_job_began_from_stays_as_long_as_anything_names_it() {
    for mode in [ClaimMode::Claim, ClaimMode::NoClaim] {
        let disk = MemoryDisk::default();
        let pointer = left(&disk, Left::Incremental);
        let shared = |number| other(&format!("shared/{}", text(file(1, number))));
        let mut leader = Leader::begin(&disk, 2, 2, &start(&pointer, mode)).unwrap();
        leader.commit(Names::Base).unwrap();
        assert!(disk.files().contains(&shared(1)) && disk.files().contains(&shared(2)));
        leader.commit(Names::Nothing).unwrap();
        let is_kept = mode == ClaimMode::NoClaim;
        assert_eq!(disk.files().contains(&shared(2)), is_kept, "{mode}");
        // Checkpoint 1 of the former job names that.
        assert!(disk.files().contains(&shared(1)));
        check_readable(&disk, 1, &mode);
    }
}

/// While it cannot be told what another snapshot of the former owner names, everything stays.
#[test]
fn where_it_is_not_known_what_others_name_nothing_goes() {
    let disk = MemoryDisk::default();
    let pointer = left(&disk, Left::Incremental);
    let mut leader = Leader::begin(&disk, 2, 2, &start(&pointer, ClaimMode::Claim)).unwrap();
    disk.damage(&other("chk-1/_metadata"), |bytes| bytes[30] ^= 1);
    let shared = names_below(&disk, &other("shared"));
    for _ in 0..2 {
        leader.commit(Names::Nothing).unwrap();
    }
    assert_eq!(names_below(&disk, &other("shared")), shared);
    assert!(leader.head().claims.is_empty() && leader.head().released_claims.is_empty());
}

/// Job 2 began from job 1, and job 3 from job 2: what job 2 still retains is readable, and in the end all is given back.
#[test]
fn a_snapshot_goes_from_job_to_job_and_back_at_every_step() {
    for step in (0..).step_by(3) {
        let disk = MemoryDisk::default();
        let pointer = left(&disk, Left::Incremental);
        let mut second = Leader::begin(&disk, 2, 2, &start(&pointer, ClaimMode::Claim)).unwrap();
        let kept = second.commit_and_retain(Names::Base, 2).unwrap();
        let handed = second.commit_and_retain(Names::Base, 2).unwrap();
        second.cancel().unwrap();
        let further = at(2, handed.get());
        let life = |nonce| -> ckpt_core::Result<Leader> {
            let mut third = Leader::begin(&disk, 3, nonce, &start(&further, ClaimMode::Claim))?;
            for names in [Names::Base, Names::Nothing, Names::Nothing] {
                third.commit(names)?;
            }
            Ok(third)
        };
        let begun = disk.operations();
        disk.fail(step, Fault::ReplyLost, u64::MAX);
        let outcome = life(3).map(drop);
        let has_met = disk.operations() - begun > step;
        disk.heal();
        assert_eq!(outcome.is_err(), has_met);
        (1..=3).for_each(|number| check_readable(&disk, number, &step));
        let third = life(4).unwrap();
        (1..=3).for_each(|number| check_readable(&disk, number, &step));
        assert!(third.head().claims.is_empty() && third.head().released_claims.is_empty());
        let head = view(&disk, 2).head().read().unwrap().unwrap();
        assert_eq!((head.retained.len(), head.handed_over.len()), (1, 0));
        assert_eq!(head.retained[0].id, kept);
        if !has_met {
            break;
        }
    }
}

/// What the last owner leaves since it cannot know, the first one's collection takes.
#[test]
fn what_nobody_could_delete_the_former_owner_collects() {
    let disk = MemoryDisk::default();
    let pointer = left(&disk, Left::Incremental);
    let mut second = Leader::begin(&disk, 2, 2, &start(&pointer, ClaimMode::Claim)).unwrap();
    let handed = second.commit(Names::Base).unwrap();
    second.cancel().unwrap();
    let mut third = Leader::begin(&disk, 3, 3, &start(&at(2, handed.get()), ClaimMode::Claim)).unwrap();
    for _ in 0..2 {
        third.commit(Names::Nothing).unwrap();
    }
    assert!(view(&disk, 1).head().read().unwrap().unwrap().handed_over.is_empty());
    JobUpkeep::open(&format!("mem:/{FORMER}"), &disk.context()).unwrap().collect(Authority::Ended).unwrap();
    let expected =
        ["chk-1/_metadata", &format!("chk-1/{}", text(file(1, 10))), &format!("shared/{}", text(file(1, 1)))];
    let names: BTreeSet<String> =
        names_below(&disk, FORMER).into_iter().filter(|name| !name.starts_with("head/")).collect();
    assert_eq!(names, expected.map(str::to_owned).into());
    check_readable(&disk, 1, &"in the end");
}

/// A job that has ended keeps, of what it claimed, what any of its checkpoints names, and gives it back with the last.
#[test]
fn the_operator_of_a_job_that_has_ended_gives_back_what_it_claimed() {
    for kind in ALL {
        let disk = MemoryDisk::default();
        let pointer = left(&disk, kind);
        let mut second = Leader::begin(&disk, 2, 2, &start(&pointer, ClaimMode::Claim)).unwrap();
        let own = second.commit_and_retain(Names::Base, 2).unwrap();
        let claimed = second.head().retained[0].id;
        second.cancel().unwrap();
        let upkeep = JobUpkeep::open(&format!("mem:/base/{}", job(2)), &disk.context()).unwrap();
        for id in [own, claimed] {
            check_readable(&disk, 2, &(kind, id));
            let upkept = upkeep.remove(id, Authority::Ended).unwrap();
            assert!(upkept.is_complete(), "{:?}", upkept.errors);
            let collected = upkeep.collect(Authority::Ended).unwrap();
            assert!(collected.is_complete(), "{:?}", collected.errors);
            check_readable(&disk, 1, &(kind, id));
        }
        let head = upkeep.head().unwrap();
        assert!(head.retained.is_empty() && head.claims.is_empty() && head.released_claims.is_empty(), "{head:?}");
        assert!(view(&disk, 1).head().read().unwrap().is_none_or(|head| head.handed_over.is_empty()));
        assert_eq!(names_below(&disk, "target/savepoint-1"), [] as [&str; 0]);
        assert!(!names_below(&disk, FORMER).iter().any(|name| name.starts_with("chk-2/")), "{kind:?}");
    }
}

/// What a job has claimed and removed is deleted by no metadata of others, so it waits while others may need it.
#[test]
fn what_was_claimed_waits_while_another_job_may_need_it() {
    let disk = MemoryDisk::default();
    let pointer = left(&disk, Left::Native);
    let mut second = Leader::begin(&disk, 2, 2, &start(&pointer, ClaimMode::Claim)).unwrap();
    let own = second.commit_and_retain(Names::Base, 2).unwrap();
    let claimed = second.head().retained[0].id;
    second.cancel().unwrap();
    let mut third = Leader::begin(&disk, 3, 3, &start(&at(2, own.get()), ClaimMode::Claim)).unwrap();
    let upkeep = JobUpkeep::open(&format!("mem:/base/{}", job(2)), &disk.context()).unwrap();
    upkeep.remove(claimed, Authority::Ended).unwrap();
    assert!(upkeep.collect(Authority::Ended).unwrap().is_complete());
    check_readable(&disk, 3, &"removed by the job before");
    for _ in 0..2 {
        third.commit(Names::Nothing).unwrap();
    }
    assert!(upkeep.collect(Authority::Ended).unwrap().is_complete());
    let head = upkeep.head().unwrap();
    assert!(head.removed.is_empty() && head.claims.is_empty() && head.handed_over.is_empty(), "{head:?}");
    assert_eq!(names_below(&disk, "target/savepoint-1"), [] as [&str; 0]);
}

/// In a real directory, where directories go with their last file, and links lead elsewhere.
#[test]
fn a_claimed_savepoint_goes_from_a_real_directory_and_nothing_beside_it() {
    let target = tempfile::tempdir().unwrap();
    let savepoint = snapshot(target.path(), "savepoint-1", 3);
    fs::write(target.path().join("beside"), "mine").unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(target.path(), elsewhere.path().join("link")).unwrap();
    let link = elsewhere.path().join("link/savepoint-1");
    let context = local_context();
    let storage = FileSystemStorage::new(target.path().join("base").to_str().unwrap());
    let view = storage.coordinator_view(job(2), &context).unwrap();
    let begin = |pointer: &str, number| {
        let start = start(pointer, ClaimMode::Claim);
        begin_from(&*view.head(), job(2), nonce(number), &start, &context, &NoTime)
    };
    begin(link.to_str().unwrap(), 1).unwrap();
    let written = begin(savepoint.pointer(), 2).unwrap().written;
    assert!(savepoint.directory.join("OWNER").exists());
    let own =
        crate::testing::sample::commit_next(&*view, &written.head, written.reserved.clone().take().unwrap().get(), &[]);
    let mut registry = ckpt_core::shared::SharedStateRegistry::new(own.head.head().epoch);
    let removed = &own.removed[0];
    let metadata = view.load(removed.snapshot()).unwrap();
    registry.restore(removed.snapshot().id, |each| metadata.visit_handles(each)).unwrap();
    view.remove(removed, &registry.remove(removed).unwrap()).unwrap();
    assert_eq!(crate::dispose::support_test::names_in(&savepoint.directory), ["OWNER"]);
    let mut collected = ckpt_core::head::Collected::none();
    collected.snapshots.push(removed.snapshot().id);
    let cleared = crate::testing::sample::write_head(&*view, own.head.collected(&collected).unwrap());
    view.release_claim(&cleared.released[0]).unwrap();
    assert!(!savepoint.directory.exists());
    assert_eq!(fs::read_to_string(target.path().join("beside")).unwrap(), "mine");
    // The same start again needs none of it, also by the link above it.
    for (pointer, number) in [(link.to_str().unwrap(), 3), (savepoint.pointer(), 4)] {
        begin(pointer, number).unwrap_or_else(|error| panic!("{error} by {pointer}"));
    }
}

/// Of two jobs that claim from a store that ignores conditions both would have it.
#[test]
fn the_store_of_the_other_job_is_asked_before_its_head_is_written_and_the_own_one_before_that() {
    let disk = MemoryDisk::default();
    let pointer = left(&disk, Left::Incremental);
    let store = view(&disk, 2).head();
    let _ = disk.take_log();
    begin_from(&*store, job(2), nonce(2), &start(&pointer, ClaimMode::Claim), &disk.context(), &NoTime).unwrap();
    let log = disk.take_log();
    let first = |what: &str, below: &str| {
        let is_it = |line: &&String| line.starts_with("put") && line.contains(what) && line.contains(below);
        log.iter().position(|line| is_it(&line)).unwrap_or_else(|| panic!("no {what} below {below}: {log:#?}"))
    };
    let (of_former, of_job) = (FORMER, &*format!("base/{}", job(2)));
    let order = [
        first("_probe", of_job),
        first("_probe", of_former),
        first("/head/HEAD", of_former),
        first("/head/HEAD", of_job),
    ];
    assert!(order.is_sorted(), "{order:?}: {log:#?}");
}
