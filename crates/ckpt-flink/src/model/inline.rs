//! Where state that lies in the metadata itself goes.

use std::fmt;
use std::io;

use bytes::Bytes;

use crate::read::Source;

/// What is made of state that lies in the metadata itself: it is kept as [`Bytes`], or only counted as [`SkippedBytes`].
pub trait InlineBytes: Sized + fmt::Debug {
    /// Takes so many bytes from the source, all of which are there.
    ///
    /// # Errors
    ///
    /// What reading the source ends with.
    fn take<S: Source>(source: &mut S, length_bytes: usize) -> io::Result<Self>;

    /// How many bytes it has in the file.
    fn length_bytes(&self) -> u64;
}

impl InlineBytes for Bytes {
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
    fn take<S: Source>(source: &mut S, length_bytes: usize) -> io::Result<Self> {
        let length_bytes = length_bytes as u64;
        source.skip(length_bytes)?;
        Ok(Self { length_bytes })
    }

    fn length_bytes(&self) -> u64 {
        self.length_bytes
    }
}
