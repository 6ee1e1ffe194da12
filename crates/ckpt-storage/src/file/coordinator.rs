//! What the coordinator sees of a file storage.

use std::sync::Arc;

use ckpt_core::head::{
    AbandonedSavepoint, Head, ReleasedClaim, RemovedSnapshot, RetainedSnapshot, SnapshotPlace, TaskOwnedFiles,
};
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::shared::{EndedWriters, RemovedFiles};
use ckpt_core::snapshot::CheckpointIdentity;
use ckpt_core::state::Root;
use ckpt_core::uri::Uri;
use ckpt_core::{ErrorKind, Result};
use ckpt_streams::file_system::{FileWriter, Visible};

use crate::claim;
use crate::completed::CompletedLocation;
use crate::context::StorageContext;
use crate::error::StorageError;
use crate::file::collect;
use crate::file::job_directory::JobDirectory;
use crate::file::location::FileLocation;
use crate::file::savepoints::Savepoints;
use crate::head::HeadStore;
use crate::layout;
use crate::savepoint::{AbandonedOutcome, InitializedSavepoint};
use crate::view::{CoordinatorView, Location};

/// What the coordinator sees of a file storage.
#[derive(Debug)]
pub(crate) struct FileCoordinatorView {
    directory: Arc<JobDirectory>,
    savepoints: Savepoints,
    high_availability: HighAvailability,
    /// Opens what lies elsewhere.
    context: StorageContext,
}

/// Whether what is committed survives the loss of every process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HighAvailability {
    Yes,
    No,
}

impl CoordinatorView for FileCoordinatorView {
    fn supports_high_availability(&self) -> bool {
        self.high_availability == HighAvailability::Yes
    }

    fn has_default_savepoint_location(&self) -> bool {
        self.savepoints.have_default_target()
    }

    fn pointer(&self, snapshot: &RetainedSnapshot) -> String {
        match (&snapshot.place, self.high_availability) {
            (SnapshotPlace::Elsewhere(uri), _) => uri.to_string(),
            (_, HighAvailability::Yes) => self.directory.show(&layout::checkpoint_directory(snapshot.id)),
            (_, HighAvailability::No) => layout::NOT_ADDRESSABLE.to_owned(),
        }
    }

    fn initialize_base_locations(&self) -> Result<()> {
        // Directories come into being with the files in them, so a file that is never finished tells whether they can.
        for directory in [layout::shared_directory(), layout::task_owned_directory()] {
            let probe = self.directory.file_system.create_new(&layout::probe_in(&directory), Visible::WholeAtFinish);
            probe.and_then(FileWriter::discard).map_err(|source| {
                let directory = self.directory.show(&directory);
                StorageError::BaseLocation { directory, source }.kind(ErrorKind::FailJob)
            })?;
        }
        Ok(())
    }

    fn initialize_checkpoint(&self, identity: &CheckpointIdentity) -> Result<Arc<dyn Location>> {
        let place = layout::checkpoint_directory(identity.id);
        let there = self
            .directory
            .file_system
            .list(Some(&place), None, 1)
            .map_err(|source| StorageError::PlaceUnknown { path: self.directory.show(&place), source }.abort())?;
        if let Some(entry) = there.first() {
            let path = self.directory.show(&entry.path);
            return Err(StorageError::PlaceTaken { path, id: identity.id }.abort());
        }
        Ok(Arc::new(FileLocation::new(Arc::clone(&self.directory), *identity)))
    }

    fn name_savepoint(&self, _: &CheckpointIdentity, target: Option<&str>) -> Result<Uri> {
        self.savepoints.name(target)
    }

    fn initialize_savepoint(&self, identity: &CheckpointIdentity, uri: &Uri) -> Result<InitializedSavepoint> {
        let initialized = self.savepoints.initialize(identity, uri)?;
        if let InitializedSavepoint::Made(location) = &initialized {
            // Who took the job over has looked for this savepoint already, or looks after this: not found, it would stay.
            self.refuse_fenced(identity).map_err(|source| {
                // What fails then is less than this.
                let _ = location.discard();
                let kind = source.kind();
                StorageError::SavepointNotMade { uri: uri.clone(), source }.kind(kind)
            })?;
        }
        Ok(initialized)
    }

