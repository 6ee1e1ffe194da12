//! Removing a snapshot that HEAD names.

use ckpt_core::head::{Collected, Head, JobState, RemovedSnapshot, RetainedSnapshot, WrittenHead};
use ckpt_core::id::CheckpointId;
use ckpt_core::shared::{RemovedFiles, SharedStateRegistry};
use ckpt_core::snapshot::{JobEnd, RetentionPolicy};
use ckpt_core::{Error, Result};

use super::error::UpkeepError;
use super::outcome::{Removal, Standing, Upkept};
use super::{Authority, JobUpkeep};
use crate::dispose::FileCount;
use crate::layout::{self, OurFile};
use crate::view::CoordinatorView as _;

impl JobUpkeep {
    /// What [`remove`](Self::remove) would do, as HEAD is now. Nothing is written.
    ///
    /// # Errors
    ///
    /// Those of [`remove`](Self::remove) before its claim.
    pub fn plan_removal(&self, id: CheckpointId, authority: Authority) -> Result<Removal> {
        let head = self.head()?;
        let _ = authority.claim(&head, self.job(), self.nonce()?)?;
        let mut removal = Removal::of(&head, self.job(), id)?;
        let snapshot = head.kept().chain(&head.removed).find(|snapshot| snapshot.id == id);
        if let Some(snapshot) = snapshot.filter(|snapshot| snapshot.uri().is_none() && removal.is_ours) {
            removal.own = self.own_files(id)?;
            removal.shared = self.shared_with_nobody(&head, snapshot);
        }
        Ok(removal)
    }

    fn own_files(&self, id: CheckpointId) -> Result<FileCount> {
        let mut own = FileCount::default();
        self.directory.visit_in(&layout::checkpoint_directory(id), &mut |page| {
            let of_ours = page.iter().filter(|entry| OurFile::parse(&entry.path).is_some());
            of_ours.for_each(|entry| own += FileCount { files: 1, bytes: entry.length_bytes });
        })?;
        Ok(own)
    }

    /// How many shared files only that snapshot names, as far as metadata tell.
    fn shared_with_nobody(&self, head: &Head, snapshot: &RetainedSnapshot) -> Option<u64> {
        if !head.handed_over.is_empty() {
            return None;
        }
        let mut named = self.view.load(snapshot).ok()?.shared_files().ok()?;
        for other in head.retained.iter().filter(|other| other.id != snapshot.id && other.uri().is_none()) {
            for name in self.view.load(other).ok()?.shared_files().ok()? {
                named.remove(&name);
            }
        }
        for other in self.set_aside(head).ok()?.iter().filter(|other| other.summary().identity.id != snapshot.id) {
            for name in other.shared_files().ok()? {
                named.remove(&name);
            }
        }
        Some(named.len() as u64)
    }

    /// Has HEAD drop that snapshot, deletes its files, and has HEAD forget it. A snapshot that HEAD lists as removed already is
    /// taken up where its removal ended.
    ///
    /// What an active job retains is dropped only when it has ended, so a job that is taken over for that is ended as cancelled,
    /// and keeps everything else: no job is ever restored from less than it had committed. A new job may begin from what is
    /// left.
    ///
    /// # Errors
    ///
    /// Nothing was deleted then: `Configuration` when the job is active and is not to be taken over, is another one, HEAD does
    /// not name the snapshot, or another job has taken it over; `Fenced` when somebody else claimed the job meanwhile; `Unknown`
    /// when HEAD may have been written: the same call again finds out. Those of reading HEAD. What went wrong after HEAD was
    /// written is in [`Upkept::errors`].
    pub fn remove(&self, id: CheckpointId, authority: Authority) -> Result<Upkept> {
        // Before the claim, which fences.
        self.plan_removal(id, authority)?;
        let mut written = self.claim(authority)?;
        let removal = Removal::of(written.head.head(), self.job(), id)?;
        let before = self.survey_as(written.head.head(), written.head.head()).ok();
        if removal.ends_job {
            // Whoever wants no checkpoint of it removes them one by one.
            let retention = RetentionPolicy::RetainOnCancellation;
            written = self.write(written.head.end(JobEnd::Cancelled, retention, &Collected::none())?)?;
        }
        if removal.standing != Standing::Removed {
            written = self.write(written.head.discard(&[id], &Collected::none())?)?;
        }
        let mut errors = Vec::new();
        // What is borrowed was dropped, and there is nothing to delete.
        if let Some(removed) = written.all_removed().into_iter().find(|removed| removed.snapshot().id == id) {
            written = self.delete_removed(&removed, written, &mut errors);
        }
        written = self.give_back(written, &mut errors);
        let head = written.head.head();
        let after = self.survey_as(head, head).ok();
        Ok(Upkept { before, after, head: (head.version, head.state), errors })
    }

