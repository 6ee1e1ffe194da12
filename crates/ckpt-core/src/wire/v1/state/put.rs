//! How the state of a subtask is written: what cannot be read again is refused.

use std::ops::Range;

use super::check::Visit;
use super::rule::{ChannelNumbers, check_end, check_name};
use super::variant;
use crate::key_group::KeyGroupRange;
use crate::state::{
    ChannelState, IncrementalState, KeyGroupsState, KeyedState, OperatorState, Redistribution, ReusedFile, SharedFile,
    SortedMap, StateHandle, SubtaskState,
};
use crate::wire::v1::stored::{check_offset, put_file, put_handle};
use crate::wire::v1::writers::Writers;
use crate::wire::{Invalid, put_blob, put_u64};

/// Appends state to bytes.
pub(super) struct Putter<'o, V> {
    pub(super) out: &'o mut Vec<u8>,
    /// Is told of it.
    pub(super) visit: &'o mut V,
    pub(super) writers: Writers,
}

impl<V: Visit> Putter<'_, V> {
    pub(super) fn subtask(&mut self, state: &SubtaskState) -> Result<(), Invalid> {
        self.list(state.keyed(), Self::keyed)?;
        self.list(state.raw_keyed(), Self::keyed)?;
        self.list(state.operator(), Self::operator)?;
        self.list(state.raw_operator(), Self::operator)?;
        self.list(state.input_channels(), Self::channels)?;
        self.list(state.result_subpartitions(), Self::channels)
    }

    #[inline]
    fn list<T>(
        &mut self,
        elements: &[T],
        mut put: impl FnMut(&mut Self, &T) -> Result<(), Invalid>,
    ) -> Result<(), Invalid> {
        put_u64(self.out, elements.len() as u64);
        elements.iter().try_for_each(|element| put(self, element))
    }

    #[inline]
    fn named<T>(
        &mut self,
        field: &'static str,
        elements: &SortedMap<Box<str>, T>,
        mut put: impl FnMut(&mut Self, &T) -> Result<(), Invalid>,
    ) -> Result<(), Invalid> {
        put_u64(self.out, elements.len() as u64);
        elements.iter().try_for_each(|(name, element)| {
            // The map sees to it that names ascend.
            check_name(field, None, name)?;
            put_blob(self.out, name.as_bytes());
            put(self, element)
        })
    }

    #[inline]
    fn keyed(&mut self, state: &KeyedState) -> Result<(), Invalid> {
        match state {
            KeyedState::KeyGroups(state) => self.key_groups(state),
            KeyedState::Incremental(state) => self.incremental(state),
        }
    }

    #[inline]
    fn key_groups(&mut self, state: &KeyGroupsState) -> Result<(), Invalid> {
        self.visit.keyed(state.range())?;
        self.out.push(variant::KEY_GROUPS);
        put_range(self.out, state.range());
        put_u64(self.out, state.bounds_bytes().len() as u64);
        let mut last = 0;
        for &bound in state.bounds_bytes() {
            // The constructor sees to it that they never descend.
            put_u64(self.out, bound - last);
            last = bound;
        }
        check_end(last, state.handle().length_bytes())?;
        self.handle(state.handle())
    }

    fn incremental(&mut self, state: &IncrementalState) -> Result<(), Invalid> {
        self.visit.keyed(state.range())?;
        self.out.push(variant::INCREMENTAL);
        self.out.extend_from_slice(&state.operator().bytes());
        put_range(self.out, state.range());
        self.named("the shared files", state.shared(), |putter, file| match file {
            SharedFile::Written(handle) => {
                putter.out.push(variant::WRITTEN);
                putter.handle(handle)
            }
            SharedFile::Reused(reused) => {
                let ReusedFile { root, file, offset_bytes } = reused;
                putter.visit.reused(&reused.view())?;
                putter.out.push(if offset_bytes.is_none() { variant::REUSED } else { variant::REUSED_SEGMENT });
                put_file(putter.out, &mut putter.writers, *root, file)?;
                offset_bytes.map_or(Ok(()), |offset_bytes| {
                    check_offset(offset_bytes)?;
                    put_u64(putter.out, offset_bytes);
                    Ok(())
                })
            }
        })?;
        self.named("the private files", state.private(), Self::handle)?;
        self.handle(state.meta())?;
        put_u64(self.out, state.size().written_bytes);
        Ok(())
    }

    #[inline]
    fn operator(&mut self, state: &OperatorState) -> Result<(), Invalid> {
        let mut end = 0;
        self.named("the operator states", state.states(), |putter, partitions| {
            end = partitions.end_bytes().max(end);
            putter.sections(partitions.ranges_bytes());
            putter.out.push(match partitions.redistribution() {
                Redistribution::Split => variant::SPLIT,
                Redistribution::Union => variant::UNION,
                Redistribution::Broadcast => variant::BROADCAST,
            });
            Ok(())
        })?;
        check_end(end, state.handle().length_bytes())?;
        self.handle(state.handle())
    }

    fn channels<C: ChannelNumbers>(&mut self, state: &ChannelState<C>) -> Result<(), Invalid> {
        put_u64(self.out, state.subtask().into());
        put_u64(self.out, state.channels().len() as u64);
        let mut end = 0;
        for (channel, sections) in state.channels() {
            let (first, second) = channel.numbers();
            put_u64(self.out, first.into());
            put_u64(self.out, second.into());
            end = sections.end_bytes().max(end);
            self.sections(sections.ranges_bytes());
        }
        check_end(end, state.handle().length_bytes())?;
        self.handle(state.handle())
    }

    #[inline]
    fn sections(&mut self, ranges_bytes: &[Range<u64>]) {
        put_u64(self.out, ranges_bytes.len() as u64);
        let mut end = 0;
        for range in ranges_bytes {
            // The constructor sees to it that they ascend and do not overlap.
            put_u64(self.out, range.start - end);
            put_u64(self.out, range.end - range.start);
            end = range.end;
        }
    }

    #[inline]
    fn handle(&mut self, handle: &StateHandle) -> Result<(), Invalid> {
        self.visit.handle(&handle.view())?;
        put_handle(self.out, &mut self.writers, handle)
    }
}

#[inline]
pub(in crate::wire::v1) fn put_range(out: &mut Vec<u8>, range: KeyGroupRange) {
    put_u64(out, range.first().get().into());
    put_u64(out, range.last().get().into());
}
