//! What HEAD says.

use std::fmt;

use super::{Claim, RetainedSnapshot, SavepointInProgress};
use crate::id::{CheckpointId, JobId, LeaderEpoch};
use crate::state::ClaimId;

/// The record of what a job has committed.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// The first checkpoint number that no leader has reserved yet; a leader uses numbers below it only.
    pub unreserved_id: CheckpointId,
    /// What can be restored, oldest first.
    pub retained: Vec<RetainedSnapshot>,
    /// The snapshot that the present leader began from.
    pub restored_from: Option<CheckpointId>,
    /// The savepoint that the job was stopped with, written before any task is told. It is its user's: never deleted.
    pub stopped_at: Option<RetainedSnapshot>,
    /// The places that this job has taken over, by ascending number.
    pub claims: Vec<Claim>,
    /// The number of the next claim: above all that were ever given, so that none is given twice.
    pub next_claim: ClaimId,
    /// Savepoints that are being taken, by ascending number.
    pub savepoints_in_progress: Vec<SavepointInProgress>,
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
