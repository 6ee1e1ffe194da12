//! Collecting what a job needs no more.

use ckpt_core::Result;
use ckpt_core::head::Collected;
use ckpt_core::state::RelPath;

use super::remove::waits_for_others;
use super::{Authority, JobUpkeep, Upkept, stops};
use crate::layout;
use crate::view::CoordinatorView as _;

impl JobUpkeep {
    /// Deletes what the job needs no more: snapshots that HEAD lists as removed; savepoints that were given up; everything of
    /// leaders that are gone which HEAD does not name; what its tasks were to dispose of, once the job has ended and retains
    /// nothing; empty directories. It can be taken up again after a crash at any step.
    ///
    /// An active job that is taken over stays active: its next leader claims it and restores what it would have restored.
    ///
    /// # Errors
    ///
    /// Nothing was deleted then: `Configuration` when the job is active and is not to be taken over, or is another one;
    /// `Corrupt` or `NotFound` when the metadata of a retained checkpoint cannot be read, since it is not known then which files
    /// are alive; `Fenced` and `Unknown` as of [`remove`](Self::remove). What went wrong after the claim is in
    /// [`Upkept::errors`].
    pub fn collect(&self, authority: Authority) -> Result<Upkept> {
        // What cannot be collected is told before anybody is fenced.
        self.survey(Some(authority))?;
        let mut written = self.claim(authority)?;
        let head = written.head.head();
        let retained = self.retained(head)?;
        let before = self.survey_as(head, head)?;
        let (mut errors, mut collected) = (Vec::new(), Collected::none());
        for removed in written.all_removed().into_iter().filter(|removed| !waits_for_others(head, removed)) {
            // Without those of the others; what it shares with them goes with the last of them.
            let deleted = self.dead_shared(head, &removed).and_then(|files| self.view.remove(&removed, &files));
            match deleted {
                Ok(()) => collected.snapshots.push(removed.snapshot().id),
                Err(error) => errors.push(error),
            }
        }
        for abandoned in written.all_abandoned() {
            match self.view.remove_abandoned(&abandoned) {
                Ok(_) => collected.savepoints.push(abandoned.savepoint().id),
                Err(error) => errors.push(error),
            }
        }
        errors.extend(self.view.collect_orphans(head, &retained).err());
        let task_owned = written.head.task_owned();
        errors.extend(task_owned.and_then(|files| self.view.remove_task_owned(&files).err()));
        self.delete_empty_directories(&before.empty_directories);
        if !collected.is_empty() {
            written = self.forget(written, &collected, &mut errors);
        }
        written = self.give_back(written, &mut errors);
        let head = written.head.head();
        let after = match errors.iter().any(stops) {
            // Somebody else leads the job, and writes there.
            true => None,
            false => self.survey_as(head, head).map_err(|error| errors.push(error)).ok(),
        };
        Ok(Upkept { before: Some(before), after, head: (head.version, head.state), errors })
    }

    /// One that is not empty stays, as one does that somebody has made anew.
    fn delete_empty_directories(&self, directories: &[RelPath]) {
        // A directory goes with the last name in it, and this one never was there.
        let names: Vec<_> = directories.iter().map(|directory| directory.join(&layout::metadata_file())).collect();
        let _ = self.directory.delete(&names);
    }
}
