//! Savepoints, and how a job is stopped with one.

use super::error::TransitionError;
use super::write::Draft;
use super::{ClaimedHead, Collected, Head, HeadWrite, Ownership, RetainedSnapshot, SavepointInProgress};
use crate::error::Result;
use crate::id::CheckpointId;
use crate::snapshot::{AfterSavepoint, SnapshotKind};

impl ClaimedHead {
    /// The write that comes before a savepoint's directory is made; it also drops `collected`.
    ///
    /// # Errors
    ///
    /// `Configuration` when the job has ended. `FailJob` when its number was never reserved by this leader or is used
    /// already, or this leader has stopped the job. `AbortCheckpoint` when too many savepoints are being taken, or their
    /// places are too long.
    pub fn begin_savepoint(&self, savepoint: SavepointInProgress, collected: &Collected) -> Result<HeadWrite> {
        let (id, current) = (savepoint.id, &*self.0);
        current.refuse_ended()?;
        current.refuse_number(id)?;
        if let Some(stopped) = current.stopped_by_this_leader() {
            return Err(TransitionError::Stopped { id, savepoint: stopped.id }.into());
        }
        let mut draft = self.next(collected)?;
        let next = &mut draft.next;
        if next.savepoints_in_progress.len() + next.abandoned_savepoints.len() >= Head::MAX_SAVEPOINTS {
            return Err(TransitionError::ManySavepoints { id }.into());
        }
        next.savepoints_in_progress.push(savepoint);
        next.savepoints_in_progress.sort_by_key(|savepoint| savepoint.id);
        next.refuse_long_uris()?;
        Ok(draft.propose())
    }

    /// The write that drops a savepoint whose `_metadata` is published: it is its user's now. It also drops `collected`.
    ///
    /// # Errors
    ///
    /// `Configuration` when the job has ended; `FailJob` when it is not in progress.
    pub fn savepoint_published(&self, id: CheckpointId, collected: &Collected) -> Result<HeadWrite> {
        let mut draft = self.next(collected)?;
        take(&mut draft, id)?;
        Ok(draft.propose())
    }

    /// The write that gives a savepoint up, after which its directory may be deleted; it also drops `collected`. Not for one
    /// whose `_metadata` is being published, or may have been: that stays in progress until it is known.
    ///
    /// # Errors
    ///
    /// `Configuration` when the job has ended; `FailJob` when it is not in progress.
    pub fn give_up_savepoint(&self, id: CheckpointId, collected: &Collected) -> Result<HeadWrite> {
        let mut draft = self.next(collected)?;
        if !draft.next.savepoints_in_progress.iter().any(|savepoint| savepoint.id == id) {
            return Err(TransitionError::NotInProgress { id }.into());
        }
        draft.abandon(|savepoint| savepoint.id == id);
        Ok(draft.propose())
    }

    /// The write that stops the job with a savepoint that was begun and is published, before any task is told: from then on
    /// a restore takes it or refuses, since sinks may have committed what only it knows of. Nothing is removed: what
    /// becomes of the checkpoints is settled when the job [ends](Self::end). It also drops `collected`.
    ///
    /// # Errors
    ///
    /// `Configuration` when the job has ended. `FailJob` when it does not stop the job by its kind, is of another epoch, is
    /// not in progress at that place, is not its user's, or something newer can be restored, or the job is stopped already.
    pub fn stop(&self, savepoint: RetainedSnapshot, collected: &Collected) -> Result<HeadWrite> {
        let (id, current) = (savepoint.id, &*self.0);
        let stops = [AfterSavepoint::Suspend, AfterSavepoint::Terminate];
        let mut draft = self.next(collected)?;
        if !matches!(savepoint.kind, SnapshotKind::Savepoint { then, .. } if stops.contains(&then)) {
            return Err(TransitionError::DoesNotStop { id, kind: savepoint.kind }.into());
        }
        if savepoint.epoch != current.epoch {
            return Err(TransitionError::OtherEpoch { id, found: savepoint.epoch, expected: current.epoch }.into());
        }
        if let Some(stopped) = current.stopped_by_this_leader() {
            return Err(TransitionError::Stopped { id, savepoint: stopped.id }.into());
        }
        if savepoint.ownership != Ownership::Borrowed || !savepoint.claims.is_empty() {
            return Err(TransitionError::NotItsUsers { id }.into());
        }
        if let Some(newest) = current.restore_point().filter(|newest| newest.id >= id) {
            return Err(TransitionError::NotNewer { id, newest: newest.id }.into());
        }
        let begun = take(&mut draft, id)?;
        if savepoint.uri() != Some(&begun.uri) {
            return Err(TransitionError::BegunElsewhere { id, uri: begun.uri }.into());
        }
        draft.next.stopped_at = Some(savepoint);
        Ok(draft.propose())
    }
}

/// Takes a savepoint out of those that are in progress.
fn take(draft: &mut Draft, id: CheckpointId) -> Result<SavepointInProgress, TransitionError> {
    let in_progress = &mut draft.next.savepoints_in_progress;
    let position = in_progress.iter().position(|savepoint| savepoint.id == id);
    position.map(|position| in_progress.remove(position)).ok_or(TransitionError::NotInProgress { id })
}
