//! Reading a metadata file, from its end.

use std::fmt;
use std::ops::Range;

use bytes::Bytes;

use super::assemble::{CheckedParts, Fragment, check_totals};
use super::checkpoint::Section;
use super::format::{HEADER_BYTES, TRAILER_BYTES, Trailer, check_digest};
use super::index::{self, OtherSections, PartPlace, SectionPlace};
use super::part::Parts;
use super::rules::StateRules;
use super::source::{fetch, section};
use super::{CheckpointMetadata, MetadataSource, MetadataSummary, OperatorSummary, WrittenMetadata};
use crate::error::{Error, ErrorKind, Result};
use crate::head::RetainedSnapshot;
use crate::state::Root;
use crate::wire::{Invalid, Subject, WireError};

/// A metadata file of which only trailer, index and summary were read and verified: a few kilobytes of a file of a
/// gigabyte.
///
/// Every section is verified before it is decoded. The parts may be read [one after another](Self::read_all), or by
/// several threads: each takes a [run](Self::runs) of them and [reads](Self::read_parts) it, and one
/// [puts them together](Self::assemble).
pub struct MetadataReader<S> {
    pub(super) source: S,
    written: WrittenMetadata,
    pub(super) summary: MetadataSummary,
    pub(super) encoded_summary: Section,
    pub(super) masters: Option<SectionPlace>,
    pub(super) sections: OtherSections,
    /// The claimed and borrowed roots whose place is given, ascending.
    roots: Vec<Root>,
}

impl<S: MetadataSource> MetadataReader<S> {
    /// Reads and verifies trailer, index and summary.
    ///
    /// # Errors
    ///
    /// `Corrupt`, naming the place; `Configuration` when a newer program wrote it; `Retry` when it could not be read.
    pub fn open(source: S) -> Result<Self> {
        let trailer = read_trailer(&source)?;
        let index = read_index(&source, &trailer)?;
        let single = index::check(&index, trailer.index_offset_bytes)?;
        let encoded_summary = section(&source, Subject::MetadataSummary, &single.summary)?;
        let summary = MetadataSummary::decode(&encoded_summary.bytes)?;
        let sections = single.others(&index, &summary)?;
        let (written, masters, roots) = (trailer.written, single.masters, summary.places.roots());
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

    pub(super) fn rules(&self, operator: &OperatorSummary<'_>) -> StateRules<'_> {
        let OperatorSummary { parallelism, max_parallelism, .. } = *operator;
        StateRules { properties: self.summary.properties, roots: &self.roots, parallelism, max_parallelism }
    }

    pub(super) fn no_such_parts(&self, found: &Range<usize>) -> Error {
        let expected = format!("each of {} once", self.sections.parts.len());
        let invalid = Invalid::value("a run of parts", format!("{found:?}"), expected);
        Error::new(ErrorKind::Configuration, invalid)
    }
}

impl MetadataSummary {
    /// The summary of a metadata file. Of the rest of the file trailer and index are read and verified, and not held, so this
    /// takes little memory whatever the file is.
    ///
    /// # Errors
    ///
    /// As those of [`MetadataReader::open`].
    pub fn read(source: impl MetadataSource) -> Result<Self> {
        let trailer = read_trailer(&source)?;
        let single = index::check(&read_index(&source, &trailer)?, trailer.index_offset_bytes)?;
        let summary = Self::decode(&section(&source, Subject::MetadataSummary, &single.summary)?.bytes)?;
        // Read once more, so that it is not held while the summary is decoded.
        index::check_others(&read_index(&source, &trailer)?, &summary, drop)?;
        Ok(summary)
    }
}

fn read_trailer(source: &dyn MetadataSource) -> Result<Trailer, WireError> {
    let length = source.length_bytes();
    let least = (HEADER_BYTES + TRAILER_BYTES) as u64;
    if length < least {
        return Err(WireError::CutShort { subject: Subject::Metadata, expected: least, found: length });
    }
    let at = length - TRAILER_BYTES as u64;
    let trailer = fetch(source, Subject::MetadataTrailer, at, TRAILER_BYTES as u64)?;
    Trailer::decode(&trailer, length)
}

fn read_index(source: &dyn MetadataSource, trailer: &Trailer) -> Result<Bytes, WireError> {
    let subject = Subject::MetadataIndex;
    let index = fetch(source, subject, trailer.index_offset_bytes, trailer.index_bytes)?;
    check_digest(subject, &index, trailer.written.index_digest)?;
    Ok(index)
}

impl<S> fmt::Debug for MetadataReader<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetadataReader")
            .field("written", &self.written)
            .field("parts", &self.sections.parts.len())
            .finish_non_exhaustive()
    }
}
