//! Why a descriptor is refused.

use super::StateDescriptor;
use crate::error::{Error, ErrorKind};

/// A descriptor that cannot be.
#[derive(Debug, thiserror::Error)]
pub(super) enum DescriptorError {
    #[error("the name of a {what} has from 1 to {most} bytes, found {found_bytes}")]
    Length { what: &'static str, found_bytes: usize, most: usize },
    #[error("the name of a {what} has no control characters, found {found:?}")]
    Control { what: &'static str, found: Box<str> },
    #[error(
        "names of states that begin with '{}' are the engine's own, found '{found}'",
        StateDescriptor::RESERVED_PREFIX
    )]
    Reserved { found: Box<str> },
    #[error(
        "the name of a state of the engine's own begins with '{}', found '{found}'",
        StateDescriptor::RESERVED_PREFIX
    )]
    NotReserved { found: Box<str> },
    #[error("state '{name}' is declared in version {declared}: expected a migration from an older one, found {found}")]
    Migration { name: Box<str>, declared: u32, found: u32 },
}

impl From<DescriptorError> for Error {
    fn from(error: DescriptorError) -> Self {
        Self::new(ErrorKind::Configuration, error)
    }
}
