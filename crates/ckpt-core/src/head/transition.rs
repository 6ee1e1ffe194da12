//! How HEAD changes.

use super::error::TransitionError;
use super::{Head, HeadVersion, JobState, Nonce, Ownership, RetainedSnapshot, SnapshotPlace};
use crate::error::Result;
use crate::id::{CheckpointId, JobId, LeaderEpoch, ReservedIds};
use crate::state::ClaimId;

/// HEAD as its present leader last wrote it. Only its holder may propose the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedHead(Box<Head>);

/// The next HEAD, not written yet. Becomes a [`WrittenHead`] when the store says that it was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "nothing has changed until it is written"]
pub struct HeadWrite {
    next: Box<Head>,
    removes: Vec<RetainedSnapshot>,
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
    /// The checkpoint numbers that this write reserved for its leader; none when it left them as they were. They continue
    /// those that the leader has already.
    pub reserved: ReservedIds,
}

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

impl Head {
    /// How many checkpoint numbers a leader reserves with one write.
    pub const ID_BLOCK: u64 = 1000;

    /// The write by which a new leader takes over: the next epoch, a block of numbers, and everything else as it was.
    ///
    /// # Errors
    ///
    /// `Configuration` when HEAD is of another job, or the job has ended; `FailJob` when numbers are used up.
    pub fn claim(current: Option<&Self>, job: JobId, nonce: Nonce) -> Result<HeadWrite> {
        let Some(current) = current else {
            let next = Self {
                job,
                version: HeadVersion::FIRST,
                epoch: LeaderEpoch::new(1),
                nonce,
                state: JobState::Active,
                unreserved_id: CheckpointId::FIRST,
                retained: Vec::new(),
                restored_from: None,
                stopped_at: None,
                claims: Vec::new(),
                next_claim: ClaimId::FIRST,
                savepoints_in_progress: Vec::new(),
                removed: Vec::new(),
            };
            return HeadWrite::of(next).reserving();
        };
        if current.job != job {
            return Err(TransitionError::OtherJob { found: current.job, expected: job }.into());
        }
        current.refuse_ended()?;
        let next = Self {
            version: current.next_version()?,
            epoch: current.epoch.next().ok_or(TransitionError::UsedUp { what: "leader epochs" })?,
            nonce,
            restored_from: current.restore_point().map(|snapshot| snapshot.id),
            ..current.clone()
        };
        HeadWrite::of(next).reserving()
    }

    fn refuse_ended(&self) -> Result<(), TransitionError> {
        match self.state {
            JobState::Active => Ok(()),
            state => Err(TransitionError::Ended { job: self.job, state, version: self.version }),
        }
    }

    fn next_version(&self) -> Result<HeadVersion, TransitionError> {
        self.version.next().ok_or(TransitionError::UsedUp { what: "versions of HEAD" })
    }
}

impl ClaimedHead {
    /// What HEAD says.
    pub const fn head(&self) -> &Head {
        &self.0
    }

    /// The write that commits `completed` and in the same step moves the oldest retained ones beyond `retain` to the
    /// removed, all but those that are borrowed, which it just drops; it also drops `collected`, whose files are gone, from
    /// the list of the removed, and reserves another block of numbers when fewer than half a block are left above
    /// `completed`.
    ///
    /// # Errors
    ///
    /// `FailJob` when `completed` is not newer than everything that could be restored, or is of another epoch, or its
    /// number was never reserved, or it is a savepoint, or lies elsewhere, or this leader has stopped the job with a
    /// savepoint, or `retain` is zero; `Configuration` when the job has ended.
    pub fn commit(&self, completed: RetainedSnapshot, retain: usize, collected: &[CheckpointId]) -> Result<HeadWrite> {
        let (id, current) = (completed.id, &*self.0);
        if retain == 0 {
            return Err(TransitionError::RetainsNone.into());
        }
        if completed.epoch != current.epoch {
            return Err(TransitionError::OtherEpoch { id, found: completed.epoch, expected: current.epoch }.into());
        }
        if id >= current.unreserved_id {
            return Err(TransitionError::NotReserved { id, unreserved: current.unreserved_id }.into());
        }
        if completed.kind.is_savepoint() {
            return Err(TransitionError::Savepoint { id }.into());
        }
        if completed.place != SnapshotPlace::JobDirectory || completed.ownership != Ownership::Job {
            return Err(TransitionError::NotOurs { id }.into());
        }
        if let Some(newest) = current.restore_point().filter(|newest| newest.id >= id) {
            return Err(TransitionError::NotNewer { id, newest: newest.id }.into());
        }
        // What a later leader takes goes back to that savepoint and goes on from there; what this one takes ran past it.
        if let Some(savepoint) = current.stopped_at.as_ref().filter(|savepoint| savepoint.epoch == current.epoch) {
            return Err(TransitionError::Stopped { id, savepoint: savepoint.id }.into());
        }
        let mut write = self.next(collected)?;
        write.next.retained.push(completed);
        let excess = write.next.retained.len().saturating_sub(retain);
        let removes = write.next.retained.drain(..excess).collect();
        let write = write.removing(removes);
        // The number itself is below the boundary, and used.
        let left_above = current.unreserved_id.get() - id.get() - 1;
        if left_above < Head::ID_BLOCK / 2 { write.reserving() } else { Ok(write) }
    }

