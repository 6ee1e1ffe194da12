//! What HEAD says.

use std::fmt;

use super::{
    Claim, GoneBack, HandedOver, Origin, Ownership, RetainedSnapshot, SavepointInProgress, SnapshotPlace, SnapshotRoot,
};
use crate::id::{CheckpointId, JobId, LeaderEpoch};
use crate::state::{ClaimId, Root};
use crate::uri::Uri;

/// The record of what a job has committed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Head {
    /// The job.
    pub job: JobId,
    /// Raised by one with each write.
    pub version: HeadVersion,
    /// The leader that wrote it.
    pub epoch: LeaderEpoch,
    /// Chosen at random by the leader at its claim. With the version it tells one write from every other.
    pub nonce: Nonce,
    /// Whether the job may go on.
    pub state: JobState,
    /// The first checkpoint number that the present leader reserved: those below belong to former ones.
    pub first_reserved_id: CheckpointId,
    /// The first checkpoint number that no leader has reserved yet; a leader uses numbers below it only.
    pub unreserved_id: CheckpointId,
    /// What can be restored, oldest first.
    pub retained: Vec<RetainedSnapshot>,
    /// The snapshot that the present leader began from.
    pub restored_from: Option<CheckpointId>,
    /// The savepoint that the job was stopped with, written before any task is told, until a later leader has committed.
    /// It is its user's: never deleted.
    pub stopped_at: Option<RetainedSnapshot>,
    /// The snapshot of another job, or the savepoint, that this job began from.
    pub origin: Option<Origin>,
    /// The places that this job has taken over and needs, by ascending number.
    pub claims: Vec<Claim>,
    /// The number of the next claim: above all that were ever given, so that none is given twice.
    pub next_claim: ClaimId,
    /// The places whose claim nothing needs any more and whose mark of this job may still be there, by ascending number.
    pub released_claims: Vec<Claim>,
    /// Savepoints that the present leader is taking, by ascending number.
    pub savepoints_in_progress: Vec<SavepointInProgress>,
    /// Savepoints that were given up, or whose leader is gone, by ascending number. One without `_metadata` is removed.
    pub abandoned_savepoints: Vec<SavepointInProgress>,
    /// What was newer than the snapshot that the job went back to, oldest first: kept as evidence, never restored.
    pub set_aside: Vec<RetainedSnapshot>,
    /// The last time that the job went back.
    pub gone_back: Option<GoneBack>,
    /// What other jobs have taken over after this one had ended, oldest first.
    pub handed_over: Vec<HandedOver>,
    /// Snapshots that are retained no more and whose files may not all be gone yet, oldest first. Never a borrowed one.
    pub removed: Vec<RetainedSnapshot>,
}

/// Counts the writes of HEAD; the first is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeadVersion(u64);

/// Sixteen random bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Nonce([u8; 16]);

/// Whether a job may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JobState {
    /// It runs, or will be restored.
    Active,
    /// It has ended, having read all input.
    Finished,
    /// It was cancelled.
    Cancelled,
    /// It failed for good.
    Failed,
}

impl Head {
    /// The snapshot that a restore takes, or else refuses to start: the newest of what is retained and the savepoint that
    /// the job was stopped with.
    pub fn restore_point(&self) -> Option<&RetainedSnapshot> {
        self.retained.last().into_iter().chain(&self.stopped_at).max_by_key(|snapshot| snapshot.id)
    }

    /// The snapshot whose files the next checkpoint may name again: the restore point, unless that is somebody else's.
    pub fn base(&self) -> Option<&RetainedSnapshot> {
        self.restore_point().filter(|newest| newest.may_be_deleted())
    }

    /// Whether the next checkpoint must name no file that was there before, since what would be restored belongs to
    /// somebody else. It follows from what HEAD lists, so no failover forgets it and no savepoint in between lifts it: only
    /// the commit of a full checkpoint does (Flink: the first checkpoint after `NO_CLAIM`).
    pub fn requires_full_checkpoint(&self) -> bool {
        self.restore_point().is_some_and(|newest| !newest.may_be_deleted())
    }

