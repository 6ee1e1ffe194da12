//! A snapshot as HEAD names it.

use std::fmt;

use crate::digest::Digest;
use crate::id::{CheckpointId, LeaderEpoch};
use crate::snapshot::SnapshotKind;
use crate::state::ClaimId;
use crate::uri::Uri;

/// A snapshot that HEAD names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
    /// The claims below which files lie that it names, ascending: all of them, since a claim that no snapshot needs is
    /// released.
    pub claims: Vec<ClaimId>,
}

/// Where a snapshot's directory is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SnapshotPlace {
    /// The directory `chk-<id>` of this job.
    JobDirectory,
    /// The directory that this URI names.
    Elsewhere(Uri),
}

/// Who deletes a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ownership {
    /// This job, which took it.
    Job,
    /// This job, which took its directory over by that claim.
    Claimed(ClaimId),
    /// Somebody else: this job only reads it.
    Borrowed,
}

impl fmt::Display for SnapshotPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::JobDirectory => f.write_str("the job's directory"),
            Self::Elsewhere(uri) => write!(f, "'{uri}'"),
        }
    }
}

impl fmt::Display for Ownership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Job => f.write_str("the job"),
            Self::Claimed(claim) => write!(f, "the job by claim {claim}"),
            Self::Borrowed => f.write_str("somebody else"),
        }
    }
}

impl RetainedSnapshot {
    /// A snapshot that this job took into a directory of its own, whose `_metadata` has that length and index, and which
    /// names no file below a claim.
    pub const fn new(
        id: CheckpointId,
        epoch: LeaderEpoch,
        kind: SnapshotKind,
        metadata_bytes: u64,
        index_digest: Digest,
    ) -> Self {
        let ownership = Ownership::Job;
        let place = SnapshotPlace::JobDirectory;
        Self { id, epoch, kind, place, metadata_bytes, index_digest, ownership, claims: Vec::new() }
    }

    /// The same snapshot at a URI, owned by whom `ownership` says.
    #[must_use]
    pub fn elsewhere(self, uri: Uri, ownership: Ownership) -> Self {
        Self { place: SnapshotPlace::Elsewhere(uri), ownership, ..self }
    }

    /// The same snapshot, which names files below those claims.
    #[must_use]
    pub fn below_claims(self, claims: impl IntoIterator<Item = ClaimId>) -> Self {
        let mut claims: Vec<_> = claims.into_iter().collect();
        claims.sort_unstable();
        claims.dedup();
        Self { claims, ..self }
    }

    /// Whether this job may delete it once HEAD does not retain it any more.
    pub const fn may_be_deleted(&self) -> bool {
        match self.ownership {
            Ownership::Job | Ownership::Claimed(_) => true,
            Ownership::Borrowed => false,
        }
    }

    /// Where it lies, when it is not in the job's directory.
    pub const fn uri(&self) -> Option<&Uri> {
        match &self.place {
            SnapshotPlace::JobDirectory => None,
            SnapshotPlace::Elsewhere(uri) => Some(uri),
        }
    }
}
