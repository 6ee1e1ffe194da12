//! A job that was taken over.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use ckpt_core::head::{Head, Nonce, WrittenHead};
use ckpt_core::id::{CheckpointId, JobId, LeaderEpoch};
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::{ErrorKind, Result};
use ckpt_storage::{CoordinatorView, StorageContext};

use crate::driver::recovery::{GoingBack, RecoveryOptions, RecoveryRefused};
use crate::driver::retained;

/// A job that this process has taken over: every former leader is fenced, nothing is deployed yet.
#[derive(Debug)]
pub struct ClaimedJob {
    pub(super) view: Arc<dyn CoordinatorView>,
    pub(super) written: WrittenHead,
    pub(super) retained: BTreeMap<CheckpointId, Arc<CheckpointMetadata>>,
    pub(super) fenced: Option<(JobId, LeaderEpoch)>,
}

impl ClaimedJob {
    /// Makes the job's directories, takes the job over, reads the metadata of everything that HEAD could restore, and
    /// verifies what it will restore. Blocks; what can be read at once is read by jobs of the context as well.
    ///
    /// `nonce` must come from a good source of randomness.
    ///
    /// # Errors
    ///
    /// `Configuration` when the record belongs to another job, the job has ended, its storage does not hold what HEAD rests
    /// on, or `recovery` goes back otherwise than it can; `Retry` when something could not be read, `Corrupt` or `NotFound`
    /// when HEAD or a retained checkpoint is damaged: never a silent step back to an older one. Of what was to be restored it
    /// is a [`RecoveryRefused`].
    pub fn claim(
        view: Arc<dyn CoordinatorView>,
        job: JobId,
        nonce: Nonce,
        recovery: &RecoveryOptions,
        context: &StorageContext,
    ) -> Result<Self> {
        view.initialize_base_locations()?;
        let written = match recovery.going_back {
            None => ckpt_storage::claim(&*view.head(), job, nonce)?,
            Some(GoingBack { from, to }) => ckpt_storage::claim_going_back(&*view.head(), job, nonce, from, to)?,
        };
        Self::taken_over(view, written, recovery, context)
    }

    pub(super) fn taken_over(
        view: Arc<dyn CoordinatorView>,
        written: WrittenHead,
        recovery: &RecoveryOptions,
        context: &StorageContext,
    ) -> Result<Self> {
        let head = written.head.head();
        // The newest first: what is told of it is what matters.
        let mut snapshots: Vec<_> = head.retained.iter().chain(&head.stopped_at).cloned().collect();
        snapshots.sort_by_key(|snapshot| Reverse(snapshot.id));
        let ids: Vec<_> = snapshots.iter().map(|snapshot| snapshot.id).collect();
        let read = retained::read(&view, snapshots.clone(), &*context.spawn)
            .map_err(|(at, error)| RecoveryRefused::of_metadata(&*view, head, &snapshots[at], error))?;
        if let Some(newest) = read.first() {
            recovery.verify(&*view, head, newest, context)?;
        }
        let mut retained: BTreeMap<_, _> = ids.into_iter().zip(read).collect();
        // What lies in claimed places nobody finds by its name, so it must be known before it can be deleted. What was set
        // aside is kept with what it names.
        let in_claims = head.removed.iter().filter(|snapshot| !snapshot.claims.is_empty());
        for snapshot in in_claims.chain(&head.set_aside) {
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
