//! What goes wrong with local files.

use std::io;
use std::path::PathBuf;

use ckpt_core::{Error, ErrorKind};

/// What went wrong with a local file.
#[derive(Debug, thiserror::Error)]
pub(super) enum LocalError {
    #[error("cannot {operation} '{}'", path.display())]
    Io { operation: &'static str, path: PathBuf, source: io::Error },
    #[error("the name of '{}' is too long: expected at most {limit_bytes} bytes", path.display())]
    NameTooLong { path: PathBuf, limit_bytes: usize },
    #[error("'{}' is there already, expected a new name", path.display())]
    Exists { path: PathBuf },
    #[error("'{}' is not there", path.display())]
    Missing { path: PathBuf },
    #[error("'{}' is no regular file", path.display())]
    NotAFile { path: PathBuf },
    #[error("'{}' is no directory, or a symbolic link is on the way to it", path.display())]
    NotADirectory { path: PathBuf },
    #[error("'{}' failed at an earlier write and cannot be finished", path.display())]
    Dead { path: PathBuf },
    #[error("'{}' was made {attempts} times and removed by somebody else each time", path.display())]
    Contended { path: PathBuf, attempts: u32 },
    #[error("record '{}' has {found_bytes} bytes, expected at most {limit_bytes}", path.display())]
    RecordTooLong { path: PathBuf, found_bytes: u64, limit_bytes: u64 },
    #[error("record '{}' has no version above {dead_upto}, up to which all are dead: its newest file is lost", path.display())]
    NoLiveVersion { path: PathBuf, dead_upto: u64 },
    #[error("'{tag}' is no version of record '{}': expected a number above 0", path.display())]
    NotAVersion { path: PathBuf, tag: String },
    #[error("version {version} of record '{}' was declared dead while it was being written", path.display())]
    DeclaredDead { path: PathBuf, version: u64 },
    #[error("version {version} of record '{}' was taken and is gone again", path.display())]
    TakenAndGone { path: PathBuf, version: u64 },
}

impl LocalError {
    pub(super) fn io(operation: &'static str, path: PathBuf, source: impl Into<io::Error>) -> Self {
        Self::Io { operation, path, source: source.into() }
    }

    pub(super) fn of_kind(self, kind: ErrorKind) -> Error {
        match self {
            // Whatever was tried, it will never be possible.
            Self::NameTooLong { .. } => Error::new(ErrorKind::Configuration, self),
            _ => Error::new(kind, self),
        }
    }
}
