//! Handles of the changelog.

use bytes::Bytes;

use super::{KeyGroupRange, KeyedHandle, StreamHandle};
use crate::text::JavaText;

/// Materialized state, and the changes since (Flink's `ChangelogStateBackendHandleImpl`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChangelogHandle<D = Bytes> {
    /// The key groups.
    pub key_groups: KeyGroupRange,
    /// How much was written for this checkpoint.
    pub checkpointed_size: i64,
    /// What was materialized. Flink skips what is `None`.
    pub materialized: Vec<Option<Box<KeyedHandle<D>>>>,
    /// The changes since, oldest first.
    pub non_materialized: Vec<Option<Box<KeyedHandle<D>>>>,
    /// Which materialization.
    pub materialization_id: i64,
    /// The checkpoint that it was made for. Older versions had no place for it; Flink then takes the materialization's.
    pub checkpoint_id: Option<i64>,
    /// What Flink tells it from others by.
    pub state_handle_id: JavaText,
}

/// Changes that lie in the metadata (Flink's `InMemoryChangelogStateHandle`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InMemoryChangelogHandle<D = Bytes> {
    /// The key groups.
    pub key_groups: KeyGroupRange,
    /// The number of the first change.
    pub from: i64,
    /// The number after the last.
    pub to: i64,
    /// The changes.
    pub changes: Vec<InMemoryChange<D>>,
    /// What Flink tells it from others by.
    pub state_handle_id: JavaText,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InMemoryChange<D = Bytes> {
    /// The key group; -1 for a change of what describes the state.
    pub key_group: i32,
    /// The change.
    pub change: D,
}

/// Changes that lie in streams (Flink's `ChangelogStateHandleStreamImpl`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChangelogStreamHandle<D = Bytes> {
    /// The key groups.
    pub key_groups: KeyGroupRange,
    /// The streams, oldest first, and where in each the changes begin.
    pub streams: Vec<OffsetAndStream<D>>,
    /// How much is in them.
    pub size: i64,
    /// How much of that was written for this checkpoint.
    pub checkpointed_size: i64,
    /// What Flink tells it from others by.
    pub state_handle_id: JavaText,
    /// Who can read the streams. Older versions had no place for it; Flink then takes `filesystem`.
    pub storage_identifier: Option<JavaText>,
}

/// A stream, and where in it the changes begin.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OffsetAndStream<D = Bytes> {
    /// The absolute position.
    pub offset: i64,
    /// The bytes.
    pub stream: StreamHandle<D>,
}
