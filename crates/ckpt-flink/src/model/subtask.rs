//! The state of a subtask.

use bytes::Bytes;

use super::{ChannelHandle, InlineBytes, InputChannelInfo, KeyedHandle, OperatorHandle, ResultSubpartitionInfo};

/// What a subtask of an operator stored (Flink's `OperatorSubtaskState`). Of each of the first four kinds a file holds one
/// handle at most.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubtaskState<D: InlineBytes = Bytes> {
    /// Operator state: lists, unions, broadcasts.
    pub managed_operator: Option<Box<OperatorHandle<D>>>,
    /// Operator state that the operator wrote as it liked.
    pub raw_operator: Option<Box<OperatorHandle<D>>>,
    /// Keyed state.
    pub managed_keyed: Option<Box<KeyedHandle<D>>>,
    /// Keyed state that the operator wrote as it liked, timers on the heap among it.
    pub raw_keyed: Option<Box<KeyedHandle<D>>>,
    /// Data in flight before the operator.
    pub input_channels: Vec<ChannelHandle<InputChannelInfo, D>>,
    /// Data in flight behind it.
    pub result_subpartitions: Vec<ChannelHandle<ResultSubpartitionInfo, D>>,
    /// Version 2 only: a number in front that Flink ignores, and that later versions have no place for.
    pub legacy_duration: Option<i64>,
}

impl<D: InlineBytes> Default for SubtaskState<D> {
    /// Nothing.
    fn default() -> Self {
        Self {
            managed_operator: None,
            raw_operator: None,
            managed_keyed: None,
            raw_keyed: None,
            input_channels: Vec::new(),
            result_subpartitions: Vec::new(),
            legacy_duration: None,
        }
    }
}
