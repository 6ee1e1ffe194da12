//! Handles of keyed state.

use ckpt_flink::{InlineBytes as _, KeyGroupsKind, KeyedHandle, LocalPathAndHandle, MetadataVersion};
use serde::Serialize;

use super::Context;
use super::digested::Digested;
use super::hash_order::hash_order;
use super::stream::{KeyGroups, Range, Stream};
use super::uuid::backend_identifier;
use crate::flink::size::{Sizes, of_keyed};

/// A `KeyedStateHandle`.
#[derive(Serialize)]
#[serde(tag = "class")]
pub(super) enum Keyed {
    #[serde(rename = "KeyGroupsStateHandle")]
    KeyGroups(KeyGroups),
    #[serde(rename = "KeyGroupsSavepointStateHandle")]
    KeyGroupsSavepoint(KeyGroups),
    #[serde(rename = "IncrementalRemoteKeyedStateHandle", rename_all = "camelCase")]
    Incremental {
        state_size: i64,
        checkpointed_size: i64,
        #[serde(skip_serializing_if = "Option::is_none")]
        state_handle_id: Option<String>,
        checkpoint_id: i64,
        backend_identifier: String,
        key_group_range: Range,
        meta: Stream,
        shared: Vec<LocalFile>,
        private: Vec<LocalFile>,
    },
    #[serde(rename = "ChangelogStateBackendHandle$ChangelogStateBackendHandleImpl", rename_all = "camelCase")]
    Changelog {
        state_size: i64,
        checkpointed_size: i64,
        state_handle_id: String,
        key_group_range: Range,
        materialization_id: i64,
        checkpoint_id: i64,
        materialized: Vec<Keyed>,
        non_materialized: Vec<Option<Keyed>>,
    },
    #[serde(rename = "InMemoryChangelogStateHandle", rename_all = "camelCase")]
    InMemoryChangelog {
        state_size: i64,
        checkpointed_size: i64,
        state_handle_id: String,
        key_group_range: Range,
        from: String,
        to: String,
        changes: Vec<Change>,
    },
    #[serde(rename = "ChangelogStateHandleStreamImpl", rename_all = "camelCase")]
    ChangelogStream {
        state_size: i64,
        checkpointed_size: i64,
        state_handle_id: String,
        storage_identifier: String,
        key_group_range: Range,
        handles_and_offsets: Vec<OffsetAndHandle>,
    },
    /// Of a kind that this program can read and does not know how to name.
    Unknown,
}

/// A file of an embedded database.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LocalFile {
    local_path: String,
    handle: Stream,
}

/// One change of an in-memory changelog.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Change {
    key_group: i32,
    length: u64,
    sha256: String,
}

/// A stream of changes, and where in it they begin.
#[derive(Serialize)]
pub(super) struct OffsetAndHandle {
    offset: i64,
    handle: Stream,
}

impl Keyed {
    pub(super) fn of(handle: &KeyedHandle<Digested>, context: &Context) -> Self {
        let Sizes { state: state_size, checkpointed: checkpointed_size } = of_keyed(handle);
        match handle {
            KeyedHandle::KeyGroups(handle) => {
                let key_groups = |id| KeyGroups::of(&handle.key_groups, id, &handle.delegate, context);
                match &handle.kind {
                    KeyGroupsKind::Checkpoint { state_handle_id } => {
                        Self::KeyGroups(key_groups(Some(state_handle_id.to_string())))
                    }
                    KeyGroupsKind::Savepoint => Self::KeyGroupsSavepoint(key_groups(None)),
                    _ => Self::KeyGroups(key_groups(None)),
                }
            }
            KeyedHandle::Incremental(handle) => Self::Incremental {
                state_size,
                checkpointed_size,
                state_handle_id: handle.identity.as_ref().map(|identity| identity.state_handle_id.to_string()),
                checkpoint_id: handle.checkpoint_id,
                backend_identifier: backend_identifier(&handle.backend_id),
                key_group_range: Range::of(handle.key_groups),
                meta: Stream::of(&handle.meta, context),
                shared: files(&handle.shared, context),
                private: files(&handle.private, context),
            },
            KeyedHandle::Changelog(handle) => Self::Changelog {
                state_size,
                checkpointed_size,
                state_handle_id: handle.state_handle_id.to_string(),
                key_group_range: Range::of(handle.key_groups),
                materialization_id: handle.materialization_id,
                checkpoint_id: handle.checkpoint_id.unwrap_or(handle.materialization_id),
                // Flink passes over those that are missing.
                materialized: handle.materialized.iter().flatten().map(|it| Self::of(it, context)).collect(),
                non_materialized: handle
                    .non_materialized
                    .iter()
                    .map(|it| it.as_ref().map(|it| Self::of(it, context)))
                    .collect(),
            },
            KeyedHandle::InMemoryChangelog(handle) => Self::InMemoryChangelog {
                state_size,
                checkpointed_size,
                state_handle_id: handle.state_handle_id.to_string(),
                key_group_range: Range::of(handle.key_groups),
                from: handle.from.to_string(),
                to: handle.to.to_string(),
                changes: handle
                    .changes
                    .iter()
                    .map(|it| Change {
                        key_group: it.key_group,
                        length: it.change.length_bytes(),
                        sha256: it.change.sha256(),
                    })
                    .collect(),
            },
            KeyedHandle::ChangelogStream(handle) => Self::ChangelogStream {
                state_size,
                checkpointed_size,
                state_handle_id: handle.state_handle_id.to_string(),
                storage_identifier: handle.storage_identifier.as_ref().map_or("filesystem".into(), ToString::to_string),
                key_group_range: Range::of(handle.key_groups),
                handles_and_offsets: handle
                    .streams
                    .iter()
                    .map(|it| OffsetAndHandle { offset: it.offset, handle: Stream::of(&it.stream, context) })
                    .collect(),
            },
            _ => Self::Unknown,
        }
    }
}

/// In the order of the file, or in the one in which the Flinks of old versions tell them.
fn files(files: &[LocalPathAndHandle<Digested>], context: &Context) -> Vec<LocalFile> {
    let file = |it: &LocalPathAndHandle<Digested>| LocalFile {
        local_path: it.local_path.to_string(),
        handle: Stream::of(&it.handle, context),
    };
    if context.version > MetadataVersion::V3 {
        return files.iter().map(file).collect();
    }
    let names: Vec<_> = files.iter().map(|it| it.local_path.to_string_lossy()).collect();
    hash_order(names.iter().map(AsRef::as_ref)).into_iter().filter_map(|at| files.get(at)).map(file).collect()
}
