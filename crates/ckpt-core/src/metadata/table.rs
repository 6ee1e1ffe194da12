//! What the summary says of each operator.

use std::fmt;

use super::{OperatorDescription, StateTotals};
use crate::descriptor::StateDescriptor;
use crate::error::Result;
use crate::id::OperatorId;
use crate::key_group::MaxParallelism;
use crate::state::{StateHandle, StateLocation, StatePiece as _};
use crate::wire::{Input, Subject, v1};

/// The operators of a checkpoint, by id: a row of fixed size for each, and their texts and descriptors in one piece each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OperatorTable {
    rows: Vec<Row>,
    text: String,
    /// Encoded, one behind the other.
    descriptors: Vec<u8>,
}

/// What the summary says of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperatorSummary<'a> {
    /// What its state is stored under.
    pub id: OperatorId,
    /// Its name when the checkpoint was taken.
    pub name: &'a str,
    /// The text that its id was made of, if the user gave one.
    pub uid: Option<&'a str>,
    /// How many subtasks it had.
    pub parallelism: u32,
    /// How many key groups its state is divided into.
    pub max_parallelism: MaxParallelism,
    /// Whether it ran.
    pub status: OperatorStatus,
    /// Sums over its state, that of its coordinator included.
    pub totals: StateTotals,
    /// How large the state of its coordinator is, if it has one.
    pub coordinator: Option<CoordinatorSize>,
    /// The states that it declared.
    pub descriptors: StateDescriptors<'a>,
}

/// How large the state of an operator's coordinator is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct CoordinatorSize {
    /// How many bytes it has.
    pub length_bytes: u64,
    /// Where they lie.
    pub location: StateLocation,
}

impl fmt::Display for CoordinatorSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let location = match self.location {
            StateLocation::Inline => "inline",
            StateLocation::File => "in a file",
        };
        write!(f, "{} bytes {location}", self.length_bytes)
    }
}

/// The descriptors of an operator's states, decoded while it is iterated over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateDescriptors<'a> {
    pub(super) count: u32,
    pub(super) encoded: &'a [u8],
}

/// Whether an operator ran when the checkpoint was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OperatorStatus {
    /// Some of its subtasks ran.
    Running,
    /// All of its subtasks had finished before (Flink's fully finished operator): neither they nor its coordinator have
    /// state, and a restore deploys them as finished.
    FullyFinished,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    id: OperatorId,
    name: Span,
    uid: Option<Span>,
    descriptors: (u32, Span),
    parallelism: u32,
    max_parallelism: MaxParallelism,
    status: OperatorStatus,
    totals: StateTotals,
    coordinator: Option<CoordinatorSize>,
}

/// A part of the texts, or of the descriptors. They come from a section of at most 256 MiB, so 32 bits are enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    first: u32,
    end: u32,
}

impl OperatorTable {
    pub(super) const fn new() -> Self {
        Self { rows: Vec::new(), text: String::new(), descriptors: Vec::new() }
    }

    /// Room for so many operators.
    pub(super) fn with_capacity(operators: usize) -> Self {
        Self { rows: Vec::with_capacity(operators), ..Self::new() }
    }

    pub(super) fn push(&mut self, operator: &OperatorSummary<'_>) {
        let OperatorSummary { id, parallelism, max_parallelism, status, totals, coordinator, .. } = *operator;
        let name = self.add_text(operator.name);
        let uid = operator.uid.map(|uid| self.add_text(uid));
        let first = self.descriptors.len() as u32;
        self.descriptors.extend_from_slice(operator.descriptors.encoded);
        let descriptors = (operator.descriptors.count, Span { first, end: self.descriptors.len() as u32 });
        self.rows.push(Row { id, name, uid, descriptors, parallelism, max_parallelism, status, totals, coordinator });
    }

    fn add_text(&mut self, text: &str) -> Span {
        let first = self.text.len() as u32;
        self.text.push_str(text);
        Span { first, end: self.text.len() as u32 }
    }

    /// Adds to the totals of the last operator.
    pub(super) fn add_to_last(&mut self, totals: StateTotals) {
        if let Some(row) = self.rows.last_mut() {
            row.totals += totals;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Where the operator stands.
    pub(super) fn find(&self, id: OperatorId) -> Option<usize> {
        self.rows.binary_search_by_key(&id, |row| row.id).ok()
    }

    pub(super) fn get(&self, index: usize) -> Option<OperatorSummary<'_>> {
        self.rows.get(index).map(|row| self.summary(row))
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = OperatorSummary<'_>> + ExactSizeIterator {
        self.rows.iter().map(|row| self.summary(row))
    }

    fn summary(&self, row: &Row) -> OperatorSummary<'_> {
        let text = |span: Span| self.text.get(span.first as usize..span.end as usize).unwrap_or_default();
        let (count, span) = row.descriptors;
        let encoded = self.descriptors.get(span.first as usize..span.end as usize).unwrap_or_default();
        OperatorSummary {
            id: row.id,
            name: text(row.name),
            uid: row.uid.map(text),
            parallelism: row.parallelism,
            max_parallelism: row.max_parallelism,
            status: row.status,
            totals: row.totals,
            coordinator: row.coordinator,
            descriptors: StateDescriptors { count, encoded },
        }
    }
}

impl<'a> OperatorSummary<'a> {
    /// Of an operator of whose state nothing was counted yet.
    pub(super) fn of(
        description: &'a OperatorDescription,
        status: OperatorStatus,
        descriptors: StateDescriptors<'a>,
    ) -> Self {
        Self {
            id: description.id,
            name: beginning(&description.name, OperatorDescription::MAX_NAME_BYTES),
            uid: description.uid.as_deref(),
            parallelism: description.parallelism,
            max_parallelism: description.max_parallelism,
            status,
            totals: StateTotals::default(),
            coordinator: description.coordinator_state.as_ref().map(CoordinatorSize::of),
            descriptors,
        }
    }

    /// What the state of its coordinator adds to the totals.
    pub(super) fn coordinator_totals(&self) -> StateTotals {
        let mut totals = StateTotals::default();
        if let Some(CoordinatorSize { length_bytes, location }) = self.coordinator {
            totals.handles = 1;
            totals.size.add_written(location, length_bytes);
        }
        totals
    }
}

impl CoordinatorSize {
    fn of(state: &StateHandle) -> Self {
        Self { length_bytes: state.length_bytes(), location: state.location() }
    }
}

impl<'a> StateDescriptors<'a> {
    /// How many there are.
    pub const fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Each, by name.
    ///
    /// # Errors
    ///
    /// None in fact: all of it was checked when it was built or read. A flaw would be `Corrupt`.
    pub fn iter(&self) -> impl Iterator<Item = Result<StateDescriptor>> + use<'a> {
        let mut input = Input::new(self.encoded);
        (0..self.count).map(move |_| {
            let subject = Subject::MetadataSummary;
            let descriptor = input.mirror::<v1::Descriptor<'_>>().map_err(|flaw| input.error(subject, flaw))?;
            Ok(descriptor.into_domain().map_err(|invalid| invalid.reading(subject))?)
        })
    }
}

/// As much of a text as that many bytes hold.
fn beginning(text: &str, most_bytes: usize) -> &str {
    let end = (0..=most_bytes.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}
