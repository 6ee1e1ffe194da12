//! Operator state.

use std::collections::BTreeMap;

use ckpt_core::state::{OperatorState, Partitions, Redistribution};

use super::Conversion;
use crate::convert::change::{ChangeKind, Refusal};
use crate::convert::offsets::sections;
use crate::model::{DistributionMode, OperatorHandle, StreamHandle};

impl Conversion {
    /// The operator state; `None` of a handle that stands for its directories only. Flink, too, begins to read any other.
    pub(super) fn operator_state(&mut self, handle: &OperatorHandle) -> Result<Option<OperatorState>, Refusal> {
        self.changes.add_if(handle.merging.is_some(), ChangeKind::MergingDirectories);
        if handle.states.is_empty() && matches!(handle.delegate, StreamHandle::EmptySegment) {
            self.changes.add(ChangeKind::EmptySegment);
            return Ok(None);
        }
        let piece = self.piece(&handle.delegate)?;
        let mut begins: Vec<i64> = handle.states.iter().flat_map(|state| &state.offsets).copied().collect();
        begins.sort_unstable();
        let mut states = BTreeMap::new();
        for state in &handle.states {
            let ranges = sections(&state.offsets, &begins, piece.length_bytes())?;
            let redistribution = match state.mode {
                DistributionMode::SplitDistribute => Redistribution::Split,
                DistributionMode::Union => Redistribution::Union,
                DistributionMode::Broadcast => Redistribution::Broadcast,
            };
            let partitions = Partitions::new(ranges, redistribution)
                .map_err(|error| Refusal::found(ChangeKind::OffsetOrder, error))?;
            let before = states.insert(self.state_name(&state.name)?, partitions);
            self.changes.add_if(before.is_some(), ChangeKind::DuplicateState);
        }
        self.changes.add_if(
            !handle.states.is_sorted_by(|one, next| one.name.to_string_lossy() <= next.name.to_string_lossy()),
            ChangeKind::Order,
        );
        Ok(Some(OperatorState::new(states.into(), piece)))
    }
}
