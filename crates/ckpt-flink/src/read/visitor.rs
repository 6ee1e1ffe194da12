//! Subtasks whose state is told, and not held.

use crate::model::{
    ChannelHandle, InMemoryChange, InlineBytes, InputChannelInfo, KeyGroupRange, KeyedHandle, LocalPathAndHandle,
    OffsetAndStream, OperatorHandle, OperatorStateOffsets, ResultSubpartitionInfo, StreamHandle,
};

/// Is told what a subtask stored, in the order of the file, while it is read: a subtask of any size takes the memory of its
/// largest element. See [`FlinkReader::visit_subtask`](super::FlinkReader::visit_subtask).
///
/// A handle is told behind the elements of its lists, and has none of them itself. Of what nobody asks for nothing is kept.
pub trait SubtaskVisitor<D: InlineBytes> {
    /// What follows is of the subtask with that index, which may have stored nothing.
    fn subtask(&mut self, index: i32) {
        let _ = index;
    }

    /// What follows is of that kind.
    fn kind(&mut self, kind: SubtaskStateKind) {
        let _ = kind;
    }

    /// A state of the operator handle that follows.
    fn operator_state(&mut self, state: OperatorStateOffsets<D>) {
        let _ = state;
    }

    /// Operator state.
    fn operator_handle(&mut self, handle: OperatorHandle<D>) {
        let _ = handle;
    }

    /// Keyed state.
    fn keyed_handle(&mut self, handle: KeyedHandle<D>) {
        let _ = handle;
    }

    /// Keyed state that is a part of the changelog that follows: what was materialized, or changes since.
    fn keyed_handle_of_changelog(&mut self, handle: KeyedHandle<D>) {
        let _ = handle;
    }

    /// Files of an embedded database follow, which has these key groups and this description.
    fn incremental(&mut self, key_groups: KeyGroupRange, meta: &StreamHandle<D>) {
        let _ = (key_groups, meta);
    }

    /// One of the files that other checkpoints may name too.
    fn shared_file(&mut self, file: LocalPathAndHandle<D>) {
        let _ = file;
    }

    /// One of the files of this checkpoint alone.
    fn private_file(&mut self, file: LocalPathAndHandle<D>) {
        let _ = file;
    }

    /// A change of the in-memory changelog that follows.
    fn in_memory_change(&mut self, change: InMemoryChange<D>) {
        let _ = change;
    }

    /// A stream of the changes of these key groups.
    fn changelog_stream(&mut self, key_groups: KeyGroupRange, stream: OffsetAndStream<D>) {
        let _ = (key_groups, stream);
    }

    /// Data in flight before the operator.
    fn input_channel(&mut self, handle: ChannelHandle<InputChannelInfo, D>) {
        let _ = handle;
    }

    /// Data in flight behind it.
    fn result_subpartition(&mut self, handle: ChannelHandle<ResultSubpartitionInfo, D>) {
        let _ = handle;
    }
}

/// The kinds of state of a subtask, of which a file has one handle each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SubtaskStateKind {
    /// Operator state: lists, unions, broadcasts.
    ManagedOperator,
    /// Operator state that the operator wrote as it liked.
    RawOperator,
    /// Keyed state.
    ManagedKeyed,
    /// Keyed state that the operator wrote as it liked.
    RawKeyed,
}

/// A subtask whose state was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VisitedSubtask {
    /// Which one, from 0 and below the operator's parallelism.
    pub index: i32,
    /// Whether it was finished, so that it stored nothing.
    pub is_finished: bool,
}

/// Where what is read goes: on into the subtask that it belongs to, or to a visitor.
pub(super) trait Sink<D: InlineBytes> {
    type Visitor: SubtaskVisitor<D>;

    /// The value where it belongs to a subtask.
    fn keep<T>(&mut self, value: T, tell: impl FnOnce(&mut Self::Visitor, T)) -> Option<T>;

    /// Tells a visitor something that is no element.
    fn tell(&mut self, tell: impl FnOnce(&mut Self::Visitor));
}

/// Everything into the subtask.
pub(super) struct Keep;

/// Asks for nothing.
pub(super) struct Nobody;

impl<D: InlineBytes> SubtaskVisitor<D> for Nobody {}

impl<D: InlineBytes> Sink<D> for Keep {
    type Visitor = Nobody;

    #[inline]
    fn keep<T>(&mut self, value: T, _: impl FnOnce(&mut Nobody, T)) -> Option<T> {
        Some(value)
    }

    #[inline]
    fn tell(&mut self, _: impl FnOnce(&mut Nobody)) {}
}

/// Everything to a visitor.
pub(super) struct Tell<'a, V>(pub(super) &'a mut V);

impl<D: InlineBytes, V: SubtaskVisitor<D>> Sink<D> for Tell<'_, V> {
    type Visitor = V;

    #[inline]
    fn keep<T>(&mut self, value: T, tell: impl FnOnce(&mut V, T)) -> Option<T> {
        tell(self.0, value);
        None
    }

    #[inline]
    fn tell(&mut self, tell: impl FnOnce(&mut V)) {
        tell(self.0);
    }
}
