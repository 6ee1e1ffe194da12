//! From state to sections.

use super::part::put_entry;
use super::rules::{Found, MAX_HANDLES, StateRules, check_finished, check_subtask};
use super::state_codec::{put_coordinator, put_state};
use super::summary::{check_descriptor, check_operator};
use super::table::OperatorTable;
use super::{
    CheckpointDescription, MasterState, MetadataSummary, OperatorDescription, OperatorStatus, OperatorSummary,
    StateDescriptors, StateTotals, format,
};
use crate::descriptor::StateDescriptor;
use crate::error::Result;
use crate::id::OperatorId;
use crate::state::{Root, StateHandle, SubtaskState};
use crate::time::Timestamp;
use crate::wire::{Blob, Invalid, Subject, WireError, put_mirror, v1};

/// Where sections go.
pub(super) trait Output {
    fn section(&mut self, section: NewSection<'_>) -> Result<(), WireError>;
}

/// A section that is complete.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewSection<'a> {
    pub(super) subject: Subject,
    pub(super) tag: u32,
    pub(super) operator: Option<OperatorId>,
    pub(super) part: u32,
    pub(super) body: &'a [u8],
}

/// What becomes the sections of one checkpoint, in the order in which they are stored. Beside what was given to the output
/// it holds one part and what the summary says.
#[derive(Debug)]
pub(super) struct Encoder {
    description: CheckpointDescription,
    roots: Vec<Root>,
    table: OperatorTable,
    inline_bytes: u64,
    handles: u64,
    self_contained: bool,
    /// The part of the last operator that is not complete, and which it is.
    part: Vec<u8>,
    part_number: u32,
    last_subtask: Option<u32>,
    /// Something is being added, or that failed: what was given to the output is not whole.
    is_broken: bool,
}

/// Takes the state of one operator, subtask by subtask.
pub struct OperatorEncoder<'a> {
    encoder: &'a mut Encoder,
    output: &'a mut (dyn Output + 'a),
    operator: OperatorId,
    rules: StateRules<'a>,
}

impl Encoder {
    pub(super) fn new(description: CheckpointDescription, output: &mut dyn Output) -> Result<Self, WireError> {
        let subject = Subject::MetadataMasters;
        let mut inline_bytes = 0_u64;
        let mut body = Vec::new();
        check_masters(&description).map_err(|invalid| invalid.writing(subject))?;
        for (name, MasterState { version, bytes }) in &description.master_states {
            inline_bytes = inline_bytes.saturating_add(bytes.len() as u64);
            put_mirror(&mut body, subject, &v1::MasterState { name, version: *version, bytes: Blob(bytes) })?;
        }
        check_inline(inline_bytes, &description).map_err(|invalid| invalid.writing(subject))?;
        if !body.is_empty() {
            let tag = format::MASTER_STATES;
            output.section(NewSection { subject, tag, operator: None, part: 0, body: &body })?;
        }
        Ok(Self {
            roots: description.places.roots(),
            description,
            table: OperatorTable::new(),
            inline_bytes,
            handles: 0,
            self_contained: true,
            part: Vec::new(),
            part_number: 0,
            last_subtask: None,
            is_broken: false,
        })
    }

