//! The fixtures in the tree: read as Flink read them, and written as they were.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use ckpt_flink::{FlinkMetadata, MetadataVersion};
use serde_json::Value;

use super::describe::describe;
use super::truth::differences;

/// Files of Flink's, each with its name: all that the tree has.
pub(crate) fn files() -> Vec<(String, Bytes)> {
    let mut files: Vec<_> = fixtures().into_iter().map(|path| (name(&path), read(&path.join("_metadata")))).collect();
    for version in 3..=6 {
        let path = testdata().join(format!("samples/meta_v{version}.bin"));
        files.push((name(&path), read(&path)));
    }
    files
}

pub(crate) fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

pub(crate) fn read(path: &Path) -> Bytes {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).into()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

fn fixtures() -> Vec<PathBuf> {
    let entries = fs::read_dir(testdata().join("fixtures")).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 8, "{paths:?}");
    paths
}

#[test]
fn each_says_what_flink_read() {
    for path in fixtures() {
        let decoded = FlinkMetadata::decode(read(&path.join("_metadata"))).unwrap();
        let truth: Value = serde_json::from_slice(&read(&path.join("truth.json"))).unwrap();
        assert_eq!(differences(&truth, &describe(&decoded)), [""; 0], "{}", path.display());
    }
}

#[test]
fn each_is_written_as_it_was() {
    for (name, file) in files() {
        let metadata = FlinkMetadata::decode(file.clone()).unwrap().metadata;
        if metadata.version == MetadataVersion::V2 {
            let error = metadata.encode().unwrap_err();
            assert_eq!(error.to_string(), "metadata of version 2 can be read only, expected one of 3 to 6");
        } else {
            assert!(metadata.encode().unwrap() == file, "{name}");
        }
    }
}

/// What nobody writes any more is written in the oldest version that can be, and says the same there.
#[test]
fn version_2_is_written_as_version_3() {
    let mut seen = 0;
    for (name, file) in files() {
        let mut metadata = FlinkMetadata::decode(file).unwrap().metadata;
        if metadata.version != MetadataVersion::V2 {
            continue;
        }
        seen += 1;
        metadata.version = MetadataVersion::V3;
        let written = FlinkMetadata::decode(metadata.encode().unwrap().into()).unwrap();
        assert_eq!(describe(&written), super::describe::describe_metadata(&metadata), "{name}");
    }
    assert!(seen >= 2);
}

/// The fixtures and samples have each version and each kind of handle that Flink has written since version 2.
#[test]
fn each_kind_of_handle_is_there() {
    let (mut versions, mut classes) = (BTreeSet::new(), BTreeSet::new());
    for (_, file) in files() {
        let decoded = FlinkMetadata::decode(file).unwrap();
        versions.insert(decoded.metadata.version);
        let text = describe(&decoded).to_string();
        classes.extend(text.split("\"class\":\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()));
    }
    assert!(versions.iter().eq(&MetadataVersion::ALL));
    let expected = [
        "ByteStreamStateHandle",
        "ChangelogStateBackendHandle$ChangelogStateBackendHandleImpl",
        "ChangelogStateHandleStreamImpl",
        "CheckpointType",
        "EmptyFileMergingOperatorStreamStateHandle",
        "EmptySegmentFileStateHandle",
        "FileMergingOperatorStreamStateHandle",
        "FileStateHandle",
        "FinishedOperatorSubtaskState",
        "FullyFinishedOperatorState",
        "InMemoryChangelogStateHandle",
        "IncrementalRemoteKeyedStateHandle",
        "InputChannelInfo",
        "InputChannelStateHandle",
        "KeyGroupsSavepointStateHandle",
        "KeyGroupsStateHandle",
        "MergedInputChannelStateHandle",
        "MergedResultSubpartitionStateHandle",
        "OperatorState",
        "OperatorStreamStateHandle",
        "OperatorSubtaskState",
        "RelativeFileStateHandle",
        "ResultSubpartitionInfo",
        "ResultSubpartitionStateHandle",
        "SavepointType",
        "SegmentFileStateHandle",
    ];
    assert!(classes.iter().eq(expected), "{classes:?}");
}
