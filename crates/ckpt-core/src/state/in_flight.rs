//! How data in flight is handed on where the parallelism changed.

use crate::error::Result;
use crate::state::SortedMap;
use crate::state::error::StateError;

/// How recorded data in flight is handed on where the parallelism changed (Flink's `InflightDataRescalingDescriptor`): by
/// input gate and by result partition. Those that are as they were are absent, so it is empty where nothing changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InFlightRescaling {
    inputs: SortedMap<u32, ChannelRescaling>,
    outputs: SortedMap<u32, ChannelRescaling>,
}

/// How the data in flight of one input gate or result partition is handed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelRescaling {
    old_subtasks: Box<[u32]>,
    ambiguous: Box<[u32]>,
    mapping: ChannelMapping,
}

/// To which present channels the data of each former channel may belong (Flink's `RescaleMappings`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelMapping {
    /// For each former channel up to the last that leads anywhere, how many it leads to; those are next to each other in
    /// `targets`.
    counts: Box<[u32]>,
    targets: Box<[u32]>,
}

impl InFlightRescaling {
    /// The most gates, and the most partitions, of a task.
    pub const MAX_GATES: usize = 1024;

    /// By the number of the input gate, and by that of the result partition.
    ///
    /// # Errors
    ///
    /// `Configuration` when there are more than [`MAX_GATES`](Self::MAX_GATES) of either.
    pub fn new(inputs: SortedMap<u32, ChannelRescaling>, outputs: SortedMap<u32, ChannelRescaling>) -> Result<Self> {
        match inputs.len().max(outputs.len()) {
            found if found > Self::MAX_GATES => Err(StateError::Gates { found }.into()),
            _ => Ok(Self { inputs, outputs }),
        }
    }

    /// Whether all is as it was.
    pub const fn is_empty(&self) -> bool {
        self.inputs.is_empty() && self.outputs.is_empty()
    }

    /// By input gate.
    pub const fn inputs(&self) -> &SortedMap<u32, ChannelRescaling> {
        &self.inputs
    }

    /// By result partition.
    pub const fn outputs(&self) -> &SortedMap<u32, ChannelRescaling> {
        &self.outputs
    }
}

impl ChannelRescaling {
    /// The data of those former subtasks of this very operator comes here, through channels that `mapping` translates.
    /// What the `ambiguous` ones among them recorded comes to several subtasks, each of which must pick its own records.
    ///
    /// # Errors
    ///
    /// `Configuration` unless both ascend strictly and the second are among the first.
    pub fn new(
        old_subtasks: impl Into<Box<[u32]>>,
        ambiguous: impl Into<Box<[u32]>>,
        mapping: ChannelMapping,
    ) -> Result<Self> {
        let (old_subtasks, ambiguous) = (old_subtasks.into(), ambiguous.into());
        for subtasks in [&old_subtasks, &ambiguous] {
            if let Some(pair) = subtasks.windows(2).find(|pair| pair[0] >= pair[1]) {
                return Err(StateError::OldSubtasks { first: pair[0], second: pair[1] }.into());
            }
        }
        match ambiguous.iter().find(|subtask| old_subtasks.binary_search(subtask).is_err()) {
            Some(&subtask) => Err(StateError::Ambiguous { subtask }.into()),
            None => Ok(Self { old_subtasks, ambiguous, mapping }),
        }
    }

    /// The former subtasks whose data comes here; they ascend.
    pub const fn old_subtasks(&self) -> &[u32] {
        &self.old_subtasks
    }

    /// Those whose data comes to other subtasks as well; they ascend.
    pub const fn ambiguous(&self) -> &[u32] {
        &self.ambiguous
    }

    /// To which present channels each former one leads.
    pub const fn mapping(&self) -> &ChannelMapping {
        &self.mapping
    }
}

