//! Handles of data in flight.

use ckpt_core::Result;
use ckpt_flink::{ChannelEntry, ChannelHandle, ChannelInfo, InputChannelInfo, ResultSubpartitionInfo};
use serde::Serialize;

use super::digested::Digested;
use super::stream::Stream;
use super::{Context, hex};

/// A handle of an input channel, of a result subpartition, or of several of one of them.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Channel {
    Single {
        #[serde(flatten)]
        entry: Entry,
        delegate: Stream,
    },
    #[serde(rename_all = "camelCase")]
    Merged {
        class: &'static str,
        state_size: i64,
        subtask_index: i32,
        serialized_channel_offsets: String,
        unmerged: Vec<Entry>,
        delegate: Stream,
    },
}

/// One channel.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    class: &'static str,
    state_size: i64,
    subtask_index: i32,
    info: Info,
    offsets: Vec<i64>,
}

/// Which channel.
#[derive(Serialize)]
#[serde(tag = "class")]
pub(super) enum Info {
    #[serde(rename = "InputChannelInfo")]
    Input {
        #[serde(rename = "gateIdx")]
        gate: i32,
        #[serde(rename = "inputChannelIdx")]
        channel: i32,
    },
    #[serde(rename = "ResultSubpartitionInfo")]
    Result {
        #[serde(rename = "partitionIdx")]
        partition: i32,
        #[serde(rename = "subPartitionIdx")]
        subpartition: i32,
    },
}

/// The names of a kind of channel in Flink.
pub(super) trait Named: ChannelInfo {
    const SINGLE: &'static str;
    const MERGED: &'static str;

    fn info(self) -> Info;
}

impl Named for InputChannelInfo {
    const SINGLE: &'static str = "InputChannelStateHandle";
    const MERGED: &'static str = "MergedInputChannelStateHandle";

    fn info(self) -> Info {
        Info::Input { gate: self.gate_index, channel: self.input_channel_index }
    }
}

impl Named for ResultSubpartitionInfo {
    const SINGLE: &'static str = "ResultSubpartitionStateHandle";
    const MERGED: &'static str = "MergedResultSubpartitionStateHandle";

    fn info(self) -> Info {
        Info::Result { partition: self.partition_index, subpartition: self.subpartition_index }
    }
}

impl Channel {
    /// `None` for a kind that this program does not know.
    pub(super) fn of<I: Named>(handle: &ChannelHandle<I, Digested>, context: &Context) -> Result<Option<Self>> {
        Ok(match handle {
            ChannelHandle::Single(handle) => {
                let entry = ChannelEntry::new(handle.info, handle.state_size, handle.offsets.clone());
                let entry = Entry::of(handle.subtask_index, entry);
                Some(Self::Single { entry, delegate: Stream::of(&handle.delegate, context) })
            }
            ChannelHandle::Merged(handle) => Some(Self::Merged {
                class: I::MERGED,
                state_size: handle.state_size,
                subtask_index: handle.subtask_index,
                serialized_channel_offsets: hex(&handle.serialized_channels),
                unmerged: handle.channels()?.into_iter().map(|entry| Entry::of(handle.subtask_index, entry)).collect(),
                delegate: Stream::of(&handle.delegate, context),
            }),
            _ => None,
        })
    }
}

impl Entry {
    fn of<I: Named>(subtask_index: i32, entry: ChannelEntry<I>) -> Self {
        let ChannelEntry { info, state_size, offsets, .. } = entry;
        Self { class: I::SINGLE, state_size, subtask_index, info: info.info(), offsets }
    }
}
