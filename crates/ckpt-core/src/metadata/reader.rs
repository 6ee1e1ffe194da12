//! Reading a metadata file, from its end.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::checkpoint::Section;
use super::encoder::check_master_name;
use super::format::{HEADER_BYTES, MAX_SECTION_BYTES, TRAILER_BYTES, Trailer, check_digest, check_header};
use super::index::{self, OperatorSections, PartPlace, SectionPlace};
use super::part::Parts;
use super::rules::{StateRules, roots};
use super::state_codec::check_coordinator;
use super::{
    CheckpointDescription, CheckpointMetadata, MasterState, MetadataSummary, OperatorSummary, StateTotals,
    WrittenMetadata,
};
use crate::error::{Error, ErrorKind, Result};
use crate::head::RetainedSnapshot;
use crate::id::OperatorId;
use crate::state::Root;
use crate::wire::{Blob, Invalid, Subject, WireError, read_all, v1};

/// Where the bytes of a metadata file come from: a slice, or a file that can be read at any place.
pub trait MetadataSource {
    /// Length of the file.
    fn length_bytes(&self) -> u64;

    /// The bytes from `offset_bytes` on, exactly `length_bytes` of them. Asked for only within the file.
    ///
    /// # Errors
    ///
    /// `UnexpectedEof` when the file ends before.
    fn read_at(&self, offset_bytes: u64, length_bytes: usize) -> io::Result<Bytes>;
}

/// A metadata file of which only trailer, index and summary were read and verified: a few kilobytes of a file of a
/// gigabyte.
///
/// Every section is verified before it is decoded. The parts may be read [one after another](Self::read_all), or by
/// several threads: each takes a [run](Self::runs) of them and [reads](Self::read_parts) it, and one
/// [puts them together](Self::assemble).
pub struct MetadataReader<S> {
    source: S,
    written: WrittenMetadata,
    summary: MetadataSummary,
    encoded_summary: Section,
    masters: Option<SectionPlace>,
    sections: OperatorSections,
    /// The claimed and borrowed roots whose place is given, ascending.
    roots: Vec<Root>,
}

/// A run of parts of a file that were read, verified and checked.
#[derive(Debug)]
pub struct CheckedParts {
    range: Range<usize>,
    parts: Parts,
    self_contained: bool,
    /// By place of the operator: of those that the run holds not all parts of.
    fragments: Vec<(u32, Fragment)>,
}

/// What was found in some consecutive parts of an operator.
#[derive(Clone, Copy, Debug)]
struct Fragment {
    totals: StateTotals,
    first: u32,
    last: u32,
}

