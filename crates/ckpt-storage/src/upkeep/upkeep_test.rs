//! What an operator may remove and collect, what is refused, and in which order it goes.

use std::collections::BTreeMap;
use std::sync::Arc;

use ckpt_core::ErrorKind;
use ckpt_core::head::{ClaimedHead, Collected, Head, JobState, SavepointInProgress};
use ckpt_core::id::{CheckpointId, FileName, LeaderEpoch, Writer, WriterId};
use ckpt_core::snapshot::{JobEnd, RetentionPolicy};
use ckpt_core::uri::Uri;

use super::{Authority, JobUpkeep, Standing};
use crate::test_support::MemoryDisk;
use crate::testing::sample::{identity, job, nonce, publish, write_head};
use crate::{CheckpointStorage, CoordinatorView, FileSystemStorage, HeadOutcome, claim};

pub(super) const BASE: &str = "base/01010101010101010101010101010101";

pub(super) fn id(number: u64) -> CheckpointId {
    CheckpointId::new(number).unwrap()
}

pub(super) fn file(epoch: u64, number: u32) -> FileName {
    Writer::new(LeaderEpoch::new(epoch), WriterId::new(1)).file(number)
}

pub(super) fn view(disk: &MemoryDisk) -> Arc<dyn CoordinatorView> {
    FileSystemStorage::new("mem:/base").coordinator_view(job(1), &disk.context()).unwrap()
}

pub(super) fn try_upkeep(disk: &MemoryDisk) -> ckpt_core::Result<JobUpkeep> {
    JobUpkeep::open(&format!("mem:/{BASE}"), &disk.context())
}

fn upkeep(disk: &MemoryDisk) -> JobUpkeep {
    try_upkeep(disk).unwrap()
}

/// Checkpoints 1 to 3 of a job that retains two of them. Each has a file of its own and a shared one; 2 and 3 share one.
pub(super) fn active_job(disk: &MemoryDisk) -> ClaimedHead {
    let view = view(disk);
    let mut head = claim(&*view.head(), job(1), nonce(1)).unwrap().head;
    for number in 1..=3 {
        let own = u32::try_from(number).unwrap();
        let shared = if number == 1 { vec![file(1, 1)] } else { vec![file(1, own), file(1, 9)] };
        let published = publish(&*view, job(1), identity(&head, number), &shared);
        head = write_head(&*view, head.commit(published, 2, &Collected::none()).unwrap()).head;
        disk.put(&format!("{BASE}/chk-{number}/{}", file(1, 10 + own)), b"state");
        shared.iter().for_each(|name| disk.put(&format!("{BASE}/shared/{name}"), b"shared"));
    }
    disk.put(&format!("{BASE}/taskowned/{}", file(1, 30)), b"of a task");
    head
}

pub(super) fn end(disk: &MemoryDisk, head: &ClaimedHead, end: JobEnd) -> ClaimedHead {
    let write = head.end(end, RetentionPolicy::RetainOnCancellation, &Collected::none()).unwrap();
    write_head(&*view(disk), write).head
}

pub(super) fn below(disk: &MemoryDisk, directory: &str) -> Vec<String> {
    let prefix = format!("{BASE}/{directory}/");
    disk.files().into_iter().filter_map(|path| path.strip_prefix(&prefix).map(str::to_owned)).collect()
}

fn refused<T: std::fmt::Debug>(outcome: ckpt_core::Result<T>, message: &str) {
    let error = outcome.expect_err(message);
    assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
    assert!(error.to_string().contains(message), "{error}");
}

#[test]
fn an_active_job_is_refused_unless_it_is_the_one_that_is_meant() {
    let disk = MemoryDisk::default();
    active_job(&disk);
    let (upkeep, before) = (upkeep(&disk), disk.files());
    let version = upkeep.head().unwrap().version;
    let active = "is active (epoch 1, HEAD version 4): its coordinator deletes what it needs no more";
    refused(upkeep.remove(id(2), Authority::Ended), active);
    refused(upkeep.plan_removal(id(2), Authority::Ended), active);
    refused(upkeep.collect(Authority::Ended), active);
    let other = "the job here is 01010101010101010101010101010101, expected job 02020202020202020202020202020202";
    refused(upkeep.remove(id(2), Authority::TakeOver(job(2))), other);
    refused(upkeep.collect(Authority::TakeOver(job(2))), other);
    refused(upkeep.survey(Some(Authority::TakeOver(job(2)))), other);
    refused(upkeep.remove(id(7), Authority::TakeOver(job(1))), "does not name snapshot 7");
    assert_eq!(
        (upkeep.head().unwrap().version, disk.files()),
        (version, before),
        "nobody is fenced, nothing is deleted"
    );
}

