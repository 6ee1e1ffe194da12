//! A model of storage.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ckpt_core::head::{Head, HeadWrite, RetainedSnapshot, WrittenHead};
use ckpt_core::id::{CheckpointId, FileName, LeaderEpoch};
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::shared::RemovedFiles;
use ckpt_core::snapshot::LocationReference;
use ckpt_core::{Digest, ErrorKind};

use crate::coordinator::{Action, Event, Failure};

/// What lies in storage.
#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) head: Option<Head>,
    /// Every checkpoint that a HEAD ever named.
    pub(super) committed: BTreeSet<CheckpointId>,
    /// The directories, and the leader that made each.
    directories: BTreeMap<CheckpointId, LeaderEpoch>,
    metadata: BTreeMap<CheckpointId, Arc<CheckpointMetadata>>,
    pub(super) shared: BTreeSet<FileName>,
    used: BTreeSet<CheckpointId>,
}

impl Store {
    /// Compare-and-swap of HEAD.
    pub(super) fn write(&mut self, write: HeadWrite) -> Option<WrittenHead> {
        let next = self.head.as_ref().map_or(1, |head| head.version.get() + 1);
        if write.head().version.get() != next {
            return None;
        }
        self.committed.extend(write.head().retained.iter().map(|snapshot| snapshot.id));
        self.head = Some(write.head().clone());
        Some(write.written())
    }

    pub(super) fn load_retained(&self) -> BTreeMap<CheckpointId, Arc<CheckpointMetadata>> {
        let retained = self.head.iter().flat_map(|head| &head.retained);
        retained.map(|snapshot| (snapshot.id, Arc::clone(&self.metadata[&snapshot.id]))).collect()
    }

    pub(super) fn execute(&mut self, action: Action) -> Event {
        let io = action.io().unwrap();
        let failed = |kind, message: &str| Event::IoFailed { io, failure: Failure::new(kind, message) };
        match action {
            Action::InitializeLocation { identity, .. } => {
                assert!(self.used.insert(identity.id), "{:?} is used twice", identity.id);
                self.directories.insert(identity.id, identity.epoch);
                Event::LocationInitialized { io, target: LocationReference::Default }
            }
            Action::PublishMetadata { metadata, .. } => {
                let identity = metadata.summary().identity;
                if !self.directories.contains_key(&identity.id) {
                    return failed(ErrorKind::AbortCheckpoint, "the directory is gone");
                }
                let kind = metadata.summary().kind();
                assert!(self.metadata.insert(identity.id, metadata).is_none(), "{:?} is replaced", identity.id);
                let digest = Digest::of(&identity.id.get().to_be_bytes());
                Event::MetadataPublished {
                    io,
                    snapshot: RetainedSnapshot::new(identity.id, identity.epoch, kind, 1, digest),
                }
            }
            Action::WriteHead { write, .. } => match self.write(write) {
                Some(written) => Event::HeadWritten { io, written },
                None => failed(ErrorKind::Fenced, "another leader"),
            },
            Action::DiscardLocation { checkpoint, .. } => {
                self.delete(checkpoint);
                Event::LocationDiscarded { io }
            }
            Action::RemoveSnapshot { removed, files, .. } => {
                self.delete_files(&files);
                self.delete(removed.snapshot().id);
                Event::SnapshotRemoved { io }
            }
            Action::RemoveSavepoint { .. } => Event::SavepointRemoved { io },
            Action::RemoveTaskOwned { .. } => Event::FilesRemoved { io },
            Action::RemoveFiles { files, .. } => {
                self.delete_files(&files);
                Event::FilesRemoved { io }
            }
            Action::CollectOrphans { claimed, retained, .. } => {
                let named: BTreeSet<_> =
                    retained.iter().flat_map(|metadata| metadata.shared_files().unwrap()).collect();
                self.shared.retain(|file| file.epoch >= claimed.epoch || named.contains(file));
                let listed = |id| claimed.retained.iter().chain(&claimed.removed).any(|snapshot| snapshot.id == id);
                let orphans = self.directories.iter().filter(|(id, epoch)| **epoch < claimed.epoch && !listed(**id));
                for orphan in orphans.map(|(id, _)| *id).collect::<Vec<_>>() {
                    self.delete(orphan);
                }
                Event::OrphansCollected { io, files: 0 }
            }
            Action::CollectEnded { ended, .. } => {
                self.shared.retain(|file| !ended.has_left(*file));
                Event::OrphansCollected { io, files: 0 }
            }
            other => unreachable!("{other:?} is no matter of storage"),
        }
    }

    fn delete_files(&mut self, files: &RemovedFiles) {
        for file in files.job_shared() {
            self.shared.remove(file);
        }
    }

    fn delete(&mut self, id: CheckpointId) {
        self.directories.remove(&id);
        self.metadata.remove(&id);
    }

    /// Everything that HEAD retains is there.
    pub(super) fn check(&self) {
        for snapshot in self.head.iter().flat_map(|head| &head.retained) {
            let id = snapshot.id;
            assert!(self.directories.contains_key(&id), "the directory of {id:?} is gone");
            let metadata = self.metadata.get(&id).unwrap_or_else(|| panic!("_metadata of {id:?} is gone"));
            for file in metadata.shared_files().unwrap() {
                assert!(self.shared.contains(&file), "{id:?} names {file}, which is gone");
            }
        }
    }
}
