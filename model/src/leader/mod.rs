//! A coordinator that leads: the order of its steps is that of `ckpt_coord`'s, its decisions are the shipping ones.

mod collect;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};

use ckpt_core::head::{ClaimedHead, Collected, Orphans, RemovedSnapshot, RetainedSnapshot, WrittenHead};
use ckpt_core::id::{CheckpointId, FileName, LeaderEpoch, ReservedIds, Writer, WriterId};
use ckpt_core::shared::SharedStateRegistry;
use ckpt_core::snapshot::{CheckpointIdentity, JobEnd, RetentionPolicy, SnapshotKind};
use ckpt_core::state::{FileRef, Place, ReusedFile, Root, StateHandle};
use ckpt_core::{Digest, Timestamp};
use ckpt_storage::SeenHead;

use crate::history::Broken;
use crate::rules::Break;
use crate::scene::{Event, Scene};
use crate::store::{Doomed, Metadata};
use crate::swap::Swap;

/// A process that leads the job, or believes that it does.
#[derive(Clone, Debug)]
pub(crate) struct Leader {
    /// What tells it from every other.
    pub(crate) nonce: u8,
    pub(crate) head: ClaimedHead,
    ids: ReservedIds,
    seen: Option<SeenHead>,
    registry: SharedStateRegistry,
    writer: u64,
    files_written: u32,
    /// Shared files that the tasks have written for checkpoints which were aborted, and believe to be kept.
    kept: BTreeSet<FileName>,
    /// What the checkpoints that it knows name.
    books: BTreeMap<CheckpointId, Metadata>,
    pub(crate) pending: BTreeMap<CheckpointId, Pending>,
    pub(crate) savepoints: BTreeMap<CheckpointId, SavepointStage>,
    /// Removed, and not being deleted.
    removed: Vec<RemovedSnapshot>,
    collected: Collected,
    /// The write of HEAD that is under way.
    pub(crate) write: Option<(Change, Swap)>,
    pub(crate) has_ended: bool,
}

/// A checkpoint that is being taken.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Pending {
    pub(crate) base: Option<CheckpointId>,
    kind: SnapshotKind,
    pub(crate) stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Stage {
    Triggered,
    Acknowledged,
    Published,
    Committing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum SavepointStage {
    /// HEAD is to name it.
    Beginning,
    /// HEAD names it.
    Begun,
    Made,
    /// Its `_metadata` is there, and it is not known whether the mark is.
    Published,
    /// Its user was told, or the job is to stop with it.
    Complete,
    /// It cannot be published.
    Failed,
}

/// What a task names in its part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Names {
    /// A shared file that it has written.
    Fresh,
    /// The shared files of the base.
    Base,
    /// A file that it has written for a checkpoint which was aborted.
    Again,
}

/// What a write of HEAD does.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) what: What,
    collected: Collected,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum What {
    Commit(CheckpointId),
    BeginSavepoint(CheckpointId),
    SavepointPublished(CheckpointId),
    GiveUpSavepoint(CheckpointId),
    Stop(CheckpointId),
    End(JobEnd),
    Clear,
}

/// The policy of the job.
pub(crate) const RETENTION: RetentionPolicy = RetentionPolicy::RetainOnFailure;

impl Leader {
    /// A claim was written: what it retains is read, what former leaders left is collected.
    pub(crate) fn take_over(
        nonce: u8,
        written: WrittenHead,
        seen: SeenHead,
        scene: &mut Scene<'_>,
    ) -> Result<Self, Broken> {
        let head = written.head.head().clone();
        let mut registry = SharedStateRegistry::new(head.epoch);
        let mut books = BTreeMap::new();
        for snapshot in &head.retained {
            let metadata =
                scene.store.metadata.get(&snapshot.id).ok_or(Broken::Stuck("a retained checkpoint is gone"))?;
            registry
                .restore(snapshot.id, |visit| {
                    metadata.shared.iter().for_each(|file| visit(&handle(*file).view()));
                    Ok(())
                })
                .map_err(|_| Broken::Stuck("retained checkpoints contradict one another"))?;
            books.insert(snapshot.id, metadata.clone());
        }
        registry.start_writer(WriterId::new(0)).map_err(|_| Broken::Stuck("a new leader has no writer"))?;
        let alive = books.values().flat_map(|metadata| metadata.shared.iter().copied()).collect();
        let mut leader = Self {
            nonce,
            seen: Some(seen),
            registry,
            writer: 0,
            files_written: 0,
            kept: BTreeSet::new(),
            books,
            pending: BTreeMap::new(),
            savepoints: BTreeMap::new(),
            removed: written.all_removed(),
            collected: Collected::none(),
            write: None,
            has_ended: head.state != ckpt_core::head::JobState::Active,
            ids: written.reserved.clone(),
            head: written.head.clone(),
        };
        for savepoint in written.all_abandoned() {
            leader.delete(Doomed::Savepoint(savepoint.savepoint().id), scene);
        }
        // Before the first leader there was none that could have left anything.
        if head.epoch > LeaderEpoch::new(1) {
            leader.delete(Doomed::Orphans(Orphans::new(&head, alive)), scene);
        }
        leader.collect_removed(scene);
        Ok(leader)
    }

