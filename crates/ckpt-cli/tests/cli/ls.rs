//! `ckpt ls`.

use std::fs;

use ckpt_core::snapshot::JobEnd;

use super::flink_tree;
use super::our_tree::{self, JOB};
use super::run::Tree;

#[test]
fn jobs_checkpoints_and_savepoints_are_listed() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    flink_tree::moved_job(&tree);
    tree.assert_snapshot("ls", &["ls .", &format!("ls jobs/{JOB}"), "ls savepoints"]);
    tree.assert_snapshot("ls-json", &["ls --json jobs"]);
}

#[test]
fn what_head_says_of_each_checkpoint_is_told() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    let listing = tree.ckpt("ls --json .").json();
    let standing = |id: u64| {
        let snapshots = listing["snapshots"].as_array().unwrap();
        snapshots.iter().find(|it| it["checkpointId"] == id).unwrap()["standing"].as_str().unwrap().to_owned()
    };
    let expected = ["removed", "retained", "restorePoint", "notCommitted", "unfinished"];
    assert_eq!((1..=5).map(standing).collect::<Vec<_>>(), expected);
}

#[test]
fn savepoints_of_a_job_are_known_by_where_they_lie() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    let (in_progress, stopped_at) = ("s/savepoint-0a0a0a-000000000001", "s/savepoint-0a0a0a-000000000002");
    our_tree::plant_savepoints(&tree, in_progress, stopped_at);
    let listing = tree.ckpt("ls --json .").json();
    let standing = |path: &str| {
        let snapshots = listing["snapshots"].as_array().unwrap();
        snapshots.iter().find(|it| it["path"] == path).unwrap()["standing"].as_str().unwrap().to_owned()
    };
    assert_eq!([in_progress, stopped_at].map(standing), ["inProgress", "restorePoint"]);
    assert_eq!(standing(&format!("jobs/{JOB}/chk-3")), "retained");
    assert_eq!(listing["jobs"][0]["head"]["stoppedAt"], listing["jobs"][0]["head"]["restorePoint"]);
    // The one that the job was stopped with must be whole, and there, wherever it lies.
    let problems = |directory: &str| {
        let listing = tree.ckpt(&format!("ls --json {directory}")).json();
        let problems = listing["problems"].as_array().unwrap().iter();
        problems.map(|it| format!("{}: {}", it["path"], it["message"])).collect::<Vec<_>>()
    };
    let says = |path: &str, what: &str| vec![format!("\"{path}\": \"HEAD says that {what}\"")];
    assert_eq!(problems("."), says(stopped_at, "it is newest restorable, and it has no '_metadata'"));
    let stopped = "the job was stopped with it, and";
    let path = format!("/data/{stopped_at}");
    assert_eq!(problems("jobs"), says(&path, &format!("{stopped} it has no '_metadata'")));
    fs::remove_dir(tree.join(stopped_at)).unwrap();
    assert_eq!(problems("jobs"), says(&path, &format!("{stopped} there is no such directory")));
    assert_eq!(problems("s"), [""; 0]);
}

#[test]
fn what_is_kept_as_evidence_must_be_there() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    our_tree::plant_gone_back(&tree);
    let run = tree.ckpt("ls jobs");
    assert_eq!((run.status, run.stdout.matches("complete, set aside\n").count()), (0, 1), "{run:?}");
    let metadata = tree.join(&format!("jobs/{JOB}/chk-3/_metadata"));
    fs::remove_file(metadata).unwrap();
    let run = tree.ckpt("ls jobs");
    assert!(
        run.status == 1 && run.stdout.contains("HEAD says that it is set aside, and it has no '_metadata'"),
        "{run:?}"
    );
}

#[test]
fn what_another_job_has_claimed_is_told_apart_from_what_nobody_committed() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    our_tree::plant_end(&tree, JobEnd::Cancelled);
    our_tree::plant_handing_over(&tree, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b");
    let run = tree.ckpt("ls jobs");
    assert_eq!(run.stdout.matches("complete, handed over\n").count(), 1, "{run:?}");
    assert!(tree.ckpt("ls jobs --json").stdout.contains("\"standing\": \"handedOver\""));
}

