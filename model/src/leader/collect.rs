//! What a leader gives up and has deleted.

use ckpt_core::id::{CheckpointId, FileName, Writer, WriterId};
use ckpt_core::shared::RemovedFiles;

use super::{Leader, Pending, Stage};
use crate::rules::Break;
use crate::scene::{Event, Scene};
use crate::store::{Deletion, Doomed};

impl Leader {
    /// Gives up a pending checkpoint whose commit was not emitted.
    pub(crate) fn abort(&mut self, id: CheckpointId, scene: &mut Scene<'_>) {
        let may =
            |pending: &Pending| pending.stage != Stage::Committing || scene.rules.is(Break::AbortedWhileCommitting);
        if !self.pending.get(&id).is_some_and(may) {
            return;
        }
        self.pending.remove(&id);
        if let Some(book) = self.books.remove(&id) {
            let own = Writer::new(self.epoch(), WriterId::new(self.writer));
            let named = |file: &FileName| self.books.values().any(|book| book.shared.contains(file));
            self.kept.extend(book.shared.into_iter().filter(|file| file.writer() == own && !named(file)));
        }
        let files = self.registry.release(id);
        self.delete_files(&files, scene);
        self.delete(Doomed::Aborted(id), scene);
        scene.history.aborted.insert(id);
    }

    /// It leads no more, or does not know. Nothing is deleted, and nobody told that anything is complete.
    pub(crate) fn step_down(&mut self, scene: &mut Scene<'_>) {
        for (id, pending) in std::mem::take(&mut self.pending) {
            let committing = pending.stage == Stage::Committing;
            if committing && scene.rules.is(Break::FencedLeaderAnnounces) {
                scene.announce(id);
            }
            if scene.rules.is(Break::FencedLeaderDeletes) {
                self.delete(Doomed::Aborted(id), scene);
            }
            if !committing {
                scene.history.aborted.insert(id);
            }
        }
    }

    pub(super) fn collect_removed(&mut self, scene: &mut Scene<'_>) {
        let (mut dead, registry, books) = (Vec::new(), &mut self.registry, &mut self.books);
        self.removed.retain(|removed| match registry.remove(removed) {
            Some(files) => {
                books.remove(&removed.snapshot().id);
                dead.push((removed.snapshot().id, files.job_shared().to_vec()));
                false
            }
            None => {
                scene.hit(Event::RemovalWaitsForABase);
                true
            }
        });
        for (id, files) in dead {
            self.delete(Doomed::Removed(id, files), scene);
        }
    }

    pub(super) fn delete_files(&self, files: &RemovedFiles, scene: &mut Scene<'_>) {
        if !files.is_empty() {
            self.delete(Doomed::Shared(files.job_shared().to_vec()), scene);
        }
    }

    pub(super) fn delete(&self, what: Doomed, scene: &mut Scene<'_>) {
        scene.store.deletions.push(Deletion { by: self.nonce, what });
    }

    /// Nothing is left of what it had deleted.
    pub(crate) fn deleted(&mut self, what: &Doomed) {
        match what {
            Doomed::Removed(id, _) => self.collected.snapshots.push(*id),
            Doomed::Savepoint(id) => self.collected.savepoints.push(*id),
            Doomed::Aborted(_) | Doomed::Shared(_) | Doomed::Orphans(_) => {}
        }
        self.collected.snapshots.sort_unstable();
        self.collected.savepoints.sort_unstable();
    }

    pub(crate) fn has_collected(&self) -> bool {
        !self.collected.is_empty()
    }
}
