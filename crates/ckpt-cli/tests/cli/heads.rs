//! `ckpt verify` of what HEAD names.

use std::fs;

use ckpt_core::snapshot::JobEnd;
use serde_json::Value;

use super::our_tree::{self, JOB};
use super::run::Tree;

const OTHER: &str = "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b";

/// The problems of no snapshot in particular: kind, file, and what is said of it.
fn problems(tree: &Tree, line: &str) -> Vec<[String; 3]> {
    let run = tree.ckpt(&format!("verify --json {line}"));
    let report = run.json();
    let problems = report["problems"].as_array().unwrap().clone();
    let fit = report["snapshots"].as_array().unwrap().iter().all(|it| it["problems"].as_array().unwrap().is_empty());
    assert_eq!(run.status, i32::from(!fit || !problems.is_empty()), "{run:?}");
    let text = |problem: &Value, field: &str| problem[field].as_str().unwrap().to_owned();
    problems.iter().map(|problem| ["kind", "file", "message"].map(|field| text(problem, field))).collect()
}

fn one(kind: &str, file: &str, message: &str) -> Vec<[String; 3]> {
    vec![[kind, file, message].map(str::to_owned)]
}

fn here(tree: &Tree) -> String {
    format!("file://{}", tree.join(&format!("jobs/{JOB}")).display())
}

#[test]
fn what_head_retains_is_missing_though_nothing_else_is_there() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    for number in 1..=5 {
        fs::remove_dir_all(tree.join(&format!("jobs/{JOB}/chk-{number}"))).unwrap();
    }
    for base in ["jobs".to_owned(), format!("jobs/{JOB}")] {
        let problems = problems(&tree, &base);
        let files: Vec<_> = problems.iter().map(|[_, file, _]| file.rsplit_once('/').unwrap().1).collect();
        assert_eq!(files, ["chk-2", "chk-3"]);
        assert!(problems.iter().all(|[_, _, message]| message == "HEAD retains it, and it has no '_metadata'"));
    }
    let head = fs::read_dir(tree.join(&format!("jobs/{JOB}/head"))).unwrap().next().unwrap().unwrap().path();
    fs::write(head, "no HEAD").unwrap();
    let problems = problems(&tree, "jobs");
    assert!(problems.len() == 1 && problems[0][2].starts_with("its HEAD cannot be read"), "{problems:?}");
    // There is nothing that says that something was to be there.
    fs::remove_dir_all(tree.join(&format!("jobs/{JOB}/head"))).unwrap();
    assert_eq!(tree.ckpt("verify jobs").status, 2);
}

/// A job of ours writes HEAD before any checkpoint.
#[test]
fn a_job_with_checkpoints_must_have_its_head() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    let head = tree.join(&format!("jobs/{JOB}/head"));
    let message = "it has checkpoints of ours and no HEAD: which of them can be restored is not known";
    fs::remove_dir_all(&head).unwrap();
    for emptied in [false, true] {
        if emptied {
            fs::create_dir(&head).unwrap();
        }
        for base in ["jobs".to_owned(), format!("jobs/{JOB}")] {
            assert_eq!(problems(&tree, &base), one("metadata", &format!("/data/jobs/{JOB}"), message));
            let run = tree.ckpt(&format!("ls {base}"));
            assert!(run.status == 1 && run.stdout.contains(message), "{run:?}");
        }
        // Of one checkpoint alone that is not asked.
        assert_eq!(problems(&tree, &format!("jobs/{JOB}/chk-3")), one("", "", "")[1..]);
    }
    // Jobs of Flink's have none.
    super::flink_tree::moved_job(&tree);
    assert_eq!(problems(&tree, "checkpoints"), one("", "", "")[1..]);
}

