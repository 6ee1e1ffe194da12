//! Streams that yield verified bytes only.

use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};

use bytes::Bytes;
use ckpt_core::state_file::BLOCK_BYTES;

use crate::io_error::into_io;
use crate::read::StateInputStream;
use crate::read::error::ReadError;
use crate::read::file::StateFile;

/// State in a file. One block is in memory, and it was verified.
pub(crate) struct VerifiedStream {
    file: StateFile,
    position: u64,
    block: Vec<u8>,
    /// Which block that is.
    number: Option<u64>,
}

/// State in a handle, verified when it was opened.
pub(crate) struct InlineStream {
    bytes: Bytes,
    position: u64,
}

impl VerifiedStream {
    pub(crate) const fn new(file: StateFile) -> Self {
        Self { file, position: 0, block: Vec::new(), number: None }
    }

    /// The bytes of the block at the position, from there on; empty at the end.
    fn ahead(&mut self) -> Result<&[u8], ReadError> {
        if self.position >= self.file.payload_bytes {
            return Ok(&[]);
        }
        let number = self.position / BLOCK_BYTES as u64;
        if self.number != Some(number) {
            self.number = None;
            self.file.read_block(number, &mut self.block)?;
            self.number = Some(number);
        }
        // Less than a block, so it fits.
        let within = (self.position % BLOCK_BYTES as u64) as usize;
        Ok(self.block.get(within..).unwrap_or_default())
    }
}

impl InlineStream {
    /// Of bytes that were verified.
    pub(crate) const fn new(bytes: Bytes) -> Self {
        Self { bytes, position: 0 }
    }
}

impl Read for VerifiedStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let ahead = self.ahead().map_err(|error| into_io(error.into()))?;
        let take = ahead.len().min(buffer.len());
        buffer[..take].copy_from_slice(&ahead[..take]);
        self.position += take as u64;
        Ok(take)
    }
}

impl Read for InlineStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let from = usize::try_from(self.position).unwrap_or(usize::MAX).min(self.bytes.len());
        let take = (self.bytes.len() - from).min(buffer.len());
        buffer[..take].copy_from_slice(&self.bytes[from..from + take]);
        self.position += take as u64;
        Ok(take)
    }
}

impl Seek for VerifiedStream {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = sought(to, self.position, self.file.payload_bytes)?;
        Ok(self.position)
    }
}

impl Seek for InlineStream {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = sought(to, self.position, self.bytes.len() as u64)?;
        Ok(self.position)
    }
}

impl StateInputStream for VerifiedStream {
    fn length_bytes(&self) -> u64 {
        self.file.payload_bytes
    }
}

impl StateInputStream for InlineStream {
    fn length_bytes(&self) -> u64 {
        self.bytes.len() as u64
    }
}

/// The position after a seek. One beyond the end is allowed, as `Seek` says; there is nothing to read.
fn sought(to: SeekFrom, position: u64, length_bytes: u64) -> io::Result<u64> {
    let to = match to {
        SeekFrom::Start(to) => i128::from(to),
        SeekFrom::Current(by) => i128::from(position) + i128::from(by),
        SeekFrom::End(by) => i128::from(length_bytes) + i128::from(by),
    };
    u64::try_from(to).map_err(|_| into_io(ReadError::Seek { to }.into()))
}

impl fmt::Debug for VerifiedStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}' at {}", self.file.name, self.position)
    }
}

impl fmt::Debug for InlineStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "inline state of {} bytes at {}", self.bytes.len(), self.position)
    }
}
