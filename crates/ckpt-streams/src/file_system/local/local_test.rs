//! The local file system: its contract, modes, links, what stays and what goes.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use ckpt_core::ErrorKind;
use ckpt_core::state::RelPath;

use crate::file_system::{CasOutcome, Durability, FileSystem, LocalFileSystem, MemoryFileSystem, Visible};
use crate::testing::contract;

fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap()
}

fn write(local: &LocalFileSystem, name: &str) {
    let mut writer = local.create_new(&path(name), Visible::AtOnce).unwrap();
    writer.write_all(b"bytes").unwrap();
    assert!(matches!(writer.finish(Durability::Full), CasOutcome::Done(_)));
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}

#[test]
fn the_contract_of_file_systems() {
    let scratch = tempfile::tempdir().unwrap();
    let counter = std::cell::Cell::new(0);
    contract::file_system(&|| {
        counter.set(counter.get() + 1);
        Arc::new(LocalFileSystem::open(scratch.path().join(format!("{}/root", counter.get()))).unwrap())
    });
    contract::file_system(&|| Arc::new(MemoryFileSystem::new()));
}

#[test]
fn looking_makes_nothing_and_the_first_file_makes_the_root() {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().join("a/b");
    let local = LocalFileSystem::open(&root).unwrap();
    assert!(local.list(None, None, 1).unwrap().is_empty());
    assert_eq!(local.open(&path("x")).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(local.read_record(&path("head/HEAD")).unwrap(), None);
    assert!(local.remove(&[path("x")])[0].is_ok());
    assert!(!scratch.path().join("a").exists());
    write(&local, "x");
    assert!(root.join("x").exists());
}

#[test]
fn modes_do_not_depend_on_the_umask() {
    // The umask belongs to the process, so a shell sets it for a run of the test below.
    for umask in ["000", "077", "277", "777"] {
        let test = "file_system::local::local_test::modes_under_the_present_umask";
        let program = std::env::current_exe().unwrap();
        let output = std::process::Command::new("sh")
            .args(["-c", &format!("umask {umask} && exec \"$0\" --exact {test}")])
            .arg(program)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && text.contains("1 passed"), "umask {umask}: {text}");
    }
}

#[test]
fn modes_under_the_present_umask() {
    let scratch = tempfile::tempdir().unwrap();
    std::fs::set_permissions(scratch.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let local = LocalFileSystem::open(scratch.path().join("a/root")).unwrap();
    write(&local, "b/c/file");
    let mut whole = local.create_new(&path("b/whole"), Visible::WholeAtFinish).unwrap();
    whole.write_all(b"x").unwrap();
    assert!(matches!(whole.finish(Durability::Full), CasOutcome::Done(_)));
    for directory in ["a", "a/root", "a/root/b", "a/root/b/c"] {
        assert_eq!(mode(&scratch.path().join(directory)), 0o700, "{directory}");
    }
    for file in ["a/root/b/c/file", "a/root/b/whole"] {
        assert_eq!(mode(&scratch.path().join(file)), 0o600, "{file}");
    }
}

#[test]
fn a_directory_that_was_swapped_for_a_link_is_refused_everywhere() {
    let scratch = tempfile::tempdir().unwrap();
    let (root, outside) = (scratch.path().join("root"), scratch.path().join("outside"));
    let local = LocalFileSystem::open(&root).unwrap();
    write(&local, "chk-1/state");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("state"), "precious").unwrap();
    std::fs::rename(root.join("chk-1"), root.join("moved")).unwrap();
    std::os::unix::fs::symlink(&outside, root.join("chk-1")).unwrap();
    assert!(local.open(&path("chk-1/state")).is_err());
    assert!(local.create_new(&path("chk-1/new"), Visible::AtOnce).is_err());
    assert!(local.create_new(&path("chk-1/new"), Visible::WholeAtFinish).is_err());
    assert!(local.sync_entries(&[path("chk-1/state")]).is_err());
    assert!(local.remove(&[path("chk-1/state")])[0].is_err());
    let listed = local.list(None, None, 9).unwrap();
    assert_eq!(listed.iter().map(|entry| entry.path.as_str()).collect::<Vec<_>>(), ["moved/state"]);
    assert_eq!(std::fs::read(outside.join("state")).unwrap(), b"precious");
    assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 1);
    // A link in the place of the file itself is removed, never what it points to.
    std::os::unix::fs::symlink(outside.join("state"), root.join("moved/link")).unwrap();
    assert!(local.open(&path("moved/link")).is_err());
    assert!(local.remove(&[path("moved/link")])[0].is_ok());
    assert!(outside.join("state").exists());
}

