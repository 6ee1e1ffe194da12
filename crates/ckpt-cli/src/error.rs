//! Why a command ended without what it was asked for.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use ckpt_core::ErrorKind;

use crate::report::Exit;
use crate::text::{escaped, escaped_path};

/// What ended a command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    #[error("there is nothing at '{}'", escaped_path(path))]
    Missing { path: PathBuf },
    #[error("'{}' is a directory without '_metadata', expected that of a checkpoint or savepoint", escaped_path(path))]
    WithoutMetadata { path: PathBuf },
    #[error("'{}' is neither a file nor a directory", escaped_path(path))]
    Special { path: PathBuf },
    #[error("there is no checkpoint and no savepoint below '{}'", escaped_path(path))]
    NoSnapshots { path: PathBuf },
    #[error("'{}' is no directory", escaped_path(path))]
    NoDirectory { path: PathBuf },
    #[error("'{}' cannot be read", escaped_path(path))]
    Unreadable { path: PathBuf, source: io::Error },
    #[error(
        "'{}' is no metadata of a checkpoint: it {found}, expected 'CKPTMETA' (ours) or 49 60 67 2d (Flink's)",
        escaped_path(path)
    )]
    NoMetadata { path: PathBuf, found: String },
    #[error("'{}' is metadata of ours, expected Flink's: look into it with `ckpt show`", escaped_path(path))]
    Ours { path: PathBuf },
    #[error("'{}'", escaped_path(path))]
    Metadata { path: PathBuf, source: ckpt_core::Error },
    #[error("'{}' has {length_bytes} bytes behind its end at byte {offset_bytes}, expected none", escaped_path(path))]
    Trailing { path: PathBuf, offset_bytes: u64, length_bytes: u64 },
    #[error("there is no command '{}'", escaped(name))]
    NoCommand { name: String },
    #[error("the output cannot be written")]
    Output { source: io::Error },
}

impl CommandError {
    /// Damage is what a command looks for; everything else keeps it from looking.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Metadata { source, .. } if source.kind() == ErrorKind::Corrupt => Exit::FoundProblems,
            Self::Trailing { .. } => Exit::FoundProblems,
            _ => Exit::CouldNotRun,
        }
    }

    /// This and what led to it, in one line.
    pub(crate) fn message(&self) -> String {
        Self::chain(self)
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