#[test]
fn checkpoints_stand_in_the_order_of_their_numbers() {
    let tree = Tree::new();
    for number in [10, 9, 100, 1] {
        fs::create_dir_all(tree.join(&format!("{JOB}/chk-{number}"))).unwrap();
    }
    let listing = tree.ckpt("ls --json .").json();
    let ids: Vec<_> =
        listing["snapshots"].as_array().unwrap().iter().map(|it| it["checkpointId"].as_u64().unwrap()).collect();
    assert_eq!(ids, [1, 9, 10, 100]);
}

#[test]
fn damage_is_listed_beside_what_is_well() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    tree.change(&format!("jobs/{JOB}/chk-3/_metadata"), |bytes| {
        bytes.pop();
    });
    fs::remove_dir_all(tree.join(&format!("jobs/{JOB}/chk-2"))).unwrap();
    tree.put(&format!("jobs/{}/head/HEAD-00000000000000000001", "0b".repeat(16)), b"no HEAD at all");
    tree.put("savepoint-f1f1f1-87eae83dd8ed/_metadata", b"what is this?");
    let before = tree.contents();
    tree.assert_snapshot("ls-damaged", &["ls ."]);
    assert_eq!(tree.contents(), before);
}

/// A HEAD is read for those of whom it speaks.
#[test]
fn a_damaged_head_is_told_of_a_snapshot_and_of_nothing_else() {
    let tree = Tree::new();
    tree.put(&format!("{JOB}/head/HEAD-00000000000000000001"), b"no HEAD at all");
    for directory in ["chk-1", "shared"] {
        fs::create_dir(tree.join(&format!("{JOB}/{directory}"))).unwrap();
    }
    let listed = |directory: &str| tree.ckpt(&format!("ls --json {JOB}/{directory}"));
    let run = listed("chk-1");
    assert_eq!((run.status, &run.json()["problems"][0]["path"]), (1, &format!("/data/{JOB}").into()));
    assert_eq!(listed("shared").status, 0);
}

#[test]
fn links_to_directories_are_not_followed() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    fs::create_dir(tree.join("links")).unwrap();
    std::os::unix::fs::symlink(tree.join("jobs"), tree.join("links/jobs")).unwrap();
    std::os::unix::fs::symlink("..", tree.join("links/up")).unwrap();
    let run = tree.ckpt("ls links");
    assert_eq!((run.status, run.stdout.as_str()), (0, "no checkpoints and no savepoints below /data/links\n"));
    assert!(!tree.ckpt("ls --json links/jobs/").json()["snapshots"].as_array().unwrap().is_empty());
}

#[test]
fn what_is_passed_over_is_told() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    let deep = format!("a{}", "/a".repeat(15));
    fs::create_dir_all(tree.join(&deep)).unwrap();
    for command in ["ls .", "verify ."] {
        assert_eq!(tree.ckpt(command).stderr, "", "{command}");
    }
    fs::create_dir(tree.join(&deep).join("chk-1")).unwrap();
    for (name, link) in [("chk-3", "x/chk-7"), ("chk-3", "x/savepoint-f1f1f1-87eae83dd8ed"), ("chk-3", "x/newest")] {
        let link = tree.join(link);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(tree.join(&format!("jobs/{JOB}/{name}")), link).unwrap();
    }
    let warnings = [
        format!("'/data/{deep}': nothing deeper is looked at"),
        "'/data/x/savepoint-f1f1f1-87eae83dd8ed': a link is not followed".to_owned(),
        "'/data/x/chk-7': a link is not followed".to_owned(),
    ];
    let told: String = warnings.iter().map(|warning| format!("ckpt: warning: {warning}\n")).collect();
    for command in ["ls .", "verify ."] {
        let run = tree.ckpt(command);
        assert_eq!((run.status, run.stderr.as_str()), (0, told.as_str()), "{command}");
    }
}