#[test]
fn what_an_ended_job_retains_is_dropped_by_head_before_it_is_deleted() {
    let disk = MemoryDisk::default();
    let head = active_job(&disk);
    end(&disk, &head, JobEnd::Failed);
    let upkeep = upkeep(&disk);
    let plan = upkeep.plan_removal(id(2), Authority::Ended).unwrap();
    assert_eq!(
        (plan.standing, plan.is_restore_point, plan.ends_job, plan.is_ours),
        (Standing::Retained, false, false, true)
    );
    assert_eq!((plan.own.files, plan.shared), (2, Some(1)));
    disk.take_log();
    let upkept = upkeep.remove(id(2), Authority::Ended).unwrap();
    assert!(upkept.is_complete(), "{:?}", upkept.errors);
    // Who writes HEAD for the first time tries the store before.
    let log: Vec<_> = disk.take_log().into_iter().filter(|line| !line.contains("_probe")).collect();
    let is_record = |line: &String| line.contains("head/HEAD");
    let first_removal = log.iter().position(|line| line.starts_with("remove ")).unwrap();
    assert_eq!(log[..first_removal].iter().filter(|line| is_record(line)).count(), 2, "claimed, then dropped: {log:?}");
    assert!(log[first_removal..log.len() - 1].iter().all(|line| line.starts_with("remove ")), "{log:?}");
    assert!(is_record(log.last().unwrap()), "forgotten at last: {log:?}");
    assert_eq!(upkept.before.unwrap().all().files - upkept.after.unwrap().all().files, 3);
    let now = upkeep.head().unwrap();
    let retained: Vec<_> = now.retained.iter().map(|snapshot| snapshot.id).collect();
    assert_eq!((retained, now.state), (vec![id(3)], JobState::Failed));
    assert_eq!(now.removed.iter().map(|removed| removed.id).collect::<Vec<_>>(), [id(1)], "only that one");
    assert!(below(&disk, "chk-2").is_empty());
    // What 3 names as well stays, and what 1 left is a collection's.
    let shared = [file(1, 1), file(1, 3), file(1, 9)].map(|name| name.to_string());
    assert_eq!(below(&disk, "shared"), shared);
    view(&disk).load(now.restore_point().unwrap()).unwrap();
}

#[test]
fn the_last_one_of_an_ended_job_may_go() {
    let disk = MemoryDisk::default();
    let head = active_job(&disk);
    end(&disk, &head, JobEnd::Cancelled);
    let upkeep = upkeep(&disk);
    assert!(upkeep.plan_removal(id(3), Authority::Ended).unwrap().is_restore_point);
    for number in [3, 2, 1] {
        assert!(upkeep.remove(id(number), Authority::Ended).unwrap().is_complete());
    }
    assert!(below(&disk, "shared").is_empty());
    refused(upkeep.remove(id(3), Authority::Ended), "does not name snapshot 3");
    // Now nothing is left that could name what its tasks were to dispose of.
    assert_eq!(below(&disk, "taskowned").len(), 1);
    assert!(upkeep.collect(Authority::Ended).unwrap().is_complete());
    assert!(disk.files().is_empty(), "{:?}", disk.files());
}

#[test]
fn a_job_that_is_taken_over_to_drop_what_it_retains_is_ended() {
    let disk = MemoryDisk::default();
    let former = active_job(&disk);
    let upkeep = upkeep(&disk);
    let authority = Authority::TakeOver(job(1));
    assert!(upkeep.plan_removal(id(2), authority).unwrap().ends_job);
    let upkept = upkeep.remove(id(2), authority).unwrap();
    assert_eq!((upkept.head.1, upkept.is_complete()), (JobState::Cancelled, true));
    // Whoever led it can do nothing more, and a restart is refused with the reason.
    let late = former.reserve(&Collected::none()).unwrap();
    assert!(matches!(view(&disk).head().write(late), HeadOutcome::Fenced(_)));
    refused(claim(&*view(&disk).head(), job(1), nonce(3)), "has ended as cancelled");
}