#[test]
fn a_directory_is_made_once_for_its_owner_alone_and_never_where_anything_is() {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().join("root");
    let local = LocalFileSystem::open(&root).unwrap();
    assert!(local.make_directory(&path("a/b")).unwrap());
    assert_eq!(["", "a", "a/b"].map(|name| mode(&root.join(name))), [0o700; 3]);
    std::fs::write(root.join("file"), "x").unwrap();
    std::os::unix::fs::symlink("nowhere", root.join("link")).unwrap();
    for taken in ["a/b", "a", "file", "link"] {
        assert!(!local.make_directory(&path(taken)).unwrap(), "{taken}");
    }
    assert!(!root.join("nowhere").exists(), "no link is followed");
    let error = local.make_directory(&path("file/below")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AbortCheckpoint);
    assert!(error.to_string().contains("file/below"), "{error}");
}

#[test]
fn an_empty_directory_goes_with_its_last_file_and_the_root_stays() {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().join("root");
    let local = LocalFileSystem::open(&root).unwrap();
    for name in ["a/b/one", "a/b/two", "a/three", "four"] {
        write(&local, name);
    }
    assert!(local.remove(&[path("a/b/one")])[0].is_ok());
    assert!(root.join("a/b").exists());
    assert!(local.remove(&[path("a/b/two")])[0].is_ok());
    assert!(!root.join("a/b").exists() && root.join("a").exists());
    // Also when the file is gone already: an interrupted removal is completed by the next.
    std::fs::remove_file(root.join("a/three")).unwrap();
    assert!(local.remove(&[path("a/three"), path("four")]).iter().all(Result::is_ok));
    assert!(!root.join("a").exists() && root.exists());
    // The name is used again, and its entry is synced again.
    write(&local, "a/b/one");
    local.sync_entries(&[path("a/b/one")]).unwrap();
    // A directory is not a file.
    assert!(local.remove(&[path("a/b")])[0].is_err());
    assert!(root.join("a/b/one").exists());
}

#[test]
fn what_an_interrupted_publication_left_goes_with_its_name() {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().join("root");
    let local = LocalFileSystem::open(&root).unwrap();
    write(&local, "chk-1/state");
    for name in [".tmp-_metadata-77-0", ".tmp-other-77-1"] {
        std::fs::write(root.join("chk-1").join(name), "half").unwrap();
    }
    assert!(local.remove(&[path("chk-1/state")])[0].is_ok());
    assert!(root.join("chk-1/.tmp-_metadata-77-0").exists());
    assert!(local.remove(&[path("chk-1/_metadata")])[0].is_ok());
    assert!(!root.join("chk-1/.tmp-_metadata-77-0").exists());
    assert!(root.join("chk-1/.tmp-other-77-1").exists());
    assert!(local.remove(&[path("chk-1/other")])[0].is_ok());
    assert!(!root.join("chk-1").exists());
}

#[test]
fn a_root_that_is_no_directory_is_a_configuration_error_that_names_it() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let error = LocalFileSystem::open(&file).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("file"), "{error}");
    let below = LocalFileSystem::open(file.join("below"));
    assert_eq!(below.unwrap_err().kind(), ErrorKind::Configuration);
}

#[test]
fn threads_that_create_while_others_remove_meet_no_error() {
    let scratch = tempfile::tempdir().unwrap();
    let local = LocalFileSystem::open(scratch.path()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let local = &local;
            scope.spawn(move || {
                for number in 0..50 {
                    let name = path(&format!("d/e/{thread}-{number}"));
                    drop(local.create_new(&name, Visible::AtOnce).unwrap());
                    assert!(local.remove(&[name])[0].is_ok());
                }
            });
        }
    });
    assert!(!scratch.path().join("d").exists());
}

