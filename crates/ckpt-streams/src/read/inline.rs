//! State in its handle, read as a stream.

use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};

use bytes::Bytes;
use ckpt_core::Result;

use crate::read::StateInputStream;
use crate::read::cursor::{holds, sought};

/// State in a handle, verified when it was opened.
pub(crate) struct InlineInputStream {
    bytes: Bytes,
    position: u64,
}

impl InlineInputStream {
    /// Of bytes that were verified.
    pub(crate) const fn new(bytes: Bytes) -> Self {
        Self { bytes, position: 0 }
    }
}

impl Read for InlineInputStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let from = usize::try_from(self.position).unwrap_or(usize::MAX).min(self.bytes.len());
        let take = (self.bytes.len() - from).min(buffer.len());
        buffer[..take].copy_from_slice(&self.bytes[from..from + take]);
        self.position += take as u64;
        Ok(take)
    }
}

impl Seek for InlineInputStream {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = sought(to, self.position, self.length_bytes())?;
        Ok(self.position)
    }
}

impl StateInputStream for InlineInputStream {
    fn length_bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_exact_at(&mut self, buffer: &mut [u8], offset_bytes: u64) -> Result<()> {
        holds(self, buffer.len(), offset_bytes)?;
        // Within bytes in memory, as was just compared.
        let from = offset_bytes as usize;
        buffer.copy_from_slice(&self.bytes[from..from + buffer.len()]);
        Ok(())
    }
}

impl fmt::Debug for InlineInputStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "inline state of {} bytes", self.bytes.len())
    }
}
