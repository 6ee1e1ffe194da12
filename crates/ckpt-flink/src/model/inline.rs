//! How much of a file is kept.

use std::fmt;
use std::io;

use bytes::Bytes;

use crate::read::{Source, reserved};

/// What is kept of a file: all of it as [`Bytes`], or as [`SkippedBytes`] how much there is.
pub trait InlineBytes: Sized + fmt::Debug {
    /// What is made of positions in state.
    type Offsets: Offsets;
    /// What is made of a list of merged channels.
    type Channels: InlineBytes + Clone + Eq;

    /// Takes so many bytes of state that lies in the metadata itself from the source, all of which are there.
    ///
    /// # Errors
    ///
    /// What reading the source ends with.
    fn take<S: Source>(source: &mut S, length_bytes: usize) -> io::Result<Self>;

    /// What stands for so many bytes that are looked at and not kept; `None` where they are kept, and so held in memory
    /// while they are looked at.
    fn skipped(length_bytes: u64) -> Option<Self> {
        let _ = length_bytes;
        None
    }

    /// How many bytes it has in the file.
    fn length_bytes(&self) -> u64;
}

/// What is made of positions in state: they are kept in a vector, or only counted as [`SkippedOffsets`].
pub trait Offsets: Sized + fmt::Debug + Clone + Eq {
    /// Takes so many from the source, all of which are there.
    ///
    /// # Errors
    ///
    /// What reading the source ends with.
    fn take<S: Source>(source: &mut S, count: usize) -> io::Result<Self>;

    /// How many there are.
    fn count(&self) -> usize;
}

impl InlineBytes for Bytes {
    type Offsets = Vec<i64>;
    type Channels = Self;

    fn take<S: Source>(source: &mut S, length_bytes: usize) -> io::Result<Self> {
        source.read_bytes(length_bytes)
    }

    fn length_bytes(&self) -> u64 {
        self.len() as u64
    }
}

/// State that was passed over: how long it is, and no more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct SkippedBytes {
    /// Its length.
    pub length_bytes: u64,
}

impl InlineBytes for SkippedBytes {
    type Offsets = SkippedOffsets;
    type Channels = Self;

    fn take<S: Source>(source: &mut S, length_bytes: usize) -> io::Result<Self> {
        let length_bytes = length_bytes as u64;
        source.skip(length_bytes)?;
        Ok(Self { length_bytes })
    }

    fn skipped(length_bytes: u64) -> Option<Self> {
        Some(Self { length_bytes })
    }

    fn length_bytes(&self) -> u64 {
        self.length_bytes
    }
}

impl Offsets for Vec<i64> {
    #[inline]
    fn take<S: Source>(source: &mut S, count: usize) -> io::Result<Self> {
        // Each is read by itself: to share the memory of all of them, and to give it back, costs more than a few numbers do.
        let mut numbers = reserved(count);
        for _ in 0..count {
            let mut number = [0; OFFSET_BYTES];
            source.read_exact(&mut number)?;
            numbers.push(i64::from_be_bytes(number));
        }
        Ok(numbers)
    }

    fn count(&self) -> usize {
        self.len()
    }
}

/// What an offset takes in the file.
const OFFSET_BYTES: usize = size_of::<i64>();

/// Offsets that were passed over: how many there are, and no more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct SkippedOffsets {
    /// How many there are.
    pub count: usize,
}

impl Offsets for SkippedOffsets {
    fn take<S: Source>(source: &mut S, count: usize) -> io::Result<Self> {
        source.skip(count as u64 * OFFSET_BYTES as u64)?;
        Ok(Self { count })
    }

    fn count(&self) -> usize {
        self.count
    }
}
