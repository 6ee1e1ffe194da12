//! How a verification goes about it.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How a verification goes about it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct VerifyOptions {
    /// What files are held against.
    pub depth: VerifyDepth,
    /// How many files are read at once: one by the calling thread, the others by jobs. By default eight, which is what disks
    /// gain from. Each takes 256 KiB of memory and 8 bytes for each block (64 KiB) of the file that it reads.
    pub files_at_once: NonZeroUsize,
    /// Ends it early.
    pub cancellation: Cancellation,
}

/// What files are held against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum VerifyDepth {
    /// A digest of every byte, where one is known.
    #[default]
    Digests,
    /// Their lengths: a file that is missing, cut off or goes on is found, bytes that changed are not. What is extra is not
    /// looked for.
    Lengths,
}

/// Ends what was begun with it, from any thread. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct Cancellation(Arc<AtomicBool>);

impl VerifyOptions {
    const FILES_AT_ONCE: NonZeroUsize = NonZeroUsize::new(8).unwrap();

    /// Holds files against that.
    #[must_use]
    pub fn with_depth(self, depth: VerifyDepth) -> Self {
        Self { depth, ..self }
    }

    /// Reads so many files at once.
    #[must_use]
    pub fn with_files_at_once(self, files_at_once: NonZeroUsize) -> Self {
        Self { files_at_once, ..self }
    }

    /// Can be ended by that.
    #[must_use]
    pub fn with_cancellation(self, cancellation: Cancellation) -> Self {
        Self { cancellation, ..self }
    }
}

impl Default for VerifyOptions {
    fn default() -> Self {
        Self {
            depth: VerifyDepth::default(),
            files_at_once: Self::FILES_AT_ONCE,
            cancellation: Cancellation::default(),
        }
    }
}

impl Cancellation {
    /// One that nobody has called.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends it, soon.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody did.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
