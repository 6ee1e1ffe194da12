//! Handles of the changelog.

use bytes::Bytes;

use super::{InlineBytes, KeyGroupRange, KeyedHandle, StreamHandle};
use crate::text::JavaText;

/// Materialized state, and the changes since (Flink's `ChangelogStateBackendHandleImpl`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChangelogHandle<D: InlineBytes = Bytes> {
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
pub struct InMemoryChangelogHandle<D: InlineBytes = Bytes> {
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
pub struct ChangelogStreamHandle<D: InlineBytes = Bytes> {
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
pub struct OffsetAndStream<D: InlineBytes = Bytes> {
    /// The absolute position.
    pub offset: i64,
    /// The bytes.
    pub stream: StreamHandle<D>,
}

impl<D: InlineBytes> ChangelogHandle<D> {
    /// A handle of that checkpoint, with nothing materialized and no changes.
    pub const fn new(key_groups: KeyGroupRange, checkpoint_id: i64, state_handle_id: JavaText) -> Self {
        Self {
            key_groups,
            checkpointed_size: 0,
            materialized: Vec::new(),
            non_materialized: Vec::new(),
            materialization_id: 0,
            checkpoint_id: Some(checkpoint_id),
            state_handle_id,
        }
    }
}

impl<D: InlineBytes> InMemoryChangelogHandle<D> {
    /// The changes with the numbers from `from` on and below `to`.
    pub const fn new(
        key_groups: KeyGroupRange,
        from: i64,
        to: i64,
        changes: Vec<InMemoryChange<D>>,
        state_handle_id: JavaText,
    ) -> Self {
        Self { key_groups, from, to, changes, state_handle_id }
    }
}

impl<D> InMemoryChange<D> {
    /// A change of that key group, or of the description with -1.
    pub const fn new(key_group: i32, change: D) -> Self {
        Self { key_group, change }
    }
}

impl<D: InlineBytes> ChangelogStreamHandle<D> {
    /// Changes in those streams, none of which was written for this checkpoint.
    pub const fn new(
        key_groups: KeyGroupRange,
        streams: Vec<OffsetAndStream<D>>,
        size: i64,
        state_handle_id: JavaText,
        storage_identifier: JavaText,
    ) -> Self {
        Self {
            key_groups,
            streams,
            size,
            checkpointed_size: 0,
            state_handle_id,
            storage_identifier: Some(storage_identifier),
        }
    }
}

impl<D: InlineBytes> OffsetAndStream<D> {
    /// Changes from that position on.
    pub const fn new(offset: i64, stream: StreamHandle<D>) -> Self {
        Self { offset, stream }
    }
}
