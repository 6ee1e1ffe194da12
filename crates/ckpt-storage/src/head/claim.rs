//! Taking over a job.

use ckpt_core::Result;
use ckpt_core::head::{Head, HeadWrite, Nonce, WrittenHead};
use ckpt_core::id::{CheckpointId, JobId};

use crate::error::StorageError;
use crate::head::{HeadOutcome, HeadStore};

/// Each lost try means that another claim succeeded, so this many say that coordinators are started in a loop.
const MOST_CLAIMS: u32 = 1000;

/// Takes over a job: reads HEAD and writes it with the next epoch, as often as other claims come first.
///
/// `nonce` must come from a good source of randomness; it tells this leader from every other.
///
/// # Errors
///
/// Those of [`HeadStore::read`]; `Configuration` when HEAD is of another job or the job has ended, or its store does not hold
/// what HEAD rests on; `Corrupt` when HEAD was lost, though completed checkpoints are there; `Retry` when the claim could not
/// be written; `Unknown` when it may have been: claiming once more is safe then.
pub fn claim(store: &dyn HeadStore, job: JobId, nonce: Nonce) -> Result<WrittenHead> {
    claim_as(store, job, &|current| Head::claim(current, job, nonce))
}

/// Takes over a job that is to go back to the older snapshot `to`, because `from`, which would be restored otherwise, cannot
/// be or must not be. HEAD records it; what is newer is set aside, and nothing is deleted. Once that is done the same again
/// is a take-over like every other, so that who starts a job may leave it standing.
///
/// # Errors
///
/// As of [`claim`], and `Configuration` when it is not `from` that would be restored, or `to` is not retained or not older.
pub fn claim_going_back(
    store: &dyn HeadStore,
    job: JobId,
    nonce: Nonce,
    from: CheckpointId,
    to: CheckpointId,
) -> Result<WrittenHead> {
    claim_as(store, job, &|current| {
        let is_done = |head: &Head| head.gone_back.is_some_and(|gone| (gone.from, gone.to) == (from, to));
        let newest = current.and_then(Head::restore_point).map(|newest| newest.id);
        match current {
            Some(head) if is_done(head) && newest != Some(from) => Head::claim(current, job, nonce),
            Some(head) if newest == Some(from) => Head::claim_going_back(head, job, nonce, to),
            _ => Err(StorageError::NotGoingBackFrom { job, from, newest }.configuration()),
        }
    })
}

fn claim_as(
    store: &dyn HeadStore,
    job: JobId,
    propose: &dyn Fn(Option<&Head>) -> Result<HeadWrite>,
) -> Result<WrittenHead> {
    for _ in 0..MOST_CLAIMS {
        let current = store.read()?;
        match store.write(propose(current.as_ref())?) {
            HeadOutcome::Written(written) => return Ok(written),
            HeadOutcome::Fenced(_) => {}
            HeadOutcome::Failed(error) | HeadOutcome::Unknown(error) => return Err(error),
        }
    }
    Err(StorageError::ClaimLost { job, claims: MOST_CLAIMS }.retry())
}
