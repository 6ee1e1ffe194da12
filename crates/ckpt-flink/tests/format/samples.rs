//! The samples: the same checkpoint in each version that Flink 2.2.1 writes, and properties of each kind.

use std::fs;

use bytes::Bytes;
use ckpt_flink::{
    BytesSource, ChannelHandle, CheckpointProperties, FlinkMetadata, FlinkReader, KeyGroupsKind, KeyedHandle, MAGIC,
    MetadataVersion, OperatorSubtasks, PostCheckpointAction, SavepointFormat, SnapshotType, StoredProperties,
    StreamHandle,
};

use super::fixtures::{read, testdata};

fn sample(version: MetadataVersion) -> FlinkMetadata {
    let decoded = FlinkMetadata::decode(sample_file(version)).unwrap();
    assert_eq!((decoded.trailing, decoded.notes.total()), (None, 0));
    decoded.metadata
}

pub(crate) fn sample_file(version: MetadataVersion) -> Bytes {
    read(&testdata().join(format!("samples/meta_v{version}.bin")))
}

const WRITTEN: [MetadataVersion; 4] =
    [MetadataVersion::V3, MetadataVersion::V4, MetadataVersion::V5, MetadataVersion::V6];

#[test]
fn the_outermost_fields_are_those_that_were_written() {
    for version in WRITTEN {
        let metadata = sample(version);
        assert_eq!((metadata.version, metadata.checkpoint_id), (version, 42));
        let [master] = metadata.master_states.as_slice() else { panic!("{:?}", metadata.master_states) };
        assert_eq!((master.version, master.name.as_str().unwrap().as_ref()), (3, "hook"));
        assert_eq!(master.payload, [5, 6].as_slice());

        let [operator, finished, empty] = metadata.operators.as_slice() else { panic!("three operators") };
        let description = &operator.description;
        assert_eq!(description.id.to_string(), "112233445566778899aabbccddeeff00");
        assert_eq!((description.parallelism, description.max_parallelism), (4, 128));
        let coordinator = description.coordinator.as_ref().unwrap();
        assert_eq!((coordinator.name.to_string().as_str(), &*coordinator.data), ("coord", &[1, 2, 3][..]));
        let names = [&description.name, &description.uid].map(|name| name.as_ref().map(ToString::to_string));
        if version >= MetadataVersion::V5 {
            assert_eq!(names, ["näme\0😀", "uid-1"].map(|name| Some(name.to_owned())));
        } else {
            assert_eq!(names, [None, None]);
        }
        assert_eq!(finished.subtasks, OperatorSubtasks::FullyFinished);
        assert_eq!(empty.subtasks, OperatorSubtasks::Subtasks(Vec::new()));
        assert_eq!(metadata.properties.is_some(), version >= MetadataVersion::V4);
    }
}

