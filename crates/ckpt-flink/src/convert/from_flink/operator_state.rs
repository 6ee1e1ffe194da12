//! Operator state.

use std::collections::BTreeMap;

use ckpt_core::state::{OperatorState, Partitions, Redistribution};

use super::Conversion;
use crate::convert::change::{ChangeKind, Refusal};
use crate::convert::offsets::sections;
use crate::model::{DistributionMode, OperatorHandle};

impl Conversion {
    pub(super) fn operator_state(&mut self, handle: &OperatorHandle) -> Result<OperatorState, Refusal> {
        self.changes.add_if(handle.merging.is_some(), ChangeKind::MergingDirectories);
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
        Ok(OperatorState::new(states.into(), piece))
    }
}
