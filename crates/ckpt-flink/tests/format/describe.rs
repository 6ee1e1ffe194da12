//! What was read, under the names that Flink's classes and fields have in `truth.json`.

use bytes::Bytes;
use ckpt_flink::{
    ByteStream, ChannelEntry, ChannelHandle, ChannelInfo, CheckpointProperties, CheckpointedStateScope, Decoded,
    DistributionMode, FlinkMetadata, InlineBytes, KeyGroupOffsets, KeyGroupRange, KeyGroupsKind, KeyedHandle,
    LocalPathAndHandle, MetadataVersion, OperatorHandle, OperatorState, OperatorSubtasks, SnapshotType, StreamHandle,
    Subtask,
};
use serde_json::{Map, Value, json};

/// State may be anything, the rest of a file is kept.
pub(crate) trait Kept: InlineBytes<Offsets = Vec<i64>, Channels = Bytes> {}

impl<D: InlineBytes<Offsets = Vec<i64>, Channels = Bytes>> Kept for D {}

/// All of a file that was read without a note and without anything behind its end.
pub(crate) fn describe<D: Kept>(decoded: &Decoded<D>) -> Value {
    assert_eq!((decoded.trailing, decoded.notes.total()), (None, 0));
    describe_metadata(&decoded.metadata)
}

pub(crate) fn describe_metadata<D: Kept>(metadata: &FlinkMetadata<D>) -> Value {
    let mut object = json!({
        "version": metadata.version.number(),
        "checkpointId": metadata.checkpoint_id,
        "masterStates": metadata.master_states.iter().map(|state| json!({
            "name": state.name.to_string(),
            "version": state.version,
            "length": state.payload.length_bytes(),
        })).collect::<Vec<_>>(),
        "operators": metadata.operators.iter().map(|it| operator(metadata.version, it)).collect::<Vec<_>>(),
    });
    if let Some(stored) = &metadata.properties {
        object["properties"] = stored.properties().map_or(Value::Null, properties);
    }
    object
}

fn properties(properties: &CheckpointProperties) -> Value {
    let snapshot_type = &properties.checkpoint_type;
    let mut checkpoint_type = json!({
        "getName": snapshot_type.name().to_string(),
        "getSharingFilesStrategy": snapshot_type.sharing_files().java_name(),
    });
    match snapshot_type {
        SnapshotType::Savepoint { format, post_checkpoint_action, .. } => {
            checkpoint_type["class"] = "SavepointType".into();
            checkpoint_type["getFormatType"] = format.java_name().into();
            checkpoint_type["getPostCheckpointAction"] = post_checkpoint_action.java_name().into();
        }
        _ => checkpoint_type["class"] = "CheckpointType".into(),
    }
    json!({
        "checkpointType": checkpoint_type,
        "discardCancelled": properties.discard_cancelled,
        "discardFailed": properties.discard_failed,
        "discardFinished": properties.discard_finished,
        "discardSubsumed": properties.discard_subsumed,
        "discardSuspended": properties.discard_suspended,
        "forced": properties.forced,
        "unclaimed": properties.unclaimed,
    })
}

fn operator<D: Kept>(version: MetadataVersion, operator: &OperatorState<D>) -> Value {
    let description = &operator.description;
    let subtasks: &[Subtask<D>] = match &operator.subtasks {
        OperatorSubtasks::Subtasks(subtasks) => subtasks,
        _ => &[],
    };
    let finished = matches!(operator.subtasks, OperatorSubtasks::FullyFinished);
    let of_index = |it: &Subtask<D>| (it.index.to_string(), subtask(version, it));
    let mut object = json!({
        "class": if finished { "FullyFinishedOperatorState" } else { "OperatorState" },
        "operatorId": description.id.to_string(),
        "parallelism": description.parallelism,
        "maxParallelism": description.max_parallelism,
        "coordinatorState": description.coordinator.as_ref().map(byte_stream),
        "subtasks": subtasks.iter().map(of_index).collect::<Map<_, _>>(),
    });
    if version > MetadataVersion::V2 {
        object["fullyFinished"] = finished.into();
    }
    if version >= MetadataVersion::V5 {
        object["name"] = description.name.as_ref().map(ToString::to_string).into();
        object["uid"] = description.uid.as_ref().map(ToString::to_string).into();
    }
    object
}

