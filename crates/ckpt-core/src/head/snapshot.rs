//! A snapshot as HEAD names it.

use crate::digest::Digest;
use crate::id::{CheckpointId, LeaderEpoch};
use crate::snapshot::SnapshotKind;
use crate::state::ClaimId;

/// A snapshot that HEAD names.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetainedSnapshot {
    /// Its number.
    pub id: CheckpointId,
    /// The leader that took it; below a claim or when borrowed, a leader of the job that took it.
    pub epoch: LeaderEpoch,
    /// What kind of snapshot it is.
    pub kind: SnapshotKind,
    /// Where its directory is.
    pub place: SnapshotPlace,
    /// Length of its `_metadata`.
    pub metadata_bytes: u64,
    /// Digest of the index in its `_metadata`.
    pub index_digest: Digest,
    /// Who deletes it.
    pub ownership: Ownership,
}

/// Where a snapshot's directory is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SnapshotPlace {
    /// The directory `chk-<id>` of this job.
    JobDirectory,
    /// The directory that this URI names.
    Elsewhere(String),
}

/// Who deletes a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ownership {
    /// This job, which took it.
    Job,
    /// This job, which took it over by that claim.
    Claimed(ClaimId),
    /// Somebody else: this job only reads it.
    Borrowed,
}

/// A place of another job, or of a savepoint, that this job has taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claim {
    /// The number by which state handles name the place.
    pub id: ClaimId,
    /// Where it is.
    pub uri: String,
}

/// A savepoint whose directory is made, or is about to be. Without `_metadata` it is removed by the next leader.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SavepointInProgress {
    /// Its number.
    pub id: CheckpointId,
    /// Its directory.
    pub uri: String,
}

impl RetainedSnapshot {
    /// A snapshot that this job took into a directory of its own, and whose `_metadata` has that length and index.
    pub const fn new(
        id: CheckpointId,
        epoch: LeaderEpoch,
        kind: SnapshotKind,
        metadata_bytes: u64,
        index_digest: Digest,
    ) -> Self {
        let (place, ownership) = (SnapshotPlace::JobDirectory, Ownership::Job);
        Self { id, epoch, kind, place, metadata_bytes, index_digest, ownership }
    }

    /// The same snapshot at a URI, owned by whom `ownership` says.
    #[must_use]
    pub fn elsewhere(self, uri: impl Into<String>, ownership: Ownership) -> Self {
        Self { place: SnapshotPlace::Elsewhere(uri.into()), ownership, ..self }
    }

    /// Whether this job may delete it once HEAD does not retain it any more.
    pub const fn may_be_deleted(&self) -> bool {
        match self.ownership {
            Ownership::Job | Ownership::Claimed(_) => true,
            Ownership::Borrowed => false,
        }
    }
}

impl Claim {
    /// The claim of that number on the place at `uri`.
    pub fn new(id: ClaimId, uri: impl Into<String>) -> Self {
        Self { id, uri: uri.into() }
    }
}

impl SavepointInProgress {
    /// The savepoint of that number, in the directory at `uri`.
    pub fn new(id: CheckpointId, uri: impl Into<String>) -> Self {
        Self { id, uri: uri.into() }
    }
}
