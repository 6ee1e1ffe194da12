//! The golden files: what was written once is written again byte for byte, and read back as the same value.
//!
//! They are kept for ever. `CKPT_WRITE_GOLDEN=1 cargo test -p ckpt-core --test format` writes those that do not exist
//! yet; none is ever replaced.

use std::fmt::Debug;
use std::fs;
use std::path::PathBuf;

use bytes::Bytes;
use ckpt_core::head::Head;
use ckpt_core::mark::{DisposalMark, OwnerRecord, SavepointMark};
use ckpt_core::message::{Marker, ToCoordinator, ToTask};
use ckpt_core::metadata::{CheckpointMetadata, MetadataReader};
use ckpt_core::snapshot::LocationReference;
use ckpt_core::state::{TaskRestore, TaskSnapshot};
use ckpt_core::state_file::{self, BlockDigester};

use crate::head_samples;
use crate::{mark_samples, message_samples, metadata_samples, samples};

pub(crate) fn path(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "testdata", "v1", name].iter().collect()
}

pub(crate) fn read(name: &str) -> Vec<u8> {
    fs::read(path(name)).unwrap_or_else(|error| panic!("{}: {error}", path(name).display()))
}

fn check<T: PartialEq + Debug>(name: &str, value: &T, encoded: &[u8], decode: impl Fn(&[u8]) -> ckpt_core::Result<T>) {
    if std::env::var_os("CKPT_WRITE_GOLDEN").is_some() && !path(name).exists() {
        fs::write(path(name), encoded).unwrap();
    }
    let golden = read(name);
    assert_eq!(encoded, golden, "{name} is written as other bytes than before");
    assert_eq!(decode(&golden).unwrap(), *value, "{name} is read as another value than before");
}

#[test]
fn metadata_is_pinned() {
    let pinned =
        [("metadata", metadata_samples::fixed_metadata()), ("metadata-savepoint", metadata_samples::fixed_savepoint())];
    for (name, metadata) in pinned {
        let (bytes, written) = metadata.encode().unwrap();
        check(name, &metadata, &bytes, |bytes| CheckpointMetadata::decode(Bytes::copy_from_slice(bytes)));
        assert_eq!(written.length_bytes, bytes.len() as u64);
        let reader = MetadataReader::open(Bytes::from(bytes)).unwrap();
        assert_eq!(reader.written(), written);
        assert_eq!(reader.summary(), metadata.summary());
    }
}

#[test]
fn head_is_pinned() {
    let head = head_samples::fixed_head();
    check("head", &head, &head.encode().unwrap(), Head::decode);
    let ended = head_samples::fixed_head_of_an_ended_job();
    check("head-ended", &ended, &ended.encode().unwrap(), Head::decode);
}

#[test]
fn a_state_file_is_pinned() {
    let (name, content) = samples::fixed_state_file();
    let mut digester = BlockDigester::new();
    digester.update(content);
    let end = digester.finish(&name);
    assert_eq!(end.handle_digest, samples::FIXED_STATE_FILE_DIGEST);
    check("state-file", &content.to_vec(), &[content, &end.bytes].concat(), |file| {
        Ok(state_file::payload(file, &name, content.len() as u64, end.handle_digest)?.to_vec())
    });
}

#[test]
fn marks_and_references_are_pinned() {
    let owner = mark_samples::owner();
    check("owner", &owner, &owner.encode().unwrap(), OwnerRecord::decode);
    let mark = mark_samples::disposal();
    check("disposing", &mark, &mark.encode().unwrap(), DisposalMark::decode);
    let mark = mark_samples::savepoint();
    check("savepoint", &mark, &mark.encode().unwrap(), SavepointMark::decode);
    let uri = mark_samples::uri();
    let LocationReference::At(bytes) = LocationReference::of_uri(&uri).unwrap() else { panic!("not a place") };
    check("location-uri", &Some(uri), &bytes, |bytes| {
        LocationReference::at(Bytes::copy_from_slice(bytes)).and_then(|reference| reference.to_uri())
    });
}

#[test]
fn messages_are_pinned() {
    const LIMIT: usize = 4096;
    for (name, message) in message_samples::fixed_to_task() {
        check(name, &message, &message.encode(LIMIT).unwrap(), |frame| ToTask::decode(frame, LIMIT));
    }
    for (name, message) in message_samples::fixed_to_coordinator() {
        check(name, &message, &message.encode(LIMIT).unwrap(), |frame| ToCoordinator::decode(frame, LIMIT));
    }
    for (name, marker) in message_samples::fixed_markers() {
        check(name, &marker, &marker.encode(LIMIT).unwrap(), |frame| Marker::decode(frame, LIMIT));
    }
    for (name, barrier) in message_samples::fixed_barriers() {
        let frame = barrier.encode(LIMIT).unwrap();
        check(&format!("marker-barrier-{name}"), &barrier, &frame, |frame| Marker::decode(frame, LIMIT));
    }
    let restore = message_samples::fixed_restore();
    check("task-restore", &restore, &restore.encode(LIMIT).unwrap(), |frame| TaskRestore::decode(frame, LIMIT));
    let snapshot = message_samples::fixed_snapshot();
    check("task-snapshot", &snapshot, &snapshot.encode(LIMIT).unwrap(), |frame| TaskSnapshot::decode(frame, LIMIT));
}
