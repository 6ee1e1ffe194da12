//! Why an operator is refused.

use ckpt_core::head::HeadVersion;
use ckpt_core::id::{CheckpointId, JobId, LeaderEpoch};
use ckpt_core::{Error, ErrorKind};

/// Why nothing is removed or collected.
#[derive(Debug, thiserror::Error)]
pub(super) enum UpkeepError {
    #[error("'{path}' has no HEAD: which of the files in it are needed is not known, and nothing is deleted")]
    NoHead { path: String },
    #[error(
        "job {job} is active (epoch {epoch}, HEAD version {version}): its coordinator deletes what it needs no more; end the job, or \
         take it over, which fences its coordinator"
    )]
    Active { job: JobId, epoch: LeaderEpoch, version: HeadVersion },
    #[error("the job here is {found}, expected job {meant}, which is to be taken over")]
    OtherJob { found: JobId, meant: JobId },
    #[error("snapshot {id} belongs to job {to}, which has taken it over: that job deletes it")]
    HandedOver { id: CheckpointId, to: JobId },
    #[error("HEAD of job {job} does not name snapshot {id}")]
    NotNamed { job: JobId, id: CheckpointId },
    #[error("shared files of snapshot {id} stay: it is not known which of them others name")]
    SharedUnknown { id: CheckpointId, source: Error },
}

impl UpkeepError {
    pub(super) fn configuration(self) -> Error {
        Error::new(ErrorKind::Configuration, self)
    }

    pub(super) fn not_found(self) -> Error {
        Error::new(ErrorKind::NotFound, self)
    }

    pub(super) fn retry(self) -> Error {
        Error::new(ErrorKind::Retry, self)
    }
}
