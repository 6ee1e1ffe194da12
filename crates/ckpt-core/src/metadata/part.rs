//! Parts: the state of some subtasks of one operator, as it is stored.
//!
//! ```text
//! part:   entry entry entry …            ascending by subtask, nothing else
//! entry:  subtask  length  state         a length of 0: the subtask had finished
//! ```
//!
//! Beside each part stand a few marks, so that an entry is found without walking through all of them.

use std::ops::Range;

use bytes::Bytes;

use super::rules::{Found, StateRules, check_subtask};
use super::state_codec::check_state;
use super::{OperatorSummary, StateTotals};
use crate::digest::Digest;
use crate::wire::{Flaw, Input, Invalid, Subject, WireError, put_measured, put_u64};

/// One entry in so many has a mark.
const MARK_EVERY: usize = 16;

/// Checked parts, one after another, and their marks.
#[derive(Clone, Debug, Default)]
pub(super) struct Parts {
    parts: Vec<Part>,
    marks: Vec<Mark>,
}

/// One checked part.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) bytes: Bytes,
    pub(super) digest: Digest,
    /// Its first mark, which is that of its first entry.
    first_mark: u32,
}

/// Where an entry begins.
#[derive(Clone, Copy, Debug)]
struct Mark {
    subtask: u32,
    /// Within the part.
    at: u32,
}

/// An entry, of which the state is not decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    pub(super) subtask: u32,
    /// Empty when the subtask had finished.
    pub(super) state: &'a [u8],
}

/// The entries of a part, from one of them on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entries<'a> {
    subject: Subject,
    input: Input<'a>,
}

/// What was found in a part.
pub(super) struct CheckedPart {
    pub(super) totals: StateTotals,
    pub(super) self_contained: bool,
    pub(super) first: u32,
    pub(super) last: u32,
}

/// Appends an entry to a part; `put` appends its state.
pub(super) fn put_entry<T, E>(
    part: &mut Vec<u8>,
    subtask: u32,
    put: impl FnOnce(&mut Vec<u8>) -> Result<T, E>,
) -> Result<T, E> {
    put_u64(part, subtask.into());
    put_measured(part, put)
}

impl Parts {
    /// Room for so many.
    pub(super) fn with_capacity(parts: usize) -> Self {
        Self { parts: Vec::with_capacity(parts), marks: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.parts.len()
    }

    pub(super) fn digests(&self) -> impl Iterator<Item = Digest> {
        self.parts.iter().map(|part| part.digest)
    }

    pub(super) fn get(&self, range: Range<usize>) -> &[Part] {
        self.parts.get(range).unwrap_or_default()
    }

    /// Takes a part that is known to be right.
    pub(super) fn push(&mut self, subject: Subject, bytes: Bytes, digest: Digest) -> Result<(), WireError> {
        let first_mark = self.marks.len() as u32;
        let mut entries = Entries::new(subject, &bytes);
        self.marks_of(&mut entries, |_| Ok(()))?;
        self.parts.push(Part { bytes, digest, first_mark });
        Ok(())
    }

    /// Checks a part and takes it.
    pub(super) fn check(
        &mut self,
        subject: Subject,
        bytes: Bytes,
        digest: Digest,
        operator: &OperatorSummary<'_>,
        rules: &StateRules<'_>,
    ) -> Result<CheckedPart, WireError> {
        let first_mark = self.marks.len() as u32;
        let mut totals = StateTotals::default();
        let (mut self_contained, mut first, mut last) = (true, None, None);
        let mut entries = Entries::new(subject, &bytes);
        self.marks_of(&mut entries, |entry| {
            let reading = |invalid: Invalid| invalid.reading(subject);
            check_subtask(last, entry.subtask, operator.parallelism).map_err(reading)?;
            (first, last) = (first.or(Some(entry.subtask)), Some(entry.subtask));
            let found = if entry.state.is_empty() {
                Found::finished()
            } else {
                let subject = Subject::MetadataSubtask { operator: operator.id, subtask: entry.subtask };
                check_state(subject, entry.state, rules, entry.subtask)?
            };
            totals += found.totals;
            self_contained &= found.self_contained;
            Ok(())
        })?;
        let (Some(first), Some(last)) = (first, last) else {
            return Err(Invalid::value("a part", "empty", "at least one subtask").reading(subject));
        };
        self.parts.push(Part { bytes, digest, first_mark });
        Ok(CheckedPart { totals, self_contained, first, last })
    }

    fn marks_of<'a>(
        &mut self,
        entries: &mut Entries<'a>,
        mut each: impl FnMut(Entry<'a>) -> Result<(), WireError>,
    ) -> Result<(), WireError> {
        let mut number = 0_usize;
        loop {
            // A section has at most 256 MiB.
            let at = entries.input.position() as u32;
            let Some(entry) = entries.next().transpose()? else { return Ok(()) };
            if number % MARK_EVERY == 0 {
                self.marks.push(Mark { subtask: entry.subtask, at });
            }
            number += 1;
            each(entry)?;
        }
    }

    /// Takes what stands behind these.
    pub(super) fn append(&mut self, mut behind: Self) {
        let before = self.marks.len() as u32;
        for part in &mut behind.parts {
            part.first_mark += before;
        }
        self.parts.append(&mut behind.parts);
        self.marks.append(&mut behind.marks);
    }

    pub(super) fn shrink(&mut self) {
        self.parts.shrink_to_fit();
        self.marks.shrink_to_fit();
    }

    /// The entry of that subtask in those parts, which are of one operator.
    pub(super) fn find(
        &self,
        range: Range<usize>,
        subject: Subject,
        subtask: u32,
    ) -> Result<Option<Entry<'_>>, WireError> {
        let parts = self.get(range.clone());
        let marks_end = self.parts.get(range.end).map_or(self.marks.len(), |next| next.first_mark as usize);
        let marks_begin = parts.first().map_or(marks_end, |first| first.first_mark as usize);
        let marks = self.marks.get(marks_begin..marks_end).unwrap_or_default();
        let Some(nearest) = marks.partition_point(|mark| mark.subtask <= subtask).checked_sub(1) else {
            return Ok(None);
        };
        let holds = parts.partition_point(|part| part.first_mark as usize <= marks_begin + nearest);
        let (Some(mark), Some(part)) = (marks.get(nearest), holds.checked_sub(1).and_then(|index| parts.get(index)))
        else {
            return Ok(None);
        };
        for entry in Entries::new(subject, part.bytes.get(mark.at as usize..).unwrap_or_default()) {
            let entry = entry?;
            if entry.subtask >= subtask {
                return Ok(Some(entry).filter(|entry| entry.subtask == subtask));
            }
        }
        Ok(None)
    }
}

impl<'a> Entries<'a> {
    pub(super) const fn new(subject: Subject, part: &'a [u8]) -> Self {
        Self { subject, input: Input::new(part) }
    }

    fn take(&mut self) -> Result<Entry<'a>, Flaw> {
        Ok(Entry { subtask: self.input.u32()?, state: self.input.blob()? })
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.input.rest().is_empty() {
            return None;
        }
        Some(self.take().map_err(|flaw| self.input.error(self.subject, flaw)))
    }
}
