//! `ckpt verify`.

use std::fs::{self, File};
use std::path::PathBuf;

use bytes::Bytes;
use ckpt_core::id::OperatorId;
use ckpt_flink::{
    DistributionMode, FlinkMetadata, JavaText, KeyGroupOffsets, KeyGroupsHandle, KeyGroupsKind, KeyedHandle,
    MetadataVersion, OperatorDescription, OperatorHandle, OperatorState, OperatorStateOffsets, OperatorSubtasks,
    RelativeFileHandle, StreamHandle, Subtask, SubtaskState,
};
use serde_json::Value;

use super::flink_tree::{self, BEFORE, fixtures, handles, metadata, replace};
use super::our_tree::{self, JOB};
use super::run::Tree;

fn kinds(report: &Value) -> Vec<String> {
    let of = |problems: &Value| {
        let problems = problems.as_array().unwrap().iter();
        problems.map(|problem| problem["kind"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let mut kinds = of(&report["problems"]);
    kinds.extend(report["snapshots"].as_array().unwrap().iter().flat_map(|it| of(&it["problems"])));
    kinds
}

#[test]
fn trees_that_are_whole_are_well() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    flink_tree::moved_job(&tree);
    let before = tree.contents();
    tree.assert_snapshot(
        "verify",
        &["verify .", &format!("verify jobs/{JOB}/chk-3/_metadata"), "verify --json savepoints"],
    );
    assert_eq!(tree.contents(), before);
}

#[test]
fn each_way_to_damage_a_tree_is_told_with_the_owner() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    flink_tree::moved_job(&tree);
    let of_flink = "checkpoints/f1f1f1f1f1f1f1f100000000168f907b";
    let shared: Vec<_> = fs::read_dir(tree.join(&format!("{of_flink}/shared"))).unwrap().collect();
    let mut shared: Vec<_> = shared.into_iter().map(|entry| entry.unwrap().path()).collect();
    shared.sort();
    fs::remove_file(&shared[0]).unwrap();
    fs::write(&shared[1], "too short").unwrap();
    fs::remove_file(&shared[2]).unwrap();
    fs::create_dir(&shared[2]).unwrap();
    let ours = |directory: &str| {
        let files = tree.files().into_iter().map(|path| path.to_str().unwrap().to_owned());
        let directory = format!("jobs/{JOB}/{directory}/00");
        files.filter(|path| path.starts_with(&directory)).collect::<Vec<_>>()
    };
    // In the second block of a file of ours, which is as long as before.
    tree.change(&ours("shared")[4], |bytes| bytes[70_000] ^= 1);
    fs::remove_file(tree.join(&ours("shared")[5])).unwrap();
    tree.change(&ours("chk-2")[0], |bytes| bytes.push(0));
    tree.change(&format!("jobs/{JOB}/chk-4/_metadata"), |bytes| bytes.truncate(100));
    tree.assert_snapshot("verify-damaged", &["verify .", &format!("verify --json {of_flink}/chk-2")]);
}

#[test]
fn what_nobody_names_is_told_and_no_problem() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    let own = format!("jobs/{JOB}/chk-3");
    for number in 0..5 {
        tree.put(&format!("{own}/note-{number}.txt"), b"by hand");
    }
    let run = tree.ckpt(&format!("verify {own}"));
    let expected = "\n  extra: note-0.txt: it is not named\n  extra: note-1.txt: it is not named\n  extra: note-2.txt: it is not \
                    named\n  extra: 2 files more\n";
    assert!(run.status == 0 && run.stdout.contains(expected), "{run:?}");
    let report = tree.ckpt(&format!("verify --json {own}")).json();
    assert_eq!(report["snapshots"][0]["extra"].as_array().unwrap().len(), 5);
    assert_eq!(kinds(&report), [""; 0]);
}

