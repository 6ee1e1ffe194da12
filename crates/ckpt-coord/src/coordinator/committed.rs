//! What is committed.

use std::collections::BTreeMap;
use std::sync::Arc;

use ckpt_core::ErrorKind;
use ckpt_core::head::{ClaimedHead, Collected, RemovedSnapshot, WrittenHead};
use ckpt_core::id::{CheckpointId, ReservedIds};
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::shared::{RemovedFiles, SharedStateRegistry};

use crate::coordinator::Failure;

/// What is committed: HEAD as last written, the metadata of what it retains, and what waits to be deleted.
#[derive(Debug)]
pub(super) struct Committed {
    head: ClaimedHead,
    ids: ReservedIds,
    /// Of everything that could be restored.
    metadata: BTreeMap<CheckpointId, Arc<CheckpointMetadata>>,
    /// Removed, and not being deleted.
    removed: Vec<RemovedSnapshot>,
    /// To be deleted once more.
    again: Vec<Removal>,
    /// What could not be deleted; tried again when HEAD is written next.
    failed: Vec<Removal>,
    /// Deleted, and still listed in HEAD.
    collected: Collected,
}

/// What is to be deleted: a removed snapshot, or nothing but shared files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Removal {
    pub(super) removed: Option<RemovedSnapshot>,
    /// Shared files that nothing names any more, and nothing ever will.
    pub(super) files: RemovedFiles,
}

impl Committed {
    pub(super) fn new(claimed: WrittenHead, metadata: BTreeMap<CheckpointId, Arc<CheckpointMetadata>>) -> Self {
        let removed = claimed.all_removed();
        let (head, ids) = (claimed.head, claimed.reserved);
        let (again, failed, collected) = (Vec::new(), Vec::new(), Collected::none());
        Self { head, ids, metadata, removed, again, failed, collected }
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
        self.again.append(&mut self.failed);
        self.removed.extend(written.removed);
        self.collected = std::mem::take(&mut self.collected).listed_in(self.head.head());
        if let Some(metadata) = completed {
            self.metadata.insert(metadata.summary().identity.id, metadata);
        }
        let head = self.head.head();
        let restorable = |id| head.retained.iter().chain(&head.stopped_at).any(|snapshot| snapshot.id == id);
        self.metadata.retain(|id, _| restorable(*id));
    }

    /// Takes what may be deleted: all that was removed and that no pending checkpoint pins.
    pub(super) fn take_removals(&mut self, shared: &mut SharedStateRegistry) -> Vec<Removal> {
        let mut removals = std::mem::take(&mut self.again);
        self.removed.retain(|removed| match shared.remove(removed) {
            Some(files) => {
                removals.push(Removal { removed: Some(removed.clone()), files });
                false
            }
            None => true,
        });
        removals
    }

    /// Nothing is left of it.
    pub(super) fn is_collected(&mut self, id: CheckpointId) {
        self.collected.snapshots.push(id);
    }

    /// It could not be deleted: it is tried again when HEAD is written next.
    pub(super) fn not_collected(&mut self, removal: Removal) {
        self.failed.push(removal);
    }
}
