//! `ckpt gc`: what it says before, what it deletes, and what it refuses.

use std::fs;
use std::os::unix::fs::symlink;

use ckpt_core::head::JobState;
use ckpt_core::snapshot::JobEnd;

use super::flink_tree::metadata;
use super::our_tree::{self, JOB};
use super::run::Tree;

const OTHER: &str = "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b";

fn job() -> String {
    format!("jobs/{JOB}")
}

fn refused(tree: &Tree, arguments: &str, message: &str) {
    let before = tree.contents();
    for yes in ["", "--yes", "--json --yes"] {
        let run = tree.ckpt(&format!("gc {yes} {arguments}"));
        assert_eq!((run.status, run.stdout.as_str(), run.stderr.lines().count()), (2, "", 1), "{run:?}");
        assert!(run.stderr.contains(message), "{run:?}");
    }
    assert_eq!(tree.contents(), before);
}

fn planted() -> Tree {
    let tree = Tree::new();
    our_tree::plant(&tree);
    tree.put(&format!("{}/notes.txt", job()), b"mine");
    fs::create_dir(tree.join(&format!("{}/chk-7", job()))).unwrap();
    tree
}

#[test]
fn it_says_what_it_would_delete_and_does_it_when_told() {
    let tree = planted();
    our_tree::plant_end(&tree, JobEnd::Failed);
    let before = tree.contents();
    let plan = format!("gc {}", job());
    assert_eq!(tree.ckpt(&plan).status, 0);
    assert_eq!(tree.contents(), before, "nothing without --yes");
    tree.assert_snapshot("gc", &[&plan, &format!("gc --yes {}", job()), &plan]);
    let left = |number: u64| tree.join(&format!("{}/chk-{number}", job())).exists();
    assert_eq!([1, 2, 3, 4, 5, 7].map(left), [false, true, true, false, false, false]);
    let run = tree.ckpt("verify jobs");
    assert_eq!(run.status, 0, "{run:?}");
    assert!(tree.join(&format!("{}/notes.txt", job())).exists());
    // When nothing is retained any more, nothing is left but HEAD, and what nobody knows.
    for number in [2, 3] {
        assert_eq!(tree.ckpt(&format!("rm --yes {}/chk-{number}", job())).status, 0);
    }
    tree.put(&format!("{}/taskowned/0000000000000001-0000000000000001-00000007", job()), b"of a task");
    let done = tree.ckpt(&format!("gc --json --yes {}", job())).json();
    assert_eq!(done["collectable"][0]["why"], "taskOwned", "{done}");
    let left = tree.files();
    assert!(
        left.iter().all(|path| path.ends_with("notes.txt") || path.parent().unwrap().ends_with("head")),
        "{left:?}"
    );
}

#[test]
fn json_says_the_same() {
    let tree = planted();
    our_tree::plant_end(&tree, JobEnd::Failed);
    let plan = tree.ckpt(&format!("gc --json {}", job())).json();
    let of = |why: &str| {
        let groups = plan["collectable"].as_array().unwrap();
        groups.iter().find(|group| group["why"] == why).unwrap().clone()
    };
    assert_eq!((&of("removed")["checkpointId"], &of("orphan")["epoch"]), (&1.into(), &1.into()));
    assert_eq!((&plan["unknown"]["files"], &plan["unknown"]["paths"]), (&1.into(), &serde_json::json!(["notes.txt"])));
    assert_eq!((&plan["emptyDirectories"], &plan["deleted"]), (&1.into(), &serde_json::Value::Null));
    let files: u64 = plan["collectable"].as_array().unwrap().iter().map(|group| group["files"].as_u64().unwrap()).sum();
    let done = tree.ckpt(&format!("gc --json --yes {}", job())).json();
    assert_eq!((&done["deleted"]["files"], &done["left"]["files"]), (&files.into(), &0.into()));
    assert_eq!((&done["head"]["state"], &done["head"]["stateAfter"]), (&"failed".into(), &"failed".into()));
}

#[test]
fn an_active_job_is_refused_unless_it_is_taken_over_and_stays_active_then() {
    let tree = planted();
    refused(&tree, &job(), &format!("take it over with `--take-over {JOB}`, which fences whoever still does"));
    refused(&tree, &format!("--take-over {OTHER} {}", job()), &format!("is {JOB}, expected job {OTHER}"));
    let epoch = our_tree::head_of(&tree).epoch;
    let before = tree.contents();
    let plan = tree.ckpt(&format!("gc --take-over {JOB} {}", job()));
    assert!(plan.status == 0 && plan.stdout.contains("whoever leads it would be fenced; it stays active"), "{plan:?}");
    assert_eq!(tree.contents(), before);
    let done = tree.ckpt(&format!("gc --yes --take-over {JOB} {}", job()));
    assert!(done.status == 0 && done.stdout.contains("whoever leads it was fenced; it stays active"), "{done:?}");
    let head = our_tree::head_of(&tree);
    assert_eq!((head.state, head.restore_point().map(|point| point.id.get())), (JobState::Active, Some(3)));
    assert!(head.epoch > epoch && head.removed.is_empty());
    assert_eq!(tree.ckpt("verify jobs").status, 0);
}

#[test]
fn what_is_no_job_of_ours_is_refused() {
    let tree = planted();
    our_tree::plant_end(&tree, JobEnd::Failed);
    tree.put(&format!("flink/{OTHER}/chk-1/_metadata"), &metadata("2.2.1-flip27-coordinator"));
    tree.put("file", b"hello, world");
    refused(&tree, "missing", "there is nothing at 'missing'");
    refused(&tree, "file", "'file' is no directory");
    symlink(tree.join(&job()), tree.join("link")).unwrap();
    let run = tree.ckpt("gc --yes link");
    assert!(run.status == 2 && run.stderr.contains("'link' is a link: name the directory itself"), "{run:?}");
    fs::remove_file(tree.join("link")).unwrap();
    refused(&tree, "jobs", "has no HEAD: which of the files in it are needed is not known");
    refused(&tree, &format!("flink/{OTHER}"), "has no HEAD");
    refused(&tree, &format!("{}/chk-2", job()), "is the directory of a snapshot, expected that of a job: `ckpt rm`");
    refused(&tree, &format!("flink/{OTHER}/chk-1"), "is the directory of a snapshot");
    // One that was given another job's name, or whose checkpoints cannot be read: nobody knows what is needed.
    fs::rename(tree.join(&job()), tree.join(&format!("jobs/{OTHER}"))).unwrap();
    refused(&tree, &format!("jobs/{OTHER}"), &format!("is that of job {JOB}, expected job {OTHER}"));
    fs::rename(tree.join(&format!("jobs/{OTHER}")), tree.join(&job())).unwrap();
    tree.change(&format!("{}/chk-3/_metadata", job()), |bytes| bytes[40] ^= 1);
    refused(&tree, &job(), "chk-3/_metadata' cannot be used");
}
