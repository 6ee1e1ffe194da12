//! `ckpt verify` of snapshots of Flink's that have moved, or of which a copy was made.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use bytes::Bytes;
use ckpt_core::id::OperatorId;
use ckpt_flink::{
    ByteStream, FileHandle, FlinkMetadata, JavaText, MetadataVersion, OperatorDescription, OperatorHandle,
    OperatorState, OperatorSubtasks, RelativeFileHandle, StreamHandle, Subtask, SubtaskState,
};
use serde_json::Value;

use super::run::Tree;

const JOB: &str = "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c";

/// Where state is.
enum State<'a> {
    /// In a file of the tree, which is named by its absolute path.
    Absolute(&'a str),
    /// In a file that is named by that text.
    Named(&'a str),
    /// In a file of the snapshot's directory.
    Relative(&'a str),
    /// In the metadata, under the name of such a file.
    Inline(&'a str),
}

use State::{Absolute, Inline, Named, Relative};

/// Checkpoint 5, with state there.
fn plant(tree: &Tree, directory: &str, states: &[State<'_>]) {
    let mut metadata = FlinkMetadata::<Bytes>::new(MetadataVersion::V3, 5);
    let description = OperatorDescription::new(OperatorId::new([7; 16]), states.len() as i32, 128);
    let text = |text: &str| JavaText::new(text).unwrap();
    let subtasks = states.iter().enumerate().map(|(index, state)| {
        let uri = |path: &str| format!("file:{}", tree.join(path).display());
        let stream = match state {
            Absolute(path) => {
                tree.put(path, b"state");
                StreamHandle::File(FileHandle::new(text(&uri(path)), 5))
            }
            Named(path) => StreamHandle::File(FileHandle::new(text(path), 5)),
            Relative(name) => {
                tree.put(&format!("{directory}/{name}"), b"state");
                StreamHandle::RelativeFile(RelativeFileHandle::new(text(name), 5))
            }
            Inline(path) => StreamHandle::ByteStream(ByteStream::new(text(&uri(path)), Bytes::from("state"))),
        };
        let mut state = SubtaskState::default();
        state.managed_operator = Some(Box::new(OperatorHandle::new(Vec::new(), stream)));
        Subtask::with_state(index as i32, state)
    });
    let subtasks = OperatorSubtasks::Subtasks(subtasks.collect());
    metadata.operators.push(OperatorState::new(description, subtasks));
    tree.put(&format!("{directory}/_metadata"), &metadata.encode().unwrap());
}

/// A checkpoint below `base/ckpt`, with shared files and with changes in `base/dstl`.
fn plant_checkpoint(tree: &Tree, base: &str) -> String {
    let job = format!("{base}/ckpt/{JOB}");
    let (shared, changes) = (format!("{job}/shared/s"), format!("{base}/dstl/{JOB}/dstl/d"));
    plant(tree, &format!("{job}/chk-5"), &[Relative("r"), Absolute(&shared), Absolute(&changes)]);
    job
}

fn copy(tree: &Tree, from: &str, to: &str) {
    for path in tree.files() {
        let path = path.to_str().unwrap();
        let Some(below) = path.strip_prefix(from).filter(|below| below.is_empty() || below.starts_with('/')) else {
            continue;
        };
        tree.put(&format!("{to}{below}"), &fs::read(tree.join(path)).unwrap());
    }
}

/// How many files were found in place, outside, by layout and by a map; and the kinds of problems.
fn found(tree: &Tree, line: &str) -> ([u64; 4], Vec<String>) {
    let run = tree.ckpt(&format!("verify --json {line}"));
    let report = run.json();
    let snapshot = &report["snapshots"][0];
    let count = |name: &str| snapshot["files"][name].as_u64().unwrap();
    let problems = snapshot["problems"].as_array().unwrap();
    assert_eq!(run.status, i32::from(!problems.is_empty()), "{run:?}");
    let kinds = problems.iter().map(|problem| problem["kind"].as_str().unwrap().to_owned());
    (["foundInPlace", "foundOutside", "foundByLayout", "foundByMap"].map(count), kinds.collect())
}

fn moved(tree: &Tree, path: &str) -> Value {
    tree.ckpt(&format!("verify --json {path}")).json()["snapshots"][0]["moved"].clone()
}

const NONE: [&str; 0] = [];

fn of(counts: [u64; 4], problems: &[&str]) -> ([u64; 4], Vec<String>) {
    (counts, problems.iter().map(|it| (*it).to_owned()).collect())
}

#[test]
fn what_has_not_moved_is_found_where_it_says() {
    let tree = Tree::new();
    let job = plant_checkpoint(&tree, "data");
    let chk = format!("{job}/chk-5");
    assert_eq!(found(&tree, &chk), of([3, 1, 0, 0], &NONE));
    // By whatever links somebody comes, and by whatever links its files are named.
    symlink(tree.join("data"), tree.join("link")).unwrap();
    assert_eq!(found(&tree, &chk.replace("data", "link")), of([3, 1, 0, 0], &NONE));
    fs::rename(tree.join("data"), tree.join("disk")).unwrap();
    symlink(tree.join("disk"), tree.join("data")).unwrap();
    for base in ["data", "disk"] {
        let chk = chk.replace("data", base);
        assert_eq!(found(&tree, &chk), of([3, 1, 0, 0], &NONE), "{base}");
        assert_eq!(moved(&tree, &chk), Value::Array(Vec::new()));
    }
}

#[test]
fn a_job_may_have_stored_elsewhere_before() {
    let tree = Tree::new();
    let (own, older) = (format!("new/{JOB}/shared/s"), format!("old/{JOB}/shared/s"));
    plant(&tree, &format!("new/{JOB}/chk-5"), &[Relative("r"), Absolute(&own), Absolute(&older)]);
    assert_eq!(found(&tree, &format!("new/{JOB}/chk-5")), of([3, 1, 0, 0], &NONE));
}

/// A copy of which a part is missing is not well only because the original is still there.
#[test]
fn what_a_copy_lacks_is_told_while_the_original_is_there() {
    let tree = Tree::new();
    let job = plant_checkpoint(&tree, "data");
    copy(&tree, "data", "backup");
    let chk = format!("{}/chk-5", job.replace("data", "backup"));
    assert_eq!(found(&tree, &chk), of([1, 0, 2, 0], &NONE));
    assert_eq!(moved(&tree, &chk)[0]["from"], format!("file:/data/data/ckpt/{JOB}"));
    assert_eq!(moved(&tree, &chk)[0]["to"], format!("/data/backup/ckpt/{JOB}"));
    fs::remove_dir_all(tree.join(&chk).parent().unwrap().join("shared")).unwrap();
    assert_eq!(found(&tree, &chk), of([1, 0, 1, 0], &["leftBehind"]));
    let run = tree.ckpt(&format!("verify {chk}"));
    for expected in [
        format!("  moved from file:/data/data/ckpt/{JOB} to /data/backup/ckpt/{JOB}\n"),
        "  found 1 in place, 1 where they moved to with it, 0 by --map-root\n".to_owned(),
        format!("  left behind: file:/data/data/ckpt/{JOB}/shared/s: is not with the snapshot, but still"),
        format!("    looked at /data/backup/ckpt/{JOB}/shared/s, /data/data/ckpt/{JOB}/shared/s\n"),
    ] {
        assert!(run.stdout.contains(&expected), "{expected}: {run:?}");
    }
    // Without the original it is as fit as it is.
    fs::remove_dir_all(tree.join("data")).unwrap();
    assert_eq!(found(&tree, &chk), of([1, 0, 1, 0], &["missing"]));
}

#[test]
fn a_whole_copy_needs_no_original() {
    let tree = Tree::new();
    let job = plant_checkpoint(&tree, "data");
    fs::rename(tree.join("data"), tree.join("backup")).unwrap();
    assert_eq!(found(&tree, &format!("{}/chk-5", job.replace("data", "backup"))), of([1, 0, 2, 0], &NONE));
}

#[test]
fn what_lies_on_another_base_is_found_there() {
    let tree = Tree::new();
    let job = plant_checkpoint(&tree, "data");
    copy(&tree, &job, &format!("backup/{JOB}"));
    let chk = format!("backup/{JOB}/chk-5");
    assert_eq!(found(&tree, &chk), of([2, 1, 1, 0], &NONE));
    let run = tree.ckpt(&format!("verify {chk}"));
    let outside = "found 2 in place (1 of them outside of its directory and its job's), 1 where";
    assert!(run.stdout.contains(outside), "{run:?}");
    // What both paths end with moved along, and the changes did not.
    copy(&tree, &job, &format!("backup/ckpt/{JOB}"));
    assert_eq!(found(&tree, &format!("backup/ckpt/{JOB}/chk-5")), of([1, 0, 1, 0], &["leftBehind"]));
    let map = format!("--map-root file:{0}=dir/../data/dstl", tree.join("data/dstl").display());
    fs::create_dir(tree.join("dir")).unwrap();
    assert_eq!(found(&tree, &format!("backup/ckpt/{JOB}/chk-5 {map}")), of([1, 0, 1, 1], &NONE));
}

#[test]
fn a_copy_of_the_checkpoint_alone_is_not_whole() {
    let tree = Tree::new();
    let job = plant_checkpoint(&tree, "data");
    for to in ["backup/chk-5", "backup/monday"] {
        copy(&tree, &format!("{job}/chk-5"), to);
        assert_eq!(found(&tree, to), of([2, 1, 0, 0], &["leftBehind"]), "{to}");
    }
}

#[test]
fn names_of_state_in_the_metadata_tell_where_it_was() {
    let tree = Tree::new();
    let (small, changes) = (format!("data/ckpt/{JOB}/chk-5/i"), "data/dstl/d");
    plant(&tree, &format!("data/ckpt/{JOB}/chk-5"), &[Inline(&small), Absolute(changes)]);
    copy(&tree, "data/ckpt", "backup/ckpt");
    assert_eq!(found(&tree, &format!("backup/ckpt/{JOB}/chk-5")), of([0, 0, 0, 0], &["leftBehind"]));
    // There is nothing else to be told from.
    plant(&tree, &format!("other/ckpt/{JOB}/chk-5"), &[Absolute(changes)]);
    assert_eq!(found(&tree, &format!("other/ckpt/{JOB}/chk-5")), of([1, 1, 0, 0], &NONE));
    plant(&tree, "inline/chk-5", &[Inline(&small)]);
    assert_eq!(found(&tree, "inline/chk-5"), of([0; 4], &NONE));
    assert_eq!(moved(&tree, "inline/chk-5"), Value::Array(Vec::new()));
}

/// All of its own files are relative, and its changes moved along.
#[test]
fn what_tells_nothing_is_found_where_it_may_have_moved() {
    let tree = Tree::new();
    let changes = format!("before/data/dstl/{JOB}/dstl/d");
    plant(&tree, &format!("before/data/ckpt/{JOB}/chk-5"), &[Relative("r"), Absolute(&changes)]);
    copy(&tree, "before/data", "backup/data");
    let chk = format!("backup/data/ckpt/{JOB}/chk-5");
    assert_eq!(found(&tree, &chk), of([1, 0, 1, 0], &NONE));
    fs::remove_dir_all(tree.join("before")).unwrap();
    assert_eq!(found(&tree, &chk), of([1, 0, 1, 0], &NONE));
    assert_eq!(moved(&tree, &chk)[0]["to"], "/data/backup/data");
    fs::remove_dir_all(tree.join("backup/data/dstl")).unwrap();
    assert_eq!(found(&tree, &chk), of([1, 0, 0, 0], &["missing"]));
    plant(&tree, &format!("copy/{JOB}/chk-5"), &[Named("s3://bucket/copy/dstl/d"), Named("s3://bucket/none/d")]);
    tree.put("copy/dstl/d", b"state");
    assert_eq!(found(&tree, &format!("copy/{JOB}/chk-5")), of([0, 0, 1, 0], &["elsewhere"]));
}

/// Nothing of its own names where it was, but the original is there to be seen.
#[test]
fn what_a_copy_lacks_is_told_by_the_metadata_of_the_original() {
    let tree = Tree::new();
    let changes = format!("data/dstl/{JOB}/dstl/d");
    let chk = format!("data/ckpt/{JOB}/chk-5");
    plant(&tree, &chk, &[Relative("r"), Absolute(&changes)]);
    copy(&tree, "data/ckpt", "backup/ckpt");
    let copied = chk.replace("data", "backup");
    assert_eq!(found(&tree, &copied), of([1, 0, 0, 0], &["leftBehind"]));
    // A hard link is the same file in another directory.
    fs::remove_file(tree.join(&copied).join("_metadata")).unwrap();
    fs::hard_link(tree.join(&chk).join("_metadata"), tree.join(&copied).join("_metadata")).unwrap();
    assert_eq!(found(&tree, &copied), of([1, 0, 0, 0], &["leftBehind"]));
    assert_eq!(moved(&tree, &copied)[0]["from"], format!("file:/data/data/ckpt/{JOB}"));
    // The original itself is well.
    assert_eq!(found(&tree, &chk), of([2, 1, 0, 0], &NONE));
    // Another checkpoint of that job and number is not the original, whatever it is called.
    let mut bytes = fs::read(tree.join(&chk).join("_metadata")).unwrap();
    bytes.push(0);
    tree.put(&format!("{chk}/_metadata.new"), &bytes);
    fs::rename(tree.join(&chk).join("_metadata.new"), tree.join(&chk).join("_metadata")).unwrap();
    assert_eq!(found(&tree, &copied), of([2, 1, 0, 0], &NONE));
    *bytes.get_mut(12).unwrap() ^= 1;
    bytes.pop();
    fs::write(tree.join(&chk).join("_metadata"), &bytes).unwrap();
    assert_eq!(found(&tree, &copied), of([2, 1, 0, 0], &NONE));
}

#[test]
fn what_a_copy_lacks_of_a_claimed_job_is_told() {
    let tree = Tree::new();
    let (own, claimed) = (format!("orig/{JOB}/chk-5"), "orig/0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d/shared/s");
    plant(&tree, &own, &[Relative("r"), Absolute(claimed)]);
    copy(&tree, &format!("orig/{JOB}"), &format!("back/{JOB}"));
    let copied = own.replace("orig", "back");
    assert_eq!(found(&tree, &copied), of([1, 0, 0, 0], &["leftBehind"]));
    copy(&tree, claimed, &claimed.replace("orig", "back"));
    assert_eq!(found(&tree, &copied), of([1, 0, 1, 0], &NONE));
}

/// Old metadata does not say whether it is a checkpoint's; what its directory is called now may be wrong.
#[test]
fn what_a_renamed_copy_lacks_is_told() {
    for (before, after) in [
        (format!("data/{JOB}/chk-5"), "back/savepoint-abcdef-0123456789ab"),
        ("data/savepoint-abcdef-0123456789ab".to_owned(), "back/chk-77"),
    ] {
        let tree = Tree::new();
        plant(&tree, &before, &[Absolute(&format!("{before}/a"))]);
        copy(&tree, &before, after);
        assert_eq!(found(&tree, after), of([0, 0, 1, 0], &NONE), "{after}");
        fs::remove_file(tree.join(after).join("a")).unwrap();
        assert_eq!(found(&tree, after), of([0, 0, 0, 0], &["leftBehind"]), "{after}");
    }
}

#[test]
fn why_nobody_looks_at_a_path_is_told() {
    let tree = Tree::new();
    let long = "/long".repeat(1000);
    let paths = ["no/root", "file://localhost/etc/passwd", "s3://bucket/a", "/etc/../etc/passwd", &long];
    plant(&tree, "chk-5", &paths.map(Named));
    let run = tree.ckpt("verify chk-5");
    for expected in [
        "refused: no/root: is relative, and to which directory is not known: nobody looked\n",
        "elsewhere: file://localhost/etc/passwd: is a local path with the host 'localhost', which is not looked at: say with --map-root where it is here\n",
        "elsewhere: s3://bucket/a: lies on a file system of the scheme 's3': say with --map-root where it is here\n",
        "refused: file:/etc/../etc/passwd: goes up by '..'",
        "/long/long: has 5000 bytes, expected at most 4096\n",
    ] {
        assert!(run.stdout.contains(expected), "{expected}: {run:?}");
    }
}

#[test]
fn maps_count_before_everything_else() {
    let tree = Tree::new();
    plant(&tree, "chk-5", &[Named("S3://bucket//dt=1/a//b"), Named("file:///no-such-root/c")]);
    tree.put("here/a/b", b"state");
    tree.put("here/c", b"state");
    symlink(tree.join("here"), tree.join("link")).unwrap();
    let unused = "--map-root file:/nothing/at=all=here";
    let line =
        format!("chk-5 --map-root s3://bucket/dt=1={} --map-root /no-such-root//=here", tree.join("link").display());
    assert_eq!(found(&tree, &line), of([0, 0, 0, 2], &NONE));
    assert_eq!(tree.ckpt(&format!("verify {line}")).stderr, "");
    let run = tree.ckpt(&format!("verify {line} {unused}"));
    let expected = "ckpt: warning: --map-root 'file:/nothing/at=all=here' fits nothing\n";
    assert_eq!((run.status, run.stderr.as_str()), (0, expected));
    assert_eq!(tree.ckpt(&format!("flink dump chk-5 {unused}")).stderr, expected);
    assert_eq!(tree.ckpt("flink dump chk-5 --map-root file:/before=chk-5").stderr, "");
    // A mapped path is looked for there alone, also if it is where it says.
    let job = plant_checkpoint(&tree, "data");
    let map = format!("{job}/chk-5 --map-root file:{}=nowhere", tree.join("data/dstl").display());
    assert_eq!(found(&tree, &map), of([2, 0, 0, 0], &["missing"]));
    assert!(!Path::new("/no-such-root").exists());
}

/// As where an object store is given a random component in front of each key.
#[test]
fn however_many_places_a_snapshot_was_in_few_are_shown() {
    let tree = Tree::new();
    let paths: Vec<_> = (0..10).map(|number| format!("s3://bucket/{number}/{JOB}/chk-5/file-{number}")).collect();
    let directory = format!("{JOB}/chk-5");
    plant(&tree, &directory, &paths.iter().map(|path| Named(path)).collect::<Vec<_>>());
    (0..10).for_each(|number| tree.put(&format!("{directory}/file-{number}"), b"state"));
    let run = tree.ckpt(&format!("verify {directory}"));
    let shown = run.stdout.lines().filter(|line| line.starts_with("  moved from s3:")).count();
    assert_eq!((run.status, shown), (0, 3), "{run:?}");
    assert!(run.stdout.contains("\n  moved from 7 places more\n"), "{run:?}");
    assert_eq!(moved(&tree, &directory).as_array().unwrap().len(), 10);
}