impl MetadataSource for Bytes {
    fn length_bytes(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, offset_bytes: u64, length_bytes: usize) -> io::Result<Bytes> {
        let first = usize::try_from(offset_bytes).ok();
        let range = first.and_then(|first| Some(first..first.checked_add(length_bytes)?));
        let range = range.filter(|range| range.end <= self.len());
        range.map(|range| self.slice(range)).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

impl<S: MetadataSource + ?Sized> MetadataSource for &S {
    fn length_bytes(&self) -> u64 {
        (**self).length_bytes()
    }

    fn read_at(&self, offset_bytes: u64, length_bytes: usize) -> io::Result<Bytes> {
        (**self).read_at(offset_bytes, length_bytes)
    }
}

impl<S: MetadataSource + ?Sized> MetadataSource for Arc<S> {
    fn length_bytes(&self) -> u64 {
        (**self).length_bytes()
    }

    fn read_at(&self, offset_bytes: u64, length_bytes: usize) -> io::Result<Bytes> {
        (**self).read_at(offset_bytes, length_bytes)
    }
}

impl<S: MetadataSource> MetadataReader<S> {
    /// Reads and verifies trailer, index and summary.
    ///
    /// # Errors
    ///
    /// `Corrupt`, naming the place; `Configuration` when a newer program wrote it; `Retry` when it could not be read.
    pub fn open(source: S) -> Result<Self> {
        let length = source.length_bytes();
        let least = (HEADER_BYTES + TRAILER_BYTES) as u64;
        if length < least {
            return Err(WireError::CutShort { subject: Subject::Metadata, expected: least, found: length }.into());
        }
        let at = length - TRAILER_BYTES as u64;
        let trailer = fetch(&source, Subject::MetadataTrailer, at, TRAILER_BYTES as u64)?;
        let trailer = Trailer::decode(&trailer, length)?;
        let subject = Subject::MetadataIndex;
        let index = fetch(&source, subject, trailer.index_offset_bytes, trailer.index_bytes)?;
        check_digest(subject, &index, trailer.written.index_digest)?;
        let single = index::check(&index, trailer.index_offset_bytes)?;
        let encoded_summary = section(&source, Subject::MetadataSummary, &single.summary)?;
        let summary = MetadataSummary::decode(&encoded_summary.bytes)?;
        let sections = single.of_operators(&index, &summary)?;
        let (written, masters, roots) = (trailer.written, single.masters, roots(&summary.places));
        let reader = Self { source, written, summary, encoded_summary, masters, sections, roots };
        Ok(reader)
    }

    /// What HEAD remembers of such a file.
    pub const fn written(&self) -> WrittenMetadata {
        self.written
    }

    /// The checkpoint as a whole.
    pub const fn summary(&self) -> &MetadataSummary {
        &self.summary
    }

    /// The checkpoint as a whole; the rest of the file is not asked for.
    pub fn into_summary(self) -> MetadataSummary {
        self.summary
    }

    /// Whether it is the file that HEAD names: the same length and index, the same checkpoint.
    ///
    /// # Errors
    ///
    /// `Corrupt`, with what was expected and what was found.
    pub fn verify(&self, retained: &RetainedSnapshot) -> Result<()> {
        let (expected, found) = (retained.metadata_bytes, self.written.length_bytes);
        if found != expected {
            return Err(WireError::Length { subject: Subject::Metadata, expected, found }.into());
        }
        let (expected, found) = (retained.index_digest, self.written.index_digest);
        if found != expected {
            return Err(WireError::Digest { subject: Subject::MetadataIndex, expected, found }.into());
        }
        let (identity, kind) = (self.summary.identity, self.summary.kind());
        if (identity.id, identity.epoch, kind) != (retained.id, retained.epoch, retained.kind) {
            let expected = format!("{} {} of epoch {}", retained.kind, retained.id, retained.epoch);
            let found = format!("{kind} {} of epoch {}", identity.id, identity.epoch);
            return Err(Invalid::value("the identity", found, expected).reading(Subject::MetadataSummary).into());
        }
        Ok(())
    }

    /// All of the file.
    ///
    /// # Errors
    ///
    /// `Corrupt`, naming the place; `Retry` when it could not be read.
    pub fn read_all(self) -> Result<CheckpointMetadata> {
        let parts = self.read_parts(0..self.sections.parts.len())?;
        self.assemble([parts])
    }

    /// The parts of the file in at most so many runs, which have about as many bytes each. Together they are all parts.
    pub fn runs(&self, count: usize) -> Vec<Range<usize>> {
        let parts = &self.sections.parts;
        let total: u64 = parts.iter().map(|part| u64::from(part.place.length)).sum();
        let most = total.div_ceil(count.max(1) as u64);
        let (mut runs, mut first, mut bytes) = (Vec::new(), 0, 0);
        for (index, part) in parts.iter().enumerate() {
            bytes += u64::from(part.place.length);
            if bytes >= most {
                runs.push(first..index + 1);
                (first, bytes) = (index + 1, 0);
            }
        }
        if first < parts.len() {
            runs.push(first..parts.len());
        }
        runs
    }

    /// Reads, verifies and checks a run of parts. Any number of threads may do so at once.
    ///
    /// # Errors
    ///
    /// `Corrupt`, naming the place; `Retry` when it could not be read; `Configuration` when there are no such parts.
    pub fn read_parts(&self, range: Range<usize>) -> Result<CheckedParts> {
        let Some(places) = self.sections.parts.get(range.clone()) else {
            return Err(self.no_such_parts(&range));
        };
        let mut checked = CheckedParts {
            range: range.clone(),
            parts: Parts::with_capacity(places.len()),
            self_contained: true,
            fragments: Vec::new(),
        };
        let end = self.sections.parts.get(range.end).map(|next| next.operator);
        for of_operator in places.chunk_by(|one, next| one.operator == next.operator) {
            let Some(PartPlace { operator: index, number, .. }) = of_operator.first() else { continue };
            let Some(operator) = self.summary.table.get(*index as usize) else { continue };
            let fragment = self.read_fragment(&operator, of_operator, &mut checked)?;
            if *number == 0 && end != Some(*index) {
                check_totals(&operator, fragment.totals)?;
            } else {
                checked.fragments.push((*index, fragment));
            }
        }
        Ok(checked)
    }

    fn read_fragment(
        &self,
        operator: &OperatorSummary<'_>,
        places: &[PartPlace],
        checked: &mut CheckedParts,
    ) -> Result<Fragment, WireError> {
        let mut sum: Option<Fragment> = None;
        for PartPlace { number, place, .. } in places {
            let subject = Subject::MetadataPart { operator: operator.id, part: *number };
            let Section { bytes, digest } = section(&self.source, subject, place)?;
            let found = checked.parts.check(subject, bytes, digest, operator, &self.rules(operator))?;
            checked.self_contained &= found.self_contained;
            let found = Fragment { totals: found.totals, first: found.first, last: found.last };
            sum = Some(match sum {
                Some(before) => before.then(found).map_err(|invalid| invalid.reading(subject))?,
                None => found,
            });
        }
        let subject = Subject::MetadataIndex;
        sum.ok_or_else(|| Invalid::value("the parts of an operator", "none", "at least one").reading(subject))
    }

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
            if run.range.start != parts.len() || run.range.len() != run.parts.len() {
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
                let invalid =
                    Invalid::value("the state of a coordinator", format!("{found:?}"), format!("{expected:?}"));
                return Err(invalid.reading(subject));
            }
        }
        Ok((read, self_contained))
    }

