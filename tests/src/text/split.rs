//! Pieces of input.

use ckpt_core::Result;

use crate::error::Fault;
use crate::text::InputFile;

/// A range of bytes of one file, and how far it has been read. The unit in which input moves between source subtasks.
///
/// A word belongs to the split in which it begins, even when it ends in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Split {
    /// Which of the job's files.
    pub file: u32,
    /// Where the range begins.
    pub first_bytes: u64,
    /// Where it ends, exclusive.
    pub end_bytes: u64,
    /// Every word that begins before it has been read; at `first_bytes`, or just after a word.
    pub position_bytes: u64,
}

impl Split {
    /// Length of the written form.
    pub const ENCODED_BYTES: usize = 4 + 3 * 8;
    /// No split is made shorter than this, unless its file is.
    const LEAST_BYTES: u64 = 16 * 1024;
    /// About how many splits input is cut into: enough that they spread evenly over any parallelism in use.
    const PIECES: u64 = 64;

    /// A range of which nothing has been read.
    pub const fn new(file: u32, first_bytes: u64, end_bytes: u64) -> Self {
        Self { file, first_bytes, end_bytes, position_bytes: first_bytes }
    }

    /// Cuts files into splits, in the order of the files. An empty file has none.
    pub fn cut(files: &[InputFile]) -> Vec<Self> {
        let total: u64 = files.iter().map(|file| file.length_bytes).sum();
        let piece = total.div_ceil(Self::PIECES).max(Self::LEAST_BYTES);
        let mut splits = Vec::new();
        for (number, file) in (0..).zip(files) {
            let mut first = 0;
            while first < file.length_bytes {
                let end = first.saturating_add(piece).min(file.length_bytes);
                splits.push(Self::new(number, first, end));
                first = end;
            }
        }
        splits
    }

    /// Bytes that are still to be read.
    pub const fn remaining_bytes(&self) -> u64 {
        self.end_bytes.saturating_sub(self.position_bytes)
    }

    /// The written form: file, first, end and position, little-endian.
    pub fn encode(&self) -> [u8; Self::ENCODED_BYTES] {
        let mut bytes = [0; Self::ENCODED_BYTES];
        bytes[..4].copy_from_slice(&self.file.to_le_bytes());
        for (place, number) in
            bytes[4..].chunks_exact_mut(8).zip([self.first_bytes, self.end_bytes, self.position_bytes])
        {
            place.copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }

    /// Reads the written form of a split of one of `files`.
    ///
    /// # Errors
    ///
    /// `Corrupt` when there is no such file, or no such range in it.
    pub fn decode(bytes: &[u8; Self::ENCODED_BYTES], files: &[InputFile]) -> Result<Self> {
        let [a, b, c, d, rest @ ..] = *bytes;
        let mut numbers = [0; 3];
        for (number, place) in numbers.iter_mut().zip(rest.chunks_exact(8)) {
            *number = place.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte));
        }
        let [first_bytes, end_bytes, position_bytes] = numbers;
        let split = Self { file: u32::from_le_bytes([a, b, c, d]), first_bytes, end_bytes, position_bytes };
        let length = files.get(split.file as usize).map(|file| file.length_bytes);
        if first_bytes > end_bytes
            || position_bytes < first_bytes
            || length.is_none_or(|length| end_bytes > length || position_bytes > length)
        {
            return Err(Fault::ForeignSplit { split, files: files.len() }.into());
        }
        Ok(split)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(lengths: &[u64]) -> Vec<InputFile> {
        lengths.iter().map(|&length_bytes| InputFile { path: "f".into(), length_bytes }).collect()
    }

    #[test]
    fn splits_cover_every_byte_once() {
        for lengths in [&[][..], &[0], &[1], &[100_000, 0, 3, 5_000_000], &[10_000_000; 3]] {
            let files = files(lengths);
            let splits = Split::cut(&files);
            for (number, &length) in lengths.iter().enumerate() {
                let mut next = 0;
                for split in splits.iter().filter(|split| split.file as usize == number) {
                    assert_eq!(split.first_bytes, next);
                    assert!(split.end_bytes > next);
                    next = split.end_bytes;
                }
                assert_eq!(next, length);
            }
        }
    }

    #[test]
    fn the_written_form_round_trips_and_is_checked() {
        let files = files(&[10, 20]);
        let split = Split { file: 1, first_bytes: 3, end_bytes: 18, position_bytes: 19 };
        assert_eq!(Split::decode(&split.encode(), &files).unwrap(), split);
        for bad in [
            Split { file: 2, ..split },
            Split { end_bytes: 21, ..split },
            Split { first_bytes: 19, ..split },
            Split { position_bytes: 2, ..split },
            Split { position_bytes: 21, ..split },
        ] {
            assert!(Split::decode(&bad.encode(), &files).is_err(), "{bad:?}");
        }
    }
}