#[test]
fn a_snapshot_elsewhere_must_be_there_and_be_what_head_names() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    our_tree::plant_claim(&tree, OTHER, &here(&tree));
    assert_eq!(problems(&tree, &format!("jobs/{OTHER}")), one("", "", "")[1..]);
    let chk = format!("jobs/{JOB}/chk-3");
    let uri = format!("file:///data/{chk}");
    // As long as it was.
    let well = fs::read(tree.join(&format!("{chk}/_metadata"))).unwrap();
    fs::copy(tree.join(&format!("jobs/{JOB}/chk-2/_metadata")), tree.join(&format!("{chk}/_metadata"))).unwrap();
    let found = problems(&tree, &format!("jobs/{OTHER}"));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0][..2], ["metadata", &uri]);
    assert!(found[0][2].starts_with("HEAD retains it, and its '_metadata' is not what HEAD names: "), "{found:?}");
    fs::write(tree.join(&format!("{chk}/_metadata")), super::flink_tree::metadata("1.14.6-finished-tasks")).unwrap();
    let other = "HEAD retains it, and its '_metadata' is not what HEAD names: it is Flink's, expected ours";
    assert_eq!(problems(&tree, &format!("jobs/{OTHER}")), one("metadata", &uri, other));
    let missing = one("missing", &uri, "HEAD retains it, and it has no '_metadata'");
    fs::remove_file(tree.join(&format!("{chk}/_metadata"))).unwrap();
    assert_eq!(problems(&tree, &format!("jobs/{OTHER}")), missing);
    // Where a map says, and there alone.
    tree.put(&format!("{chk}/_metadata"), &well);
    let map = |to: &str| format!("jobs/{OTHER} --map-root {}={to}", tree.join(&chk).display());
    assert_eq!(problems(&tree, &map(&chk)), one("", "", "")[1..]);
    assert_eq!(problems(&tree, &map("nowhere"))[..1], missing);
}

#[test]
fn a_snapshot_on_another_file_system_needs_a_map() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    our_tree::plant_claim(&tree, OTHER, "s3://bucket/before%20now");
    let uri = "s3://bucket/before%20now/chk-3";
    let message =
        "HEAD retains it, and it lies on a file system of the scheme 's3': say with --map-root where it is here";
    assert_eq!(problems(&tree, &format!("jobs/{OTHER}")), one("elsewhere", uri, message));
    let job = format!("jobs/{OTHER}");
    let run = tree.run(["verify", &job, "--map-root", &format!("s3://bucket/before now=jobs/{JOB}")]);
    assert_eq!((run.status, run.stdout.as_str(), run.stderr.as_str()), (0, "0 snapshots, 0 problems\n", ""));
}

#[test]
fn claims_must_be_there() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    our_tree::plant_claim(&tree, OTHER, &here(&tree));
    fs::remove_dir_all(tree.join(&format!("jobs/{JOB}/shared"))).unwrap();
    let message = "HEAD has claimed it (claim 2), and there is no such directory";
    let uri = format!("file:///data/jobs/{JOB}/shared");
    assert_eq!(problems(&tree, &format!("jobs/{OTHER}")), one("missing", &uri, message));
    // What is retained no more needs them no more.
    let id = our_tree::plant_commit_after_claim(&tree, OTHER);
    let retained = format!("/data/jobs/{OTHER}/chk-{id}");
    let message = "HEAD retains it, and it has no '_metadata'";
    assert_eq!(problems(&tree, &format!("jobs/{OTHER}")), one("metadata", &retained, message));
}

/// It is a number of another job, so what has it here is not what HEAD names.
#[test]
fn a_checkpoint_with_the_number_of_a_claimed_one_is_another() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    our_tree::plant_claim(&tree, OTHER, &here(&tree));
    let metadata = fs::read(tree.join(&format!("jobs/{JOB}/chk-2/_metadata"))).unwrap();
    tree.put(&format!("jobs/{OTHER}/chk-3/_metadata"), &metadata);
    let run = tree.ckpt(&format!("verify jobs/{OTHER}/chk-3"));
    assert!(!run.stdout.contains("HEAD"), "{run:?}");
    our_tree::plant_commit_after_claim(&tree, OTHER);
    let report = tree.ckpt(&format!("verify --json jobs/{OTHER}")).json();
    assert_eq!((&report["skipped"], report["snapshots"].as_array().unwrap().len()), (&Value::Array(Vec::new()), 1));
}

#[test]
fn the_savepoint_that_a_job_was_stopped_with_must_be_there() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    our_tree::plant_savepoints(&tree, "s/taken", "s/stopped");
    let uri = "file:///data/s/stopped";
    let message = "HEAD says that the job was stopped with it, and it has no '_metadata'";
    assert_eq!(problems(&tree, "jobs"), one("missing", uri, message));
    // One that is being taken needs not be whole.
    fs::remove_dir_all(tree.join("s/taken")).unwrap();
    assert_eq!(problems(&tree, "jobs").len(), 1);
}

#[test]
fn what_head_keeps_as_evidence_must_be_there() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    our_tree::plant_going_back(&tree);
    assert_eq!(problems(&tree, "jobs"), one("", "", "")[1..]);
    fs::remove_dir_all(tree.join(&format!("jobs/{JOB}/chk-3"))).unwrap();
    let file = format!("/data/jobs/{JOB}/chk-3");
    let message = "HEAD keeps it as evidence, and it has no '_metadata'";
    assert_eq!(problems(&tree, "jobs"), one("metadata", &file, message));
}

