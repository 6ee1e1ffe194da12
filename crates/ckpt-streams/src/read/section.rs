//! Reading one part of a piece of state.

use ckpt_core::Result;

use crate::read::StateInputStream;
use crate::read::cursor::within;
use crate::read::error::ReadError;
use crate::read::file::PIECE_BYTES;

/// How much memory is taken at once: whole blocks, and enough of them that the calls do not count.
const COLLECTED_BYTES: u64 = 4 * PIECE_BYTES as u64;

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
    let section = collect(begin_bytes, end_bytes, |piece, at| stream.read_exact_at(piece, at))?;
    section.ok_or_else(|| ReadError::SectionMemory { begin_bytes, end_bytes, stream: format!("{stream:?}") }.into())
}

/// Reads a section into memory that is touched no further than there are bytes: whoever says how long it is, is not
/// trusted before they are there. `None` when there is no memory for it.
pub(super) fn collect(
    begin_bytes: u64,
    end_bytes: u64,
    mut read: impl FnMut(&mut [u8], u64) -> Result<()>,
) -> Result<Option<Vec<u8>>> {
    let mut section = Vec::new();
    let reserved =
        usize::try_from(end_bytes - begin_bytes).is_ok_and(|length| section.try_reserve_exact(length).is_ok());
    if !reserved {
        return Ok(None);
    }
    let mut at = begin_bytes;
    while at < end_bytes {
        // Up to a multiple, so that no block is read twice.
        let next = end_bytes.min(at.saturating_add(COLLECTED_BYTES - at % COLLECTED_BYTES));
        let begin = section.len();
        // No longer than what was reserved, so it fits.
        section.resize(begin + (next - at) as usize, 0);
        read(&mut section[begin..], at)?;
        at = next;
    }
    Ok(Some(section))
}
