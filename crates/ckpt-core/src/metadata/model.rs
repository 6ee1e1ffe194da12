//! A checkpoint's metadata in memory.

use std::collections::{BTreeMap, BTreeSet};

use super::check::Totals;
use crate::id::{FileName, JobId, OperatorId};
use crate::key_group::MaxParallelism;
use crate::snapshot::{CheckpointIdentity, SnapshotKind};
use crate::state::{FileRef, Place, Places, Root, StateHandle, SubtaskState};
use crate::time::Timestamp;

/// Everything that is needed to restore a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckpointMetadata {
    /// What can be read without touching the state of any operator.
    pub summary: MetadataSummary,
    /// The state, by operator.
    pub operators: BTreeMap<OperatorId, OperatorMetadata>,
}

/// The part of the metadata that is small whatever the size of the state.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetadataSummary {
    /// The job that took it.
    pub job: JobId,
    /// Which checkpoint.
    pub identity: CheckpointIdentity,
    /// What kind of snapshot.
    pub kind: SnapshotKind,
    /// The coordinator's wall clock when it was complete.
    pub completed_at: Timestamp,
    /// Whether it names nothing outside its own directory, so that the directory may be moved.
    pub self_contained: bool,
    /// Where claimed and borrowed roots lie.
    pub places: Places,
    /// Payload bytes of all state that it names.
    pub total_bytes: u64,
    /// Number of tasks whose state it holds.
    pub subtasks: u64,
}

/// The state of one operator, over all its subtasks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperatorMetadata {
    /// Its name when the checkpoint was taken.
    pub name: String,
    /// How many subtasks it had.
    pub parallelism: u32,
    /// How many key groups its state is divided into.
    pub max_parallelism: MaxParallelism,
    /// By subtask; one without state is absent.
    pub subtasks: BTreeMap<u32, SubtaskState>,
}

impl CheckpointMetadata {
    /// The metadata of that checkpoint; totals and self-containedness follow from the state.
    pub fn new(
        job: JobId,
        identity: CheckpointIdentity,
        kind: SnapshotKind,
        completed_at: Timestamp,
        places: Places,
        operators: BTreeMap<OperatorId, OperatorMetadata>,
    ) -> Self {
        let totals = Totals::of_operators(operators.values());
        let summary = MetadataSummary {
            job,
            identity,
            kind,
            completed_at,
            self_contained: totals.self_contained,
            places,
            total_bytes: totals.bytes,
            subtasks: totals.subtasks,
        };
        Self { summary, operators }
    }

    /// Every handle in it.
    pub fn handles(&self) -> impl Iterator<Item = &StateHandle> {
        self.operators.values().flat_map(|operator| operator.subtasks.values()).flat_map(SubtaskState::handles)
    }

    /// The files of the job's shared directory that it names.
    pub fn shared_files(&self) -> BTreeSet<FileName> {
        self.handles()
            .filter_map(|handle| match handle.place() {
                Place::File { root: Root::JobShared, file: FileRef::Ours(name) }
                | Place::Segment { root: Root::JobShared, file: FileRef::Ours(name), .. } => Some(*name),
                _ => None,
            })
            .collect()
    }
}

impl OperatorMetadata {
    /// An operator of which no state is entered yet.
    pub fn new(name: impl Into<String>, parallelism: u32, max_parallelism: MaxParallelism) -> Self {
        Self { name: name.into(), parallelism, max_parallelism, subtasks: BTreeMap::new() }
    }
}
