//! Writing a metadata file, front to back.

use std::io;

use super::check::check;
use super::format::{HEADER_BYTES, MAX_PART_BYTES, MAX_SECTION_BYTES, PART, SUMMARY, Trailer, header};
use super::{CheckpointMetadata, OperatorMetadata};
use crate::digest::Digest;
use crate::error::Result;
use crate::id::OperatorId;
use crate::wire::{List, Subject, WireError, encode, v1};

/// What HEAD remembers of a metadata file: with both, no byte of it can change unnoticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WrittenMetadata {
    /// Length of the whole file.
    pub length_bytes: u64,
    /// Digest of its index, which holds the digest of everything else.
    pub index_digest: Digest,
}

impl CheckpointMetadata {
    /// Writes the file front to back, part by part, without a seek.
    ///
    /// The same metadata always gives the same bytes, and its identity (number and epoch) belongs to one completion: so a
    /// retry of a write is recognised by comparing what is there with what would be written.
    ///
    /// # Errors
    ///
    /// `AbortCheckpoint` when `out` fails, and when something in it could not be read again.
    pub fn write_to(&self, out: &mut dyn io::Write) -> Result<WrittenMetadata> {
        check(self).map_err(|invalid| invalid.writing(Subject::Metadata))?;
        let mut file = Sections { out, position: 0, index: Vec::new() };
        file.put(Subject::MetadataHeader, &header())?;
        let operators = self.operators.iter().map(|(id, operator)| v1::Operator::of(*id, operator)).collect();
        let summary = encode(Subject::MetadataSummary, &v1::Summary::of(&self.summary, operators))?;
        file.section(Subject::MetadataSummary, SUMMARY, None, 0, &[&summary])?;
        for (id, operator) in &self.operators {
            file.parts(*id, operator)?;
        }
        Ok(file.finish()?)
    }

    /// The whole file, and what HEAD remembers of it.
    ///
    /// # Errors
    ///
    /// `AbortCheckpoint` when something in it could not be read again.
    pub fn encode(&self) -> Result<(Vec<u8>, WrittenMetadata)> {
        let mut bytes = Vec::new();
        let written = self.write_to(&mut bytes)?;
        Ok((bytes, written))
    }
}

/// A file that is being written.
struct Sections<'a> {
    out: &'a mut dyn io::Write,
    position: u64,
    index: Vec<v1::IndexEntry>,
}

impl Sections<'_> {
    fn put(&mut self, subject: Subject, bytes: &[u8]) -> Result<(), WireError> {
        self.out.write_all(bytes).map_err(|source| WireError::Write { subject, source })?;
        self.position += bytes.len() as u64;
        Ok(())
    }

    fn section(
        &mut self,
        subject: Subject,
        tag: u32,
        operator: Option<OperatorId>,
        part: u32,
        pieces: &[&[u8]],
    ) -> Result<(), WireError> {
        check_length(subject, pieces.iter().map(|piece| piece.len() as u64).sum())?;
        let offset = self.position;
        let mut digester = crate::digest::Digester::new();
        for piece in pieces {
            digester.update(piece);
            self.put(subject, piece)?;
        }
        let length = self.position - offset;
        self.index.push(v1::IndexEntry::new(tag, operator, part, offset, length, digester.finish()));
        Ok(())
    }

    /// The state of one operator, in as few parts as hold at most 1 MiB or a single subtask.
    fn parts(&mut self, id: OperatorId, operator: &OperatorMetadata) -> Result<(), WireError> {
        // A part begins with the count of its subtasks, known only once it is full: they are put together behind it.
        const MAX_COUNT_BYTES: usize = 5;
        let (mut part, mut count, mut entries) = (0, 0_u32, Vec::new());
        for (subtask, state) in &operator.subtasks {
            let subject = Subject::MetadataPart { operator: id, part };
            let mut entry = encode(subject, subtask)?;
            v1::put_state(&mut entry, state).map_err(|invalid| invalid.writing(subject))?;
            if count > 0 && MAX_COUNT_BYTES + entries.len() + entry.len() > MAX_PART_BYTES {
                self.section(subject, PART, Some(id), part, &[&encode(subject, &count)?, &entries])?;
                entries.clear();
                (part, count) = (part + 1, 0);
            }
            entries.extend_from_slice(&entry);
            count += 1;
        }
        if count > 0 {
            let subject = Subject::MetadataPart { operator: id, part };
            self.section(subject, PART, Some(id), part, &[&encode(subject, &count)?, &entries])?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<WrittenMetadata, WireError> {
        let subject = Subject::MetadataIndex;
        let index = encode(subject, &List(std::mem::take(&mut self.index)))?;
        check_length(subject, index.len() as u64)?;
        let (index_offset_bytes, index_digest) = (self.position, Digest::of(&index));
        self.put(subject, &index)?;
        let length_bytes = self.position + super::format::TRAILER_BYTES as u64;
        debug_assert!(index_offset_bytes >= HEADER_BYTES as u64);
        let written = WrittenMetadata { length_bytes, index_digest };
        let trailer = Trailer { index_offset_bytes, index_bytes: index.len() as u64, written };
        self.put(Subject::MetadataTrailer, &trailer.encode())?;
        self.out.flush().map_err(|source| WireError::Write { subject: Subject::Metadata, source })?;
        Ok(written)
    }
}

/// Nothing is written that a reader would refuse.
fn check_length(subject: Subject, found: u64) -> Result<(), WireError> {
    let limit = MAX_SECTION_BYTES;
    if found > limit { Err(WireError::AboveLimit { subject, limit, found }) } else { Ok(()) }
}
