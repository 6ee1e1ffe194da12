//! By what right an operator changes HEAD.

use ckpt_core::Result;
use ckpt_core::head::{Head, HeadWrite, JobState, Nonce};
use ckpt_core::id::JobId;

use super::error::UpkeepError;

/// By what right an operator changes HEAD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Authority {
    /// The job has ended. One that is active is refused.
    Ended,
    /// The job is that one, and may be active: whoever leads it is fenced, and can commit nothing more. The id says that it
    /// is meant.
    TakeOver(JobId),
}

impl Authority {
    /// The write by which the job is claimed.
    ///
    /// # Errors
    ///
    /// `Configuration` when the job is active and is not to be taken over, or is another one than that.
    pub(super) fn claim(self, current: &Head, job: JobId, nonce: Nonce) -> Result<HeadWrite> {
        match (self, current.state) {
            (Self::TakeOver(meant), _) if meant != job => {
                Err(UpkeepError::OtherJob { found: job, meant }.configuration())
            }
            (Self::Ended, JobState::Active) => {
                let (epoch, version) = (current.epoch, current.version);
                Err(UpkeepError::Active { job, epoch, version }.configuration())
            }
            (Self::TakeOver(_), JobState::Active) => Head::claim(Some(current), job, nonce),
            (_, _) => Head::claim_ended(current, job, nonce),
        }
    }
}
