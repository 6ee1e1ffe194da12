//! The registry.

use std::collections::BTreeMap;

use crate::error::{Error, ErrorKind, Result};
use crate::head::{RemovedSnapshot, WrittenHead};
use crate::id::{CheckpointId, LeaderEpoch, Writer, WriterId};
use crate::shared::acknowledged::same_bytes;
use crate::shared::files::Files;
use crate::shared::name::{Name, content_of};
use crate::shared::slots::{Slot, SlotSet};
use crate::shared::writers::Writers;
use crate::shared::{AcknowledgedFiles, EndedWriters, RemovedFiles, SharedStateRefusal};
use crate::snapshot::{CheckpointIdentity, SnapshotKind};
use crate::state::{FileRef, HandleView, Root};

/// Which shared files are alive in the eyes of one leader, what they hold, and which checkpoints name them (Flink's
/// `SharedStateRegistry`). See the [module](super) for the rules.
///
/// Acknowledging costs one look-up for each file; committing and removing a checkpoint cost a step for each file that is
/// new or dies, and next to nothing for the others.
#[derive(Clone, Debug)]
pub struct SharedStateRegistry {
    pub(super) files: Files,
    pub(super) writers: Writers,
    checkpoints: BTreeMap<CheckpointId, Checkpoint>,
    /// Alive though no checkpoint names them: their writers are.
    pub(super) unnamed: SlotSet,
    /// What the acknowledgement that is being looked at names.
    pub(super) scratch: Vec<Slot>,
}

/// What a checkpoint names.
#[derive(Clone, Debug)]
struct Checkpoint {
    names: SlotSet,
    pending: Option<Pending>,
}

/// A checkpoint that is being taken.
#[derive(Clone, Copy, Debug)]
struct Pending {
    /// What was committed when it began, all of which stays.
    pins: Option<CheckpointId>,
    kind: SnapshotKind,
}

impl SharedStateRegistry {
    /// The registry of the leader of `epoch`, which knows of no checkpoint yet.
    pub fn new(epoch: LeaderEpoch) -> Self {
        Self {
            files: Files::default(),
            writers: Writers::new(epoch),
            checkpoints: BTreeMap::new(),
            unnamed: SlotSet::default(),
            scratch: Vec::new(),
        }
    }

