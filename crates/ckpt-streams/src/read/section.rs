//! Reading one part of a piece of state.

use ckpt_core::Result;

use crate::read::StateInputStream;
use crate::read::cursor::within;
use crate::read::error::ReadError;
use crate::read::file::zeroed;

/// Reads the bytes from `begin_bytes` on, up to `end_bytes` (exclusive) or the end of the state, such as a partition of
/// operator state. Sections of key groups are read with [`KeyGroupSections`](crate::KeyGroupSections).
///
/// # Errors
///
/// `Corrupt` when the section does not lie within the state, or its bytes are not what was written; `FailJob` when there
/// is no memory for it.
pub fn read_section(stream: &mut dyn StateInputStream, begin_bytes: u64, end_bytes: Option<u64>) -> Result<Vec<u8>> {
    let end_bytes = end_bytes.unwrap_or_else(|| stream.length_bytes());
    within(stream, begin_bytes, end_bytes)?;
    let mut section = zeroed(end_bytes - begin_bytes).ok_or_else(|| ReadError::SectionMemory {
        begin_bytes,
        end_bytes,
        stream: format!("{stream:?}"),
    })?;
    stream.read_exact_at(&mut section, begin_bytes)?;
    Ok(section)
}
