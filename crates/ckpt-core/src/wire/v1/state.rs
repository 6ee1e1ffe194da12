//! State: keyed and operator state of one subtask.

use serde::{Deserialize, Serialize};

use super::stored::{FileRef, Handle, Root};
use super::{Id, ascending};
use crate::id::OperatorId;
use crate::key_group::{KeyGroup, KeyGroupRange};
use crate::state;
use crate::wire::{Invalid, List};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SubtaskState<'a> {
    #[serde(borrow)]
    keyed: List<Keyed<'a>>,
    raw_keyed: List<Keyed<'a>>,
    operator: List<OperatorState<'a>>,
    raw_operator: List<OperatorState<'a>>,
    input_channels: List<ChannelState<'a>>,
    result_subpartitions: List<ChannelState<'a>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ChannelState<'a> {
    subtask: u32,
    channels: List<((u32, u32), Ranges)>,
    #[serde(borrow)]
    handle: Handle<'a>,
}

#[derive(Debug, Serialize, Deserialize)]
enum Keyed<'a> {
    KeyGroups {
        range: Range,
        offsets: Offsets,
        #[serde(borrow)]
        handle: Handle<'a>,
    },
    Incremental {
        operator: Id,
        range: Range,
        #[serde(borrow)]
        shared: List<(&'a str, SharedFile<'a>)>,
        private: List<(&'a str, Handle<'a>)>,
        meta: Handle<'a>,
        written_bytes: u64,
    },
}

#[derive(Debug, Serialize, Deserialize)]
enum SharedFile<'a> {
    #[serde(borrow)]
    Written(Handle<'a>),
    Reused(Root, FileRef<'a>),
}

#[derive(Debug, Serialize, Deserialize)]
struct OperatorState<'a> {
    #[serde(borrow)]
    states: List<(&'a str, Partitions)>,
    handle: Handle<'a>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Partitions {
    ranges: Ranges,
    redistribution: Redistribution,
}

#[derive(Debug, Serialize, Deserialize)]
enum Redistribution {
    Split,
    Union,
    Broadcast,
}

/// Key groups from a first to a last one, both inclusive.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Range {
    first: u16,
    last: u16,
}

/// Offsets that never descend: each as what it is more than the one before.
#[derive(Debug, Serialize, Deserialize)]
struct Offsets(List<u64>);

/// Ranges that ascend and do not overlap: for each, how far it begins after the end of the one before, and its length.
#[derive(Debug, Serialize, Deserialize)]
struct Ranges(List<(u64, u64)>);

impl<'a> SubtaskState<'a> {
    pub(crate) fn of(subtask: &'a state::SubtaskState) -> Result<Self, Invalid> {
        let input = subtask.input_channels().iter().map(|state| ChannelState::of(state, |c| (c.gate, c.channel)));
        let result = subtask.result_subpartitions().iter();
        let result = result.map(|state| ChannelState::of(state, |c| (c.partition, c.subpartition)));
        Ok(Self {
            keyed: List(subtask.keyed().iter().map(Keyed::of).collect::<Result<_, _>>()?),
            raw_keyed: List(subtask.raw_keyed().iter().map(Keyed::of).collect::<Result<_, _>>()?),
            operator: List(subtask.operator().iter().map(OperatorState::of).collect::<Result<_, _>>()?),
            raw_operator: List(subtask.raw_operator().iter().map(OperatorState::of).collect::<Result<_, _>>()?),
            input_channels: List(input.collect::<Result<_, _>>()?),
            result_subpartitions: List(result.collect::<Result<_, _>>()?),
        })
    }

    pub(crate) fn into_domain(self) -> Result<state::SubtaskState, Invalid> {
        let mut parts = state::SubtaskStateParts::default();
        parts.keyed = self.keyed.0.into_iter().map(Keyed::into_domain).collect::<Result<_, _>>()?;
        parts.raw_keyed = self.raw_keyed.0.into_iter().map(Keyed::into_domain).collect::<Result<_, _>>()?;
        parts.operator = self.operator.0.into_iter().map(OperatorState::into_domain).collect::<Result<_, _>>()?;
        parts.raw_operator =
            self.raw_operator.0.into_iter().map(OperatorState::into_domain).collect::<Result<_, _>>()?;
        let input = self.input_channels.0.into_iter();
        let input = input.map(|state| state.into_domain(|gate, channel| state::InputChannel { gate, channel }));
        parts.input_channels = input.collect::<Result<_, _>>()?;
        let result = self.result_subpartitions.0.into_iter().map(|state| {
            state.into_domain(|partition, subpartition| state::ResultSubpartition { partition, subpartition })
        });
        parts.result_subpartitions = result.collect::<Result<_, _>>()?;
        Ok(parts.into())
    }
}