#[test]
fn each_subtask_has_the_handles_that_were_written() {
    for version in WRITTEN {
        let metadata = sample(version);
        let OperatorSubtasks::Subtasks(subtasks) = &metadata.operators[0].subtasks else { panic!("it has subtasks") };
        assert_eq!(subtasks.iter().map(|subtask| subtask.index).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert_eq!(subtasks[3].state, None);
        let [first, second, third] = [0, 1, 2].map(|index| subtasks[index].state.as_deref().unwrap());

        let managed = first.managed_operator.as_deref().unwrap();
        assert!(managed.merging.is_none() && matches!(managed.delegate, StreamHandle::File(_)));
        let Some(KeyedHandle::KeyGroups(keyed)) = first.managed_keyed.as_deref() else { panic!("key groups") };
        assert!(matches!(keyed.kind, KeyGroupsKind::Checkpoint { .. }));
        assert!(matches!(keyed.delegate, StreamHandle::RelativeFile(_)));
        let Some(KeyedHandle::KeyGroups(raw)) = first.raw_keyed.as_deref() else { panic!("key groups") };
        assert_eq!(raw.kind, KeyGroupsKind::Savepoint);

        let [merged, empty] = [&second.managed_operator, &second.raw_operator].map(|it| it.as_deref().unwrap());
        assert!(!merged.merging.as_ref().unwrap().is_empty && matches!(merged.delegate, StreamHandle::Segment(_)));
        assert!(empty.merging.as_ref().unwrap().is_empty && matches!(empty.delegate, StreamHandle::EmptySegment));
        let Some(KeyedHandle::Changelog(changelog)) = second.managed_keyed.as_deref() else { panic!("a changelog") };
        let materialized: Vec<_> = changelog.materialized.iter().flatten().collect();
        assert!(matches!(**materialized[0], KeyedHandle::Incremental(_)));
        let changes: Vec<_> = changelog.non_materialized.iter().flatten().collect();
        assert!(matches!(**changes[0], KeyedHandle::InMemoryChangelog(_)));
        assert!(matches!(**changes[1], KeyedHandle::ChangelogStream(_)));
        let merged = second.input_channels.iter().any(|channel| matches!(channel, ChannelHandle::Merged(_)));
        assert_eq!(merged, version >= MetadataVersion::V6);

        assert!(matches!(third.managed_keyed.as_deref(), Some(KeyedHandle::Incremental(_))));
    }
}

/// The flags lie at fixed places in Flink's own bytes, whatever a reader makes of the rest.
#[test]
fn properties_are_read_and_written_as_flink_does() {
    let (mut seen, template) = (0, sample_file(MetadataVersion::V4));
    let before = template.len() - sample(MetadataVersion::V4).properties.unwrap().as_bytes().len();
    for entry in fs::read_dir(testdata().join("samples")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let Some(name) = name.strip_prefix("props_").and_then(|name| name.strip_suffix(".bin")) else { continue };
        seen += 1;
        let blob = read(&path);
        let file = Bytes::from([&template[..before], &blob].concat());
        let stored = FlinkMetadata::decode(file).unwrap().metadata.properties.unwrap();
        assert_eq!(*stored.as_bytes(), blob, "{name}");
        let Some(properties) = stored.properties() else {
            assert_eq!((name, stored), ("null", StoredProperties::null()));
            continue;
        };
        let flags = [
            properties.discard_cancelled,
            properties.discard_failed,
            properties.discard_finished,
            properties.discard_subsumed,
            properties.discard_suspended,
            properties.forced,
            properties.unclaimed,
        ];
        assert_eq!(flags.map(u8::from), blob[258..265], "{name}");
        assert_eq!(properties.checkpoint_type, type_of(name), "{name}");
        // Made again from what it says, it has the same bytes.
        assert_eq!(*StoredProperties::new(properties.clone()).as_bytes(), blob, "{name}");
    }
    assert_eq!(seen, 12);
}

fn type_of(name: &str) -> SnapshotType {
    let savepoint = |action| match name.rsplit('_').next() {
        Some("NATIVE") => SnapshotType::savepoint(SavepointFormat::Native, action),
        _ => SnapshotType::savepoint(SavepointFormat::Canonical, action),
    };
    match name.split('_').next() {
        Some("full") => SnapshotType::full_checkpoint(),
        Some("savepoint" | "unclaimed") => savepoint(PostCheckpointAction::None),
        Some("suspend") => savepoint(PostCheckpointAction::Suspend),
        Some("terminate") => savepoint(PostCheckpointAction::Terminate),
        _ => SnapshotType::checkpoint(),
    }
}

#[test]
fn properties_that_are_changed_are_written_anew() {
    let mut metadata = sample(MetadataVersion::V6);
    let mut properties = CheckpointProperties::new(SnapshotType::checkpoint());
    properties.discard_subsumed = true;
    metadata.properties = Some(StoredProperties::new(properties.clone()));
    let again = FlinkMetadata::decode(metadata.encode().unwrap().into()).unwrap().metadata;
    assert_eq!(again.properties.unwrap().properties(), Some(&properties));
}

#[test]
fn subtasks_that_are_not_asked_for_are_passed_over() {
    let mut reader = FlinkReader::<_, Bytes>::open(BytesSource::new(sample_file(MetadataVersion::V6))).unwrap();
    assert_eq!((reader.checkpoint_id(), reader.master_states_left(), reader.operators_left().unwrap()), (42, 1, 3));
    assert_eq!(reader.master_states_left(), 0);
    assert_eq!(reader.next_subtask().unwrap(), None);
    assert_eq!(reader.next_operator().unwrap().unwrap().parallelism, 4);
    assert_eq!((reader.subtasks_left(), reader.is_fully_finished()), (4, false));
    assert_eq!(reader.next_subtask().unwrap().unwrap().index, 0);
    assert_eq!(reader.subtasks_left(), 3);
    let second = reader.next_operator().unwrap().unwrap();
    assert_eq!((reader.subtasks_left(), reader.is_fully_finished()), (0, true));
    assert_eq!(second.id, sample(MetadataVersion::V6).operators[1].description.id);
    let ending = reader.finish().unwrap();
    assert_eq!((ending.properties, ending.trailing), (sample(MetadataVersion::V6).properties, None));
}

#[test]
fn what_follows_the_end_is_told() {
    for version in WRITTEN {
        let file = sample_file(version);
        let length = file.len() as u64;
        for more in [1, 3, 100_000] {
            let longer = [&file[..], &vec![0x73; more]].concat();
            let decoded = FlinkMetadata::decode(longer.into()).unwrap();
            let trailing = decoded.trailing.unwrap();
            assert_eq!((trailing.offset_bytes, trailing.length_bytes), (length, more as u64));
            assert_eq!(decoded.metadata, sample(version));
        }
    }
}

#[test]
fn the_first_bytes_tell_flinks_files() {
    assert!(WRITTEN.iter().all(|version| sample_file(*version).starts_with(&MAGIC)));
}
