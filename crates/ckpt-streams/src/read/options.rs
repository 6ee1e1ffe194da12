//! How stored state is read.

use std::fmt;

/// How a reader reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadOptions {
    /// What is compared with what was written.
    pub verification: Verification,
}

/// What a reader compares with what was written, before it yields a byte.
///
/// | | compares | finds | does not find | costs |
/// |---|---|---|---|---|
/// | [`Always`](Self::Always) | lengths, trailer, table, every block that is touched, inline state | every change of a byte, a file that is cut off or goes on, a file in the place of another, a change after the file was opened | who wrote it | one pass over bytes that are in the cache of the processor, and 8 bytes read for each block of the file; files of others are read once more when they are opened |
/// | [`Lengths`](Self::Lengths) | the length of the file and the length and form that its trailer states | a file that is cut off or goes on, one of another length or of no such form | changed bytes, another file of the same length | one read of 32 bytes when a file is opened |
/// | [`Off`](Self::Off) | nothing | a file that is missing; bytes that are missing, when they are read | whatever else | nothing |
///
/// Whichever it is, an error is typed and names the file, nothing that a file says is relied on, and bytes that were to be
/// compared and were not are never left in a caller's buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verification {
    /// Every byte. What state is restored with.
    #[default]
    Always,
    /// Lengths only: for stores that verify what they keep by themselves.
    Lengths,
    /// Nothing: to save what can be saved of state that is damaged.
    Off,
}

impl ReadOptions {
    /// The default, with that verification.
    #[must_use]
    pub const fn with_verification(self, verification: Verification) -> Self {
        Self { verification }
    }
}

impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Always => "always",
            Self::Lengths => "lengths",
            Self::Off => "off",
        })
    }
}