impl<'a> ChannelState<'a> {
    fn of<C: Copy>(state: &'a state::ChannelState<C>, numbers: impl Fn(C) -> (u32, u32)) -> Result<Self, Invalid> {
        let mut channels = Vec::with_capacity(state.channels().len());
        for (channel, sections) in state.channels() {
            check_end(Some(sections.end_bytes()), state.handle())?;
            channels.push((numbers(*channel), Ranges::of(sections.ranges_bytes())));
        }
        Ok(Self { subtask: state.subtask(), channels: List(channels), handle: Handle::of(state.handle())? })
    }

    fn into_domain<C: Ord + std::fmt::Debug>(
        self,
        channel: impl Fn(u32, u32) -> C,
    ) -> Result<state::ChannelState<C>, Invalid> {
        let handle = self.handle.into_domain()?;
        let mut channels = Vec::with_capacity(self.channels.0.len());
        let mut last = None;
        for ((one, two), ranges) in self.channels.0 {
            if last.replace((one, two)).is_some_and(|last| last >= (one, two)) {
                return Err(Invalid::value("a channel", format!("{one}, {two}"), "channels that ascend"));
            }
            let sections = state::Sections::from_ascending(ranges.into_domain()?);
            check_end(Some(sections.end_bytes()), &handle)?;
            channels.push((channel(one, two), sections));
        }
        Ok(state::ChannelState::new(self.subtask, state::SortedMap::from_ascending(channels), handle))
    }
}

impl<'a> Keyed<'a> {
    fn of(keyed: &'a state::KeyedState) -> Result<Self, Invalid> {
        match keyed {
            state::KeyedState::KeyGroups(groups) => {
                let handle = groups.handle();
                check_end(groups.bounds_bytes().last().copied(), handle)?;
                Ok(Self::KeyGroups {
                    range: Range::of(groups.range()),
                    offsets: Offsets::of(groups.bounds_bytes())?,
                    handle: Handle::of(handle)?,
                })
            }
            state::KeyedState::Incremental(files) => {
                let mut shared = Vec::with_capacity(files.shared().len());
                for (name, file) in files.shared() {
                    shared.push((&**name, SharedFile::of(file)?));
                }
                let mut private = Vec::with_capacity(files.private().len());
                for (name, handle) in files.private() {
                    private.push((&**name, Handle::of(handle)?));
                }
                Ok(Self::Incremental {
                    operator: files.operator().bytes(),
                    range: Range::of(files.range()),
                    shared: List(shared),
                    private: List(private),
                    meta: Handle::of(files.meta())?,
                    written_bytes: files.size().written_bytes,
                })
            }
        }
    }

    fn into_domain(self) -> Result<state::KeyedState, Invalid> {
        Ok(match self {
            Self::KeyGroups { range, offsets, handle } => {
                let (offsets, handle) = (offsets.into_domain()?, handle.into_domain()?);
                check_end(offsets.last().copied(), &handle)?;
                let groups = state::KeyGroupsState::new(range.into_domain()?, offsets, handle)
                    .map_err(|error| Invalid::Refused { field: "keyed state", error })?;
                state::KeyedState::KeyGroups(groups)
            }
            Self::Incremental { operator, range, shared, private, meta, written_bytes } => {
                let shared = shared.0.into_iter().map(|(name, file)| Ok((name.to_owned(), file.into_domain()?)));
                let private = private.0.into_iter().map(|(name, handle)| Ok((name.to_owned(), handle.into_domain()?)));
                let files = state::IncrementalState::new(
                    OperatorId::new(operator),
                    range.into_domain()?,
                    ascending("the shared files", shared)?.into(),
                    ascending("the private files", private)?.into(),
                    meta.into_domain()?,
                );
                let files = files
                    .with_written_bytes(written_bytes)
                    .map_err(|error| Invalid::Refused { field: "the bytes written", error })?;
                state::KeyedState::Incremental(files)
            }
        })
    }
}

impl<'a> SharedFile<'a> {
    fn of(file: &'a state::SharedFile) -> Result<Self, Invalid> {
        Ok(match file {
            state::SharedFile::Written(handle) => Self::Written(Handle::of(handle)?),
            state::SharedFile::Reused(root, file) => Self::Reused(Root::of(*root), FileRef::of(file)),
        })
    }

    fn into_domain(self) -> Result<state::SharedFile, Invalid> {
        Ok(match self {
            Self::Written(handle) => state::SharedFile::Written(handle.into_domain()?),
            Self::Reused(root, file) => state::SharedFile::Reused(root.into_domain(), file.into_domain()?),
        })
    }
}

