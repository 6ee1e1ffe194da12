//! How a job ends, and what becomes of its snapshots.

use super::error::TransitionError;
use super::{ClaimedHead, Collected, HandedOver, Head, HeadWrite, JobState, ReleasedClaim};
use crate::error::Result;
use crate::id::{CheckpointId, JobId};
use crate::snapshot::{JobEnd, RetentionPolicy};

impl ClaimedHead {
    /// The write that ends the job. Where `retention` [discards](RetentionPolicy::discards_on) on that end, every retained
    /// checkpoint and what is set aside is removed; else all stay. Those that are borrowed are never removed, only dropped;
    /// the savepoint that the job was stopped with stays named. Savepoints in progress are abandoned. It also drops
    /// `collected`.
    ///
    /// # Errors
    ///
    /// `FailJob` when the job is suspended, which is no end: it goes on elsewhere, so HEAD stays as it is and nothing is
    /// deleted. `Configuration` when the job has ended already.
    pub fn end(&self, end: JobEnd, retention: RetentionPolicy, collected: &Collected) -> Result<HeadWrite> {
        let state = match end {
            JobEnd::Finished => JobState::Finished,
            JobEnd::Cancelled => JobState::Cancelled,
            JobEnd::Failed => JobState::Failed,
            JobEnd::Suspended => return Err(TransitionError::Suspended.into()),
        };
        let mut draft = self.next(collected)?;
        draft.abandon(|_| true);
        draft.next.state = state;
        if retention.discards_on(end) {
            let mut leaving = std::mem::take(&mut draft.next.retained);
            leaving.append(&mut draft.next.set_aside);
            draft.remove(leaving);
        }
        Ok(draft.propose())
    }

    /// The write that removes snapshots on request: those that are set aside at any time, retained ones after the end. Those
    /// that are borrowed are only dropped. It also drops `collected`.
    ///
    /// # Errors
    ///
    /// `Configuration` when one of them is neither.
    pub fn discard(&self, ids: &[CheckpointId], collected: &Collected) -> Result<HeadWrite> {
        let mut draft = self.next_in_any_state(collected)?;
        let next = &mut draft.next;
        let mut leaving = Vec::new();
        for id in ids {
            let lists = match next.state {
                JobState::Active => vec![&mut next.set_aside],
                _ => vec![&mut next.set_aside, &mut next.retained],
            };
            let found = lists.into_iter().find_map(|list| {
                let position = list.iter().position(|snapshot| snapshot.id == *id)?;
                Some(list.remove(position))
            });
            leaving.push(found.ok_or(TransitionError::NotToDiscard { id: *id })?);
        }
        draft.remove(leaving);
        Ok(draft.propose())
    }

    /// The write that gives a retained snapshot of a job that has ended to the job `to`, which may then claim it. It also
    /// drops `collected`. Giving it to the same job again changes nothing but the version.
    ///
    /// While a snapshot is handed over, this job deletes no file of its shared directory, since it does not know which ones
    /// the checkpoints of the other job name.
    ///
    /// # Errors
    ///
    /// `Configuration` when the job goes on, the snapshot is not retained, is borrowed, or belongs to another job already.
    pub fn hand_over(&self, id: CheckpointId, to: JobId, collected: &Collected) -> Result<HeadWrite> {
        let mut draft = self.next_after_the_end(collected)?;
        let next = &mut draft.next;
        if let Some(handed_over) = next.handed_over.iter().find(|handed_over| handed_over.snapshot.id == id) {
            return match handed_over.to == to {
                true => Ok(draft.propose()),
                false => Err(TransitionError::HandedOver { id, to: handed_over.to, other: to }.into()),
            };
        }
        let position = next.retained.iter().position(|snapshot| snapshot.id == id);
        let Some(position) = position else { return Err(TransitionError::NotRetained { id }.into()) };
        if !next.retained[position].may_be_deleted() {
            return Err(TransitionError::NotToHandOver { id }.into());
        }
        if next.handed_over.len() >= Head::MAX_HANDED_OVER {
            let what = "snapshots that are handed over";
            return Err(TransitionError::TooMany { what, limit: Head::MAX_HANDED_OVER }.into());
        }
        next.handed_over.push(HandedOver::new(next.retained.remove(position), to));
        next.handed_over.sort_by_key(|handed_over| handed_over.snapshot.id);
        Ok(draft.propose())
    }

    /// The write that drops a snapshot which was handed over to a job that needs nothing of it any more, as the last claim
    /// that it released says. It also drops `collected`.
    ///
    /// # Errors
    ///
    /// `Configuration` when the job goes on, or the snapshot is not handed over to the job that released the claim, or that
    /// job holds further claims.
    pub fn handed_back(&self, id: CheckpointId, by: &ReleasedClaim, collected: &Collected) -> Result<HeadWrite> {
        let mut draft = self.next_after_the_end(collected)?;
        let handed_over = &mut draft.next.handed_over;
        let found = |handed_over: &HandedOver| handed_over.snapshot.id == id && handed_over.to == by.job();
        let Some(position) = handed_over.iter().position(found).filter(|_| by.is_last()) else {
            return Err(TransitionError::NotHandedBack { id, by: by.job() }.into());
        };
        handed_over.remove(position);
        Ok(draft.propose())
    }
}
