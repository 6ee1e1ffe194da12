//! The place of a savepoint that is being taken.

use ckpt_core::head::{Ownership, RetainedSnapshot};
use ckpt_core::mark::SavepointMark;
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::snapshot::{CheckpointIdentity, LocationReference};
use ckpt_core::state::StateHandle;
use ckpt_core::{ErrorKind, Result};
use ckpt_streams::{FileStateReader, StateInputStream, StateReader as _};

use crate::error::StorageError;
use crate::file::publish::Publication;
use crate::file::savepoint_directory::SavepointDirectory;
use crate::layout::METADATA_FILE;
use crate::savepoint::AbandonedOutcome;
use crate::view::Location;

/// A savepoint's directory while the savepoint is being taken.
#[derive(Debug)]
pub(crate) struct SavepointLocation {
    directory: SavepointDirectory,
    identity: CheckpointIdentity,
    mark: SavepointMark,
    reference: LocationReference,
}

impl Location for SavepointLocation {
    fn reference(&self) -> LocationReference {
        self.reference.clone()
    }

    /// Its `_metadata` is what commits a savepoint. So that whoever gave it up has not deleted its state meanwhile, the mark
    /// is looked for afterwards.
    fn publish(&self, metadata: &CheckpointMetadata) -> Result<RetainedSnapshot> {
        let (id, path) = (self.identity.id, self.directory.show(METADATA_FILE));
        let summary = metadata.summary();
        if !summary.kind().is_savepoint() {
            return Err(StorageError::NoSavepoint { path, id, kind: summary.kind() }.abort());
        }
        if !summary.self_contained {
            return Err(StorageError::NotSelfContained { path, id }.abort());
        }
        let SavepointDirectory { file_system, job, durability, .. } = &self.directory;
        let publication = Publication {
            file_system,
            durability: *durability,
            path: self.directory.path(METADATA_FILE),
            shown: path.clone(),
            job: *job,
            identity: self.identity,
        };
        let published = publication.publish(metadata)?;
        match self.directory.mark() {
            Ok(Some(mark)) if mark == self.mark => {
                Ok(published.elsewhere(self.directory.uri.clone(), Ownership::Borrowed))
            }
            Ok(_) => {
                // Nobody else publishes what we just did, and nobody was told of it.
                self.directory.delete(&[self.directory.path(METADATA_FILE)])?;
                Err(StorageError::SavepointGivenUp { path, id }.abort())
            }
            Err(source) => Err(StorageError::SavepointInDoubt { path, id, source }.unknown()),
        }
    }

    fn open(&self, handle: &StateHandle) -> Result<Box<dyn StateInputStream>> {
        FileStateReader::new(vec![self.directory.state_directory()]).open(handle)
    }

    fn discard(&self) -> Result<()> {
        match self.directory.remove(&|mark| *mark == self.mark)? {
            AbandonedOutcome::Gone => Ok(()),
            AbandonedOutcome::Complete => {
                let (id, path) = (self.identity.id, self.directory.show(METADATA_FILE));
                Err(StorageError::SavepointComplete { path, id }.kind(ErrorKind::FailJob))
            }
        }
    }
}

impl SavepointLocation {
    pub(crate) const fn new(
        directory: SavepointDirectory,
        identity: CheckpointIdentity,
        mark: SavepointMark,
        reference: LocationReference,
    ) -> Self {
        Self { directory, identity, mark, reference }
    }
}
