//! What each command ends with: the table of `docs/cli.md`.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use rustix::fs::{CWD, Mode, mkfifoat};

use super::flink_tree::metadata;
use super::our_tree::{self, JOB};
use super::run::Tree;

/// Runs every command on `path`, and says what each ended with: show, flink dump, verify, ls.
fn statuses(tree: &Tree, path: &str) -> [i32; 4] {
    ["show", "flink dump", "verify", "ls"].map(|command| {
        let run = tree.ckpt(&format!("{command} {path}"));
        assert_eq!(run.stderr.is_empty(), run.status == 0 || !run.stdout.is_empty(), "{command} {path}: {run:?}");
        run.status
    })
}

#[test]
fn what_is_called_metadata_and_is_none_is_damage() {
    let tree = Tree::new();
    let flink = metadata("2.2.1-flip27-coordinator");
    tree.put("x/cut/_metadata", &flink[..flink.len() / 2]);
    tree.put("x/empty/_metadata", b"");
    tree.put("x/text/_metadata", b"hello, world");
    for directory in ["pipe", "socket", "directory", "link-nowhere", "link-itself", "link-directory", "link-device"] {
        fs::create_dir(tree.join(&format!("x/{directory}"))).unwrap();
    }
    let at = |directory: &str| tree.join(&format!("x/{directory}/_metadata"));
    mkfifoat(CWD, at("pipe"), Mode::RWXU).unwrap();
    let _socket = UnixListener::bind(at("socket")).unwrap();
    fs::create_dir(at("directory")).unwrap();
    symlink("gone", at("link-nowhere")).unwrap();
    symlink("_metadata", at("link-itself")).unwrap();
    symlink("..", at("link-directory")).unwrap();
    symlink("/dev/zero", at("link-device")).unwrap();
    for (directory, found) in [
        ("cut", "Flink metadata cannot be read: "),
        ("empty", "is no metadata of a checkpoint: it is empty, "),
        ("text", "is no metadata of a checkpoint: it begins with 68 65 6c"),
        ("pipe", "is a pipe, expected a file"),
        ("socket", "is a socket, expected a file"),
        ("directory", "is a directory, expected a file"),
        ("link-nowhere", "is a link to nothing, expected a file"),
        ("link-itself", "is a link to nothing, expected a file"),
        ("link-directory", "is a directory, expected a file"),
        ("link-device", "is a device, expected a file"),
    ] {
        let path = format!("x/{directory}");
        assert_eq!(statuses(&tree, &path), [1; 4], "{path}");
        for command in ["show", "flink dump", "verify", "ls"] {
            let run = tree.ckpt(&format!("{command} {path}"));
            assert!(format!("{}{}", run.stdout, run.stderr).contains(found), "{command} {path}: {run:?}");
        }
        // The file itself, where it is not a directory that is looked into.
        if !directory.ends_with("directory") {
            assert_eq!(statuses(&tree, &format!("{path}/_metadata")), [1, 1, 1, 2], "{path}");
        }
    }
    // Seen from above, each is one problem, and the same.
    for command in ["ls", "verify"] {
        let run = tree.ckpt(&format!("{command} --json ."));
        assert_eq!(run.status, 1);
        let json = run.json();
        let of_snapshots = json["snapshots"].as_array().unwrap().iter().filter_map(|it| it["problems"].as_array());
        let problems = json["problems"].as_array().unwrap().len() + of_snapshots.map(Vec::len).sum::<usize>();
        assert_eq!((json["snapshots"].as_array().unwrap().len(), problems), (10, 10), "{command}: {json}");
    }
}

#[test]
fn what_cannot_be_looked_at_is_no_damage() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    let mut newer = metadata("2.2.1-flip27-coordinator");
    newer[7] = 7;
    tree.put("x/newer/_metadata", &newer);
    tree.put("other", b"hello, world");
    tree.put("nothing/here", b"");
    mkfifoat(CWD, tree.join("pipe"), Mode::RWXU).unwrap();
    assert_eq!(statuses(&tree, "missing"), [2; 4]);
    assert_eq!(statuses(&tree, "other"), [2; 4]);
    assert_eq!(statuses(&tree, "other/below"), [2; 4]);
    assert_eq!(statuses(&tree, "pipe"), [2; 4]);
    assert_eq!(statuses(&tree, "nothing"), [2, 2, 2, 0]);
    assert_eq!(statuses(&tree, "x/newer"), [2, 2, 2, 1]);
    // Below a directory it is one problem beside what could be looked at.
    assert_eq!(statuses(&tree, "x"), [2, 2, 1, 1]);
    assert_eq!(statuses(&tree, &format!("jobs/{JOB}/chk-3")), [0, 2, 0, 0]);
}

