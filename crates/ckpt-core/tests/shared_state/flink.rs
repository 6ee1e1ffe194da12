//! What Flink's registry does, in our words, and the bugs that it and others had.

use ckpt_core::head::{Collected, RetainedSnapshot};
use ckpt_core::shared::SharedStateRefusal;
use ckpt_core::snapshot::{AfterSavepoint, SavepointFormat, SnapshotKind};
use ckpt_core::state::{ClaimId, Root};
use ckpt_core::{Digest, ErrorKind};

use crate::leader::{Leader, below, reuses, wrote};

const CHECKPOINT: SnapshotKind = SnapshotKind::Checkpoint;

fn leader() -> Leader {
    let mut leader = Leader::new();
    leader.start(1);
    leader
}

/// `SharedStateRegistryTest.testRegistryNormal`: one entry for each name, the same again changes nothing, and only what
/// the subsumed checkpoint alone named goes.
#[test]
fn registered_once_however_often_it_is_named() {
    let mut leader = leader();
    let [a, b] = [leader.shared(1, 1), leader.shared(1, 2)];
    leader.checkpoint(1, &wrote(&[&a, &b]), 1);
    assert_eq!(leader.registry.len(), 2);
    let id = leader.begin(CHECKPOINT);
    leader.acknowledge(id, 1, &reuses(&[&b])).unwrap();
    leader.acknowledge(id, 1, &wrote(&[&b])).unwrap();
    assert_eq!(leader.registry.len(), 2);
    leader.commit(id, 1);
    assert_eq!(leader.collect(), [leader.name(1, 1)]);
    assert_eq!(leader.registry.len(), 1);
}

/// `testUnregisterWithUnexistedKey`: nothing to remove is no error.
#[test]
fn an_empty_registry_removes_nothing() {
    let mut leader = leader();
    for _ in 0..3 {
        leader.checkpoint(1, &[], 1);
    }
    assert_eq!(leader.collect(), []);
    assert_eq!(leader.end(1), []);
}

/// `testRegisterChangelogStateBackendHandles`: what a later checkpoint names again stays when the first goes, and goes
/// when a newer materialisation takes its place.
#[test]
fn a_materialisation_stays_until_a_newer_one_takes_its_place() {
    let mut leader = leader();
    let [first, log, more, second] = [1, 2, 3, 4].map(|number| leader.shared(1, number));
    leader.checkpoint(1, &wrote(&[&first, &log]), 1);
    let id = leader.begin(CHECKPOINT);
    leader.acknowledge(id, 1, &[reuses(&[&first]), wrote(&[&more])].concat()).unwrap();
    leader.commit(id, 1);
    assert_eq!(leader.collect(), [leader.name(1, 2)]);
    let id = leader.begin(CHECKPOINT);
    leader.acknowledge(id, 1, &[reuses(&[&more]), wrote(&[&second])].concat()).unwrap();
    leader.commit(id, 1);
    assert_eq!(leader.collect(), [leader.name(1, 1)]);
    assert!(leader.is_alive(&more) && leader.is_alive(&second));
}

/// `testUnregisterUnusedSavepointState` and its three siblings: files of a snapshot that was restored stay while a later
/// checkpoint names them, whatever kind of snapshot it was, and are ours to delete only below a claim.
#[test]
fn restored_files_stay_while_a_later_checkpoint_names_them() {
    for root in [Root::Claimed(ClaimId::FIRST), Root::JobShared] {
        let mut leader = leader();
        let file = below(root, leader.name(9, 1), 1, Some(Digest::of(b"1")));
        let restored = leader.restored(std::slice::from_ref(&file));
        leader.commit(restored, 1);
        let id = leader.begin(CHECKPOINT);
        leader.acknowledge(id, 1, &reuses(&[&file])).unwrap();
        leader.commit(id, 1);
        assert_eq!(leader.collect(), []);
        assert!(leader.is_alive(&file));
        leader.checkpoint(1, &[], 1);
        assert_eq!(leader.collect(), [leader.name(9, 1)]);
    }
}

/// What T46 adds from the code: a placeholder under an unknown name, and other bytes under a known one.
#[test]
fn placeholders_of_nothing_and_other_bytes_are_refused() {
    let mut leader = leader();
    let [known, unknown] = [leader.shared(1, 1), leader.shared(1, 2)];
    leader.checkpoint(1, &wrote(&[&known]), 1);
    let id = leader.begin(CHECKPOINT);
    assert!(matches!(leader.acknowledge(id, 1, &reuses(&[&unknown])), Err(SharedStateRefusal::NotInBase { .. })));
    let other = below(Root::JobShared, leader.name(1, 1), 1, Some(Digest::of(b"2")));
    assert!(matches!(leader.acknowledge(id, 1, &wrote(&[&other])), Err(SharedStateRefusal::OtherBytes { .. })));
}