    pub(crate) fn epoch(&self) -> LeaderEpoch {
        self.head.head().epoch
    }

    /// A checkpoint begins.
    pub(crate) fn trigger(&mut self, scene: &mut Scene<'_>) -> Result<(), Broken> {
        let id = self.take_number(scene)?;
        let kind = match self.head.head().requires_full_checkpoint() {
            true => SnapshotKind::FullCheckpoint,
            false => SnapshotKind::Checkpoint,
        };
        let base = self.head.head().base().map(|newest| newest.id);
        let told = base.filter(|_| !scene.rules.is(Break::BaseNotPinned));
        let identity = CheckpointIdentity::new(id, self.epoch(), Timestamp::from_millis(0), told);
        self.registry.begin(&identity, kind).map_err(|_| Broken::Stuck("a new checkpoint cannot begin"))?;
        self.pending.insert(id, Pending { base, kind, stage: Stage::Triggered });
        Ok(())
    }

    pub(crate) fn take_number(&mut self, scene: &mut Scene<'_>) -> Result<CheckpointId, Broken> {
        let id = self.ids.take().ok_or(Broken::Stuck("no number is left"))?;
        scene.history.number_used(id, self.epoch())?;
        Ok(id)
    }

    /// What the task may name in its part of that checkpoint.
    pub(crate) fn nameable(&self, id: CheckpointId) -> Vec<Names> {
        let mut names = vec![Names::Fresh];
        let base = self.pending.get(&id).and_then(|pending| self.books.get(&pending.base?));
        if base.is_some_and(|base| !base.shared.is_empty()) {
            names.push(Names::Base);
        }
        if !self.kept.is_empty() {
            names.push(Names::Again);
        }
        names
    }

    /// The task wrote its part, and acknowledges it.
    pub(crate) fn acknowledge(&mut self, id: CheckpointId, names: Names, scene: &mut Scene<'_>) -> Result<(), Broken> {
        let refused = Broken::Stuck("an acknowledgement is refused that is right");
        let (epoch, writer) = (self.epoch(), WriterId::new(self.writer));
        let base = self.pending.get(&id).and_then(|pending| pending.base);
        let (mut state, mut shared) = (BTreeSet::new(), BTreeSet::new());
        let exclusive = self.new_file();
        scene.store.write_state(id, exclusive, scene.history)?;
        state.insert(exclusive);
        let fresh = (names == Names::Fresh).then(|| self.new_file());
        let mut part = self.registry.acknowledge(id, writer).map_err(|_| refused)?;
        match names {
            Names::Fresh => {
                if let Some(file) = fresh {
                    scene.store.write_shared(file, scene.history)?;
                    part.written(&handle(file)).map_err(|_| refused)?;
                    shared.insert(file);
                }
            }
            Names::Again => {
                for file in std::mem::take(&mut self.kept) {
                    part.written(&handle(file)).map_err(|_| refused)?;
                    shared.insert(file);
                }
                scene.hit(Event::KeptFileNamed);
            }
            Names::Base => {
                let base = base.and_then(|base| self.books.get(&base)).ok_or(refused)?;
                for file in &base.shared {
                    let reused = ReusedFile::whole(Root::JobShared, FileRef::Ours(*file));
                    // A base that is not pinned may be forgotten by then: the task is refused, and nothing is lost.
                    if part.reused(&reused).is_err() && !scene.rules.is(Break::BaseNotPinned) {
                        return Err(refused);
                    }
                    shared.insert(*file);
                }
                scene.hit(Event::BaseReused);
            }
        }
        part.accept();
        self.books.insert(id, Metadata { epoch, state, shared });
        if let Some(pending) = self.pending.get_mut(&id) {
            pending.stage = Stage::Acknowledged;
        }
        if scene.rules.is(Break::CommittedBeforePublished) {
            self.commit_next(scene, Stage::Acknowledged)?;
        }
        Ok(())
    }