#[test]
fn what_is_set_aside_or_removed_already_leaves_a_job_active() {
    let disk = MemoryDisk::default();
    active_job(&disk);
    let view = view(&disk);
    let before = view.head().read().unwrap().unwrap();
    write_head(&*view, Head::claim_going_back(&before, job(1), nonce(4), id(2)).unwrap());
    let upkeep = upkeep(&disk);
    for (number, standing) in [(3, Standing::SetAside), (1, Standing::Removed)] {
        let plan = upkeep.plan_removal(id(number), Authority::TakeOver(job(1))).unwrap();
        assert_eq!((plan.standing, plan.ends_job), (standing, false));
        let upkept = upkeep.remove(id(number), Authority::TakeOver(job(1))).unwrap();
        assert_eq!((upkept.head.1, upkept.is_complete()), (JobState::Active, true));
        assert!(below(&disk, &format!("chk-{number}")).is_empty());
    }
    let next = claim(&*view.head(), job(1), nonce(5)).unwrap().head;
    assert_eq!(next.head().restore_point().map(|point| point.id), Some(id(2)));
    view.load(next.head().restore_point().unwrap()).unwrap();
}

/// It is kept as evidence, so with what it names.
#[test]
fn what_is_set_aside_keeps_its_shared_files() {
    let disk = MemoryDisk::default();
    active_job(&disk);
    let view = view(&disk);
    let before = view.head().read().unwrap().unwrap();
    write_head(&*view, Head::claim_going_back(&before, job(1), nonce(4), id(2)).unwrap());
    let upkeep = upkeep(&disk);
    let seen = upkeep.survey(Some(Authority::TakeOver(job(1)))).unwrap();
    let collected = upkeep.collect(Authority::TakeOver(job(1))).unwrap();
    assert_eq!(seen.orphans.values().map(|orphans| orphans.files).sum::<u64>(), 1, "{seen:?}");
    assert!(collected.is_complete() && below(&disk, "chk-1").is_empty());
    assert_eq!(below(&disk, "shared"), [2, 3, 9].map(|number| file(1, number).to_string()));
    assert_eq!(upkeep.plan_removal(id(3), Authority::TakeOver(job(1))).unwrap().shared, Some(1));
}

#[test]
fn what_another_job_has_taken_over_is_that_jobs() {
    let disk = MemoryDisk::default();
    let head = active_job(&disk);
    let ended = end(&disk, &head, JobEnd::Failed);
    write_head(&*view(&disk), ended.hand_over(id(3), job(2), &Collected::none()).unwrap());
    let upkeep = upkeep(&disk);
    refused(upkeep.remove(id(3), Authority::Ended), "belongs to job 02020202020202020202020202020202");
    let shared = below(&disk, "shared");
    assert!(upkeep.remove(id(2), Authority::Ended).unwrap().is_complete());
    let upkept = upkeep.collect(Authority::Ended).unwrap();
    assert!(upkept.is_complete(), "{:?}", upkept.errors);
    // Which of the shared files its checkpoints name nobody here knows.
    assert_eq!(below(&disk, "shared"), shared);
    assert_eq!(upkept.after.unwrap().shared_with_others.files, 4);
    assert_eq!(below(&disk, "chk-3").len(), 2);
    assert_eq!(below(&disk, "taskowned").len(), 1);
}

