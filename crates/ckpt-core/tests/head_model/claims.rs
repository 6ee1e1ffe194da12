//! Taking a job over: from nothing, from what there is, from another job's snapshot, from an older one.

use ckpt_core::ErrorKind::{Configuration, FailJob};
use ckpt_core::head::{
    Claim, ClaimMode, Collected, ForeignSnapshot, GoneBack, Head, JobState, Origin, Ownership, SnapshotPlace,
    SnapshotRoot,
};
use ckpt_core::id::LeaderEpoch;
use ckpt_core::snapshot::{JobEnd, RetentionPolicy, SnapshotKind};
use ckpt_core::state::{ClaimId, Root};

use crate::sample::{
    JOB, OTHER, begun, claimed, commit, foreign, full, id, ids, in_progress, nonce, of_kind, refused, removed,
    retaining, stopping, taken, uri, written,
};

#[test]
fn the_first_claim_begins_a_job_from_nothing() {
    let written = written(Head::claim(None, JOB, nonce(7)));
    let head = written.head.head();
    assert_eq!((head.job, head.version.get(), head.epoch.get(), head.nonce), (JOB, 1, 1, nonce(7)));
    assert_eq!((head.state, head.first_reserved_id, head.unreserved_id), (JobState::Active, id(1), id(1001)));
    assert_eq!((head.restore_point(), head.base(), head.restored_from), (None, None, None));
    assert_eq!((&head.origin, &head.stopped_at, head.gone_back), (&None, &None, None));
    let lists = [&head.retained, &head.removed, &head.set_aside];
    assert!(lists.iter().all(|list| list.is_empty()) && head.handed_over.is_empty());
    assert!(head.claims.is_empty() && head.released_claims.is_empty() && head.next_claim == ClaimId::FIRST);
    assert!(head.savepoints_in_progress.is_empty() && head.abandoned_savepoints.is_empty());
    assert!(!head.requires_full_checkpoint());
    assert_eq!((written.reserved.remaining(), written.removed, written.abandoned), (1000, vec![], vec![]));
}

#[test]
fn a_take_over_changes_the_leader_and_abandons_its_savepoints() {
    let none = Collected::none();
    let head = retaining(&[3, 7]);
    let former = written(head.begin_savepoint(in_progress(8), &none)).head;
    let written = written(Head::claim(Some(former.head()), JOB, nonce(8)));
    let mut expected = former.head().clone();
    expected.version = expected.version.next().unwrap();
    (expected.epoch, expected.nonce) = (LeaderEpoch::new(2), nonce(8));
    (expected.first_reserved_id, expected.unreserved_id) = (id(1001), id(2001));
    expected.restored_from = Some(id(7));
    expected.abandoned_savepoints = std::mem::take(&mut expected.savepoints_in_progress);
    assert_eq!(*written.head.head(), expected);
    assert_eq!(written.reserved.remaining(), 1000);
    assert_eq!(written.abandoned.iter().map(|it| it.savepoint().id).collect::<Vec<_>>(), [id(8)]);

    // The next leader finds what is abandoned as well, until it is collected.
    let again = claimed(Some(written.head.head()));
    let mut collected = Collected::none();
    collected.savepoints = vec![id(8)];
    let later = crate::sample::written(again.reserve(&none));
    assert_eq!((later.abandoned.len(), later.all_abandoned().len()), (0, 1));
    assert_eq!(crate::sample::written(later.head.collected(&collected)).all_abandoned(), []);
}

#[test]
fn what_is_borrowed_is_never_removed_though_head_should_list_it() {
    let mut head = retaining(&[3, 7]).head().clone();
    let borrowed = taken(5, 70).elsewhere(uri("file:///other/chk-5"), Ownership::Borrowed);
    head.removed = vec![borrowed, head.retained.remove(0)];
    let all = Head::claim(Some(&head), JOB, nonce(8)).unwrap().written().all_removed();
    assert_eq!(ids(all.iter().map(|removed| removed.snapshot())), [3]);
}

