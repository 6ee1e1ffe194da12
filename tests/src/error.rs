//! What can go wrong in the pipeline itself.

use std::io;
use std::path::PathBuf;

use ckpt_core::id::{CheckpointId, JobId};
use ckpt_core::{Error, ErrorKind};

use crate::text::Split;

/// What can go wrong in the pipeline itself; outside it is a [`ckpt_core::Error`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("input {path:?} cannot be read")]
    Input { path: PathBuf, source: io::Error },
    #[error("input {path:?} is not a regular file, so it could not be read again after a failure")]
    InputNotRegular { path: PathBuf },
    #[error("input {path:?} changed: expected {expected_bytes} bytes, found {found_bytes}")]
    InputChanged { path: PathBuf, expected_bytes: u64, found_bytes: u64 },
    #[error("the state of the source names {split:?}, which is no part of the job's {files} input files")]
    ForeignSplit { split: Split, files: usize },
    #[error("the state of operator '{operator}' is damaged: {what}")]
    State { operator: &'static str, what: String },
    #[error("output file {path:?} cannot be {verb}")]
    Output { path: PathBuf, verb: &'static str, source: io::Error },
    #[error("output file {path:?} failed to reach the disk before, so its records may be lost")]
    DeadOutput { path: PathBuf },
    #[error("records are lost: {path:?} of checkpoint {checkpoint} is neither staged nor committed")]
    LostOutput { path: PathBuf, checkpoint: CheckpointId },
    #[error("records are lost: {path:?} has {found_bytes} bytes, expected {expected_bytes}")]
    WrongOutputLength { path: PathBuf, expected_bytes: u64, found_bytes: u64 },
    #[error(
        "HEAD has gone back: output of checkpoint {found} is committed in {directory:?}, and the newest of HEAD is {newest}"
    )]
    OutputAhead { directory: PathBuf, found: u64, newest: String },
    #[error("output directory {directory:?} holds {name:?} of another job: expected parts of job {job}")]
    ForeignOutput { directory: PathBuf, name: String, job: JobId },
    #[error("job file {path:?} cannot be {verb}")]
    JobFile { path: PathBuf, verb: &'static str, source: io::Error },
    #[error("job file {path:?} is damaged")]
    JobFileDamaged { path: PathBuf, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("{path:?} holds checkpoints of job {found}: expected {expected}")]
    ForeignCheckpoints { path: PathBuf, found: JobId, expected: String },
    #[error("the job in {path:?} has other {what}: expected {expected}, found {found}")]
    OtherJob { path: PathBuf, what: &'static str, expected: String, found: String },
    #[error("no batch may be on its way from one task to another: expected at least one credit for each input")]
    NoCredits,
    #[error("thread '{name}' cannot be started")]
    Thread { name: String, source: io::Error },
    #[error("thread '{name}' panicked")]
    Panicked { name: String },
    #[error("task {task} failed")]
    Task { task: String, source: Error },
    #[error("{count} checkpoints in a row were aborted, the last one because: {reason}")]
    Checkpoints { count: u32, reason: String },
    #[error("another leader has taken over the job: this one stops")]
    Fenced { source: Option<Error> },
    #[error("the job is being stopped")]
    Stopped,
}

impl Fault {
    const fn kind(&self) -> ErrorKind {
        match self {
            Self::Input { .. }
            | Self::InputNotRegular { .. }
            | Self::InputChanged { .. }
            | Self::ForeignOutput { .. }
            | Self::ForeignCheckpoints { .. }
            | Self::OtherJob { .. }
            | Self::NoCredits
            | Self::JobFile { .. } => ErrorKind::Configuration,
            Self::ForeignSplit { .. }
            | Self::State { .. }
            | Self::LostOutput { .. }
            | Self::WrongOutputLength { .. }
            | Self::OutputAhead { .. }
            | Self::JobFileDamaged { .. } => ErrorKind::Corrupt,
            Self::Output { .. }
            | Self::DeadOutput { .. }
            | Self::Thread { .. }
            | Self::Panicked { .. }
            | Self::Task { .. }
            | Self::Checkpoints { .. } => ErrorKind::FailJob,
            Self::Fenced { .. } => ErrorKind::Fenced,
            Self::Stopped => ErrorKind::Cancelled,
        }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::new(fault.kind(), fault)
    }
}
