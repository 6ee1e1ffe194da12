//! A change of HEAD, before and after it is written.

use super::error::TransitionError;
use super::{
    AbandonedSavepoint, Claim, Collected, Head, HeadVersion, JobState, ReleasedClaim, RemovedSnapshot,
    RetainedSnapshot, SavepointInProgress,
};
use crate::error::Result;
use crate::id::{CheckpointId, ReservedIds};

/// HEAD as its present leader last wrote it. Only its holder may propose the next one.
///
/// One write is in flight at a time. A proposal that proceeds from an older HEAD than the last one is refused by the store,
/// which compares before it swaps, and its leader is told that it is fenced.
///
/// ```
/// use ckpt_core::head::{ClaimedHead, Head, WrittenHead};
/// fn lead(read: Head, claim: WrittenHead) -> ClaimedHead {
///     claim.head
/// }
/// ```
///
/// Who has read HEAD does not lead yet:
///
/// ```compile_fail,E0423
/// use ckpt_core::head::{ClaimedHead, Head, WrittenHead};
/// fn lead(read: Head, claim: WrittenHead) -> ClaimedHead {
///     ClaimedHead(Box::new(read))
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedHead(pub(super) Box<Head>);

/// The next HEAD, not written yet. Becomes a [`WrittenHead`] when the store says that it was.
///
/// It is used once: the same change again is proposed anew, from the same [`ClaimedHead`], and has the same bytes.
///
/// ```
/// use ckpt_core::head::{HeadWrite, WrittenHead};
/// fn use_once(write: HeadWrite) -> WrittenHead {
///     write.written()
/// }
/// ```
///
/// Then it is gone:
///
/// ```compile_fail,E0382
/// use ckpt_core::head::{HeadWrite, WrittenHead};
/// fn use_once(write: HeadWrite) -> WrittenHead {
///     write.written();
///     write.written()
/// }
/// ```
///
/// And there is no copy of it:
///
/// ```compile_fail,E0277
/// # use ckpt_core::head::{HeadWrite, WrittenHead};
/// fn copy<Change: Clone>(change: &Change) -> Change {
///     change.clone()
/// }
/// fn use_twice(write: &HeadWrite) -> impl Sized {
///     copy(write)
/// }
/// ```
///
/// There is one of what was written:
///
/// ```
/// # use ckpt_core::head::{HeadWrite, WrittenHead};
/// fn copy<Change: Clone>(change: &Change) -> Change {
///     change.clone()
/// }
/// fn use_twice(write: &WrittenHead) -> impl Sized {
///     copy(write)
/// }
/// ```
#[derive(Debug, PartialEq, Eq)]
#[must_use = "nothing has changed until it is written"]
pub struct HeadWrite {
    next: Box<Head>,
    removes: Vec<RetainedSnapshot>,
    abandons: Vec<SavepointInProgress>,
    releases: Vec<Claim>,
    reserves: ReservedIds,
}

/// What a HEAD that was written allows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WrittenHead {
    /// HEAD, from which the next change proceeds.
    pub head: ClaimedHead,
    /// What this write removed: its files may be deleted now.
    pub removed: Vec<RemovedSnapshot>,
    /// The savepoints that this write gave up.
    pub abandoned: Vec<AbandonedSavepoint>,
    /// The claims that this write released.
    pub released: Vec<ReleasedClaim>,
    /// The checkpoint numbers that this write reserved for its leader; none when it left them as they were. They continue
    /// those that the leader has already.
    pub reserved: ReservedIds,
}

impl ClaimedHead {
    /// What HEAD says.
    pub const fn head(&self) -> &Head {
        &self.0
    }

    /// The next version of HEAD of a job that goes on, in which only what is collected is missing.
    pub(super) fn next(&self, collected: &Collected) -> Result<Draft, TransitionError> {
        self.0.refuse_ended()?;
        self.next_in_any_state(collected)
    }

    /// The next version of HEAD of a job that has ended, in which only what is collected is missing.
    pub(super) fn next_after_the_end(&self, collected: &Collected) -> Result<Draft, TransitionError> {
        match self.0.state {
            JobState::Active => Err(TransitionError::NotEnded { job: self.0.job }),
            _ => self.next_in_any_state(collected),
        }
    }

    pub(super) fn next_in_any_state(&self, collected: &Collected) -> Result<Draft, TransitionError> {
        let mut next = Head { version: self.0.next_version()?, ..(*self.0).clone() };
        next.removed.retain(|removed| !collected.snapshots.contains(&removed.id));
        next.abandoned_savepoints.retain(|savepoint| !collected.savepoints.contains(&savepoint.id));
        next.released_claims.retain(|claim| !collected.claims.contains(&claim.id));
        Ok(Draft::of(next))
    }
}

impl Head {
    pub(super) fn refuse_ended(&self) -> Result<(), TransitionError> {
        match self.state {
            JobState::Active => Ok(()),
            state => Err(TransitionError::Ended { job: self.job, state, version: self.version }),
        }
    }

