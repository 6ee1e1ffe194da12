//! The section for the checkpoint as a whole.

use super::rules::{MAX_HANDLES, check_finished, check_parallelism, is_own_savepoint};
use super::table::OperatorTable;
use super::{OperatorDescription, OperatorStatus, OperatorSummary, StateDescriptors, StateTotals};
use crate::descriptor::StateDescriptor;
use crate::digest::Digest;
use crate::id::{JobId, OperatorId};
use crate::snapshot::{CheckpointIdentity, CheckpointProperties, SnapshotKind};
use crate::state::Places;
use crate::time::Timestamp;
use crate::wire::{Flaw, Input, Invalid, Subject, WireError, put_mirror, put_u64, read_all, v1};

/// What is known of a checkpoint without touching the state of any operator: small whatever the size of the state.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetadataSummary {
    /// The job that took it.
    pub job: JobId,
    /// Which checkpoint.
    pub identity: CheckpointIdentity,
    /// What it is to its job.
    pub properties: CheckpointProperties,
    /// The coordinator's wall clock when it was complete.
    pub completed_at: Timestamp,
    /// Whether it names nothing outside its own directory, so that the directory may be moved.
    pub self_contained: bool,
    /// Digest of the job graph that it was taken of, if its writer knew it.
    pub graph_digest: Option<Digest>,
    /// Where claimed and borrowed roots lie.
    pub places: Places,
    /// Sums over the state of all operators. Master states are not among it.
    pub totals: StateTotals,
    pub(super) table: OperatorTable,
}

impl MetadataSummary {
    /// How many operators a checkpoint may have.
    pub const MAX_OPERATORS: usize = 1 << 16;

    pub(crate) const fn new(
        job: JobId,
        identity: CheckpointIdentity,
        properties: CheckpointProperties,
        completed_at: Timestamp,
        self_contained: bool,
        graph_digest: Option<Digest>,
        totals: StateTotals,
    ) -> Self {
        Self {
            job,
            identity,
            properties,
            completed_at,
            self_contained,
            graph_digest,
            places: Places::none(),
            totals,
            table: OperatorTable::new(),
        }
    }

    /// What kind of snapshot.
    pub const fn kind(&self) -> SnapshotKind {
        self.properties.kind()
    }

    /// What is known of each operator, by id.
    pub fn operators(&self) -> impl DoubleEndedIterator<Item = OperatorSummary<'_>> + ExactSizeIterator {
        self.table.iter()
    }

    /// What is known of that operator.
    pub fn operator(&self, id: OperatorId) -> Option<OperatorSummary<'_>> {
        self.table.find(id).and_then(|index| self.table.get(index))
    }

    pub(super) fn encode(&self) -> Result<Vec<u8>, WireError> {
        let subject = Subject::MetadataSummary;
        self.check().map_err(|invalid| invalid.writing(subject))?;
        let mut body = Vec::new();
        let summary = v1::Summary::of(self).map_err(|invalid| invalid.writing(subject))?;
        put_mirror(&mut body, subject, &summary)?;
        put_mirror(&mut body, subject, &v1::Places::of(&self.places))?;
        put_u64(&mut body, self.table.len() as u64);
        for operator in self.operators() {
            put_mirror(&mut body, subject, &v1::Operator::of(&operator))?;
            body.extend_from_slice(operator.descriptors.encoded);
        }
        Ok(body)
    }

    pub(super) fn decode(body: &[u8]) -> Result<Self, WireError> {
        /// A root and an empty text.
        const LEAST_PLACE: usize = 2;
        read_all(Subject::MetadataSummary, body, |input| {
            let mut summary = input.mirror::<v1::Summary>()?.into_domain()?;
            let places = input.count(LEAST_PLACE)?;
            at_most("the number of places", places, Places::MAX_PLACES)?;
            let mut given = Vec::with_capacity(places);
            for _ in 0..places {
                given.push(input.mirror::<v1::NamedPlace<'_>>()?.into_domain()?);
            }
            let given = Places::new(given).map_err(|error| Invalid::Refused { field: "the places", error })?;
            summary.places = given;
            let operators = input.count(v1::Operator::LEAST_BYTES)?;
            at_most("the number of operators", operators, Self::MAX_OPERATORS)?;
            summary.table = OperatorTable::with_capacity(operators);
            for _ in 0..operators {
                let (mut operator, count) = input.mirror::<v1::Operator<'_>>()?.into_domain()?;
                operator.descriptors = read_descriptors(input, count)?;
                summary.table.push(&operator);
            }
            summary.check()?;
            Ok(summary)
        })
    }

    /// What must hold of it, whatever the state is.
    fn check(&self) -> Result<(), Invalid> {
        let mut totals = StateTotals::default();
        let mut last = None;
        for operator in self.operators() {
            check_operator(last, &operator)?;
            check_finished(&operator)?;
            last = Some(operator.id);
            totals += operator.totals;
        }
        if totals != self.totals {
            return Err(Invalid::value("the sums over all operators", self.totals, totals.to_string()));
        }
        if totals.handles > MAX_HANDLES {
            return Err(Invalid::value("the number of handles", totals.handles, format!("at most {MAX_HANDLES}")));
        }
        if is_own_savepoint(self.properties) && !self.self_contained {
            return Err(Invalid::value("whether a savepoint is self-contained", false, "true"));
        }
        Ok(())
    }
}