/// The directory of a snapshot, and the path and the length of one of its files: of segments the longest.
fn snapshot_with(fixture: &str, is_it: impl Fn(&Value) -> bool) -> (Tree, PathBuf, u64) {
    let tree = Tree::new();
    flink_tree::plant(&tree, fixture, "snapshot", |below| format!("elsewhere/{below}"));
    let handle = handles(&tree, "snapshot").into_iter().find(is_it).unwrap();
    let below = handle["file"].as_str().unwrap().strip_prefix(BEFORE).unwrap().trim_start_matches('/').to_owned();
    let path = tree.join("elsewhere").join(below);
    let length = fs::metadata(&path).unwrap().len();
    (tree, path, length)
}

fn problems_of_lengths(tree: &Tree) -> Vec<String> {
    let report = tree.ckpt(&format!("verify --json snapshot --map-root {BEFORE}=elsewhere")).json();
    assert!(kinds(&report).iter().all(|kind| kind == "wrongLength"), "{report}");
    let problems = report["snapshots"][0]["problems"].as_array().unwrap();
    problems.iter().map(|problem| problem["message"].as_str().unwrap().to_owned()).collect()
}

/// State that a restore would look for outside of its file, or before it.
#[test]
fn positions_outside_of_a_file_are_told() {
    let of_operator = |offset: i64| {
        let text = |text: &str| JavaText::new(text).unwrap();
        let mut metadata = FlinkMetadata::<Bytes>::new(MetadataVersion::V3, 5);
        let states =
            vec![OperatorStateOffsets::new(text("elements"), DistributionMode::SplitDistribute, vec![3, offset])];
        let stream = StreamHandle::RelativeFile(RelativeFileHandle::new(text("state"), 5));
        let mut state = SubtaskState::default();
        state.managed_operator = Some(Box::new(OperatorHandle::new(states, stream.clone())));
        let key_groups = KeyGroupOffsets::new(0, vec![offset, 3]);
        let keyed = KeyGroupsHandle::new(KeyGroupsKind::Legacy, key_groups, stream);
        state.raw_keyed = Some(Box::new(KeyedHandle::KeyGroups(keyed)));
        let subtasks = OperatorSubtasks::Subtasks(vec![Subtask::with_state(0, state)]);
        let description = OperatorDescription::new(OperatorId::new([7; 16]), 1, 128);
        metadata.operators.push(OperatorState::new(description, subtasks));
        metadata.encode().unwrap()
    };
    let tree = Tree::new();
    tree.put("snapshot/state", b"state");
    for (offset, expected) in [(0, 0), (5, 0), (6, 2), (-1, 1), (-2, 2), (i64::MAX, 2), (i64::MIN, 2)] {
        tree.put("snapshot/_metadata", &of_operator(offset));
        let report = tree.ckpt("verify --json snapshot").json();
        assert_eq!(kinds(&report), vec!["metadata"; expected], "{offset}");
        let message = format!("has state said to begin at byte {offset}, of 5");
        let problems = report["snapshots"][0]["problems"].as_array().unwrap();
        assert!(problems.iter().all(|it| it["message"] == message.as_str() && it["file"] == "state"), "{problems:?}");
    }
}

#[test]
fn a_file_that_ends_within_a_segment_is_told() {
    let (tree, path, length) = snapshot_with("1.20.3-filemerging-hashmap", |handle| !handle["offsetBytes"].is_null());
    let set_length = |length| File::options().write(true).open(&path).unwrap().set_len(length).unwrap();
    assert_eq!(problems_of_lengths(&tree), [""; 0]);
    // Others may lie behind it.
    set_length(length + 1);
    assert_eq!(problems_of_lengths(&tree), [""; 0]);
    set_length(length - 1);
    assert_eq!(problems_of_lengths(&tree), [format!("has {} bytes, expected at least {length}", length - 1)]);
}

