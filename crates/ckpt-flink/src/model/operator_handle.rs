//! Handles of operator state.

use bytes::Bytes;

use super::{InlineBytes, StreamHandle};
use crate::text::JavaText;

/// Operator state (Flink's `OperatorStreamStateHandle`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperatorHandle<D: InlineBytes = Bytes> {
    /// The states in the stream, in the order of the file.
    pub states: Vec<OperatorStateOffsets<D>>,
    /// Present when the stream is a segment of a file that several share (`FileMergingOperatorStreamStateHandle`). The
    /// stream is then one of the kinds of segments.
    pub merging: Option<Box<MergingDirectories>>,
    /// The bytes.
    pub delegate: StreamHandle<D>,
}

/// One state of an operator, and where its elements begin.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperatorStateOffsets<D: InlineBytes = Bytes> {
    /// Its name; `_default_` for raw state.
    pub name: JavaText,
    /// How it is divided when the parallelism changes.
    pub mode: DistributionMode,
    /// The absolute position of each element; a broadcast state has one.
    pub offsets: D::Offsets,
}

/// How operator state is divided (Flink's `OperatorStateHandle.Mode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DistributionMode {
    /// Each element goes to one subtask.
    SplitDistribute = 0,
    /// All elements go to all.
    Union = 1,
    /// All have the same, and each takes one copy.
    Broadcast = 2,
}

/// The directories that a handle of a shared file keeps alive.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MergingDirectories {
    /// That of the task manager's own files.
    pub task_owned: JavaText,
    /// That of the subtask's files for several checkpoints.
    pub shared: JavaText,
    /// Whether there is no state at all (`EmptyFileMergingOperatorStreamStateHandle`), and the handle stands for the
    /// directories only.
    pub is_empty: bool,
}

impl DistributionMode {
    pub(crate) fn of_ordinal(ordinal: u8) -> Option<Self> {
        [Self::SplitDistribute, Self::Union, Self::Broadcast].into_iter().find(|mode| *mode as u8 == ordinal)
    }
}

impl<D: InlineBytes> OperatorHandle<D> {
    /// States in a stream of their own.
    pub const fn new(states: Vec<OperatorStateOffsets<D>>, delegate: StreamHandle<D>) -> Self {
        Self { states, merging: None, delegate }
    }

    /// The same, in a segment of a file that several share.
    pub fn with_merging(self, directories: MergingDirectories) -> Self {
        Self { merging: Some(Box::new(directories)), ..self }
    }
}

impl<D: InlineBytes> OperatorStateOffsets<D> {
    /// A state whose elements begin there.
    pub const fn new(name: JavaText, mode: DistributionMode, offsets: D::Offsets) -> Self {
        Self { name, mode, offsets }
    }
}

impl MergingDirectories {
    /// The directories of a handle that has state.
    pub const fn new(task_owned: JavaText, shared: JavaText) -> Self {
        Self { task_owned, shared, is_empty: false }
    }

    /// The directories that a handle without state keeps alive.
    pub const fn empty(task_owned: JavaText, shared: JavaText) -> Self {
        Self { task_owned, shared, is_empty: true }
    }
}