    pub(super) fn operator<'a>(
        &'a mut self,
        description: &OperatorDescription,
        status: OperatorStatus,
        output: &'a mut (dyn Output + 'a),
    ) -> Result<OperatorEncoder<'a>, WireError> {
        self.begin(Subject::MetadataSummary)?;
        self.end_operator(output)?;
        let writing = |invalid: Invalid| invalid.writing(Subject::MetadataSummary);
        let mut descriptors: Vec<&StateDescriptor> = description.descriptors.iter().collect();
        descriptors.sort_unstable_by_key(|descriptor| descriptor.name());
        let (mut encoded, mut last) = (Vec::new(), None);
        for &descriptor in &descriptors {
            check_descriptor(last.replace(descriptor), descriptor).map_err(writing)?;
            put_mirror(&mut encoded, Subject::MetadataSummary, &v1::Descriptor::of(descriptor))?;
        }
        let descriptors = StateDescriptors { count: descriptors.len() as u32, encoded: &encoded };
        let summary = OperatorSummary::of(description, status, descriptors);
        check_operator(self.table.iter().next_back().map(|last| last.id), &summary).map_err(writing)?;
        if self.table.len() == MetadataSummary::MAX_OPERATORS {
            let found = format!("more than {}", MetadataSummary::MAX_OPERATORS);
            return Err(writing(Invalid::value("the number of operators", found, "no more")));
        }
        self.table.push(&summary);
        let operator = description.id;
        let OperatorDescription { parallelism, max_parallelism, .. } = *description;
        let rules = StateRules { properties: self.description.properties, roots: &[], parallelism, max_parallelism };
        let mut encoder = OperatorEncoder { encoder: self, output, operator, rules };
        if let Some(state) = &description.coordinator_state {
            encoder.coordinator(state)?;
        }
        encoder.encoder.is_broken = false;
        Ok(encoder)
    }

    /// Begins to add something. Nobody may take for whole what goes on after an error.
    fn begin(&mut self, subject: Subject) -> Result<(), WireError> {
        match std::mem::replace(&mut self.is_broken, true) {
            false => Ok(()),
            true => {
                Err(Invalid::value("what was given before", "broken off by an error", "whole metadata")
                    .writing(subject))
            }
        }
    }

    /// The last operator has no more subtasks.
    fn end_operator(&mut self, output: &mut dyn Output) -> Result<(), WireError> {
        let Some(last) = self.table.iter().next_back() else { return Ok(()) };
        check_finished(&last).map_err(|invalid| invalid.writing(Subject::MetadataSummary))?;
        let id = last.id;
        self.end_part(id, self.part.len(), output)?;
        (self.part_number, self.last_subtask) = (0, None);
        Ok(())
    }

    /// So many bytes are a part, if there are any.
    fn end_part(
        &mut self,
        operator: OperatorId,
        length_bytes: usize,
        output: &mut dyn Output,
    ) -> Result<(), WireError> {
        if length_bytes > 0 {
            let (part, body) = (self.part_number, &self.part[..length_bytes]);
            let subject = Subject::MetadataPart { operator, part };
            output.section(NewSection { subject, tag: format::PART, operator: Some(operator), part, body })?;
            self.part.drain(..length_bytes);
            self.part_number += 1;
        }
        Ok(())
    }

    /// What was found in state that belongs to the last operator.
    fn add(&mut self, subject: Subject, found: Found) -> Result<(), WireError> {
        self.self_contained &= found.self_contained;
        self.inline_bytes = self.inline_bytes.saturating_add(found.totals.size.inline_bytes);
        self.handles += found.totals.handles;
        self.table.add_to_last(found.totals);
        check_inline(self.inline_bytes, &self.description).map_err(|invalid| invalid.writing(subject))?;
        if self.handles > MAX_HANDLES {
            let expected = format!("at most {MAX_HANDLES}");
            return Err(Invalid::value("the number of handles", self.handles, expected).writing(subject));
        }
        Ok(())
    }

    /// There are no more operators; the summary, and its encoding.
    pub(super) fn finish(
        mut self,
        completed_at: Timestamp,
        output: &mut dyn Output,
    ) -> Result<(MetadataSummary, Vec<u8>, CheckpointDescription), WireError> {
        self.begin(Subject::MetadataSummary)?;
        self.end_operator(output)?;
        let totals = self.table.iter().fold(StateTotals::default(), |sum, operator| sum + operator.totals);
        let CheckpointDescription { job, identity, properties, graph_digest, .. } = self.description;
        let mut summary =
            MetadataSummary::new(job, identity, properties, completed_at, self.self_contained, graph_digest, totals);
        summary.places = self.description.places.clone();
        summary.table = self.table;
        let body = summary.encode()?;
        Ok((summary, body, self.description))
    }
}

