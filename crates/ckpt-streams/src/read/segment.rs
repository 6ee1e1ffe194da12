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

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Bytes(Vec<u8>);

    impl ReadAt for Bytes {
        fn read_exact_at(&self, buffer: &mut [u8], offset_bytes: u64) -> io::Result<()> {
            let from = offset_bytes as usize;
            buffer.copy_from_slice(&self.0[from..from + buffer.len()]);
            Ok(())
        }

        fn length_bytes(&self) -> u64 {
            self.0.len() as u64
        }
    }

    #[test]
    fn nothing_is_read_that_lies_outside() {
        let segment =
            |offset_bytes, length_bytes| Segment::new(Box::new(Bytes((0..10).collect())), offset_bytes, length_bytes);
        let read = |segment: &Segment, at, length| {
            let mut buffer = vec![99; length];
            segment.read_exact_at(&mut buffer, at).map(|()| buffer).map_err(|error| error.kind())
        };
        let inside = segment(3, 4);
        assert_eq!(inside.length_bytes(), 4);
        assert_eq!(read(&inside, 0, 4), Ok(vec![3, 4, 5, 6]));
        assert_eq!(read(&inside, 3, 1), Ok(vec![6]));
        for (at, length) in [(0, 5), (4, 1), (u64::MAX, 1)] {
            assert_eq!(read(&inside, at, length), Err(io::ErrorKind::UnexpectedEof), "{at}");
        }
        for (offset_bytes, length_bytes) in [(8, 2), (10, 0), (11, 0), (u64::MAX, 0)] {
            assert_eq!(segment(offset_bytes, 5).length_bytes(), length_bytes, "{offset_bytes}");
        }
    }
}
