//! Savepoints in progress, and the one that stops a job.

use ckpt_core::ErrorKind::{AbortCheckpoint, FailJob};
use ckpt_core::head::{ClaimedHead, Collected, Head, Ownership, RetainedSnapshot, SavepointInProgress};
use ckpt_core::snapshot::{AfterSavepoint, JobEnd, RetentionPolicy, SavepointFormat, SnapshotKind};
use ckpt_core::state::{ClaimId, Root};

use crate::sample::{
    JOB, STOPS, claimed, commit, full, id, ids, in_progress, nonce, of_kind, refused, removed, retaining,
    savepoint_uri, stopping, successor, taken, uri, written,
};

fn numbers(savepoints: &[SavepointInProgress]) -> Vec<u64> {
    savepoints.iter().map(|savepoint| savepoint.id.get()).collect()
}

#[test]
fn a_savepoint_is_named_while_it_is_taken() {
    let none = Collected::none();
    let head = retaining(&[3]);
    let begun = written(head.begin_savepoint(in_progress(8), &none)).head;
    let mut expected = successor(&head);
    expected.savepoints_in_progress = vec![in_progress(8)];
    assert_eq!(*begun.head(), expected);
    // One of a lower number may begin later; the list ascends.
    let two = written(begun.begin_savepoint(in_progress(5), &none)).head;
    assert_eq!(numbers(&two.head().savepoints_in_progress), [5, 8]);

    // Published: it is its user's. Nothing is subsumed, and what is restored stays the same.
    let published = written(two.savepoint_published(id(8), &none));
    let mut expected = successor(&two);
    expected.savepoints_in_progress = vec![in_progress(5)];
    assert_eq!((published.head.head(), published.removed, published.abandoned), (&expected, vec![], vec![]));
    assert_eq!(published.head.head().restore_point().unwrap().id, id(3));

    // Given up: what there is of it may be deleted, and then HEAD forgets it.
    let given_up = written(published.head.give_up_savepoint(id(5), &none));
    let mut expected = successor(&published.head);
    expected.abandoned_savepoints = std::mem::take(&mut expected.savepoints_in_progress);
    assert_eq!(*given_up.head.head(), expected);
    assert_eq!(given_up.abandoned.iter().map(|it| it.savepoint().clone()).collect::<Vec<_>>(), [in_progress(5)]);
    let mut collected = Collected::none();
    collected.savepoints = vec![id(5), id(9)];
    assert_eq!(collected.clone().listed_in(given_up.head.head()).savepoints, [id(5)]);
    let gone = written(given_up.head.reserve(&collected));
    assert_eq!((gone.all_abandoned(), numbers(&gone.head.head().abandoned_savepoints)), (vec![], vec![]));
}

#[test]
fn a_job_that_was_stopped_goes_on_from_its_savepoint_only() {
    let none = Collected::none();
    let begun = written(retaining(&[3, 5]).begin_savepoint(in_progress(7), &none)).head;
    let write = written(begun.stop(stopping(7, 1), &none));
    let mut expected = successor(&begun);
    expected.savepoints_in_progress = vec![];
    expected.stopped_at = Some(stopping(7, 1));
    assert_eq!((write.head.head(), &write.removed), (&expected, &vec![]));
    let stopped = write.head;
    let point = stopped.head().restore_point().unwrap().clone();
    assert_eq!(point, stopping(7, 1));
    let root = ckpt_core::head::SnapshotRoot::new(Root::ThisSnapshot, Root::Borrowed(0), savepoint_uri(7));
    assert_eq!(stopped.head().roots_of(&point), [root]);

    // The leader that stopped it commits nothing more, neither older nor newer, and begins nothing.
    refused(
        stopped.commit(taken(6, 1), 3, &none),
        FailJob,
        "snapshot 6 cannot be committed after snapshot 7: numbers ascend",
    );
    let expected = "snapshot 8 cannot be taken: this leader has stopped the job with savepoint 7";
    refused(stopped.commit(taken(8, 1), 3, &none), FailJob, expected);
    refused(stopped.begin_savepoint(in_progress(8), &none), FailJob, expected);
    refused(stopped.stop(stopping(8, 1), &none), FailJob, expected);

    // Leaders that take over, one after another, begin from the savepoint, which is not theirs.
    let next = claimed(Some(claimed(Some(stopped.head())).head()));
    assert_eq!((next.head().restored_from, next.head().stopped_at.as_ref()), (Some(id(7)), Some(&point)));
    assert!(next.head().requires_full_checkpoint() && next.head().base().is_none());
    assert!(next.commit(taken(2001, 3), 1, &none).is_err());
    let on = commit(&next, full(2001, 3), 1);
    assert_eq!((removed(&on), ids(&on.head.head().retained)), (vec![3, 5], vec![2001]));
    assert_eq!(on.head.head().stopped_at, None);
    // Before it has committed, it may as well be stopped again.
    let begun = written(next.begin_savepoint(in_progress(2002), &none)).head;
    let again = written(begun.stop(stopping(2002, 3), &none)).head;
    assert_eq!(again.head().restore_point().unwrap().id, id(2002));
}

