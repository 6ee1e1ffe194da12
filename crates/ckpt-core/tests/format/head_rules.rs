//! A HEAD that breaks a rule is neither written nor read.

use ckpt_core::ErrorKind;
use ckpt_core::head::{
    Claim, Head, JobState, Ownership, RetainedSnapshot, SavepointInProgress, SnapshotPlace, SnapshotRoot,
};
use ckpt_core::id::LeaderEpoch;
use ckpt_core::snapshot::{AfterSavepoint, SavepointFormat, SnapshotKind};
use ckpt_core::state::{ClaimId, Root};
use ckpt_core::testing::Envelope;
use ckpt_core::uri::Uri;

use crate::golden;
use crate::head_samples::{fixed_head, fixed_head_of_an_ended_job, uri};
use crate::hostile::refused;
use crate::samples::checkpoint;

/// What is said of the HEAD that `change` makes of an active one.
fn refusal(change: impl FnOnce(&mut Head)) -> String {
    refusal_of(fixed_head(), change)
}

/// What is said of the HEAD that `change` makes of an ended one.
fn refusal_after_the_end(change: impl FnOnce(&mut Head)) -> String {
    refusal_of(fixed_head_of_an_ended_job(), change)
}

fn refusal_of(mut head: Head, change: impl FnOnce(&mut Head)) -> String {
    assert!(head.encode().is_ok());
    change(&mut head);
    let error = head.encode().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AbortCheckpoint, "{error}");
    error.to_string()
}

fn savepoint(then: AfterSavepoint) -> SnapshotKind {
    SnapshotKind::Savepoint { format: SavepointFormat::Native, then }
}

fn stopped_at(head: &mut Head) -> &mut RetainedSnapshot {
    head.stopped_at.as_mut().unwrap()
}

fn repeat<T: Clone>(list: &mut Vec<T>, count: usize) {
    *list = vec![list[0].clone(); count];
}

#[test]
fn numbers_name_one_snapshot_and_ascend() {
    for (refusal, expected) in [
        (refusal(|head| head.retained[0].id = checkpoint(1900)), "the number of a snapshot is 1900 after 1900"),
        (
            refusal(|head| head.retained.swap(0, 1)),
            "the number of a snapshot is 1802 after 1900, expected numbers that",
        ),
        (
            refusal(|head| head.set_aside[0].id = checkpoint(1900)),
            "the number of a snapshot is 1900, expected one that is",
        ),
        (
            refusal(|head| head.removed[0].id = checkpoint(1802)),
            "the number of a snapshot is 1802, expected one that is",
        ),
        (refusal(|head| stopped_at(head).id = checkpoint(1900)), "job was stopped with is 1900, expected one that is"),
        (
            refusal(|head| stopped_at(head).id = checkpoint(9000)),
            "job was stopped with is 9000, expected a number below",
        ),
        (
            refusal(|head| head.abandoned_savepoints[0].id = checkpoint(2803)),
            "a savepoint in progress is 2803, expected one that is used once",
        ),
        (
            refusal(|head| head.savepoints_in_progress.push(head.savepoints_in_progress[0].clone())),
            "the number of a savepoint in progress is 2803 after 2803, expected numbers that ascend",
        ),
        (
            refusal(|head| head.unreserved_id = checkpoint(1900)),
            "the number of a snapshot is 1900, expected a number below 1900, the first unreserved one",
        ),
        (
            refusal_after_the_end(|head| head.handed_over[0].snapshot.id = checkpoint(90)),
            "the number of a snapshot is 90, expected one that is used once",
        ),
        (refusal_after_the_end(|head| head.handed_over.swap(0, 1)), "the number of a snapshot is 91 after 92"),
    ] {
        assert!(refusal.contains(expected), "{refusal}\n{expected}");
    }
}

#[test]
fn claims_are_held_once_and_needed() {
    for (refusal, expected) in [
        (refusal(|head| head.claims.swap(0, 1)), "the number of a claim is 1 after 2, expected numbers that ascend"),
        (
            refusal(|head| head.next_claim = ClaimId::new(3)),
            "the number of a claim is 3, expected one below the next, 3",
        ),
        (
            refusal(|head| head.released_claims[0].uri = head.claims[0].uri.clone()),
            "a claim is 3 at 's3://bucket/other/chk-800', expected one of which claim 1 has neither",
        ),
        (
            refusal(|head| head.released_claims[0].id = ClaimId::new(2)),
            "a claim is 2 at 'file:///elsewhere/shared', expected one of which claim 2 has neither",
        ),
        (
            refusal(|head| {
                head.claims.push(Claim::new(ClaimId::new(4), uri("file:///more")));
                head.next_claim = ClaimId::new(5);
            }),
            "a claim is 4, expected one that a snapshot needs",
        ),
        (
            refusal(|head| head.retained[1].claims = vec![ClaimId::new(3)]),
            "the claim on a snapshot is 3, expected one that HEAD holds",
        ),
        (
            refusal(|head| head.retained[1].claims = vec![ClaimId::new(2), ClaimId::new(2)]),
            "the claims of a snapshot is claim 2, claim 2, expected numbers that ascend",
        ),
    ] {
        assert!(refusal.contains(expected), "{refusal}\n{expected}");
    }
}

