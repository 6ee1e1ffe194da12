//! A state file, read as a stream.

use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;

use ckpt_core::Result;
use ckpt_core::state_file::BLOCK_BYTES;

use crate::io_error::into_io;
use crate::read::StateInputStream;
use crate::read::ahead::{Ahead, Next};
use crate::read::cursor::{holds, sought};
use crate::read::error::ReadError;
use crate::read::file::{PIECE_BYTES, StateFile};
use crate::read::options::ReadAhead;

/// State in a file. Reads of a block or more go straight into the buffer of the caller and are verified there; smaller
/// ones are served of one block in memory, which was verified, and so is what was read ahead.
pub(crate) struct FileInputStream {
    file: Arc<StateFile>,
    position: u64,
    /// Of `bytes`, which begin and end with blocks.
    held: Range<u64>,
    bytes: Vec<u8>,
    ahead: Option<Ahead>,
    /// As far as is read ahead: to the end, or to the end of a block.
    ahead_until: u64,
    /// How much was read in order.
    in_order_bytes: u64,
}

impl FileInputStream {
    pub(crate) fn new(file: Arc<StateFile>, ahead: Option<&ReadAhead>) -> Self {
        let ahead = ahead.map(|ahead| Ahead::new(Arc::clone(&file), ahead));
        let ahead_until = file.payload_bytes();
        Self { file, position: 0, held: 0..0, bytes: Vec::new(), ahead, ahead_until, in_order_bytes: 0 }
    }

    /// Reads some bytes from there on, at least one unless there are none or the buffer is empty. Whatever happens, the
    /// buffer holds bytes that were verified, zeros, or what the caller had put there.
    fn read_some(&mut self, at: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let left = self.file.payload_bytes().saturating_sub(at);
        if left == 0 || buffer.is_empty() {
            return Ok(0);
        }
        if !self.held.contains(&at) {
            let straight = straight_bytes(at, buffer.len(), left);
            if straight > 0 {
                return self.file.read_blocks(at, &mut buffer[..straight]);
            }
            self.load(at - at % BLOCK_BYTES as u64)?;
        }
        // Of a block of a file that is too short and not verified, less may be held.
        let within = at.checked_sub(self.held.start).filter(|_| at < self.held.end);
        // Less than what is in memory, so it fits.
        let within = within.ok_or_else(|| self.file.ends_before(at))? as usize;
        let held = &self.bytes[within..];
        let take = held.len().min(buffer.len());
        buffer[..take].copy_from_slice(&held[..take]);
        Ok(take)
    }

    /// Holds the block that begins there, verified.
    fn load(&mut self, at: u64) -> Result<(), ReadError> {
        self.held = 0..0;
        // At most a block, so it fits. Zeros are written once, since a block is as long as the one before.
        let length = self.file.payload_bytes().saturating_sub(at).min(BLOCK_BYTES as u64) as usize;
        self.bytes.resize(length, 0);
        let found = self.file.read_blocks(at, &mut self.bytes)?;
        self.bytes.truncate(found);
        self.held = at..at + found as u64;
        Ok(())
    }

    /// Takes the piece at the position, if it was read ahead. How many bytes may be read of what was not.
    fn take_ahead(&mut self) -> usize {
        let Some(ahead) = self.ahead.as_ref().filter(|_| self.in_order_bytes >= PIECE_BYTES as u64) else {
            return usize::MAX;
        };
        match ahead.next(self.position, &mut self.bytes) {
            Next::Piece(bytes) => {
                self.held = self.position..self.position + bytes.len() as u64;
                self.bytes = bytes;
                usize::MAX
            }
            Next::Alone(until) => usize::try_from(until - self.position).unwrap_or(usize::MAX),
        }
    }

    /// Has read what follows, once it is clear that it is read in order.
    fn request_ahead(&self) {
        let Some(ahead) = self.ahead.as_ref().filter(|_| self.in_order_bytes >= PIECE_BYTES as u64) else { return };
        let from = if self.held.contains(&self.position) { self.held.end } else { self.position };
        if from % BLOCK_BYTES as u64 == 0 {
            ahead.request(from, self.ahead_until);
        }
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
        let is_held = self.held.contains(&self.position);
        let most = if is_held { usize::MAX } else { self.take_ahead() };
        let most = most.min(buffer.len());
        let read = self.read_some(self.position, &mut buffer[..most]).map_err(|error| into_io(error.into()))?;
        self.position += read as u64;
        self.in_order_bytes += read as u64;
        if !is_held {
            self.request_ahead();
        }
        Ok(read)
    }
}

impl Seek for FileInputStream {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = sought(to, self.position, self.file.payload_bytes())?;
        if to != self.position {
            self.position = to;
            self.ahead_until = self.file.payload_bytes();
            self.in_order_bytes = 0;
            if let Some(ahead) = &self.ahead {
                ahead.cancel();
            }
        }
        Ok(to)
    }
}

impl StateInputStream for FileInputStream {
    fn length_bytes(&self) -> u64 {
        self.file.payload_bytes()
    }

    fn read_ahead_until(&mut self, end_bytes: u64) {
        let end_of_block = end_bytes.checked_next_multiple_of(BLOCK_BYTES as u64).unwrap_or(u64::MAX);
        self.ahead_until = end_of_block.min(self.file.payload_bytes());
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
