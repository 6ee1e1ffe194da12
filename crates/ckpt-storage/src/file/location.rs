//! The place of a checkpoint that is being taken.

use std::sync::Arc;

use ckpt_core::head::RetainedSnapshot;
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::snapshot::{CheckpointIdentity, LocationReference};
use ckpt_core::state::{RelPath, Root, StateHandle};
use ckpt_core::{Error, ErrorKind, Result};
use ckpt_streams::file_system::{CasOutcome, Durability, Visible};
use ckpt_streams::{FileStateReader, StateDirectory, StateInputStream, StateReader as _};

use crate::error::StorageError;
use crate::file::collect;
use crate::file::job_directory::JobDirectory;
use crate::layout;
use crate::view::Location;

/// How often `_metadata` is sent before it stays unknown whether it was published.
const MOST_TRIES: u32 = 3;

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
        let (summary, identity) = (metadata.summary(), &self.identity);
        let path = layout::metadata_path(identity.id);
        let (found, found_epoch, found_job) = (summary.identity.id, summary.identity.epoch, summary.job);
        if (found, found_epoch, found_job) != (identity.id, identity.epoch, self.directory.job) {
            let path = self.directory.show(&path);
            return Err(StorageError::NotOfThisPlace { path, found, found_epoch, found_job }.abort());
        }
        let (bytes, written) = metadata.encode()?;
        self.publish_bytes(&path, &bytes)?;
        let (bytes, index) = (written.length_bytes, written.index_digest);
        let published = RetainedSnapshot::new(identity.id, identity.epoch, summary.kind(), bytes, index);
        let claims = summary.places.iter().filter_map(|(root, _)| match root {
            Root::Claimed(claim) => Some(claim),
            _ => None,
        });
        Ok(published.below_claims(claims))
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

    /// Publishes the bytes whole under `path`, durably, and replaces nothing.
    fn publish_bytes(&self, path: &RelPath, bytes: &[u8]) -> Result<()> {
        // Once something was sent whose answer is not known, no later failure proves that nothing is there.
        let mut unanswered = None;
        for _ in 0..MOST_TRIES {
            match self.send(path, bytes) {
                CasOutcome::Done(_) => return self.sync(path),
                CasOutcome::Lost => {
                    self.expect_same(path, bytes)?;
                    return self.sync(path);
                }
                // Whether it was published shows when the same is sent again: it is then, or it is there already.
                CasOutcome::Failed(error) if unanswered.is_none() => return Err(error),
                CasOutcome::Failed(error) | CasOutcome::Unknown(error) => unanswered = Some(error),
                other => {
                    let message = format!("the file system gave an answer that is not understood: {other:?}");
                    unanswered = Some(Error::new(ErrorKind::Unknown, message));
                }
            }
        }
        let source = unanswered.unwrap_or_else(|| Error::new(ErrorKind::Unknown, "the file system gave no answer"));
        let path = self.directory.show(path);
        Err(StorageError::PublishUnknown { path, tries: MOST_TRIES, source }.unknown())
    }

    /// Sends the bytes once. A failure says of itself what it failed at.
    fn send(&self, path: &RelPath, bytes: &[u8]) -> CasOutcome {
        let failed = |source| StorageError::PublishFailed { path: self.directory.show(path), source }.abort();
        let mut writer = match self.directory.file_system.create_new(path, Visible::WholeAtFinish) {
            Ok(writer) => writer,
            Err(source) => return CasOutcome::Failed(failed(source)),
        };
        if let Err(source) = writer.write_all(bytes) {
            // What the failed write left is invisible and deleted here as far as it can be; the write is what is told.
            let _ = writer.discard();
            let error = StorageError::PublishWrite { path: self.directory.show(path), source }.abort();
            return CasOutcome::Failed(error);
        }
        match writer.finish(self.directory.durability) {
            CasOutcome::Failed(source) => CasOutcome::Failed(failed(source)),
            outcome => outcome,
        }
    }

    fn sync(&self, path: &RelPath) -> Result<()> {
        if self.directory.durability == Durability::None {
            return Ok(());
        }
        self.directory
            .file_system
            .sync_entries(std::slice::from_ref(path))
            .map_err(|source| StorageError::PublishNotSynced { path: self.directory.show(path), source }.unknown())
    }

    /// The name was taken: by an earlier try of this very write, or by another.
    fn expect_same(&self, path: &RelPath, bytes: &[u8]) -> Result<()> {
        let held = self.directory.metadata_file(self.identity.id).and_then(|file| file.holds(bytes));
        if held.map_err(|source| StorageError::PublishedUnread { path: self.directory.show(path), source }.unknown())? {
            return Ok(());
        }
        let path = self.directory.show(path);
        Err(StorageError::PublishedByAnother { path, expected_bytes: bytes.len() }.abort())
    }
}

#[cfg(test)]
#[path = "location_test.rs"]
mod location_test;
