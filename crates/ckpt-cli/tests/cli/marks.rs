//! What marks beside a snapshot say, which no look at its files can tell.

use std::fs;

use ckpt_core::head::Nonce;
use ckpt_core::id::{CheckpointId, LeaderEpoch};
use ckpt_core::mark::{DisposalMark, OwnerRecord, SavepointMark};
use ckpt_core::state::ClaimId;
use ckpt_core::{Digest, Timestamp};
use serde_json::json;

use super::our_tree::{self, JOB};
use super::run::Tree;

const OTHER: &str = "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b";
const TIME: Timestamp = Timestamp::from_millis(1_795_000_000_123);
const SHOWN_TIME: &str = "2026-11-18T11:06:40.123Z";

/// Marks of the third checkpoint of the tree's job.
fn disposal() -> Vec<u8> {
    let snapshot = (JOB.parse().unwrap(), CheckpointId::new(3).unwrap());
    DisposalMark::new(snapshot, 100, Digest::of(b"its index"), Nonce::new([1; 16]), TIME).encode().unwrap().to_vec()
}

pub(crate) fn owner() -> Vec<u8> {
    let (job, epoch, claim) = (OTHER.parse().unwrap(), LeaderEpoch::new(7), ClaimId::new(1));
    OwnerRecord::new(job, epoch, claim, Nonce::new([1; 16]), TIME).encode().unwrap().to_vec()
}

pub(crate) fn savepoint() -> Vec<u8> {
    let (job, id, epoch) = (JOB.parse().unwrap(), CheckpointId::new(3).unwrap(), LeaderEpoch::new(1));
    SavepointMark::new(job, id, epoch, Nonce::new([1; 16]), TIME).encode().unwrap().to_vec()
}

/// The status that `ls` shows, with exit status.
fn status(tree: &Tree, snapshot: &str) -> (i32, String) {
    let run = tree.ckpt(&format!("ls {snapshot}"));
    let line = run.stdout.lines().nth(1).unwrap().to_owned();
    (run.status, line[line.find("complete").unwrap()..].to_owned())
}

#[test]
fn a_snapshot_that_is_being_disposed_of_is_not_well() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    let own = format!("jobs/{JOB}/chk-3");
    let (listed, (well, before)) = (format!(", being disposed of since {SHOWN_TIME}"), status(&tree, &own));
    assert_eq!(well, 0);
    tree.put(&format!("{own}/_disposing"), &disposal());
    assert_eq!(status(&tree, &own), (0, format!("{before}{listed}")));
    for line in [format!("verify {own}"), "verify jobs".to_owned()] {
        let run = tree.ckpt(&line);
        let expected = format!("being disposed of: _disposing: since {SHOWN_TIME}: nobody begins from it");
        assert!(run.status == 1 && run.stdout.contains(&expected), "{run:?}");
    }
    let report = tree.ckpt(&format!("verify --json {own}")).json();
    assert_eq!(report["snapshots"][0]["problems"][0]["kind"], "beingDisposedOf");
    let run = tree.ckpt(&format!("show {own}"));
    let expected = format!("_disposing: being disposed of since {SHOWN_TIME}\n");
    assert!(run.status == 0 && run.stdout.contains(&expected), "{run:?}");
    let expected = json!({ "disposal": { "job": JOB, "checkpointId": 3, "beganAt": SHOWN_TIME } });
    assert_eq!(tree.ckpt(&format!("show --json {own}")).json()["marks"], expected);
    assert_eq!(tree.ckpt(&format!("ls --json {own}")).json()["snapshots"][0]["marks"], expected);
}

#[test]
fn a_claimed_snapshot_is_well_even_where_a_disposal_was_refused() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    let own = format!("jobs/{JOB}/chk-3");
    let before = status(&tree, &own).1;
    tree.put(&format!("{own}/OWNER"), &owner());
    tree.put(&format!("{own}/_savepoint"), &savepoint());
    for is_refused in [false, true] {
        if is_refused {
            tree.put(&format!("{own}/_disposing"), &disposal());
        }
        assert_eq!(status(&tree, &own), (0, format!("{before}, claimed by job {OTHER}")));
        assert_eq!(tree.ckpt(&format!("verify {own}")).status, 0);
        let shown = tree.ckpt(&format!("show {own}")).stdout;
        assert!(shown.contains(&format!("OWNER: claimed by job {OTHER}\n")), "{shown}");
        assert!(shown.contains(&format!("_savepoint: savepoint 3 of job {JOB}, begun at {SHOWN_TIME}\n")), "{shown}");
        assert_eq!(shown.contains("; that was refused, since it is claimed\n"), is_refused, "{shown}");
    }
    let marks = &tree.ckpt(&format!("show --json {own}")).json()["marks"];
    assert_eq!(marks["owner"], json!({ "job": OTHER, "epoch": 7, "claimedAt": SHOWN_TIME }));
    assert_eq!(marks["savepoint"]["checkpointId"], 3);
}

#[test]
fn marks_that_cannot_be_read_are_problems() {
    for mark in ["_disposing", "OWNER", "_savepoint"] {
        let tree = Tree::new();
        our_tree::plant(&tree);
        let own = format!("jobs/{JOB}/chk-3");
        let path = tree.join(&format!("{own}/{mark}"));
        for found in ["junk", "a directory", "a file of any length"] {
            match found {
                "junk" => fs::write(&path, "junk").unwrap(),
                "a directory" => fs::create_dir(&path).unwrap(),
                _ => fs::File::create(&path).unwrap().set_len(1 << 40).unwrap(),
            }
            let run = tree.ckpt(&format!("verify {own}"));
            let expected = format!("\n  unreadable mark: {mark}: ");
            assert!(run.status == 1 && run.stdout.contains(&expected), "{mark}, {found}: {run:?}");
            let run = tree.ckpt(&format!("ls {own}"));
            let expected = format!("problem: {mark}: cannot be read: ");
            assert!(run.status == 1 && run.stdout.contains(&expected), "{mark}, {found}: {run:?}");
            let shown = tree.ckpt(&format!("show {own}")).stdout;
            assert!(shown.contains(&format!("{mark}: cannot be read: ")), "{mark}, {found}: {shown}");
            if path.is_dir() { fs::remove_dir(&path).unwrap() } else { fs::remove_file(&path).unwrap() }
        }
        assert_eq!(tree.ckpt(&format!("verify {own}")).status, 0);
    }
}
