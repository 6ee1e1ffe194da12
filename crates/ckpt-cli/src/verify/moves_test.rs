//! What files are called tells where a snapshot was.

use std::path::Path;

use super::moves::{Here, Moves, SnapshotSort};
use crate::flink::path::FlinkPath;

const JOB: &str = "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";
const OTHER: &str = "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b";

/// Checkpoint 5, which lies in `here` and names files of those directories; no two paths are one directory unless they are
/// alike. `J` and `K` stand for the names of two jobs.
fn moves(sort: SnapshotSort, here: &str, directories: &[&str]) -> Moves {
    copied(sort, here, directories, &[])
}

/// The same when the metadata lies in those directories too.
fn copied(sort: SnapshotSort, here: &str, directories: &[&str], originals: &[&str]) -> Moves {
    let paths = |texts: &[&str]| texts.iter().map(|it| FlinkPath::new(&named(it))).collect::<Vec<_>>();
    let (here, directories) = (named(here), paths(directories));
    let here = Here { directory: Path::new(&here), checkpoint_id: 5, sort };
    let is_same = |path: &FlinkPath, directory: &Path| path.local().map(Path::new) == Some(directory);
    Moves::of(here, &directories, is_same, || paths(originals))
}

fn named(path: &str) -> String {
    let name = |component| match component {
        "J" => JOB,
        "K" => OTHER,
        other => other,
    };
    path.split('/').map(name).collect::<Vec<_>>().join("/")
}

/// Where files must be: each path, and where it is looked for, or `=` if that is where it says and within the snapshot's or
/// its job's directory, or `!` if it is there and outside of both.
#[track_caller]
fn assert_places(moves: &Moves, expected: &[(&str, &str)]) {
    for (path, expected) in expected {
        let path = FlinkPath::new(&named(path));
        let found = match moves.around(&path) {
            Some((moved, below)) => moved.to.join(below).to_str().unwrap().to_owned(),
            None if moves.is_outside(&path) => "!".to_owned(),
            None => "=".to_owned(),
        };
        assert_eq!(found, named(expected), "{path:?} of {moves:?}");
    }
}

use SnapshotSort::{Checkpoint, Savepoint, Unknown};

#[test]
fn what_has_not_moved_is_where_it_says() {
    for sort in [Checkpoint, Unknown] {
        let moves = moves(sort, "/a/J/chk-5", &["/a/J/chk-5", "/a/J/shared", "/b/J/shared", "/a/K/shared"]);
        let places = [("/a/J/chk-5/x", "="), ("/a/J/shared/x", "="), ("/b/J/shared/x", "!"), ("/a/K/shared/x", "!")];
        assert_places(&moves, &places);
    }
    // Its own files are relative, and older ones lie where the job stored before.
    let older = moves(Checkpoint, "/a/J/chk-5", &["/a/J/shared", "/b/J/shared"]);
    assert_places(&older, &[("/a/J/shared/x", "="), ("/b/J/shared/x", "!")]);
    let savepoint = moves(Savepoint, "/s/savepoint-1-2", &["/s/savepoint-1-2", "/a/J/taskowned"]);
    assert_places(&savepoint, &[("/s/savepoint-1-2/x", "="), ("/a/J/taskowned/x", "!")]);
}

#[test]
fn what_moved_with_its_job_is_there_and_nowhere_else() {
    for known_by in ["/a/J/chk-5", "/a/J/shared", "/a/J/taskowned", "/a/J/shared/merged"] {
        let moves = moves(Checkpoint, "/b/J/chk-5", &[known_by]);
        let places = [
            ("/a/J/chk-5/x", "/b/J/chk-5/x"),
            ("/a/J/shared/x", "/b/J/shared/x"),
            ("/a/J/taskowned/merged/x", "/b/J/taskowned/merged/x"),
            // Below the base, so it moved too; and on another one.
            ("/a/K/shared/x", "/b/K/shared/x"),
            ("/c/J/dstl/x", "!"),
            ("s3://a/J/shared/x", "!"),
        ];
        assert_places(&moves, &places);
    }
}