#[test]
fn every_root_is_called_anew_once() {
    let shared = uri("file:///other/shared");
    let root = |named, here, text: &str| SnapshotRoot::new(named, here, uri(text));
    let claim = |number| Root::Claimed(ClaimId::new(number));
    for (mode, own, shared_as, claimed_as, ownership, claims) in [
        (ClaimMode::Claim, claim(1), claim(2), claim(3), Ownership::Claimed(ClaimId::FIRST), vec![1, 2, 3]),
        (ClaimMode::NoClaim, Root::Borrowed(0), Root::Borrowed(1), Root::Borrowed(3), Ownership::Borrowed, vec![]),
    ] {
        let written = written(Head::claim_from(None, JOB, nonce(9), &foreign(), mode));
        let head = written.head.head();
        let borrowed = if mode == ClaimMode::Claim { [0, 1] } else { [2, 4] };
        let roots = vec![
            root(Root::ThisSnapshot, own, "file:///other/chk-5"),
            root(Root::JobShared, shared_as, "file:///other/shared"),
            root(Root::JobTaskOwned, Root::Borrowed(borrowed[0]), "file:///other/taskowned"),
            root(claim(9), claimed_as, "s3://bucket/shared"),
            root(Root::Borrowed(3), Root::Borrowed(borrowed[1]), "file:///lent"),
        ];
        let retained = taken(5, 70).elsewhere(uri("file:///other/chk-5"), ownership);
        let claims: Vec<_> = claims.into_iter().map(ClaimId::new).collect();
        let retained = retained.below_claims(claims.clone());
        assert_eq!((&head.retained, head.restored_from), (&vec![retained], Some(id(5))));
        assert_eq!(head.roots_of(&head.retained[0]), roots);
        assert_eq!(head.claims.iter().map(|claim| claim.id).collect::<Vec<_>>(), claims);
        let next = if mode == ClaimMode::Claim { ClaimId::new(4) } else { ClaimId::FIRST };
        assert_eq!(head.next_claim, next);
        assert_eq!(head.claims.get(1).map(|claim| &claim.uri), (mode == ClaimMode::Claim).then_some(&shared));
        let Origin { job, id: of, mode: how, metadata_bytes, .. } = head.origin.clone().unwrap();
        assert_eq!((job, of, how, metadata_bytes), (OTHER, id(5), mode, 105));
        // Numbers go on above that of the snapshot.
        assert_eq!((head.first_reserved_id, head.unreserved_id), (id(6), id(1006)));
        assert_eq!((head.epoch.get(), written.reserved.remaining()), (1, 1000));
        assert_eq!(head.base().is_some(), mode == ClaimMode::Claim);
    }
}

#[test]
fn a_claim_that_died_before_its_first_checkpoint_is_taken_over_by_the_same_start() {
    for mode in [ClaimMode::Claim, ClaimMode::NoClaim] {
        let dead = begun(mode);
        let again = written(Head::claim_from(Some(dead.head()), JOB, nonce(8), &foreign(), mode));
        let by_plain_claim = written(Head::claim(Some(dead.head()), JOB, nonce(8)));
        assert_eq!(again, by_plain_claim);
        let head = again.head.head();
        assert_eq!((ids(&head.retained), &head.claims), (vec![5], &dead.head().claims));
        assert_eq!((head.restored_from, head.first_reserved_id), (Some(id(5)), id(1006)));

        // Also long after the snapshot is gone, when something else was committed.
        let later = commit(&again.head, full(1006, 2), 1).head;
        let restarted = written(Head::claim_from(Some(later.head()), JOB, nonce(7), &foreign(), mode));
        assert_eq!(restarted.head.head().restored_from, Some(id(1006)));
    }
    // A leader that began the job from nothing and died.
    let dead = claimed(None);
    let begun = written(Head::claim_from(Some(dead.head()), JOB, nonce(8), &foreign(), ClaimMode::NoClaim));
    let head = begun.head.head();
    assert_eq!((head.epoch.get(), head.first_reserved_id, ids(&head.retained)), (2, id(1001), vec![5]));
    let far = ForeignSnapshot::new(OTHER, &taken(5000, 70), uri("file:///far"));
    let begun = written(Head::claim_from(Some(dead.head()), JOB, nonce(8), &far, ClaimMode::NoClaim));
    assert_eq!((begun.head.head().first_reserved_id, begun.head.head().unreserved_id), (id(5001), id(6001)));
}

