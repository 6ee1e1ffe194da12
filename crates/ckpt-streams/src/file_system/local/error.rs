//! What goes wrong with local files.

use std::io;
use std::path::PathBuf;

use ckpt_core::{Error, ErrorKind};
use rustix::io::Errno;

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

    /// Whether it says more about the process, or the way to the files, than about them: later it may be otherwise.
    pub(super) fn passes(&self) -> bool {
        const PASSING: [Errno; 9] = [
            Errno::AGAIN,
            Errno::INTR,
            Errno::IO,
            Errno::MFILE,
            Errno::NFILE,
            Errno::NOMEM,
            Errno::NOBUFS,
            Errno::STALE,
            Errno::TIMEDOUT,
        ];
        match self {
            Self::Io { source, .. } => Errno::from_io_error(source).is_some_and(|error| PASSING.contains(&error)),
            _ => false,
        }
    }

    pub(super) fn of_kind(self, kind: ErrorKind) -> Error {
        match self {
            // Whatever was tried, it will never be possible.
            Self::NameTooLong { .. } => Error::new(ErrorKind::Configuration, self),
            // Trying again finds the same.
            Self::NotADirectory { .. } if kind == ErrorKind::Retry => Error::new(ErrorKind::Corrupt, self),
            _ => Error::new(kind, self),
        }
    }
}

#[cfg(all(test, not(ckpt_loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_says_more_about_the_process_than_about_the_files_passes() {
        let of = |error: Errno| LocalError::io("open", PathBuf::from("/a"), error).passes();
        assert!([Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::IO, Errno::STALE].into_iter().all(of));
        assert!(![Errno::ACCESS, Errno::NOTDIR, Errno::LOOP, Errno::PERM, Errno::ROFS].into_iter().any(of));
        assert!(!LocalError::NotADirectory { path: PathBuf::from("/a") }.passes());
    }
}
