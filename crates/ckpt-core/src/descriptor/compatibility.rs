//! Whether stored state can be read.

use crate::descriptor::{CodecId, Fingerprint, StateKind};
use crate::error::{Error, ErrorKind};

/// Whether stored state can be read by the job that declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compatibility {
    /// As it is.
    AsIs,
    /// With the declared migration from that version.
    AfterMigration {
        /// The version that is stored.
        from: u32,
    },
    /// Not at all.
    Incompatible(Incompatibility),
}

/// Why stored state cannot be read. Each names what the job declares and what is stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant is explained by its message")]
#[non_exhaustive]
pub enum Incompatibility {
    #[error("the job declares state '{declared}', the snapshot holds '{stored}'")]
    Name { declared: Box<str>, stored: Box<str> },
    #[error("the job declares a {declared}, the snapshot holds a {stored}")]
    Kind { declared: StateKind, stored: StateKind },
    #[error("the job declares codec '{declared}', the snapshot was written by '{stored}'")]
    Codec { declared: CodecId, stored: CodecId },
    #[error("the job declares version {declared}, the snapshot holds the newer version {stored}")]
    Newer { declared: u32, stored: u32 },
    #[error("the job declares version {declared} and no migration from version {stored}, which the snapshot holds")]
    NoMigration { declared: u32, stored: u32 },
    #[error("the job declares version {version} with fingerprint {declared}, the snapshot holds it with {stored}")]
    Fingerprint { version: u32, declared: Fingerprint, stored: Fingerprint },
}

impl From<Incompatibility> for Error {
    fn from(error: Incompatibility) -> Self {
        Self::new(ErrorKind::Configuration, error)
    }
}
