//! An operator and its subtasks.

use std::collections::BTreeMap;

use ckpt_core::Result;
use ckpt_core::id::OperatorId;
use ckpt_core::key_group::{KeyGroupRange, MaxParallelism};
use ckpt_core::metadata::{MetadataBuilder, OperatorDescription as OurOperator};
use ckpt_core::state::{
    KeyedState, OperatorState as OurOperatorState, StateHandle, SubtaskState as OurSubtaskState, SubtaskStateParts,
};

use super::Conversion;
use crate::convert::change::{ChangeKind, Field, Refusal};
use crate::convert::offsets::KeyedWriter;
use crate::model::{
    KeyedHandle, OperatorDescription, OperatorHandle, OperatorState, OperatorSubtasks, Subtask, SubtaskState,
};

/// A subtask of which the key groups are known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner {
    pub(super) operator: OperatorId,
    pub(super) subtask: u32,
    pub(super) key_groups: KeyGroupRange,
}

impl Conversion {
    pub(super) fn operator(&mut self, operator: &OperatorState, builder: &mut MetadataBuilder) -> Result<()> {
        let OperatorState { description, subtasks } = operator;
        let id = description.id;
        self.changes.at(Some(id), None, Field::Operators);
        let Some((parallelism, max)) = parallelism(description) else {
            let found = format!("{} of {}", description.parallelism, description.max_parallelism);
            self.changes.refuse(Refusal::found(ChangeKind::Parallelism, found));
            return Ok(());
        };
        self.changes.add_if(description.chain_length.is_some(), ChangeKind::LegacyNumber);
        let mut ours = OurOperator::new(id, self.name(description), parallelism, max);
        ours.uid = self.uid(description);
        let subtasks = match subtasks {
            OperatorSubtasks::FullyFinished => None,
            OperatorSubtasks::Subtasks(subtasks) => self.subtasks(id, subtasks, parallelism),
        };
        if let Some(coordinator) = &description.coordinator {
            self.changes.at(Some(id), None, Field::Coordinator);
            if subtasks.is_some() {
                self.changes.add(ChangeKind::HandleName);
                ours.coordinator_state = Some(StateHandle::inline(coordinator.data.clone()));
            } else {
                self.changes.refuse(Refusal::new(ChangeKind::CoordinatorOfFinished));
            }
        }
        let Some(subtasks) = subtasks else { return builder.finished_operator(&ours) };
        let mut encoder = builder.operator(&ours)?;
        for (subtask, state) in subtasks {
            match state {
                None => encoder.finished_subtask(subtask)?,
                Some(state) => {
                    let owner = Owner { operator: id, subtask, key_groups: max.range_of(subtask, parallelism)? };
                    encoder.subtask(subtask, &self.state(owner, state))?;
                }
            }
        }
        Ok(())
    }

    /// The name, as far as there is room for it.
    fn name(&mut self, description: &OperatorDescription) -> String {
        self.changes.at(Some(description.id), None, Field::Name);
        let Some(name) = &description.name else { return String::new() };
        self.changes.add_text(name);
        let text = name.to_string_lossy();
        self.changes
            .add_if(name.as_str().is_none() || text.len() > OurOperator::MAX_NAME_BYTES, ChangeKind::OperatorName);
        text.into_owned()
    }

    fn uid(&mut self, description: &OperatorDescription) -> Option<String> {
        self.changes.at(Some(description.id), None, Field::Uid);
        let uid = description.uid.as_ref()?;
        self.changes.add_text(uid);
        let text = uid.as_str().filter(|text| (1..=OurOperator::MAX_NAME_BYTES).contains(&text.len()));
        if text.is_none() {
            self.changes.refuse(Refusal::found(ChangeKind::OperatorUid, uid));
        }
        text.map(Into::into)
    }

    /// What the file says of each subtask, ascending; `None` when all had finished.
    fn subtasks<'a>(
        &mut self,
        operator: OperatorId,
        subtasks: &'a [Subtask],
        parallelism: u32,
    ) -> Option<BTreeMap<u32, Option<&'a SubtaskState>>> {
        self.changes.at(Some(operator), None, Field::Subtasks);
        self.changes.add_if(!subtasks.is_sorted_by_key(|subtask| subtask.index), ChangeKind::Order);
        let mut found = BTreeMap::new();
        for Subtask { index, state } in subtasks {
            match u32::try_from(*index).ok().filter(|subtask| *subtask < parallelism) {
                None => self.changes.refuse_part(Refusal::found(ChangeKind::SubtaskOutOfRange, index)),
                Some(subtask) => {
                    let before = found.insert(subtask, state.as_deref());
                    self.changes.add_if(before.is_some(), ChangeKind::DuplicateSubtask);
                }
            }
        }
        let finished = found.values().filter(|state| state.is_none()).count();
        if finished as u64 == u64::from(parallelism) {
            self.changes.add(ChangeKind::AllFinished);
            return None;
        }
        Some(found)
    }

    fn state(&mut self, owner: Owner, state: &SubtaskState) -> OurSubtaskState {
        self.at(owner, Field::Subtasks);
        self.changes.add_if(state.legacy_duration.is_some(), ChangeKind::LegacyNumber);
        let mut parts = SubtaskStateParts::default();
        parts.operator = self.operator_slot(owner, Field::ManagedOperator, state.managed_operator.as_deref());
        parts.raw_operator = self.operator_slot(owner, Field::RawOperator, state.raw_operator.as_deref());
        parts.keyed = self.keyed_slot(owner, Field::ManagedKeyed, state.managed_keyed.as_deref());
        parts.raw_keyed = self.keyed_slot(owner, Field::RawKeyed, state.raw_keyed.as_deref());
        self.at(owner, Field::InputChannels);
        parts.input_channels = self.channels(&state.input_channels);
        self.at(owner, Field::ResultSubpartitions);
        parts.result_subpartitions = self.channels(&state.result_subpartitions);
        parts.into()
    }

    fn at(&mut self, owner: Owner, field: Field) {
        self.changes.at(Some(owner.operator), Some(owner.subtask), field);
    }

    fn operator_slot(&mut self, owner: Owner, field: Field, handle: Option<&OperatorHandle>) -> Vec<OurOperatorState> {
        self.at(owner, field);
        let Some(handle) = handle else { return Vec::new() };
        match self.operator_state(handle) {
            Ok(state) => state.into_iter().collect(),
            Err(refusal) => {
                self.changes.refuse(refusal);
                Vec::new()
            }
        }
    }

    fn keyed_slot(&mut self, owner: Owner, field: Field, handle: Option<&KeyedHandle>) -> Vec<KeyedState> {
        self.at(owner, field);
        let writer = if field == Field::RawKeyed { KeyedWriter::Operator } else { KeyedWriter::Backend };
        let Some(handle) = handle else { return Vec::new() };
        match self.keyed(owner, writer, handle) {
            Ok(states) => states,
            Err(refusal) => {
                self.changes.refuse(refusal);
                Vec::new()
            }
        }
    }
}

fn parallelism(description: &OperatorDescription) -> Option<(u32, MaxParallelism)> {
    let parallelism = u32::try_from(description.parallelism).ok()?;
    let max = MaxParallelism::new(u32::try_from(description.max_parallelism).ok()?).ok()?;
    (1..=u32::from(max.get())).contains(&parallelism).then_some((parallelism, max))
}
