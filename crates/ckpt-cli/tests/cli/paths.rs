//! However a path is given, it means the same snapshot of the same job.

use std::fs;
use std::os::unix::fs::symlink;

use super::flink_tree;
use super::our_tree::{self, JOB};
use super::run::{Run, Tree};

const FLINK_JOB: &str = "checkpoints/f1f1f1f1f1f1f1f100000000168f907b";

/// Runs the command in a directory of the tree.
fn run_in(tree: &Tree, directory: &str, line: &str) -> Run {
    tree.ended(tree.command(line.split_whitespace()).current_dir(tree.join(directory)).output().unwrap())
}

/// Checkpoint `number` of a job, as people name it from where they are.
fn ways_to(tree: &Tree, job: &str, number: u64) -> Vec<(String, String)> {
    let link = tree.join("links").join(job.replace('/', "-"));
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    symlink(tree.join(job).join(format!("chk-{number}")), &link).unwrap();
    symlink(tree.join(job).parent().unwrap(), link.with_extension("above")).unwrap();
    let (link, name) = (link.to_str().unwrap().to_owned(), job.rsplit('/').next().unwrap());
    let here = format!("{job}/chk-{number}");
    let ways = [
        ("", here.as_str()),
        ("", &format!("./{job}//chk-{number}/")),
        ("", &format!("{job}/x/../chk-{number}")),
        (job, &format!("chk-{number}")),
        (&here, "."),
        (&here, &format!("../chk-{number}")),
        (&format!("{job}/x"), &format!("../chk-{number}/.")),
        ("", &link),
        ("", &format!("{link}.above/{name}/chk-{number}")),
        ("links", &format!("{}/../chk-{number}", link)),
    ];
    ways.map(|(directory, path)| (directory.to_owned(), path.to_owned())).into()
}

#[test]
fn a_snapshot_is_the_same_by_every_path() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    flink_tree::moved_job(&tree);
    // Only who knows the job finds that this is not the one which HEAD names.
    let path = |number: u64| tree.join(&format!("jobs/{JOB}/chk-{number}/_metadata"));
    fs::copy(path(2), path(3)).unwrap();
    for (job, number, is_ours) in [(format!("jobs/{JOB}"), 3, true), (FLINK_JOB.to_owned(), 2, false)] {
        fs::create_dir(tree.join(&job).join("x")).unwrap();
        let ways = ways_to(&tree, &job, number);
        let said = |command: &str, (directory, path): &(String, String), file: &str| {
            let run = run_in(&tree, directory, &format!("{command} {path}{file}"));
            assert!(run.stderr.is_empty() || is_ours, "{run:?}");
            (run.status, run.stdout)
        };
        for command in ["show --json --handles", "show --operators", "verify --json", "verify", "flink dump"] {
            for file in ["", "/_metadata"] {
                let expected = said(command, &ways[0], file);
                for way in &ways {
                    assert_eq!(said(command, way, file), expected, "{command} {way:?} {file}");
                }
            }
        }
        let listing = said("ls --json", &ways[0], "");
        for way in &ways {
            assert_eq!(said("ls --json", way, ""), listing, "{way:?}");
        }
        let job_id = job.rsplit('/').next().unwrap();
        assert!(said("show --json", &ways[4], "").1.contains(&format!("\"job\": \"{job_id}\"")));
        if is_ours {
            assert!(listing.1.contains("\"standing\": \"restorePoint\""), "{}", listing.1);
            assert!(said("verify", &ways[4], "").1.contains("is not what HEAD names"));
        } else {
            assert_eq!(said("verify", &ways[4], "").0, 0);
        }
    }
}

#[test]
fn a_job_is_the_same_by_every_path() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    let job = format!("jobs/{JOB}");
    symlink(tree.join(&job), tree.join("link")).unwrap();
    for command in ["ls --json", "ls", "verify --json", "verify"] {
        let expected = tree.ckpt(&format!("{command} {job}"));
        assert!(command != "ls" || expected.stdout.contains("newest restorable"));
        for (directory, path) in [("jobs", JOB), (&job, "."), (&format!("{job}/chk-3"), ".."), ("", "link")] {
            let run = run_in(&tree, directory, &format!("{command} {path}"));
            assert_eq!((run.status, run.stdout), (expected.status, expected.stdout.clone()), "{command} {path}");
        }
    }
}

/// HEAD names places as its writer did, who may have gone through a link.
#[test]
fn a_place_that_head_names_by_a_link_is_known() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    fs::create_dir(tree.join("s")).unwrap();
    symlink("s", tree.join("link")).unwrap();
    let names = ["savepoint-0a0a0a-000000000001", "savepoint-0a0a0a-000000000002"];
    our_tree::plant_savepoints(&tree, &format!("link/{}", names[0]), &format!("link/{}", names[1]));
    let listing = tree.ckpt("ls --json .").json();
    let standing = |name: &str| {
        let snapshots = listing["snapshots"].as_array().unwrap();
        snapshots.iter().find(|it| it["path"] == format!("s/{name}")).unwrap()["standing"].as_str().unwrap()
    };
    assert_eq!(names.map(standing), ["inProgress", "restorePoint"]);
}

/// Bytes that are no UTF-8 are shown as U+FFFD, and the JSON is whole.
#[cfg(target_os = "linux")]
#[test]
fn directories_may_have_any_name() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let tree = Tree::new();
    let directory = tree.path().join(OsStr::from_bytes(b"s\xffp"));
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("_metadata"), flink_tree::metadata("1.20.3-savepoint-canonical-hashmap-blob")).unwrap();
    for line in ["flink dump", "show --json --handles", "ls --json", "verify --json"] {
        let words = line.split(' ').map(OsStr::new).chain([directory.as_os_str()]);
        let run = tree.run(words);
        assert_eq!((run.status, run.stderr.as_str()), (i32::from(line.contains("verify")), ""), "{line}");
        let json = run.json();
        let file = &json["metadataFile"];
        assert!(file.is_null() || file == "/data/s\u{fffd}p/_metadata", "{line}: {file}");
        assert!(run.stdout.contains("/data/s\u{fffd}p"), "{line}: {run:?}");
    }
}
