//! Handles of streams: where bytes lie.

use bytes::Bytes;

use super::{InlineBytes, KeyGroupOffsets};
use crate::text::JavaText;

/// Where the bytes of some state lie (Flink's `StreamStateHandle`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamHandle<D: InlineBytes = Bytes> {
    /// In the metadata itself.
    ByteStream(ByteStream<D>),
    /// In a file anywhere (`FileStateHandle`).
    File(FileHandle),
    /// Below the directory of the metadata (`RelativeFileStateHandle`).
    RelativeFile(RelativeFileHandle),
    /// A part of a file that several share (`SegmentFileStateHandle`).
    Segment(Box<SegmentHandle>),
    /// The part of such a file that there is not (`EmptySegmentFileStateHandle`).
    EmptySegment,
    /// Anywhere, divided into key groups: of older versions (`KeyGroupsStateHandle` as a stream).
    KeyGroups(Box<KeyGroupsStream<D>>),
}

/// What stands for a length that Flink does not know. None is below it: Flink never writes one, and refuses that of a file.
pub(crate) const UNKNOWN_SIZE: i64 = -1;

/// State that lies in the metadata itself (Flink's `ByteStreamStateHandle`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ByteStream<D = Bytes> {
    /// What Flink tells it from others by; often the path of a file that was never written.
    pub name: JavaText,
    /// The bytes.
    pub data: D,
}

/// A file anywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileHandle {
    /// Its length as Flink knows it; -1 stands for unknown.
    pub state_size: i64,
    /// Flink's `Path` as text, with a scheme.
    pub path: JavaText,
}

/// A file below the directory of the metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RelativeFileHandle {
    /// From that directory.
    pub relative_path: JavaText,
    /// Its length as Flink knows it; -1 stands for unknown.
    pub state_size: i64,
}

/// A part of a file that several handles share.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SegmentHandle {
    /// Where it begins in the file.
    pub start: i64,
    /// Its length; -1 stands for unknown.
    pub state_size: i64,
    /// Who may use the file.
    pub scope: CheckpointedStateScope,
    /// The file.
    pub path: JavaText,
    /// What Flink tells it from other segments by.
    pub logical_file_id: JavaText,
}

/// Who may use a file of Flink's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CheckpointedStateScope {
    /// One checkpoint.
    Exclusive = 0,
    /// Several.
    Shared = 1,
}

/// A stream that is divided into key groups.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyGroupsStream<D: InlineBytes = Bytes> {
    /// Where each key group begins.
    pub key_groups: KeyGroupOffsets<D>,
    /// The bytes.
    pub delegate: StreamHandle<D>,
}

impl CheckpointedStateScope {
    pub(crate) fn of_ordinal(ordinal: i32) -> Option<Self> {
        [Self::Exclusive, Self::Shared].into_iter().find(|scope| *scope as i32 == ordinal)
    }
}

impl<D> ByteStream<D> {
    /// The bytes under that name.
    pub const fn new(name: JavaText, data: D) -> Self {
        Self { name, data }
    }
}

impl FileHandle {
    /// A file of that length.
    pub const fn new(path: JavaText, state_size: i64) -> Self {
        Self { state_size, path }
    }
}

impl RelativeFileHandle {
    /// A file of that length.
    pub const fn new(relative_path: JavaText, state_size: i64) -> Self {
        Self { relative_path, state_size }
    }
}

impl SegmentHandle {
    /// So many bytes of a file, from `start` on.
    pub const fn new(
        path: JavaText,
        start: i64,
        state_size: i64,
        scope: CheckpointedStateScope,
        logical_file_id: JavaText,
    ) -> Self {
        Self { start, state_size, scope, path, logical_file_id }
    }
}

impl<D: InlineBytes> KeyGroupsStream<D> {
    /// A stream that is divided so.
    pub const fn new(key_groups: KeyGroupOffsets<D>, delegate: StreamHandle<D>) -> Self {
        Self { key_groups, delegate }
    }
}
