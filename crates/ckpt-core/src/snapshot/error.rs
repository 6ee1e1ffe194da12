//! Why a part of a snapshot's description is refused.

use std::time::Duration;

use super::{Alignment, AlignmentTimeout, LocationReference, SnapshotKind};
use crate::error::{Error, ErrorKind};

/// A location reference that no barrier carries.
#[derive(Debug, thiserror::Error)]
#[error("a location reference has from 1 to {} bytes, found {found_bytes}", LocationReference::MAX_BYTES)]
pub(super) struct LocationLength {
    pub(super) found_bytes: usize,
}

/// Options that no checkpoint has.
#[derive(Debug, thiserror::Error)]
pub(super) enum AlignmentError {
    #[error("an alignment timeout is longer than 0 and at most {:?}, found {found:?}", AlignmentTimeout::LONGEST)]
    Timeout { found: Duration },
    #[error("a {kind} can be at least once or aligned without a timeout, found {alignment:?}")]
    Savepoint { kind: SnapshotKind, alignment: Alignment },
    #[error("only an aligned checkpoint turns unaligned, found {found:?}")]
    NotAligned { found: Alignment },
}

/// Metrics that cannot be.
#[derive(Debug, thiserror::Error)]
pub(super) enum MetricsError {
    #[error("the alignment ended twice: after {first:?}, and again after {second:?}")]
    AlignmentTwice { first: Duration, second: Duration },
    #[error("the metrics of a checkpoint need its alignment, which has not ended")]
    AlignmentOpen,
}

impl From<LocationLength> for Error {
    fn from(error: LocationLength) -> Self {
        Self::new(ErrorKind::Configuration, error)
    }
}

impl From<AlignmentError> for Error {
    fn from(error: AlignmentError) -> Self {
        Self::new(ErrorKind::Configuration, error)
    }
}

impl From<MetricsError> for Error {
    fn from(error: MetricsError) -> Self {
        Self::new(ErrorKind::Configuration, error)
    }
}