fn subtask<D: Kept>(version: MetadataVersion, subtask: &Subtask<D>) -> Value {
    let Some(state) = &subtask.state else {
        return json!({"class": "FinishedOperatorSubtaskState", "finished": true});
    };
    let mut object = json!({
        "class": "OperatorSubtaskState",
        "managedOperatorState": state.managed_operator.iter().map(|it| operator_handle(it)).collect::<Vec<_>>(),
        "rawOperatorState": state.raw_operator.iter().map(|it| operator_handle(it)).collect::<Vec<_>>(),
        "managedKeyedState": state.managed_keyed.iter().map(|it| keyed(it)).collect::<Vec<_>>(),
        "rawKeyedState": state.raw_keyed.iter().map(|it| keyed(it)).collect::<Vec<_>>(),
    });
    if version > MetadataVersion::V2 {
        object["finished"] = false.into();
        object["inputChannelState"] = state.input_channels.iter().map(|it| channel(&INPUT, it)).collect();
        object["resultSubpartitionState"] = state.result_subpartitions.iter().map(|it| channel(&RESULT, it)).collect();
    }
    object
}

fn byte_stream<D: Kept>(state: &ByteStream<D>) -> Value {
    json!({
        "class": "ByteStreamStateHandle",
        "handleName": state.name.to_string(),
        "inlineLength": state.data.length_bytes(),
    })
}

pub(crate) fn stream<D: Kept>(handle: &StreamHandle<D>) -> Value {
    match handle {
        StreamHandle::ByteStream(state) => byte_stream(state),
        StreamHandle::File(file) => {
            json!({"class": "FileStateHandle", "stateSize": file.state_size, "path": file.path.to_string()})
        }
        StreamHandle::RelativeFile(file) => json!({
            "class": "RelativeFileStateHandle",
            "stateSize": file.state_size,
            "relativePath": file.relative_path.to_string(),
        }),
        StreamHandle::Segment(segment) => json!({
            "class": "SegmentFileStateHandle",
            "stateSize": segment.state_size,
            "path": segment.path.to_string(),
            "startPos": segment.start,
            "scope": if segment.scope == CheckpointedStateScope::Exclusive { "EXCLUSIVE" } else { "SHARED" },
            "logicalFileId": segment.logical_file_id.to_string(),
        }),
        StreamHandle::EmptySegment => json!({"class": "EmptySegmentFileStateHandle"}),
        StreamHandle::KeyGroups(handle) => key_groups("KeyGroupsStateHandle", &handle.key_groups, &handle.delegate),
        other => panic!("no such handle: {other:?}"),
    }
}

fn operator_handle<D: Kept>(handle: &OperatorHandle<D>) -> Value {
    let states = handle.states.iter().map(|state| {
        let mode = match state.mode {
            DistributionMode::SplitDistribute => "SPLIT_DISTRIBUTE",
            DistributionMode::Union => "UNION",
            _ => "BROADCAST",
        };
        (state.name.to_string(), json!({"mode": mode, "offsets": state.offsets}))
    });
    let (states, delegate) = (states.collect::<Map<_, _>>(), stream(&handle.delegate));
    let Some(merging) = &handle.merging else {
        return json!({"class": "OperatorStreamStateHandle", "states": states, "delegate": delegate});
    };
    let empty = if merging.is_empty { "Empty" } else { "" };
    json!({
        "class": format!("{empty}FileMergingOperatorStreamStateHandle"),
        "states": states,
        "delegate": delegate,
        "taskOwnedDir": merging.task_owned.to_string(),
        "sharedDir": merging.shared.to_string(),
    })
}

fn range(range: KeyGroupRange) -> Value {
    let groups = range.groups().expect("there are key groups");
    json!({"start": groups.start(), "end": groups.end()})
}

fn key_groups<D: Kept>(class: &str, key_groups: &KeyGroupOffsets<D>, delegate: &StreamHandle<D>) -> Value {
    json!({
        "class": class,
        "keyGroupRange": range(key_groups.range()),
        "offsets": key_groups.offsets,
        "delegate": stream(delegate),
    })
}

fn files<D: Kept>(files: &[LocalPathAndHandle<D>]) -> Value {
    let file =
        |it: &LocalPathAndHandle<D>| json!({"localPath": it.local_path.to_string(), "handle": stream(&it.handle)});
    files.iter().map(file).collect()
}

