//! Reading state back, verified.

use std::fmt::Debug;
use std::io;

use ckpt_core::Result;
use ckpt_core::state::StateHandle;

pub(crate) use file::StateFile;
pub use key_groups::{KeyGroupSection, KeyGroupSections};
pub use options::{ReadAhead, ReadOptions, Verification};
pub use reader::FileStateReader;
pub(crate) use reader::verify_inline;
pub use section::read_section;
pub use verify::{StateFlaw, StateProof, StateVerdict};

mod ahead;
#[cfg(all(test, ckpt_loom))]
mod ahead_models_test;
#[cfg(all(test, not(ckpt_loom)))]
mod ahead_test;
mod cursor;
#[cfg(all(test, not(ckpt_loom)))]
mod damage_test;
mod error;
#[cfg(all(test, not(ckpt_loom)))]
mod faults_test;
mod file;
mod file_input;
mod inline;
mod key_groups;
#[cfg(all(test, not(ckpt_loom)))]
mod key_groups_test;
mod options;
#[cfg(all(test, not(ckpt_loom)))]
mod read_test;
mod reader;
mod section;
mod segment;
#[cfg(all(test, not(ckpt_loom)))]
mod sequence_test;
#[cfg(all(test, not(ckpt_loom)))]
mod stored_test;
mod verify;
#[cfg(all(test, not(ckpt_loom)))]
mod verify_test;

/// Opens stored state. Any thread may call it.
pub trait StateReader: Send + Sync + Debug {
    /// Opens the bytes of a handle. Whatever it yields was verified before, as far as the reader is to verify.
    ///
    /// # Errors
    ///
    /// `NotFound` when the file is missing, `Corrupt` when its length or digest is not the handle's; both name the file.
    fn open(&self, handle: &StateHandle) -> Result<Box<dyn StateInputStream>>;
}

/// Stored state, as it was written: in order with `Read`, from any position with `Seek` and
/// [`read_exact_at`](Self::read_exact_at).
///
/// A block that is not what was written is an error of kind `InvalidData` whose source is a [`ckpt_core::Error`] that
/// names file and block. None of its bytes are yielded: they may have been read into the buffer to be verified there, and
/// are zeros then. A read of a block (64 KiB) or more goes straight into the buffer; a buffer of 256 KiB is as good as any
/// larger one.
pub trait StateInputStream: io::Read + io::Seek + Send + Debug {
    /// Payload bytes in all.
    fn length_bytes(&self) -> u64;

    /// Fills `buffer` with the bytes from `offset_bytes` on. The position stays.
    ///
    /// # Errors
    ///
    /// `Corrupt` when not all of them are within the state, or are what was written; `Retry` when they could not be read.
    /// The buffer then holds verified bytes up to some place, and zeros behind them; it is untouched when not all of them
    /// are within the state.
    fn read_exact_at(&mut self, buffer: &mut [u8], offset_bytes: u64) -> Result<()>;

    /// Says that what is read in order from the position ends there: nothing behind it is read ahead, until the next seek
    /// elsewhere.
    fn read_ahead_until(&mut self, end_bytes: u64) {
        // Most read nothing ahead.
        let _ = end_bytes;
    }
}
