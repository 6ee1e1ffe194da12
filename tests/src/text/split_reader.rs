//! Reading a split, word by word.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use ckpt_core::Result;

use crate::error::Fault;
use crate::text::{InputFile, Split, is_separator};

/// Reads the words of one split, from its position on.
#[derive(Debug)]
pub struct SplitReader {
    input: InputFile,
    file: File,
    split: Split,
    /// A piece of the file. A word that is longer makes it grow.
    buffer: Vec<u8>,
    /// Where in the file the buffer begins.
    buffer_at_bytes: u64,
    /// Bytes of the buffer that are filled.
    filled: usize,
}

/// Whether there is more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reading {
    /// There may be more words.
    More,
    /// Every word of the split has been read.
    Ended,
}

impl SplitReader {
    const BUFFER_BYTES: usize = 128 * 1024;

    /// Opens the split's file and goes to its position.
    ///
    /// # Errors
    ///
    /// `Configuration` when the file cannot be opened, or is not what it was.
    pub fn open(files: &[InputFile], split: Split) -> Result<Self> {
        let input = files
            .get(split.file as usize)
            .ok_or_else(|| ckpt_core::Error::from(Fault::ForeignSplit { split, files: files.len() }))?
            .clone();
        let mut reader = Self {
            file: input.open()?,
            input,
            split,
            buffer: vec![0; Self::BUFFER_BYTES],
            buffer_at_bytes: split.position_bytes,
            filled: 0,
        };
        if split.position_bytes == split.first_bytes && split.first_bytes > 0 {
            reader.skip_word_of_former_split()?;
        }
        Ok(reader)
    }

    /// The split and how far it has been read.
    pub const fn split(&self) -> Split {
        self.split
    }

