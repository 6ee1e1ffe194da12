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

/// Why stored state cannot be read. Each names the state, what the job declares and what is stored. As an
/// [`Error`](crate::Error) it is one of `Configuration`: the job must declare the state otherwise, or leave it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "fields are what the job declares and what is stored")]
#[non_exhaustive]
pub enum Incompatibility {
    /// These are two states.
    #[error("the job declares state '{declared}', the snapshot holds '{stored}'")]
    Name { declared: Box<str>, stored: Box<str> },
    /// Another kind of state, or operator state with another redistribution.
    #[error("the job declares state '{name}' as a {declared}, the snapshot holds a {stored}")]
    Kind { name: Box<str>, declared: StateKind, stored: StateKind },
    /// Written by another codec.
    #[error("the job declares codec '{declared}' of state '{name}', the snapshot was written by '{stored}'")]
    Codec { name: Box<str>, declared: CodecId, stored: CodecId },
    /// Written by a newer program.
    #[error("the job declares version {declared} of state '{name}', the snapshot holds the newer version {stored}")]
    Newer { name: Box<str>, declared: u32, stored: u32 },
    /// Older, and no migration from that version is declared.
    #[error(
        "the job declares version {declared} of state '{name}' and no migration from version {stored}, which the snapshot holds"
    )]
    NoMigration { name: Box<str>, declared: u32, stored: u32 },
    /// The same version of another layout: its author did not raise the version.
    #[error(
        "the job declares version {version} of state '{name}' with fingerprint {declared}, the snapshot holds it with {stored}"
    )]
    Fingerprint { name: Box<str>, version: u32, declared: Fingerprint, stored: Fingerprint },
}

impl From<Incompatibility> for Error {
    fn from(error: Incompatibility) -> Self {
        Self::new(ErrorKind::Configuration, error)
    }
}