impl OperatorEncoder<'_> {
    /// Takes the state of a subtask. They ascend; one that reported none is left out, and one whose state is given counts as
    /// one that reported, be it empty.
    ///
    /// # Errors
    ///
    /// `AbortCheckpoint` when something in it could not be read again or breaks a rule, and when the output fails. The
    /// metadata is of no use then: nothing more is taken, and it cannot be finished.
    pub fn subtask(&mut self, subtask: u32, state: &SubtaskState) -> Result<()> {
        let subject = Subject::MetadataSubtask { operator: self.operator, subtask };
        self.entry(subtask, |rules, part| put_state(subject, state, (rules, subtask), part))
    }

    /// Notes that a subtask had finished before the checkpoint.
    ///
    /// # Errors
    ///
    /// As those of [`subtask`](Self::subtask).
    pub fn finished_subtask(&mut self, subtask: u32) -> Result<()> {
        self.entry(subtask, |_, _| Ok(Found::finished()))
    }

    fn entry(
        &mut self,
        subtask: u32,
        put: impl FnOnce(&StateRules<'_>, &mut Vec<u8>) -> Result<Found, WireError>,
    ) -> Result<()> {
        let subject = Subject::MetadataSubtask { operator: self.operator, subtask };
        let encoder = &mut *self.encoder;
        encoder.begin(subject)?;
        check_subtask(encoder.last_subtask, subtask, self.rules.parallelism)
            .map_err(|invalid| invalid.writing(subject))?;
        encoder.last_subtask = Some(subtask);
        let before = encoder.part.len();
        let rules = StateRules { roots: &encoder.roots, ..self.rules };
        let found = put_entry(&mut encoder.part, subtask, |part| put(&rules, part))?;
        if encoder.part.len() > format::MAX_PART_BYTES {
            // This one begins the next part.
            encoder.end_part(self.operator, before, self.output)?;
        }
        encoder.add(subject, found)?;
        encoder.is_broken = false;
        Ok(())
    }

    fn coordinator(&mut self, state: &StateHandle) -> Result<(), WireError> {
        let operator = self.operator;
        let subject = Subject::MetadataCoordinator { operator };
        let rules = StateRules { roots: &self.encoder.roots, ..self.rules };
        let mut body = Vec::new();
        let found = put_coordinator(subject, state, &rules, &mut body)?;
        self.encoder.add(subject, found)?;
        let (tag, operator) = (format::COORDINATOR_STATE, Some(operator));
        self.output.section(NewSection { subject, tag, operator, part: 0, body: &body })
    }
}

impl std::fmt::Debug for OperatorEncoder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OperatorEncoder").field("operator", &self.operator).finish_non_exhaustive()
    }
}

fn check_inline(found: u64, description: &CheckpointDescription) -> Result<(), Invalid> {
    let limit = description.inline_limit_bytes;
    if found <= limit {
        return Ok(());
    }
    Err(Invalid::value("the sum of all inline bytes up to here", found, format!("at most {limit}")))
}

fn check_masters(description: &CheckpointDescription) -> Result<(), Invalid> {
    let (found, most) = (description.master_states.len(), CheckpointDescription::MAX_MASTER_STATES);
    if found > most {
        return Err(Invalid::value("the number of master states", found, format!("at most {most}")));
    }
    description.master_states.keys().try_for_each(|name| check_master_name(name))
}

/// Participants have names that say something.
pub(super) fn check_master_name(name: &str) -> Result<(), Invalid> {
    let most = OperatorDescription::MAX_NAME_BYTES;
    if name.trim().is_empty() || name.len() > most || name.contains(char::is_control) {
        let (found, expected) = (format!("{name:?}"), format!("1 to {most} bytes, not blank, no control characters"));
        return Err(Invalid::value("the name of a master state", found, expected));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{CheckpointId, JobId, LeaderEpoch};
    use crate::key_group::MaxParallelism;
    use crate::snapshot::{CheckpointIdentity, CheckpointProperties, RetentionPolicy};
    use crate::state::OperatorState;

    struct Nowhere;

    impl Output for Nowhere {
        fn section(&mut self, _: NewSection<'_>) -> Result<(), WireError> {
            Ok(())
        }
    }

    #[test]
    fn more_handles_than_there_may_be_are_not_written() {
        let identity =
            CheckpointIdentity::new(CheckpointId::FIRST, LeaderEpoch::new(1), Timestamp::from_millis(0), None);
        let properties = CheckpointProperties::checkpoint(RetentionPolicy::RetainOnFailure);
        let description = CheckpointDescription::new(JobId::new([1; 16]), identity, properties);
        let handle = || StateHandle::inline(bytes::Bytes::new());
        let two =
            vec![OperatorState::new(Default::default(), handle()), OperatorState::new(Default::default(), handle())];
        let two = SubtaskState::new(Vec::new(), two);
        for (before, expected) in [(MAX_HANDLES - 2, None), (MAX_HANDLES - 1, Some(MAX_HANDLES + 1))] {
            let mut encoder = Encoder::new(description.clone(), &mut Nowhere).unwrap();
            encoder.handles = before;
            let operator = OperatorDescription::new(OperatorId::new([1; 16]), "", 1, MaxParallelism::new(1).unwrap());
            let mut nowhere = Nowhere;
            let mut operator = encoder.operator(&operator, OperatorStatus::Running, &mut nowhere).unwrap();
            let refused = operator.subtask(0, &two).err().map(|error| error.to_string());
            let expected = expected.map(|found| format!("the number of handles is {found}, expected at most 10000000"));
            assert_eq!(refused.is_some(), expected.is_some());
            let (refused, expected) = (refused.unwrap_or_default(), expected.unwrap_or_default());
            assert!(refused.contains(&expected), "{refused}");
        }
    }
}