/// A restored checkpoint's files were not registered, so the first checkpoints after it let them be deleted.
#[test]
fn flink_6964_files_of_a_restored_checkpoint_are_known_to_those_that_reuse_them() {
    let mut first = leader();
    let [a, b] = [first.shared(1, 1), first.shared(1, 2)];
    let base = first.checkpoint(1, &wrote(&[&a, &b]), 1);
    let mut leader = Leader::taking_over(Some(first.head.head()));
    leader.restore(base, &[a.clone(), b.clone()]).unwrap();
    // The backend is another one: names of another writer, in another epoch.
    leader.start(2);
    for _ in 0..2 {
        let id = leader.begin(CHECKPOINT);
        leader.acknowledge(id, 2, &reuses(&[&a])).unwrap();
        leader.commit(id, 1);
    }
    assert_eq!(leader.collect(), [first.name(1, 2)]);
    leader.checkpoint(2, &[], 1);
    assert_eq!(leader.collect(), [first.name(1, 1)]);
}

/// What a former leader registered must not decide what this one deletes, and what it deletes late, of what it had
/// subsumed, must be nothing that this one restored.
#[test]
fn flink_7268_each_leader_goes_by_what_it_restored() {
    let mut first = leader();
    let [kept, subsumed] = [first.shared(1, 1), first.shared(1, 2)];
    first.checkpoint(1, &wrote(&[&kept, &subsumed]), 1);
    let id = first.begin(CHECKPOINT);
    first.acknowledge(id, 1, &reuses(&[&kept])).unwrap();
    first.commit(id, 1);
    // Its deletes are still under way when another takes over and restores.
    let mut leader = Leader::taking_over(Some(first.head.head()));
    leader.restore(id, std::slice::from_ref(&kept)).unwrap();
    leader.start(1);
    let next = leader.begin(CHECKPOINT);
    leader.acknowledge(next, 1, &reuses(&[&kept])).unwrap();
    assert_eq!(first.collect(), [first.name(1, 2)]);
    leader.commit(next, 1);
    // The list of what is removed came with HEAD: the new leader finds nothing there that it needs, nor does it delete
    // what it never registered.
    assert_eq!(leader.collect(), []);
    assert!(leader.is_alive(&kept) && !leader.is_alive(&subsumed));
    leader.checkpoint(1, &[], 1);
    assert_eq!(leader.collect(), [first.name(1, 1)]);
}

/// A savepoint that entered the store subsumed the last checkpoint, whose files the next increment still named.
#[test]
fn flink_21351_a_savepoint_removes_nothing_that_the_next_increment_reuses() {
    let mut leader = leader();
    let file = leader.shared(1, 1);
    let base = leader.checkpoint(1, &wrote(&[&file]), 1);
    let kind = SnapshotKind::Savepoint { format: SavepointFormat::Native, then: AfterSavepoint::Continue };
    let savepoint = leader.begin(kind);
    leader.acknowledge(savepoint, 1, &[]).unwrap();
    // HEAD takes no savepoint among what it retains, so none can subsume.
    let retained = RetainedSnapshot::new(savepoint, leader.epoch(), kind, 1, Digest::of(b""));
    assert_eq!(leader.head.commit(retained, 1, &Collected::none()).unwrap_err().kind(), ErrorKind::FailJob);
    assert_eq!(leader.release(savepoint), []);
    assert_eq!(leader.newest(), Some(base));
    let id = leader.begin(CHECKPOINT);
    assert_eq!(leader.acknowledge(id, 1, &reuses(&[&file])).unwrap(), [file]);
}

/// State of an aborted checkpoint was discarded though the task named it again in the next.
#[test]
fn flink_24611_files_of_an_aborted_checkpoint_stay_while_their_writer_lives() {
    let mut leader = leader();
    let [named_again, left] = [leader.shared(1, 1), leader.shared(1, 2)];
    let aborted = leader.begin(CHECKPOINT);
    leader.acknowledge(aborted, 1, &wrote(&[&named_again, &left])).unwrap();
    assert_eq!(leader.release(aborted), []);
    let id = leader.checkpoint(1, &wrote(&[&named_again]), 1);
    assert!(leader.is_alive(&named_again) && leader.is_alive(&left));
    assert_eq!(leader.end(1), [leader.name(1, 2)]);
    leader.start(2);
    leader.checkpoint(2, &[], 1);
    assert_eq!((leader.collect(), leader.registry.is_pinned(id)), (vec![leader.name(1, 1)], false));
}