#[test]
fn snapshots_belong_to_whom_their_place_says() {
    let owner = "expected the job in its own directory, or for the snapshot that it began from as that was claimed";
    for (refusal, expected) in [
        (refusal(|head| head.removed[0].ownership = Ownership::Borrowed), owner),
        (refusal(|head| head.removed[0].ownership = Ownership::Job), owner),
        (refusal(|head| head.removed[0].ownership = Ownership::Claimed(ClaimId::new(2))), owner),
        (refusal(|head| head.removed[0].place = SnapshotPlace::JobDirectory), owner),
        (
            refusal(|head| {
                let of_origin = &mut head.removed[0];
                (of_origin.place, of_origin.ownership) = (SnapshotPlace::JobDirectory, Ownership::Job);
            }),
            owner,
        ),
        (refusal(|head| head.removed[0].place = SnapshotPlace::Elsewhere(uri("file:///other"))), owner),
        (refusal(|head| head.removed[0].claims = vec![ClaimId::new(2)]), owner),
        (refusal(|head| head.retained[0].place = SnapshotPlace::Elsewhere(uri("file:///other"))), owner),
        (refusal(|head| head.retained[0].ownership = Ownership::Borrowed), owner),
        (refusal_after_the_end(|head| head.retained[0].claims = vec![ClaimId::new(1)]), owner),
        (refusal_after_the_end(|head| head.retained[1].ownership = Ownership::Borrowed), owner),
        (
            refusal_after_the_end(|head| head.removed = vec![head.retained.remove(0)]),
            "a removed snapshot is 80, expected none that is borrowed",
        ),
        (
            refusal_after_the_end(|head| head.handed_over[0].snapshot = head.retained.remove(0)),
            "a snapshot handed over is 80, expected none that is borrowed",
        ),
        (
            refusal_after_the_end(|head| head.state = JobState::Active),
            "a snapshot handed over is 91, expected none, since the job is active",
        ),
        (
            refusal(|head| head.state = JobState::Cancelled),
            "a savepoint in progress is 2803, expected none, since the job is cancelled",
        ),
    ] {
        assert!(refusal.contains(expected), "{refusal}\n{expected}");
    }
}

#[test]
fn what_the_job_took_is_one_history() {
    for (refusal, expected) in [
        (
            refusal(|head| head.retained[1].kind = savepoint(AfterSavepoint::Continue)),
            "a snapshot of the job's own is savepoint, expected a checkpoint",
        ),
        (
            refusal(|head| head.retained[1].epoch = LeaderEpoch::new(1)),
            "a snapshot is 1900 (epoch 1) after 1802 (epoch 2), expected epochs that never descend",
        ),
        (
            refusal(|head| stopped_at(head).epoch = LeaderEpoch::new(4)),
            "the epoch is 4 of snapshot 2802, expected at most 3, from number 2801 on just that",
        ),
        (refusal(|head| stopped_at(head).epoch = LeaderEpoch::new(2)), "the epoch is 2 of snapshot 2802"),
        (refusal(|head| head.retained[1].epoch = LeaderEpoch::new(3)), "the epoch is 3 of snapshot 1900"),
        (refusal(|head| head.epoch = LeaderEpoch::new(1)), "the epoch is 2 of snapshot 1802"),
        (
            refusal(|head| stopped_at(head).kind = savepoint(AfterSavepoint::Continue)),
            "what the job was stopped with is savepoint, expected a savepoint that stops the job",
        ),
        (
            refusal(|head| stopped_at(head).ownership = Ownership::Claimed(ClaimId::new(1))),
            "the owner of the savepoint that the job was stopped with is the job by claim 1 at",
        ),
        (
            refusal(|head| stopped_at(head).place = SnapshotPlace::JobDirectory),
            "stopped with is somebody else at the job's directory, expected its user, elsewhere",
        ),
        (
            refusal(|head| stopped_at(head).claims = vec![ClaimId::new(2)]),
            "the owner of the savepoint that the job was stopped with is somebody else",
        ),
        (refusal(|head| head.retained[1].id = checkpoint(2900)), "the epoch is 2 of snapshot 2900"),
        (
            refusal(|head| (head.retained[1].id, head.retained[1].epoch) = (checkpoint(2900), LeaderEpoch::new(3))),
            "the savepoint that the job was stopped with is 2802, expected one that is newer than checkpoint 2900",
        ),
    ] {
        assert!(refusal.contains(expected), "{refusal}\n{expected}");
    }
}