    fn delete_removed(&self, removed: &RemovedSnapshot, written: WrittenHead, errors: &mut Vec<Error>) -> WrittenHead {
        if waits_for_others(written.head.head(), removed) {
            return written;
        }
        let files = self.dead_shared(written.head.head(), removed).unwrap_or_else(|source| {
            let id = removed.snapshot().id;
            errors.push(UpkeepError::SharedUnknown { id, source }.retry());
            RemovedFiles::default()
        });
        if let Err(error) = self.view.remove(removed, &files) {
            errors.push(error);
            return written;
        }
        let mut collected = Collected::none();
        collected.snapshots.push(removed.snapshot().id);
        self.forget(written, &collected, errors)
    }

    /// Gives the claims back that nothing needs any more, and has HEAD forget them.
    pub(super) fn give_back(&self, written: WrittenHead, errors: &mut Vec<Error>) -> WrittenHead {
        let mut collected = Collected::none();
        for released in written.all_released() {
            match self.view.release_claim(&released) {
                Ok(()) => collected.claims.push(released.claim().id),
                Err(error) => errors.push(error),
            }
        }
        if collected.is_empty() { written } else { self.forget(written, &collected, errors) }
    }

    /// Has HEAD forget what is gone.
    pub(super) fn forget(&self, written: WrittenHead, collected: &Collected, errors: &mut Vec<Error>) -> WrittenHead {
        match written.head.collected(collected).and_then(|write| self.write(write)) {
            Ok(forgotten) => forgotten,
            Err(error) => {
                errors.push(error);
                written
            }
        }
    }

    /// The shared files that nothing names any more without that snapshot.
    ///
    /// # Errors
    ///
    /// It is not known what others name. What the snapshot itself names need not be known: a collection finds it.
    pub(super) fn dead_shared(&self, head: &Head, removed: &RemovedSnapshot) -> Result<RemovedFiles> {
        // The checkpoints of other jobs may name any of them.
        if !head.handed_over.is_empty() {
            return Ok(RemovedFiles::default());
        }
        let mut registry = SharedStateRegistry::new(head.epoch);
        for metadata in self.retained(head)? {
            registry.restore(metadata.summary().identity.id, |each| metadata.visit_handles(each))?;
        }
        let Ok(metadata) = self.view.load(removed.snapshot()) else { return Ok(RemovedFiles::default()) };
        registry.restore(removed.snapshot().id, |each| metadata.visit_handles(each))?;
        Ok(registry.remove(removed).unwrap_or_default())
    }
}

/// Whether a removed snapshot names files in places that the job has claimed, while other jobs have taken over snapshots that may
/// name them, too: it stays listed until those are given back, since nothing else finds its files again.
pub(super) fn waits_for_others(head: &Head, removed: &RemovedSnapshot) -> bool {
    !head.handed_over.is_empty() && !removed.snapshot().claims.is_empty()
}

impl Removal {
    /// What becomes of the job.
    pub const fn state_after(&self, before: JobState) -> JobState {
        if self.ends_job { JobState::Cancelled } else { before }
    }
}