/// A byte in front says whether they are compressed, and Flink does not count that; of compressed ones it counts what they
/// were before.
#[test]
fn files_of_changes_are_as_long_as_their_changes_and_the_byte_in_front() {
    let is_of_changes = |handle: &Value| handle["role"].as_str().unwrap().starts_with("changes ");
    let (tree, path, length) = snapshot_with("1.20.3-changelog-fs-hashmap-files", is_of_changes);
    let set_length = |length| File::options().write(true).open(&path).unwrap().set_len(length).unwrap();
    assert_eq!(problems_of_lengths(&tree), [""; 0]);
    for found in [0, 1, length - 1, length + 1] {
        set_length(found);
        assert_eq!(problems_of_lengths(&tree), [format!("has {found} bytes, expected {length}")]);
    }
    for (compressed, is_well) in [(&b"\x01snappy"[..], true), (b"\x01", false), (b"\x02snappy", false)] {
        fs::write(&path, compressed).unwrap();
        assert_eq!(problems_of_lengths(&tree).is_empty(), is_well, "{compressed:?}");
    }
}

/// As one that was copied to the wrong place.
#[test]
fn stray_metadata_hides_nothing_that_is_below_it() {
    let stray = metadata("1.14.6-finished-tasks");
    for above in ["", "jobs/", &format!("jobs/{JOB}/"), &format!("jobs/{JOB}/chk-4/")] {
        let tree = Tree::new();
        our_tree::plant(&tree);
        tree.put(&format!("jobs/{JOB}/chk-4/below/chk-9/_metadata"), &stray);
        let snapshots = |command: &str, path: &str| {
            let report = tree.ckpt(&format!("{command} --json {path}.")).json();
            let snapshots = report["snapshots"].as_array().unwrap().iter();
            snapshots.map(|it| it["path"].as_str().unwrap().trim_start_matches("/data/").to_owned()).collect::<Vec<_>>()
        };
        let is_snapshot = above.ends_with("chk-4/");
        let (listed, verified) = (snapshots("ls", ""), snapshots("verify", ""));
        assert_eq!((listed.len(), verified.len()), (6, 4), "{listed:?} {verified:?}");
        tree.put(&format!("{above}_metadata"), &stray);
        let more = usize::from(!is_snapshot);
        for path in ["", above] {
            let (now_listed, now_verified) = (snapshots("ls", path), snapshots("verify", path));
            let below = if path.is_empty() || !is_snapshot { (6, 4) } else { (2, 2) };
            assert_eq!((now_listed.len(), now_verified.len()), (below.0 + more, below.1 + more), "{above:?} {path:?}");
        }
    }
}

/// HEAD of its job counts for one with others below it too.
#[test]
fn a_snapshot_with_others_below_it_is_held_against_head() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    let chk = |number: u64| format!("jobs/{JOB}/chk-{number}");
    tree.put(&format!("{}/below/_metadata", chk(3)), &metadata("1.14.6-finished-tasks"));
    fs::copy(tree.join(&chk(2)).join("_metadata"), tree.join(&chk(3)).join("_metadata")).unwrap();
    let run = tree.ckpt(&format!("verify {}", chk(3)));
    assert!(run.status == 1 && run.stdout.contains("is not what HEAD names"), "{run:?}");
}

#[test]
fn absolute_paths_are_found_by_a_map() {
    let tree = Tree::new();
    let mut found = 0;
    for fixture in fixtures() {
        let directory = format!("snapshots/{fixture}");
        flink_tree::plant(&tree, &fixture, &directory, |below| format!("elsewhere/{below}"));
        let report = tree.ckpt(&format!("verify --json {directory} --map-root {BEFORE}=elsewhere")).json();
        assert_eq!(kinds(&report), [""; 0], "{fixture}");
        let files = &report["snapshots"][0]["files"];
        assert_eq!(files["named"], files["withoutDigest"], "{fixture}");
        found += files["foundByMap"].as_u64().unwrap();
    }
    assert!(found > 0);
    let all = tree.ckpt(&format!("verify snapshots --map-root file:/nothing=elsewhere --map-root {BEFORE}=elsewhere"));
    assert_eq!(all.status, 0, "{all:?}");
    let none = tree.ckpt(&format!("verify snapshots --map-root {BEFORE}=nowhere"));
    assert_eq!(none.status, 1, "{none:?}");
    // The first that fits counts, whether something is there or not.
    let none = tree.ckpt(&format!("verify snapshots --map-root {BEFORE}=nowhere --map-root {BEFORE}=elsewhere"));
    assert_eq!(none.status, 1, "{none:?}");
}