/// One of everything that may lie in a directory of a job.
#[test]
fn a_collection_takes_what_nothing_names_and_nothing_else() {
    let disk = MemoryDisk::default();
    let head = active_job(&disk);
    // A leader of the first epoch published a checkpoint and wrote more, and none of it was committed.
    publish(&*view(&disk), job(1), identity(&head, 4), &[]);
    disk.put(&format!("{BASE}/chk-4/{}", file(1, 14)), b"state");
    disk.put(&format!("{BASE}/chk-5/{}", file(1, 15)), b"state");
    disk.put(&format!("{BASE}/shared/{}", file(1, 20)), b"shared");
    let untouched = [
        "notes.txt",
        "chk-2/notes.txt",
        "chk-4/notes.txt",
        "shared/notes.txt",
        "savepoint-010101-000102030405/_metadata",
    ];
    untouched.iter().for_each(|path| disk.put(&format!("{BASE}/{path}"), b"not ours"));
    let upkeep = upkeep(&disk);
    // To somebody who only looks the leader in office may commit all of that yet.
    let seen = upkeep.survey(None).unwrap();
    assert_eq!((seen.of_the_leader.files, seen.orphans.len(), seen.collectable().files), (5, 0, 2));
    let planned = upkeep.survey(Some(Authority::TakeOver(job(1)))).unwrap();
    let orphans: BTreeMap<_, _> = planned.orphans.iter().map(|(epoch, counted)| (epoch.get(), counted.files)).collect();
    assert_eq!((orphans, planned.of_the_leader.files), (BTreeMap::from([(1, 5)]), 0));
    assert_eq!(planned.removed.iter().map(|(id, counted)| (id.get(), counted.files)).collect::<Vec<_>>(), [(1, 2)]);
    assert_eq!((planned.unknown.files, planned.savepoints.files, planned.task_owned.files), (4, 1, 1));
    assert_eq!((planned.collectable().files, planned.named.files), (7, 7));
    let shown: Vec<_> = planned.unknown_paths.iter().map(|path| path.as_str()).collect();
    assert_eq!(shown, ["chk-2/notes.txt", "chk-4/notes.txt", "notes.txt", "shared/notes.txt"]);

    let upkept = upkeep.collect(Authority::TakeOver(job(1))).unwrap();
    assert!(upkept.is_complete(), "{:?}", upkept.errors);
    let (before, after) = (upkept.before.unwrap(), upkept.after.unwrap());
    assert_eq!((before.collectable().files, after.collectable().files, after.named), (7, 0, before.named));
    let left = disk.files();
    assert!(untouched.iter().all(|path| left.contains(&format!("{BASE}/{path}"))), "{left:?}");
    assert!(below(&disk, "chk-1").is_empty() && below(&disk, "chk-5").is_empty());
    // The job goes on from where it was.
    assert_eq!(upkept.head.1, JobState::Active);
    let next = claim(&*view(&disk).head(), job(1), nonce(6)).unwrap().head;
    assert_eq!(next.head().restore_point().map(|point| point.id), Some(id(3)));
    next.head().retained.iter().for_each(|snapshot| drop(view(&disk).load(snapshot).unwrap()));
    assert!(next.head().removed.is_empty());
    let late = head.reserve(&Collected::none()).unwrap();
    assert!(matches!(view(&disk).head().write(late), HeadOutcome::Fenced(_)));
}

#[test]
fn what_is_retained_and_cannot_be_read_keeps_everything() {
    let disk = MemoryDisk::default();
    let head = active_job(&disk);
    end(&disk, &head, JobEnd::Failed);
    disk.damage(&format!("{BASE}/chk-3/_metadata"), |bytes| bytes[20] ^= 1);
    let (upkeep, before) = (upkeep(&disk), disk.files());
    let version = upkeep.head().unwrap().version;
    assert_eq!(upkeep.collect(Authority::Ended).unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!((upkeep.head().unwrap().version, disk.files()), (version, before));
    // It may be removed itself; what it shared is collected after it.
    let upkept = upkeep.remove(id(3), Authority::Ended).unwrap();
    assert!(upkept.is_complete() && below(&disk, "chk-3").is_empty());
    assert!(upkeep.collect(Authority::Ended).unwrap().is_complete());
    assert_eq!(below(&disk, "shared"), [file(1, 2), file(1, 9)].map(|name| name.to_string()));
}

#[test]
fn savepoints_that_were_given_up_are_deleted() {
    let disk = MemoryDisk::default();
    let view = view(&disk);
    let mut claimed = claim(&*view.head(), job(1), nonce(1)).unwrap();
    let savepoint = claimed.reserved.take().unwrap();
    let uri = Uri::new("mem:/targets/savepoint-010101-0123456789ab").unwrap();
    let begun = claimed.head.begin_savepoint(SavepointInProgress::new(savepoint, uri.clone()), &Collected::none());
    let head = write_head(&*view, begun.unwrap()).head;
    view.initialize_savepoint(&identity(&head, savepoint.get()), &uri).unwrap();
    end(&disk, &head, JobEnd::Failed);
    assert_eq!(disk.files(), ["targets/savepoint-010101-0123456789ab/_savepoint"]);
    let upkept = upkeep(&disk).collect(Authority::Ended).unwrap();
    assert!(upkept.is_complete() && disk.files().is_empty(), "{upkept:?}");
    assert!(upkeep(&disk).head().unwrap().abandoned_savepoints.is_empty());
}

#[test]
fn a_directory_without_head_is_no_jobs() {
    let disk = MemoryDisk::default();
    disk.put(&format!("{BASE}/chk-1/_metadata"), b"");
    let error = JobUpkeep::open(&format!("mem:/{BASE}"), &disk.context()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("has no HEAD"), "{error}");
    assert_eq!(disk.files().len(), 1);
}
