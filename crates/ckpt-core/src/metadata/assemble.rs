//! Putting together the parts of a file that were read, perhaps by several threads.

use std::collections::BTreeMap;
use std::ops::Range;

use bytes::Bytes;

use super::checkpoint::Section;
use super::encoder::check_master_name;
use super::format::{HEADER_BYTES, check_header};
use super::part::Parts;
use super::source::{fetch, section};
use super::state_codec::check_coordinator;
use super::{
    CheckpointDescription, CheckpointMetadata, MasterState, MetadataReader, MetadataSource, OperatorSummary,
    StateTotals,
};
use crate::error::Result;
use crate::id::OperatorId;
use crate::wire::{Blob, Invalid, Subject, WireError, read_all, v1};

/// A run of parts of a file that were read, verified and checked.
#[derive(Debug)]
pub struct CheckedParts {
    pub(super) range: Range<usize>,
    pub(super) parts: Parts,
    pub(super) self_contained: bool,
    /// By place of the operator: of those that the run holds not all parts of.
    pub(super) fragments: Vec<(u32, Fragment)>,
}

/// What was found in some consecutive parts of an operator.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fragment {
    pub(super) totals: StateTotals,
    pub(super) first: u32,
    pub(super) last: u32,
}

impl<S: MetadataSource> MetadataReader<S> {
    /// All of the file, of which all parts were read, in any order of runs.
    ///
    /// # Errors
    ///
    /// `Corrupt`, naming the place; `Retry` when the rest could not be read; `Configuration` when the runs are not each
    /// part of this file once.
    pub fn assemble(self, runs: impl IntoIterator<Item = CheckedParts>) -> Result<CheckpointMetadata> {
        let mut runs: Vec<CheckedParts> = runs.into_iter().collect();
        runs.sort_by_key(|run| run.range.start);
        let mut parts = Parts::default();
        let (mut self_contained, mut open) = (true, None);
        for run in runs {
            let places = self.sections.parts.get(run.range.clone()).unwrap_or_default();
            let of_this_file = run.parts.digests().eq(places.iter().map(|part| part.place.digest));
            if run.range.start != parts.len() || !of_this_file {
                return Err(self.no_such_parts(&run.range));
            }
            self_contained &= run.self_contained;
            for (operator, fragment) in run.fragments {
                open = Some(self.join(open, operator, fragment)?);
            }
            parts.append(run.parts);
        }
        if parts.len() != self.sections.parts.len() {
            return Err(self.no_such_parts(&(parts.len()..self.sections.parts.len())));
        }
        self.close(open)?;
        let (coordinators, coordinators_within) = self.read_coordinators()?;
        if (self_contained && coordinators_within) != self.summary.self_contained {
            let (found, expected) = (self.summary.self_contained, !self.summary.self_contained);
            let invalid = Invalid::value("whether it is self-contained", found, expected.to_string());
            return Err(invalid.reading(Subject::MetadataSummary).into());
        }
        let first_parts = self.first_parts()?;
        let header = fetch(&self.source, Subject::MetadataHeader, 0, HEADER_BYTES as u64)?;
        check_header(&header)?;
        let masters = self.masters.map(|place| section(&self.source, Subject::MetadataMasters, &place)).transpose()?;
        let master_states =
            masters.as_ref().map_or_else(|| Ok(BTreeMap::new()), |masters| read_masters(&masters.bytes))?;
        // What is not understood is not known to be whole otherwise.
        for place in &self.sections.skipped {
            section(&self.source, Subject::MetadataSkipped { offset_bytes: place.offset }, place)?;
        }
        parts.shrink();
        let Self { summary, encoded_summary, .. } = self;
        Ok(CheckpointMetadata { summary, encoded_summary, master_states, masters, coordinators, parts, first_parts })
    }

    /// Puts a fragment behind those of the same operator that came before.
    fn join(
        &self,
        before: Option<(u32, Fragment)>,
        operator: u32,
        fragment: Fragment,
    ) -> Result<(u32, Fragment), WireError> {
        match before {
            Some((last, before)) if last == operator => {
                let joined = before.then(fragment).map_err(|invalid| invalid.reading(Subject::Metadata))?;
                Ok((operator, joined))
            }
            other => {
                self.close(other)?;
                Ok((operator, fragment))
            }
        }
    }