#[test]
fn nothing_outside_of_the_snapshot_is_looked_at() {
    let fixture = "1.20.3-savepoint-canonical-hashmap-blob";
    let tree = Tree::new();
    flink_tree::plant(&tree, fixture, "a/savepoint", |_| unreachable!());
    let handles = handles(&tree, "a/savepoint");
    let (name, length) = (handles[0]["file"].as_str().unwrap(), handles[0]["lengthBytes"].as_u64().unwrap());
    tree.put("a/outside", &vec![0; length as usize]);
    let outside = format!("..{}outside", "/".repeat(name.len() - 9));
    let absolute = format!("{}outside", "/".repeat(name.len() - 7));
    for hostile in [outside, absolute, "a".repeat(name.len() - 2) + "\u{1b}["] {
        let mut bytes = metadata(fixture);
        assert!(replace(&mut bytes, name, &hostile) > 0);
        tree.put("a/savepoint/_metadata", &bytes);
        let run = tree.ckpt("verify --json a/savepoint");
        assert_eq!((run.status, kinds(&run.json())), (1, vec!["refused".to_owned()]), "{hostile}");
        let run = tree.ckpt("verify a/savepoint");
        assert!(!run.stdout.contains('\u{1b}'), "{run:?}");
    }
    // A link out of it is as little followed.
    tree.put("a/savepoint/_metadata", &metadata(fixture));
    fs::remove_file(tree.join("a/savepoint").join(name)).unwrap();
    std::os::unix::fs::symlink("../outside", tree.join("a/savepoint").join(name)).unwrap();
    assert_eq!(kinds(&tree.ckpt("verify --json a/savepoint").json()), ["unreadable"]);
}

#[test]
fn absolute_paths_that_leave_a_root_are_refused() {
    let fixture = "1.10.3-rocksdb-heaptimers";
    let tree = Tree::new();
    flink_tree::moved_job(&tree);
    let directory = "checkpoints/f1f1f1f1f1f1f1f100000000168f907b/chk-2";
    let mut bytes = metadata(fixture);
    let (from, to) = ("/shared/c5ff3959-b81d-43cf-8553-4a444db2e3f3", "/../../../../../etc/passwd//////////////////");
    assert!(replace(&mut bytes, from, to) > 0);
    // Next to the job that it names, and where it is looked for as it is.
    for directory in [directory, "elsewhere"] {
        tree.put(&format!("{directory}/_metadata"), &bytes);
        for map in ["", &format!("--map-root {BEFORE}=.")] {
            let run = tree.ckpt(&format!("verify --json {directory} {map}"));
            assert_eq!(kinds(&run.json()).iter().filter(|kind| *kind == "refused").count(), 1, "{run:?}");
        }
    }
}

#[test]
fn files_on_other_file_systems_are_looked_for_next_to_a_copy_or_need_a_map() {
    let tree = Tree::new();
    for (fixture, expected) in
        [("1.10.3-rocksdb-heaptimers", "missing"), ("1.20.3-changelog-fs-hashmap-files", "elsewhere")]
    {
        let mut bytes = metadata(fixture);
        assert!(replace(&mut bytes, BEFORE, "hdfs://nn/tmp/fixtures1") > 0);
        tree.put("x/_metadata", &bytes);
        let run = tree.ckpt("verify --json x");
        let problems = run.json()["snapshots"][0]["problems"].as_array().unwrap().clone();
        let remote = problems.iter().filter(|problem| problem["file"].as_str().unwrap().starts_with("hdfs:"));
        let kinds: Vec<_> = remote.map(|problem| problem["kind"].as_str().unwrap()).collect();
        assert!(run.status == 1 && !kinds.is_empty() && kinds.iter().all(|kind| *kind == expected), "{run:?}");
    }
}

