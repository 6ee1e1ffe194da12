//! The bytes of a state file: payload, one digest for each block of it, a trailer. (`docs/format.md` states them.)
//!
//! ```text
//! payload | digests of its blocks | trailer
//! ```
//!
//! Whoever writes feeds the payload to a [`BlockDigester`] as well and appends what [`BlockDigester::finish`] yields.
//! Whoever reads knows the length of the payload and the digest from the handle, compares the file's length with
//! [`file_bytes`], decodes the [`Trailer`], verifies the table by [`Trailer::verify`], and then each block that it reads by
//! [`BlockDigests::verify`]; [`payload`] does all of it for a file in memory. Nothing here does I/O. A segment, a piece of
//! a file that holds several, is the same bytes from some offset on, and is verified alike.
//!
//! ```
//! use ckpt_core::id::{LeaderEpoch, Writer, WriterId};
//! use ckpt_core::state_file::{BlockDigester, payload};
//!
//! let name = Writer::new(LeaderEpoch::new(1), WriterId::new(0)).file(0);
//! let state = vec![7; 100_000];
//! let mut digester = BlockDigester::new();
//! state.chunks(1_000).for_each(|piece| digester.update(piece));
//! let end = digester.finish(&name);
//! let mut file = [&state[..], &end.bytes].concat();
//! assert_eq!(payload(&file, &name, 100_000, end.handle_digest)?, state);
//!
//! file[70_000] ^= 1;
//! let error = payload(&file, &name, 100_000, end.handle_digest).unwrap_err();
//! assert!(error.to_string().contains("block 1"), "{error}");
//! # Ok::<(), ckpt_core::Error>(())
//! ```

mod digester;
mod digests;
mod error;
mod trailer;

pub use digester::{BlockDigester, FileEnd};
pub use digests::BlockDigests;
pub use trailer::Trailer;

use crate::digest::Digest;
use crate::error::Result;
use crate::id::FileName;
use error::StateFileError;

/// Payload bytes that one digest covers; the last block may be shorter.
pub const BLOCK_BYTES: usize = 64 * 1024;

/// Bytes of one digest in the table.
const DIGEST_BYTES: usize = 8;

/// Bytes of the table of that much payload.
pub const fn table_bytes(payload_bytes: u64) -> u64 {
    payload_bytes.div_ceil(BLOCK_BYTES as u64) * DIGEST_BYTES as u64
}

/// Bytes of the whole file with that much payload; `None` when no file is that long.
pub const fn file_bytes(payload_bytes: u64) -> Option<u64> {
    match payload_bytes.checked_add(table_bytes(payload_bytes)) {
        Some(bytes) => bytes.checked_add(Trailer::BYTES as u64),
        None => None,
    }
}

/// The payload of a whole file, every byte of which is verified against what its handle says.
///
/// # Errors
///
/// `Corrupt`, with what was expected and what was found; `Configuration` when a newer program wrote it.
pub fn payload<'a>(file: &'a [u8], name: &FileName, payload_bytes: u64, digest: Digest) -> Result<&'a [u8]> {
    let found = file.len() as u64;
    let expected = file_bytes(payload_bytes).filter(|expected| *expected == found);
    let refused = || StateFileError::FileLength { payload_bytes, found };
    // A length that a slice has fits into memory.
    let (payload, rest) = expected.and_then(|_| file.split_at_checked(payload_bytes as usize)).ok_or_else(refused)?;
    let (table, trailer) = rest.split_at_checked(table_bytes(payload_bytes) as usize).ok_or_else(refused)?;
    let digests = Trailer::decode(trailer)?.verify(name, payload_bytes, table.to_vec(), digest)?;
    for (number, block) in (0..).zip(payload.chunks(BLOCK_BYTES)) {
        digests.verify(number, block)?;
    }
    Ok(payload)
}

#[cfg(test)]
#[path = "state_file_test.rs"]
mod tests;