/// The descriptors of an operator's states: so many, by name, none twice.
fn read_descriptors<'a>(input: &mut Input<'a>, count: u32) -> Result<StateDescriptors<'a>, Flaw> {
    let encoded = input.rest();
    let mut last: Option<StateDescriptor> = None;
    for _ in 0..count {
        let descriptor = input.mirror::<v1::Descriptor<'_>>()?.into_domain()?;
        check_descriptor(last.as_ref(), &descriptor)?;
        last = Some(descriptor);
    }
    let length = encoded.len() - input.rest().len();
    Ok(StateDescriptors { count, encoded: encoded.get(..length).unwrap_or_default() })
}

/// The states of an operator have different names.
pub(super) fn check_descriptor(last: Option<&StateDescriptor>, next: &StateDescriptor) -> Result<(), Invalid> {
    match last.filter(|last| last.name() >= next.name()) {
        Some(last) => {
            let found = format!("{:?} after {:?}", next.name(), last.name());
            Err(Invalid::value("the states of an operator", found, "names that ascend"))
        }
        None => Ok(()),
    }
}

fn at_most(field: &'static str, found: usize, most: usize) -> Result<(), Invalid> {
    if found > most { Err(Invalid::value(field, found, format!("at most {most}"))) } else { Ok(()) }
}

pub(super) fn check_operator(last: Option<OperatorId>, operator: &OperatorSummary<'_>) -> Result<(), Invalid> {
    if let Some(last) = last.filter(|last| *last >= operator.id) {
        let found = format!("{} after {last}", operator.id);
        return Err(Invalid::value("an operator", found, "operators that ascend"));
    }
    check_parallelism(operator.parallelism, operator.max_parallelism)?;
    let most = OperatorDescription::MAX_NAME_BYTES;
    if operator.name.len() > most {
        let expected = format!("at most {most} bytes");
        return Err(Invalid::value("the length of an operator's name", operator.name.len(), expected));
    }
    if let Some(uid) = operator.uid.filter(|uid| uid.is_empty() || uid.len() > most) {
        let expected = format!("from 1 to {most} bytes");
        return Err(Invalid::value("the length of an operator's uid", uid.len(), expected));
    }
    let has_state = operator.totals != StateTotals::default() || operator.coordinator.is_some();
    if operator.status == OperatorStatus::FullyFinished && has_state {
        let found = match operator.coordinator {
            Some(size) => size.to_string(),
            None => operator.totals.to_string(),
        };
        return Err(Invalid::value("the state of a fully finished operator", found, "none"));
    }
    let subtasks = operator.totals.subtasks.saturating_add(operator.totals.finished_subtasks);
    if subtasks > u64::from(operator.parallelism) {
        let expected = format!("at most {}, the parallelism", operator.parallelism);
        return Err(Invalid::value("the number of subtasks of an operator", subtasks, expected));
    }
    Ok(())
}
