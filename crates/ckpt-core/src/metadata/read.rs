//! Reading a metadata file, from its end.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;

use super::check::check;
use super::format::{
    HEADER_BYTES, MAX_SECTION_BYTES, PART, SUMMARY, TRAILER_BYTES, Trailer, check_digest, check_header,
};
use super::{CheckpointMetadata, MetadataSummary, OperatorMetadata, WrittenMetadata};
use crate::error::Result;
use crate::head::RetainedSnapshot;
use crate::id::OperatorId;
use crate::state::SubtaskState;
use crate::wire::{Invalid, List, Subject, WireError, decode, read_all, v1};

/// Where the bytes of a metadata file come from: a slice, or a file that can be read at any place.
pub trait MetadataSource {
    /// Length of the file.
    fn length_bytes(&self) -> u64;

    /// The bytes from `offset_bytes` on, exactly `length_bytes` of them. Asked for only within the file.
    ///
    /// # Errors
    ///
    /// `UnexpectedEof` when the file ends before.
    fn read_at(&self, offset_bytes: u64, length_bytes: usize) -> io::Result<Cow<'_, [u8]>>;
}

/// A metadata file of which only header, trailer and index were read and verified.
///
/// Each section is verified before it is decoded; reading the [summary](Self::summary) of a file of a gigabyte touches
/// a few kilobytes.
pub struct MetadataReader<'a> {
    source: &'a dyn MetadataSource,
    written: WrittenMetadata,
    summary: v1::IndexEntry,
    /// In the order of operators and of their parts.
    parts: Vec<(OperatorId, v1::IndexEntry)>,
}

impl MetadataSource for &[u8] {
    fn length_bytes(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, offset_bytes: u64, length_bytes: usize) -> io::Result<Cow<'_, [u8]>> {
        let first = usize::try_from(offset_bytes).ok();
        let range = first.and_then(|first| Some(first..first.checked_add(length_bytes)?));
        let bytes = range.and_then(|range| self.get(range));
        bytes.map(Cow::Borrowed).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

impl CheckpointMetadata {
    /// Decodes a whole file, every byte of which is verified.
    ///
    /// # Errors
    ///
    /// `Corrupt`, naming the place; `Configuration` when a newer program wrote it.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        MetadataReader::open(&bytes)?.read_all()
    }
}

impl<'a> MetadataReader<'a> {
    /// Reads and verifies header, trailer and index.
    ///
    /// # Errors
    ///
    /// `Corrupt`, naming the place; `Configuration` when a newer program wrote it; `Retry` when it could not be read.
    pub fn open(source: &'a dyn MetadataSource) -> Result<Self> {
        let length = source.length_bytes();
        let least = (HEADER_BYTES + TRAILER_BYTES) as u64;
        if length < least {
            return Err(WireError::CutShort { subject: Subject::Metadata, expected: least, found: length }.into());
        }
        check_header(&fetch(source, Subject::MetadataHeader, 0, HEADER_BYTES as u64)?)?;
        let at = length - TRAILER_BYTES as u64;
        let trailer = fetch(source, Subject::MetadataTrailer, at, TRAILER_BYTES as u64)?;
        let trailer = Trailer::decode(&trailer, length)?;
        let subject = Subject::MetadataIndex;
        let index = fetch(source, subject, trailer.index_offset_bytes, trailer.index_bytes)?;
        check_digest(subject, &index, trailer.written.index_digest)?;
        let List(index) = decode::<List<v1::IndexEntry>>(subject, &index)?;
        let (summary, parts) = sort(index, trailer.index_offset_bytes)?;
        Ok(Self { source, written: trailer.written, summary, parts })
    }

    /// What HEAD remembers of such a file.
    pub const fn written(&self) -> WrittenMetadata {
        self.written
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
        let summary = self.summary()?;
        let (id, epoch) = (summary.identity.id, summary.identity.epoch);
        if (id, epoch, summary.kind) != (retained.id, retained.epoch, retained.kind) {
            let expected = format!("{} {} of epoch {}", retained.kind, retained.id, retained.epoch);
            let found = format!("{} {id} of epoch {epoch}", summary.kind);
            return Err(Invalid::value("the identity", found, expected).reading(Subject::MetadataSummary).into());
        }
        Ok(())
    }

    /// The checkpoint as a whole.
    ///
    /// # Errors
    ///
    /// `Corrupt`, naming the place; `Retry` when it could not be read.
    pub fn summary(&self) -> Result<MetadataSummary> {
        Ok(self.summary_and_operators()?.0)
    }