#[test]
fn flink_26985_the_first_checkpoint_after_no_claim_is_full_whatever_happens_before() {
    let none = Collected::none();
    let partial = "checkpoint 3006 may name files of a snapshot that this job does not own, expected a full checkpoint";
    let mut head = begun(ClaimMode::NoClaim);
    // Failovers do not lift it, nor does a savepoint in between.
    for byte in 1..4 {
        assert!(head.head().requires_full_checkpoint() && head.head().base().is_none());
        head = written(Head::claim(Some(head.head()), JOB, nonce(byte))).head;
    }
    head = written(head.begin_savepoint(in_progress(3010), &none)).head;
    head = written(head.savepoint_published(id(3010), &none)).head;
    assert!(head.head().requires_full_checkpoint());
    refused(head.commit(taken(3006, 4), 3, &none), FailJob, partial);
    // The first committed full checkpoint does, also while the borrowed one is still retained.
    let lifted = commit(&head, full(3007, 4), 3).head;
    assert_eq!(ids(&lifted.head().retained), [5, 3007]);
    assert!(!lifted.head().requires_full_checkpoint());
    assert_eq!(lifted.head().base().map(|base| base.id), Some(id(3007)));
    assert_eq!(ids(&commit(&lifted, taken(3008, 4), 1).head.head().retained), [3008]);
    // What is claimed may be named again at once.
    let claimed = begun(ClaimMode::Claim);
    assert!(!claimed.head().requires_full_checkpoint());
    commit(&claimed, taken(6, 1).below_claims([ClaimId::new(2)]), 1);
}

#[test]
fn a_claim_is_released_when_no_snapshot_needs_it() {
    let head = begun(ClaimMode::Claim);
    let needs = |number: u64, claims: &[u64]| taken(number, 1).below_claims(claims.iter().copied().map(ClaimId::new));
    let held = |head: &Head| head.claims.iter().map(|claim| claim.id.get()).collect::<Vec<_>>();
    // 5 is removed, and still has to be read to delete its files: all claims are held.
    let written = commit(&head, needs(6, &[2]), 1);
    assert_eq!((removed(&written), held(written.head.head()), written.released.len()), (vec![5], vec![1, 2, 3], 0));
    assert_eq!(written.head.head().roots_of(written.removed[0].snapshot()).len(), 5);
    // 5 is collected: what only it needed is released. Another checkpoint still needs claim 2.
    let mut collected = Collected::none();
    collected.snapshots = vec![id(5)];
    let written = crate::sample::written(written.head.commit(needs(7, &[2]), 1, &collected));
    let released: Vec<_> = written.released.iter().map(|it| (it.claim().id.get(), it.job(), it.is_last())).collect();
    assert_eq!((held(written.head.head()), released), (vec![2], vec![(1, JOB, false), (3, JOB, false)]));
    let root =
        SnapshotRoot::new(Root::Claimed(ClaimId::new(2)), Root::Claimed(ClaimId::new(2)), uri("file:///other/shared"));
    assert_eq!(written.head.head().roots_of(&written.head.head().retained[0]), [root]);
    assert_eq!(written.head.head().origin.as_ref().unwrap().roots, []);
    // 6 and 7 are removed and collected: claim 2 is the last.
    let written = commit(&written.head, needs(8, &[]), 1);
    assert_eq!((held(written.head.head()), written.released.len()), (vec![2], 0));
    collected.snapshots = vec![id(6), id(7)];
    collected.claims = vec![ClaimId::new(1)];
    let written = crate::sample::written(written.head.collected(&collected));
    assert_eq!((written.released[0].claim().id.get(), written.released[0].is_last()), (2, true));
    collected.claims.push(ClaimId::new(3));
    assert_eq!(collected.listed_in(written.head.head()).claims, [ClaimId::new(3)]);
    // The next leader finds what is released and not collected; nothing can name it again.
    let next = crate::sample::written(Head::claim(Some(written.head.head()), JOB, nonce(3)));
    let all: Vec<_> = next.all_released().iter().map(|released| released.claim().id.get()).collect();
    assert_eq!((all, next.released.len(), next.head.head().next_claim.get()), (vec![2, 3], 0, 4));
    let expected = "checkpoint 1006 names files below claim 2, which this job does not hold";
    let late = taken(1006, 2).below_claims([ClaimId::new(2)]);
    refused(next.head.commit(late, 1, &Collected::none()), FailJob, expected);
}

