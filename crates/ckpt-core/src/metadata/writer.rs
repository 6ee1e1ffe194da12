//! Writing a metadata file, front to back.

use std::fmt;
use std::io;

use super::encoder::{Encoder, NewSection, Output};
use super::format::{SUMMARY, TRAILER_BYTES, Trailer, header, most_bytes};
use super::{CheckpointDescription, OperatorDescription, OperatorEncoder, OperatorStatus};
use crate::digest::Digest;
use crate::error::Result;
use crate::time::Timestamp;
use crate::wire::{Subject, WireError, put_mirror, v1};

/// What HEAD remembers of a metadata file: with both, no byte of it can change unnoticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WrittenMetadata {
    /// Length of the whole file.
    pub length_bytes: u64,
    /// Digest of its index, which holds the digest of everything else.
    pub index_digest: Digest,
}

/// Takes the state of a checkpoint, operator by operator, and writes its metadata while it does.
///
/// It never goes back, and holds at most one part and what the summary says. What it writes is what a
/// [`MetadataBuilder`](super::MetadataBuilder) of the same would.
#[derive(Debug)]
pub struct MetadataWriter<'a> {
    encoder: Encoder,
    file: FileWriter<'a>,
}

/// A file that is being written.
pub(super) struct FileWriter<'a> {
    out: &'a mut dyn io::Write,
    position: u64,
    index: Vec<u8>,
}

impl<'a> MetadataWriter<'a> {
    /// Begins the file of that checkpoint.
    ///
    /// # Errors
    ///
    /// `AbortCheckpoint` when the description breaks a rule, or `out` fails.
    pub fn new(description: CheckpointDescription, out: &'a mut dyn io::Write) -> Result<Self> {
        let mut file = FileWriter::new(out);
        let encoder = Encoder::new(description, &mut file)?;
        Ok(Self { encoder, file })
    }

    /// Begins the next operator, of which at least one subtask ran. They ascend by id.
    ///
    /// # Errors
    ///
    /// `AbortCheckpoint` when it breaks a rule, or the output fails; the file is of no use then.
    pub fn operator(&mut self, description: &OperatorDescription) -> Result<OperatorEncoder<'_>> {
        Ok(self.encoder.operator(description, OperatorStatus::Running, &mut self.file)?)
    }

    /// Notes an operator of which all subtasks had finished before. Neither they nor its coordinator have state.
    ///
    /// # Errors
    ///
    /// As those of [`operator`](Self::operator).
    pub fn finished_operator(&mut self, description: &OperatorDescription) -> Result<()> {
        Ok(self.encoder.operator(description, OperatorStatus::FullyFinished, &mut self.file).map(drop)?)
    }

    /// Ends the file of the checkpoint, which was complete at that time of the coordinator's wall clock.
    ///
    /// # Errors
    ///
    /// `AbortCheckpoint` when it breaks a rule, or the output fails.
    pub fn finish(self, completed_at: Timestamp) -> Result<WrittenMetadata> {
        let Self { encoder, mut file } = self;
        let (_, body, _) = encoder.finish(completed_at, &mut file)?;
        let subject = Subject::MetadataSummary;
        file.section(NewSection { subject, tag: SUMMARY, operator: None, part: 0, body: &body })?;
        Ok(file.finish()?)
    }
}

impl<'a> FileWriter<'a> {
    pub(super) fn new(out: &'a mut dyn io::Write) -> Self {
        Self { out, position: 0, index: Vec::new() }
    }

    /// Writes a section whose digest is known.
    pub(super) fn verified(&mut self, section: NewSection<'_>, digest: Digest) -> Result<(), WireError> {
        let NewSection { subject, tag, operator, part, body } = section;
        check_length(subject, body.len() as u64)?;
        if self.position == 0 {
            self.put(Subject::MetadataHeader, &header())?;
        }
        let entry = v1::IndexEntry::new(tag, operator, part, self.position, body.len() as u64, digest);
        put_mirror(&mut self.index, Subject::MetadataIndex, &entry)?;
        self.put(subject, body)
    }

    fn put(&mut self, subject: Subject, bytes: &[u8]) -> Result<(), WireError> {
        self.out.write_all(bytes).map_err(|source| WireError::Write { subject, source })?;
        self.position += bytes.len() as u64;
        Ok(())
    }

    /// Writes index and trailer. The summary was written, so the header was.
    pub(super) fn finish(mut self) -> Result<WrittenMetadata, WireError> {
        let subject = Subject::MetadataIndex;
        let index = std::mem::take(&mut self.index);
        check_length(subject, index.len() as u64)?;
        let (index_offset_bytes, index_digest) = (self.position, Digest::of(&index));
        self.put(subject, &index)?;
        let length_bytes = self.position + TRAILER_BYTES as u64;
        let written = WrittenMetadata { length_bytes, index_digest };
        let trailer = Trailer { index_offset_bytes, index_bytes: index.len() as u64, written };
        self.put(Subject::MetadataTrailer, &trailer.encode())?;
        self.out.flush().map_err(|source| WireError::Write { subject: Subject::Metadata, source })?;
        Ok(written)
    }
}

impl Output for FileWriter<'_> {
    fn section(&mut self, section: NewSection<'_>) -> Result<(), WireError> {
        self.verified(section, Digest::of(section.body))
    }
}

impl fmt::Debug for FileWriter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileWriter").field("position", &self.position).finish_non_exhaustive()
    }
}

/// Nothing is written that a reader would refuse.
fn check_length(subject: Subject, found: u64) -> Result<(), WireError> {
    let limit = most_bytes(subject);
    if found > limit { Err(WireError::AboveLimit { subject, limit, found }) } else { Ok(()) }
}
