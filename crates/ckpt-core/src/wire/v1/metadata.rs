//! The sections of a metadata file.

use serde::{Deserialize, Serialize};

use super::Id;
use super::properties::Properties;
use super::snapshot::Identity;
use super::stored::Digest;
use crate::id::{JobId, OperatorId};
use crate::key_group::MaxParallelism;
use crate::metadata;
use crate::state::{StateLocation, StateSize};
use crate::time::Timestamp;
use crate::wire::{Blob, Invalid};

/// One section, as the index lists it. The index is nothing but such entries.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct IndexEntry {
    pub(crate) tag: u32,
    /// Whether a reader that does not know the tag must refuse the file.
    pub(crate) critical: bool,
    operator: Option<Id>,
    pub(crate) part: u32,
    pub(crate) offset: u64,
    pub(crate) length: u64,
    digest: Digest,
}

/// The checkpoint as a whole. The places and the operators follow, each as a count and so many records.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Summary {
    job: Id,
    identity: Identity,
    properties: Properties,
    completed_at: u64,
    self_contained: bool,
    graph_digest: Option<Digest>,
    totals: Totals,
}

/// An operator without its state.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Operator<'a> {
    id: Id,
    name: &'a str,
    uid: Option<&'a str>,
    parallelism: u32,
    max_parallelism: u32,
    status: Status,
    totals: Totals,
    coordinator: Option<Coordinator>,
    /// How many descriptors of its states follow.
    descriptors: u32,
}

/// How large the state of a coordinator is.
#[derive(Debug, Serialize, Deserialize)]
enum Coordinator {
    Inline(u64),
    File(u64),
}

#[derive(Debug, Serialize, Deserialize)]
enum Status {
    Running,
    FullyFinished,
}

#[derive(Debug, Serialize, Deserialize)]
struct Totals {
    inline_bytes: u64,
    file_bytes: u64,
    written_bytes: u64,
    handles: u64,
    subtasks: u64,
    finished_subtasks: u64,
}

/// What a participant that is not a task has. The section is nothing but such entries, by name.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MasterState<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: u32,
    #[serde(borrow)]
    pub(crate) bytes: Blob<'a>,
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

    pub(crate) fn operator(&self) -> Option<OperatorId> {
        self.operator.map(OperatorId::new)
    }

    pub(crate) fn digest(&self) -> Result<crate::digest::Digest, Invalid> {
        self.digest.into_domain()
    }
}

impl Summary {
    pub(crate) fn of(summary: &metadata::MetadataSummary) -> Result<Self, Invalid> {
        Ok(Self {
            job: summary.job.bytes(),
            identity: Identity::of(&summary.identity)?,
            properties: Properties::of(summary.properties),
            completed_at: summary.completed_at.millis(),
            self_contained: summary.self_contained,
            graph_digest: summary.graph_digest.map(Digest::of),
            totals: Totals::of(&summary.totals),
        })
    }

    /// The summary, of which places and operators are still to come.
    pub(crate) fn into_domain(self) -> Result<metadata::MetadataSummary, Invalid> {
        Ok(metadata::MetadataSummary::new(
            JobId::new(self.job),
            self.identity.into_domain()?,
            self.properties.into_domain(),
            Timestamp::from_millis(self.completed_at),
            self.self_contained,
            self.graph_digest.map(Digest::into_domain).transpose()?,
            self.totals.into_domain(),
        ))
    }
}

impl<'a> Operator<'a> {
    /// The least that it takes.
    pub(crate) const LEAST_BYTES: usize = 16 + 5 + 6 + 2;

    pub(crate) fn of(operator: &metadata::OperatorSummary<'a>) -> Self {
        Self {
            id: operator.id.bytes(),
            name: operator.name,
            uid: operator.uid,
            parallelism: operator.parallelism,
            max_parallelism: u32::from(operator.max_parallelism.get()),
            status: Status::of(operator.status),
            totals: Totals::of(&operator.totals),
            coordinator: operator.coordinator.map(Coordinator::of),
            descriptors: operator.descriptors.len() as u32,
        }
    }

    /// The operator, and how many descriptors of its states follow.
    pub(crate) fn into_domain(self) -> Result<(metadata::OperatorSummary<'a>, u32), Invalid> {
        let max_parallelism = MaxParallelism::new(self.max_parallelism)
            .map_err(|error| Invalid::Refused { field: "the maximum parallelism of an operator", error })?;
        let operator = metadata::OperatorSummary {
            id: OperatorId::new(self.id),
            name: self.name,
            uid: self.uid,
            parallelism: self.parallelism,
            max_parallelism,
            status: self.status.into_domain(),
            totals: self.totals.into_domain(),
            coordinator: self.coordinator.map(Coordinator::into_domain),
            descriptors: metadata::StateDescriptors::default(),
        };
        Ok((operator, self.descriptors))
    }
}

impl Coordinator {
    const fn of(size: metadata::CoordinatorSize) -> Self {
        match size.location {
            StateLocation::Inline => Self::Inline(size.length_bytes),
            StateLocation::File => Self::File(size.length_bytes),
        }
    }

    const fn into_domain(self) -> metadata::CoordinatorSize {
        let (length_bytes, location) = match self {
            Self::Inline(length_bytes) => (length_bytes, StateLocation::Inline),
            Self::File(length_bytes) => (length_bytes, StateLocation::File),
        };
        metadata::CoordinatorSize { length_bytes, location }
    }
}

impl Status {
    const fn of(status: metadata::OperatorStatus) -> Self {
        match status {
            metadata::OperatorStatus::Running => Self::Running,
            metadata::OperatorStatus::FullyFinished => Self::FullyFinished,
        }
    }

    const fn into_domain(self) -> metadata::OperatorStatus {
        match self {
            Self::Running => metadata::OperatorStatus::Running,
            Self::FullyFinished => metadata::OperatorStatus::FullyFinished,
        }
    }
}

impl Totals {
    const fn of(totals: &metadata::StateTotals) -> Self {
        Self {
            inline_bytes: totals.size.inline_bytes,
            file_bytes: totals.size.file_bytes,
            written_bytes: totals.size.written_bytes,
            handles: totals.handles,
            subtasks: totals.subtasks,
            finished_subtasks: totals.finished_subtasks,
        }
    }

    const fn into_domain(self) -> metadata::StateTotals {
        let Self { inline_bytes, file_bytes, written_bytes, .. } = self;
        metadata::StateTotals {
            size: StateSize { inline_bytes, file_bytes, written_bytes },
            handles: self.handles,
            subtasks: self.subtasks,
            finished_subtasks: self.finished_subtasks,
        }
    }
}
