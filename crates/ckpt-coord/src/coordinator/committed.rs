//! What is committed.

use std::collections::BTreeMap;
use std::sync::Arc;

use ckpt_core::ErrorKind;
use ckpt_core::head::{AbandonedSavepoint, ClaimedHead, Collected, Head, ReleasedClaim, RemovedSnapshot, WrittenHead};
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
    /// Savepoints that nobody goes on with, and that are not being deleted.
    abandoned: Vec<AbandonedSavepoint>,
    /// Those of them that could not be deleted; tried again when HEAD is written next.
    failed_abandoned: Vec<AbandonedSavepoint>,
    /// Claims whose marks are to be deleted.
    released: Vec<ReleasedClaim>,
    /// Those whose marks could not be; tried again when HEAD is written next.
    failed_releases: Vec<ReleasedClaim>,
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
        let (removed, abandoned) = (claimed.all_removed(), claimed.all_abandoned());
        let released = claimed.all_released();
        let (head, ids) = (claimed.head, claimed.reserved);
        let (again, failed, collected) = (Vec::new(), Vec::new(), Collected::none());
        let (failed_abandoned, failed_releases) = (Vec::new(), Vec::new());
        let restorable = |id: &CheckpointId| names(head.head(), *id);
        let metadata = metadata.into_iter().filter(|(id, _)| restorable(id)).collect();
        Self {
            head,
            ids,
            metadata,
            removed,
            again,
            failed,
            abandoned,
            failed_abandoned,
            released,
            failed_releases,
            collected,
        }
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
        self.abandoned.append(&mut self.failed_abandoned);
        self.abandoned.extend(written.abandoned);
        self.released.append(&mut self.failed_releases);
        self.released.extend(written.released);
        self.collected = std::mem::take(&mut self.collected).listed_in(self.head.head());
        if let Some(metadata) = completed {
            self.metadata.insert(metadata.summary().identity.id, metadata);
        }
        let head = self.head.head();
        self.metadata.retain(|id, _| names(head, *id));
    }

    /// Takes the claims whose marks may be deleted.
    pub(super) fn take_releases(&mut self) -> Vec<ReleasedClaim> {
        std::mem::take(&mut self.released)
    }

    /// Whether marks of claims are still to be deleted.
    pub(super) fn has_releases(&self) -> bool {
        !self.released.is_empty()
    }

    /// Its mark is gone.
    pub(super) fn is_released(&mut self, released: &ReleasedClaim) {
        self.collected.claims.push(released.claim().id);
    }

    /// Its mark could not be deleted: it is tried again when HEAD is written next.
    pub(super) fn not_released(&mut self, released: ReleasedClaim) {
        self.failed_releases.push(released);
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

    /// Takes the savepoints that may be deleted.
    pub(super) fn take_abandoned(&mut self) -> Vec<AbandonedSavepoint> {
        std::mem::take(&mut self.abandoned)
    }

    /// Nothing is left of that savepoint, or it is its user's.
    pub(super) fn is_removed(&mut self, id: CheckpointId) {
        self.collected.savepoints.push(id);
    }

    /// That savepoint could not be deleted: it is tried again when HEAD is written next.
    pub(super) fn not_removed(&mut self, abandoned: AbandonedSavepoint) {
        self.failed_abandoned.push(abandoned);
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

/// Whether HEAD names a snapshot of that number that could be restored.
fn names(head: &Head, id: CheckpointId) -> bool {
    head.retained.iter().chain(&head.stopped_at).any(|snapshot| snapshot.id == id)
}