    /// What a checkpoint that HEAD retains names, or one that HEAD has removed and whose files are not all gone. `visit`
    /// shows each of its handles, in any order, as
    /// [`visit_handles`](crate::metadata::CheckpointMetadata::visit_handles) does. Done for all of them before anything
    /// else, since only then is it known which files are alive.
    ///
    /// # Errors
    ///
    /// `FailJob` when a checkpoint of that number is there; `Corrupt` when a file that another checkpoint names has other
    /// bytes here; that of `visit`.
    pub fn restore(
        &mut self,
        id: CheckpointId,
        visit: impl FnOnce(&mut dyn FnMut(&HandleView<'_>)) -> Result<()>,
    ) -> Result<()> {
        if self.knows(id) {
            let refusal = SharedStateRefusal::AlreadyThere { id };
            return Err(Error::new(ErrorKind::FailJob, RestoreError { id, refusal }));
        }
        let (mut names, mut refused) = (SlotSet::default(), None);
        visit(&mut |handle| {
            if refused.is_some() {
                return;
            }
            match self.enter(handle) {
                Ok(slot) => slot.into_iter().for_each(|slot| names.insert(slot)),
                Err(refusal) => refused = Some(refusal),
            }
        })?;
        if let Some(refusal) = refused {
            return Err(Error::new(ErrorKind::Corrupt, RestoreError { id, refusal }));
        }
        self.checkpoints.insert(id, Checkpoint { names, pending: None });
        Ok(())
    }

    /// What a restored handle names, if it is shared.
    fn enter(&mut self, handle: &HandleView<'_>) -> Result<Option<Slot>, SharedStateRefusal> {
        let Some(name) = Name::of(handle)? else { return Ok(None) };
        let content = content_of(handle);
        match self.files.find(&name) {
            Some(slot) => same_bytes(&name, self.files.content(slot), content).map(|()| Some(slot)),
            None => self.files.insert(&name, content).map(Some),
        }
    }

    /// Tasks name files as `writer` from now on. Nothing changes when they do already.
    ///
    /// # Errors
    ///
    /// When it has ended: its names must never be used again.
    pub fn start_writer(&mut self, writer: WriterId) -> Result<(), SharedStateRefusal> {
        self.writers.start(writer)
    }

    /// Nobody names files as any of `writers` any more. Yields those of their files that nothing names.
    pub fn end_writers(&mut self, writers: impl IntoIterator<Item = WriterId>) -> RemovedFiles {
        writers.into_iter().for_each(|writer| self.writers.end(writer));
        let unnamed = std::mem::take(&mut self.unnamed);
        self.settle(&unnamed)
    }

    /// All that name files have ended, as [`end_writers`](Self::end_writers) says it of some.
    pub fn end_all_writers(&mut self) -> RemovedFiles {
        self.writers.end_all();
        self.end_writers([])
    }

    /// Those writers that have ended since this was asked last, with those of their files that are alive: of an ended writer
    /// these only become fewer. Takes a look at every file that is alive, if any of theirs is.
    pub fn take_ended(&mut self) -> EndedWriters {
        let mut ended = EndedWriters::new(self.writers.epoch(), self.writers.take_ended());
        let writers: Vec<_> = ended.writers().collect();
        self.files.of_writers(Root::JobShared, &writers, |file| ended.keep(file));
        ended
    }

    /// What these left could not be collected: they are among those that [`take_ended`](Self::take_ended) yields next.
    pub fn not_collected(&mut self, ended: &EndedWriters) {
        self.writers.ended_again(ended.writers().map(|writer| writer.id));
    }

    /// Whether `writer` has ended, so that [`start_writer`](Self::start_writer) refuses it. One that never began has not.
    pub fn has_ended(&self, writer: WriterId) -> bool {
        self.writers.has_ended(writer)
    }

    /// A checkpoint of that kind begins. All that `latest_completed` of its identity names is pinned until it has ended.
    ///
    /// # Errors
    ///
    /// When a checkpoint of that number is there: what it names would be alive for ever.
    pub fn begin(&mut self, identity: &CheckpointIdentity, kind: SnapshotKind) -> Result<(), SharedStateRefusal> {
        if self.knows(identity.id) {
            return Err(SharedStateRefusal::AlreadyThere { id: identity.id });
        }
        let pending = Some(Pending { pins: identity.latest_completed, kind });
        self.checkpoints.insert(identity.id, Checkpoint { names: SlotSet::default(), pending });
        Ok(())
    }

    /// A task that names files as `writer`, under this leader, acknowledges the pending checkpoint `id`.
    ///
    /// # Errors
    ///
    /// When no such checkpoint is pending.
    pub fn acknowledge(
        &mut self,
        id: CheckpointId,
        writer: WriterId,
    ) -> Result<AcknowledgedFiles<'_>, SharedStateRefusal> {
        let writer = Writer::new(self.writers.epoch(), writer);
        self.part_in(id, Some(writer))
    }

    /// The state of a task that had finished is taken over into the pending checkpoint `id`.
    ///
    /// # Errors
    ///
    /// When no such checkpoint is pending.
    pub fn inherit(&mut self, id: CheckpointId) -> Result<AcknowledgedFiles<'_>, SharedStateRefusal> {
        self.part_in(id, None)
    }