#[test]
fn going_back_is_recorded_and_sets_aside_what_is_newer() {
    let head = retaining(&[3, 7, 9]);
    let written = written(Head::claim_going_back(head.head(), JOB, nonce(4), id(3)));
    let back = written.head.head();
    assert_eq!((ids(&back.retained), ids(&back.set_aside), ids(&back.removed)), (vec![3], vec![7, 9], vec![]));
    assert_eq!((back.restored_from, back.restore_point().unwrap().id, written.removed), (Some(id(3)), id(3), vec![]));
    assert_eq!(back.gone_back, Some(GoneBack::new(id(9), id(3), LeaderEpoch::new(2))));
    assert_eq!(ids(back.kept()), [3, 7, 9]);
    // Nothing that was taken before can be committed any more, by the former leader or by this one.
    let expected = "snapshot 12 was taken under epoch 1, expected the leader's own epoch 2";
    refused(written.head.commit(taken(12, 1), 1, &Collected::none()), FailJob, expected);
    let on = commit(&written.head, taken(1001, 2), 1).head;
    assert_eq!((ids(&on.head().retained), ids(&on.head().set_aside)), (vec![1001], vec![7, 9]));
    // What is set aside is restored by nobody; it goes on request.
    let next = claimed(Some(on.head()));
    assert_eq!((next.head().restored_from, next.head().gone_back), (Some(id(1001)), back.gone_back));
    refused(Head::claim_going_back(next.head(), JOB, nonce(4), id(7)), Configuration, "snapshot 7 is not retained");
    let gone = crate::sample::written(next.discard(&[id(7)], &Collected::none()));
    assert_eq!((removed(&gone), ids(&gone.head.head().set_aside)), (vec![7], vec![9]));
}

#[test]
fn going_back_leaves_the_savepoint_of_the_user_alone() {
    let none = Collected::none();
    let begun = written(retaining(&[3, 7]).begin_savepoint(in_progress(8), &none)).head;
    let stopped = written(begun.stop(stopping(8, 1), &none)).head;
    let back = written(Head::claim_going_back(stopped.head(), JOB, nonce(4), id(7)));
    let head = back.head.head();
    assert_eq!((head.stopped_at.as_ref(), ids(&head.retained), back.removed), (None, vec![3, 7], vec![]));
    assert_eq!(head.gone_back, Some(GoneBack::new(id(8), id(7), LeaderEpoch::new(2))));
    commit(&back.head, taken(1001, 2), 1);
}

#[test]
fn what_cannot_be_claimed_is_refused_with_what_was_found() {
    let none = Collected::none();
    let no_claim = ClaimMode::NoClaim;
    let from = |current: Option<&Head>, snapshot: &ForeignSnapshot, mode| {
        Head::claim_from(current, JOB, nonce(9), snapshot, mode)
    };
    let head = retaining(&[3, 7]);
    let of_job = "HEAD belongs to job 01010101010101010101010101010101, expected job 02020202020202020202020202020202";
    refused(Head::claim(Some(head.head()), OTHER, nonce(0)), Configuration, of_job);
    refused(Head::claim_from(Some(head.head()), OTHER, nonce(0), &foreign(), no_claim), Configuration, of_job);
    refused(Head::claim_going_back(head.head(), OTHER, nonce(0), id(3)), Configuration, of_job);
    let active =
        "job 01010101010101010101010101010101 is active, expected one that has ended: take it over and end it first";
    refused(Head::claim_ended(head.head(), JOB, nonce(0)), Configuration, active);
    let ended = written(head.end(JobEnd::Failed, RetentionPolicy::RetainOnFailure, &none)).head;
    refused(Head::claim_ended(ended.head(), OTHER, nonce(0)), Configuration, of_job);
    let over =
        "job 01010101010101010101010101010101 has ended as failed (HEAD version 4): there is nothing to go on with";
    refused(Head::claim(Some(ended.head()), JOB, nonce(0)), Configuration, over);
    refused(from(Some(ended.head()), &foreign(), no_claim), Configuration, over);
    refused(Head::claim_going_back(ended.head(), JOB, nonce(0), id(3)), Configuration, over);

    let newest = "snapshot 7 is what a restore takes, expected an older one to go back to";
    refused(Head::claim_going_back(head.head(), JOB, nonce(0), id(7)), Configuration, newest);
    refused(Head::claim_going_back(head.head(), JOB, nonce(0), id(4)), Configuration, "snapshot 4 is not retained");
    let numbers: Vec<_> = (1..=18).collect();
    let expected = "there would be more than 16 snapshots that are set aside";
    refused(Head::claim_going_back(retaining(&numbers).head(), JOB, nonce(0), id(1)), Configuration, expected);

    let begun_already = "job 01010101010101010101010101010101 goes on from snapshot 7, expected to begin from \
                         'file:///other/chk-5': start a new job for that";
    refused(from(Some(head.head()), &foreign(), no_claim), Configuration, begun_already);
    let mut others = vec![foreign(); 5];
    (others[0].job, others[1].id, others[2].uri) = (JOB, id(6), uri("file:///else"));
    (others[3].metadata_bytes, others[4].index_digest) = (9, taken(1, 1).index_digest);
    let begun = begun(no_claim);
    for other in &others {
        let expected = format!(
            "job 01010101010101010101010101010101 began from snapshot 5 at 'file:///other/chk-5', expected to begin from \
             '{}': start a new job for that",
            other.uri
        );
        refused(from(Some(begun.head()), other, no_claim), Configuration, &expected);
    }
    assert!(from(Some(begun.head()), &foreign(), ClaimMode::Claim).is_err());

    let naming = |roots| ForeignSnapshot::new(OTHER, &taken(5, 70), uri("file:///chk")).naming(roots);
    for twice in [
        vec![(Root::JobShared, uri("file:///chk"))],
        vec![(Root::ThisSnapshot, uri("file:///a"))],
        vec![(Root::JobShared, uri("file:///a")), (Root::JobShared, uri("file:///b"))],
    ] {
        let error = from(None, &naming(twice), no_claim).unwrap_err();
        assert!(error.to_string().ends_with("is named twice by the snapshot to begin from, expected once"), "{error}");
    }
    let claims = |count| (0..count).map(|n| (Root::Claimed(ClaimId::new(n)), uri(&format!("file:///{n}")))).collect();
    assert!(from(None, &naming(claims(31)), ClaimMode::Claim).is_ok());
    refused(from(None, &naming(claims(32)), ClaimMode::Claim), Configuration, "there would be more than 32 claims");
    assert!(from(None, &naming(claims(63)), no_claim).is_ok());
    let expected = "there would be more than 64 roots of a snapshot";
    refused(from(None, &naming(claims(64)), no_claim), Configuration, expected);
    let long = (0..20).map(|n| (Root::Borrowed(n), uri(&format!("file:///{n}/{}", "a".repeat(4000))))).collect();
    assert!(from(None, &naming(long), no_claim).unwrap_err().to_string().starts_with("the URIs in HEAD would have 8"));
    let begun = written(claimed(None).begin_savepoint(in_progress(5), &none)).head;
    refused(from(Some(begun.head()), &foreign(), no_claim), FailJob, "number 5 is used already");
    let last = ForeignSnapshot::new(OTHER, &taken(u64::MAX, 70), uri("file:///chk"));
    refused(from(None, &last, no_claim), FailJob, "all checkpoint numbers are used up");
    let last = ForeignSnapshot::new(OTHER, &taken(u64::MAX - 5, 70), uri("file:///chk"));
    refused(from(None, &last, no_claim), FailJob, "all checkpoint numbers are used up");
}

