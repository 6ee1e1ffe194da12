//! Reading state back, verified.

use std::fmt::Debug;
use std::io;

use ckpt_core::Result;
use ckpt_core::state::StateHandle;

pub use file::FileStateReader;
pub(crate) use file::{StateFile, verify_inline};
pub use section::read_section;

mod error;
mod file;
#[cfg(all(test, not(ckpt_loom)))]
mod read_test;
mod section;
mod segment;
mod stream;

/// Opens stored state. Any thread may call it.
pub trait StateReader: Send + Sync + Debug {
    /// Opens the bytes of a handle. Whatever it yields was verified before.
    ///
    /// # Errors
    ///
    /// `NotFound` when the file is missing, `Corrupt` when its length or digest is not the handle's; both name the file.
    fn open(&self, handle: &StateHandle) -> Result<Box<dyn StateInputStream>>;
}

/// Stored state, as it was written. A block that is not what was written is an error of kind `InvalidData` whose source
/// is a [`ckpt_core::Error`] that names file and block; none of its bytes are yielded.
pub trait StateInputStream: io::Read + io::Seek + Send + Debug {
    /// Payload bytes in all.
    fn length_bytes(&self) -> u64;
}