#[test]
fn a_state_file_is_duplicated_without_copying_its_bytes_and_a_file_of_others_is_not_linked() {
    use std::os::unix::fs::MetadataExt as _;
    let scratch = tempfile::tempdir().unwrap();
    let local = LocalFileSystem::open(scratch.path()).unwrap();
    let names =
        ["chk-1/0000000000000001-0000000000000002-00000001", "shared/0000000000000001-0000000000000002-00000002"];
    write(&local, names[0]);
    write(&local, "chk-1/000012.sst");
    let metadata = |name: &str| scratch.path().join(name).metadata().unwrap();
    assert!(matches!(local.duplicate(&path(names[0]), &path(names[1]), Durability::Full), CasOutcome::Done(_)));
    local.sync_entries(&[path(names[1])]).unwrap();
    assert!(matches!(
        local.duplicate(&path("chk-1/000012.sst"), &path("shared/000012.sst"), Durability::Full),
        CasOutcome::Done(_)
    ));
    assert_eq!(std::fs::read(scratch.path().join(names[1])).unwrap(), b"bytes");
    assert_eq!(mode(&scratch.path().join("shared")), 0o700);
    // Where files can share their bytes both are files of their own; elsewhere the name is a second one.
    let root = local.root.get().unwrap();
    let clones = root.clones.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(metadata(names[0]).ino() == metadata(names[1]).ino(), !clones);
    assert_eq!(metadata(names[1]).nlink(), if clones { 1 } else { 2 });
    assert_ne!(metadata("chk-1/000012.sst").ino(), metadata("shared/000012.sst").ino());
    assert!(local.capabilities().cheap_duplicate);
    // A name that is taken stays what it is.
    for from in ["chk-1/000012.sst", names[0]] {
        let taken = local.duplicate(&path(from), &path(names[1]), Durability::Full);
        assert!(matches!(taken, CasOutcome::Lost), "{taken:?}");
    }
    assert!(local.remove(&[path(names[0])])[0].is_ok());
    assert_eq!(std::fs::read(scratch.path().join(names[1])).unwrap(), b"bytes");
    // Where neither is possible the bytes are copied, and it says so.
    root.clones.store(false, std::sync::atomic::Ordering::Relaxed);
    root.links.store(false, std::sync::atomic::Ordering::Relaxed);
    assert!(matches!(local.duplicate(&path(names[1]), &path(names[0]), Durability::Full), CasOutcome::Done(_)));
    assert_ne!(metadata(names[0]).ino(), metadata(names[1]).ino());
    assert_eq!(std::fs::read(scratch.path().join(names[0])).unwrap(), b"bytes");
    assert!(!local.capabilities().cheap_duplicate);
}

#[test]
fn no_directory_is_duplicated() {
    let scratch = tempfile::tempdir().unwrap();
    let local = LocalFileSystem::open(scratch.path()).unwrap();
    write(&local, "a/file");
    let outcome = local.duplicate(&path("a"), &path("b/copy"), Durability::Full);
    let CasOutcome::Failed(error) = outcome else { panic!("expected Failed, found {outcome:?}") };
    assert_eq!(error.kind(), ErrorKind::AbortCheckpoint);
    assert!(!scratch.path().join("b").exists());
}

#[test]
fn a_pipe_in_the_place_of_a_file_is_refused_and_not_waited_for() {
    let scratch = tempfile::tempdir().unwrap();
    let local = Arc::new(LocalFileSystem::open(scratch.path()).unwrap());
    write(&local, "a/file");
    let made = std::process::Command::new("mkfifo").arg(scratch.path().join("a/pipe")).status().unwrap();
    assert!(made.success());
    // Nobody writes into it, so an open that waits never ends: it is left in a thread of its own.
    let (opened, is_opened) = channel();
    let reader = Arc::clone(&local);
    std::thread::spawn(move || {
        let file = reader.open(&path("a/pipe")).map(drop);
        let _ = opened.send((file, reader.duplicate(&path("a/pipe"), &path("a/copy"), Durability::Full)));
    });
    let (file, copy) = is_opened.recv_timeout(Duration::from_secs(10)).expect("no wait for whoever writes");
    let expected = format!("'{}' is no regular file", scratch.path().join("a/pipe").display());
    let CasOutcome::Failed(copy) = copy else { panic!("expected Failed, found {copy:?}") };
    for (error, kind) in [(file.unwrap_err(), ErrorKind::Corrupt), (copy, ErrorKind::AbortCheckpoint)] {
        assert_eq!((error.kind(), error.to_string()), (kind, expected.clone()));
    }
    assert!(local.remove(&[path("a/pipe")])[0].is_ok());
}

