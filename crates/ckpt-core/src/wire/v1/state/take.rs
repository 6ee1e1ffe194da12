//! State, made of what is read.

use std::ops::Range;

use super::grammar::{Files, Parts, Reading};
use super::rule::ChannelNumbers;
use crate::key_group::KeyGroupRange;
use crate::state::{
    ChannelState, HandleView, IncrementalState, KeyGroupsState, KeyedState, OperatorState, Partitions, Redistribution,
    ReusedView, Sections, SharedFile, SortedMap, StateHandle, StateSize, SubtaskState, SubtaskStateParts,
};
use crate::wire::Invalid;

/// Makes values of what is read.
pub(super) struct Take;

impl<'a> Reading<'a> for Take {
    type List<T> = Vec<T>;
    type Text = Box<str>;
    type Handle = StateHandle;
    type SharedFile = SharedFile;
    type Partitions = Partitions;
    type Keyed = KeyedState;
    type Operator = OperatorState;
    type Channels<C: ChannelNumbers> = ChannelState<C>;
    type Subtask = SubtaskState;

    fn list<T>(count: usize) -> Vec<T> {
        Vec::with_capacity(count)
    }

    fn push<T>(list: &mut Vec<T>, element: T) {
        list.push(element);
    }

    fn text(text: &'a str) -> Box<str> {
        text.into()
    }

    fn handle(&mut self, view: &HandleView<'a>) -> Result<StateHandle, Invalid> {
        Ok(view.to_handle())
    }

    fn written(&mut self, view: &HandleView<'a>) -> Result<SharedFile, Invalid> {
        Ok(SharedFile::Written(view.to_handle()))
    }

    fn reused(&mut self, reused: &ReusedView<'a>) -> Result<SharedFile, Invalid> {
        Ok(SharedFile::Reused(reused.to_reused()))
    }

    fn key_groups(
        &mut self,
        range: KeyGroupRange,
        bounds: Vec<u64>,
        handle: StateHandle,
    ) -> Result<KeyedState, Invalid> {
        Ok(KeyedState::KeyGroups(KeyGroupsState::of(range, bounds, handle)))
    }

    fn incremental(&mut self, files: Files<'a, Self>) -> Result<KeyedState, Invalid> {
        let (shared, private) = (SortedMap::from_ascending(files.shared), SortedMap::from_ascending(files.private));
        let owner = (files.operator, files.range);
        Ok(KeyedState::Incremental(IncrementalState::of(owner, shared, private, files.meta, files.size)))
    }

    fn partitions(sections: Vec<Range<u64>>, redistribution: Redistribution) -> Partitions {
        Partitions::of(Sections::from_ascending(sections), redistribution)
    }

    fn operator(states: Vec<(Box<str>, Partitions)>, handle: StateHandle) -> OperatorState {
        OperatorState::new(SortedMap::from_ascending(states), handle)
    }

    fn channels<C: ChannelNumbers>(
        subtask: u32,
        channels: Vec<(C, Vec<Range<u64>>)>,
        handle: StateHandle,
    ) -> ChannelState<C> {
        let channels = channels.into_iter().map(|(channel, sections)| (channel, Sections::from_ascending(sections)));
        ChannelState::new(subtask, SortedMap::from_ascending(channels.collect()), handle)
    }

    fn subtask(parts: Parts<'a, Self>, size: StateSize) -> SubtaskState {
        let parts = SubtaskStateParts {
            keyed: parts.keyed,
            raw_keyed: parts.raw_keyed,
            operator: parts.operator,
            raw_operator: parts.raw_operator,
            input_channels: parts.input_channels,
            result_subpartitions: parts.result_subpartitions,
        };
        SubtaskState::of(parts, size)
    }
}
