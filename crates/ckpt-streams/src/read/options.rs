//! How stored state is read.

use std::fmt;
use std::sync::Arc;

use crate::spawn::Spawn;

/// How a reader reads.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ReadOptions {
    /// What is compared with what was written.
    pub verification: Verification,
    /// Whether files that are read in order are read ahead.
    pub read_ahead: Option<ReadAhead>,
}

/// Reads what follows in jobs, once 256 KiB of a stream were read in order; a seek elsewhere and the end of the stream
/// cancel it, and positional reads know nothing of it.
///
/// It is for files that are far away, or whose reader has much to do between two reads: then waiting, verifying and using
/// overlap. Of a local file the system itself reads ahead, and what is in its cache already is best read without: straight
/// into the buffer of the caller, by one thread.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReadAhead {
    /// Where it is read. It may refuse: then whoever reads does so when it comes to it.
    pub spawn: Arc<dyn Spawn>,
    /// How many bytes of a stream are in memory at most, besides what is being read of; in pieces of 256 KiB, one at least.
    pub bytes: usize,
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
    pub fn with_verification(self, verification: Verification) -> Self {
        Self { verification, ..self }
    }

    /// The same, and reads ahead.
    #[must_use]
    pub fn with_read_ahead(self, read_ahead: ReadAhead) -> Self {
        Self { read_ahead: Some(read_ahead), ..self }
    }
}

impl ReadAhead {
    /// So much, by those jobs.
    pub fn new(spawn: Arc<dyn Spawn>, bytes: usize) -> Self {
        Self { spawn, bytes }
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