/// A directory that another process removed and this one makes again is not known to be durable, whatever number and time of
/// birth the system gives it.
#[test]
fn a_directory_that_is_made_again_is_not_known_to_be_durable() {
    let scratch = tempfile::tempdir().unwrap();
    let local = LocalFileSystem::open(scratch.path()).unwrap();
    write(&local, "a/b/one");
    local.sync_entries(&[path("a/b/one")]).unwrap();
    let is_known = |directory| local.root.get().unwrap().durable.lock().contains(directory);
    assert!(is_known("a") && is_known("a/b"));
    std::fs::remove_dir_all(scratch.path().join("a")).unwrap();
    write(&local, "a/b/one");
    assert!(!is_known("a") && !is_known("a/b"));
    local.sync_entries(&[path("a/b/one")]).unwrap();
    assert!(is_known("a") && is_known("a/b"));
}

#[test]
fn a_directory_that_is_a_root_stays_the_same_whatever_comes_in_its_place() {
    let scratch = tempfile::tempdir().unwrap();
    let local = LocalFileSystem::open(scratch.path().join("root")).unwrap();
    write(&local, "a/file");
    write(&local, "b/file");
    for by_components in [false, true] {
        if by_components {
            local.root.get().unwrap().resolve_by_component();
        }
        let opened = local.open_root(&path("a")).unwrap().expect("local directories are more than names");
        let (a, moved) = (scratch.path().join("root/a"), scratch.path().join("root/moved"));
        std::fs::rename(&a, &moved).unwrap();
        std::os::unix::fs::symlink(scratch.path().join("root/b"), &a).unwrap();
        std::fs::write(moved.join("other"), "x").unwrap();
        assert!(opened.remove(&[path("other"), path("none")]).iter().all(Result::is_ok));
        assert_eq!(opened.list(None, None, 9).unwrap().len(), 1);
        opened.sync_removed(&[path("other")]).unwrap();
        assert!(scratch.path().join("root/b/file").exists() && !moved.join("other").exists());
        // And what is no directory of its own becomes no root.
        assert_eq!(local.open_root(&path("a")).unwrap_err().kind(), ErrorKind::Corrupt);
        assert_eq!(local.open_root(&path("b/file")).unwrap_err().kind(), ErrorKind::Corrupt);
        assert_eq!(local.open_root(&path("none")).unwrap_err().kind(), ErrorKind::NotFound);
        std::fs::remove_file(&a).unwrap();
        std::fs::rename(&moved, &a).unwrap();
    }
}

#[test]
fn removals_are_synced_where_their_directory_was() {
    let disk = crate::testing::Disk::new();
    let local = disk.open("/root").unwrap();
    write(&local, "d/e/file");
    write(&local, "d/other");
    local.sync_entries(&[path("d/e/file"), path("d/other")]).unwrap();
    let there = |disk: &crate::testing::Disk| {
        let files = disk.open("/root").unwrap().list(None, None, 9).unwrap();
        files.into_iter().map(|entry| entry.path.to_string()).collect::<Vec<_>>()
    };
    assert!(local.remove(&[path("d/e/file")])[0].is_ok());
    assert_eq!(there(&disk.lose_power()), ["d/e/file", "d/other"]);
    // Its directory is gone with it, so the one above says so.
    local.sync_removed(&[path("d/e/file")]).unwrap();
    assert_eq!(there(&disk.lose_power()), ["d/other"]);
    assert!(local.remove(&[path("d/other")])[0].is_ok());
    local.sync_removed(&[path("d/other")]).unwrap();
    assert_eq!(there(&disk.lose_power()), [] as [&str; 0]);
}
