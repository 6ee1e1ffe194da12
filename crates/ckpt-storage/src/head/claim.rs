//! Taking over a job.

use ckpt_core::Result;
use ckpt_core::head::{Head, Nonce, WrittenHead};
use ckpt_core::id::JobId;

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
/// Those of [`HeadStore::read`]; `Configuration` when HEAD is of another job or the job has ended; `Retry` when the
/// claim could not be written; `Unknown` when it may have been: claiming once more is safe then.
pub fn claim(store: &dyn HeadStore, job: JobId, nonce: Nonce) -> Result<WrittenHead> {
    for _ in 0..MOST_CLAIMS {
        let current = store.read()?;
        match store.write(Head::claim(current.as_ref(), job, nonce)?) {
            HeadOutcome::Written(written) => return Ok(written),
            HeadOutcome::Fenced(_) => {}
            HeadOutcome::Failed(error) | HeadOutcome::Unknown(error) => return Err(error),
        }
    }
    Err(StorageError::ClaimLost { job, claims: MOST_CLAIMS }.retry())
}
