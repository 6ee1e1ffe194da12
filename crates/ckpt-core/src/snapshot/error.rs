//! Why a part of a snapshot's description is refused.

use super::LocationReference;
use crate::error::{Error, ErrorKind};

/// A location reference that no barrier carries.
#[derive(Debug, thiserror::Error)]
#[error("a location reference has from 1 to {} bytes, found {found_bytes}", LocationReference::MAX_BYTES)]
pub(super) struct LocationLength {
    pub(super) found_bytes: usize,
}

impl From<LocationLength> for Error {
    fn from(error: LocationLength) -> Self {
        Self::new(ErrorKind::Configuration, error)
    }
}
