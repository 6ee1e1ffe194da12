//! Reading one part of a piece of state.

use std::io::SeekFrom;

use ckpt_core::{Error, ErrorKind, Result};

use crate::io_error::into_error;
use crate::read::StateInputStream;
use crate::read::file::zeroed;

/// Reads the bytes from `begin_bytes` on, up to `end_bytes` (exclusive) or the end of the state: a key group's section
/// as [`KeyGroupsState::section_of`](ckpt_core::state::KeyGroupsState::section_of) names it.
///
/// # Errors
///
/// `Corrupt` when the section does not lie within the state, or its bytes are not what was written; `FailJob` when there
/// is no memory for it.
pub fn read_section(stream: &mut dyn StateInputStream, begin_bytes: u64, end_bytes: Option<u64>) -> Result<Vec<u8>> {
    let length_bytes = stream.length_bytes();
    let end_bytes = end_bytes.unwrap_or(length_bytes);
    if begin_bytes > end_bytes || end_bytes > length_bytes {
        return Err(Error::new(
            ErrorKind::Corrupt,
            SectionError { begin_bytes, end_bytes, length_bytes, stream: format!("{stream:?}") },
        ));
    }
    let mut section = zeroed(end_bytes - begin_bytes).ok_or_else(|| {
        let stream = format!("{stream:?}");
        Error::new(ErrorKind::FailJob, SectionMemory { begin_bytes, end_bytes, stream })
    })?;
    stream
        .seek(SeekFrom::Start(begin_bytes))
        .and_then(|_| stream.read_exact(&mut section))
        .map_err(|error| into_error(error, ErrorKind::Retry))?;
    Ok(section)
}

/// A section that is not within its state.
#[derive(Debug, thiserror::Error)]
#[error("section {begin_bytes}..{end_bytes} is not within the {length_bytes} bytes of {stream}")]
struct SectionError {
    begin_bytes: u64,
    end_bytes: u64,
    length_bytes: u64,
    stream: String,
}

/// A section that is too large.
#[derive(Debug, thiserror::Error)]
#[error("there is no memory for section {begin_bytes}..{end_bytes} of {stream}")]
struct SectionMemory {
    begin_bytes: u64,
    end_bytes: u64,
    stream: String,
}
