//! The sections of a metadata file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::snapshot::{Identity, Kind};
use super::stored::{Digest, Places};
use super::{Id, ascending};
use crate::id::{JobId, OperatorId};
use crate::key_group::MaxParallelism;
use crate::metadata;
use crate::time::Timestamp;
use crate::wire::{Invalid, List};

/// Operators by their identity.
pub(crate) type Operators = BTreeMap<OperatorId, metadata::OperatorMetadata>;

/// One section, as the index lists it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct IndexEntry {
    pub(crate) tag: u32,
    /// Whether a reader that does not know the tag must refuse the file.
    pub(crate) critical: bool,
    pub(crate) operator: Option<Id>,
    pub(crate) part: u32,
    pub(crate) offset: u64,
    pub(crate) length: u64,
    digest: Digest,
}

/// The checkpoint as a whole, and its operators without their state.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Summary<'a> {
    job: Id,
    identity: Identity,
    kind: Kind,
    completed_at: u64,
    self_contained: bool,
    #[serde(borrow)]
    places: Places<'a>,
    total_bytes: u64,
    subtasks: u64,
    operators: List<Operator<'a>>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Operator<'a> {
    id: Id,
    name: &'a str,
    parallelism: u32,
    max_parallelism: u32,
}

impl IndexEntry {
    pub(crate) const fn new(
        tag: u32,
        operator: Option<OperatorId>,
        part: u32,
        offset: u64,
        length: u64,
        digest: crate::digest::Digest,
    ) -> Self {
        let operator = match operator {
            Some(operator) => Some(operator.bytes()),
            None => None,
        };
        Self { tag, critical: true, operator, part, offset, length, digest: Digest::of(digest) }
    }

    pub(crate) fn digest(&self) -> Result<crate::digest::Digest, Invalid> {
        self.digest.into_domain()
    }
}

impl<'a> Summary<'a> {
    pub(crate) fn of(summary: &'a metadata::MetadataSummary, operators: Vec<Operator<'a>>) -> Self {
        Self {
            job: summary.job.bytes(),
            identity: Identity::of(&summary.identity),
            kind: Kind::of(summary.kind),
            completed_at: summary.completed_at.millis(),
            self_contained: summary.self_contained,
            places: Places::of(&summary.places),
            total_bytes: summary.total_bytes,
            subtasks: summary.subtasks,
            operators: List(operators),
        }
    }

    /// The summary and, apart from it, the operators, of which no state is entered yet.
    pub(crate) fn into_domain(self) -> Result<(metadata::MetadataSummary, Operators), Invalid> {
        let summary = metadata::MetadataSummary {
            job: JobId::new(self.job),
            identity: self.identity.into_domain()?,
            kind: self.kind.into_domain(),
            completed_at: Timestamp::from_millis(self.completed_at),
            self_contained: self.self_contained,
            places: self.places.into_domain()?,
            total_bytes: self.total_bytes,
            subtasks: self.subtasks,
        };
        Ok((summary, ascending("the operators", self.operators.0.into_iter().map(Operator::into_domain))?))
    }
}

impl<'a> Operator<'a> {
    pub(crate) fn of(id: OperatorId, operator: &'a metadata::OperatorMetadata) -> Self {
        Self {
            id: id.bytes(),
            name: &operator.name,
            parallelism: operator.parallelism,
            max_parallelism: u32::from(operator.max_parallelism.get()),
        }
    }

    fn into_domain(self) -> Result<(OperatorId, metadata::OperatorMetadata), Invalid> {
        let max_parallelism = MaxParallelism::new(self.max_parallelism)
            .map_err(|error| Invalid::Refused { field: "the maximum parallelism of an operator", error })?;
        let operator = metadata::OperatorMetadata::new(self.name, self.parallelism, max_parallelism);
        Ok((OperatorId::new(self.id), operator))
    }
}
