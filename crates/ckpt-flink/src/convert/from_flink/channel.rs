//! Data in flight.

use std::collections::BTreeMap;

use ckpt_core::state::{ChannelState, InputChannel, ResultSubpartition, Sections};

use super::Conversion;
use crate::convert::change::{ChangeKind, Refusal};
use crate::convert::offsets::sections;
use crate::model::{ChannelEntry, ChannelHandle, ChannelInfo, InputChannelInfo, ResultSubpartitionInfo, StreamHandle};

/// What names a channel, in both words.
pub(in crate::convert) trait OurChannel: Copy + Ord {
    /// Flink's.
    type Info: ChannelInfo;

    fn of_numbers(numbers: [u32; 2]) -> Self;

    fn numbers(self) -> [u32; 2];
}

impl OurChannel for InputChannel {
    type Info = InputChannelInfo;

    fn of_numbers([gate, channel]: [u32; 2]) -> Self {
        Self { gate, channel }
    }

    fn numbers(self) -> [u32; 2] {
        [self.gate, self.channel]
    }
}

impl OurChannel for ResultSubpartition {
    type Info = ResultSubpartitionInfo;

    fn of_numbers([partition, subpartition]: [u32; 2]) -> Self {
        Self { partition, subpartition }
    }

    fn numbers(self) -> [u32; 2] {
        [self.partition, self.subpartition]
    }
}

/// The channels of one file.
struct FileOfChannels<'a, I> {
    subtask: i32,
    delegate: &'a StreamHandle,
    channels: Vec<ChannelEntry<I>>,
}

impl Conversion {
    /// Each file with all of its channels. What cannot be carried of one file does not keep the others back.
    pub(super) fn channels<C: OurChannel>(&mut self, handles: &[ChannelHandle<C::Info>]) -> Vec<ChannelState<C>> {
        let mut files: Vec<FileOfChannels<'_, C::Info>> = Vec::new();
        for handle in handles {
            match handle {
                ChannelHandle::Single(single) => {
                    self.changes.add(ChangeKind::ChannelForm);
                    let entry = ChannelEntry::new(single.info, single.state_size, single.offsets.clone());
                    let same = |file: &&mut FileOfChannels<'_, _>| {
                        file.subtask == single.subtask_index && *file.delegate == single.delegate
                    };
                    // One subtask names few files, most often one, and all channels of it one after another.
                    match files.last_mut().filter(same) {
                        Some(file) => file.channels.push(entry),
                        None => files.push(FileOfChannels {
                            subtask: single.subtask_index,
                            delegate: &single.delegate,
                            channels: vec![entry],
                        }),
                    }
                }
                ChannelHandle::Merged(merged) => match merged.channels() {
                    Ok(channels) => {
                        let sizes = channels.iter().try_fold(0_i64, |sum, channel| sum.checked_add(channel.state_size));
                        self.changes.add_if(sizes != Some(merged.state_size), ChangeKind::ChannelSize);
                        let (subtask, delegate) = (merged.subtask_index, &merged.delegate);
                        files.push(FileOfChannels { subtask, delegate, channels });
                    }
                    Err(error) => {
                        self.changes.refuse_part(Refusal::found(ChangeKind::SerializedChannels, error));
                    }
                },
            }
        }
        let mut states = Vec::with_capacity(files.len());
        for file in files {
            match self.file_of_channels(file) {
                Ok(state) => states.push(state),
                Err(refusal) => self.changes.refuse_part(refusal),
            }
        }
        states
    }

    fn file_of_channels<C: OurChannel>(
        &mut self,
        file: FileOfChannels<'_, C::Info>,
    ) -> Result<ChannelState<C>, Refusal> {
        let piece = self.piece(file.delegate)?;
        let mut own: Vec<i64> = file.channels.iter().flat_map(|channel| &channel.offsets).copied().collect();
        own.sort_unstable();
        let begins = self.survey.in_flight(file.delegate).unwrap_or(&own);
        let mut channels = BTreeMap::new();
        let mut last = None;
        let (mut other_size, mut other_order) = (false, false);
        for channel in &file.channels {
            let [first, second] = channel.info.numbers();
            let numbers = || Refusal::found(ChangeKind::ChannelNumbers, format_args!("{first}, {second}"));
            let number = |number: i32| u32::try_from(number).map_err(|_| numbers());
            let info = C::of_numbers([number(first)?, number(second)?]);
            let ranges = sections(&channel.offsets, begins, piece.length_bytes())?;
            let ranges = Sections::new(ranges).map_err(|error| Refusal::found(ChangeKind::OffsetOrder, error))?;
            other_size |= i64::try_from(ranges.length_bytes()) != Ok(channel.state_size);
            other_order |= last.replace(info).is_some_and(|last| last > info);
            if channels.insert(info, ranges).is_some() {
                return Err(numbers());
            }
        }
        self.changes.add_if(other_size, ChangeKind::ChannelSize);
        self.changes.add_if(other_order, ChangeKind::Order);
        let subtask = u32::try_from(file.subtask);
        let subtask = subtask.map_err(|_| Refusal::found(ChangeKind::ChannelNumbers, file.subtask))?;
        Ok(ChannelState::new(subtask, channels.into(), piece))
    }
}
