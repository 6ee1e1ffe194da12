//! Ends of jobs, and what may happen after them.

use ckpt_core::ErrorKind::{Configuration, FailJob};
use ckpt_core::head::{ClaimMode, ClaimedHead, Collected, HandedOver, Head, JobState, ReleasedClaim};
use ckpt_core::id::{JobId, LeaderEpoch};
use ckpt_core::snapshot::{JobEnd, RetentionPolicy};
use ckpt_core::state::ClaimId;

use crate::sample::{
    JOB, OTHER, begun, commit, foreign, id, ids, in_progress, nonce, refused, removed, retaining, stopping, successor,
    taken, written,
};

const POLICIES: [RetentionPolicy; 3] = [
    RetentionPolicy::NeverRetainAfterTermination,
    RetentionPolicy::RetainOnFailure,
    RetentionPolicy::RetainOnCancellation,
];

/// A job that has failed and retains those.
fn failed(numbers: &[u64]) -> ClaimedHead {
    written(retaining(numbers).end(JobEnd::Failed, RetentionPolicy::RetainOnFailure, &Collected::none())).head
}

#[test]
fn each_end_keeps_what_the_retention_says() {
    let none = Collected::none();
    let removes = |policy, end| match (policy, end) {
        (_, JobEnd::Finished) => true,
        (RetentionPolicy::RetainOnFailure, JobEnd::Failed) => false,
        (RetentionPolicy::RetainOnCancellation, _) => false,
        _ => true,
    };
    for policy in POLICIES {
        for (end, state) in [
            (JobEnd::Finished, JobState::Finished),
            (JobEnd::Cancelled, JobState::Cancelled),
            (JobEnd::Failed, JobState::Failed),
        ] {
            let back = written(Head::claim_going_back(retaining(&[3, 5, 8]).head(), JOB, nonce(2), id(5))).head;
            let begun = written(back.begin_savepoint(in_progress(1003), &none)).head;
            let write = written(begun.end(end, policy, &none));
            let mut expected = successor(&begun);
            expected.state = state;
            expected.abandoned_savepoints = std::mem::take(&mut expected.savepoints_in_progress);
            if removes(policy, end) {
                expected.removed = vec![taken(3, 1), taken(5, 1), taken(8, 1)];
                (expected.retained, expected.set_aside) = (vec![], vec![]);
            }
            assert_eq!(*write.head.head(), expected, "{policy:?} {end:?}");
            assert_eq!(removed(&write), ids(&expected.removed), "{policy:?} {end:?}");
            assert_eq!(write.abandoned.len(), 1);
        }
    }
}

#[test]
fn flink_4201_suspension_is_no_end_and_deletes_nothing() {
    for policy in POLICIES {
        let expected = "a job that is suspended has not ended: HEAD stays as it is";
        refused(retaining(&[3]).end(JobEnd::Suspended, policy, &Collected::none()), FailJob, expected);
    }
}

#[test]
fn the_end_of_a_stopped_job_keeps_the_savepoint_named() {
    let none = Collected::none();
    let begun = written(retaining(&[3]).begin_savepoint(in_progress(7), &none)).head;
    let stopped = written(begun.stop(stopping(7, 1), &none)).head;
    let write = written(stopped.end(JobEnd::Finished, RetentionPolicy::default(), &none));
    assert_eq!((removed(&write), write.head.head().stopped_at.as_ref()), (vec![3], Some(&stopping(7, 1))));
}

#[test]
fn what_was_removed_at_the_end_is_collected_whoever_does_it() {
    let end = retaining(&[3, 5]).end(JobEnd::Finished, RetentionPolicy::default(), &Collected::none());
    let ended = written(end).head;
    let mut collected = Collected::none();
    collected.snapshots = vec![id(3)];
    let by_the_same = written(ended.collected(&collected)).head;
    let mut expected = successor(&ended);
    expected.removed = vec![taken(5, 1)];
    assert_eq!(*by_the_same.head(), expected);
    // Its leader dies. Somebody takes the job over without waking it.
    let other = written(Head::claim_ended(by_the_same.head(), JOB, nonce(7)));
    let mut expected = successor(&by_the_same);
    (expected.epoch, expected.nonce) = (LeaderEpoch::new(2), nonce(7));
    assert_eq!((other.head.head(), other.reserved.remaining()), (&expected, 0));
    assert_eq!((other.removed.len(), other.all_removed().len()), (0, 1));
    collected.snapshots = vec![id(5)];
    assert_eq!(written(other.head.collected(&collected)).all_removed(), []);
}

