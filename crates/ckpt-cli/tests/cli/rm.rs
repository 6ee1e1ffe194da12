//! `ckpt rm`: what it says before, what it does, and what it refuses.

use std::fs;
use std::os::unix::fs::symlink;

use ckpt_core::head::JobState;
use ckpt_core::id::CheckpointId;
use ckpt_core::snapshot::{AfterSavepoint, JobEnd};

use super::flink_tree::metadata;
use super::our_tree::{self, JOB};
use super::run::Tree;

const OTHER: &str = "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b";

fn checkpoint(number: u64) -> String {
    format!("jobs/{JOB}/chk-{number}")
}

fn retained(tree: &Tree) -> Vec<u64> {
    our_tree::head_of(tree).retained.iter().map(|snapshot| snapshot.id.get()).collect()
}

fn ended() -> Tree {
    let tree = Tree::new();
    our_tree::plant(&tree);
    our_tree::plant_end(&tree, JobEnd::Failed);
    tree
}

/// Refused with that, and nothing is changed; with and without `--yes`.
fn refused(tree: &Tree, arguments: &str, message: &str) {
    let before = tree.contents();
    for yes in ["", "--yes", "--json --yes"] {
        let run = tree.ckpt(&format!("rm {yes} {arguments}"));
        assert_eq!((run.status, run.stdout.as_str(), run.stderr.lines().count()), (2, "", 1), "{run:?}");
        assert!(run.stderr.contains(message), "{run:?}");
    }
    assert_eq!(tree.contents(), before);
}

#[test]
fn it_says_what_it_would_do_and_does_it_when_told() {
    let tree = ended();
    tree.put(&format!("{}/notes.txt", checkpoint(3)), b"mine");
    let before = tree.contents();
    let second = checkpoint(2);
    let plan = format!("rm {second}");
    assert_eq!(tree.ckpt(&plan).status, 0);
    assert_eq!(tree.contents(), before, "nothing without --yes");
    let lines = [&*plan, &format!("rm --yes {second}"), &plan, &format!("rm --yes {}/_metadata", checkpoint(3))];
    tree.assert_snapshot("rm", &lines);
    assert_eq!(retained(&tree), [0; 0]);
    assert_eq!(fs::read_dir(tree.join(&checkpoint(3))).unwrap().count(), 1);
    assert_eq!(our_tree::head_of(&tree).removed.iter().map(|it| it.id.get()).collect::<Vec<_>>(), [1]);
}

#[test]
fn json_says_the_same() {
    let tree = ended();
    let third = checkpoint(3);
    let plan = tree.ckpt(&format!("rm --json {third}")).json();
    assert_eq!(
        (&plan["standing"], &plan["isRestorePoint"], &plan["checkpointId"]),
        (&"retained".into(), &true.into(), &3.into())
    );
    assert_eq!((&plan["deleted"], &plan["head"]["versionAfter"]), (&serde_json::Value::Null, &serde_json::Value::Null));
    let done = tree.ckpt(&format!("rm --json --yes {third}")).json();
    let sum = |field: &str| plan["own"][field].as_u64().unwrap();
    // A shared file for each of its two subtasks.
    assert_eq!((done["deleted"]["files"].as_u64(), done["shared"].as_u64()), (Some(sum("files") + 2), Some(2)));
    assert!(done["deleted"]["bytes"].as_u64().unwrap() > sum("bytes") + 200_000);
    assert!(done["head"]["versionAfter"].as_u64() > done["head"]["version"].as_u64());
    assert_eq!(done["errors"], serde_json::json!([]));
}

#[test]
fn an_active_job_is_refused_with_what_to_do_instead() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    let instead = format!(
        "job {JOB} is active (HEAD version 4, epoch 1): its coordinator deletes what it needs no more; end the job, or, when \
         nobody runs it any more, take it over with `--take-over {JOB}`, which fences whoever still does"
    );
    (1..=5).for_each(|number| refused(&tree, &checkpoint(number), &instead));
    let other = format!("is {JOB}, expected job {OTHER}, which is to be taken over");
    refused(&tree, &format!("--take-over {OTHER} {}", checkpoint(2)), &other);
    refused(
        &tree,
        &format!("--take-over {JOB} {}", checkpoint(4)),
        &format!("`ckpt gc --take-over {JOB}` collects it"),
    );
    let run = tree.ckpt(&format!("rm --take-over 7 {}", checkpoint(2)));
    assert!(run.status == 2 && run.stderr.contains("invalid value '7'"), "{run:?}");
}

