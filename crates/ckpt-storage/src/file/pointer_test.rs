//! Each pointer that is wrong has an error of its own.

use std::fs;
use std::os::unix::net::UnixListener;
use std::path::Path;

use ckpt_core::ErrorKind;
use ckpt_core::state::RelPath;
use ckpt_core::uri::StoragePath;
use ckpt_streams::ReadOptions;

use crate::test_support::{MemoryDisk, local_context};
use crate::testing::sample::{commit_next, job, nonce};
use crate::{CheckpointStorage, FileSystemStorage, StorageContext, claim};

/// A checkpoint in a real directory; returns `chk-1`.
fn with_checkpoint(base: &Path) -> (FileSystemStorage, StorageContext, String) {
    let base = base.canonicalize().unwrap().into_os_string().into_string().unwrap();
    let (storage, context) = (FileSystemStorage::new(&*base), local_context());
    let view = storage.coordinator_view(job(1), &context).unwrap();
    let claimed = claim(&*view.head(), job(1), nonce(1)).unwrap();
    let _ = commit_next(&*view, &claimed.head, 1, &[]);
    (storage, context, format!("{base}/{}/chk-1", job(1)))
}

#[test]
fn a_checkpoint_is_found_by_its_directory_and_by_its_file() {
    let directory = tempfile::tempdir().unwrap();
    let (storage, context, checkpoint) = with_checkpoint(directory.path());
    let link = directory.path().join("latest");
    std::os::unix::fs::symlink(&checkpoint, &link).unwrap();
    for pointer in [
        checkpoint.clone(),
        format!("{checkpoint}/"),
        format!("{checkpoint}/_metadata"),
        format!("file:{checkpoint}"),
        format!("file://{checkpoint}/_metadata"),
        format!("file://localhost{checkpoint}"),
        format!("{checkpoint}/../chk-1"),
        link.to_str().unwrap().to_owned(),
    ] {
        let found = storage.resolve(&pointer, &context).unwrap_or_else(|error| panic!("{pointer}: {error:?}"));
        assert_eq!(found.pointer, checkpoint, "{pointer}");
        assert_eq!(found.metadata.summary().identity.id.get(), 1);
    }
    // Another name does not make it another file, but its directory alone would not name it.
    let copy = directory.path().canonicalize().unwrap().join("copy");
    fs::copy(format!("{checkpoint}/_metadata"), &copy).unwrap();
    let found = storage.resolve(copy.to_str().unwrap(), &context).unwrap();
    assert_eq!(found.pointer, copy.to_str().unwrap());
}

#[test]
fn a_directory_with_spaces_is_found_by_its_path_and_by_the_uri_that_head_holds() {
    let above = tempfile::tempdir().unwrap();
    let directory = above.path().join("my state 100%");
    fs::create_dir(&directory).unwrap();
    let (storage, context, checkpoint) = with_checkpoint(&directory);
    let uri = StoragePath::from(&*checkpoint).to_uri().unwrap();
    assert!(uri.as_str().contains("/my%20state%20100%25/"), "{uri}");
    for pointer in [&*checkpoint, uri.as_str()] {
        assert_eq!(storage.resolve(pointer, &context).unwrap().pointer, checkpoint);
        assert!(context.file_systems.open(pointer).unwrap().open(&RelPath::new("_metadata").unwrap()).is_ok());
    }
    let error = storage.resolve("file:///a%2fb", &context).unwrap_err();
    assert!(error.to_string().contains("a '%' in it encodes nothing that may be"), "{error}");
}

#[test]
fn a_relative_pointer_begins_at_the_current_directory() {
    let here = std::env::current_dir().unwrap();
    let directory = tempfile::tempdir_in(&here).unwrap();
    let (storage, context, checkpoint) = with_checkpoint(directory.path());
    let name = directory.path().file_name().unwrap().to_str().unwrap();
    for pointer in [format!("{name}/{}/chk-1", job(1)), format!("./{name}/{}/chk-1/_metadata", job(1))] {
        assert_eq!(storage.resolve(&pointer, &context).unwrap().pointer, checkpoint);
    }
}

