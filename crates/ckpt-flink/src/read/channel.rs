//! Handles of data in flight.

use std::marker::PhantomData;

use bytes::Bytes;
use ckpt_core::Result;

use super::input::Input;
use super::{BytesSource, Source};
use crate::error::{Read, ReadError};
use crate::model::{ChannelEntry, ChannelHandle, ChannelInfo, InlineBytes, MergedChannels, SingleChannel};
use crate::version::MetadataVersion;

/// What a handle of one channel takes at least: six numbers and a tag.
const LEAST_BYTES: u64 = 4 * 4 + 8 + 1;
/// What a handle of several takes at least, with its kind: four numbers and a tag.
const LEAST_MERGED_BYTES: u64 = 1 + 4 + 8 + 1 + 4;
/// What a channel takes at least among several: four numbers.
const LEAST_ENTRY_BYTES: u64 = 3 * 4 + 8;

impl<S: Source> Input<S> {
    pub(super) fn channels<I: ChannelInfo, D: InlineBytes>(
        &mut self,
        field: &'static str,
        version: MetadataVersion,
        mut keep: impl FnMut(ChannelHandle<I, D>) -> Option<ChannelHandle<I, D>>,
    ) -> Read<Vec<ChannelHandle<I, D>>> {
        let has_kinds = version.has_merged_channels();
        self.list_of_kept(field, if has_kinds { LEAST_MERGED_BYTES } else { LEAST_BYTES }, |input| {
            input.channel(has_kinds).map(&mut keep)
        })
    }

    fn channel<I: ChannelInfo, D: InlineBytes>(&mut self, has_kind: bool) -> Read<ChannelHandle<I, D>> {
        let kind = if has_kind { self.u8("kind")? } else { I::TAGS.single };
        if kind == I::TAGS.single {
            self.single_channel().map(ChannelHandle::Single)
        } else if kind == I::TAGS.merged {
            self.merged_channels().map(ChannelHandle::Merged)
        } else {
            let expected = format!("{} (one channel) or {} (several)", I::TAGS.single, I::TAGS.merged);
            Err(ReadError::format(self.position() - 1, "kind", expected, kind))
        }
    }

    fn single_channel<I: ChannelInfo, D: InlineBytes>(&mut self) -> Read<SingleChannel<I, D>> {
        let subtask_index = self.i32("subtask index")?;
        let info = self.channel_info()?;
        let count = self.count("offsets", 8)?;
        let offsets = self.offsets("offsets", count)?;
        let state_size = self.state_size()?;
        Ok(SingleChannel { subtask_index, info, offsets, state_size, delegate: self.stream("delegate")? })
    }

    fn merged_channels<I: ChannelInfo, D: InlineBytes>(&mut self) -> Read<MergedChannels<I, D>> {
        let (subtask_index, state_size) = (self.i32("subtask index")?, self.state_size()?);
        let delegate = self.stream("delegate")?;
        let serialized_channels = self.inline("serialized channels")?;
        Ok(MergedChannels { subtask_index, state_size, delegate, serialized_channels, info: PhantomData })
    }

    fn channel_info<I: ChannelInfo>(&mut self) -> Read<I> {
        Ok(I::of_numbers([self.i32("gate or partition")?, self.i32("channel or subpartition")?]))
    }

    fn channel_entry<I: ChannelInfo>(&mut self) -> Read<ChannelEntry<I>> {
        let (info, state_size) = (self.channel_info()?, self.state_size()?);
        let count = self.count("offsets", 8)?;
        Ok(ChannelEntry { info, state_size, offsets: self.offsets("offsets", count)? })
    }
}

impl<I: ChannelInfo, D: InlineBytes<Channels = Bytes>> MergedChannels<I, D> {
    /// The channels.
    ///
    /// # Errors
    ///
    /// `Corrupt`, with a place in [`serialized_channels`](Self::serialized_channels).
    pub fn channels(&self) -> Result<Vec<ChannelEntry<I>>> {
        let mut input = Input::new(BytesSource::new(self.serialized_channels.clone()));
        let channels = input.list("channels", LEAST_ENTRY_BYTES, Input::channel_entry)?;
        match input.remaining() {
            0 => Ok(channels),
            left => Err(ReadError::format(
                input.position(),
                "serialized channels",
                "their end",
                format!("{left} more bytes"),
            ))?,
        }
    }
}
