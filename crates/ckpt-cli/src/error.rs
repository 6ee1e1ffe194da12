//! Why a command ended without what it was asked for.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use ckpt_core::ErrorKind;
use ckpt_core::id::{CheckpointId, JobId};
use ckpt_storage::METADATA_FILE;

use crate::report::Exit;
use crate::text::{count, escaped, escaped_path};

/// What ended a command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    #[error("there is nothing at '{}'", escaped_path(path))]
    Missing { path: PathBuf },
    #[error("'{}' is a directory without '_metadata', expected that of a checkpoint or savepoint", escaped_path(path))]
    WithoutMetadata { path: PathBuf },
    #[error(
        "there is nothing to verify below '{}': no checkpoint and no savepoint has a '_metadata'",
        escaped_path(path)
    )]
    NoSnapshots { path: PathBuf },
    #[error("'{}' is no directory", escaped_path(path))]
    NoDirectory { path: PathBuf },
    #[error("'{}' cannot be read", escaped_path(path))]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("'{}'", escaped_path(path))]
    Metadata { path: PathBuf, source: MetadataError },
    #[error("'{}' is a link: name the directory itself", escaped_path(path))]
    Link { path: PathBuf },
    #[error("the path '{}' is no UTF-8, which storage needs", escaped_path(path))]
    NoText { path: PathBuf },
    #[error("'{}' is no directory, expected that of a checkpoint or savepoint", escaped_path(path))]
    NoSnapshotForRm { path: PathBuf },
    #[error(
        "'{}' is the directory of a job, expected that of a checkpoint or savepoint: `ckpt gc` collects what a job needs \
         no more",
        escaped_path(path)
    )]
    JobForRm { path: PathBuf },
    #[error(
        "'{}' is the directory of a snapshot, expected that of a job: `ckpt rm` removes a snapshot",
        escaped_path(path)
    )]
    SnapshotForGc { path: PathBuf },
    #[error(
        "job {job} is active (HEAD version {version}, epoch {epoch}): its coordinator deletes what it needs no more; end \
         the job, or, when nobody runs it any more, take it over with `--take-over {job}`, which fences whoever still does"
    )]
    Active { job: JobId, version: u64, epoch: u64 },
    #[error("the job in '{}' is {found}, expected job {meant}, which is to be taken over", escaped_path(path))]
    OtherJob { path: PathBuf, found: JobId, meant: JobId },
    #[error(
        "HEAD in '{}' is that of job {found}, expected job {expected}, as the directory is called",
        escaped_path(path)
    )]
    HeadOfAnother { path: PathBuf, found: JobId, expected: JobId },
    #[error(
        "HEAD of job {job} does not name '{}': `ckpt gc --take-over {job}` collects it, if it was left behind",
        escaped_path(path)
    )]
    NotNamed { path: PathBuf, job: JobId },
    #[error("no HEAD names '{}', so there is no job to take over", escaped_path(path))]
    NothingToTakeOver { path: PathBuf },
    #[error("'{}' stays as it is", escaped_path(path))]
    Refused { path: PathBuf, source: ckpt_core::Error },
    #[error("there is no command '{}'", escaped(name))]
    NoCommand { name: String },
    #[error("the output cannot be written")]
    Output { source: io::Error },
}

/// What is wrong with a file of metadata, or what keeps it from being read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MetadataError {
    #[error("is {found}, expected a file")]
    NoFile { found: &'static str },
    #[error("is no metadata of a checkpoint: it {found}, expected 'CKPTMETA' (ours) or 49 60 67 2d (Flink's)")]
    Foreign { found: String },
    #[error("is metadata of ours, expected Flink's: look into it with `ckpt show`")]
    Ours,
    #[error("cannot be read")]
    Unreadable { source: io::Error },
    #[error("says that savepoint {id} of job {job} was given up before it was complete")]
    GivenUp { id: CheckpointId, job: JobId },
    #[error("has {} behind its end at byte {offset_bytes}, expected none", count(*length_bytes, "byte"))]
    Trailing { offset_bytes: u64, length_bytes: u64 },
    #[error(transparent)]
    Invalid(ckpt_core::Error),
}

impl MetadataError {
    /// The file that it is wrong with.
    pub(crate) fn of(self, path: &Path) -> CommandError {
        CommandError::Metadata { path: path.into(), source: self }
    }
}

impl CommandError {
    /// Damage is what a command looks for; everything else keeps it from looking. What is called `_metadata` and is none is
    /// damage; a file of another name was never said to be any.
    pub(crate) fn exit(&self) -> Exit {
        let Self::Metadata { path, source } = self else { return Exit::CouldNotRun };
        let is_damage = match source {
            MetadataError::NoFile { .. } | MetadataError::Foreign { .. } => path.ends_with(METADATA_FILE),
            MetadataError::Invalid(error) => error.kind() == ErrorKind::Corrupt,
            MetadataError::Trailing { .. } => true,
            MetadataError::Ours | MetadataError::Unreadable { .. } | MetadataError::GivenUp { .. } => false,
        };
        if is_damage { Exit::FoundProblems } else { Exit::CouldNotRun }
    }

    /// This and what led to it, in one line.
    pub(crate) fn message(&self) -> String {
        let Self::Metadata { path, source } = self else { return Self::chain(self) };
        // A sentence of its own, or the end of the one that begins with the file.
        let between = if matches!(source, MetadataError::Invalid(_)) { ":" } else { "" };
        format!("'{}'{between} {}", escaped_path(path), Self::chain(source))
    }

    /// The same where the file of metadata was named already.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Metadata { source, .. } => Self::chain(source),
            error => error.message(),
        }
    }

    /// An error and what led to it, in one line.
    pub(crate) fn chain(error: &dyn std::error::Error) -> String {
        let mut message = escaped(&error.to_string()).into_owned();
        let mut source = error.source();
        while let Some(error) = source {
            // Writing to a text does not fail.
            let _ = write!(message, ": {}", escaped(&error.to_string()));
            source = error.source();
        }
        message
    }
}
