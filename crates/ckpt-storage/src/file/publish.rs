//! Publishing `_metadata`.

use std::sync::Arc;

use ckpt_core::Result;
use ckpt_core::head::RetainedSnapshot;
use ckpt_core::id::JobId;
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::snapshot::CheckpointIdentity;
use ckpt_core::state::{RelPath, Root};
use ckpt_streams::MetadataTarget;
use ckpt_streams::file_system::{Durability, FileSystem};

use crate::error::StorageError;

/// The file that the metadata of one snapshot is to be.
#[derive(Debug)]
pub(crate) struct Publication<'a> {
    pub(crate) file_system: &'a Arc<dyn FileSystem>,
    pub(crate) durability: Durability,
    pub(crate) path: RelPath,
    /// The path as people know it.
    pub(crate) shown: String,
    /// Whose metadata belongs there.
    pub(crate) job: JobId,
    pub(crate) identity: CheckpointIdentity,
}

impl Publication<'_> {
    /// Publishes it, whole and durable; never replaces one.
    ///
    /// # Errors
    ///
    /// `AbortCheckpoint` when it is the metadata of another snapshot, could not be written, or another one is there;
    /// `Unknown` when it may be.
    pub(crate) fn publish(self, metadata: &CheckpointMetadata) -> Result<RetainedSnapshot> {
        let (summary, identity, path) = (metadata.summary(), self.identity, self.shown);
        let (found, found_epoch, found_job) = (summary.identity.id, summary.identity.epoch, summary.job);
        if (found, found_epoch, found_job) != (identity.id, identity.epoch, self.job) {
            return Err(StorageError::NotOfThisPlace { path, found, found_epoch, found_job }.abort());
        }
        let target = MetadataTarget::new(Arc::clone(self.file_system), self.path, self.durability);
        let written = target.publish(&mut |out| metadata.write_to(out)).map_err(|source| {
            let kind = source.kind();
            StorageError::NotPublished { path, source }.kind(kind)
        })?;
        let (bytes, index) = (written.length_bytes, written.index_digest);
        let published = RetainedSnapshot::new(identity.id, identity.epoch, summary.kind(), bytes, index);
        let claims = summary.places.iter().filter_map(|(root, _)| match root {
            Root::Claimed(claim) => Some(claim),
            _ => None,
        });
        Ok(published.below_claims(claims))
    }
}