    fn new_file(&mut self) -> FileName {
        let file = Writer::new(self.epoch(), WriterId::new(self.writer)).file(self.files_written);
        self.files_written += 1;
        file
    }

    /// `_metadata` is published, or the name is taken.
    pub(crate) fn publish(&mut self, id: CheckpointId, scene: &mut Scene<'_>) -> Result<(), Broken> {
        let Some(metadata) = self.books.get(&id) else { return Ok(()) };
        if scene.store.publish(id, metadata.clone()) {
            if let Some(pending) = self.pending.get_mut(&id).filter(|pending| pending.stage == Stage::Acknowledged) {
                pending.stage = Stage::Published;
            }
        } else {
            self.abort(id, scene);
        }
        self.proceed(scene)
    }

    /// Whatever has become possible.
    pub(crate) fn proceed(&mut self, scene: &mut Scene<'_>) -> Result<(), Broken> {
        if !self.has_ended {
            self.commit_next(scene, Stage::Published)?;
        }
        self.collect_removed(scene);
        Ok(())
    }

    /// All tasks are restored: everything pending is given up, and nobody names files as before.
    pub(crate) fn restart_tasks(&mut self, scene: &mut Scene<'_>) -> Result<(), Broken> {
        for id in self.pending.keys().copied().collect::<Vec<_>>() {
            self.abort(id, scene);
        }
        let files = self.registry.end_all_writers();
        self.delete_files(&files, scene);
        if scene.rules.is(Break::WriterBeginsAgain) {
            self.files_written = 0;
            self.kept.clear();
            return Ok(());
        }
        self.writer += 1;
        self.files_written = 0;
        self.kept.clear();
        let writer = WriterId::new(self.writer);
        self.registry.start_writer(writer).map_err(|_| Broken::Stuck("a new writer cannot start"))?;
        self.proceed(scene)
    }

    /// Whether it has stopped the job with a savepoint, so that nothing more is committed.
    pub(crate) fn is_stopped(&self) -> bool {
        let head = self.head.head();
        head.stopped_at.as_ref().is_some_and(|savepoint| savepoint.epoch == head.epoch)
    }

    /// What a checkpoint that it takes would name.
    pub(crate) fn book(&self, id: CheckpointId) -> Option<&Metadata> {
        self.books.get(&id)
    }

    fn is_alive(&self, file: FileName) -> bool {
        self.registry.is_alive(Root::JobShared, &FileRef::Ours(file))
    }
}

impl Hash for Leader {
    /// All but how the registry arranges what it knows: what it would answer stands for it.
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.nonce, self.head.head().version, self.head.head(), self.ids.remaining()).hash(state);
        (&self.seen, self.writer, self.files_written, &self.kept, &self.books, &self.pending, &self.savepoints)
            .hash(state);
        self.removed.iter().for_each(|removed| removed.snapshot().id.hash(state));
        (&self.collected.snapshots, &self.collected.savepoints, self.has_ended).hash(state);
        if let Some((change, swap)) = &self.write {
            (change.what, &change.collected.snapshots, &change.collected.savepoints, swap).hash(state);
        }
        for (id, book) in &self.books {
            (self.registry.knows(*id), self.registry.is_pinned(*id)).hash(state);
            book.shared.iter().for_each(|file| self.is_alive(*file).hash(state));
        }
        let own = Writer::new(self.epoch(), WriterId::new(self.writer));
        (0..self.files_written).for_each(|number| self.is_alive(own.file(number)).hash(state));
    }
}

/// A shared file, as a task names it.
fn handle(file: FileName) -> StateHandle {
    let place = Place::File { root: Root::JobShared, file: FileRef::Ours(file) };
    StateHandle::assume_durable(place, 1, Some(Digest::of(b"state")))
}

/// A checkpoint, as HEAD names it.
fn snapshot(id: CheckpointId, epoch: LeaderEpoch, kind: SnapshotKind) -> RetainedSnapshot {
    RetainedSnapshot::new(id, epoch, kind, 100, Digest::of(&id.get().to_be_bytes()))
}
