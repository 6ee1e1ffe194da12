//! Positions within stored state.

use std::io::{self, SeekFrom};

use ckpt_core::Error;

use crate::read::StateInputStream;
use crate::read::error::ReadError;

/// The position after a seek. One beyond the end is allowed, as `Seek` says; there is nothing to read.
pub(super) fn sought(to: SeekFrom, position: u64, length_bytes: u64) -> io::Result<u64> {
    let to = match to {
        SeekFrom::Start(to) => i128::from(to),
        SeekFrom::Current(by) => i128::from(position) + i128::from(by),
        SeekFrom::End(by) => i128::from(length_bytes) + i128::from(by),
    };
    u64::try_from(to).map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, Error::from(ReadError::Seek { to })))
}

/// Whether so many bytes from there on are within the state.
pub(super) fn holds(stream: &dyn StateInputStream, length: usize, begin_bytes: u64) -> Result<(), ReadError> {
    match begin_bytes.checked_add(length as u64) {
        Some(end_bytes) => within(stream, begin_bytes, end_bytes),
        None => within(stream, u64::MAX, begin_bytes),
    }
}

/// Whether a section is within the state.
pub(super) fn within(stream: &dyn StateInputStream, begin_bytes: u64, end_bytes: u64) -> Result<(), ReadError> {
    let length_bytes = stream.length_bytes();
    match begin_bytes <= end_bytes && end_bytes <= length_bytes {
        true => Ok(()),
        false => Err(ReadError::Section { begin_bytes, end_bytes, length_bytes, stream: format!("{stream:?}") }),
    }
}
