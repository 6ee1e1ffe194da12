//! Beginning a job from a snapshot that it did not take.

use std::sync::Arc;

use ckpt_core::Result;
use ckpt_core::head::Nonce;
use ckpt_core::id::{JobId, LeaderEpoch};
use ckpt_storage::{Begun, CoordinatorView, Start, StorageContext, Wait, begin_from};

use crate::driver::{ClaimedJob, RecoveryOptions};

impl ClaimedJob {
    /// As [`claim`](Self::claim), of a job that begins from a checkpoint of another job or from a savepoint: its first leader
    /// and every later one are started like this. What it began from HEAD records, so the same start again is a take-over,
    /// and another one is refused. Blocks, and waits when a job is [watched](ckpt_storage::ActiveJob::Watch).
    ///
    /// Until a checkpoint of its own is complete, every one that is taken of a job that borrowed the snapshot
    /// ([`NoClaim`](ckpt_core::head::ClaimMode::NoClaim)) is full, whatever was asked for and however many leaders there were:
    /// HEAD says so.
    ///
    /// # Errors
    ///
    /// Those of [`claim`](Self::claim) and of [`ckpt_storage::begin_from`].
    pub fn begin_from(
        view: Arc<dyn CoordinatorView>,
        job: JobId,
        nonce: Nonce,
        start: &Start,
        recovery: &RecoveryOptions,
        context: &StorageContext,
        wait: &dyn Wait,
    ) -> Result<Self> {
        if recovery.going_back.is_some() {
            // Only a job that has begun can go back, and what from does not matter then.
            return Self::claim(view, job, nonce, recovery, context);
        }
        view.initialize_base_locations()?;
        let Begun { written, fenced, .. } = begin_from(&*view.head(), job, nonce, start, context, wait)?;
        Ok(Self { fenced, ..Self::taken_over(view, written, recovery, context)? })
    }

    /// The job whose checkpoint was claimed though it had not ended, and its leader, which was fenced for that.
    pub const fn fenced(&self) -> Option<(JobId, LeaderEpoch)> {
        self.fenced
    }
}
