//! Taking over a job that is not to go on.

use std::fmt::Debug;
use std::thread;
use std::time::Duration;

use ckpt_core::head::{Collected, Head, JobState, Nonce, WrittenHead};
use ckpt_core::id::{JobId, LeaderEpoch};
use ckpt_core::snapshot::{JobEnd, RetentionPolicy};
use ckpt_core::{ErrorKind, Result};

use crate::claim::error::ClaimError;
use crate::head::{HeadOutcome, HeadStore};

/// Each lost try means that another write succeeded, so this many say that somebody leads the job.
pub(super) const MOST_TRIES: u32 = 1000;

/// What becomes of a job that has not ended, when somebody wants what is its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ActiveJob {
    /// It is left alone, and the call refused.
    #[default]
    Refuse,
    /// It is ended if its HEAD does not change for that long, which is to be its checkpoint interval or more: so nobody leads
    /// it that commits. A leader that is alive is left alone, and the call refused. Waiting too short a time costs that leader
    /// its job, and never data: it is fenced.
    Watch(Duration),
    /// It is ended at once: whoever leads it is fenced, and commits nothing more.
    Fence,
}

/// How time passes while a job is [watched](ActiveJob::Watch).
pub trait Wait: Send + Sync + Debug {
    /// Returns when so much time has passed.
    fn wait(&self, duration: Duration);
}

/// Has the calling thread sleep.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "it has nothing to configure")]
pub struct ThreadWait;

/// A job that has ended, and whose HEAD is this process's to write.
#[derive(Debug)]
#[non_exhaustive]
pub struct TakenOver {
    /// HEAD as it was written.
    pub written: WrittenHead,
    /// The job had not ended: that of this epoch was its leader, which is fenced.
    pub fenced: Option<LeaderEpoch>,
}

/// Takes over a job that has ended, to discard what it retains, collect what it removed, or hand a snapshot over. It stays
/// ended. One that has not is treated as `active` says: ended, its checkpoints kept, it is as any job that was cancelled.
///
/// Nothing is deleted. A crash at any step leaves a HEAD from which the same call goes on.
///
/// # Errors
///
/// `NotFound` when the job has no HEAD; `Configuration` when HEAD is of another job, or the job is active and is to be left
/// alone; those of reading HEAD; `Retry` when HEAD could not be written, `Unknown` when it may have been: calling once more
/// is safe then.
pub fn take_over(
    store: &dyn HeadStore,
    job: JobId,
    nonce: Nonce,
    active: ActiveJob,
    wait: &dyn Wait,
) -> Result<TakenOver> {
    let mut fenced = None;
    for _ in 0..MOST_TRIES {
        let current = store.read()?.ok_or_else(|| ClaimError::NoHead { job }.of_kind(ErrorKind::NotFound))?;
        if current.state != JobState::Active {
            match store.write(Head::claim_ended(&current, job, nonce)?) {
                HeadOutcome::Written(written) => return Ok(TakenOver { written, fenced }),
                HeadOutcome::Fenced(_) => continue,
                HeadOutcome::Failed(error) | HeadOutcome::Unknown(error) => return Err(error),
            }
        }
        let current = abandoned(store, current, active, wait)?;
        let claimed = match store.write(Head::claim(Some(&current), job, nonce)?) {
            HeadOutcome::Written(claimed) => claimed,
            HeadOutcome::Fenced(_) => continue,
            HeadOutcome::Failed(error) | HeadOutcome::Unknown(error) => return Err(error),
        };
        fenced = fenced.or(Some(current.epoch));
        // Everything that it retains stays, whatever its own policy: that is what is wanted of it.
        let keeps = RetentionPolicy::RetainOnCancellation;
        match store.write(claimed.head.end(JobEnd::Cancelled, keeps, &Collected::none())?) {
            HeadOutcome::Written(written) => return Ok(TakenOver { written, fenced }),
            HeadOutcome::Fenced(_) => {}
            HeadOutcome::Failed(error) | HeadOutcome::Unknown(error) => return Err(error),
        }
    }
    Err(ClaimError::Contended { job, tries: MOST_TRIES }.retry())
}

/// HEAD of an active job that may be ended.
fn abandoned(store: &dyn HeadStore, current: Head, active: ActiveJob, wait: &dyn Wait) -> Result<Head> {
    let (job, before) = (current.job, current.version);
    match active {
        ActiveJob::Refuse => Err(ClaimError::Active { job, epoch: current.epoch }.configuration()),
        ActiveJob::Fence => Ok(current),
        ActiveJob::Watch(waited) => {
            wait.wait(waited);
            match store.read()? {
                Some(again) if again == current => Ok(again),
                Some(Head { version: after, .. }) => {
                    Err(ClaimError::Led { job, waited, before, after }.configuration())
                }
                None => Err(ClaimError::NoHead { job }.of_kind(ErrorKind::NotFound)),
            }
        }
    }
}

impl Wait for ThreadWait {
    fn wait(&self, duration: Duration) {
        thread::sleep(duration);
    }
}
