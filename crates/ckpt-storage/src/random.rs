//! Random bits.

use std::fmt::Debug;

use ckpt_core::Result;

use crate::error::StorageError;

/// Gives the random bits of names that nobody else may choose. The system's, unless a test wants the same ones each time.
pub trait RandomSource: Send + Sync + Debug {
    /// Fills all of `bytes`.
    ///
    /// # Errors
    ///
    /// `Retry` when there are none.
    fn fill(&self, bytes: &mut [u8]) -> Result<()>;
}

/// What the system gives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemRandom;

impl RandomSource for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        getrandom::fill(bytes).map_err(|source| StorageError::NoRandom { source }.retry())
    }
}
