//! A part of a file, read as a file.

use std::io;

use crate::file_system::ReadAt;

/// So many bytes of a file, or as many as are there.
#[derive(Debug)]
pub(crate) struct Segment {
    file: Box<dyn ReadAt>,
    offset_bytes: u64,
    length_bytes: u64,
}

impl Segment {
    /// The bytes from there on, `length_bytes` at most.
    pub(crate) fn new(file: Box<dyn ReadAt>, offset_bytes: u64, length_bytes: u64) -> Self {
        let length_bytes = file.length_bytes().saturating_sub(offset_bytes).min(length_bytes);
        Self { file, offset_bytes, length_bytes }
    }
}

impl ReadAt for Segment {
    fn read_exact_at(&self, buffer: &mut [u8], offset_bytes: u64) -> io::Result<()> {
        let end = offset_bytes.checked_add(buffer.len() as u64);
        if end.is_none_or(|end| end > self.length_bytes) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // Within the file, since all of the segment is.
        self.file.read_exact_at(buffer, self.offset_bytes.saturating_add(offset_bytes))
    }

    fn length_bytes(&self) -> u64 {
        self.length_bytes
    }
}