#[test]
fn the_base_is_what_is_left_in_front_of_names_that_are_alike() {
    let whole = moves(Checkpoint, "/backup/ckpt/J/chk-5", &["/data/ckpt/J/chk-5"]);
    assert_places(&whole, &[("/data/dstl/J/x", "/backup/dstl/J/x"), ("/other/J/x", "!")]);
    let of_the_job = moves(Checkpoint, "/backup/J/chk-5", &["/data/ckpt/J/chk-5"]);
    assert_places(&of_the_job, &[("/data/dstl/J/x", "!"), ("/data/ckpt/K/shared/x", "/backup/K/shared/x")]);
    let below_all = moves(Checkpoint, "/backup/data/J/chk-5", &["/data/J/chk-5"]);
    assert_places(&below_all, &[("/mnt/x", "/backup/mnt/x")]);
    let to_the_root = moves(Checkpoint, "/data/J/chk-5", &["/host/data/J/chk-5"]);
    assert_places(&to_the_root, &[("/host/mnt/x", "/mnt/x"), ("/mnt/x", "!")]);
    let job_renamed = moves(Checkpoint, "/backup/old/chk-5", &["/data/J/chk-5", "/data/J/shared"]);
    assert_places(&job_renamed, &[("/data/J/shared/x", "/backup/old/shared/x"), ("/data/K/x", "!")]);
}

#[test]
fn other_file_systems_move_alike() {
    let moves = moves(Checkpoint, "/b/ckpt/J/chk-5", &["s3://bucket/ckpt/J/shared"]);
    let places = [
        ("s3://bucket/ckpt/J/shared/x", "/b/ckpt/J/shared/x"),
        ("s3://bucket/dstl/x", "/b/dstl/x"),
        ("s3://other/ckpt/J/shared/x", "!"),
        ("/bucket/dstl/x", "!"),
    ];
    assert_places(&moves, &places);
}

#[test]
fn a_checkpoint_that_moved_alone_has_left_what_it_shares() {
    for here in ["/b/chk-5", "/b/monday"] {
        let moves = moves(Checkpoint, here, &["/a/J/shared"]);
        assert_places(&moves, &[("/a/J/shared/x", "/b/shared/x"), ("/a/J/chk-5/x", &format!("{here}/x"))]);
    }
    // Who takes no subdirectories has no name of a job.
    let moves = moves(Checkpoint, "/b/chk-5", &["/a/ckpt/shared", "/a/ckpt/chk-5"]);
    assert_places(&moves, &[("/a/ckpt/shared/x", "/b/shared/x")]);
}

#[test]
fn a_copy_beside_the_original_shares_what_that_shares() {
    for known_by in ["/a/J/chk-5", "/a/J/shared"] {
        let moves = moves(Unknown, "/a/J/copy", &[known_by]);
        assert_places(&moves, &[("/a/J/chk-5/x", "/a/J/copy/x"), ("/a/J/shared/x", "=")]);
    }
}

/// Old metadata may tell another number than its directory.
#[test]
fn a_directory_is_its_own_by_its_number_or_by_its_name() {
    let moves = moves(Checkpoint, "/b/J/chk-7", &["/a/J/chk-7"]);
    assert_places(&moves, &[("/a/J/chk-7/x", "/b/J/chk-7/x")]);
}

#[test]
fn files_of_its_own_tell_more_than_those_that_a_job_shares() {
    let moves = moves(Checkpoint, "/c/J/chk-5", &["/b/J/shared", "/a/J/chk-5"]);
    assert_places(&moves, &[("/a/J/shared/x", "/c/J/shared/x"), ("/b/J/shared/x", "!")]);
}

/// Which of them it is cannot be told, so a copy must have what lay below any.
#[test]
fn each_directory_that_may_be_the_origin_is_one() {
    let moves = moves(Checkpoint, "/c/J/chk-5", &["/b/J/shared", "/a/J/shared"]);
    assert_places(&moves, &[("/a/J/shared/x", "/c/J/shared/x"), ("/b/J/shared/x", "/c/J/shared/x")]);
}

#[test]
fn files_of_other_jobs_tell_nothing() {
    // Restored from the checkpoint of another job, of which it goes on to use files.
    let restored = moves(Checkpoint, "/b/J/chk-5", &["/a/K/shared", "/a/K/chk-5"]);
    assert_places(&restored, &[("/a/K/shared/x", "!"), ("/a/K/chk-5/x", "!")]);
    // A savepoint may name what the tasks of its job own.
    let beside = moves(Savepoint, "/s/J/savepoint-1-2", &["/a/J/taskowned"]);
    assert_places(&beside, &[("/a/J/taskowned/x", "!")]);
    for sort in [Savepoint, Unknown] {
        let savepoint = moves(sort, "/s/savepoint-1-2", &["/a/J/taskowned"]);
        assert_places(&savepoint, &[("/a/J/taskowned/x", "!")]);
    }
    for here in ["/b/J/chk-5", "/b/J/monday"] {
        let inline = moves(Checkpoint, here, &[]);
        assert_places(&inline, &[("/a/J/shared/x", "!"), ("/b/J/shared/x", "=")]);
    }
}

