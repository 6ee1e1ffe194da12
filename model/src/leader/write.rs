//! What a leader writes to HEAD, and what follows from it.

use ckpt_core::head::{HeadWrite, Ownership, SavepointInProgress};
use ckpt_core::snapshot::{AfterSavepoint, SavepointFormat, SnapshotKind};
use ckpt_storage::SeenHead;

use super::{Change, Leader, RETENTION, SavepointStage, Stage, What, snapshot};
use crate::history::Broken;
use crate::rules::Break;
use crate::savepoint::savepoint_uri;
use crate::scene::{Event, Scene};
use crate::store::Doomed;
use crate::swap::Swap;

impl Leader {
    pub(super) fn commit_next(&mut self, scene: &mut Scene<'_>, ready: Stage) -> Result<(), Broken> {
        while self.write.is_none() {
            let next = self.pending.iter().find(|(_, pending)| pending.stage == ready).map(|(id, _)| *id);
            let Some(id) = next else { return Ok(()) };
            if self.begin_write(What::Commit(id), scene)? {
                if let Some(pending) = self.pending.get_mut(&id) {
                    pending.stage = Stage::Committing;
                }
            } else {
                self.abort(id, scene);
            }
        }
        Ok(())
    }

    /// Begins a write of HEAD; `false` when the transition is refused.
    pub(crate) fn begin_write(&mut self, what: What, scene: &mut Scene<'_>) -> Result<bool, Broken> {
        let change = Change { what, collected: self.collected.clone() };
        let Some(write) = self.propose(&change, scene) else { return Ok(false) };
        let body = write.head().encode().map_err(|_| Broken::HeadNotWhole)?;
        let swap = Swap::begin(write.head(), body, self.seen.take().as_ref());
        match what {
            What::Commit(id) if scene.rules.is(Break::AnnouncedBeforeTheCommit) => scene.announce(id),
            What::Stop(id) if scene.rules.is(Break::StoppedButNotInHead) => scene.announce(id),
            _ => {}
        }
        let early = match what {
            What::Commit(_) => scene.rules.is(Break::CollectedBeforeTheCommit),
            What::End(_) => scene.rules.is(Break::DeletedBeforeTheEnd),
            _ => false,
        };
        if early {
            let retained = |id| write.head().retained.iter().any(|snapshot| snapshot.id == id);
            let leaving = self.head.head().retained.iter().filter(|snapshot| !retained(snapshot.id));
            for id in leaving.map(|snapshot| snapshot.id).collect::<Vec<_>>() {
                self.delete(Doomed::Removed(id, Vec::new()), scene);
            }
        }
        self.write = Some((change, swap));
        Ok(true)
    }

    /// The write itself, which is the same whenever it is proposed.
    pub(super) fn propose(&self, change: &Change, scene: &Scene<'_>) -> Option<HeadWrite> {
        let collected = &change.collected;
        match change.what {
            What::Commit(id) => {
                let kind = self.pending.get(&id)?.kind;
                self.head.commit(snapshot(id, self.epoch(), kind), scene.retained, collected)
            }
            What::BeginSavepoint(id) => {
                self.head.begin_savepoint(SavepointInProgress::new(id, savepoint_uri(id)), collected)
            }
            What::SavepointPublished(id) => self.head.savepoint_published(id, collected),
            What::GiveUpSavepoint(id) => self.head.give_up_savepoint(id, collected),
            What::Stop(id) => {
                let then = AfterSavepoint::Suspend;
                let kind = SnapshotKind::Savepoint { format: SavepointFormat::Canonical, then };
                let savepoint = snapshot(id, self.epoch(), kind).elsewhere(savepoint_uri(id), Ownership::Borrowed);
                self.head.stop(savepoint, collected)
            }
            What::End(end) => self.head.end(end, RETENTION, collected),
            What::Clear => self.head.collected(collected),
        }
        .ok()
    }

    /// The store says that HEAD is written.
    pub(crate) fn written(&mut self, change: &Change, seen: SeenHead, scene: &mut Scene<'_>) -> Result<(), Broken> {
        let write = self.propose(change, scene).ok_or(Broken::Stuck("the same change is refused later"))?;
        let written = write.written();
        self.registry.head_written(&written);
        self.seen = Some(seen);
        self.ids.append(written.reserved.clone());
        self.removed.extend(written.removed.iter().cloned());
        self.head = written.head.clone();
        self.collected = std::mem::take(&mut self.collected).listed_in(self.head.head());
        for savepoint in &written.abandoned {
            self.delete(Doomed::Savepoint(savepoint.savepoint().id), scene);
        }
        match change.what {
            What::Commit(id) => {
                self.pending.remove(&id);
                let older: Vec<_> = self.pending.range(..id).map(|(id, _)| *id).collect();
                for older in older {
                    self.abort(older, scene);
                }
                scene.announce(id);
            }
            What::BeginSavepoint(id) => drop(self.savepoints.insert(id, SavepointStage::Begun)),
            What::SavepointPublished(id) | What::GiveUpSavepoint(id) => drop(self.savepoints.remove(&id)),
            What::Stop(id) => {
                self.savepoints.remove(&id);
                scene.announce(id);
                scene.hit(Event::Stopped);
            }
            What::End(_) => {
                self.has_ended = true;
                self.savepoints.clear();
                let files = self.registry.end_all_writers();
                self.delete_files(&files, scene);
                scene.hit(Event::Ended);
            }
            What::Clear => {}
        }
        self.proceed(scene)
    }

    /// The write was not made, for certain.
    pub(crate) fn not_written(&mut self, change: &Change, scene: &mut Scene<'_>) -> Result<(), Broken> {
        match change.what {
            What::Commit(id) => {
                if let Some(pending) = self.pending.get_mut(&id) {
                    pending.stage = Stage::Published;
                }
                self.abort(id, scene);
            }
            What::BeginSavepoint(id) => drop(self.savepoints.remove(&id)),
            _ => {}
        }
        self.proceed(scene)
    }

    /// The write whose outcome is not known is sent once more.
    pub(crate) fn try_again(&mut self, scene: &mut Scene<'_>) -> Result<(), Broken> {
        let Some((change, swap)) = self.write.take() else { return Ok(()) };
        let write = self.propose(&change, scene).ok_or(Broken::Stuck("the same change is refused later"))?;
        if write.head().encode().is_ok_and(|body| body != swap.body()) {
            return Err(Broken::Stuck("the same change has other bytes later"));
        }
        let swap = swap.again(write.head());
        self.write = Some((change, swap));
        Ok(())
    }
}
