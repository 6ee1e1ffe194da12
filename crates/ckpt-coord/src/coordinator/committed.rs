//! What is committed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ckpt_core::head::{ClaimedHead, Collected, RemovedSnapshot, WrittenHead};
use ckpt_core::id::{CheckpointId, FileName, ReservedIds};
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::state::{FileRef, PlaceView, Root, StateHandle};
use ckpt_core::{ErrorKind, Result};

use crate::coordinator::Failure;

/// What is committed: HEAD as last written, the metadata of what it retains, and what waits to be deleted.
#[derive(Debug)]
pub(super) struct Committed {
    head: ClaimedHead,
    ids: ReservedIds,
    /// Of everything retained, and of what was removed since and is not deleted yet.
    metadata: BTreeMap<CheckpointId, Arc<CheckpointMetadata>>,
    /// Removed, and not being deleted.
    removed: Vec<RemovedSnapshot>,
    /// Removed, and could not be deleted; tried again when HEAD is written next.
    failed: Vec<RemovedSnapshot>,
    /// Deleted, and still listed in HEAD.
    collected: Collected,
    /// For bases that were asked for: the files that may be named again.
    reusable: BTreeMap<CheckpointId, Reusable>,
}

/// The shared files that a checkpoint names, each in one piece.
pub(super) type Reusable = BTreeMap<(Root, FileRef), StateHandle>;

impl Committed {
    pub(super) fn new(claimed: WrittenHead, metadata: BTreeMap<CheckpointId, Arc<CheckpointMetadata>>) -> Self {
        let removed = claimed.all_removed();
        let (head, ids) = (claimed.head, claimed.reserved);
        let (failed, collected) = (Vec::new(), Collected::none());
        Self { head, ids, metadata, removed, failed, collected, reusable: BTreeMap::new() }
    }

    pub(super) const fn head(&self) -> &ClaimedHead {
        &self.head
    }

    pub(super) fn ids(&mut self) -> &mut ReservedIds {
        &mut self.ids
    }

    pub(super) const fn collected(&self) -> &Collected {
        &self.collected
    }

    /// What the next checkpoint may be based on.
    pub(super) fn newest_id(&self) -> Option<CheckpointId> {
        self.head.head().base().map(|newest| newest.id)
    }

    pub(super) fn metadata(&self, id: CheckpointId) -> Option<&Arc<CheckpointMetadata>> {
        self.metadata.get(&id)
    }

    /// What a restore begins with; `None` when there is nothing yet.
    pub(super) fn restore_point(&self) -> Result<Option<Arc<CheckpointMetadata>>, Failure> {
        let Some(newest) = self.head.head().restore_point() else { return Ok(None) };
        // To say that there is none would start the job from nothing.
        let missing = || Failure::new(ErrorKind::NotFound, format!("the metadata of {} was not given", newest.id));
        self.metadata(newest.id).cloned().map(Some).ok_or_else(missing)
    }

    /// The metadata of everything retained.
    pub(super) fn retained(&self) -> impl Iterator<Item = &Arc<CheckpointMetadata>> {
        self.head.head().retained.iter().filter_map(|snapshot| self.metadata.get(&snapshot.id))
    }

    /// HEAD was written; `completed` is what it committed, if it did.
    pub(super) fn written(&mut self, written: WrittenHead, completed: Option<Arc<CheckpointMetadata>>) {
        self.head = written.head;
        self.ids.append(written.reserved);
        self.removed.append(&mut self.failed);
        self.removed.extend(written.removed);
        self.collected = std::mem::take(&mut self.collected).listed_in(self.head.head());
        if let Some(metadata) = completed {
            self.metadata.insert(metadata.summary().identity.id, metadata);
        }
    }

    /// Takes the removed snapshots that are not among `pinned`.
    pub(super) fn take_removed(&mut self, pinned: &BTreeSet<CheckpointId>) -> Vec<RemovedSnapshot> {
        let (kept, taken) = self.removed.drain(..).partition(|removed| pinned.contains(&removed.snapshot().id));
        self.removed = kept;
        taken
    }

    /// The shared files of a removed snapshot that are not among `live`. One whose metadata is not known was removed by a
    /// former leader: its shared files go when what former leaders left is collected.
    pub(super) fn dead_shared(&self, id: CheckpointId, live: &BTreeSet<FileName>) -> Result<Vec<FileName>> {
        let named = self.metadata.get(&id).map(|metadata| metadata.shared_files()).transpose()?.unwrap_or_default();
        Ok(named.difference(live).copied().collect())
    }

    /// Nothing is left of it.
    pub(super) fn is_collected(&mut self, id: CheckpointId) {
        self.collected.snapshots.push(id);
        self.metadata.remove(&id);
        self.reusable.remove(&id);
    }

    /// The removed snapshot could not be deleted: it is removed still, and tried again when HEAD is written next.
    pub(super) fn not_collected(&mut self, removed: RemovedSnapshot) {
        self.failed.push(removed);
    }

    /// The files that a checkpoint based on `base` may name again.
    pub(super) fn reusable(&mut self, base: CheckpointId) -> Option<&Reusable> {
        if !self.reusable.contains_key(&base) {
            let files = reusable_files(self.metadata.get(&base)?).ok()?;
            self.reusable.insert(base, files);
        }
        self.reusable.get(&base)
    }
}

fn reusable_files(metadata: &CheckpointMetadata) -> Result<Reusable> {
    let mut files = Reusable::new();
    metadata.visit_reusable(&mut |handle| {
        if let PlaceView::File { root, file } = handle.place() {
            files.insert((root, file.to_file()), handle.to_handle());
        }
    })?;
    Ok(files)
}
