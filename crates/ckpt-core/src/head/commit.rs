//! How a checkpoint is committed, and what follows from it.

use super::error::TransitionError;
use super::{ClaimedHead, Collected, Head, HeadWrite, Ownership, RetainedSnapshot, SnapshotPlace};
use crate::error::Result;

impl ClaimedHead {
    /// The write that commits `completed` and in the same step moves the oldest retained ones beyond `retain` to the
    /// removed, all but those that are borrowed, which it just drops, and with them the savepoint that a former leader
    /// stopped the job with; it also drops `collected`, and reserves another block of numbers when fewer than half a block
    /// are left above `completed`.
    ///
    /// Which ones are removed is [Flink's rule](super#retention): the newest never; what remains is that any other may be.
    ///
    /// # Errors
    ///
    /// `FailJob` when `completed` is not newer than everything that could be restored, or is of another epoch, or its
    /// number was never reserved by this leader or is used already, or it is a savepoint, or lies elsewhere, or names files
    /// below a claim that is not held, or reuses files where the first checkpoint [must not](Head::requires_full_checkpoint),
    /// or this leader has stopped the job with a savepoint, or `retain` is zero or above [`Head::MAX_RETAINED`];
    /// `Configuration` when the job has ended.
    pub fn commit(&self, completed: RetainedSnapshot, retain: usize, collected: &Collected) -> Result<HeadWrite> {
        self.refuse_commit(&completed)?;
        if retain == 0 || retain > Head::MAX_RETAINED {
            return Err(TransitionError::Retain { found: retain }.into());
        }
        let id = completed.id;
        let mut draft = self.next(collected)?;
        // What a later leader takes goes on from that savepoint, so there is no way back to it.
        draft.next.stopped_at = None;
        draft.next.retained.push(completed);
        let excess = draft.next.retained.len().saturating_sub(retain);
        let leaving = draft.next.retained.drain(..excess).collect();
        draft.remove(leaving);
        // The number itself is below the boundary, and used.
        let left_above = self.0.unreserved_id.get() - id.get() - 1;
        if left_above < Head::ID_BLOCK / 2 {
            draft.reserve()?;
        }
        Ok(draft.propose())
    }

    fn refuse_commit(&self, completed: &RetainedSnapshot) -> Result<(), TransitionError> {
        let (id, current) = (completed.id, &*self.0);
        current.refuse_ended()?;
        if completed.epoch != current.epoch {
            return Err(TransitionError::OtherEpoch { id, found: completed.epoch, expected: current.epoch });
        }
        if completed.kind.is_savepoint() {
            return Err(TransitionError::Savepoint { id });
        }
        if completed.place != SnapshotPlace::JobDirectory || completed.ownership != Ownership::Job {
            return Err(TransitionError::NotOurs { id });
        }
        if let Some(newest) = current.restore_point().filter(|newest| newest.id >= id) {
            return Err(TransitionError::NotNewer { id, newest: newest.id });
        }
        current.refuse_number(id)?;
        if let Some(savepoint) = current.stopped_by_this_leader() {
            return Err(TransitionError::Stopped { id, savepoint: savepoint.id });
        }
        if current.requires_full_checkpoint() && completed.kind.may_reuse_files() {
            return Err(TransitionError::NotFull { id });
        }
        let held = |claim| current.claims.iter().any(|held| held.id == claim);
        match completed.claims.iter().find(|claim| !held(**claim)) {
            Some(claim) => Err(TransitionError::ClaimNotHeld { id, claim: claim.get() }),
            None => Ok(()),
        }
    }

    /// The write that reserves another block of numbers, for a leader that runs out of them without committing; it also
    /// drops `collected`.
    ///
    /// # Errors
    ///
    /// `Configuration` when the job has ended; `FailJob` when numbers are used up.
    pub fn reserve(&self, collected: &Collected) -> Result<HeadWrite> {
        let mut draft = self.next(collected)?;
        draft.reserve()?;
        Ok(draft.propose())
    }

    /// The write that drops `collected`, of which nothing is left, and nothing else. Any leader may, also after the end.
    ///
    /// # Errors
    ///
    /// `FailJob` when the versions of HEAD are used up.
    pub fn collected(&self, collected: &Collected) -> Result<HeadWrite> {
        Ok(self.next_in_any_state(collected)?.propose())
    }
}

impl Head {
    /// A leader uses numbers that it reserved itself, each once.
    pub(super) fn refuse_number(&self, id: crate::id::CheckpointId) -> Result<(), TransitionError> {
        let (first, unreserved) = (self.first_reserved_id, self.unreserved_id);
        if id < first || id >= unreserved {
            return Err(TransitionError::NotReserved { id, first, unreserved });
        }
        if self.names(id) { Err(TransitionError::Used { id }) } else { Ok(()) }
    }

    /// The savepoint that the present leader stopped the job with.
    pub(super) fn stopped_by_this_leader(&self) -> Option<&RetainedSnapshot> {
        self.stopped_at.as_ref().filter(|savepoint| savepoint.epoch == self.epoch)
    }
}
