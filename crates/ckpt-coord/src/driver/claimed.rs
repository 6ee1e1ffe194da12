//! A job that was taken over.

use std::collections::BTreeMap;
use std::sync::Arc;

use ckpt_core::head::{Head, Nonce, WrittenHead};
use ckpt_core::id::{CheckpointId, JobId, LeaderEpoch};
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::{ErrorKind, Result};
use ckpt_storage::CoordinatorView;

/// A job that this process has taken over: every former leader is fenced, nothing is deployed yet.
#[derive(Debug)]
pub struct ClaimedJob {
    pub(super) view: Arc<dyn CoordinatorView>,
    pub(super) written: WrittenHead,
    pub(super) retained: BTreeMap<CheckpointId, Arc<CheckpointMetadata>>,
    pub(super) fenced: Option<(JobId, LeaderEpoch)>,
}

impl ClaimedJob {
    /// Makes the job's directories, takes the job over and reads the metadata of everything that HEAD could
    /// restore. Blocks.
    ///
    /// `nonce` must come from a good source of randomness.
    ///
    /// # Errors
    ///
    /// `Configuration` when the record belongs to another job, or the job has ended; `Corrupt` or `NotFound` when HEAD
    /// or a retained checkpoint is damaged: never a silent step back to an older one.
    pub fn claim(view: Arc<dyn CoordinatorView>, job: JobId, nonce: Nonce) -> Result<Self> {
        view.initialize_base_locations()?;
        let written = ckpt_storage::claim(&*view.head(), job, nonce)?;
        Self::taken_over(view, written)
    }

    pub(super) fn taken_over(view: Arc<dyn CoordinatorView>, written: WrittenHead) -> Result<Self> {
        let mut retained = BTreeMap::new();
        let head = written.head.head();
        for snapshot in head.retained.iter().chain(&head.stopped_at) {
            retained.insert(snapshot.id, Arc::new(view.load(snapshot)?));
        }
        // What lies in claimed places nobody finds by its name, so it must be known before it can be deleted.
        for snapshot in head.removed.iter().filter(|snapshot| !snapshot.claims.is_empty()) {
            match view.load(snapshot) {
                Ok(metadata) => drop(retained.insert(snapshot.id, Arc::new(metadata))),
                // All of it is gone, or nobody can say any more what it was.
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Corrupt) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self { view, written, retained, fenced: None })
    }

    /// The epoch that this claim began; attempts and writers belong to it.
    pub const fn epoch(&self) -> LeaderEpoch {
        self.written.head.head().epoch
    }

    /// The checkpoint to restore: that which [`Head::restore_point`] names; `None` when there is none yet.
    pub fn newest(&self) -> Option<&Arc<CheckpointMetadata>> {
        self.head().restore_point().and_then(|snapshot| self.retained.get(&snapshot.id))
    }

    /// HEAD as it was claimed.
    pub const fn head(&self) -> &Head {
        self.written.head.head()
    }
}
