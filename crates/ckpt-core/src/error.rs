//! What went wrong, and what the caller does about it.

use std::error::Error as StdError;
use std::fmt;

/// The result of everything in these crates that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of ckpt: one lower-case sentence that names the place, what was expected and what was found, and a
/// [kind](ErrorKind) that tells the caller what to do.
///
/// Each crate builds it from an error type of its own with structured fields. It stays private where the kind is all that a
/// program can act on; where it is public, [`downcast_ref`](Self::downcast_ref) has it.
pub struct Error {
    kind: ErrorKind,
    detail: Box<dyn StdError + Send + Sync>,
}

/// What the caller does about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Try the same again: nothing happened, and it may succeed.
    Retry,
    /// Abort this checkpoint; the job goes on and the next checkpoint may succeed.
    AbortCheckpoint,
    /// Fail the job: it cannot go on in this state.
    FailJob,
    /// Fix the configuration or the arguments; trying again changes nothing.
    Configuration,
    /// The bytes are not what was written: restore from another copy. Nothing was used of them.
    Corrupt,
    /// What was asked for is not there: ask for something else, or go on without it.
    NotFound,
    /// It may have happened or not: touch nothing, read HEAD again.
    Unknown,
    /// Another leader has taken over: stop, delete nothing, notify nobody.
    Fenced,
    /// It was cancelled by a call of yours: nothing is left of it.
    Cancelled,
}

impl Error {
    /// An error of that kind that says what `detail` says and has its source.
    pub fn new(kind: ErrorKind, detail: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { kind, detail: detail.into() }
    }

    /// What to do about it.
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What went wrong with its fields, where that is of this type.
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        self.detail.downcast_ref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.detail.fmt(f)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error").field("kind", &self.kind).field("detail", &self.detail).finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.detail.source()
    }
}
