//! Commits: what they remove, and what they refuse.

use ckpt_core::ErrorKind::{Configuration, FailJob};
use ckpt_core::head::{ClaimMode, Collected, Head, Ownership};
use ckpt_core::id::LeaderEpoch;
use ckpt_core::snapshot::{JobEnd, RetentionPolicy, SnapshotKind};

use crate::sample::{
    JOB, STOPS, begun, claimed, commit, full, id, ids, in_progress, nonce, of_kind, refused, removed, retaining,
    stopping, successor, taken, uri, written,
};

#[test]
fn a_commit_enters_one_and_removes_the_oldest_in_one_write() {
    let head = retaining(&[3, 4, 7]);
    let write = commit(&head, taken(9, 1), 2);
    let mut expected = successor(&head);
    expected.retained = vec![taken(7, 1), taken(9, 1)];
    expected.removed = vec![taken(3, 1), taken(4, 1)];
    assert_eq!(*write.head.head(), expected);
    assert_eq!((removed(&write), write.reserved.remaining()), (vec![3, 4], 0));
    // What is collected leaves the list, and nothing that is not removed does.
    let mut collected = Collected::none();
    collected.snapshots = vec![id(3), id(7), id(9), id(500)];
    let next = written(write.head.commit(taken(10, 1), 1, &collected));
    let head = next.head.head();
    assert_eq!((ids(&head.retained), ids(&head.removed), removed(&next)), (vec![10], vec![4, 7, 9], vec![7, 9]));
    let all: Vec<_> = next.all_removed().iter().map(|removed| removed.snapshot().id.get()).collect();
    assert_eq!(all, [4, 7, 9]);
    assert_eq!(collected.listed_in(head).snapshots, [id(7), id(9)]);
}

/// The rules of Flink's `CheckpointSubsumeHelper` that can show here. Savepoints are in HEAD only where a job began from
/// one, and the newest is never a savepoint, so: the newest stays, everything older may go, and no more are retained
/// than asked for.
#[test]
fn retention_follows_the_rules_of_flink() {
    let savepoint = SnapshotKind::Savepoint { format: Default::default(), then: Default::default() };
    let of_user = |mode| {
        let snapshot = ckpt_core::head::ForeignSnapshot::new(JOB, &of_kind(5, 3, savepoint), uri("file:///savepoint"));
        written(Head::claim_from(None, JOB, nonce(1), &snapshot, mode)).head
    };
    for (rule, head, retain, retained, expected) in [
        ("the newest is never removed", claimed(None), 1, vec![6], vec![]),
        ("up to the number all stay", retaining(&[3]), 2, vec![3, 6], vec![]),
        ("beyond it the oldest goes", retaining(&[3]), 1, vec![6], vec![3]),
        ("and as many as it takes", retaining(&[2, 3, 4, 5]), 2, vec![5, 6], vec![2, 3, 4]),
        ("the most recent one that is no savepoint is the newest", begun(ClaimMode::Claim), 1, vec![6], vec![5]),
        ("a savepoint that is owned may go", of_user(ClaimMode::Claim), 1, vec![6], vec![5]),
        ("it counts like any other", of_user(ClaimMode::Claim), 2, vec![5, 6], vec![]),
        ("what is borrowed is dropped", begun(ClaimMode::NoClaim), 1, vec![6], vec![]),
        ("a savepoint that is borrowed is dropped", of_user(ClaimMode::NoClaim), 1, vec![6], vec![]),
        ("until then it counts", of_user(ClaimMode::NoClaim), 2, vec![5, 6], vec![]),
    ] {
        let write = commit(&head, full(6, 1), retain);
        assert_eq!((ids(&write.head.head().retained), removed(&write)), (retained, expected.clone()), "{rule}");
        assert_eq!(ids(&write.head.head().removed), expected, "{rule}");
    }
}

#[test]
fn what_is_borrowed_is_dropped_and_never_removed() {
    for (mode, expected) in [(ClaimMode::Claim, vec![5]), (ClaimMode::NoClaim, vec![])] {
        let head = begun(mode);
        let end = head.end(JobEnd::Cancelled, RetentionPolicy::default(), &Collected::none());
        for (write, retained) in [(commit(&head, full(6, 1), 1), vec![6]), (written(end), vec![])] {
            assert_eq!((removed(&write), ids(&write.head.head().retained)), (expected.clone(), retained));
            assert_eq!(ids(&write.head.head().removed), expected);
        }
    }
}

