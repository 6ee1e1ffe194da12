//! How much state there is.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};

/// What the containers of state ask of a handle, sealed or not.
pub trait StatePiece {
    /// How many payload bytes it stands for.
    fn length_bytes(&self) -> u64;

    /// Where they lie.
    fn location(&self) -> StateLocation;
}

/// Where the bytes of a piece of state lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StateLocation {
    /// In the handle itself.
    Inline,
    /// In a file.
    File,
}

/// How much state there is, in payload bytes. Sums that 64 bits cannot hold stay at the most that they can.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct StateSize {
    /// Bytes in handles themselves.
    pub inline_bytes: u64,
    /// Bytes in files.
    pub file_bytes: u64,
    /// Those of either that were written for this snapshot and not for an earlier one (Flink's checkpointed size).
    pub written_bytes: u64,
}

impl StateSize {
    /// All that is named (Flink's state size). Of a file that is only named again its length counts once the coordinator
    /// has filled it in.
    pub const fn state_bytes(&self) -> u64 {
        self.inline_bytes.saturating_add(self.file_bytes)
    }

    /// The size of pieces that were all written for this snapshot.
    pub(crate) fn written<'a, H: StatePiece + 'a>(pieces: impl IntoIterator<Item = &'a H>) -> Self {
        let mut size = Self::default();
        for piece in pieces {
            size.add_written(piece.location(), piece.length_bytes());
        }
        size
    }

    /// Another piece that was written for this snapshot.
    pub(crate) const fn add_written(&mut self, location: StateLocation, length_bytes: u64) {
        self.written_bytes = self.written_bytes.saturating_add(length_bytes);
        let sum = match location {
            StateLocation::Inline => &mut self.inline_bytes,
            StateLocation::File => &mut self.file_bytes,
        };
        *sum = sum.saturating_add(length_bytes);
    }
}

impl fmt::Display for StateSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { inline_bytes, file_bytes, written_bytes } = self;
        write!(f, "{inline_bytes} inline bytes, {file_bytes} bytes in files, {written_bytes} bytes written")
    }
}

impl AddAssign for StateSize {
    fn add_assign(&mut self, other: Self) {
        self.inline_bytes = self.inline_bytes.saturating_add(other.inline_bytes);
        self.file_bytes = self.file_bytes.saturating_add(other.file_bytes);
        self.written_bytes = self.written_bytes.saturating_add(other.written_bytes);
    }
}

impl Add for StateSize {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

impl Sum for StateSize {
    fn sum<I: Iterator<Item = Self>>(sizes: I) -> Self {
        sizes.fold(Self::default(), Self::add)
    }
}