/// The same when the writer ends while the checkpoint is pending.
#[test]
fn flink_24611_files_of_an_ended_writer_go_with_the_checkpoint_that_is_aborted() {
    let mut leader = leader();
    let file = leader.shared(1, 1);
    let id = leader.begin(CHECKPOINT);
    leader.acknowledge(id, 1, &wrote(&[&file])).unwrap();
    assert_eq!(leader.end(1), []);
    assert!(leader.is_alive(&file));
    assert_eq!(leader.release(id), [leader.name(1, 1)]);
}

/// Two checkpoints at once uploaded other bytes under one key; one copy was dropped, the wrong one.
#[test]
fn flink_29913_concurrent_uploads_under_one_name_are_never_taken_for_each_other() {
    let mut leader = leader();
    let file = leader.shared(1, 1);
    let twin = below(Root::JobShared, leader.name(1, 1), 7, Some(Digest::of(b"twin")));
    let [first, second] = [leader.begin(CHECKPOINT), leader.begin(CHECKPOINT)];
    leader.acknowledge(first, 1, &wrote(&[&file])).unwrap();
    let refused = leader.acknowledge(second, 1, &wrote(&[&twin])).unwrap_err();
    assert!(matches!(refused, SharedStateRefusal::OtherBytes { .. }), "{refused}");
    assert_eq!(leader.release(second), []);
    leader.commit(first, 1);
    let id = leader.begin(CHECKPOINT);
    assert_eq!(leader.acknowledge(id, 1, &reuses(&[&file])).unwrap(), [file]);
}

/// The shared state of a restored checkpoint was discarded with the checkpoint.
#[test]
fn flink_26985_removing_a_restored_checkpoint_spares_what_others_name() {
    let mut first = leader();
    let [kept, left] = [first.shared(1, 1), first.shared(1, 2)];
    let base = first.checkpoint(1, &wrote(&[&kept, &left]), 1);
    let mut leader = Leader::taking_over(Some(first.head.head()));
    leader.restore(base, &[kept.clone(), left]).unwrap();
    leader.start(1);
    let id = leader.begin(CHECKPOINT);
    leader.acknowledge(id, 1, &reuses(&[&kept])).unwrap();
    leader.commit(id, 1);
    assert_eq!(leader.collect(), [first.name(1, 2)]);
    assert!(leader.is_alive(&kept));
}

/// A changelog segment was removed by one writer while another checkpoint still used it.
#[test]
fn flink_28440_a_file_that_two_checkpoints_name_outlives_the_first() {
    let mut leader = leader();
    leader.start(2);
    let file = leader.shared(1, 1);
    leader.checkpoint(1, &wrote(&[&file]), 1);
    let id = leader.begin(CHECKPOINT);
    // Another task names it after a change of parallelism; its writer is gone.
    leader.end(1);
    leader.acknowledge(id, 2, &reuses(&[&file])).unwrap();
    leader.commit(id, 1);
    assert_eq!(leader.collect(), []);
    assert!(leader.is_alive(&file));
}

/// Uploads that were not inherited after a restore were named as if they had been.
#[test]
fn flink_37367_after_a_restore_only_what_was_restored_is_reused() {
    let mut first = leader();
    let [committed, aborted] = [first.shared(1, 1), first.shared(1, 2)];
    let base = first.checkpoint(1, &wrote(&[&committed]), 1);
    let pending = first.begin(CHECKPOINT);
    first.acknowledge(pending, 1, &wrote(&[&aborted])).unwrap();
    let mut leader = Leader::taking_over(Some(first.head.head()));
    leader.restore(base, std::slice::from_ref(&committed)).unwrap();
    leader.start(1);
    let id = leader.begin(CHECKPOINT);
    assert!(leader.acknowledge(id, 1, &reuses(&[&aborted])).is_err());
    assert!(matches!(leader.acknowledge(id, 1, &wrote(&[&aborted])), Err(SharedStateRefusal::ForeignWriter { .. })));
    leader.acknowledge(id, 1, &reuses(&[&committed])).unwrap();
}

/// Reuse went by the name of a file; other bytes under the same name were restored without a word.
#[test]
fn spark_51717_reuse_goes_by_name_length_and_digest() {
    let mut leader = leader();
    let file = leader.shared(1, 1);
    leader.checkpoint(1, &wrote(&[&file]), 1);
    let id = leader.begin(CHECKPOINT);
    let same_length = below(Root::JobShared, leader.name(1, 1), file.length_bytes(), Some(Digest::of(b"changed")));
    let refused = leader.acknowledge(id, 1, &wrote(&[&same_length])).unwrap_err();
    assert!(matches!(refused, SharedStateRefusal::OtherBytes { .. }), "{refused}");
    // What is entered for a reused file is what was registered, not what anybody says of it now.
    assert_eq!(leader.acknowledge(id, 1, &reuses(&[&file])).unwrap(), [file]);
}