    fn remove_abandoned(&self, savepoint: &AbandonedSavepoint) -> Result<AbandonedOutcome> {
        self.savepoints.remove_abandoned(savepoint)
    }

    fn head(&self) -> Arc<dyn HeadStore> {
        self.directory.head()
    }

    fn load(&self, snapshot: &RetainedSnapshot) -> Result<CheckpointMetadata> {
        match snapshot.uri() {
            None => self.directory.metadata_file(snapshot.id)?.read_retained(self.directory.job, snapshot),
            Some(uri) => claim::load_elsewhere(&self.present_head()?, snapshot, uri, &self.context),
        }
    }

    fn location_of(&self, snapshot: &RetainedSnapshot, metadata: Arc<CheckpointMetadata>) -> CompletedLocation {
        let location = CompletedLocation::new(self.pointer(snapshot), metadata)
            .with_file_systems(Arc::clone(&self.context.file_systems))
            .with_root(self.directory.state_directory(Root::JobShared, layout::shared_directory()))
            .with_root(self.directory.state_directory(Root::JobTaskOwned, layout::task_owned_directory()));
        // Of one that lies elsewhere nothing is called its own any more: the metadata says where each root lies.
        match snapshot.uri() {
            None => {
                let directory = layout::checkpoint_directory(snapshot.id);
                location.with_root(self.directory.state_directory(Root::ThisSnapshot, directory))
            }
            Some(_) => location,
        }
    }

    fn remove(&self, removed: &RemovedSnapshot, files: &RemovedFiles) -> Result<()> {
        let snapshot = removed.snapshot();
        let claimed = self.remove_claimed(files);
        if snapshot.uri().is_none() {
            return collect::remove(&self.directory, removed, files.job_shared(), claimed);
        }
        // Its files before what lists them.
        collect::remove_shared(&self.directory, files.job_shared()).and(claimed)?;
        claim::remove_claimed_snapshot(&self.present_head()?, snapshot, self.directory.durability, &self.context)
    }

    fn remove_files(&self, files: &RemovedFiles) -> Result<()> {
        collect::remove_shared(&self.directory, files.job_shared()).and(self.remove_claimed(files))
    }

    fn release_claim(&self, released: &ReleasedClaim) -> Result<()> {
        claim::release(&self.present_head()?, released, self.directory.durability, &self.context)
    }

    fn collect_ended(&self, ended: &EndedWriters) -> Result<u64> {
        collect::collect_ended(&self.directory, ended)
    }

    fn remove_task_owned(&self, files: &TaskOwnedFiles) -> Result<u64> {
        collect::remove_task_owned(&self.directory, files)
    }

    fn collect_orphans(&self, claimed: &Head, retained: &[Arc<CheckpointMetadata>]) -> Result<u64> {
        collect::collect_orphans(&self.directory, claimed, retained)
    }
}

impl FileCoordinatorView {
    /// Files below claims, as far as the job holds them by the HEAD that is there: a claim has one number for ever, so an older
    /// leader deletes no more than the present one may.
    fn remove_claimed(&self, files: &RemovedFiles) -> Result<()> {
        if files.claimed().is_empty() {
            return Ok(());
        }
        claim::remove_claimed_files(&self.present_head()?, files.claimed(), self.directory.durability, &self.context)
    }

    /// HEAD, which a job that claims or borrows anything has.
    fn present_head(&self) -> Result<Head> {
        let path = || self.directory.show(&layout::head_path());
        self.directory.head().read()?.ok_or_else(|| StorageError::NoHead { path: path() }.kind(ErrorKind::NotFound))
    }

    /// A snapshot of a leader whose job another one has taken over.
    fn refuse_fenced(&self, identity: &CheckpointIdentity) -> Result<()> {
        let ours = identity.epoch;
        match self.directory.head().read()?.map(|head| head.epoch).filter(|epoch| *epoch > ours) {
            Some(found) => {
                let path = self.directory.show(&layout::head_path());
                Err(StorageError::FencedByEpoch { path, found, ours }.fenced())
            }
            None => Ok(()),
        }
    }

    pub(crate) const fn new(
        directory: Arc<JobDirectory>,
        savepoints: Savepoints,
        high_availability: HighAvailability,
        context: StorageContext,
    ) -> Self {
        Self { directory, savepoints, high_availability, context }
    }
}