/// What is left is told, and that nobody goes on with it.
#[test]
fn a_job_that_is_taken_over_is_ended_if_it_retains_the_checkpoint() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    let arguments = format!("--take-over {JOB} {}", checkpoint(2));
    let before = tree.contents();
    let plan = tree.ckpt(&format!("rm {arguments}"));
    assert!(
        plan.stdout.contains("whoever leads the job would be fenced, and the job would be ended as cancelled"),
        "{plan:?}"
    );
    assert_eq!(tree.contents(), before);
    let done = tree.ckpt(&format!("rm --yes {arguments}"));
    assert!(done.status == 0 && done.stdout.contains("was fenced, and the job was ended as cancelled"), "{done:?}");
    assert_eq!((retained(&tree), our_tree::head_of(&tree).state), (vec![3], JobState::Cancelled));
    assert_eq!(tree.ckpt(&format!("verify {}", checkpoint(3))).status, 0);
    // One that is removed already needs no end.
    let tree = Tree::new();
    our_tree::plant(&tree);
    let done = tree.ckpt(&format!("rm --yes --take-over {JOB} {}", checkpoint(1)));
    assert!(done.status == 0 && done.stdout.contains("it stays active"), "{done:?}");
    assert_eq!((retained(&tree), our_tree::head_of(&tree).state), (vec![2, 3], JobState::Active));
}

#[test]
fn what_was_interrupted_goes_on() {
    let tree = ended();
    fs::rename(tree.join(&checkpoint(3)), tree.join("kept")).unwrap();
    // HEAD has dropped it, and its directory may be gone already.
    let done = tree.ckpt(&format!("rm --yes {}", checkpoint(3)));
    assert!(done.status == 0 && !our_tree::head_of(&tree).removed.iter().any(|it| it.id.get() == 3), "{done:?}");
    refused(&tree, &checkpoint(3), "there is nothing at");
    // Something keeps the files: HEAD names it no more, and the next call goes on.
    let second = tree.join(&checkpoint(2));
    fs::remove_file(second.join("_metadata")).unwrap();
    fs::create_dir_all(second.join("_metadata/of/mine")).unwrap();
    let run = tree.ckpt(&format!("rm --yes {}", checkpoint(2)));
    assert!(run.status == 1 && run.stdout.contains("not all is gone: the same command again goes on"), "{run:?}");
    assert!(our_tree::head_of(&tree).removed.iter().any(|removed| removed.id == CheckpointId::new(2).unwrap()));
    fs::remove_dir_all(second.join("_metadata")).unwrap();
    assert_eq!(tree.ckpt(&format!("rm --yes {}", checkpoint(2))).status, 0);
    assert!(!our_tree::head_of(&tree).removed.iter().any(|removed| removed.id == CheckpointId::new(2).unwrap()));
}

#[test]
fn what_no_head_names_is_disposed_of() {
    let tree = ended();
    // Published and never committed.
    let plan = tree.ckpt(&format!("rm {}", checkpoint(4)));
    assert!(plan.status == 0 && plan.stdout.contains("no HEAD names it\nwould be deleted: "), "{plan:?}");
    assert!(tree.ckpt(&format!("rm --yes {}", checkpoint(4))).status == 0 && !tree.join(&checkpoint(4)).exists());
    // A savepoint, with what somebody put beside it.
    our_tree::plant_savepoint(&tree, "s/savepoint-0a0a0a-0123456789ab", AfterSavepoint::Continue);
    tree.put("s/savepoint-0a0a0a-0123456789ab/notes.txt", b"mine");
    let run = tree.ckpt("rm --yes s/savepoint-0a0a0a-0123456789ab");
    assert!(run.status == 0 && run.stdout.contains("stays: "), "{run:?}");
    assert_eq!(fs::read_dir(tree.join("s/savepoint-0a0a0a-0123456789ab")).unwrap().count(), 1);
    // The checkpoint of a job that has lost its HEAD.
    fs::remove_dir_all(tree.join(&format!("jobs/{JOB}/head"))).unwrap();
    assert_eq!(tree.ckpt(&format!("rm --yes {}", checkpoint(2))).status, 0);
    assert!(!tree.join(&checkpoint(2)).exists());
}

