//! Handles of data in flight.

use std::fmt;
use std::marker::PhantomData;

use bytes::Bytes;

use super::{InlineBytes, StreamHandle};

/// Data in flight of one channel, or of several in one stream.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChannelHandle<I, D: InlineBytes = Bytes> {
    /// Of one channel (Flink's `InputChannelStateHandle` and `ResultSubpartitionStateHandle`).
    Single(SingleChannel<I, D>),
    /// Of several, from version 6 on (Flink's `MergedInputChannelStateHandle` and `MergedResultSubpartitionStateHandle`).
    Merged(MergedChannels<I, D>),
}

/// Data in flight of one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SingleChannel<I, D: InlineBytes = Bytes> {
    /// The subtask that stored it.
    pub subtask_index: i32,
    /// The channel.
    pub info: I,
    /// The absolute position of each piece.
    pub offsets: D::Offsets,
    /// How many bytes are the channel's.
    pub state_size: i64,
    /// The bytes.
    pub delegate: StreamHandle<D>,
}

/// Data in flight of several channels.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MergedChannels<I, D: InlineBytes = Bytes> {
    /// The subtask that stored it.
    pub subtask_index: i32,
    /// How many bytes are these channels'.
    pub state_size: i64,
    /// The bytes.
    pub delegate: StreamHandle<D>,
    /// The channels, as Flink encodes them. Flink decodes them only when it restores; here a file whose channels cannot be
    /// decoded is not read. See [`channels`](Self::channels).
    pub serialized_channels: D::Channels,
    pub(crate) info: PhantomData<I>,
}

/// One of several channels.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelEntry<I> {
    /// The channel.
    pub info: I,
    /// How many bytes are the channel's.
    pub state_size: i64,
    /// The absolute position of each piece.
    pub offsets: Vec<i64>,
}

/// An input channel of a subtask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct InputChannelInfo {
    /// Its gate.
    pub gate_index: i32,
    /// The channel of that gate.
    pub input_channel_index: i32,
}

/// An output channel of a subtask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct ResultSubpartitionInfo {
    /// Its result partition.
    pub partition_index: i32,
    /// The part of that partition.
    pub subpartition_index: i32,
}

/// What a channel is named by: two numbers in the file. Flink has the two that are here.
pub trait ChannelInfo: Copy + Eq + fmt::Debug {
    /// The tags of handles of one channel and of several, from version 6 on.
    const TAGS: ChannelTags;

    /// The channel that these numbers name.
    fn of_numbers(numbers: [i32; 2]) -> Self;

    /// The numbers in the file.
    fn numbers(self) -> [i32; 2];
}

/// The tags of handles of data in flight, from version 6 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelTags {
    /// That of one channel.
    pub single: u8,
    /// That of several.
    pub merged: u8,
}

impl ChannelInfo for InputChannelInfo {
    const TAGS: ChannelTags = ChannelTags { single: 1, merged: 3 };

    fn of_numbers([gate_index, input_channel_index]: [i32; 2]) -> Self {
        Self { gate_index, input_channel_index }
    }

    fn numbers(self) -> [i32; 2] {
        [self.gate_index, self.input_channel_index]
    }
}

impl ChannelInfo for ResultSubpartitionInfo {
    const TAGS: ChannelTags = ChannelTags { single: 2, merged: 4 };

    fn of_numbers([partition_index, subpartition_index]: [i32; 2]) -> Self {
        Self { partition_index, subpartition_index }
    }

    fn numbers(self) -> [i32; 2] {
        [self.partition_index, self.subpartition_index]
    }
}

impl<I: ChannelInfo> ChannelEntry<I> {
    /// A channel whose pieces begin there.
    pub const fn new(info: I, state_size: i64, offsets: Vec<i64>) -> Self {
        Self { info, state_size, offsets }
    }
}

impl<I, D: InlineBytes> SingleChannel<I, D> {
    /// Data in flight of a channel.
    pub const fn new(
        subtask_index: i32,
        info: I,
        offsets: D::Offsets,
        state_size: i64,
        delegate: StreamHandle<D>,
    ) -> Self {
        Self { subtask_index, info, offsets, state_size, delegate }
    }
}
