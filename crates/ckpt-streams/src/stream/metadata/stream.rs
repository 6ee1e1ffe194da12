//! One try to publish metadata.

use std::fmt;
use std::io::{self, Write};

use ckpt_core::{Digester, Error, ErrorKind, Result};

use crate::file_system::{CasOutcome, Durability, FileWriter, Visible};
use crate::io_error::{into_error, into_io};
use crate::stream::metadata::MetadataTarget;
use crate::stream::metadata::error::MetadataError;

/// So many bytes go to the file at a time, and are compared at a time.
const BUFFER_BYTES: usize = 256 * 1024;

/// Metadata on their way into their file (Flink's `CheckpointMetadataOutputStream`), which appears whole when they end.
///
/// Written by one thread. Dropping it leaves nothing behind, but cannot report errors.
pub struct MetadataStream {
    target: MetadataTarget,
    /// `None` after a write that failed: nothing is left of it then.
    writer: Option<Box<dyn FileWriter>>,
    buffer: Vec<u8>,
    /// Of what is not in the buffer any more.
    passed_bytes: u64,
    digester: Digester,
    /// The last bytes of what is not in the buffer any more.
    end: Vec<u8>,
}

/// So many bytes at the end are compared as they are: a file that ends in the digest of what is before has the digest of
/// every other such file of its length.
const END_BYTES: usize = 8;

/// What became of a try.
#[derive(Debug)]
pub(super) enum Ending {
    /// The bytes are there, and durable.
    Published,
    /// They are not, and nothing is left.
    Failed(Error),
    /// They may be there, or may come yet. The same may be sent again.
    Unanswered(Error),
    /// Trying again is no use: another's are there, or it cannot be told whose, or the name may not survive.
    Settled(Error),
}

impl MetadataStream {
    pub(super) fn begin(target: MetadataTarget) -> Result<Self> {
        match target.file_system.create_new(&target.path, Visible::WholeAtFinish) {
            Ok(writer) => {
                let (buffer, digester) = (Vec::new(), Digester::new());
                Ok(Self { target, writer: Some(writer), buffer, passed_bytes: 0, digester, end: Vec::new() })
            }
            Err(source) => Err(MetadataError::NotMade { path: target.shown(), source }.into()),
        }
    }

    /// Bytes written so far.
    pub fn position(&self) -> u64 {
        self.passed_bytes + self.buffer.len() as u64
    }

    /// Publishes what was written, durably, and replaces nothing. That the very same bytes are there already is no failure:
    /// an earlier try has published them.
    ///
    /// # Errors
    ///
    /// `AbortCheckpoint` when it was not published; `Unknown` when it may have been, or its name may not survive.
    pub fn finish(self) -> Result<()> {
        match self.end() {
            Ending::Published => Ok(()),
            Ending::Failed(error) | Ending::Unanswered(error) | Ending::Settled(error) => Err(error),
        }
    }

    /// Leaves nothing behind.
    ///
    /// # Errors
    ///
    /// `Retry` when something may be left, which nobody sees.
    pub fn abort(mut self) -> Result<()> {
        self.writer.take().map_or(Ok(()), FileWriter::discard)
    }

    pub(super) fn end(mut self) -> Ending {
        let path = self.target.shown();
        if let Err(error) = self.write_buffer() {
            return Ending::Failed(error);
        }
        let Some(writer) = self.writer.take() else {
            return Ending::Failed(MetadataError::FailedEarlier { path }.into());
        };
        match writer.finish(self.target.durability) {
            CasOutcome::Done(_) => self.sync_name(),
            CasOutcome::Lost => match self.is_there() {
                // Its name may have been synced or not.
                Ok(true) => self.sync_name(),
                Ok(false) => {
                    let expected_bytes = self.passed_bytes;
                    Ending::Settled(MetadataError::ByAnother { path, expected_bytes }.into())
                }
                Err(source) => Ending::Settled(MetadataError::Unread { path, source }.into()),
            },
            CasOutcome::Failed(source) => Ending::Failed(MetadataError::NotPublished { path, source }.into()),
            CasOutcome::Unknown(source) => Ending::Unanswered(MetadataError::Unanswered { path, source }.into()),
        }
    }

    fn try_write(&mut self, bytes: &[u8]) -> Result<()> {
        if self.writer.is_none() {
            return Err(MetadataError::FailedEarlier { path: self.target.shown() }.into());
        }
        if self.buffer.len() + bytes.len() < BUFFER_BYTES {
            self.buffer.extend_from_slice(bytes);
            return Ok(());
        }
        self.write_buffer()?;
        self.write_through(bytes)
    }

    /// Hands what was collected to the file.
    fn write_buffer(&mut self) -> Result<()> {
        let mut buffer = std::mem::take(&mut self.buffer);
        self.write_through(&buffer)?;
        buffer.clear();
        self.buffer = buffer;
        Ok(())
    }

    /// A write that fails ends the file.
    fn write_through(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(writer) = self.writer.as_mut().filter(|_| !bytes.is_empty()) else { return Ok(()) };
        if let Err(source) = writer.write_all(bytes) {
            // What it left is invisible and deleted here as far as it can be; the write is what is told.
            let _ = self.writer.take().map(FileWriter::discard);
            return Err(MetadataError::NotWritten { path: self.target.shown(), source }.into());
        }
        self.digester.update(bytes);
        self.passed_bytes += bytes.len() as u64;
        self.end.extend_from_slice(&bytes[bytes.len().saturating_sub(END_BYTES)..]);
        self.end.drain(..self.end.len().saturating_sub(END_BYTES));
        Ok(())
    }

    /// Whether the file that has the name holds exactly the bytes that were written. Its digest and its end tell: every
    /// write has an identity in its bytes.
    fn is_there(&self) -> Result<bool> {
        let file = self.target.file_system.open(&self.target.path)?;
        if file.length_bytes() != self.passed_bytes {
            return Ok(false);
        }
        let read = |piece: &mut [u8], at_bytes| {
            file.read_exact_at(piece, at_bytes).map_err(|error| into_error(error, ErrorKind::Retry))
        };
        let mut end = vec![0; self.end.len()];
        read(&mut end, self.passed_bytes - self.end.len() as u64)?;
        if end != self.end {
            return Ok(false);
        }
        let (mut found, mut buffer, mut at_bytes) = (Digester::new(), vec![0; BUFFER_BYTES], 0);
        while at_bytes < self.passed_bytes {
            let piece = &mut buffer[..(self.passed_bytes - at_bytes).min(BUFFER_BYTES as u64) as usize];
            read(piece, at_bytes)?;
            found.update(piece);
            at_bytes += piece.len() as u64;
        }
        Ok(found.finish() == self.digester.finish())
    }

    fn sync_name(&self) -> Ending {
        if self.target.durability == Durability::None {
            return Ending::Published;
        }
        match self.target.file_system.sync_entries(std::slice::from_ref(&self.target.path)) {
            Ok(()) => Ending::Published,
            // A sync that failed is final: another would say that all is well.
            Err(source) => Ending::Settled(MetadataError::NotSynced { path: self.target.shown(), source }.into()),
        }
    }
}

impl Write for MetadataStream {
    /// Takes all bytes or fails.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.try_write(bytes).map(|()| bytes.len()).map_err(into_io)
    }

    /// Nothing is seen of it before the end, so nothing is to be hurried.
    fn flush(&mut self) -> io::Result<()> {
        self.try_write(&[]).map_err(into_io)
    }
}

impl fmt::Debug for MetadataStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetadataStream").field("target", &self.target).field("position", &self.position()).finish()
    }
}
