//! The place of a checkpoint that is being taken.

use std::sync::Arc;

use ckpt_core::head::RetainedSnapshot;
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::snapshot::{CheckpointIdentity, LocationReference};
use ckpt_core::state::{Root, StateHandle};
use ckpt_core::{ErrorKind, Result};
use ckpt_streams::{FileStateReader, StateDirectory, StateInputStream, StateReader as _};

use crate::error::StorageError;
use crate::file::collect;
use crate::file::job_directory::JobDirectory;
use crate::file::publish::Publication;
use crate::layout;
use crate::view::Location;

/// `chk-<n>` while checkpoint n is being taken.
#[derive(Debug)]
pub(crate) struct FileLocation {
    directory: Arc<JobDirectory>,
    identity: CheckpointIdentity,
}

impl Location for FileLocation {
    fn reference(&self) -> LocationReference {
        LocationReference::Default
    }

    fn publish(&self, metadata: &CheckpointMetadata) -> Result<RetainedSnapshot> {
        let path = layout::metadata_path(self.identity.id);
        let JobDirectory { file_system, durability, job, .. } = &*self.directory;
        let (durability, job, identity, shown) = (*durability, *job, self.identity, self.directory.show(&path));
        Publication { file_system, durability, path, shown, job, identity }.publish(metadata)
    }

    fn open(&self, handle: &StateHandle) -> Result<Box<dyn StateInputStream>> {
        let file_system = Arc::clone(&self.directory.file_system);
        let path = layout::checkpoint_directory(self.identity.id);
        FileStateReader::new(vec![StateDirectory::new(Root::ThisSnapshot, file_system, Some(path))]).open(handle)
    }

    fn discard(&self) -> Result<()> {
        // The coordinator never discards what it committed. Should it err, HEAD has the last word, for what HEAD names
        // and is not there cannot be brought back.
        let head = self.directory.head().read()?;
        let id = self.identity.id;
        if head.is_some_and(|head| head.kept().any(|kept| kept.id == id)) {
            let head = self.directory.show(&layout::head_path());
            return Err(StorageError::DiscardCommitted { id, head }.kind(ErrorKind::FailJob));
        }
        collect::delete_checkpoint(&self.directory, id)
    }
}

impl FileLocation {
    pub(crate) const fn new(directory: Arc<JobDirectory>, identity: CheckpointIdentity) -> Self {
        Self { directory, identity }
    }
}

#[cfg(test)]
#[path = "location_test.rs"]
mod location_test;