    /// What the roots that the metadata of `snapshot` names are called in this job, and where they lie: all but those
    /// that a reader supplies. Applied once, when the snapshot is restored.
    pub fn roots_of(&self, snapshot: &RetainedSnapshot) -> Vec<SnapshotRoot> {
        match (&snapshot.place, &self.origin) {
            (SnapshotPlace::Elsewhere(_), Some(origin)) if origin.lists(snapshot) => origin.roots.clone(),
            // A savepoint of this job names its own directory only.
            (SnapshotPlace::Elsewhere(uri), _) => {
                let here = match snapshot.ownership {
                    Ownership::Claimed(claim) => Root::Claimed(claim),
                    Ownership::Job | Ownership::Borrowed => Root::Borrowed(0),
                };
                vec![SnapshotRoot::new(Root::ThisSnapshot, here, uri.clone())]
            }
            (SnapshotPlace::JobDirectory, _) => {
                let named = self.claims.iter().filter(|claim| snapshot.claims.contains(&claim.id));
                let root = |claim: &Claim| Root::Claimed(claim.id);
                named.map(|claim| SnapshotRoot::new(root(claim), root(claim), claim.uri.clone())).collect()
            }
        }
    }

    /// Every snapshot whose files must stay where they are: what can be restored, what other jobs own now, what is kept as
    /// evidence.
    pub fn kept(&self) -> impl Iterator<Item = &RetainedSnapshot> {
        let handed_over = self.handed_over.iter().map(|handed_over| &handed_over.snapshot);
        self.retained.iter().chain(&self.set_aside).chain(handed_over)
    }

    /// Whether anything may still need a file whose life the tasks manage: while the job may go on, or a snapshot is left that
    /// may name one. The savepoint that the job was stopped with names none.
    pub fn needs_task_owned(&self) -> bool {
        self.state == JobState::Active || self.kept().next().is_some()
    }

    /// Every snapshot that is named, but for the savepoint that the job was stopped with.
    pub(crate) fn snapshots(&self) -> impl Iterator<Item = &RetainedSnapshot> {
        self.removed.iter().chain(self.kept())
    }

    /// Every URI that is named.
    pub(crate) fn uris(&self) -> impl Iterator<Item = &Uri> {
        let savepoints = self.savepoints_in_progress.iter().chain(&self.abandoned_savepoints).map(|it| &it.uri);
        let claims = self.claims.iter().chain(&self.released_claims).map(|claim| &claim.uri);
        let origin = self.origin.iter().flat_map(|origin| {
            let roots = origin.roots.iter().map(|root| &root.uri);
            roots.chain([&origin.uri])
        });
        let snapshots = self.snapshots().chain(&self.stopped_at).filter_map(RetainedSnapshot::uri);
        snapshots.chain(savepoints).chain(claims).chain(origin)
    }

    /// Whether anything has that number.
    pub(crate) fn names(&self, id: CheckpointId) -> bool {
        let mut savepoints = self.savepoints_in_progress.iter().chain(&self.abandoned_savepoints);
        self.snapshots().chain(&self.stopped_at).any(|snapshot| snapshot.id == id) || savepoints.any(|it| it.id == id)
    }
}

impl HeadVersion {
    /// The version of the first write.
    pub const FIRST: Self = Self(1);

    /// `None` for zero, which no HEAD has.
    pub const fn new(number: u64) -> Option<Self> {
        if number == 0 { None } else { Some(Self(number)) }
    }

    /// The number itself.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The version of the next write; `None` once the numbers are used up.
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }
}

impl fmt::Display for HeadVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Active => "active",
            Self::Finished => "finished",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        })
    }
}

impl Nonce {
    /// Wraps the bytes, which must come from a good source of randomness.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn bytes(self) -> [u8; 16] {
        self.0
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}
