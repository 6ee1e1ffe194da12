//! The list of sections.

use super::MetadataSummary;
use super::format::{COORDINATOR_STATE, HEADER_BYTES, MASTER_STATES, MAX_SECTION_BYTES, PART, SUMMARY};
use crate::digest::Digest;
use crate::id::OperatorId;
use crate::wire::{Input, Invalid, Subject, WireError, v1};

const SUBJECT: Subject = Subject::MetadataIndex;

/// Where a section lies, and what proves that it is the one.
#[derive(Clone, Copy, Debug)]
pub(super) struct SectionPlace {
    pub(super) offset: u64,
    /// At most what a section may have.
    pub(super) length: u32,
    pub(super) digest: Digest,
}

/// The sections of which there is at most one.
#[derive(Clone, Copy, Debug)]
pub(super) struct SingleSections {
    pub(super) summary: SectionPlace,
    pub(super) masters: Option<SectionPlace>,
    /// How many of the others there are.
    parts: usize,
    coordinators: usize,
    skipped: usize,
}

/// The sections of which there may be several.
#[derive(Debug)]
pub(super) struct OtherSections {
    /// By operator and number.
    pub(super) parts: Vec<PartPlace>,
    /// With the place of the operator in the summary, ascending.
    pub(super) coordinators: Vec<(u32, SectionPlace)>,
    /// Those of unknown kinds.
    pub(super) skipped: Vec<SectionPlace>,
}

/// One of them.
pub(super) enum OtherSection {
    Part(PartPlace),
    Coordinator {
        /// The place of the operator in the summary.
        operator: u32,
        place: SectionPlace,
    },
    Skipped(SectionPlace),
}

/// Where a part lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct PartPlace {
    /// The place of the operator in the summary.
    pub(super) operator: u32,
    /// Its number among the parts of the operator.
    pub(super) number: u32,
    pub(super) place: SectionPlace,
}

/// Checks that the sections fill the file up to the index without a gap, that those of the whole checkpoint stand around
/// those of operators, and that the unknown ones may be skipped.
pub(super) fn check(index: &[u8], index_offset: u64) -> Result<SingleSections, WireError> {
    let (mut summary, mut masters, mut parts, mut coordinators, mut skipped) = (None, None, 0, 0, 0);
    let mut end = HEADER_BYTES as u64;
    let mut entries = Input::new(index);
    while let Some(entry) = next_entry(&mut entries)? {
        let place = place(&entry)?;
        if entry.offset != end {
            return refuse("the offset of a section", entry.offset, &format!("{end}, the end of the one before"));
        }
        let Some(next) = end.checked_add(entry.length).filter(|next| *next <= index_offset) else {
            return refuse("the length of a section", entry.length, &format!("at most {}", index_offset - end));
        };
        end = next;
        let may_follow = match entry.tag {
            SUMMARY => true,
            PART | COORDINATOR_STATE => summary.is_none(),
            MASTER_STATES => summary.is_none() && parts + coordinators == 0,
            tag if entry.critical => {
                return Err(WireError::UnknownSection { subject: SUBJECT, tag, offset: entry.offset });
            }
            _ => {
                skipped += 1;
                continue;
            }
        };
        if !entry.critical {
            return refuse("a section", format!("of kind {} and not critical", entry.tag), "a critical one");
        }
        match (entry.tag, entry.operator(), entry.part) {
            (SUMMARY, None, 0) if summary.is_none() => summary = Some(place),
            (MASTER_STATES, None, 0) if masters.is_none() => masters = Some(place),
            (SUMMARY | MASTER_STATES, ..) => {
                let found = "a second one, or one of an operator";
                return refuse("a section of the whole checkpoint", found, "one of each kind");
            }
            (PART, Some(_), _) => parts += 1,
            (COORDINATOR_STATE, Some(_), 0) => coordinators += 1,
            (PART | COORDINATOR_STATE, ..) => {
                return refuse("a section of an operator", "one of none, or one too many", "one of an operator");
            }
            _ => {}
        }
        if !may_follow {
            let expected = "the master states, those of operators, the summary";
            return refuse("a section", format!("of kind {} behind a later one", entry.tag), expected);
        }
    }
    if end != index_offset {
        return refuse("the end of the sections", end, &format!("{index_offset}, where the index begins"));
    }
    match summary {
        Some(summary) => Ok(SingleSections { summary, masters, parts, coordinators, skipped }),
        None => refuse("the summary", "absent", "one"),
    }
}

