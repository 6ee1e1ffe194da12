//! What lies beside a snapshot and is no file of it.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use ckpt_core::ErrorKind;
use rustix::fs::{CWD, Mode, mkfifoat};

use super::{Finding, FindingKind, VerifyOptions};
use crate::dispose::support_test::{savepoint_mark, snapshot};
use crate::test_support::local_context;
use crate::{CheckpointStorage as _, FileSystemStorage};

/// What is found of the snapshot of that name, whose state is whole.
fn found(root: &std::path::Path, name: &str) -> Vec<Finding> {
    let (context, pointer) = (local_context(), root.join(name));
    let location = FileSystemStorage::without_directory().resolve(pointer.to_str().unwrap(), &context).unwrap();
    let mut findings = Vec::new();
    let report = location.verify(&context, &VerifyOptions::default(), &mut findings).unwrap();
    let extra = findings.iter().filter(|it| matches!(it.kind, FindingKind::Extra | FindingKind::ExtraEntry)).count();
    let marks = findings.iter().filter(|it| it.kind == FindingKind::Mark).count();
    assert_eq!((report.extra, report.unreadable_marks, report.not_listed), (extra as u64, marks as u64, 0));
    findings
}

#[test]
fn whatever_lies_beside_it_is_told() {
    let root = tempfile::tempdir().unwrap();
    let directory = snapshot(root.path(), "chk-1", 0).directory;
    assert!(found(root.path(), "chk-1").is_empty());
    fs::write(directory.join("file"), "x").unwrap();
    fs::create_dir_all(directory.join("full/of")).unwrap();
    fs::write(directory.join("full/of/files"), "x").unwrap();
    fs::create_dir_all(directory.join("empty/below")).unwrap();
    symlink("file", directory.join("link")).unwrap();
    mkfifoat(CWD, directory.join("pipe"), Mode::RUSR).unwrap();
    let _socket = UnixListener::bind(directory.join("socket")).unwrap();
    fs::write(directory.join("a\\b"), "x").unwrap();
    fs::write(directory.join(OsStr::from_bytes(b"caf\xe9")), "x").unwrap();
    let findings = found(root.path(), "chk-1");
    let names: Vec<_> = findings
        .iter()
        .map(|it| match (&it.file, &it.name) {
            (Some(file), None) => file.to_string(),
            (None, Some(name)) => name.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, ["file", "full/of/files", "a\\b", "caf\u{fffd}", "empty", "link", "pipe", "socket"]);
    assert_eq!(findings[4].to_string(), "'empty' below the snapshot's own directory is no file of ours");
}

#[test]
fn marks_that_cannot_be_read_are_told() {
    for mark in ["_disposing", "OWNER", "_savepoint"] {
        let root = tempfile::tempdir().unwrap();
        let directory = snapshot(root.path(), "chk-1", 0).directory;
        if mark == "_savepoint" {
            fs::write(directory.join(mark), savepoint_mark(1)).unwrap();
            assert!(found(root.path(), "chk-1").is_empty());
        }
        // Made after it was resolved, which refuses one that is being disposed of.
        let context = local_context();
        let location = FileSystemStorage::without_directory().resolve(directory.to_str().unwrap(), &context).unwrap();
        for junk in ["a file", "a directory"] {
            let _ = fs::remove_file(directory.join(mark));
            match junk {
                "a file" => fs::write(directory.join(mark), "junk").unwrap(),
                _ => fs::create_dir(directory.join(mark)).unwrap(),
            }
            let mut findings = Vec::new();
            let report = location.verify(&context, &VerifyOptions::default(), &mut findings).unwrap();
            assert_eq!(
                (report.unreadable_marks, report.extra, report.is_whole(), findings.len()),
                (1, 0, true, 1),
                "{mark}"
            );
            assert_eq!(findings[0].file.as_ref().unwrap().to_string(), mark);
            assert_eq!(findings[0].error.as_ref().unwrap().kind(), ErrorKind::Corrupt, "{mark}, {junk}");
        }
    }
}
