//! Records of the local file system: races, leftovers, versions that are dead.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use ckpt_core::ErrorKind;
use ckpt_core::state::RelPath;

use crate::file_system::{CasOutcome, Durability, Expect, FileSystem, LocalFileSystem, VersionTag, Visible};
use crate::testing::{FailingCalls, Failure, Fault, Injection};

fn head() -> RelPath {
    RelPath::new("head/HEAD").unwrap()
}

fn done(outcome: CasOutcome) -> VersionTag {
    match outcome {
        CasOutcome::Done(tag) => tag,
        other => panic!("expected that it is written, found {other:?}"),
    }
}

/// Writes versions 1..=count, each by its number as text.
fn write_versions(local: &LocalFileSystem, count: u64) -> VersionTag {
    let mut tag = done(local.put_record(&head(), Bytes::from("1"), Expect::Absent));
    for version in 2..=count {
        tag = done(local.put_record(&head(), Bytes::from(version.to_string()), Expect::Version(&tag)));
    }
    tag
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn of_sixteen_writers_one_wins_each_version() {
    let scratch = tempfile::tempdir().unwrap();
    let versions = 20;
    let counters = || (0..versions).map(|_| AtomicUsize::new(0)).collect::<Vec<_>>();
    let (wins, doubts) = (counters(), counters());
    std::thread::scope(|scope| {
        for writer in 0..16 {
            let (wins, doubts, path) = (&wins, &doubts, scratch.path());
            scope.spawn(move || {
                let local = LocalFileSystem::open(path).unwrap();
                for (version, (wins, doubts)) in wins.iter().zip(doubts).enumerate() {
                    let body = Bytes::from(format!("{writer} writes {version}"));
                    let tag = VersionTag::new(version.to_string());
                    let expect = if version == 0 { Expect::Absent } else { Expect::Version(&tag) };
                    match local.put_record(&head(), body.clone(), expect) {
                        CasOutcome::Done(tag) => {
                            assert_eq!(tag.as_str(), (version + 1).to_string());
                            wins.fetch_add(1, Ordering::Relaxed);
                        }
                        CasOutcome::Lost => {}
                        // Others were sixteen versions ahead between two of its steps.
                        CasOutcome::Unknown(error) => {
                            let message = error.to_string();
                            assert!(message.contains("dead") || message.ends_with("is gone again"), "{message}");
                            doubts.fetch_add(1, Ordering::Relaxed);
                        }
                        CasOutcome::Failed(error) => panic!("{error:?}"),
                    }
                }
            });
        }
    });
    for (version, (wins, doubts)) in wins.into_iter().zip(doubts).enumerate() {
        let (wins, doubts) = (wins.into_inner(), doubts.into_inner());
        assert!(wins == 1 || (wins == 0 && doubts > 0), "version {version}: {wins} wins, {doubts} doubts");
    }
}

#[test]
fn the_same_bytes_again_are_the_same_write_and_others_lose() {
    let scratch = tempfile::tempdir().unwrap();
    let local = LocalFileSystem::open(scratch.path()).unwrap();
    let first = done(local.put_record(&head(), Bytes::from("a"), Expect::Absent));
    assert_eq!(done(local.put_record(&head(), Bytes::from("a"), Expect::Absent)), first);
    assert!(matches!(local.put_record(&head(), Bytes::from("b"), Expect::Absent), CasOutcome::Lost));
    let second = done(local.put_record(&head(), Bytes::from("b"), Expect::Version(&first)));
    assert_eq!(local.read_record(&head()).unwrap(), Some((Bytes::from("b"), second)));
    let future = VersionTag::new("7");
    assert!(matches!(local.put_record(&head(), Bytes::from("c"), Expect::Version(&future)), CasOutcome::Lost));
    for bad in ["", "0", "-1", "x"] {
        let tag = VersionTag::new(bad);
        match local.put_record(&head(), Bytes::from("c"), Expect::Version(&tag)) {
            CasOutcome::Failed(error) => assert_eq!(error.kind(), ErrorKind::Configuration),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn old_versions_go_after_a_marker_and_their_names_never_count_again() {
    let scratch = tempfile::tempdir().unwrap();
    let local = LocalFileSystem::open(scratch.path()).unwrap();
    let newest = write_versions(&local, 16);
    let directory = scratch.path().join("head");
    assert_eq!(
        names(&directory),
        ["DEAD-00000000000000000014", "HEAD-00000000000000000015", "HEAD-00000000000000000016"]
    );
    // A writer that slept since version 4, which is gone together with version 5.
    let slept = VersionTag::new("4");
    assert!(matches!(local.put_record(&head(), Bytes::from("zombie"), Expect::Version(&slept)), CasOutcome::Lost));
    assert!(matches!(local.put_record(&head(), Bytes::from("zombie"), Expect::Absent), CasOutcome::Lost));
    // One that slept between its first look and its link: its version is there and counts for nobody.
    std::fs::write(directory.join("HEAD-00000000000000000005"), "zombie").unwrap();
    assert_eq!(local.read_record(&head()).unwrap(), Some((Bytes::from("16"), newest)));
    assert!(matches!(local.put_record(&head(), Bytes::from("zombie"), Expect::Version(&slept)), CasOutcome::Lost));
}

#[test]
fn a_marker_that_appears_after_the_link_is_seen() {
    let scratch = tempfile::tempdir().unwrap();
    let local = LocalFileSystem::open(scratch.path()).unwrap();
    write_versions(&local, 4);
    let directory = scratch.path().join("head");
    // A file system on which the marker is made while the writer's own file is: the temporary name tells when.
    let watching = directory.clone();
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stopped = std::sync::Arc::clone(&stop);
    let other = std::thread::spawn(move || {
        while !stopped.load(Ordering::Relaxed) {
            if names(&watching).iter().any(|name| name.starts_with(".tmp-HEAD-00000000000000000005")) {
                std::fs::write(watching.join("DEAD-00000000000000000009"), "").unwrap();
                return true;
            }
        }
        false
    });
    let expected = VersionTag::new("4");
    // Long enough for the other to see the temporary name while the bytes are synced.
    let outcome = local.put_record(&head(), Bytes::from(vec![7; 32 << 20]), Expect::Version(&expected));
    stop.store(true, Ordering::Relaxed);
    if other.join().unwrap() {
        match outcome {
            CasOutcome::Unknown(error) => {
                assert!(error.to_string().starts_with("version 5 of record"), "{error}");
                assert_eq!(error.kind(), ErrorKind::Unknown);
            }
            other => panic!("{other:?}"),
        }
    } else {
        done(outcome);
    }
}

#[test]
fn leftovers_of_a_crash_are_ignored_and_removed_in_time() {
    let scratch = tempfile::tempdir().unwrap();
    let directory = scratch.path().join("head");
    std::fs::create_dir(&directory).unwrap();
    for name in [".tmp-HEAD-00000000000000000001-77-0", ".tmp-HEAD-00000000000000000099-77-1", "HEAD-2", "HEAD-x"] {
        std::fs::write(directory.join(name), "half").unwrap();
    }
    let local = LocalFileSystem::open(scratch.path()).unwrap();
    assert_eq!(local.read_record(&head()).unwrap(), None);
    write_versions(&local, 16);
    assert_eq!(
        names(&directory),
        [
            ".tmp-HEAD-00000000000000000099-77-1",
            "DEAD-00000000000000000014",
            "HEAD-00000000000000000015",
            "HEAD-00000000000000000016",
            "HEAD-2",
            "HEAD-x"
        ]
    );
}

#[test]
fn a_record_whose_live_versions_are_lost_is_corrupt_and_not_absent() {
    let scratch = tempfile::tempdir().unwrap();
    let local = LocalFileSystem::open(scratch.path()).unwrap();
    write_versions(&local, 16);
    for version in [15, 16] {
        std::fs::remove_file(scratch.path().join(format!("head/HEAD-{version:020}"))).unwrap();
    }
    let error = local.read_record(&head()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("head/HEAD' has no version above 14"), "{error}");
}

#[test]
fn what_is_read_is_durable_even_if_its_writer_never_synced_it() {
    let scratch = tempfile::tempdir().unwrap();
    write_versions(&LocalFileSystem::open(scratch.path()).unwrap(), 1);
    // Its writer died between its link and the sync of the directory.
    std::fs::write(scratch.path().join("head/HEAD-00000000000000000002"), "2").unwrap();
    let local = LocalFileSystem::open(scratch.path()).unwrap();
    assert_eq!(local.read_record(&head()).unwrap().unwrap().0, "2");
    assert!(local.root.get().unwrap().durable.lock().contains("head"));
}

/// The system forgets what a failed sync could not write: the next one succeeds whatever is durable, unless something was
/// added that takes the rest along.
#[test]
fn after_a_sync_that_failed_the_next_one_takes_a_new_name_along() {
    // The syncs of the second version: its bytes, its directory.
    let syncs_of_the_first = {
        let scratch = tempfile::tempdir().unwrap();
        let calls = FailingCalls::new(Injection::new(Fault::SyncFails, u64::MAX, Failure::Once));
        write_versions(&calls.open(scratch.path()).unwrap(), 1);
        calls.met()
    };
    type Next = fn(&LocalFileSystem, &VersionTag) -> bool;
    let read: Next = |local, _| local.read_record(&head()).unwrap().unwrap().0 == "2";
    let again: Next = |local, first| {
        let outcome = local.put_record(&head(), Bytes::from("2"), Expect::Version(first));
        matches!(outcome, CasOutcome::Done(_))
    };
    for next in [read, again] {
        let scratch = tempfile::tempdir().unwrap();
        let injection = Injection::new(Fault::SyncFails, syncs_of_the_first + 2, Failure::Once);
        let calls = FailingCalls::new(injection);
        let local = calls.open(scratch.path()).unwrap();
        let first = write_versions(&local, 1);
        let outcome = local.put_record(&head(), Bytes::from("2"), Expect::Version(&first));
        assert!(matches!(outcome, CasOutcome::Unknown(_)), "{outcome:?}");
        calls.take_calls();
        assert!(next(&local, &first));
        let made = calls.take_calls();
        let position = |call| made.iter().position(|made| *made == call);
        assert!(position("create").unwrap() < position("sync").unwrap(), "{made:?}");
        // Once that is done nothing is added any more, and nothing is left of it.
        assert!(next(&local, &first));
        assert!(!calls.take_calls().contains(&"create"));
        let found = names(&scratch.path().join("head"));
        assert_eq!(found, ["HEAD-00000000000000000001", "HEAD-00000000000000000002"]);
    }
}

#[test]
fn a_version_that_is_taken_and_cannot_be_read_is_nobodys_for_certain() {
    let scratch = tempfile::tempdir().unwrap();
    let local = LocalFileSystem::open(scratch.path()).unwrap();
    let first = write_versions(&local, 1);
    std::fs::create_dir(scratch.path().join("head/HEAD-00000000000000000002")).unwrap();
    match local.put_record(&head(), Bytes::from("2"), Expect::Version(&first)) {
        CasOutcome::Unknown(error) => assert!(error.to_string().contains("HEAD-00000000000000000002"), "{error}"),
        other => panic!("{other:?}"),
    }
}

/// A name that leaves no room for what is put beside it is refused before anything is written.
#[test]
fn a_name_too_long_for_its_version_or_its_temporary_is_refused() {
    let scratch = tempfile::tempdir().unwrap();
    let local = LocalFileSystem::open(scratch.path()).unwrap();
    for length in 1..=255 {
        let name = RelPath::new(format!("d/{}", "n".repeat(length))).unwrap();
        match local.put_record(&name, Bytes::from("body"), Expect::Absent) {
            CasOutcome::Done(_) => {
                assert!(length <= 197, "{length}");
                assert_eq!(local.read_record(&name).unwrap().unwrap().0, "body");
            }
            CasOutcome::Failed(error) => {
                assert!(length > 197 && error.kind() == ErrorKind::Configuration, "{length}: {error}");
                assert!(error.to_string().contains("at most 197"), "{error}");
                assert_eq!(local.read_record(&name).unwrap_err().kind(), ErrorKind::Configuration);
            }
            other => panic!("{length}: {other:?}"),
        }
        match local.create_new(&name, Visible::WholeAtFinish) {
            Ok(writer) => {
                assert!(length <= 218, "{length}");
                assert!(matches!(writer.finish(Durability::None), CasOutcome::Done(_)), "{length}");
            }
            Err(error) => assert!(length > 218 && error.kind() == ErrorKind::Configuration, "{length}: {error}"),
        }
    }
}

#[test]
fn a_file_where_its_directory_would_be_is_told_once_and_for_all() {
    let scratch = tempfile::tempdir().unwrap();
    std::fs::write(scratch.path().join("head"), "no directory").unwrap();
    let local = LocalFileSystem::open(scratch.path()).unwrap();
    let CasOutcome::Failed(written) = local.put_record(&head(), Bytes::from("1"), Expect::Absent) else {
        panic!("there is no place for it");
    };
    for error in [local.read_record(&head()).unwrap_err(), written] {
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        assert!(error.to_string().contains("head' is no directory"), "{error}");
    }
}