impl SingleSections {
    /// The other sections of the index.
    pub(super) fn others(&self, index: &[u8], summary: &MetadataSummary) -> Result<OtherSections, WireError> {
        let mut others = OtherSections {
            parts: Vec::with_capacity(self.parts),
            coordinators: Vec::with_capacity(self.coordinators),
            skipped: Vec::with_capacity(self.skipped),
        };
        check_others(index, summary, |section| match section {
            OtherSection::Part(part) => others.parts.push(part),
            OtherSection::Coordinator { operator, place } => others.coordinators.push((operator, place)),
            OtherSection::Skipped(place) => others.skipped.push(place),
        })?;
        Ok(others)
    }
}

/// Checks the sections of which there may be several, and tells each. Each of a known kind belongs to an operator of the
/// summary.
pub(super) fn check_others(
    index: &[u8],
    summary: &MetadataSummary,
    mut tell: impl FnMut(OtherSection),
) -> Result<(), WireError> {
    // The operator of the section before, and the number of its next part.
    let mut before: Option<(u32, Option<u32>)> = None;
    let mut entries = Input::new(index);
    while let Some(entry) = next_entry(&mut entries)? {
        let id = match (entry.operator(), entry.tag) {
            (Some(id), PART | COORDINATOR_STATE) => id,
            (_, PART | COORDINATOR_STATE | SUMMARY | MASTER_STATES) => continue,
            _ => {
                tell(OtherSection::Skipped(place(&entry)?));
                continue;
            }
        };
        let operator = match summary.table.find(id) {
            // A summary has at most 65,536.
            Some(operator) => operator as u32,
            None => return refuse("an operator", id, "one that the summary lists"),
        };
        let place = place(&entry)?;
        let next_part = match before {
            Some((last, next_part)) if last == operator => next_part.filter(|_| entry.tag == PART),
            Some((last, _)) if last > operator => None,
            _ => Some(0),
        };
        if next_part != Some(entry.part) {
            return out_of_order(&entry, id);
        }
        if entry.tag == PART {
            tell(OtherSection::Part(PartPlace { operator, number: entry.part, place }));
            before = Some((operator, entry.part.checked_add(1)));
        } else {
            tell(OtherSection::Coordinator { operator, place });
            before = Some((operator, Some(0)));
        }
    }
    Ok(())
}

fn next_entry(entries: &mut Input<'_>) -> Result<Option<v1::IndexEntry>, WireError> {
    if entries.rest().is_empty() {
        return Ok(None);
    }
    entries.mirror().map(Some).map_err(|flaw| entries.error(SUBJECT, flaw))
}

fn place(entry: &v1::IndexEntry) -> Result<SectionPlace, WireError> {
    let digest = entry.digest().map_err(|invalid| invalid.reading(SUBJECT))?;
    match u32::try_from(entry.length).ok().filter(|_| entry.length <= MAX_SECTION_BYTES) {
        Some(length) => Ok(SectionPlace { offset: entry.offset, length, digest }),
        None => refuse("the length of a section", entry.length, &format!("at most {MAX_SECTION_BYTES}")),
    }
}

fn out_of_order<T>(entry: &v1::IndexEntry, operator: OperatorId) -> Result<T, WireError> {
    let section = if entry.tag == PART { format!("part {}", entry.part) } else { "the coordinator".to_owned() };
    let expected = "operators that ascend, of each its coordinator, if any, and then its parts from 0 on without a gap";
    refuse("a section", format!("{section} of operator {operator}"), expected)
}

fn refuse<T>(field: &'static str, found: impl std::fmt::Display, expected: &str) -> Result<T, WireError> {
    Err(Invalid::value(field, found, expected).reading(SUBJECT))
}