impl<'a> OperatorState<'a> {
    fn of(operator: &'a state::OperatorState) -> Result<Self, Invalid> {
        let mut states = Vec::with_capacity(operator.states().len());
        for (name, partitions) in operator.states() {
            let ranges = partitions.ranges_bytes();
            check_end(ranges.last().map(|range| range.end), operator.handle())?;
            let redistribution = Redistribution::of(partitions.redistribution());
            states.push((&**name, Partitions { ranges: Ranges::of(ranges), redistribution }));
        }
        Ok(Self { states: List(states), handle: Handle::of(operator.handle())? })
    }

    fn into_domain(self) -> Result<state::OperatorState, Invalid> {
        let handle = self.handle.into_domain()?;
        let states = self.states.0.into_iter().map(|(name, partitions)| {
            let ranges = partitions.ranges.into_domain()?;
            check_end(ranges.last().map(|range| range.end), &handle)?;
            let partitions = state::Partitions::new(ranges, partitions.redistribution.into_domain())
                .map_err(|error| Invalid::Refused { field: "the partitions", error })?;
            Ok((name.to_owned(), partitions))
        });
        let states = ascending("the operator states", states)?;
        Ok(state::OperatorState::new(states.into(), handle))
    }
}

impl Redistribution {
    const fn of(redistribution: state::Redistribution) -> Self {
        match redistribution {
            state::Redistribution::Split => Self::Split,
            state::Redistribution::Union => Self::Union,
            state::Redistribution::Broadcast => Self::Broadcast,
        }
    }

    const fn into_domain(self) -> state::Redistribution {
        match self {
            Self::Split => state::Redistribution::Split,
            Self::Union => state::Redistribution::Union,
            Self::Broadcast => state::Redistribution::Broadcast,
        }
    }
}

impl Range {
    pub(crate) const fn of(range: KeyGroupRange) -> Self {
        Self { first: range.first().get(), last: range.last().get() }
    }

    pub(crate) fn into_domain(self) -> Result<KeyGroupRange, Invalid> {
        KeyGroupRange::new(KeyGroup::new(self.first), KeyGroup::new(self.last))
            .map_err(|error| Invalid::Refused { field: "the key groups", error })
    }
}

impl Offsets {
    fn of(offsets: &[u64]) -> Result<Self, Invalid> {
        let mut last = 0;
        let mut steps = Vec::with_capacity(offsets.len());
        for &offset in offsets {
            let Some(step) = offset.checked_sub(last) else {
                return Err(Invalid::value(
                    "an offset",
                    format!("{offset} after {last}"),
                    "offsets that never descend",
                ));
            };
            steps.push(step);
            last = offset;
        }
        Ok(Self(List(steps)))
    }

    fn into_domain(self) -> Result<Vec<u64>, Invalid> {
        let mut offsets = self.0.0;
        let mut last = 0_u64;
        for offset in &mut offsets {
            let Some(sum) = last.checked_add(*offset) else {
                return Err(Invalid::value("an offset", format!("{last} + {offset}"), "a number of 64 bits"));
            };
            (*offset, last) = (sum, sum);
        }
        Ok(offsets)
    }
}

impl Ranges {
    /// The constructor of partitions sees to it that they ascend and do not overlap.
    fn of(ranges: &[std::ops::Range<u64>]) -> Self {
        let mut end = 0;
        let mut steps = Vec::with_capacity(ranges.len());
        for range in ranges {
            steps.push((range.start - end, range.end - range.start));
            end = range.end;
        }
        Self(List(steps))
    }

    fn into_domain(self) -> Result<Vec<std::ops::Range<u64>>, Invalid> {
        let mut end = 0_u64;
        let mut ranges = Vec::with_capacity(self.0.0.len());
        for (gap, length) in self.0.0 {
            let range = end.checked_add(gap).and_then(|start| Some(start..start.checked_add(length)?));
            let Some(range) = range else {
                return Err(Invalid::value("a partition", format!("{end} + {gap} + {length}"), "numbers of 64 bits"));
            };
            end = range.end;
            ranges.push(range);
        }
        Ok(ranges)
    }
}

/// Sections end within the piece that holds them. They ascend, so the last offset decides.
fn check_end(last: Option<u64>, handle: &state::StateHandle) -> Result<(), Invalid> {
    match last {
        Some(last) if last > handle.length_bytes() => {
            let expected = format!("at most {}, the length of the piece", handle.length_bytes());
            Err(Invalid::value("an offset", last, expected))
        }
        _ => Ok(()),
    }
}