    pub(super) fn next_version(&self) -> Result<HeadVersion, TransitionError> {
        self.version.next().ok_or(TransitionError::UsedUp { what: "versions of HEAD" })
    }
}

/// The next HEAD while a transition makes it.
pub(super) struct Draft {
    pub(super) next: Head,
    removes: Vec<RetainedSnapshot>,
    abandons: Vec<SavepointInProgress>,
    reserves: ReservedIds,
}

impl Draft {
    /// A change to `next` that allows nothing yet.
    pub(super) const fn of(next: Head) -> Self {
        Self { next, removes: Vec::new(), abandons: Vec::new(), reserves: ReservedIds::none() }
    }

    /// Removes these. What is borrowed is not ours to delete: it is just named no more.
    pub(super) fn remove(&mut self, leaving: Vec<RetainedSnapshot>) {
        let removes: Vec<_> = leaving.into_iter().filter(RetainedSnapshot::may_be_deleted).collect();
        let removed = &mut self.next.removed;
        let mut excess = (removed.len() + removes.len()).saturating_sub(Head::MAX_REMOVED);
        // What is claimed would be forgotten for good; a checkpoint of the job's own is found by the next leader.
        removed.retain(|removed| {
            let leaves = excess > 0 && removed.uri().is_none();
            excess -= usize::from(leaves);
            !leaves
        });
        removed.extend(removes.iter().cloned());
        removed.sort_by_key(|removed| removed.id);
        self.removes.extend(removes);
    }

    /// Abandons the savepoints in progress of which `which` is true.
    pub(super) fn abandon(&mut self, which: impl Fn(&SavepointInProgress) -> bool) {
        let in_progress = std::mem::take(&mut self.next.savepoints_in_progress);
        (self.abandons, self.next.savepoints_in_progress) = in_progress.into_iter().partition(which);
        self.next.abandoned_savepoints.extend(self.abandons.iter().cloned());
        self.next.abandoned_savepoints.sort_by_key(|savepoint| savepoint.id);
    }

    /// Moves the boundary of the reserved numbers up by one block.
    pub(super) fn reserve(&mut self) -> Result<(), TransitionError> {
        let first = self.next.unreserved_id;
        let end = first.get().checked_add(Head::ID_BLOCK).and_then(CheckpointId::new);
        self.next.unreserved_id = end.ok_or(TransitionError::UsedUp { what: "checkpoint numbers" })?;
        self.reserves = ReservedIds::between(first, self.next.unreserved_id);
        Ok(())
    }

    /// The change as it is written. It releases the claims that no snapshot needs any more, and forgets where the origin
    /// lay when nothing names it.
    pub(super) fn propose(mut self) -> HeadWrite {
        let claims = std::mem::take(&mut self.next.claims);
        let needed = |claim: &Claim| self.next.snapshots().any(|snapshot| snapshot.claims.contains(&claim.id));
        let (needed, releases): (Vec<_>, Vec<_>) = claims.into_iter().partition(needed);
        self.next.claims = needed;
        self.next.released_claims.extend(releases.iter().cloned());
        self.next.released_claims.sort_by_key(|claim| claim.id);
        if let Some(mut origin) = self.next.origin.take() {
            if !self.next.snapshots().any(|snapshot| origin.lists(snapshot)) {
                origin.roots = Vec::new();
            }
            self.next.origin = Some(origin);
        }
        let Self { next, removes, abandons, reserves } = self;
        HeadWrite { next: Box::new(next), removes, abandons, releases, reserves }
    }
}

impl HeadWrite {
    /// What is to be written.
    pub const fn head(&self) -> &Head {
        &self.next
    }

    /// The store says that it was written: by its compare-and-swap, or, when that was answered with *unknown*, by HEAD being
    /// found to be this very one. Calling it for a write that failed breaks every promise.
    pub fn written(self) -> WrittenHead {
        let released = self.releases.into_iter().map(|claim| ReleasedClaim::of(claim, &self.next)).collect();
        WrittenHead {
            removed: self.removes.into_iter().filter_map(RemovedSnapshot::of).collect(),
            abandoned: self.abandons.into_iter().map(AbandonedSavepoint::of).collect(),
            released,
            reserved: self.reserves,
            head: ClaimedHead(self.next),
        }
    }
}

impl WrittenHead {
    /// Every snapshot that may be deleted: what this write removed and what earlier ones did and is still listed.
    pub fn all_removed(&self) -> Vec<RemovedSnapshot> {
        self.head.0.removed.iter().cloned().filter_map(RemovedSnapshot::of).collect()
    }

    /// Every savepoint that is given up: by this write or by earlier ones, and is still listed.
    pub fn all_abandoned(&self) -> Vec<AbandonedSavepoint> {
        self.head.0.abandoned_savepoints.iter().cloned().map(AbandonedSavepoint::of).collect()
    }

    /// Every claim that is released: by this write or by earlier ones, and is still listed.
    pub fn all_released(&self) -> Vec<ReleasedClaim> {
        let head = &*self.head.0;
        head.released_claims.iter().cloned().map(|claim| ReleasedClaim::of(claim, head)).collect()
    }
}