    /// There are no more fragments of an operator.
    fn close(&self, last: Option<(u32, Fragment)>) -> Result<(), WireError> {
        let Some((operator, fragment)) = last else { return Ok(()) };
        match self.summary.table.get(operator as usize) {
            Some(operator) => check_totals(&operator, fragment.totals),
            None => Ok(()),
        }
    }

    /// The first part of each operator, then the end of all. Operators without parts must not say that they have state.
    fn first_parts(&self) -> Result<Vec<u32>, WireError> {
        let mut first_parts = Vec::with_capacity(self.summary.table.len() + 1);
        let mut parts = self.sections.parts.iter().peekable();
        let mut count = 0;
        for (index, operator) in (0..).zip(self.summary.operators()) {
            first_parts.push(count);
            let first = count;
            while parts.next_if(|part| part.operator == index).is_some() {
                count += 1;
            }
            if first == count {
                check_totals(&operator, StateTotals::default())?;
            }
        }
        first_parts.push(count);
        Ok(first_parts)
    }

    /// The states of coordinators, and whether nothing in them lies outside the snapshot's own directory.
    fn read_coordinators(&self) -> Result<(Vec<(OperatorId, Section)>, bool), WireError> {
        let mut read = Vec::with_capacity(self.sections.coordinators.len());
        let mut self_contained = true;
        let mut places = self.sections.coordinators.iter().peekable();
        for (index, operator) in (0..).zip(self.summary.operators()) {
            let subject = Subject::MetadataCoordinator { operator: operator.id };
            let place = places.next_if(|(of, _)| *of == index);
            let section = place.map(|(_, place)| section(&self.source, subject, place)).transpose()?;
            let mut found = StateTotals::default();
            if let Some(section) = section {
                let checked = check_coordinator(subject, &section.bytes, &self.rules(&operator))?;
                (found, self_contained) = (checked.totals, self_contained & checked.self_contained);
                read.push((operator.id, section));
            }
            let expected = operator.coordinator_totals();
            if found != expected {
                let invalid = Invalid::value("the state of a coordinator", found, expected.to_string());
                return Err(invalid.reading(subject));
            }
        }
        Ok((read, self_contained))
    }
}

impl Fragment {
    /// This one and that behind it.
    pub(super) fn then(self, next: Self) -> Result<Self, Invalid> {
        if self.last >= next.first {
            let found = format!("{} after {}", next.first, self.last);
            return Err(Invalid::value("a subtask", found, "subtasks that ascend"));
        }
        Ok(Self { totals: self.totals + next.totals, first: self.first, last: next.last })
    }
}

/// What the summary says of an operator is what follows from its parts.
pub(super) fn check_totals(operator: &OperatorSummary<'_>, of_parts: StateTotals) -> Result<(), WireError> {
    let found = of_parts + operator.coordinator_totals();
    if found == operator.totals {
        return Ok(());
    }
    let field = "what the summary says of an operator's state";
    let (said, expected) = (format!("{} of operator {}", operator.totals, operator.id), found.to_string());
    Err(Invalid::value(field, said, expected).reading(Subject::MetadataSummary))
}

fn read_masters(body: &Bytes) -> Result<BTreeMap<String, MasterState>, WireError> {
    read_all(Subject::MetadataMasters, body, |input| {
        let mut states = BTreeMap::<String, MasterState>::new();
        while !input.rest().is_empty() || states.is_empty() {
            let v1::MasterState { name, version, bytes: Blob(bytes) } = input.mirror()?;
            check_master_name(name)?;
            if let Some((last, _)) = states.last_key_value().filter(|(last, _)| last.as_str() >= name) {
                let found = format!("{name:?} after {last:?}");
                return Err(Invalid::value("the name of a master state", found, "names that ascend").into());
            }
            let most = CheckpointDescription::MAX_MASTER_STATES;
            if states.len() == most {
                return Err(Invalid::value("the number of master states", "more", format!("at most {most}")).into());
            }
            states.insert(name.to_owned(), MasterState::new(version, body.slice_ref(bytes)));
        }
        Ok(states)
    })
}
