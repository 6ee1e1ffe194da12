//! An operator and its subtasks.

use bytes::Bytes;
use ckpt_core::id::OperatorId;

use super::{ByteStream, InlineBytes, SubtaskState};
use crate::text::JavaText;

/// An operator's state (Flink's `OperatorState`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperatorState<D: InlineBytes = Bytes> {
    /// All but the subtasks.
    pub description: OperatorDescription<D>,
    /// What its subtasks stored.
    pub subtasks: OperatorSubtasks<D>,
}

/// What stands before an operator's subtasks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperatorDescription<D: InlineBytes = Bytes> {
    /// Its name, from version 5 on. Never an empty one.
    pub name: Option<JavaText>,
    /// The uid that the user gave it, from version 5 on. Never an empty one.
    pub uid: Option<JavaText>,
    /// Its id.
    pub id: OperatorId,
    /// How many subtasks it ran in.
    pub parallelism: i32,
    /// How many key groups there are; at least the parallelism.
    pub max_parallelism: i32,
    /// What its coordinator stored. Flink stores nothing else than a byte stream here.
    pub coordinator: Option<ByteStream<D>>,
    /// Version 2 only: how many operators were chained. Flink ignores it, and later versions have no place for it.
    pub chain_length: Option<i32>,
}

/// What the subtasks of an operator stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OperatorSubtasks<D: InlineBytes = Bytes> {
    /// All of them were finished when the checkpoint was taken (Flink's `FullyFinishedOperatorState`).
    FullyFinished,
    /// Those that are in the file, in its order. A subtask that stored nothing is not there.
    Subtasks(Vec<Subtask<D>>),
}

/// A subtask in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subtask<D: InlineBytes = Bytes> {
    /// Which one, from 0 and below the operator's parallelism.
    pub index: i32,
    /// What it stored; `None` when it was finished (Flink's `FinishedOperatorSubtaskState`).
    pub state: Option<Box<SubtaskState<D>>>,
}

impl<D: InlineBytes> OperatorDescription<D> {
    /// An operator without a name, a uid and a coordinator.
    pub const fn new(id: OperatorId, parallelism: i32, max_parallelism: i32) -> Self {
        Self { name: None, uid: None, id, parallelism, max_parallelism, coordinator: None, chain_length: None }
    }
}

impl<D: InlineBytes> OperatorState<D> {
    /// An operator with these subtasks.
    pub const fn new(description: OperatorDescription<D>, subtasks: OperatorSubtasks<D>) -> Self {
        Self { description, subtasks }
    }
}

impl<D: InlineBytes> Subtask<D> {
    /// A subtask that stored something, if only that there was nothing.
    pub fn with_state(index: i32, state: SubtaskState<D>) -> Self {
        Self { index, state: Some(Box::new(state)) }
    }

    /// A subtask that was finished.
    pub const fn finished(index: i32) -> Self {
        Self { index, state: None }
    }
}
