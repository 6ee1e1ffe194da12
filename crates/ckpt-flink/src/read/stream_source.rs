//! A file that is read through a buffer.

use std::io::{self, Read, Seek, SeekFrom};

use bytes::Bytes;

use super::Source;

const BUFFER_BYTES: usize = 64 << 10;

/// A file that is read through a buffer of 64 KiB. What is passed over is not read, where it is longer than what is in the
/// buffer.
#[derive(Debug)]
pub struct StreamSource<R> {
    inner: R,
    buffer: Vec<u8>,
    /// The next byte in the buffer.
    next: usize,
    position_bytes: u64,
    length_bytes: u64,
}

impl<R: Read + Seek> StreamSource<R> {
    /// The whole file, from its first byte on, wherever it stands now.
    ///
    /// # Errors
    ///
    /// What seeking in it ends with.
    pub fn new(mut inner: R) -> io::Result<Self> {
        let length_bytes = inner.seek(SeekFrom::End(0))?;
        inner.seek(SeekFrom::Start(0))?;
        Ok(Self { inner, buffer: Vec::new(), next: 0, position_bytes: 0, length_bytes })
    }

    fn buffered(&self) -> &[u8] {
        self.buffer.get(self.next..).unwrap_or_default()
    }

    /// Copies what is in the buffer, up to the length of `into`, and says how much that was.
    fn take_buffered(&mut self, into: &mut [u8]) -> usize {
        let length = self.buffered().len().min(into.len());
        into[..length].copy_from_slice(&self.buffered()[..length]);
        self.advance(length);
        length
    }

    fn advance(&mut self, length: usize) {
        self.next += length;
        self.position_bytes += length as u64;
    }

    fn fill(&mut self) -> io::Result<()> {
        self.buffer.clear();
        self.next = 0;
        self.buffer.reserve_exact(BUFFER_BYTES);
        match self.inner.by_ref().take(BUFFER_BYTES as u64).read_to_end(&mut self.buffer)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

impl<R: Read + Seek> Source for StreamSource<R> {
    fn position_bytes(&self) -> u64 {
        self.position_bytes
    }

    fn remaining_bytes(&self) -> u64 {
        self.length_bytes.saturating_sub(self.position_bytes)
    }

    #[inline]
    fn read_exact(&mut self, into: &mut [u8]) -> io::Result<()> {
        let mut filled = self.take_buffered(into);
        while filled < into.len() {
            self.fill()?;
            filled += self.take_buffered(&mut into[filled..]);
        }
        Ok(())
    }

    fn read_bytes(&mut self, length_bytes: usize) -> io::Result<Bytes> {
        // The file may say that it is longer than it is, so no more is reserved than is soon there.
        let mut bytes = Vec::with_capacity(length_bytes.min(BUFFER_BYTES));
        let buffered = self.buffered().len().min(length_bytes);
        bytes.extend_from_slice(&self.buffered()[..buffered]);
        self.advance(buffered);
        let missing = length_bytes - buffered;
        if missing > BUFFER_BYTES {
            let read = self.inner.by_ref().take(missing as u64).read_to_end(&mut bytes)?;
            self.position_bytes += read as u64;
            if read < missing {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        } else if missing > 0 {
            bytes.resize(length_bytes, 0);
            self.read_exact(&mut bytes[buffered..])?;
        }
        Ok(bytes.into())
    }

    fn skip(&mut self, length_bytes: u64) -> io::Result<()> {
        let buffered = self.buffered().len() as u64;
        if length_bytes <= buffered {
            // Not longer than the buffer.
            self.advance(length_bytes as usize);
            return Ok(());
        }
        self.position_bytes += length_bytes;
        self.buffer.clear();
        self.next = 0;
        self.inner.seek(SeekFrom::Start(self.position_bytes)).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::read::BytesSource;

    /// Counts what is read.
    struct Counting<R> {
        inner: R,
        read_bytes: u64,
    }

    impl<R: Read> Read for Counting<R> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let read = self.inner.read(into)?;
            self.read_bytes += read as u64;
            Ok(read)
        }
    }

    impl<R: Seek> Seek for Counting<R> {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.inner.seek(to)
        }
    }

    fn file() -> Bytes {
        (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect::<Vec<_>>().into()
    }

    #[test]
    fn it_reads_as_memory_does() {
        let mut memory = BytesSource::new(file());
        let mut stream = StreamSource::new(Cursor::new(file())).unwrap();
        for (number, length) in
            [1, 7, 65_535, 65_536, 65_537, 3, 400_000, 0, 100, 131_072].into_iter().cycle().enumerate()
        {
            assert_eq!(stream.position_bytes(), memory.position_bytes());
            assert_eq!(stream.remaining_bytes(), memory.remaining_bytes());
            if memory.remaining_bytes() < length as u64 {
                break;
            }
            match number % 3 {
                0 => assert_eq!(stream.read_bytes(length).unwrap(), memory.read_bytes(length).unwrap()),
                1 => {
                    let (mut one, mut other) = (vec![0; length], vec![0; length]);
                    stream.read_exact(&mut one).unwrap();
                    memory.read_exact(&mut other).unwrap();
                    assert!(one == other);
                }
                _ => {
                    stream.skip(length as u64).unwrap();
                    memory.skip(length as u64).unwrap();
                }
            }
        }
        assert!(memory.position_bytes() > 3_000_000);
    }

    #[test]
    fn what_is_passed_over_is_not_read() {
        let inner = Counting { inner: Cursor::new(file()), read_bytes: 0 };
        let mut stream = StreamSource::new(inner).unwrap();
        assert_eq!(stream.read_bytes(4).unwrap(), 0_u32.to_le_bytes().as_slice());
        stream.skip(3_999_992).unwrap();
        assert_eq!(stream.read_bytes(4).unwrap(), 999_999_u32.to_le_bytes().as_slice());
        assert_eq!(stream.remaining_bytes(), 0);
        assert!(stream.inner.read_bytes <= BUFFER_BYTES as u64 + 4);
    }

    #[test]
    fn a_file_that_becomes_shorter_is_an_end_that_was_not_expected() {
        let mut stream = StreamSource::new(Cursor::new(file())).unwrap();
        stream.inner = Cursor::new(Bytes::from_static(b"short"));
        assert_eq!(stream.read_bytes(100).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        stream.inner.set_position(0);
        assert_eq!(stream.read_bytes(1_000_000).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(stream.read_exact(&mut [0; 6]).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        let mut memory = BytesSource::new(Bytes::from_static(b"short"));
        assert_eq!(memory.read_bytes(6).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(memory.read_exact(&mut [0; 6]).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(memory.skip(u64::MAX).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
