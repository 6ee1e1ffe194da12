//! A state file, read as a stream.

use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use ckpt_core::Result;
use ckpt_core::state_file::BLOCK_BYTES;

use crate::io_error::into_io;
use crate::read::StateInputStream;
use crate::read::cursor::{holds, sought};
use crate::read::error::ReadError;
use crate::read::file::{PIECE_BYTES, StateFile};

/// State in a file. Reads of a block or more go straight into the buffer of the caller and are verified there; smaller
/// ones are served of one block in memory, which was verified.
pub(crate) struct FileInputStream {
    file: Arc<StateFile>,
    position: u64,
    block: Vec<u8>,
    /// Which block that is.
    number: Option<u64>,
}

impl FileInputStream {
    pub(crate) const fn new(file: Arc<StateFile>) -> Self {
        Self { file, position: 0, block: Vec::new(), number: None }
    }

    /// Reads some bytes from there on, at least one unless there are none or the buffer is empty. Whatever happens, the
    /// buffer holds bytes that were verified, zeros, or what the caller had put there.
    fn read_some(&mut self, at: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let left = self.file.payload_bytes().saturating_sub(at);
        if left == 0 || buffer.is_empty() {
            return Ok(0);
        }
        let number = at / BLOCK_BYTES as u64;
        if self.number != Some(number) {
            let straight = straight_bytes(at, buffer.len(), left);
            if straight > 0 {
                return self.file.read_blocks(at, &mut buffer[..straight]);
            }
            self.load(number)?;
        }
        // Less than a block, so it fits.
        let within = (at % BLOCK_BYTES as u64) as usize;
        let held = self.block.get(within..).filter(|held| !held.is_empty()).ok_or_else(|| self.file.ends_before(at))?;
        let take = held.len().min(buffer.len());
        buffer[..take].copy_from_slice(&held[..take]);
        Ok(take)
    }

    /// Holds that block, verified.
    fn load(&mut self, number: u64) -> Result<(), ReadError> {
        self.number = None;
        let at = number * BLOCK_BYTES as u64;
        // At most a block, so it fits. Zeros are written once, since a block is as long as the one before.
        let length = self.file.payload_bytes().saturating_sub(at).min(BLOCK_BYTES as u64) as usize;
        self.block.resize(length, 0);
        let found = self.file.read_blocks(at, &mut self.block)?;
        // Less of a file that is too short and not verified.
        self.block.truncate(found);
        self.number = Some(number);
        Ok(())
    }
}

/// How many bytes of a read may go straight into the caller's buffer: whole blocks, of which the last of a file may be
/// short, and at most one piece.
fn straight_bytes(at: u64, buffer: usize, left: u64) -> usize {
    let most = buffer.min(PIECE_BYTES);
    match at % BLOCK_BYTES as u64 {
        0 if left <= most as u64 => left as usize,
        0 => most - most % BLOCK_BYTES,
        _ => 0,
    }
}

impl Read for FileInputStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.read_some(self.position, buffer).map_err(|error| into_io(error.into()))?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for FileInputStream {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = sought(to, self.position, self.file.payload_bytes())?;
        Ok(self.position)
    }
}

impl StateInputStream for FileInputStream {
    fn length_bytes(&self) -> u64 {
        self.file.payload_bytes()
    }

    fn read_exact_at(&mut self, mut buffer: &mut [u8], offset_bytes: u64) -> Result<()> {
        holds(self, buffer.len(), offset_bytes)?;
        let mut at = offset_bytes;
        while !buffer.is_empty() {
            // Never 0, since all of the range is within the state.
            match self.read_some(at, buffer) {
                Ok(read) => {
                    at += read as u64;
                    buffer = &mut buffer[read..];
                }
                Err(error) => {
                    buffer.fill(0);
                    return Err(error.into());
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for FileInputStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}'", self.file.name())
    }
}
