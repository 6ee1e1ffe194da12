//! The frame of a metadata file: header, sections, index, trailer.
//!
//! ```text
//! ┌────────┬───────────────┬─────────────────────────┬───┬─────────┬───────┬─────────┐
//! │ header │ master states │ coordinator, part 0, …  │ … │ summary │ index │ trailer │
//! └────────┴───────────────┴─────────────────────────┴───┴─────────┴───────┴─────────┘
//!                 ▲                     ▲                     ▲      │   ▲      │
//!                 └─────────────────────┴─────────────────────┴──────┘   └──────┘  place, length and digest
//! ```

use super::WrittenMetadata;
use crate::digest::Digest;
use crate::wire::{Fixed, Subject, WireError};

/// The first bytes.
pub(super) const MAGIC: [u8; 8] = *b"CKPTMETA";
/// The last bytes.
pub(super) const END_MAGIC: [u8; 8] = *b"CKPTMEND";
pub(super) const VERSION: u32 = 1;
pub(super) const HEADER_BYTES: usize = 12;
pub(super) const TRAILER_BYTES: usize = 56;
/// What a part takes at most, unless it holds a single subtask.
pub(super) const MAX_PART_BYTES: usize = 1 << 20;

/// What a section takes at most, a part of a single subtask too: a reader allocates no more at once, whatever a file says of
/// itself.
pub(super) const MAX_SECTION_BYTES: u64 = 256 << 20;
/// What the summary and the index take at most each, so that a file of any size is summed up in little memory: of 65,536
/// operators 256 bytes, and the places of half a million parts.
pub(super) const MAX_SUMMARY_BYTES: u64 = 16 << 20;

/// What that takes at most.
pub(super) const fn most_bytes(subject: Subject) -> u64 {
    match subject {
        Subject::MetadataSummary | Subject::MetadataIndex => MAX_SUMMARY_BYTES,
        _ => MAX_SECTION_BYTES,
    }
}

/// Tag of the section for the checkpoint as a whole.
pub(super) const SUMMARY: u32 = 1;
/// Tag of a section with the state of some subtasks of an operator.
pub(super) const PART: u32 = 2;
/// Tag of a section with the state of an operator's coordinator.
pub(super) const COORDINATOR_STATE: u32 = 3;
/// Tag of the section for participants that are not tasks.
pub(super) const MASTER_STATES: u32 = 4;

/// The fixed-size end of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trailer {
    pub(super) index_offset_bytes: u64,
    pub(super) index_bytes: u64,
    pub(super) written: WrittenMetadata,
}

pub(super) fn header() -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    header[..8].copy_from_slice(&MAGIC);
    header[8..].copy_from_slice(&VERSION.to_le_bytes());
    header
}

pub(super) fn check_header(bytes: &[u8]) -> Result<(), WireError> {
    let subject = Subject::MetadataHeader;
    check_length(subject, bytes, HEADER_BYTES)?;
    let mut fixed = Fixed(bytes);
    check_magic(subject, 0, MAGIC, fixed.array())?;
    check_version(fixed.u32())
}

impl Trailer {
    pub(super) fn encode(&self) -> [u8; TRAILER_BYTES] {
        let mut trailer = [0; TRAILER_BYTES];
        let digest = self.written.index_digest;
        trailer[..8].copy_from_slice(&self.index_offset_bytes.to_le_bytes());
        trailer[8..16].copy_from_slice(&self.index_bytes.to_le_bytes());
        trailer[16..24].copy_from_slice(&digest.value().to_le_bytes());
        trailer[24..32].copy_from_slice(&self.written.length_bytes.to_le_bytes());
        trailer[32..36].copy_from_slice(&u32::from(digest.algorithm() as u8).to_le_bytes());
        trailer[36..40].copy_from_slice(&VERSION.to_le_bytes());
        let own = Digest::of(&trailer[..40]);
        trailer[40..48].copy_from_slice(&own.value().to_le_bytes());
        trailer[48..].copy_from_slice(&END_MAGIC);
        trailer
    }

    /// The trailer of a file of that length.
    pub(super) fn decode(bytes: &[u8], file_bytes: u64) -> Result<Self, WireError> {
        let subject = Subject::MetadataTrailer;
        check_length(subject, bytes, TRAILER_BYTES)?;
        let found = Digest::of(&bytes[..40]);
        let mut fixed = Fixed(bytes);
        let (index_offset_bytes, index_bytes) = (fixed.u64(), fixed.u64());
        let (index_digest, length_bytes) = (Digest::crc64_nvme(fixed.u64()), fixed.u64());
        let (algorithm, version) = (fixed.u32(), fixed.u32());
        let expected = Digest::crc64_nvme(fixed.u64());
        check_magic(subject, 48, END_MAGIC, fixed.array())?;
        if found != expected {
            return Err(WireError::Digest { subject, expected, found });
        }
        check_version(version)?;
        if algorithm != u32::from(index_digest.algorithm() as u8) {
            let invalid = crate::wire::Invalid::value("the algorithm of a digest", algorithm, "1 (CRC-64/NVME)");
            return Err(invalid.reading(subject));
        }
        if length_bytes != file_bytes {
            return Err(WireError::Length { subject: Subject::Metadata, expected: length_bytes, found: file_bytes });
        }
        let end = index_offset_bytes.checked_add(index_bytes).and_then(|end| end.checked_add(TRAILER_BYTES as u64));
        if end != Some(file_bytes) || index_offset_bytes < HEADER_BYTES as u64 {
            let found = format!("{index_offset_bytes} + {index_bytes}");
            let expected = format!("from {HEADER_BYTES} on up to the trailer at {}", file_bytes - TRAILER_BYTES as u64);
            return Err(crate::wire::Invalid::value("the place of the index", found, expected).reading(subject));
        }
        Ok(Self { index_offset_bytes, index_bytes, written: WrittenMetadata { length_bytes, index_digest } })
    }
}

pub(super) fn check_digest(subject: Subject, bytes: &[u8], expected: Digest) -> Result<(), WireError> {
    let found = Digest::of(bytes);
    if found == expected { Ok(()) } else { Err(WireError::Digest { subject, expected, found }) }
}

fn check_length(subject: Subject, bytes: &[u8], expected: usize) -> Result<(), WireError> {
    let (expected, found) = (expected as u64, bytes.len() as u64);
    if expected == found { Ok(()) } else { Err(WireError::CutShort { subject, expected, found }) }
}

fn check_magic(subject: Subject, offset: u64, expected: [u8; 8], found: [u8; 8]) -> Result<(), WireError> {
    if found == expected {
        return Ok(());
    }
    let (expected, found) = (expected.escape_ascii().to_string(), found.escape_ascii().to_string());
    Err(WireError::Magic { subject, offset, expected, found })
}

fn check_version(found: u32) -> Result<(), WireError> {
    match found {
        VERSION => Ok(()),
        found => Err(WireError::Version { subject: Subject::Metadata, expected: VERSION, found }),
    }
}
