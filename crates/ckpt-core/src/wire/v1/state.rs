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
    operator: List<OperatorState<'a>>,
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
        Ok(Self {
            keyed: List(subtask.keyed.iter().map(Keyed::of).collect::<Result<_, _>>()?),
            operator: List(subtask.operator.iter().map(OperatorState::of).collect::<Result<_, _>>()?),
        })
    }

    pub(crate) fn into_domain(self) -> Result<state::SubtaskState, Invalid> {
        let keyed = self.keyed.0.into_iter().map(Keyed::into_domain).collect::<Result<_, _>>()?;
        let operator = self.operator.0.into_iter().map(OperatorState::into_domain).collect::<Result<_, _>>()?;
        Ok(state::SubtaskState::new(keyed, operator))
    }
}

impl<'a> Keyed<'a> {
    fn of(keyed: &'a state::KeyedState) -> Result<Self, Invalid> {
        match keyed {
            state::KeyedState::KeyGroups(groups) => {
                let handle = groups.handle();
                check_end(groups.offsets_bytes().last().copied(), handle)?;
                Ok(Self::KeyGroups {
                    range: Range::of(groups.range()),
                    offsets: Offsets::of(groups.offsets_bytes())?,
                    handle: Handle::of(handle)?,
                })
            }
            state::KeyedState::Incremental(files) => {
                let mut shared = Vec::with_capacity(files.shared.len());
                for (name, file) in &files.shared {
                    shared.push((name.as_str(), SharedFile::of(file)?));
                }
                let mut private = Vec::with_capacity(files.private.len());
                for (name, handle) in &files.private {
                    private.push((name.as_str(), Handle::of(handle)?));
                }
                Ok(Self::Incremental {
                    operator: files.operator.bytes(),
                    range: Range::of(files.range),
                    shared: List(shared),
                    private: List(private),
                    meta: Handle::of(&files.meta)?,
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
            Self::Incremental { operator, range, shared, private, meta } => {
                let shared = shared.0.into_iter().map(|(name, file)| Ok((name.to_owned(), file.into_domain()?)));
                let private = private.0.into_iter().map(|(name, handle)| Ok((name.to_owned(), handle.into_domain()?)));
                state::KeyedState::Incremental(state::IncrementalState::new(
                    OperatorId::new(operator),
                    range.into_domain()?,
                    ascending("the shared files", shared)?,
                    ascending("the private files", private)?,
                    meta.into_domain()?,
                ))
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
        let mut states = Vec::with_capacity(operator.states.len());
        for (name, partitions) in &operator.states {
            let ranges = partitions.ranges_bytes();
            check_end(ranges.last().map(|range| range.end), &operator.handle)?;
            let redistribution = Redistribution::of(partitions.redistribution());
            states.push((name.as_str(), Partitions { ranges: Ranges::of(ranges), redistribution }));
        }
        Ok(Self { states: List(states), handle: Handle::of(&operator.handle)? })
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
        Ok(state::OperatorState::new(states, handle))
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
