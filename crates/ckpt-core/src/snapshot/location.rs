//! Where a snapshot's state goes, as barriers carry it.

use bytes::Bytes;

use crate::error::Result;
use crate::snapshot::error::LocationLength;

/// A place for a snapshot's state, opaque to everyone but the storage that made it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LocationReference {
    /// Where the storage puts checkpoints.
    #[default]
    Default,
    /// A place named by bytes; never empty.
    At(Bytes),
}

impl LocationReference {
    /// The most bytes that a reference may have.
    pub const MAX_BYTES: usize = 4096;

    /// # Errors
    ///
    /// `Configuration` when there are no bytes, or more than [`MAX_BYTES`](Self::MAX_BYTES).
    pub fn at(bytes: Bytes) -> Result<Self> {
        if bytes.is_empty() || bytes.len() > Self::MAX_BYTES {
            return Err(LocationLength { found_bytes: bytes.len() }.into());
        }
        Ok(Self::At(bytes))
    }
}
