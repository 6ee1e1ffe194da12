//! What may be deleted: types that only a HEAD that was written yields.

use super::{Claim, Head, RetainedSnapshot, SavepointInProgress};
use crate::id::JobId;

/// A snapshot that no HEAD retains any more, and that is this job's to delete: never a borrowed one. Only a HEAD that was
/// written yields one, so nothing can be deleted before.
///
/// ```compile_fail
/// use ckpt_core::head::{RemovedSnapshot, RetainedSnapshot};
/// // Refused by the compiler: what is retained cannot be called removed.
/// fn delete_at_once(retained: RetainedSnapshot) -> RemovedSnapshot {
///     RemovedSnapshot(retained)
/// }
/// ```
///
/// The proposal of a write yields none either:
///
/// ```compile_fail
/// use ckpt_core::head::{HeadWrite, RemovedSnapshot};
/// fn delete_before_it_is_written(proposal: HeadWrite) -> Vec<RemovedSnapshot> {
///     proposal.removed
/// }
/// ```
///
/// What does compile is to write first:
///
/// ```
/// use ckpt_core::head::{HeadWrite, RemovedSnapshot};
/// fn delete_after_it_is_written(proposal: HeadWrite) -> Vec<RemovedSnapshot> {
///     proposal.written().removed
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemovedSnapshot(RetainedSnapshot);

/// A savepoint that nobody goes on with. Without `_metadata` its directory is to be deleted; with it, it is complete and its
/// user's. Whoever deletes first makes sure that `_metadata` cannot appear any more, since a former leader may still be
/// about to publish it.
///
/// ```compile_fail
/// use ckpt_core::head::{AbandonedSavepoint, SavepointInProgress};
/// // Refused by the compiler: what is being taken cannot be called abandoned.
/// fn delete_at_once(in_progress: SavepointInProgress) -> AbandonedSavepoint {
///     AbandonedSavepoint(in_progress)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbandonedSavepoint(SavepointInProgress);

/// A claim that nothing needs any more: the mark by which this job owns the place may be deleted, and the job that handed
/// the snapshot over may take it [back](super::ClaimedHead::handed_back).
///
/// ```compile_fail
/// use ckpt_core::head::{Claim, ReleasedClaim};
/// // Refused by the compiler: a claim that is held cannot be called released.
/// fn release_at_once(held: Claim) -> ReleasedClaim {
///     ReleasedClaim { claim: held }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleasedClaim {
    claim: Claim,
    job: JobId,
    is_last: bool,
}

impl RemovedSnapshot {
    /// `None` when it is borrowed, whatever a list of removed ones says.
    pub(super) fn of(snapshot: RetainedSnapshot) -> Option<Self> {
        snapshot.may_be_deleted().then_some(Self(snapshot))
    }

    /// What HEAD said of it while it was retained.
    pub const fn snapshot(&self) -> &RetainedSnapshot {
        &self.0
    }
}

impl AbandonedSavepoint {
    pub(super) const fn of(savepoint: SavepointInProgress) -> Self {
        Self(savepoint)
    }

    /// Which one.
    pub const fn savepoint(&self) -> &SavepointInProgress {
        &self.0
    }
}

impl ReleasedClaim {
    /// A claim that the written `head` has released.
    pub(super) fn of(claim: Claim, head: &Head) -> Self {
        Self { claim, job: head.job, is_last: head.claims.is_empty() }
    }

    /// Which one.
    pub const fn claim(&self) -> &Claim {
        &self.claim
    }

    /// The job that has released it.
    pub const fn job(&self) -> JobId {
        self.job
    }

    /// Whether the job holds no claim any more.
    pub const fn is_last(&self) -> bool {
        self.is_last
    }
}