#[test]
fn what_may_not_be_read_is_told_beside_what_may() {
    use std::os::unix::fs::PermissionsExt as _;
    let tree = Tree::new();
    our_tree::plant(&tree);
    let paths = [1, 2].map(|number| tree.join(&format!("x/chk-{number}")));
    tree.put("x/chk-1/_metadata", b"");
    tree.put("x/chk-2/_metadata", b"");
    fs::create_dir(tree.join("x/chk-3")).unwrap();
    symlink("../chk-2/_metadata", tree.join("x/chk-3/_metadata")).unwrap();
    let closed = [paths[0].join("_metadata"), paths[1].clone()];
    let close = |mode| closed.iter().for_each(|it| fs::set_permissions(it, fs::Permissions::from_mode(mode)).unwrap());
    close(0);
    if fs::read_dir(&closed[1]).is_ok() {
        println!("skipped: this user may read everything");
        return close(0o700);
    }
    assert_eq!(statuses(&tree, "x/chk-1"), [2, 2, 2, 1]);
    assert_eq!(statuses(&tree, "x/chk-2"), [2; 4]);
    assert_eq!(statuses(&tree, "x/chk-3"), [2, 2, 2, 1]);
    assert_eq!(statuses(&tree, "."), [2, 2, 1, 1]);
    for command in ["ls", "verify"] {
        let run = tree.ckpt(&format!("{command} ."));
        assert_eq!(run.stdout.matches("cannot be read: Permission denied").count(), 3, "{run:?}");
        assert!(run.stdout.contains("chk-3"), "{run:?}");
    }
    close(0o700);
}

/// Nothing that was not verified is called well.
#[test]
fn what_is_incomplete_is_no_snapshot_yet_unless_head_says_that_it_is() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    let checkpoint = |number: u64| format!("jobs/{JOB}/chk-{number}");
    assert_eq!(statuses(&tree, &checkpoint(5)), [2, 2, 2, 0]);
    for number in 1..=4 {
        fs::remove_file(tree.join(&checkpoint(number)).join("_metadata")).unwrap();
    }
    // HEAD retains the second and the third; the first may go, and nobody ever knew of the last.
    let expected = [[2, 2, 2, 0], [2, 2, 1, 1], [2, 2, 1, 1], [2, 2, 2, 0]];
    assert_eq!([1, 2, 3, 4].map(|number| statuses(&tree, &checkpoint(number))), expected);
    let run = tree.ckpt(&format!("verify {}", checkpoint(3)));
    assert!(run.stdout.contains("HEAD retains it, and it has no '_metadata'"), "{run:?}");
    let run = tree.ckpt(&format!("verify {}", checkpoint(4)));
    assert!(run.stderr.contains("chk-4' is a directory without '_metadata'"), "{run:?}");
    // Of Flink's, where nothing says that there was one.
    fs::create_dir_all(tree.join("flink/chk-1")).unwrap();
    assert_eq!(statuses(&tree, "flink"), [2, 2, 2, 0]);
}

/// A link to a file is followed, by whatever name and wherever the file is; what is relative lies beside the link.
#[test]
fn a_link_to_metadata_is_followed_by_all_commands() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    let (directory, moved) = (format!("jobs/{JOB}/chk-3"), tree.join("moved"));
    let ways = [&directory, &format!("{directory}/_metadata"), "jobs"];
    let is_of_job = |line: &str| line.starts_with("job /") || line.starts_with("  not co");
    let said = |way: &str| {
        ["show", "verify", "ls"]
            .map(|command| tree.ckpt(&format!("{command} {way}")))
            // What HEAD does not name is told by storage, which follows no link.
            .map(|run| {
                (run.status, run.stdout.lines().filter(|line| !is_of_job(line)).map(str::to_owned).collect::<Vec<_>>())
            })
    };
    let before = ways.map(said);
    fs::rename(tree.join(&directory).join("_metadata"), &moved).unwrap();
    symlink(&moved, tree.join(&directory).join("_metadata")).unwrap();
    assert_eq!(ways.map(said), before);
    // Of Flink's too.
    tree.put("flink", &metadata("2.2.1-flip27-coordinator"));
    fs::create_dir(tree.join("savepoint")).unwrap();
    symlink("../flink", tree.join("savepoint/_metadata")).unwrap();
    assert_eq!(statuses(&tree, "savepoint")[..2], [0, 0]);
    assert!(tree.ckpt("ls --json savepoint").json()["snapshots"][0]["snapshot"]["checkpointId"].is_u64());
}

/// A directory that is called `_metadata` hides nothing that lies beside it.
#[test]
fn snapshots_beside_a_directory_called_metadata_are_found() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    fs::create_dir(tree.join("jobs/_metadata")).unwrap();
    let listing = tree.ckpt("ls --json .").json();
    assert_eq!(listing["snapshots"].as_array().unwrap().len(), 6);
    assert_eq!(listing["problems"].as_array().unwrap().len(), 1);
    for directory in [".", "jobs"] {
        let verified = tree.ckpt(&format!("verify --json {directory}")).json();
        assert_eq!(verified["snapshots"].as_array().unwrap().len(), 4);
    }
}
