//! Where a file is read from.

use std::io;

use bytes::Bytes;

/// A `_metadata` file that is read from its beginning to its end. The reader asks for no more than there is.
pub trait Source {
    /// Where the next byte lies in the file.
    fn position_bytes(&self) -> u64;

    /// How many bytes are left.
    fn remaining_bytes(&self) -> u64;

    /// Fills `into`.
    ///
    /// # Errors
    ///
    /// `UnexpectedEof` when the file has become shorter, which the reader takes for damage; it makes `Retry` of all others.
    fn read_exact(&mut self, into: &mut [u8]) -> io::Result<()>;

    /// So many bytes.
    ///
    /// # Errors
    ///
    /// As [`read_exact`](Self::read_exact).
    fn read_bytes(&mut self, length_bytes: usize) -> io::Result<Bytes>;

    /// Passes over so many bytes.
    ///
    /// # Errors
    ///
    /// As [`read_exact`](Self::read_exact).
    fn skip(&mut self, length_bytes: u64) -> io::Result<()>;
}

/// A file in memory. What is read of it shares its memory.
#[derive(Clone, Debug)]
pub struct BytesSource {
    bytes: Bytes,
    next: usize,
    /// Where in the file `bytes` begins.
    base_bytes: u64,
}

impl BytesSource {
    /// A whole file.
    pub const fn new(bytes: Bytes) -> Self {
        Self::part(bytes, 0)
    }

    /// A part of a file, which begins there.
    pub(crate) const fn part(bytes: Bytes, base_bytes: u64) -> Self {
        Self { bytes, next: 0, base_bytes }
    }

    fn end_of(&self, length_bytes: u64) -> io::Result<usize> {
        let end = usize::try_from(length_bytes).ok().and_then(|length| self.next.checked_add(length));
        end.filter(|end| *end <= self.bytes.len()).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

impl Source for BytesSource {
    fn position_bytes(&self) -> u64 {
        self.base_bytes + self.next as u64
    }

    fn remaining_bytes(&self) -> u64 {
        (self.bytes.len() - self.next) as u64
    }

    #[inline]
    fn read_exact(&mut self, into: &mut [u8]) -> io::Result<()> {
        let end = self.next + into.len();
        match self.bytes.get(self.next..end) {
            Some(bytes) => into.copy_from_slice(bytes),
            None => return Err(io::ErrorKind::UnexpectedEof.into()),
        }
        self.next = end;
        Ok(())
    }

    #[inline]
    fn read_bytes(&mut self, length_bytes: usize) -> io::Result<Bytes> {
        let end = self.end_of(length_bytes as u64)?;
        let bytes = self.bytes.slice(self.next..end);
        self.next = end;
        Ok(bytes)
    }

    fn skip(&mut self, length_bytes: u64) -> io::Result<()> {
        self.next = self.end_of(length_bytes)?;
        Ok(())
    }
}

/// The next bytes of a source, as if there were no others.
#[derive(Debug)]
pub(super) struct Part<'a, S> {
    source: &'a mut S,
    end_bytes: u64,
}

impl<'a, S: Source> Part<'a, S> {
    /// The next so many bytes, all of which are there.
    pub(super) fn new(source: &'a mut S, length_bytes: u64) -> Self {
        let end_bytes = source.position_bytes() + length_bytes;
        Self { source, end_bytes }
    }
}

impl<S: Source> Source for Part<'_, S> {
    fn position_bytes(&self) -> u64 {
        self.source.position_bytes()
    }

    fn remaining_bytes(&self) -> u64 {
        self.end_bytes.saturating_sub(self.position_bytes())
    }

    fn read_exact(&mut self, into: &mut [u8]) -> io::Result<()> {
        self.source.read_exact(into)
    }

    fn read_bytes(&mut self, length_bytes: usize) -> io::Result<Bytes> {
        self.source.read_bytes(length_bytes)
    }

    fn skip(&mut self, length_bytes: u64) -> io::Result<()> {
        self.source.skip(length_bytes)
    }
}
