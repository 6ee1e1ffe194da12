//! Where savepoints go.

use std::sync::Arc;

use ckpt_core::Result;
use ckpt_core::head::{AbandonedSavepoint, Nonce};
use ckpt_core::id::JobId;
use ckpt_core::mark::SavepointMark;
use ckpt_core::snapshot::{CheckpointIdentity, LocationReference};
use ckpt_core::uri::{StoragePath, Uri};
use ckpt_streams::file_system::{Durability, FileSystems};

use crate::context::StorageContext;
use crate::error::StorageError;
use crate::file::directory::Directory;
use crate::file::savepoint_directory::SavepointDirectory;
use crate::file::savepoint_location::SavepointLocation;
use crate::layout;
use crate::random::RandomSource;
use crate::savepoint::{AbandonedOutcome, InitializedSavepoint};

/// Where the savepoints of one job go, on whatever file system that is.
#[derive(Debug)]
pub(crate) struct Savepoints {
    job: JobId,
    /// Where they go for which no target is named.
    default_target: Option<Directory>,
    reference: SavepointReference,
    durability: Durability,
    file_systems: Arc<FileSystems>,
    random: Arc<dyn RandomSource>,
}

/// What barriers carry to the workers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SavepointReference {
    /// Nothing: the state comes back in acknowledgements.
    Default,
    /// The directory, which the workers write into.
    Directory,
}

/// What an operator sets who has named no target.
const TARGET_KEY: &str = "execution.checkpointing.savepoint-dir";

impl Savepoints {
    pub(crate) fn new(
        job: JobId,
        default_target: Option<Directory>,
        reference: SavepointReference,
        durability: Durability,
        context: &StorageContext,
    ) -> Self {
        let (file_systems, random) = (Arc::clone(&context.file_systems), Arc::clone(&context.random));
        Self { job, default_target, reference, durability, file_systems, random }
    }

    pub(crate) const fn have_default_target(&self) -> bool {
        self.default_target.is_some()
    }

    /// A new name below `target`.
    ///
    /// # Errors
    ///
    /// `Configuration` when there is no target or it is none, with a message of its own for each way to be wrong; `Retry`
    /// when there are no random bits.
    pub(crate) fn name(&self, target: Option<&str>) -> Result<Uri> {
        let target = match (target, &self.default_target) {
            (Some(target), _) => StoragePath::from(target),
            (None, Some(target)) => StoragePath::from(target.as_str()),
            (None, None) => return Err(StorageError::NoSavepointTarget { key: TARGET_KEY }.configuration()),
        };
        if let Some(flaw) = target.flaw() {
            let target = target.to_string().escape_debug().to_string();
            return Err(StorageError::SavepointTarget { target, flaw }.configuration());
        }
        let mut bits = [0; layout::SAVEPOINT_RANDOM_BYTES];
        self.random.fill(&mut bits)?;
        Uri::new(format!("{}/{}", target.to_uri()?, layout::savepoint_directory(self.job, bits)))
    }

    /// Makes the directory `uri` that savepoint's alone.
    ///
    /// # Errors
    ///
    /// `Configuration` when it is no directory of a savepoint of this job; else the kind that the file system gives,
    /// naming the directory.
    pub(crate) fn initialize(&self, identity: &CheckpointIdentity, uri: &Uri) -> Result<InitializedSavepoint> {
        let directory = self.open(uri)?;
        let reference = match self.reference {
            SavepointReference::Default => LocationReference::Default,
            SavepointReference::Directory => LocationReference::of_uri(uri)?,
        };
        let mut nonce = [0; 16];
        self.random.fill(&mut nonce)?;
        let CheckpointIdentity { id, epoch, triggered_at, .. } = *identity;
        let mark = SavepointMark::new(self.job, id, epoch, Nonce::new(nonce), triggered_at);
        if !directory.take(&mark)? {
            return Ok(InitializedSavepoint::Taken);
        }
        Ok(InitializedSavepoint::Made(Arc::new(SavepointLocation::new(directory, *identity, mark, reference))))
    }

    /// Deletes what is there of a savepoint that nobody goes on with.
    ///
    /// # Errors
    ///
    /// As of [`CoordinatorView::remove_abandoned`](crate::CoordinatorView::remove_abandoned).
    pub(crate) fn remove_abandoned(&self, abandoned: &AbandonedSavepoint) -> Result<AbandonedOutcome> {
        let savepoint = abandoned.savepoint();
        self.open(&savepoint.uri)?.remove(&|mark| mark.is_of(self.job, savepoint.id))
    }

    fn open(&self, uri: &Uri) -> Result<SavepointDirectory> {
        SavepointDirectory::open(uri, self.job, self.durability, &self.file_systems)
    }
}