#[test]
fn numbers_that_are_used_up_are_told() {
    let mut head = claimed(None).head().clone();
    head.epoch = LeaderEpoch::new(u64::MAX);
    refused(Head::claim(Some(&head), JOB, nonce(0)), FailJob, "all leader epochs are used up");
    let mut head = claimed(None).head().clone();
    head.version = ckpt_core::head::HeadVersion::new(u64::MAX).unwrap();
    refused(Head::claim(Some(&head), JOB, nonce(0)), FailJob, "all versions of HEAD are used up");
    let mut head = claimed(None).head().clone();
    head.unreserved_id = id(u64::MAX - 500);
    refused(Head::claim(Some(&head), JOB, nonce(0)), FailJob, "all checkpoint numbers are used up");
    let mut head = claimed(None).head().clone();
    head.next_claim = ClaimId::new(u64::MAX);
    let from = Head::claim_from(Some(&head), JOB, nonce(0), &foreign(), ClaimMode::Claim);
    refused(from, FailJob, "all numbers of claims are used up");
}

#[test]
fn a_savepoint_can_be_begun_from_as_well() {
    let kind = SnapshotKind::Savepoint { format: Default::default(), then: Default::default() };
    let savepoint = ForeignSnapshot::new(JOB, &of_kind(40, 3, kind), uri("file:///savepoint"));
    for (mode, expected) in [(ClaimMode::Claim, vec![40]), (ClaimMode::NoClaim, vec![])] {
        let head = written(Head::claim_from(None, JOB, nonce(1), &savepoint, mode)).head;
        assert_eq!(head.head().retained[0].place, SnapshotPlace::Elsewhere(uri("file:///savepoint")));
        let claims = vec![Claim::new(ClaimId::FIRST, uri("file:///savepoint"))];
        assert_eq!(head.head().claims, if expected.is_empty() { vec![] } else { claims });
        assert_eq!(removed(&commit(&head, full(41, 1), 1)), expected);
    }
}
