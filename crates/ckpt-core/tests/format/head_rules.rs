//! A HEAD that breaks a rule is neither written nor read.

use ckpt_core::ErrorKind;
use ckpt_core::head::{Head, Ownership, SnapshotPlace};
use ckpt_core::id::LeaderEpoch;
use ckpt_core::snapshot::{AfterSavepoint, SavepointFormat, SnapshotKind};
use ckpt_core::state::ClaimId;

use crate::golden;
use crate::hostile::{refused, sealed};
use crate::samples::{checkpoint, fixed_head};

fn refusal(change: impl FnOnce(&mut Head)) -> String {
    let mut head = fixed_head();
    change(&mut head);
    let error = head.encode().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AbortCheckpoint, "{error}");
    error.to_string()
}

fn savepoint(then: AfterSavepoint) -> SnapshotKind {
    SnapshotKind::Savepoint { format: SavepointFormat::Native, then }
}

#[test]
fn a_head_that_breaks_a_rule_is_not_written() {
    for (refusal, expected) in [
        (refusal(|head| head.claims[1].id = ClaimId::new(1)), "the number of a claim is 1 after 1"),
        (
            refusal(|head| head.next_claim = ClaimId::new(3)),
            "the number of a claim is 3, expected one below the next, 3",
        ),
        (refusal(|head| head.claims[1].uri.clone_from(&fixed_head().claims[0].uri)), "as claim 1 does"),
        (refusal(|head| head.claims[0].uri = "a\nb".to_owned()), "the place of a claim is 'a\\nb', expected a URI"),
        (refusal(|head| _ = head.claims.pop()), "the claim on a snapshot is 3, expected one that HEAD holds"),
        (
            refusal(|head| head.removed[0].ownership = Ownership::Borrowed),
            "a removed snapshot is 7, expected none that is borrowed",
        ),
        (
            refusal(|head| head.removed[0].ownership = Ownership::Job),
            "the owner of a snapshot is Job at Elsewhere(\"file:///other/job/chk-7\"), expected the job's own in its own",
        ),
        (
            refusal(|head| head.retained[0].place = SnapshotPlace::JobDirectory),
            "the owner of a snapshot is Borrowed at JobDirectory",
        ),
        (
            refusal(|head| head.retained[0].place = SnapshotPlace::Elsewhere(String::new())),
            "the place of a snapshot is '', expected a URI of 1 to 4096 bytes",
        ),
        (
            refusal(|head| head.retained[1].kind = savepoint(AfterSavepoint::Continue)),
            "a snapshot of the job's own is savepoint, expected a checkpoint",
        ),
        (refusal(|head| head.retained[0].id = checkpoint(7)), "a snapshot is 7 (epoch 8) after 7 (epoch 9)"),
        (refusal(|head| head.retained[2].epoch = LeaderEpoch::new(1)), "1700 (epoch 1) after 1002 (epoch 2)"),
        (
            refusal(|head| head.unreserved_id = checkpoint(1700)),
            "the number of a snapshot is 1700, expected a number below 1700",
        ),
        (refusal(|head| head.epoch = LeaderEpoch::new(1)), "the epoch is 2 of snapshot 1002"),
        (
            refusal(|head| head.restored_from = Some(checkpoint(5000))),
            "the restored checkpoint is 5000, expected one below 2001",
        ),
        (
            refusal(|head| head.stopped_at.as_mut().unwrap().kind = savepoint(AfterSavepoint::Continue)),
            "what the job was stopped with is savepoint, expected a savepoint that stops the job",
        ),
        (
            refusal(|head| head.stopped_at.as_mut().unwrap().ownership = Ownership::Claimed(ClaimId::new(3))),
            "the owner of the savepoint that the job was stopped with is Claimed(ClaimId(3)), expected its user",
        ),
        (
            refusal(|head| head.stopped_at.as_mut().unwrap().id = checkpoint(1700)),
            "the savepoint that the job was stopped with is 1700, expected a number that no snapshot has",
        ),
        (
            refusal(|head| head.stopped_at.as_mut().unwrap().id = checkpoint(2001)),
            "the savepoint that the job was stopped with is 2001, expected a number below 2001",
        ),
        (
            refusal(|head| head.savepoints_in_progress.push(head.savepoints_in_progress[0].clone())),
            "a savepoint in progress is 1703 after 1703, expected numbers that ascend",
        ),
        (
            refusal(|head| head.savepoints_in_progress[0].id = checkpoint(1701)),
            "a savepoint in progress is 1701, expected one that the job was not stopped with",
        ),
        (
            refusal(|head| head.savepoints_in_progress[0].id = checkpoint(7)),
            "a savepoint in progress is 7, expected a number that no snapshot has",
        ),
        (
            refusal(|head| head.savepoints_in_progress[0].id = checkpoint(2001)),
            "a savepoint in progress is 2001, expected a number below 2001",
        ),
    ] {
        assert!(refusal.contains(expected), "{refusal}\n{expected}");
    }
}

#[test]
fn a_head_that_breaks_a_rule_is_not_read() {
    // The last field of the body is the owner of the one removed snapshot: claimed (1), by claim 3.
    let golden = golden::read("head");
    let body = &golden[16..golden.len() - 8];
    let (rest, owner) = body.split_at(body.len() - 2);
    assert_eq!(owner, [1, 3]);
    for (owner, expected) in [
        (&[1, 2][..], "the claim on a snapshot is 2, expected one that HEAD holds"),
        (&[2], "a removed snapshot is 7, expected none that is borrowed"),
        (&[0], "the owner of a snapshot is Job at Elsewhere"),
        (&[3], "HEAD cannot be decoded"),
    ] {
        let file = sealed(b"CKPTHEAD\x01\0\0\0", &[rest, owner].concat());
        refused("HEAD", Head::decode(&file).unwrap_err(), expected);
    }
}
