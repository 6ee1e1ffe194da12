//! Handles of keyed state.

use bytes::Bytes;

use super::{
    ChangelogHandle, ChangelogStreamHandle, InMemoryChangelogHandle, IncrementalHandle, InlineBytes, KeyGroupOffsets,
    StreamHandle,
};
use crate::text::JavaText;

/// Keyed state (Flink's `KeyedStateHandle`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyedHandle<D: InlineBytes = Bytes> {
    /// A stream that is divided into key groups.
    KeyGroups(KeyGroupsHandle<D>),
    /// Files, some of which are shared with other checkpoints.
    Incremental(Box<IncrementalHandle<D>>),
    /// Materialized state, and the changes since.
    Changelog(ChangelogHandle<D>),
    /// Changes that lie in the metadata.
    InMemoryChangelog(InMemoryChangelogHandle<D>),
    /// Changes that lie in streams.
    ChangelogStream(ChangelogStreamHandle<D>),
}

/// A stream that is divided into key groups (Flink's `KeyGroupsStateHandle`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyGroupsHandle<D: InlineBytes = Bytes> {
    /// Which of the encodings it has.
    pub kind: KeyGroupsKind,
    /// Where each key group begins.
    pub key_groups: KeyGroupOffsets<D>,
    /// The bytes.
    pub delegate: StreamHandle<D>,
}

/// The encodings of a stream that is divided into key groups.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyGroupsKind {
    /// Of a checkpoint, with its id.
    Checkpoint {
        /// What Flink tells it from others by.
        state_handle_id: JavaText,
    },
    /// Of a savepoint in canonical format (`KeyGroupsSavepointStateHandle`), which has no id.
    Savepoint,
    /// Of older versions, which had no id.
    Legacy,
}

impl<D: InlineBytes> KeyGroupsHandle<D> {
    /// A stream that is divided so.
    pub const fn new(kind: KeyGroupsKind, key_groups: KeyGroupOffsets<D>, delegate: StreamHandle<D>) -> Self {
        Self { kind, key_groups, delegate }
    }
}
