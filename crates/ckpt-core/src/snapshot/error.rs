//! Why a part of a snapshot's description is refused.

use std::str::Utf8Error;
use std::time::Duration;

use super::{Alignment, AlignmentTimeout, LocationReference, SnapshotKind};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};
use crate::wire::{kind_of_version, who_writes};

/// A location reference that no barrier carries, or that names no place.
#[derive(Debug, thiserror::Error)]
pub(super) enum LocationError {
    #[error("a location reference has from 1 to {} bytes, found {found_bytes}", LocationReference::MAX_BYTES)]
    Length { found_bytes: usize },
    #[error("a location reference that names a URI has at least {least_bytes} bytes, found {found_bytes}")]
    CutShort { found_bytes: usize, least_bytes: usize },
    #[error(
        "a location reference has the magic '{}', expected '{}'",
        found.escape_ascii(),
        expected.escape_ascii()
    )]
    Magic { expected: [u8; 4], found: [u8; 4] },
    #[error("a location reference has format version {found}, expected {expected}: {}", who_writes(*found, *expected))]
    Version { expected: u8, found: u8 },
    #[error("the digest of a location reference is {found}, expected {expected}")]
    Digest { expected: Digest, found: Digest },
    #[error("a location reference names a place of kind {found}, expected {expected}, a URI")]
    Tag { expected: u8, found: u8 },
    #[error("a location reference names a place that is not text")]
    Utf8 { source: Utf8Error },
    #[error("a location reference names a place that cannot be used")]
    Uri { source: Error },
}

/// Options that no checkpoint has.
#[derive(Debug, thiserror::Error)]
pub(super) enum AlignmentError {
    #[error("an alignment timeout is longer than 0 and at most {:?}, found {found:?}", AlignmentTimeout::LONGEST)]
    Timeout { found: Duration },
    #[error("a {kind} can be at least once or aligned without a timeout, found {alignment}")]
    Savepoint { kind: SnapshotKind, alignment: Alignment },
    #[error("only an aligned checkpoint turns unaligned, found {found}")]
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

impl From<LocationError> for Error {
    fn from(error: LocationError) -> Self {
        let kind = match error {
            LocationError::Version { expected, found } => kind_of_version(found, expected),
            LocationError::Length { .. } => ErrorKind::Configuration,
            _ => ErrorKind::Corrupt,
        };
        Self::new(kind, error)
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