#[test]
fn flink_26783_a_job_that_failed_after_its_savepoint_stays_failed() {
    let none = Collected::none();
    let begun = written(retaining(&[3, 5]).begin_savepoint(in_progress(7), &none)).head;
    let stopped = written(begun.stop(stopping(7, 1), &none)).head;
    let ended = written(stopped.end(JobEnd::Failed, RetentionPolicy::RetainOnFailure, &none)).head;
    assert_eq!(ended.head().restore_point(), Some(&stopping(7, 1)));
    assert!(Head::claim(Some(ended.head()), JOB, nonce(2)).is_err());
}

#[test]
fn savepoints_that_must_not_be_are_refused_with_what_was_found() {
    let none = Collected::none();
    let head = retaining(&[3]);
    let begun = written(head.begin_savepoint(in_progress(7), &none)).head;
    for (number, expected) in [
        (7, "number 7 is used already"),
        (3, "number 3 is used already"),
        (1001, "number 1001 was never reserved by this leader: expected one from 1 up to, and without, 1001"),
    ] {
        refused(begun.begin_savepoint(in_progress(number), &none), FailJob, expected);
    }
    for result in [
        begun.savepoint_published(id(8), &none),
        begun.give_up_savepoint(id(8), &none),
        begun.stop(stopping(8, 1), &none),
    ] {
        refused(result, FailJob, "savepoint 8 is not in progress");
    }
    let plain = SnapshotKind::Savepoint { format: SavepointFormat::Native, then: AfterSavepoint::Continue };
    let not_its_users = "savepoint 7 is not its user's, expected one that this job only borrows";
    let elsewhere = |snapshot: RetainedSnapshot| snapshot.elsewhere(savepoint_uri(7), Ownership::Borrowed);
    for (savepoint, expected) in [
        (elsewhere(of_kind(7, 1, plain)), "snapshot 7 is a savepoint, expected a savepoint that stops the job"),
        (elsewhere(taken(7, 1)), "snapshot 7 is a checkpoint, expected a savepoint that stops the job"),
        (stopping(7, 2), "snapshot 7 was taken under epoch 2, expected the leader's own epoch 1"),
        (stopping(7, 1).elsewhere(savepoint_uri(7), Ownership::Claimed(ClaimId::FIRST)), not_its_users),
        (of_kind(7, 1, stopping(7, 1).kind), not_its_users),
        (stopping(7, 1).below_claims([ClaimId::FIRST]), not_its_users),
        (
            stopping(7, 1).elsewhere(uri("file:///else"), Ownership::Borrowed),
            "savepoint 7 was begun at 'file:///savepoint-7', expected it to be published there",
        ),
    ] {
        refused(begun.stop(savepoint, &none), FailJob, expected);
    }
    let newer = commit(&begun, taken(9, 1), 1).head;
    refused(
        newer.stop(stopping(7, 1), &none),
        FailJob,
        "snapshot 7 cannot be committed after snapshot 9: numbers ascend",
    );

    let mut head = claimed(None);
    for number in 1..=Head::MAX_SAVEPOINTS as u64 {
        head = written(head.begin_savepoint(in_progress(number), &none)).head;
    }
    let expected = "savepoint 65 cannot begin: 64 are in progress or not collected";
    refused(head.begin_savepoint(in_progress(65), &none), AbortCheckpoint, expected);
    let abandoned = claimed(Some(head.head()));
    assert_eq!(abandoned.begin_savepoint(in_progress(1001), &none).unwrap_err().kind(), AbortCheckpoint);
}

#[test]
fn all_places_together_are_not_too_long() {
    let none = Collected::none();
    let long_uri = |number| uri(&format!("file:///{number}{}", "a".repeat(4000)));
    let long = |number| SavepointInProgress::new(id(number), long_uri(number));
    let begin = |mut head: ClaimedHead, numbers: std::ops::Range<u64>, expected_bytes| {
        for number in numbers.clone() {
            head = written(head.begin_savepoint(long(number), &none)).head;
        }
        let expected = format!("the URIs in HEAD would have {expected_bytes} bytes, expected at most 65536");
        refused(head.begin_savepoint(long(numbers.end), &none), AbortCheckpoint, &expected);
    };
    begin(claimed(None), 10..26, 17 * 4010);
    // That of the savepoint with which the job was stopped counts until a later leader has committed.
    let begun = written(claimed(None).begin_savepoint(long(7), &none)).head;
    let stopping = of_kind(7, 1, STOPS).elsewhere(long_uri(7), Ownership::Borrowed);
    let stopped = written(begun.stop(stopping, &none)).head;
    begin(claimed(Some(stopped.head())), 1010..1025, 4009 + 16 * 4012);
}
