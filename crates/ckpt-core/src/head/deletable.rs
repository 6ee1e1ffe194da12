//! What may be deleted: types that only a HEAD that was written yields.

use super::{Claim, ClaimedHead, Head, RetainedSnapshot, SavepointInProgress};
use crate::id::{FileName, JobId, LeaderEpoch};

/// A snapshot that no HEAD retains any more, and that is this job's to delete: never a borrowed one. Only a HEAD that was
/// written yields one, so nothing can be deleted before.
///
/// ```
/// use ckpt_core::head::{HeadWrite, RemovedSnapshot};
/// fn to_delete(proposal: HeadWrite) -> Vec<RemovedSnapshot> {
///     proposal.written().removed
/// }
/// ```
///
/// The proposal of a write yields none yet:
///
/// ```compile_fail,E0609
/// use ckpt_core::head::{HeadWrite, RemovedSnapshot};
/// fn to_delete(proposal: HeadWrite) -> Vec<RemovedSnapshot> {
///     proposal.removed
/// }
/// ```
///
/// And what is retained cannot be called removed:
///
/// ```compile_fail,E0423
/// use ckpt_core::head::{HeadWrite, RemovedSnapshot};
/// fn to_delete(proposal: HeadWrite) -> Vec<RemovedSnapshot> {
///     proposal.written().head.head().retained.iter().cloned().map(RemovedSnapshot).collect()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemovedSnapshot(RetainedSnapshot);

/// A savepoint that nobody goes on with. Without `_metadata` its directory is to be deleted; with it, it is complete and its
/// user's. Whoever deletes first makes sure that `_metadata` cannot appear any more, since a former leader may still be
/// about to publish it.
///
/// ```
/// use ckpt_core::head::{AbandonedSavepoint, WrittenHead};
/// fn to_delete(written: WrittenHead) -> Vec<AbandonedSavepoint> {
///     written.abandoned
/// }
/// ```
///
/// What is being taken cannot be called abandoned:
///
/// ```compile_fail,E0423
/// use ckpt_core::head::{AbandonedSavepoint, WrittenHead};
/// fn to_delete(written: WrittenHead) -> Vec<AbandonedSavepoint> {
///     written.head.head().savepoints_in_progress.iter().cloned().map(AbandonedSavepoint).collect()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbandonedSavepoint(SavepointInProgress);

/// A claim that nothing needs any more: the mark by which this job owns the place may be deleted, and the job that handed
/// the snapshot over may take it [back](super::ClaimedHead::handed_back).
///
/// ```
/// # use ckpt_core::{head::{Claim, ReleasedClaim, WrittenHead}, id::JobId};
/// fn to_release(mut written: WrittenHead, job: JobId, held: Claim) -> Option<ReleasedClaim> {
///     written.released.pop()
/// }
/// ```
///
/// A claim that is held cannot be called released:
///
/// ```compile_fail,E0451
/// # use ckpt_core::{head::{Claim, ReleasedClaim, WrittenHead}, id::JobId};
/// fn to_release(mut written: WrittenHead, job: JobId, held: Claim) -> Option<ReleasedClaim> {
///     Some(ReleasedClaim { claim: held, job, is_last: true })
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleasedClaim {
    claim: Claim,
    job: JobId,
    is_last: bool,
}

/// The files whose life the tasks of a job managed, which has ended and [needs them no more](Head::needs_task_owned): they may
/// be deleted. Only a HEAD that was written yields it, by [`ClaimedHead::task_owned`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskOwnedFiles {
    job: JobId,
    upto: LeaderEpoch,
}

impl TaskOwnedFiles {
    /// The job.
    pub const fn job(&self) -> JobId {
        self.job
    }

    /// Whether that file is one of them, which a leader up to the present one had a task write.
    pub fn contains(&self, name: FileName) -> bool {
        name.epoch <= self.upto
    }
}

impl ClaimedHead {
    /// The files that the tasks managed, once they may be deleted.
    pub fn task_owned(&self) -> Option<TaskOwnedFiles> {
        let Head { job, epoch, .. } = *self.0;
        (!self.0.needs_task_owned()).then_some(TaskOwnedFiles { job, upto: epoch })
    }
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
