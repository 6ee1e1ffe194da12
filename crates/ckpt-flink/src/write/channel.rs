//! Handles of data in flight.

use std::marker::PhantomData;

use bytes::Bytes;
use ckpt_core::Result;

use super::output::Output;
use crate::error::{Write, WriteError};
use crate::model::{
    ChannelEntry, ChannelHandle, ChannelInfo, InlineBytes, MergedChannels, SingleChannel, StreamHandle,
};
use crate::version::MetadataVersion;

impl Output {
    pub(super) fn channels<I: ChannelInfo>(
        &mut self,
        what: &'static str,
        version: MetadataVersion,
        channels: &[ChannelHandle<I>],
    ) -> Write {
        let has_kinds = version.has_merged_channels();
        self.list(what, channels, |output, channel| match channel {
            ChannelHandle::Single(channel) => {
                if has_kinds {
                    output.u8(I::TAGS.single);
                }
                output.single_channel(channel)
            }
            ChannelHandle::Merged(channels) if has_kinds => {
                output.u8(I::TAGS.merged);
                output.merged_channels(channels)
            }
            ChannelHandle::Merged(_) => {
                let (what, needed) = ("merged handles of data in flight", MetadataVersion::V6);
                Err(Box::new(WriteError::NoPlace { what, version, needed }))
            }
        })
    }

    fn single_channel<I: ChannelInfo>(&mut self, channel: &SingleChannel<I>) -> Write {
        let SingleChannel { subtask_index, info, offsets, state_size, delegate } = channel;
        self.i32(*subtask_index);
        info.numbers().into_iter().for_each(|number| self.i32(number));
        self.count("the list of offsets", offsets.len())?;
        self.offsets(offsets);
        self.state_size(*state_size)?;
        self.stream(delegate)
    }

    fn merged_channels<I>(&mut self, channels: &MergedChannels<I>) -> Write {
        let MergedChannels { subtask_index, state_size, delegate, serialized_channels, info: _ } = channels;
        self.i32(*subtask_index);
        self.state_size(*state_size)?;
        self.stream(delegate)?;
        self.blob("the list of merged channels", serialized_channels)
    }

    fn channel_entry<I: ChannelInfo>(&mut self, channel: &ChannelEntry<I>) -> Write {
        let ChannelEntry { info, state_size, offsets } = channel;
        info.numbers().into_iter().for_each(|number| self.i32(number));
        self.state_size(*state_size)?;
        self.count("the list of offsets", offsets.len())?;
        self.offsets(offsets);
        Ok(())
    }
}

impl<I: ChannelInfo, D: InlineBytes<Channels = Bytes>> MergedChannels<I, D> {
    /// Data in flight of these channels, which lies in one stream.
    ///
    /// # Errors
    ///
    /// `Configuration` when there are more channels or bytes than Java counts.
    pub fn new(subtask_index: i32, channels: &[ChannelEntry<I>], delegate: StreamHandle<D>) -> Result<Self> {
        let mut output = Output::default();
        output.list("the list of merged channels", channels, Output::channel_entry)?;
        let sizes = channels.iter().try_fold(0_i64, |sum, channel| sum.checked_add(channel.state_size));
        let Some(state_size) = sizes else {
            let expected = format!("at most {}", i64::MAX);
            return Err(WriteError::invalid("the size of merged channels", "beyond 64 bits", expected))?;
        };
        let serialized_channels = output.into_bytes().into();
        Ok(Self { subtask_index, state_size, delegate, serialized_channels, info: PhantomData })
    }
}