pub(crate) fn keyed<D: Kept>(handle: &KeyedHandle<D>) -> Value {
    match handle {
        KeyedHandle::KeyGroups(handle) => match &handle.kind {
            KeyGroupsKind::Savepoint => {
                key_groups("KeyGroupsSavepointStateHandle", &handle.key_groups, &handle.delegate)
            }
            KeyGroupsKind::Checkpoint { state_handle_id } => {
                let mut object = key_groups("KeyGroupsStateHandle", &handle.key_groups, &handle.delegate);
                object["stateHandleId"] = state_handle_id.to_string().into();
                object
            }
            _ => key_groups("KeyGroupsStateHandle", &handle.key_groups, &handle.delegate),
        },
        KeyedHandle::Incremental(handle) => {
            let mut object = json!({
                "class": "IncrementalRemoteKeyedStateHandle",
                "checkpointId": handle.checkpoint_id,
                "backendIdentifier": handle.backend_id.to_string(),
                "keyGroupRange": range(handle.key_groups),
                "meta": stream(&handle.meta),
                "shared": files(&handle.shared),
                "private": files(&handle.private),
            });
            if let Some(identity) = &handle.identity {
                object["checkpointedSize"] = identity.checkpointed_size.into();
                object["stateHandleId"] = identity.state_handle_id.to_string().into();
            }
            object
        }
        KeyedHandle::Changelog(handle) => json!({
            "class": "ChangelogStateBackendHandle$ChangelogStateBackendHandleImpl",
            "checkpointedSize": handle.checkpointed_size,
            "stateHandleId": handle.state_handle_id.to_string(),
            "keyGroupRange": range(handle.key_groups),
            "materializationId": handle.materialization_id,
            "checkpointId": handle.checkpoint_id,
            "materialized": handle.materialized.iter().flatten().map(|it| keyed(it)).collect::<Vec<_>>(),
            "nonMaterialized": handle.non_materialized.iter().flatten().map(|it| keyed(it)).collect::<Vec<_>>(),
        }),
        KeyedHandle::InMemoryChangelog(handle) => json!({
            "class": "InMemoryChangelogStateHandle",
            "stateHandleId": handle.state_handle_id.to_string(),
            "keyGroupRange": range(handle.key_groups),
            "from": handle.from.to_string(),
            "to": handle.to.to_string(),
            "changes": handle.changes.iter().map(|change| json!({
                "keyGroup": change.key_group,
                "length": change.change.length_bytes(),
            })).collect::<Vec<_>>(),
        }),
        KeyedHandle::ChangelogStream(handle) => {
            let mut object = json!({
                "class": "ChangelogStateHandleStreamImpl",
                "stateSize": handle.size,
                "checkpointedSize": handle.checkpointed_size,
                "stateHandleId": handle.state_handle_id.to_string(),
                "keyGroupRange": range(handle.key_groups),
                "handlesAndOffsets": handle.streams.iter().map(|it| json!({
                    "offset": it.offset,
                    "handle": stream(&it.stream),
                })).collect::<Vec<_>>(),
            });
            if let Some(storage_identifier) = &handle.storage_identifier {
                object["storageIdentifier"] = storage_identifier.to_string().into();
            }
            object
        }
        other => panic!("no such handle: {other:?}"),
    }
}

/// The names of a kind of channel.
struct Names {
    handle: &'static str,
    info: &'static str,
    numbers: [&'static str; 2],
}

const INPUT: Names =
    Names { handle: "InputChannel", info: "InputChannelInfo", numbers: ["gateIdx", "inputChannelIdx"] };
const RESULT: Names = Names {
    handle: "ResultSubpartition",
    info: "ResultSubpartitionInfo",
    numbers: ["partitionIdx", "subPartitionIdx"],
};

fn channel<I: ChannelInfo, D: Kept>(names: &Names, handle: &ChannelHandle<I, D>) -> Value {
    match handle {
        ChannelHandle::Single(handle) => {
            let entry = ChannelEntry::new(handle.info, handle.state_size, handle.offsets.clone());
            let mut object = one_channel(names, handle.subtask_index, &entry);
            object["delegate"] = stream(&handle.delegate);
            object
        }
        ChannelHandle::Merged(handle) => {
            let channels = handle.channels().expect("Flink wrote them");
            let one = |entry: &ChannelEntry<I>| one_channel(names, handle.subtask_index, entry);
            json!({
                "class": format!("Merged{}StateHandle", names.handle),
                "stateSize": handle.state_size,
                "subtaskIndex": handle.subtask_index,
                "serializedChannelOffsets": format!("{:x}", handle.serialized_channels),
                "unmerged": channels.iter().map(one).collect::<Vec<_>>(),
                "delegate": stream(&handle.delegate),
            })
        }
        other => panic!("no such handle: {other:?}"),
    }
}

fn one_channel<I: ChannelInfo>(names: &Names, subtask_index: i32, entry: &ChannelEntry<I>) -> Value {
    let [outer, inner] = entry.info.numbers();
    json!({
        "class": format!("{}StateHandle", names.handle),
        "stateSize": entry.state_size,
        "subtaskIndex": subtask_index,
        "info": {"class": names.info, names.numbers[0]: outer, names.numbers[1]: inner},
        "offsets": entry.offsets,
    })
}