#[test]
fn the_origin_and_the_leader_are_what_the_lists_say() {
    let root = "expected one that is named once, and borrowed or claimed at that place";
    for (refusal, expected) in [
        (
            refusal(|head| head.origin.as_mut().unwrap().roots.clear()),
            "the owner of a snapshot is the job by claim 1 at",
        ),
        (
            refusal_after_the_end(|head| drop(head.retained.remove(0))),
            "the origin is 1 roots, expected none, since HEAD does not list it",
        ),
        (
            refusal_after_the_end(|head| {
                head.retained.remove(0);
                let origin = head.origin.as_mut().unwrap();
                origin.roots.clear();
                origin.id = checkpoint(9000);
            }),
            "the number of the origin is 9000, expected a number below 1081, the first unreserved one",
        ),
        (
            refusal(|head| head.origin.as_mut().unwrap().roots[0].named = Root::JobTaskOwned),
            "the first root of the origin is the job's directory of task-owned files, here claim 1, at '",
        ),
        (
            refusal(|head| head.origin.as_mut().unwrap().roots[0].uri = uri("file:///other")),
            "the first root of the origin is the snapshot's own directory, here claim 1, at 'file:///other'",
        ),
        (refusal(|head| head.origin.as_mut().unwrap().roots[1].uri = uri("file:///other")), root),
        (refusal(|head| head.origin.as_mut().unwrap().roots[1].here = Root::Claimed(ClaimId::new(3))), root),
        (refusal(|head| head.origin.as_mut().unwrap().roots[1].here = Root::JobShared), root),
        (refusal(|head| head.origin.as_mut().unwrap().roots[2].named = Root::JobShared), root),
        (refusal(|head| head.origin.as_mut().unwrap().roots[2].uri = uri("s3://bucket/other/shared")), root),
        (
            refusal_after_the_end(|head| {
                let roots = &mut head.origin.as_mut().unwrap().roots;
                roots.push(SnapshotRoot::new(Root::JobShared, roots[0].here, uri("file:///shared")));
            }),
            root,
        ),
        (
            refusal(|head| head.first_reserved_id = checkpoint(2804)),
            "the epoch is 3 of snapshot 2802, expected at most 3, from number 2804 on just that",
        ),
        (
            refusal(|head| {
                head.stopped_at = None;
                head.first_reserved_id = checkpoint(2804);
            }),
            "a savepoint in progress is 2803, expected one of the present leader, from 2804 on",
        ),
        (
            refusal_after_the_end(|head| {
                head.epoch = LeaderEpoch::new(2);
                head.first_reserved_id = checkpoint(1082);
            }),
            "the leader's first checkpoint is 1082, expected at most 1081, the first unreserved one",
        ),
        (
            refusal(|head| head.restored_from = Some(checkpoint(9000))),
            "the restored checkpoint is 9000, expected a number below 3801",
        ),
        (
            refusal(|head| head.gone_back.as_mut().unwrap().from = checkpoint(9000)),
            "the snapshot that was gone back from is 9000, expected a number below 3801",
        ),
        (
            refusal(|head| head.gone_back.as_mut().unwrap().to = checkpoint(1905)),
            "the snapshot that was gone back to is 1905, expected an older one than 1905",
        ),
        (
            refusal(|head| head.gone_back.as_mut().unwrap().epoch = LeaderEpoch::new(4)),
            "the epoch of going back is 4, expected at most 3",
        ),
    ] {
        assert!(refusal.contains(expected), "{refusal}\n{expected}");
    }
}