#[test]
fn a_savepoint_moves_alone() {
    for sort in [Savepoint, Unknown] {
        for here in ["/b/savepoint-1-2", "/b/before the upgrade"] {
            let moves = moves(sort, here, &["/a/savepoint-1-2", "/a/J/taskowned"]);
            let with_base = if here.ends_with("-2") { "/b/J/taskowned/x" } else { "!" };
            assert_places(&moves, &[("/a/savepoint-1-2/x", &format!("{here}/x")), ("/a/J/taskowned/x", with_base)]);
        }
    }
}

#[test]
fn the_original_tells_more_than_names() {
    // Nothing of its own is named.
    let changes = copied(Checkpoint, "/b/ckpt/J/chk-5", &["/a/dstl/J"], &["/a/ckpt/J/chk-5"]);
    assert_places(&changes, &[("/a/dstl/J/x", "/b/dstl/J/x"), ("/c/x", "!")]);
    let claimed = copied(Checkpoint, "/b/J/chk-5", &["/a/K/shared"], &["/a/J/chk-5"]);
    assert_places(&claimed, &[("/a/K/shared/x", "/b/K/shared/x")]);
    // What its name says is not what it is.
    let renamed = copied(Savepoint, "/b/savepoint-1-2", &["/a/J/chk-5", "/a/J/shared"], &["/a/J/chk-5"]);
    assert_places(&renamed, &[("/a/J/chk-5/x", "/b/savepoint-1-2/x"), ("/a/J/shared/x", "/b/shared/x")]);
    let renamed = copied(Checkpoint, "/b/chk-77", &["/a/savepoint-1-2"], &["/a/savepoint-1-2"]);
    assert_places(&renamed, &[("/a/savepoint-1-2/x", "/b/chk-77/x")]);
    // The files of the job are older than its move.
    let job_moved = copied(Checkpoint, "/c/J/chk-5", &["/a/J/shared"], &["/b/J/chk-5"]);
    assert_places(&job_moved, &[("/b/J/shared/x", "/c/J/shared/x"), ("/a/J/shared/x", "!")]);
}

#[test]
fn what_is_where_it_was_has_no_original() {
    let moves = copied(Checkpoint, "/a/J/chk-5", &["/a/J/shared", "/a/dstl"], &["/a/b/J/chk-5"]);
    assert_places(&moves, &[("/a/J/shared/x", "="), ("/a/dstl/x", "!")]);
}

#[test]
fn odd_paths_tell_nothing() {
    let moves = moves(Unknown, "/", &["/", "shared", "/shared", "s3://b/chk-5", ""]);
    assert_places(&moves, &[("relative", "!"), ("/etc/x", "=")]);
}

#[test]
fn directories_of_one_name_are_guesses_when_nothing_is_told() {
    let guesses = |moves: &Moves, path: &str| {
        let path = FlinkPath::new(&named(path));
        let guesses = moves.guesses(&path).into_iter();
        guesses.map(|(guess, below)| guess.to.join(below).to_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let unknown = moves(Checkpoint, "/backup/data/ckpt/J/chk-5", &["/data/dstl/J/dstl"]);
    let expected = ["/backup/data/ckpt/J/dstl/x", "/backup/data/dstl/J/dstl/x"].map(named);
    for path in ["/data/dstl/J/dstl/x", "s3://data/data/dstl/J/dstl/x"] {
        assert_eq!(guesses(&unknown, path), expected, "{path}");
    }
    assert_eq!(guesses(&unknown, "/chk-5"), [""; 0]);
    for known in ["/data/ckpt/J/chk-5", "/backup/data/ckpt/J/chk-5"] {
        let known = moves(Checkpoint, "/backup/data/ckpt/J/chk-5", &[known]);
        assert_eq!(guesses(&known, "/data/dstl/J/dstl/x"), [""; 0]);
    }
}