#[test]
fn each_wrong_pointer_has_an_error_of_its_own_and_makes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (storage, context, checkpoint) = with_checkpoint(directory.path());
    let base = directory.path().to_str().unwrap();
    fs::create_dir(directory.path().join("empty")).unwrap();
    fs::write(directory.path().join("text"), "not metadata").unwrap();
    let _socket = UnixListener::bind(directory.path().join("socket")).unwrap();
    std::os::unix::fs::symlink("socket", directory.path().join("to-socket")).unwrap();
    for name in ["sp-12:30", "a\\b", "a%2eb"] {
        fs::create_dir(directory.path().join(name)).unwrap();
    }
    let cases = [
        (String::new(), ErrorKind::Configuration, "the pointer to a checkpoint is empty"),
        ("a\u{7}b".to_owned(), ErrorKind::Configuration, "control character"),
        ("file:relative".to_owned(), ErrorKind::Configuration, "absolute path and no host but localhost"),
        ("file://host/a".to_owned(), ErrorKind::Configuration, "absolute path and no host but localhost"),
        ("s3://bucket/job/chk-1".to_owned(), ErrorKind::Configuration, "cannot access the file system"),
        (format!("{base}/missing/chk-1"), ErrorKind::NotFound, "no such file or directory"),
        (format!("{base}/missing"), ErrorKind::NotFound, "no such file or directory"),
        (format!("{base}/text/chk-1"), ErrorKind::NotFound, "no such file or directory"),
        (format!("{base}/empty"), ErrorKind::NotFound, "cannot find the metadata file '_metadata'"),
        (format!("{checkpoint}/.."), ErrorKind::NotFound, "expected that of one of its checkpoints"),
        ("/".to_owned(), ErrorKind::Configuration, "no name of a file or directory"),
        ("/dev/null".to_owned(), ErrorKind::Configuration, "'/dev/null' is neither a file nor a directory"),
        (format!("{base}/socket"), ErrorKind::Configuration, "is neither a file nor a directory"),
        (format!("{base}/to-socket"), ErrorKind::Configuration, "is neither a file nor a directory"),
        (format!("{base}/sp-12:30"), ErrorKind::Configuration, "has a ':', which would make a scheme"),
        (format!("{base}/a\\b"), ErrorKind::Configuration, "has a '\\', which no path of ours may have: rename it"),
        (format!("{base}/a%2eb"), ErrorKind::Configuration, "a percent-encoded dot"),
        (format!("{base}/text"), ErrorKind::Corrupt, "cannot be used"),
    ];
    for (pointer, kind, message) in cases {
        let error = storage.resolve(&pointer, &context).unwrap_err();
        assert_eq!(error.kind(), kind, "{pointer}: {error:?}");
        assert!(error.to_string().contains(message), "{pointer}: {error}");
    }
    assert!(!directory.path().join("missing").exists());
}

#[test]
fn a_secret_in_a_pointer_is_not_shown() {
    let (storage, context) = (FileSystemStorage::new("/a"), local_context());
    for pointer in ["s3://key:canary@bucket/chk-1", "s3:key:canary@bucket/chk-1", "s3://bucket/chk-1?token=canary"] {
        let error = storage.resolve(pointer, &context).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        assert!(error.to_string().contains("***"), "{error}");
    }
}

#[test]
fn other_file_systems_are_searched_without_a_local_path() {
    let disk = MemoryDisk::default();
    let (storage, context) = (FileSystemStorage::new("mem:/base"), disk.context());
    let view = storage.coordinator_view(job(1), &context).unwrap();
    let claimed = claim(&*view.head(), job(1), nonce(1)).unwrap();
    let _ = commit_next(&*view, &claimed.head, 1, &[]);
    let checkpoint = format!("mem:/base/{}/chk-1", job(1));
    for pointer in [checkpoint.clone(), format!("{checkpoint}/"), format!("{checkpoint}/_metadata")] {
        assert_eq!(storage.resolve(&pointer, &context).unwrap().pointer, checkpoint);
    }
    for (pointer, message) in [
        (format!("mem:/base/{}/chk-2", job(1)), "no such file or directory"),
        ("mem:/base".to_owned(), "it has no path part"),
        (format!("mem:/base/{}/head", job(1)), "cannot find the metadata file"),
        ("mem:/".to_owned(), "it is a root directory"),
        (format!("mem:/base/../{}/chk-1", job(1)), "it has the component '..'"),
    ] {
        let error = storage.resolve(&pointer, &context).unwrap_err();
        assert!(error.to_string().contains(message), "{pointer}: {error}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_resolved_checkpoint_holds_one_descriptor_and_a_summary_none() {
    let directory = tempfile::tempdir().unwrap();
    let (storage, context, checkpoint) = with_checkpoint(directory.path());
    let base = directory.path().canonicalize().unwrap();
    let held = || {
        let open = fs::read_dir("/proc/self/fd").unwrap().filter_map(|held| fs::read_link(held.unwrap().path()).ok());
        open.filter(|path| path.starts_with(&base)).count()
    };
    assert_eq!(held(), 0);
    let _ = storage.summarize(&checkpoint, &context).unwrap();
    assert_eq!(held(), 0);
    let all: Vec<_> = (0..10).map(|_| storage.resolve(&checkpoint, &context).unwrap()).collect();
    let readers: Vec<_> = all.iter().map(|found| found.reader(ReadOptions::default()).unwrap()).collect();
    assert_eq!(held(), all.len());
    drop(all);
    assert_eq!(held(), readers.len(), "a reader keeps what it reads from");
    drop(readers);
    assert_eq!(held(), 0);
}