    fn rules(&self, operator: &OperatorSummary<'_>) -> StateRules<'_> {
        let OperatorSummary { parallelism, max_parallelism, .. } = *operator;
        StateRules { properties: self.summary.properties, roots: &self.roots, parallelism, max_parallelism }
    }

    fn no_such_parts(&self, found: &Range<usize>) -> Error {
        let expected = format!("each of {} once", self.sections.parts.len());
        let invalid = Invalid::value("a run of parts", format!("{found:?}"), expected);
        Error::new(ErrorKind::Configuration, invalid)
    }
}

impl Fragment {
    /// This one and that behind it.
    fn then(self, next: Self) -> Result<Self, Invalid> {
        if self.last >= next.first {
            let found = format!("{} after {}", next.first, self.last);
            return Err(Invalid::value("a subtask", found, "subtasks that ascend"));
        }
        Ok(Self { totals: self.totals + next.totals, first: self.first, last: next.last })
    }
}

impl<S> fmt::Debug for MetadataReader<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetadataReader")
            .field("written", &self.written)
            .field("parts", &self.sections.parts.len())
            .finish_non_exhaustive()
    }
}

/// What the summary says of an operator is what follows from its parts.
fn check_totals(operator: &OperatorSummary<'_>, of_parts: StateTotals) -> Result<(), WireError> {
    let found = of_parts + operator.coordinator_totals();
    if found == operator.totals {
        return Ok(());
    }
    let field = "what the summary says of an operator's state";
    let (said, expected) = (format!("{:?} of operator {}", operator.totals, operator.id), format!("{found:?}"));
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

/// A section, verified.
fn section(source: &dyn MetadataSource, subject: Subject, place: &SectionPlace) -> Result<Section, WireError> {
    let (bytes, digest) = (fetch(source, subject, place.offset, u64::from(place.length))?, place.digest);
    check_digest(subject, &bytes, digest)?;
    Ok(Section { bytes, digest })
}

/// Bytes of the file. Their place was checked to lie within it; but a file may be sparse, so its length bounds nothing.
fn fetch(source: &dyn MetadataSource, subject: Subject, offset: u64, length: u64) -> Result<Bytes, WireError> {
    let Some(wanted) = usize::try_from(length).ok().filter(|_| length <= MAX_SECTION_BYTES) else {
        let expected = format!("at most {MAX_SECTION_BYTES} bytes");
        return Err(Invalid::value("the length of a section", length, expected).reading(subject));
    };
    let bytes = source.read_at(offset, wanted).map_err(|source| WireError::Read { subject, source })?;
    match bytes.len() as u64 {
        found if found == length => Ok(bytes),
        found => Err(WireError::Length { subject, expected: length, found }),
    }
}