    /// Everything, each section verified before it is decoded, and all of it checked together.
    ///
    /// # Errors
    ///
    /// `Corrupt`, naming the place; `Retry` when it could not be read.
    pub fn read_all(&self) -> Result<CheckpointMetadata> {
        let (summary, mut operators) = self.summary_and_operators()?;
        for (id, entry) in &self.parts {
            let subject = Subject::MetadataPart { operator: *id, part: entry.part };
            let Some(operator) = operators.get_mut(id) else {
                return Err(Invalid::value("an operator", id, "one that the summary lists").reading(subject).into());
            };
            let bytes = self.section(subject, entry)?;
            read_all(subject, &bytes, |input| {
                // A number, and the counts of six empty lists.
                const LEAST_BYTES: usize = 1 + 6;
                for _ in 0..input.count(LEAST_BYTES)? {
                    let subtask = input.u32()?;
                    enter(operator, subtask, v1::take_state(input)?)?;
                }
                Ok(())
            })?;
        }
        let metadata = CheckpointMetadata { summary, operators };
        check(&metadata).map_err(|invalid| invalid.reading(Subject::Metadata))?;
        Ok(metadata)
    }

    fn summary_and_operators(&self) -> Result<(MetadataSummary, BTreeMap<OperatorId, OperatorMetadata>)> {
        let subject = Subject::MetadataSummary;
        let bytes = self.section(subject, &self.summary)?;
        let decoded: v1::Summary<'_> = decode(subject, &bytes)?;
        Ok(decoded.into_domain().map_err(|invalid| invalid.reading(subject))?)
    }

    fn section(&self, subject: Subject, entry: &v1::IndexEntry) -> Result<Cow<'a, [u8]>, WireError> {
        let bytes = fetch(self.source, subject, entry.offset, entry.length)?;
        let expected = entry.digest().map_err(|invalid| invalid.reading(subject))?;
        check_digest(subject, &bytes, expected)?;
        Ok(bytes)
    }
}

impl std::fmt::Debug for MetadataReader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MetadataReader")
            .field("written", &self.written)
            .field("parts", &self.parts.len())
            .finish_non_exhaustive()
    }
}

/// The summary and the parts that an index lists, which together fill the file up to the index without a gap.
fn sort(
    index: Vec<v1::IndexEntry>,
    index_offset: u64,
) -> Result<(v1::IndexEntry, Vec<(OperatorId, v1::IndexEntry)>), WireError> {
    let subject = Subject::MetadataIndex;
    let refuse = |field, found: String, expected: &str| Err(Invalid::value(field, found, expected).reading(subject));
    let (mut end, mut summary, mut parts) = (HEADER_BYTES as u64, None, Vec::<(OperatorId, v1::IndexEntry)>::new());
    for entry in index {
        if entry.offset != end {
            return refuse(
                "the offset of a section",
                entry.offset.to_string(),
                &format!("{end}, the end of the one before"),
            );
        }
        let Some(next) = end.checked_add(entry.length).filter(|next| *next <= index_offset) else {
            return refuse(
                "the length of a section",
                entry.length.to_string(),
                &format!("at most {}", index_offset - end),
            );
        };
        end = next;
        match (entry.tag, entry.operator) {
            (SUMMARY, None) if summary.is_none() => summary = Some(entry),
            (SUMMARY, _) => return refuse("the summary", "another one, or one of an operator".to_owned(), "one"),
            (PART, Some(operator)) => {
                let operator = OperatorId::new(operator);
                let expected = match parts.last() {
                    Some((last, before)) if *last == operator => before.part.checked_add(1),
                    Some((last, _)) if *last > operator => None,
                    _ => Some(0),
                };
                if Some(entry.part) != expected {
                    let found = format!("part {} of operator {operator}", entry.part);
                    return refuse("a section", found, "operators that ascend, and parts from 0 on without a gap");
                }
                parts.push((operator, entry));
            }
            (PART, None) => return refuse("a part", "one of no operator".to_owned(), "one of an operator"),
            (tag, _) if entry.critical => return Err(WireError::UnknownSection { subject, tag, offset: entry.offset }),
            _ => {}
        }
    }
    if end != index_offset {
        return refuse("the end of the sections", end.to_string(), &format!("{index_offset}, where the index begins"));
    }
    let Some(summary) = summary else { return refuse("the summary", "absent".to_owned(), "one") };
    Ok((summary, parts))
}

fn enter(operator: &mut OperatorMetadata, subtask: u32, state: SubtaskState) -> Result<(), Invalid> {
    if let Some((last, _)) = operator.subtasks.last_key_value().filter(|(last, _)| **last >= subtask) {
        return Err(Invalid::value("a subtask", format!("{subtask} after {last}"), "subtasks that ascend"));
    }
    operator.subtasks.insert(subtask, state);
    Ok(())
}

/// Bytes of the file. Their place was checked to lie within it; but a file may be sparse, so its length bounds nothing.
fn fetch<'a>(
    source: &'a dyn MetadataSource,
    subject: Subject,
    offset: u64,
    length: u64,
) -> Result<Cow<'a, [u8]>, WireError> {
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
