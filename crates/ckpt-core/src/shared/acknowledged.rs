//! What one acknowledgement names.

use crate::id::{CheckpointId, Writer};
use crate::shared::name::{Name, content_of};
use crate::shared::slots::Slot;
use crate::shared::{FileContent, SharedStateRefusal, SharedStateRegistry};
use crate::state::{FileRef, ReusedFile, Root, StateHandle};

/// The shared files of one task's part in a pending checkpoint, one after the other, each checked as it comes.
///
/// The checkpoint names them once [`accept`](Self::accept) says so; dropped before, it names none of them. A file that was
/// written is known from then on, though: it is there, whether a checkpoint names it or not.
#[derive(Debug)]
#[must_use = "the checkpoint names nothing of it until it is accepted"]
pub struct AcknowledgedFiles<'a> {
    pub(super) registry: &'a mut SharedStateRegistry,
    pub(super) id: CheckpointId,
    /// As whom the task names files; nobody, when it had finished before the checkpoint began.
    pub(super) writer: Option<Writer>,
    pub(super) base: Option<CheckpointId>,
    pub(super) pins: Option<CheckpointId>,
    pub(super) shares: bool,
}

impl AcknowledgedFiles<'_> {
    /// The task says that it wrote these bytes. What is not shared at all passes: bytes in the handle, in the snapshot's
    /// own directory, and files whose life the tasks manage.
    ///
    /// # Errors
    ///
    /// Unless they are a living writer's own, have a digest and, if their name is known, are the bytes that are known.
    pub fn written(&mut self, handle: &StateHandle) -> Result<(), SharedStateRefusal> {
        let Some((root, file)) = handle.place().file() else { return Ok(()) };
        let refused = || SharedStateRefusal::Root { root, file: file.clone() };
        let own = match (root, file) {
            (Root::ThisSnapshot | Root::JobTaskOwned, _) => return Ok(()),
            (Root::JobShared, FileRef::Ours(own)) if self.shares => *own,
            _ => return Err(refused()),
        };
        let view = handle.view();
        let (name, content) = (Name::of(&view)?.ok_or_else(refused)?, content_of(&view));
        let Some(writer) = self.writer.filter(|writer| own.writer() == *writer) else {
            return Err(SharedStateRefusal::ForeignWriter { file: own, expected: self.writer });
        };
        if content.digest.is_none() {
            return Err(SharedStateRefusal::NoDigest { file: own });
        }
        let dead = self.registry.writers.dead_of(writer).ok_or(SharedStateRefusal::WriterEnded { file: own })?;
        let slot = match self.registry.files.find(&name) {
            Some(slot) => {
                same_bytes(&name, self.registry.files.content(slot), content)?;
                slot
            }
            None if dead.contains(own.number) => return Err(SharedStateRefusal::Dead { file: own }),
            None => {
                let slot = self.registry.files.insert(&name, content)?;
                self.registry.unnamed.insert(slot);
                slot
            }
        };
        self.name(slot);
        Ok(())
    }

    /// The task says that the checkpoint's base names this file, or this piece of a file, whoever wrote it. Returns the handle that is registered.
    ///
    /// # Errors
    ///
    /// When it does not, or there is no base.
    pub fn reused(&mut self, reused: &ReusedFile) -> Result<StateHandle, SharedStateRefusal> {
        let name = Name::of_reused(&reused.view());
        let slot = name.and_then(|name| self.registry.named_by(self.base, &name));
        let slot = slot.ok_or_else(|| SharedStateRefusal::NotInBase { named: reused.clone() })?;
        self.name(slot);
        Ok(self.registry.files.handle(slot))
    }

    /// The state of a task that had finished is taken over from the newest committed checkpoint, which the pending one
    /// pins. What is not shared at all passes.
    ///
    /// # Errors
    ///
    /// When that checkpoint does not name it.
    pub fn inherited(&mut self, handle: &StateHandle) -> Result<(), SharedStateRefusal> {
        let view = handle.view();
        let Some(name) = Name::of(&view)? else { return Ok(()) };
        let slot = self.registry.named_by(self.pins, &name);
        let slot = slot.ok_or_else(|| SharedStateRefusal::NotInBase { named: name.to_reused() })?;
        same_bytes(&name, self.registry.files.content(slot), content_of(&view))?;
        self.name(slot);
        Ok(())
    }

    /// From now on the checkpoint names all of it.
    pub fn accept(self) {
        self.registry.accept(self.id);
    }

    fn name(&mut self, slot: Slot) {
        self.registry.scratch.push(slot);
    }
}

/// A name that is known stands for the bytes that it stood for when it became known.
pub(super) fn same_bytes(
    name: &Name<'_>,
    registered: FileContent,
    found: FileContent,
) -> Result<(), SharedStateRefusal> {
    if registered == found {
        return Ok(());
    }
    Err(SharedStateRefusal::OtherBytes { named: name.to_reused(), registered, found })
}
