//! The fixtures and samples in the tree.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use ckpt_core::snapshot::{RetentionPolicy, SnapshotKind};
use ckpt_core::state::Root;
use ckpt_flink::{
    ChangeKind, CheckpointProperties, Effect, FlinkMetadata, MetadataVersion, SnapshotType, StoredProperties,
    to_checkpoint,
};

use super::round_trip::{context, there_and_back};

/// Each with its name.
pub(crate) fn files() -> Vec<(String, Bytes)> {
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let entries = fs::read_dir(testdata.join("fixtures")).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = entries.map(|fixture| fixture.join("_metadata")).collect();
    paths.extend((3..=6).map(|version| testdata.join(format!("samples/meta_v{version}.bin"))));
    paths.sort();
    assert!(paths.len() >= 12, "{paths:?}");
    paths.into_iter().map(|path| (path.display().to_string(), fs::read(&path).unwrap().into())).collect()
}

#[test]
fn what_comes_back_is_what_went_in_but_for_what_is_listed() {
    let mut kinds = BTreeSet::new();
    for (name, file) in files() {
        let metadata = FlinkMetadata::decode(file).unwrap().metadata;
        kinds.extend(there_and_back(&name, &metadata).changes().map(|change| change.kind));
    }
    let not_carried = kinds.iter().filter(|kind| kind.effect() == Effect::NotCarried);
    // Of what real jobs write nothing else is left out.
    let expected = [ChangeKind::KeyGroupsElsewhere, ChangeKind::OffsetOutOfRange, ChangeKind::ChangelogChanges];
    assert!(not_carried.clone().all(|kind| expected.contains(kind)), "{:?}", not_carried.collect::<Vec<_>>());
}

#[test]
fn all_roots_are_borrowed_and_no_file_has_a_digest() {
    let (mut files_seen, mut relative) = (0, 0);
    for (name, file) in files() {
        let metadata = FlinkMetadata::decode(file).unwrap().metadata;
        let ours = to_checkpoint(&metadata, &context()).unwrap().metadata;
        assert_eq!(ours.summary().places.get(Root::Borrowed(0)), Some(&context().directory));
        ours.visit_handles(&mut |handle| {
            let Some((root, _)) = handle.file() else { return };
            assert!(matches!(root, Root::Borrowed(_)), "{name}: {root:?}");
            assert_eq!(handle.digest(), None, "{name}");
            files_seen += 1;
            relative += usize::from(root == Root::Borrowed(0));
        })
        .unwrap();
    }
    assert!(files_seen > relative && relative > 0, "{files_seen}, {relative}");
}

/// Flink's own profiles become ours and are theirs again.
#[test]
fn properties_of_checkpoints_come_back_byte_for_byte() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/samples");
    let mut seen = BTreeSet::new();
    for entry in fs::read_dir(samples).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let Some(name) = name.strip_prefix("props_") else { continue };
        // A file without operators, and these properties behind it.
        let mut metadata = FlinkMetadata::new(MetadataVersion::V4, 5);
        metadata.properties = Some(StoredProperties::null());
        let mut file = metadata.encode().unwrap();
        file.truncate(file.len() - StoredProperties::null().as_bytes().len());
        file.extend(fs::read(&path).unwrap());
        let metadata = FlinkMetadata::decode(file.into()).unwrap().metadata;
        let round_trip = there_and_back(name, &metadata);
        let kinds: Vec<_> = round_trip.there.changes.iter().map(|change| change.kind).skip(1).collect();
        use ChangeKind::{DiscardFlags, SnapshotKind as Kind, UnknownProperties};
        let expected: &[ChangeKind] = match name {
            "NEVER_RETAIN_AFTER_TERMINATION" | "RETAIN_ON_CANCELLATION" | "RETAIN_ON_FAILURE" | "unclaimed" => &[],
            "full" => &[],
            "null" => &[UnknownProperties],
            "savepoint_CANONICAL" => &[DiscardFlags],
            _ => &[Kind, DiscardFlags],
        };
        assert_eq!(kinds, expected, "{name}");
        if expected.is_empty() {
            assert_eq!(round_trip.back.metadata.properties, metadata.properties, "{name}");
        }
        let kind = round_trip.there.metadata.summary().kind();
        assert_eq!(kind == SnapshotKind::FullCheckpoint, name == "full", "{name}");
        assert_eq!(kind == SnapshotKind::Checkpoint, name.contains("RETAIN"), "{name}");
        seen.insert(name.to_owned());
    }
    assert_eq!(seen.len(), 12, "{seen:?}");
    let retained = ckpt_core::snapshot::CheckpointProperties::checkpoint(RetentionPolicy::RetainOnCancellation);
    let mut properties = CheckpointProperties::new(SnapshotType::checkpoint());
    properties.discard_subsumed = true;
    properties.discard_finished = true;
    let mut metadata = FlinkMetadata::new(MetadataVersion::V6, 5);
    metadata.properties = Some(StoredProperties::new(properties));
    assert_eq!(to_checkpoint(&metadata, &context()).unwrap().metadata.summary().properties, retained);
}
