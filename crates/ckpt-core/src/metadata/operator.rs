//! One operator of a checkpoint, and the state of its subtasks.

use std::fmt;
use std::ops::{Deref, Range};

use super::checkpoint::Section;
use super::encoder::NewSection;
use super::part::{Entries, Entry};
use super::state_codec::{take_state, view_coordinator, visit_state};
use super::writer::FileWriter;
use super::{CheckpointMetadata, OperatorSummary, format};
use crate::error::Result;
use crate::state::{HandleView, SubtaskReport};
use crate::wire::v1::Visit;
use crate::wire::{Subject, WireError};

/// One operator of a checkpoint: what the summary says of it, and its state, which is decoded when it is asked for.
#[derive(Clone, Copy)]
pub struct OperatorMetadata<'a> {
    metadata: &'a CheckpointMetadata,
    summary: OperatorSummary<'a>,
    first_part: usize,
    end_part: usize,
}

/// Iterates over what a checkpoint says of the subtasks of an operator.
#[derive(Clone, Debug)]
pub struct Subtasks<'a> {
    operator: OperatorMetadata<'a>,
    entries: OperatorEntries<'a>,
}

/// The entries of all parts of an operator.
#[derive(Clone, Debug)]
struct OperatorEntries<'a> {
    operator: OperatorMetadata<'a>,
    left: Range<usize>,
    entries: Entries<'a>,
}

impl<'a> OperatorMetadata<'a> {
    pub(super) fn new(metadata: &'a CheckpointMetadata, index: usize, summary: OperatorSummary<'a>) -> Self {
        let part = |index: usize| metadata.first_parts.get(index).map_or(0, |part| *part as usize);
        Self { metadata, summary, first_part: part(index), end_part: part(index + 1) }
    }

    /// What is known of it without touching its state.
    pub const fn summary(&self) -> OperatorSummary<'a> {
        self.summary
    }

    /// What the checkpoint says of that subtask; `None` when it says nothing, since the subtask reported none.
    ///
    /// # Errors
    ///
    /// None in fact: all of it was checked when it was built or read. A flaw would be `Corrupt`.
    pub fn subtask(&self, subtask: u32) -> Result<Option<SubtaskReport>> {
        let subject = Subject::MetadataSubtask { operator: self.summary.id, subtask };
        match self.metadata.parts.find(self.first_part..self.end_part, subject, subtask)? {
            Some(entry) => Ok(Some(self.decode(entry)?.1)),
            None => Ok(None),
        }
    }

    /// What the checkpoint says of each subtask, ascending; one that reported none is left out.
    pub fn subtasks(&self) -> Subtasks<'a> {
        Subtasks { operator: *self, entries: self.entries() }
    }

    /// The state of its coordinator, if it had one.
    ///
    /// # Errors
    ///
    /// None in fact: all of it was checked when it was built or read. A flaw would be `Corrupt`.
    pub fn coordinator_state(&self) -> Result<Option<HandleView<'a>>> {
        let subject = Subject::MetadataCoordinator { operator: self.summary.id };
        Ok(self.coordinator().map(|section| view_coordinator(subject, &section.bytes)).transpose()?)
    }

    /// Tells `visit` of the state of its coordinator, if it had one, and of each subtask, without memory for it.
    pub(super) fn visit(&self, visit: &mut impl Visit) -> Result<(), WireError> {
        let subject = Subject::MetadataCoordinator { operator: self.summary.id };
        if let Some(section) = self.coordinator() {
            let handle = view_coordinator(subject, &section.bytes)?;
            visit.handle(&handle).map_err(|invalid| invalid.reading(subject))?;
        }
        for entry in self.entries() {
            let Entry { subtask, state } = entry?;
            if !state.is_empty() {
                visit_state(Subject::MetadataSubtask { operator: self.summary.id, subtask }, state, visit)?;
            }
        }
        Ok(())
    }

    fn coordinator(&self) -> Option<&'a Section> {
        let coordinators = &self.metadata.coordinators;
        let at = coordinators.binary_search_by_key(&self.summary.id, |(operator, _)| *operator).ok()?;
        coordinators.get(at).map(|(_, section)| section)
    }

    fn decode(&self, entry: Entry<'_>) -> Result<(u32, SubtaskReport), WireError> {
        let subtask = entry.subtask;
        if entry.state.is_empty() {
            return Ok((subtask, SubtaskReport::Finished));
        }
        let subject = Subject::MetadataSubtask { operator: self.summary.id, subtask };
        Ok((subtask, SubtaskReport::State(take_state(subject, entry.state)?)))
    }

    fn subject(&self, part: usize) -> Subject {
        Subject::MetadataPart { operator: self.summary.id, part: part as u32 }
    }

    fn entries(&self) -> OperatorEntries<'a> {
        let entries = Entries::new(self.subject(0), &[]);
        OperatorEntries { operator: *self, left: self.first_part..self.end_part, entries }
    }

    pub(super) fn has_same_entries(&self, other: &OperatorMetadata<'_>) -> bool {
        let (mut one, mut other) = (self.entries(), other.entries());
        loop {
            match (one.next(), other.next()) {
                (None, None) => return true,
                (Some(Ok(one)), Some(Ok(other))) if one == other => {}
                _ => return false,
            }
        }
    }

    pub(super) fn write_to(&self, file: &mut FileWriter<'_>) -> Result<(), WireError> {
        let operator = Some(self.summary.id);
        if let Some(state) = self.coordinator() {
            let subject = Subject::MetadataCoordinator { operator: self.summary.id };
            state.write_to(subject, format::COORDINATOR_STATE, operator, file)?;
        }
        for (part, stored) in (0..).zip(self.metadata.parts.get(self.first_part..self.end_part)) {
            let subject = Subject::MetadataPart { operator: self.summary.id, part };
            let section = NewSection { subject, tag: format::PART, operator, part, body: &stored.bytes };
            file.verified(section, stored.digest)?;
        }
        Ok(())
    }
}

impl<'a> Deref for OperatorMetadata<'a> {
    type Target = OperatorSummary<'a>;

    fn deref(&self) -> &OperatorSummary<'a> {
        &self.summary
    }
}

impl Iterator for Subtasks<'_> {
    type Item = Result<(u32, SubtaskReport)>;

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.entries.next()?;
        Some(entry.and_then(|entry| self.operator.decode(entry)).map_err(Into::into))
    }
}

impl<'a> Iterator for OperatorEntries<'a> {
    type Item = Result<Entry<'a>, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.entries.next() {
                return Some(entry);
            }
            let index = self.left.next()?;
            let [part] = self.operator.metadata.parts.get(index..index + 1) else { return None };
            self.entries = Entries::new(self.operator.subject(index - self.operator.first_part), &part.bytes);
        }
    }
}

impl fmt::Debug for OperatorMetadata<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperatorMetadata").field("summary", &self.summary).finish_non_exhaustive()
    }
}
