//! Handles of data in flight.

use std::marker::PhantomData;

use bytes::Bytes;
use ckpt_core::Result;

use super::input::Input;
use super::{BytesSource, Source};
use crate::error::{Read, ReadError, Step, Within};
use crate::model::{
    ChannelEntry, ChannelHandle, ChannelInfo, InlineBytes, InputChannelInfo, MergedChannels, Offsets, SingleChannel,
    SkippedOffsets,
};
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
        let field = "serialized channels";
        let serialized_channels = self.serialized_channels(field).within(Step::Field(field))?;
        Ok(MergedChannels { subtask_index, state_size, delegate, serialized_channels, info: PhantomData })
    }

    /// Channels that can be decoded. Flink looks at them when it restores and not before, and fails then.
    fn serialized_channels<C: InlineBytes>(&mut self, field: &'static str) -> Read<C> {
        let length = self.count(field, 1)?;
        if let Some(skipped) = C::skipped(length as u64) {
            check(self.part(length as u64))?;
            return Ok(skipped);
        }
        let begin = self.position();
        let bytes = self.bytes(field, length)?;
        check(Input::new(BytesSource::part(bytes.clone(), begin)))?;
        Input::new(BytesSource::part(bytes, begin)).taken(length)
    }

    fn channel_info<I: ChannelInfo>(&mut self) -> Read<I> {
        Ok(I::of_numbers([self.i32("gate or partition")?, self.i32("channel or subpartition")?]))
    }

    fn channel_entry<I: ChannelInfo, O: Offsets>(&mut self) -> Read<(I, i64, O)> {
        let (info, state_size) = (self.channel_info()?, self.state_size()?);
        let count = self.count("offsets", 8)?;
        Ok((info, state_size, self.offsets("offsets", count)?))
    }

    /// A list of channels that is all there is.
    fn channel_entries<I: ChannelInfo, O: Offsets, T>(
        mut self,
        keep: impl Fn((I, i64, O)) -> Option<T>,
    ) -> Read<Vec<T>> {
        let channels = self.list_of_kept("channels", LEAST_ENTRY_BYTES, |input| input.channel_entry().map(&keep))?;
        match self.remaining() {
            0 => Ok(channels),
            left => Err(ReadError::format(self.position(), "end", "nothing behind it", format!("{left} more bytes"))),
        }
    }
}

/// Channels can be decoded; which kind they are of makes no difference.
fn check(input: Input<impl Source>) -> Read<()> {
    input.channel_entries::<InputChannelInfo, SkippedOffsets, ()>(|_| None).map(|_| ())
}

impl<I: ChannelInfo, D: InlineBytes<Channels = Bytes>> MergedChannels<I, D> {
    /// The channels. Those of a file that was read can always be decoded.
    ///
    /// # Errors
    ///
    /// `Corrupt`, with a place in [`serialized_channels`](Self::serialized_channels).
    pub fn channels(&self) -> Result<Vec<ChannelEntry<I>>> {
        let input = Input::new(BytesSource::new(self.serialized_channels.clone()));
        let entry = |(info, state_size, offsets)| Some(ChannelEntry { info, state_size, offsets });
        Ok(input.channel_entries(entry).within(Step::Field("serialized channels"))?)
    }
}