#[test]
fn a_block_of_numbers_is_reserved_before_they_run_out() {
    for (number, block) in [(1, false), (500, false), (501, true), (1000, true)] {
        let write = commit(&claimed(None), taken(number, 1), 1);
        let (unreserved, remaining) = if block { (2001, 1000) } else { (1001, 0) };
        assert_eq!((write.head.head().unreserved_id, write.reserved.remaining()), (id(unreserved), remaining));
    }
    let head = claimed(None);
    let write = written(head.reserve(&Collected::none()));
    let mut expected = successor(&head);
    expected.unreserved_id = id(2001);
    assert_eq!((write.head.head(), write.reserved.remaining()), (&expected, 1000));
}

#[test]
fn the_list_of_the_removed_does_not_grow_without_a_bound() {
    let mut head = claimed(None);
    for number in 1..=Head::MAX_REMOVED as u64 + 10 {
        head = commit(&head, taken(number, 1), 1).head;
    }
    // What is dropped is found by the next leader, since HEAD does not name it.
    let listed = ids(&head.head().removed);
    assert_eq!((listed.len(), listed[0]), (Head::MAX_REMOVED, 10));
    // A place that was taken over would be forgotten for good.
    let mut head = begun(ClaimMode::Claim);
    for number in 6..=Head::MAX_REMOVED as u64 + 10 {
        head = commit(&head, taken(number, 1), 1).head;
    }
    let listed = ids(&head.head().removed);
    assert_eq!((listed.len(), &listed[..2]), (Head::MAX_REMOVED, &[5, 11][..]));
}

#[test]
fn what_must_not_be_is_refused_with_what_was_found() {
    let none = Collected::none();
    let head = commit(&claimed(None), taken(5, 1), 1).head;
    let savepoint = SnapshotKind::Savepoint { format: Default::default(), then: Default::default() };
    let number = |number| {
        format!("number {number} was never reserved by this leader: expected one from 1 up to, and without, 1001")
    };
    let elsewhere =
        "checkpoint 6 has another owner or another place than this job: expected a checkpoint that it took itself";
    let mut claimed_one = taken(6, 1);
    claimed_one.ownership = Ownership::Borrowed;
    let of_user = "a savepoint is owned by its user: HEAD does not retain savepoint 6";
    for (completed, expected) in [
        (taken(5, 1), "snapshot 5 cannot be committed after snapshot 5: numbers ascend"),
        (taken(4, 1), "snapshot 4 cannot be committed after snapshot 5: numbers ascend"),
        (taken(6, 2), "snapshot 6 was taken under epoch 2, expected the leader's own epoch 1"),
        (taken(1001, 1), number(1001).as_str()),
        (of_kind(6, 1, savepoint), of_user),
        (of_kind(6, 1, STOPS), of_user),
        (taken(6, 1).elsewhere(uri("file:///there"), Ownership::Job), elsewhere),
        (claimed_one, elsewhere),
        (
            taken(6, 1).below_claims([ckpt_core::state::ClaimId::FIRST]),
            "checkpoint 6 names files below claim 1, which this job does not hold",
        ),
    ] {
        refused(head.commit(completed, 1, &none), FailJob, expected);
    }
    for retain in [0, Head::MAX_RETAINED + 1] {
        let expected = format!("{retain} checkpoints cannot be retained, expected 1 to 1024");
        refused(head.commit(taken(6, 1), retain, &none), FailJob, &expected);
    }
    // A number that a former leader had reserved is not this one's.
    let next = written(Head::claim(Some(head.head()), JOB, nonce(2))).head;
    let expected = "number 900 was never reserved by this leader: expected one from 1001 up to, and without, 2001";
    refused(next.commit(taken(900, 2), 1, &none), FailJob, expected);
    assert_eq!(next.head().epoch, LeaderEpoch::new(2));
    let begun = written(next.begin_savepoint(in_progress(1002), &none)).head;
    refused(begun.commit(taken(1002, 2), 1, &none), FailJob, "number 1002 is used already");
    let ended = written(head.end(JobEnd::Finished, RetentionPolicy::default(), &none)).head;
    let over =
        "job 01010101010101010101010101010101 has ended as finished (HEAD version 3): there is nothing to go on with";
    for result in [
        ended.commit(taken(6, 1), 1, &none),
        ended.reserve(&none),
        ended.begin_savepoint(in_progress(6), &none),
        ended.savepoint_published(id(6), &none),
        ended.give_up_savepoint(id(6), &none),
        ended.stop(stopping(6, 1), &none),
        ended.end(JobEnd::Failed, RetentionPolicy::default(), &none),
    ] {
        refused(result, Configuration, over);
    }
}