#[test]
fn the_savepoint_that_a_job_goes_on_from_stays() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    let stopped = "s/savepoint-0a0a0a-0123456789ab";
    our_tree::plant_savepoints(&tree, "s/savepoint-0a0a0a-ba9876543210", stopped);
    our_tree::plant_savepoint(&tree, stopped, AfterSavepoint::Suspend);
    let needed = format!("from which alone job {JOB} goes on");
    // Found beside it; or where it is said to be, when it was moved away.
    refused(&tree, stopped, &needed);
    fs::create_dir_all(tree.join("far/away")).unwrap();
    fs::rename(tree.join("jobs"), tree.join("far/away/jobs")).unwrap();
    let plan = tree.ckpt(&format!("rm {stopped}"));
    assert!(plan.status == 0 && plan.stdout.contains("warning: job 0a0a"), "{plan:?}");
    refused(&tree, &format!("--job-dir far/away/jobs/{JOB} {stopped}"), &needed);
    refused(&tree, &format!("--job-dir far {stopped}"), "is no directory of a job: it has no HEAD");
    // When the job has ended it is its user's.
    fs::rename(tree.join("far/away/jobs"), tree.join("jobs")).unwrap();
    our_tree::plant_end(&tree, JobEnd::Finished);
    assert_eq!(tree.ckpt(&format!("rm --yes {stopped}")).status, 0);
}

#[test]
fn what_is_none_of_ours_to_remove_is_refused() {
    let tree = ended();
    tree.put("flink/chk-1/_metadata", &metadata("2.2.1-flip27-coordinator"));
    tree.put("text/_metadata", b"hello, world");
    tree.put("file", b"hello, world");
    tree.put("nothing/here", b"");
    fs::copy(tree.join(&checkpoint(4)).join("_metadata"), tree.join("text/other")).unwrap();
    refused(&tree, "missing", "there is nothing at 'missing'");
    refused(&tree, "missing/chk-1", "there is nothing at");
    refused(&tree, "flink/chk-1", "is a snapshot of Flink: only Flink, or its owner, deletes it");
    refused(&tree, "text", "'text' stays as it is: ");
    refused(&tree, "file", "'file' is no directory, expected that of a checkpoint or savepoint");
    refused(&tree, "nothing", "there is nothing to dispose of");
    symlink(tree.join(&checkpoint(2)), tree.join("link")).unwrap();
    let run = tree.ckpt("rm --yes link");
    assert!(run.status == 2 && run.stderr.contains("'link' is a link: name the directory itself"), "{run:?}");
    fs::remove_file(tree.join("link")).unwrap();
    refused(
        &tree,
        &format!("jobs/{JOB}"),
        "is the directory of a job, expected that of a checkpoint or savepoint: `ckpt gc`",
    );
    refused(&tree, &format!("jobs/{JOB}/shared"), "of what belongs to a job as a whole");
    refused(&tree, &format!("--take-over {JOB} text"), "no HEAD names 'text', so there is no job to take over");
    // Neither is what others have taken over, or one that is being taken.
    our_tree::plant_handing_over(&tree, OTHER);
    refused(&tree, &checkpoint(3), &format!("snapshot 3 belongs to job {OTHER}, which has taken it over"));
    our_tree::plant_savepoint(&tree, "s/savepoint-0a0a0a-0123456789ab", AfterSavepoint::Continue);
    tree.put("s/savepoint-0a0a0a-0123456789ab/OWNER", &super::marks::owner());
    refused(&tree, "s/savepoint-0a0a0a-0123456789ab", "belongs to job");
    tree.put("taken/_savepoint", &super::marks::savepoint());
    refused(&tree, "taken", "is not complete: it is being taken");
    // And what says nothing that can be relied on.
    tree.change(&format!("jobs/{JOB}/head/HEAD-{:020}", our_tree::head_of(&tree).version.get()), |bytes| {
        bytes[30] ^= 1
    });
    refused(&tree, &checkpoint(2), "cannot be used");
    refused(&tree, &checkpoint(4), "cannot be used");
}
