//! The state of a subtask.

use ckpt_core::Result;
use ckpt_core::id::OperatorId;
use ckpt_core::state::{
    ChannelState, KeyedState, OperatorState, Redistribution, Sections, SubtaskState as OurSubtaskState,
};

use super::Conversion;
use super::piece::text;
use crate::convert::change::{ChangeKind, Field, Refusal};
use crate::convert::from_flink::OurChannel;
use crate::convert::offsets::{KeyedWriter, sections};
use crate::model::{
    ChannelEntry, ChannelHandle, ChannelInfo, CheckpointedStateScope, DistributionMode, KeyedHandle, MergedChannels,
    OperatorHandle, OperatorStateOffsets, SingleChannel, SubtaskState,
};

/// An operator's subtask.
type Owner = (OperatorId, u32);

impl Conversion {
    pub(super) fn state(&mut self, owner: Owner, state: &OurSubtaskState) -> Result<SubtaskState> {
        let operator = |conversion: &mut Self, state: &OperatorState| conversion.operator_state(state);
        let keyed = |writer| {
            move |conversion: &mut Self, state: &KeyedState| -> Result<KeyedHandle, Refusal> {
                conversion.keyed(owner, writer, state)
            }
        };
        let (backend, raw) = (KeyedWriter::Backend, KeyedWriter::Operator);
        Ok(SubtaskState {
            managed_operator: self.slot(owner, Field::ManagedOperator, state.operator(), operator),
            raw_operator: self.slot(owner, Field::RawOperator, state.raw_operator(), operator),
            managed_keyed: self.slot(owner, Field::ManagedKeyed, state.keyed(), keyed(backend)),
            raw_keyed: self.slot(owner, Field::RawKeyed, state.raw_keyed(), keyed(raw)),
            input_channels: self.channels(owner, Field::InputChannels, state.input_channels()),
            result_subpartitions: self.channels(owner, Field::ResultSubpartitions, state.result_subpartitions()),
            legacy_duration: None,
        })
    }

    /// The one state that Flink has a place for.
    fn slot<S, T>(
        &mut self,
        (operator, subtask): Owner,
        field: Field,
        states: &[S],
        convert: impl FnOnce(&mut Self, &S) -> Result<T, Refusal>,
    ) -> Option<Box<T>> {
        self.changes.at(Some(operator), Some(subtask), field);
        let converted = match states {
            [] => return None,
            [state] => convert(self, state),
            several => Err(Refusal::found(ChangeKind::SeveralStates, several.len())),
        };
        converted.map_err(|refusal| self.changes.refuse(refusal)).ok().map(Box::new)
    }

    fn operator_state(&mut self, state: &OperatorState) -> Result<OperatorHandle, Refusal> {
        let length = state.handle().length_bytes();
        let mut states: Vec<OperatorStateOffsets> = Vec::with_capacity(state.states().len());
        for (name, partitions) in state.states() {
            let mode = match partitions.redistribution() {
                Redistribution::Split => DistributionMode::SplitDistribute,
                Redistribution::Union => DistributionMode::Union,
                Redistribution::Broadcast => DistributionMode::Broadcast,
            };
            let begins = partitions.ranges_bytes().iter().map(|range| begin(range.start));
            states.push(OperatorStateOffsets::new(text(name)?, mode, begins.collect::<Result<_, _>>()?));
        }
        let all = ascending(states.iter().flat_map(|state| &state.offsets));
        let mut same = true;
        for (state, partitions) in states.iter().zip(state.states().values()) {
            same &= sections(&state.offsets, &all, length)? == partitions.ranges_bytes();
        }
        self.changes.add_if(!same, ChangeKind::SectionEnds);
        Ok(OperatorHandle::new(states, self.piece(state.handle(), CheckpointedStateScope::Exclusive)?))
    }

    fn channels<C: OurChannel>(
        &mut self,
        (operator, subtask): Owner,
        field: Field,
        states: &[ChannelState<C>],
    ) -> Vec<ChannelHandle<C::Info>> {
        self.changes.at(Some(operator), Some(subtask), field);
        let mut handles = Vec::new();
        for state in states {
            if let Err(refusal) = self.file_of_channels(state, &mut handles) {
                self.changes.refuse_part(refusal);
            }
        }
        handles
    }

    fn file_of_channels<C: OurChannel>(
        &mut self,
        state: &ChannelState<C>,
        handles: &mut Vec<ChannelHandle<C::Info>>,
    ) -> Result<(), Refusal> {
        let subtask = java_number(state.subtask())?;
        let mut entries = Vec::with_capacity(state.channels().len());
        for (channel, sections) in state.channels() {
            let [first, second] = channel.numbers();
            let info = C::Info::of_numbers([java_number(first)?, java_number(second)?]);
            let begins = sections.ranges_bytes().iter().map(|range| begin(range.start));
            entries.push(ChannelEntry::new(info, begin(sections.length_bytes())?, begins.collect::<Result<_, _>>()?));
        }
        let all = ascending(entries.iter().flat_map(|entry| &entry.offsets));
        let mut same = true;
        for (entry, stored) in entries.iter().zip(state.channels().values()) {
            let ends = sections(&entry.offsets, &all, state.handle().length_bytes())?;
            same &= ends == Sections::ranges_bytes(stored);
        }
        let delegate = self.piece(state.handle(), CheckpointedStateScope::Exclusive)?;
        if self.version.has_merged_channels() {
            let merged = MergedChannels::new(subtask, &entries, delegate);
            let merged = merged.map_err(|error| Refusal::found(ChangeKind::TooLarge, error))?;
            handles.push(ChannelHandle::Merged(merged));
        } else {
            if entries.is_empty() {
                return Err(Refusal::new(ChangeKind::NoChannels));
            }
            self.changes.add(ChangeKind::ChannelForm);
            let singles = entries.into_iter().map(|ChannelEntry { info, state_size, offsets }| {
                ChannelHandle::Single(SingleChannel::new(subtask, info, offsets, state_size, delegate.clone()))
            });
            handles.extend(singles);
        }
        self.changes.add_if(!same, ChangeKind::SectionEnds);
        Ok(())
    }
}

fn begin(offset: u64) -> Result<i64, Refusal> {
    i64::try_from(offset).map_err(|_| Refusal::found(ChangeKind::TooLarge, offset))
}

fn java_number(number: u32) -> Result<i32, Refusal> {
    i32::try_from(number).map_err(|_| Refusal::found(ChangeKind::TooLarge, number))
}

fn ascending<'a>(offsets: impl Iterator<Item = &'a i64>) -> Vec<i64> {
    let mut all: Vec<i64> = offsets.copied().collect();
    all.sort_unstable();
    all
}