impl ChannelMapping {
    /// For each former channel, from 0, how many present ones it leads to, and all of these one after another. Former
    /// channels behind the last that leads anywhere are left out, as in Flink, so that a mapping has one form.
    ///
    /// # Errors
    ///
    /// `Configuration` unless the counts add up to the number of targets.
    pub fn new(counts: impl Into<Box<[u32]>>, targets: impl Into<Box<[u32]>>) -> Result<Self> {
        let (counts, targets) = (counts.into(), targets.into());
        match counts.iter().map(|count| u64::from(*count)).sum::<u64>() {
            expected if expected == targets.len() as u64 => {
                let end = counts.iter().rposition(|count| *count > 0).map_or(0, |last| last + 1);
                let counts = if end == counts.len() { counts } else { counts.iter().copied().take(end).collect() };
                Ok(Self { counts, targets })
            }
            expected => Err(StateError::Targets { expected, found: targets.len() }.into()),
        }
    }

    /// How many present channels each former one leads to. The last leads to one at least.
    pub const fn counts(&self) -> &[u32] {
        &self.counts
    }

    /// The present channels of all former ones, one after another.
    pub const fn targets(&self) -> &[u32] {
        &self.targets
    }

    /// The present channels of each former one, from 0.
    pub fn iter(&self) -> impl Iterator<Item = &[u32]> {
        let mut ahead = &*self.targets;
        self.counts.iter().map(move |count| {
            // The counts add up to the number of targets.
            let (targets, rest) = ahead.split_at_checked(*count as usize).unwrap_or((ahead, &[]));
            ahead = rest;
            targets
        })
    }

    /// Whether each of its former channels leads to the one of the same number and to no other.
    pub fn is_identity(&self) -> bool {
        self.iter().enumerate().all(|(channel, targets)| *targets == [channel as u32])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn each_former_channel_has_its_own_targets() {
        let mapping = ChannelMapping::new([2, 0, 1], [4, 5, 4]).unwrap();
        assert_eq!(mapping.iter().collect::<Vec<_>>(), [&[4, 5][..], &[], &[4]]);
        assert!(!mapping.is_identity());
        assert!(ChannelMapping::new([1, 1], [0, 1]).unwrap().is_identity());
        assert!(!ChannelMapping::new([1, 1], [1, 0]).unwrap().is_identity());
        assert!(!ChannelMapping::new([0, 1], [1]).unwrap().is_identity());
        assert!(ChannelMapping::default().is_identity());
    }

    #[test]
    fn former_channels_that_lead_nowhere_are_left_out_at_the_end() {
        let mapping = ChannelMapping::new([1, 0, 1, 0, 0], [0, 1]).unwrap();
        assert_eq!(mapping.counts(), [1, 0, 1]);
        assert_eq!(mapping, ChannelMapping::new([1, 0, 1], [0, 1]).unwrap());
        assert!(ChannelMapping::new([1, 0], [0]).unwrap().is_identity());
        assert_eq!(ChannelMapping::new([0, 0], []).unwrap(), ChannelMapping::default());
    }

    #[test]
    fn what_cannot_be_handed_on_is_refused() {
        let refusal = |error: crate::error::Error| {
            assert_eq!(error.kind(), ErrorKind::Configuration);
            error.to_string()
        };
        let counts = ChannelMapping::new([1, u32::MAX], [0]).unwrap_err();
        assert_eq!(refusal(counts), "a mapping of channels has 1 targets, expected 4294967296");
        let new = |old: &[u32], ambiguous: &[u32]| ChannelRescaling::new(old, ambiguous, ChannelMapping::default());
        assert!(new(&[1, 3, 9], &[1, 9]).is_ok());
        assert_eq!(
            refusal(new(&[1, 1], &[]).unwrap_err()),
            "former subtask 1 stands behind 1, expected them to ascend"
        );
        assert_eq!(
            refusal(new(&[1, 3], &[3, 1]).unwrap_err()),
            "former subtask 1 stands behind 3, expected them to ascend"
        );
        assert_eq!(
            refusal(new(&[1, 3], &[2]).unwrap_err()),
            "former subtask 2 is ambiguous, expected one whose data comes here"
        );
        let gates = |count: usize| (0..count as u32).map(|gate| (gate, new(&[], &[]).unwrap())).collect();
        let most = InFlightRescaling::MAX_GATES;
        assert!(!InFlightRescaling::new(gates(most), SortedMap::default()).unwrap().is_empty());
        let error = InFlightRescaling::new(SortedMap::default(), gates(most + 1)).unwrap_err();
        assert_eq!(refusal(error), "a task has data in flight of 1025 gates or partitions, expected at most 1024");
    }
}
