//! Data that was in flight.

use std::ops::Range;

use crate::error::Result;
use crate::state::error::StateError;
use crate::state::{SortedMap, StateHandle};

/// Data in flight of one subtask, as far as it lies in one file: what stood in the channels when the barrier overtook it.
///
/// Each file is named once, with the sections of all its channels (Flink's merged channel state handles).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelState<C, H = StateHandle> {
    subtask: u32,
    channels: SortedMap<C, Sections>,
    handle: H,
}

/// Where data of one channel lies within a file: sections that ascend and do not overlap, in the order of the records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sections(Box<[Range<u64>]>);

/// A channel from which a subtask reads (Flink's `InputChannelInfo`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an identity is all of its parts")]
pub struct InputChannel {
    /// The input gate, from 0.
    pub gate: u32,
    /// The channel of the gate, from 0.
    pub channel: u32,
}

/// A subpartition into which a subtask writes (Flink's `ResultSubpartitionInfo`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an identity is all of its parts")]
pub struct ResultSubpartition {
    /// The result partition, from 0.
    pub partition: u32,
    /// The subpartition of it, from 0.
    pub subpartition: u32,
}

impl<C, H> ChannelState<C, H> {
    /// Data that `subtask` recorded in that file.
    pub const fn new(subtask: u32, channels: SortedMap<C, Sections>, handle: H) -> Self {
        Self { subtask, channels, handle }
    }

    /// Who recorded it. After a change of parallelism a task may be given the data of several.
    pub const fn subtask(&self) -> u32 {
        self.subtask
    }

    /// Where the data of each channel lies within the file.
    pub const fn channels(&self) -> &SortedMap<C, Sections> {
        &self.channels
    }

    /// The file.
    pub const fn handle(&self) -> &H {
        &self.handle
    }

    /// The same state with its handle replaced.
    ///
    /// # Errors
    ///
    /// That of `map`.
    pub fn try_map_handles<T, E>(self, map: &mut dyn FnMut(H) -> Result<T, E>) -> Result<ChannelState<C, T>, E> {
        Ok(ChannelState { subtask: self.subtask, channels: self.channels, handle: map(self.handle)? })
    }
}

impl Sections {
    /// Sections that lie there within the file, from a first byte to an end that is not theirs any more.
    ///
    /// # Errors
    ///
    /// `Configuration` when one ends before it begins, or begins before the one ahead of it ends.
    pub fn new(ranges_bytes: impl IntoIterator<Item = Range<u64>>) -> Result<Self> {
        let ranges_bytes: Box<[_]> = ranges_bytes.into_iter().collect();
        let mut free_from = 0;
        for (index, range) in ranges_bytes.iter().enumerate() {
            if range.start < free_from || range.end < range.start {
                return Err(StateError::Section { index, found: range.clone(), free_from }.into());
            }
            free_from = range.end;
        }
        Ok(Self(ranges_bytes))
    }

    /// Sections of which the caller has made sure that they ascend.
    pub(crate) fn from_ascending(ranges_bytes: Vec<Range<u64>>) -> Self {
        Self(ranges_bytes.into_boxed_slice())
    }

    /// Each section; ascending, none reaching into another.
    pub const fn ranges_bytes(&self) -> &[Range<u64>] {
        &self.0
    }

    /// Where the last one ends; 0 when there is none.
    pub fn end_bytes(&self) -> u64 {
        self.0.last().map_or(0, |last| last.end)
    }

    /// How many bytes there are in all of them.
    pub fn length_bytes(&self) -> u64 {
        // They do not overlap, so the sum is at most the end of the last.
        self.0.iter().map(|range| range.end - range.start).sum()
    }
}