#[test]
fn what_head_does_not_name_is_told_and_is_no_problem() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    tree.put(&format!("jobs/{JOB}/notes.txt"), b"mine");
    let job = |tree: &Tree| tree.ckpt("verify --json jobs").json()["jobs"][0].clone();
    // The leader in office may commit what it published yet.
    let active = job(&tree);
    assert_eq!((&active["state"], &active["version"], &active["epoch"]), (&"active".into(), &4.into(), &1.into()));
    assert_eq!((&active["removed"]["1"]["files"], &active["orphans"]), (&3.into(), &serde_json::json!({})));
    assert_eq!(
        (&active["ofTheLeader"]["files"], &active["unknownPaths"]),
        (&8.into(), &serde_json::json!(["notes.txt"]))
    );
    // When it is gone nobody will.
    our_tree::plant_end(&tree, JobEnd::Failed);
    let ended = job(&tree);
    assert_eq!((&ended["orphans"]["1"]["files"], &ended["ofTheLeader"]["files"]), (&8.into(), &0.into()));
    let run = tree.ckpt("verify jobs");
    assert!(
        run.status == 0 && run.stdout.contains("  orphans: 8 files (395.6 KiB) of epoch 1, which nothing names\n"),
        "{run:?}"
    );
    // What a collection would find.
    let plan = tree.ckpt(&format!("gc --json jobs/{JOB}")).json();
    assert_eq!(plan["collectable"][1]["files"], ended["orphans"]["1"]["files"]);
    assert_eq!(tree.ckpt(&format!("gc --yes jobs/{JOB}")).status, 0);
    let left = job(&tree);
    assert_eq!((&left["orphans"], &left["removed"]), (&serde_json::json!({}), &serde_json::json!({})));
}

#[test]
fn versions_of_head_are_held_against_each_other() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    our_tree::plant_end(&tree, JobEnd::Failed);
    let version = |number: u64| tree.join(&format!("jobs/{JOB}/head/HEAD-{number:020}"));
    assert_eq!(problems(&tree, "jobs"), one("", "", "")[1..]);
    // HEAD is the newest, and what is missing before it is no HEAD that anybody restores; but nobody deletes one of them.
    fs::remove_file(version(4)).unwrap();
    let directory = format!("/data/jobs/{JOB}/head");
    let message = "HEAD has versions 3 and 5, and version 4 is missing";
    assert_eq!(problems(&tree, "jobs"), one("metadata", &directory, message));
    // Markers cover what is gone.
    tree.put(&format!("jobs/{JOB}/head/DEAD-{:020}", 4), b"");
    assert_eq!(problems(&tree, "jobs"), one("", "", "")[1..]);
    // A version under another number is none.
    fs::rename(version(6), version(7)).unwrap();
    fs::copy(version(5), version(6)).unwrap();
    let found = problems(&tree, "jobs");
    assert!(found[0][2].contains("its HEAD of version 7 says that it is version 6"), "{found:?}");
    let run = tree.ckpt("ls jobs");
    assert!(run.status == 1 && run.stdout.contains("its HEAD of version 7 says that it is version 6"), "{run:?}");
    // Nor is there one at all when a marker says that all are dead.
    tree.put(&format!("jobs/{JOB}/head/DEAD-{:020}", 9), b"");
    let found = problems(&tree, "jobs");
    assert!(found[0][2].contains("its HEAD cannot be read: "), "{found:?}");
}

#[test]
fn a_savepoint_that_was_given_up_is_incomplete_and_no_damage() {
    let tree = Tree::new();
    let directory = "s/savepoint-0a0a0a-0123456789ab";
    tree.put(&format!("{directory}/_metadata"), &super::marks::savepoint());
    let run = tree.ckpt("ls s");
    assert!(run.status == 0 && run.stdout.contains("incomplete"), "{run:?}");
    for (command, status) in [("verify", 2), ("show", 2), ("rm", 2)] {
        let run = tree.ckpt(&format!("{command} {directory}"));
        assert_eq!((run.status, run.stdout.as_str()), (status, ""), "{run:?}");
    }
    assert!(tree.ckpt(&format!("show {directory}")).stderr.contains("was given up before it was complete"));
    let above = tree.ckpt("verify s");
    assert!(above.status == 2 && above.stderr.contains("there is nothing to verify below"), "{above:?}");
}