#[test]
fn what_a_job_retained_is_discarded_on_request() {
    let none = Collected::none();
    let write = written(failed(&[3, 5, 8]).discard(&[id(8), id(3)], &none));
    assert_eq!((removed(&write), ids(&write.head.head().retained)), (vec![8, 3], vec![5]));
    assert_eq!(ids(&write.head.head().removed), [3, 8]);
    // What is borrowed is only dropped.
    let end = begun(ClaimMode::NoClaim).end(JobEnd::Failed, RetentionPolicy::RetainOnFailure, &none);
    let write = written(written(end).head.discard(&[id(5)], &none));
    assert_eq!((removed(&write), ids(&write.head.head().retained)), (vec![], vec![]));
    let expected = "snapshot 3 is not set aside, nor is it retained by a job that has ended: it cannot be discarded";
    refused(retaining(&[3]).discard(&[id(3)], &none), Configuration, expected);
    refused(write.head.discard(&[id(3)], &none), Configuration, expected);
}

/// The last claim of a job that began from `foreign`, released.
pub(crate) fn released() -> [ReleasedClaim; 2] {
    let on = commit(&begun(ClaimMode::Claim), taken(6, 1).below_claims([ClaimId::new(2)]), 1).head;
    let mut collected = Collected::none();
    collected.snapshots = vec![id(5)];
    let first = written(on.commit(taken(7, 1), 1, &collected));
    collected.snapshots = vec![id(6)];
    let last = written(first.head.collected(&collected));
    [first.released[0].clone(), last.released[0].clone()]
}

#[test]
fn a_snapshot_goes_from_job_to_job_and_back() {
    let none = Collected::none();
    let ended = failed(&[3, 5]);
    let other = JobId::new([3; 16]);
    let handed = written(ended.hand_over(id(5), JOB, &none));
    let mut expected = successor(&ended);
    expected.retained = vec![taken(3, 1)];
    expected.handed_over = vec![HandedOver::new(taken(5, 1), JOB)];
    assert_eq!((handed.head.head(), &handed.removed), (&expected, &vec![]));
    // It is kept, and nothing of this job can delete it.
    assert_eq!(ids(handed.head.head().kept()), [3, 5]);
    assert!(handed.head.discard(&[id(5)], &none).is_err());
    // The same again, from a claim that died in between, is harmless; a second owner is refused.
    let handed = written(Head::claim_ended(handed.head.head(), JOB, nonce(4))).head;
    let again = written(handed.hand_over(id(5), JOB, &none)).head;
    assert_eq!(again.head().handed_over, expected.handed_over);
    let expected =
        "snapshot 5 belongs to job 01010101010101010101010101010101, expected job 03030303030303030303030303030303";
    refused(again.hand_over(id(5), other, &none), Configuration, expected);

    // It comes back with the last claim that the other job releases, not before, and from that job only.
    let [first, last] = released();
    let expected = "snapshot 5 is not handed over to job 01010101010101010101010101010101, or that job still needs it";
    refused(again.handed_back(id(5), &first, &none), Configuration, expected);
    refused(again.handed_back(id(3), &last, &none), Configuration, &expected.replace("snapshot 5", "snapshot 3"));
    let to_other = written(again.hand_over(id(3), other, &none)).head;
    refused(to_other.handed_back(id(3), &last, &none), Configuration, &expected.replace("snapshot 5", "snapshot 3"));
    let back = written(again.handed_back(id(5), &last, &none));
    assert_eq!((&back.head.head().handed_over, ids(back.head.head().kept())), (&vec![], vec![3]));
}

#[test]
fn what_cannot_be_handed_over_is_refused() {
    let none = Collected::none();
    let active =
        "job 01010101010101010101010101010101 is active, expected one that has ended: take it over and end it first";
    refused(retaining(&[3]).hand_over(id(3), OTHER, &none), Configuration, active);
    refused(retaining(&[3]).handed_back(id(3), &released()[1], &none), Configuration, active);
    refused(failed(&[3]).hand_over(id(4), OTHER, &none), Configuration, "snapshot 4 is not retained");
    let end = begun(ClaimMode::NoClaim).end(JobEnd::Failed, RetentionPolicy::RetainOnFailure, &none);
    let expected = "snapshot 5 is borrowed: this job cannot hand it over";
    refused(written(end).head.hand_over(id(5), OTHER, &none), Configuration, expected);
    let numbers: Vec<_> = (1..=Head::MAX_HANDED_OVER as u64 + 1).collect();
    let mut head = failed(&numbers);
    for number in &numbers[1..] {
        head = written(head.hand_over(id(*number), OTHER, &none)).head;
    }
    let expected = "there would be more than 64 snapshots that are handed over";
    refused(head.hand_over(id(1), OTHER, &none), Configuration, expected);
    // A claimed snapshot can be handed on, with the claims that it needs.
    let end = begun(ClaimMode::Claim).end(JobEnd::Failed, RetentionPolicy::RetainOnFailure, &none);
    let handed = written(written(end).head.hand_over(id(5), OTHER, &none));
    assert_eq!((handed.head.head().claims.len(), handed.released.len()), (3, 0));
    assert_eq!(foreign().id, id(5));
}