    /// The write that reserves another block of numbers, for a leader that runs out of them without committing; it also
    /// drops `collected`, whose files are gone, from the list of the removed.
    ///
    /// # Errors
    ///
    /// `Configuration` when the job has ended; `FailJob` when numbers are used up.
    pub fn reserve(&self, collected: &[CheckpointId]) -> Result<HeadWrite> {
        self.next(collected)?.reserving()
    }

    /// The write that ends the job, after which only [`collected`](Self::collected) follows; every retained checkpoint is
    /// removed or stays, as `retention` says. Those that are borrowed are never removed, only dropped.
    ///
    /// # Errors
    ///
    /// `FailJob` when the state is `Active`, which is no end; `Configuration` when the job has ended already.
    pub fn end(&self, state: JobState, retention: AtEnd, collected: &[CheckpointId]) -> Result<HeadWrite> {
        if state == JobState::Active {
            return Err(TransitionError::EndsActive.into());
        }
        let mut write = self.next(collected)?;
        write.next.state = state;
        let removes = match retention {
            AtEnd::Retain => Vec::new(),
            AtEnd::Discard => std::mem::take(&mut write.next.retained),
        };
        Ok(write.removing(removes))
    }

    /// The write that drops `collected`, whose files are gone, from the list of the removed, and nothing else. The one
    /// change of a job that has ended.
    ///
    /// # Errors
    ///
    /// `FailJob` when the versions of HEAD are used up.
    pub fn collected(&self, collected: &[CheckpointId]) -> Result<HeadWrite> {
        self.without(collected)
    }

    /// The next version of HEAD of a job that goes on, in which only `collected` is gone from the removed.
    fn next(&self, collected: &[CheckpointId]) -> Result<HeadWrite> {
        self.0.refuse_ended()?;
        self.without(collected)
    }

    fn without(&self, collected: &[CheckpointId]) -> Result<HeadWrite> {
        let mut next = Head { version: self.0.next_version()?, ..(*self.0).clone() };
        next.removed.retain(|removed| !collected.contains(&removed.id));
        Ok(HeadWrite::of(next))
    }
}

/// What becomes of the retained checkpoints when a job ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AtEnd {
    /// They stay.
    Retain,
    /// They are removed.
    Discard,
}

impl HeadWrite {
    fn of(next: Head) -> Self {
        Self { next: Box::new(next), removes: Vec::new(), reserves: ReservedIds::none() }
    }

    /// The same write, which removes these too. What is borrowed is not ours to delete: it is just retained no more.
    fn removing(mut self, leaving: Vec<RetainedSnapshot>) -> Self {
        let removes: Vec<_> = leaving.into_iter().filter(RetainedSnapshot::may_be_deleted).collect();
        self.next.removed.extend(removes.iter().cloned());
        self.removes.extend(removes);
        self
    }

    /// The same write, which also moves the boundary of the reserved numbers up by one block.
    fn reserving(mut self) -> Result<Self> {
        let first = self.next.unreserved_id;
        let end = first.get().checked_add(Head::ID_BLOCK).and_then(CheckpointId::new);
        self.next.unreserved_id = end.ok_or(TransitionError::UsedUp { what: "checkpoint numbers" })?;
        self.reserves = ReservedIds::between(first, self.next.unreserved_id);
        Ok(self)
    }

    /// What is to be written.
    pub const fn head(&self) -> &Head {
        &self.next
    }

    /// The store says that it was written. Claiming that of a write that failed breaks every promise.
    pub fn written(self) -> WrittenHead {
        WrittenHead {
            head: ClaimedHead(self.next),
            removed: self.removes.into_iter().filter_map(RemovedSnapshot::of).collect(),
            reserved: self.reserves,
        }
    }
}

impl WrittenHead {
    /// Everything that may be deleted: what this write removed and what earlier ones did and is still listed.
    pub fn all_removed(&self) -> Vec<RemovedSnapshot> {
        self.head.0.removed.iter().cloned().filter_map(RemovedSnapshot::of).collect()
    }
}

impl RemovedSnapshot {
    /// `None` when it is borrowed, whatever a list of removed ones says.
    fn of(snapshot: RetainedSnapshot) -> Option<Self> {
        snapshot.may_be_deleted().then_some(Self(snapshot))
    }

    /// What HEAD said of it while it was retained.
    pub const fn snapshot(&self) -> &RetainedSnapshot {
        &self.0
    }
}
