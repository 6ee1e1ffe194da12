//! What a job began from that it did not take itself.

use std::fmt;

use super::RetainedSnapshot;
use crate::digest::Digest;
use crate::id::{CheckpointId, JobId, LeaderEpoch};
use crate::snapshot::SnapshotKind;
use crate::state::{ClaimId, Root};
use crate::uri::Uri;

/// A snapshot that a job is to begin from: a checkpoint of another job, or a savepoint.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ForeignSnapshot {
    /// The job that took it.
    pub job: JobId,
    /// Its number.
    pub id: CheckpointId,
    /// The leader that took it.
    pub epoch: LeaderEpoch,
    /// What kind of snapshot it is.
    pub kind: SnapshotKind,
    /// Its directory.
    pub uri: Uri,
    /// Length of its `_metadata`.
    pub metadata_bytes: u64,
    /// Digest of the index in its `_metadata`.
    pub index_digest: Digest,
    /// Where the other roots lie that its metadata names, besides its own directory.
    pub roots: Vec<(Root, Uri)>,
}

/// To whom a snapshot belongs that a job begins from (Flink's `RecoveryClaimMode`; there is no `LEGACY`). `Display` and the
/// configuration write it as Flink does: `CLAIM`, `NO_CLAIM`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClaimMode {
    /// To this job from now on: it deletes the snapshot once no checkpoint needs it. Later checkpoints may name its files.
    Claim,
    /// To whom it belonged, which is the default: this job only reads it, and its own first checkpoint is full and names
    /// nothing of it.
    #[default]
    NoClaim,
}

/// The snapshot that a job began from. HEAD keeps it, so that the same start again is a take-over and another is refused.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Origin {
    /// The job that took it.
    pub job: JobId,
    /// Its number.
    pub id: CheckpointId,
    /// Where it was.
    pub uri: Uri,
    /// Length of its `_metadata`.
    pub metadata_bytes: u64,
    /// Digest of the index in its `_metadata`.
    pub index_digest: Digest,
    /// To whom it belongs.
    pub mode: ClaimMode,
    /// How the roots that its metadata names are called in this job. Empty once HEAD does not list the snapshot any more.
    pub roots: Vec<SnapshotRoot>,
}

/// A root that a snapshot's metadata names, what this job calls it, and where it lies.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SnapshotRoot {
    /// As the metadata names it.
    pub named: Root,
    /// As this job names it: claimed or borrowed.
    pub here: Root,
    /// Where it lies.
    pub uri: Uri,
}

/// A place of another job, or of a savepoint, that this job has taken over.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Claim {
    /// The number by which state handles name the place.
    pub id: ClaimId,
    /// Where it is.
    pub uri: Uri,
}

/// A retained snapshot of a job that has ended, which now belongs to another job.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct HandedOver {
    /// The snapshot as HEAD named it.
    pub snapshot: RetainedSnapshot,
    /// The job that it belongs to.
    pub to: JobId,
}

/// That a job went back to an older snapshot on request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct GoneBack {
    /// What would have been restored otherwise.
    pub from: CheckpointId,
    /// What was restored.
    pub to: CheckpointId,
    /// The leader that did it.
    pub epoch: LeaderEpoch,
}

impl ForeignSnapshot {
    /// The snapshot that `snapshot` describes, taken by `job` into the directory at `uri`, whose metadata names no root
    /// besides that.
    pub fn new(job: JobId, snapshot: &RetainedSnapshot, uri: Uri) -> Self {
        let RetainedSnapshot { id, epoch, kind, metadata_bytes, index_digest, .. } = *snapshot;
        Self { job, id, epoch, kind, uri, metadata_bytes, index_digest, roots: Vec::new() }
    }

    /// The same snapshot, whose metadata names those roots besides its own directory.
    #[must_use]
    pub fn naming(self, roots: Vec<(Root, Uri)>) -> Self {
        Self { roots, ..self }
    }
}

impl fmt::Display for SnapshotRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, here {}, at '{}'", self.named, self.here, self.uri)
    }
}

impl Origin {
    /// Whether a job that began from this one began from that snapshot, in that mode.
    pub fn is(&self, snapshot: &ForeignSnapshot, mode: ClaimMode) -> bool {
        let ForeignSnapshot { job, id, uri, metadata_bytes, index_digest, .. } = snapshot;
        (self.job, self.id, &self.uri) == (*job, *id, uri)
            && (self.metadata_bytes, self.index_digest, self.mode) == (*metadata_bytes, *index_digest, mode)
    }

    /// Whether that is how HEAD lists it: no snapshot of the job's own has its number.
    pub(super) fn lists(&self, snapshot: &RetainedSnapshot) -> bool {
        snapshot.id == self.id
    }
}

impl SnapshotRoot {
    /// The root that metadata names so, that this job calls so, and that lies there.
    pub const fn new(named: Root, here: Root, uri: Uri) -> Self {
        Self { named, here, uri }
    }
}

impl Claim {
    /// The claim of that number on the place at `uri`.
    pub const fn new(id: ClaimId, uri: Uri) -> Self {
        Self { id, uri }
    }
}

impl HandedOver {
    /// That snapshot, which belongs to that job.
    pub const fn new(snapshot: RetainedSnapshot, to: JobId) -> Self {
        Self { snapshot, to }
    }
}

impl GoneBack {
    /// That leader went back from the one to the other.
    pub const fn new(from: CheckpointId, to: CheckpointId, epoch: LeaderEpoch) -> Self {
        Self { from, to, epoch }
    }
}

impl fmt::Display for ClaimMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Claim => "CLAIM",
            Self::NoClaim => "NO_CLAIM",
        })
    }
}
