//! Whether stored state can be read.

use crate::descriptor::{CodecId, Fingerprint, StateKind};
use crate::error::{Error, ErrorKind};

/// Whether stored state can be read by the job that declares it (Flink's `TypeSerializerSchemaCompatibility`).
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

/// Why stored state cannot be read. Each names what the job declares and what is stored. As an
/// [`Error`](crate::Error) it is one of `Configuration`: the job must declare the state otherwise, or leave it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "fields are what the job declares and what is stored")]
#[non_exhaustive]
pub enum Incompatibility {
    /// These are two states.
    #[error("the job declares state '{declared}', the snapshot holds '{stored}'")]
    Name { declared: Box<str>, stored: Box<str> },
    /// Another kind of state, or operator state with another redistribution.
    #[error("the job declares a {declared}, the snapshot holds a {stored}")]
    Kind { declared: StateKind, stored: StateKind },
    /// Written by another codec.
    #[error("the job declares codec '{declared}', the snapshot was written by '{stored}'")]
    Codec { declared: CodecId, stored: CodecId },
    /// Written by a newer program.
    #[error("the job declares version {declared}, the snapshot holds the newer version {stored}")]
    Newer { declared: u32, stored: u32 },
    /// Older, and no migration from that version is declared.
    #[error("the job declares version {declared} and no migration from version {stored}, which the snapshot holds")]
    NoMigration { declared: u32, stored: u32 },
    /// The same version of another layout: its author did not raise the version.
    #[error("the job declares version {version} with fingerprint {declared}, the snapshot holds it with {stored}")]
    Fingerprint { version: u32, declared: Fingerprint, stored: Fingerprint },
}

impl From<Incompatibility> for Error {
    fn from(error: Incompatibility) -> Self {
        Self::new(ErrorKind::Configuration, error)
    }
}