    fn part_in(
        &mut self,
        id: CheckpointId,
        writer: Option<Writer>,
    ) -> Result<AcknowledgedFiles<'_>, SharedStateRefusal> {
        let pending = self.checkpoints.get(&id).and_then(|checkpoint| checkpoint.pending);
        let Pending { pins, kind } = pending.ok_or(SharedStateRefusal::NotPending { id })?;
        self.scratch.clear();
        let base = pins.filter(|_| kind.may_reuse_files());
        Ok(AcknowledgedFiles { registry: self, id, writer, base, pins, shares: !kind.is_savepoint() })
    }

    /// What was looked at last is named by `id`.
    pub(super) fn accept(&mut self, id: CheckpointId) {
        let Some(checkpoint) = self.checkpoints.get_mut(&id) else { return };
        for slot in self.scratch.drain(..) {
            checkpoint.names.insert(slot);
            self.unnamed.remove(slot);
        }
    }

    /// HEAD was written: what it commits is pending no more.
    pub fn head_written(&mut self, written: &WrittenHead) {
        for retained in &written.head.head().retained {
            if let Some(checkpoint) = self.checkpoints.get_mut(&retained.id) {
                checkpoint.pending = None;
            }
        }
    }

    /// A pending checkpoint has ended and is not in HEAD: it was aborted, or it was a savepoint, which belongs to its user.
    /// Yields those files that nothing names now and whose writers have ended. Nothing happens when it is not pending.
    pub fn release(&mut self, id: CheckpointId) -> RemovedFiles {
        if self.checkpoints.get(&id).is_none_or(|checkpoint| checkpoint.pending.is_none()) {
            return RemovedFiles::default();
        }
        let names = self.checkpoints.remove(&id).map(|checkpoint| checkpoint.names).unwrap_or_default();
        self.settle(&names)
    }

    /// HEAD retains a snapshot no more. Yields the files that it named and nothing else does, of which none is ever named
    /// again; `None` while a pending checkpoint pins it: ask again when that has ended.
    pub fn remove(&mut self, removed: &RemovedSnapshot) -> Option<RemovedFiles> {
        let id = removed.snapshot().id;
        if self.is_pinned(id) {
            return None;
        }
        let names = self.checkpoints.remove(&id).map(|checkpoint| checkpoint.names).unwrap_or_default();
        let dead = self.named_by_nothing(&names);
        Some(self.bury(&dead))
    }

    /// Whether it is known what `id` names: it was restored, or began, and is neither removed nor released.
    pub fn knows(&self, id: CheckpointId) -> bool {
        self.checkpoints.contains_key(&id)
    }

    /// Whether `id` is pending, or a pending checkpoint found it committed when it began.
    pub fn is_pinned(&self, id: CheckpointId) -> bool {
        self.checkpoints.get(&id).is_some_and(|checkpoint| checkpoint.pending.is_some())
            || self.checkpoints.values().filter_map(|it| it.pending).any(|pending| pending.pins == Some(id))
    }

    /// Whether that file may be named, now or later: it must not be deleted.
    pub fn is_alive(&self, root: Root, file: &FileRef) -> bool {
        self.files.is_alive(root, file)
    }

    /// How many shared files are alive; of a file that holds several pieces each counts.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether none is alive.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The slot of a name that `checkpoint` names.
    pub(super) fn named_by(&self, checkpoint: Option<CheckpointId>, name: &Name<'_>) -> Option<Slot> {
        let checkpoint = self.checkpoints.get(&checkpoint?)?;
        self.files.find(name).filter(|slot| checkpoint.names.contains(*slot))
    }

    /// Those of `slots` that no checkpoint names.
    fn named_by_nothing(&self, slots: &SlotSet) -> Vec<Slot> {
        let others: Vec<_> = self.checkpoints.values().map(|checkpoint| &checkpoint.names).collect();
        slots.without(&others).collect()
    }

    /// Of `slots`, those that nothing names stay while their writers are alive; the others die. All of them were written
    /// under this leader: what it restored is named until a checkpoint is [removed](Self::remove).
    fn settle(&mut self, slots: &SlotSet) -> RemovedFiles {
        let mut dead = self.named_by_nothing(slots);
        dead.retain(|slot| {
            let writer = self.files.writer_of(*slot);
            let stays = writer.is_some_and(|writer| self.writers.dead_of(writer).is_some());
            if stays {
                self.unnamed.insert(*slot);
            }
            !stays
        });
        self.bury(&dead)
    }

    fn bury(&mut self, dead: &[Slot]) -> RemovedFiles {
        let mut removed = RemovedFiles::default();
        let writers = &mut self.writers;
        self.files.remove(dead, |root, file| {
            if let (Root::JobShared, FileRef::Ours(name)) = (root, &file) {
                writers.bury(*name);
            }
            removed.push(root, file);
        });
        removed
    }
}

/// A checkpoint that does not fit to the others.
#[derive(Debug, thiserror::Error)]
#[error("checkpoint {id} cannot be restored beside the others")]
struct RestoreError {
    id: CheckpointId,
    #[source]
    refusal: SharedStateRefusal,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Place, StateHandle};
    use crate::{Digest, Timestamp};

    #[test]
    fn what_is_named_or_gone_is_not_kept_among_the_unnamed() {
        let (epoch, writer) = (LeaderEpoch::new(1), WriterId::new(1));
        let mut registry = SharedStateRegistry::new(epoch);
        registry.start_writer(writer).unwrap();
        let identity = CheckpointIdentity::new(CheckpointId::FIRST, epoch, Timestamp::from_millis(0), None);
        registry.begin(&identity, SnapshotKind::Checkpoint).unwrap();
        let unnamed = |registry: &SharedStateRegistry| registry.unnamed.without(&[]).count();
        let acknowledge = |registry: &mut SharedStateRegistry, number| {
            let file = FileRef::Ours(Writer::new(epoch, writer).file(number));
            let place = Place::File { root: Root::JobShared, file };
            let mut part = registry.acknowledge(identity.id, writer).unwrap();
            part.written(&StateHandle::assume_durable(place, 1, Some(Digest::of(b"x")))).unwrap();
            part.accept();
        };
        acknowledge(&mut registry, 1);
        assert_eq!(unnamed(&registry), 0);
        assert!(registry.release(identity.id).is_empty());
        assert_eq!(unnamed(&registry), 1);
        assert_eq!(registry.end_writers([writer]).job_shared().len(), 1);
        assert_eq!((unnamed(&registry), registry.len()), (0, 0));
    }
}