    /// Hands the words of about one buffer to `take`, the split's position behind each. On an error of `take` its word
    /// counts as read.
    ///
    /// # Errors
    ///
    /// That of `take`; `Configuration` when the file cannot be read any more.
    pub fn read(&mut self, mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<Reading> {
        let mut next = 0;
        let mut scanned = 0;
        if self.filled == 0 {
            self.fill()?;
        }
        loop {
            while next < self.filled && is_separator(self.buffer[next]) {
                next += 1;
            }
            if self.buffer_at_bytes + next as u64 >= self.split.end_bytes {
                self.split.position_bytes = self.split.position_bytes.max(self.split.end_bytes);
                return Ok(Reading::Ended);
            }
            let mut end = next.max(scanned);
            while end < self.filled && !is_separator(self.buffer[end]) {
                end += 1;
            }
            if end == self.filled && self.buffer_at_bytes + (end as u64) < self.input.length_bytes {
                // The word may go on behind the buffer, which then begins with it.
                let whole_buffer = next == 0;
                if !whole_buffer {
                    self.keep_from(next);
                    return Ok(Reading::More);
                }
                scanned = end;
                self.fill()?;
                continue;
            }
            self.split.position_bytes = self.buffer_at_bytes + end as u64;
            take(&self.buffer[next..end])?;
            next = end;
        }
    }

    /// A word that began before the split is none of its words.
    fn skip_word_of_former_split(&mut self) -> Result<()> {
        let mut before = [0];
        self.read_exact_at(&mut before, self.split.first_bytes - 1)?;
        let mut inside = !is_separator(before[0]);
        while inside && self.buffer_at_bytes < self.split.end_bytes {
            self.filled = 0;
            self.fill()?;
            let rest = self.buffer[..self.filled].iter().position(|&byte| is_separator(byte)).unwrap_or(self.filled);
            inside = rest == self.filled && self.filled > 0;
            self.keep_from(rest);
        }
        Ok(())
    }

    /// Lets the buffer begin with what is at `index` now.
    fn keep_from(&mut self, index: usize) {
        self.buffer.copy_within(index..self.filled, 0);
        self.filled -= index;
        self.buffer_at_bytes += index as u64;
    }

    /// Fills the rest of the buffer, which grows when there is none.
    fn fill(&mut self) -> Result<()> {
        if self.filled == self.buffer.len() {
            self.buffer.resize(2 * self.filled, 0);
        }
        let at = self.buffer_at_bytes + self.filled as u64;
        let left = self.input.length_bytes.saturating_sub(at);
        let room = self.buffer.len() - self.filled;
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(room);
        let mut target = std::mem::take(&mut self.buffer);
        let read = self.read_exact_at(&mut target[self.filled..self.filled + wanted], at);
        self.buffer = target;
        read?;
        self.filled += wanted;
        Ok(())
    }

    fn read_exact_at(&self, buffer: &mut [u8], at: u64) -> Result<()> {
        self.file.read_exact_at(buffer, at).map_err(|source| match source.kind() {
            io::ErrorKind::UnexpectedEof => {
                let found = self.file.metadata().map_or(at, |metadata| metadata.len());
                self.input.changed(found)
            }
            _ => Fault::Input { path: self.input.path.clone(), source }.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Random;

    /// The words of `text` when it is cut into splits at `cuts`, each split closed and opened again after every buffer.
    fn words(text: &[u8], cuts: &[u64]) -> Vec<Vec<u8>> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("input");
        std::fs::write(&path, text).unwrap();
        let files = [InputFile::inspect(&path).unwrap()];
        let mut words = Vec::new();
        let mut first = 0;
        for &end in cuts.iter().chain([&(text.len() as u64)]) {
            let mut split = Split::new(0, first, end);
            loop {
                let mut reader = SplitReader::open(&files, split).unwrap();
                let reading = reader
                    .read(|word| {
                        words.push(word.to_vec());
                        Ok(())
                    })
                    .unwrap();
                if reading == Reading::Ended {
                    break;
                }
                assert!(reader.split().position_bytes > split.position_bytes || reader.filled > 0);
                if reader.split() == split {
                    let mut push = |word: &[u8]| {
                        words.push(word.to_vec());
                        Ok(())
                    };
                    while reader.read(&mut push).unwrap() == Reading::More {}
                    break;
                }
                split = reader.split();
            }
            first = end;
        }
        words
    }

    fn expected(text: &[u8]) -> Vec<Vec<u8>> {
        text.split(|&byte| is_separator(byte)).filter(|word| !word.is_empty()).map(<[u8]>::to_vec).collect()
    }

    #[test]
    fn every_cut_of_a_short_text_gives_the_same_words() {
        for text in [&b" one  two\nthree"[..], b"x", b"", b"    ", b"a b ", b"\xff\xfe\0 \x0b\xc3"] {
            for one in 0..=text.len() as u64 {
                for two in one..=text.len() as u64 {
                    assert_eq!(words(text, &[one, two]), expected(text), "{text:?} {one} {two}");
                }
            }
        }
    }

    #[test]
    fn words_longer_than_any_buffer() {
        let mut text = b"begin ".to_vec();
        text.extend(std::iter::repeat_n(b'x', 10 * 1024 * 1024));
        text.extend(b" end");
        for cuts in [&[][..], &[3, 6, 7, 1_000_000, 5_000_000], &[6 + 10 * 1024 * 1024]] {
            assert_eq!(words(&text, cuts), expected(&text));
        }
    }

    #[test]
    fn buffers_end_anywhere() {
        let mut random = Random::new(5);
        let text: Vec<u8> =
            (0..600_000).map(|_| if random.below(5) == 0 { b' ' } else { b'a' + random.below(3) as u8 }).collect();
        assert_eq!(words(&text, &[100_001, 300_000]), expected(&text));
    }

    #[test]
    fn a_file_that_changed_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("input");
        std::fs::write(&path, "abc").unwrap();
        let files = [InputFile::inspect(&path).unwrap()];
        std::fs::write(&path, "ab").unwrap();
        let error = SplitReader::open(&files, Split::new(0, 0, 3)).unwrap_err();
        assert!(error.to_string().contains("3 bytes"), "{error}");
    }
}