#[test]
fn what_head_retains_must_be_what_it_names() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    let path = |number: u64| tree.join(&format!("jobs/{JOB}/chk-{number}/_metadata"));
    fs::copy(path(2), path(3)).unwrap();
    let run = tree.ckpt(&format!("verify jobs/{JOB}/chk-3"));
    assert_eq!(run.status, 1);
    assert!(run.stdout.contains("is not what HEAD names"), "{run:?}");
    fs::remove_file(path(3)).unwrap();
    let run = tree.ckpt("verify jobs");
    assert!(run.status == 1 && run.stdout.contains("HEAD retains it, and it has no '_metadata'"), "{run:?}");
}

/// What is being deleted is not whole any more, and needs not be.
#[test]
fn what_head_has_removed_is_not_looked_at() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    fs::remove_dir_all(tree.join(&format!("jobs/{JOB}/shared"))).unwrap();
    let report = tree.ckpt("verify --json jobs").json();
    let skipped: Vec<_> =
        report["skipped"].as_array().unwrap().iter().map(|it| it["reason"].as_str().unwrap()).collect();
    assert_eq!(skipped, ["removed", "incomplete"]);
    assert_eq!(kinds(&report), ["missing"; 6]);
    // Asked for by name it is.
    assert_eq!(tree.ckpt(&format!("verify jobs/{JOB}/chk-1")).status, 1);
}

#[test]
fn borrowed_files_are_found_where_they_are_said_to_be_or_by_a_map() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    let here = format!("jobs/{JOB}/chk-3");
    our_tree::plant_borrowed(&tree, "here", &format!("file://{}", tree.join(&here).display()));
    our_tree::plant_borrowed(&tree, "far", "s3://bucket/before%20now/chk-3");
    let files = |line: &str| tree.ckpt(line).json()["snapshots"][0]["files"].clone();
    let well = files("verify --json here");
    assert_eq!((&well["withDigest"], &well["foundInPlace"], &well["foundOutside"]), (&1.into(), &1.into(), &1.into()));
    our_tree::plant_borrowed(&tree, &format!("jobs/{JOB}/chk-9"), &format!("file://{}", tree.join(&here).display()));
    let own = files(&format!("verify --json jobs/{JOB}/chk-9"));
    assert_eq!((&own["foundInPlace"], &own["foundOutside"]), (&1.into(), &0.into()));
    let map = format!("s3://bucket/before now=jobs/{JOB}");
    let mapped = tree.run(["verify", "--json", "far", "--map-root", &map]).json()["snapshots"][0]["files"].clone();
    assert_eq!((&mapped["withDigest"], &mapped["foundByMap"]), (&1.into(), &1.into()));
    assert_eq!(kinds(&tree.ckpt("verify --json far").json()), ["elsewhere"]);
    assert_eq!(kinds(&tree.ckpt("verify --json far --map-root s3://bucket=nowhere").json()), ["missing"]);
}

#[test]
fn each_segment_of_a_file_is_read() {
    let tree = Tree::new();
    our_tree::plant(&tree);
    let (file, second) = our_tree::plant_segments(&tree, "merged");
    let run = tree.ckpt("verify merged");
    let expected = "ok /data/merged: 1 file (1 with digest, 0 with no digest), 1 piece inline\n";
    assert_eq!((run.status, run.stdout.as_str()), (0, expected), "{run:?}");
    for begin in [7, second] {
        tree.change(&file, |bytes| bytes[begin + 5] ^= 1);
        let run = tree.ckpt("verify merged");
        let expected = format!("from byte {begin}' is not what was written");
        assert!(run.status == 1 && run.stdout.contains(&expected), "{run:?}");
        tree.change(&file, |bytes| bytes[begin + 5] ^= 1);
    }
    tree.change(&file, |bytes| bytes.truncate(second));
    assert_eq!(kinds(&tree.ckpt("verify --json merged").json()), ["wrongLength"]);
}