#[test]
fn no_list_is_longer_than_it_may_be() {
    for (refusal, expected) in [
        (
            refusal(|head| repeat(&mut head.retained, Head::MAX_RETAINED + 1)),
            "the number of retained snapshots is 1025, expected at most 1024",
        ),
        (
            refusal(|head| repeat(&mut head.removed, Head::MAX_REMOVED + 1)),
            "the number of removed snapshots is 1025, expected at most 1024",
        ),
        (
            refusal(|head| repeat(&mut head.set_aside, Head::MAX_SET_ASIDE + 1)),
            "the number of snapshots set aside is 17, expected at most 16",
        ),
        (
            refusal_after_the_end(|head| repeat(&mut head.handed_over, Head::MAX_HANDED_OVER + 1)),
            "the number of snapshots handed over is 65, expected at most 64",
        ),
        (refusal(|head| repeat(&mut head.claims, Head::MAX_CLAIMS)), "the number of claims is 33, expected at most 32"),
        (
            refusal(|head| repeat(&mut head.origin.as_mut().unwrap().roots, Head::MAX_ROOTS + 1)),
            "the number of roots is 65, expected at most 64",
        ),
        (
            refusal(|head| repeat(&mut head.savepoints_in_progress, Head::MAX_SAVEPOINTS)),
            "the number of savepoints in progress is 65, expected at most 64",
        ),
        (
            refusal(|head| {
                let long = uri(&format!("file:///{}", "a".repeat(Uri::MAX_BYTES - 8)));
                repeat(&mut head.abandoned_savepoints, 16);
                head.abandoned_savepoints.iter_mut().for_each(|savepoint| savepoint.uri = long.clone());
            }),
            "expected at most 65536",
        ),
    ] {
        assert!(refusal.contains(expected), "{refusal}\n{expected}");
    }
}

#[test]
fn a_head_that_breaks_a_rule_is_not_read() {
    // The last fields of the body are the owner of the one removed snapshot, claim 1, and its two claims.
    let golden = golden::read("head");
    let body = &golden[16..golden.len() - 8];
    let (rest, owner) = body.split_at(body.len() - 5);
    assert_eq!(owner, [1, 1, 2, 1, 2]);
    for (owner, expected) in [
        (&[1, 3, 2, 1, 2][..], "the owner of a snapshot is the job by claim 3 at"),
        (&[2, 0], "the owner of a snapshot is somebody else at"),
        (&[0, 0], "the owner of a snapshot is the job at"),
        (&[3, 0], "HEAD cannot be decoded"),
        (&[1, 1, 3, 1, 2, 3], "the claim on a snapshot is 3, expected one that HEAD holds"),
    ] {
        let file = Envelope::HEAD.seal(&[rest, owner].concat());
        refused("HEAD", Head::decode(&file).unwrap_err(), expected);
    }
    let text = b"file:///savepoint-2";
    let at = body.windows(text.len()).position(|window| window == text).unwrap();
    for (byte, expected) in [(b'?', "the place of a snapshot: a URI of scheme 'file' has a query"), (b'\n', "control")]
    {
        let mut body = body.to_vec();
        body[at + 10] = byte;
        refused("HEAD", Head::decode(&Envelope::HEAD.seal(&body)).unwrap_err(), expected);
    }
}

#[test]
fn a_head_that_is_too_long_is_neither_written_nor_read() {
    let file = Envelope::HEAD.seal(&vec![0; Head::MAX_BYTES - 23]);
    refused("HEAD", Head::decode(&file).unwrap_err(), "the length is 262145, expected at most 262144");
}

/// The largest HEAD that the lists allow has room in the file.
#[test]
fn the_longest_lists_fit_into_the_file() {
    let mut head = fixed_head();
    let long = |index: usize| uri(&format!("file:///{}-{index}", "a".repeat(800)));
    head.unreserved_id = checkpoint(u64::MAX);
    head.first_reserved_id = checkpoint(u64::MAX - 5000);
    (head.stopped_at, head.gone_back, head.restored_from) = (None, None, None);
    head.savepoints_in_progress.clear();
    head.abandoned_savepoints = (0..Head::MAX_SAVEPOINTS as u64)
        .map(|number| SavepointInProgress::new(checkpoint(u64::MAX - 4000 + number), long(number as usize)))
        .collect();
    let own = head.retained.remove(0).below_claims([ClaimId::new(1), ClaimId::new(2)]);
    let mut numbers = u64::MAX - 9000..;
    let mut list = |count: usize| {
        let mut snapshot = |number| {
            let mut snapshot = own.clone();
            (snapshot.id, snapshot.metadata_bytes) = (checkpoint(number), u64::MAX);
            snapshot
        };
        numbers.by_ref().take(count).map(&mut snapshot).collect::<Vec<_>>()
    };
    let mut removed = list(Head::MAX_REMOVED - 1);
    head.removed.append(&mut removed);
    head.retained = list(Head::MAX_RETAINED);
    head.set_aside = list(Head::MAX_SET_ASIDE);
    let file = head.encode().unwrap();
    assert!(file.len() < Head::MAX_BYTES * 3 / 4, "{}", file.len());
    assert_eq!(Head::decode(&file).unwrap(), head);
}
