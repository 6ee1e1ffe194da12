//! The name of stored bytes.

use bytes::Bytes;

use crate::digest::Digest;
use crate::state::{Place, Root, StateLocation, StatePiece};

/// Bytes that are stored and durable: where they lie, how many there are, and what they are (Flink's
/// `StreamStateHandle`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StateHandle {
    place: Place,
    length_bytes: u64,
    digest: Option<Digest>,
}

impl StateHandle {
    /// A handle whose bytes travel inside it.
    pub fn inline(bytes: Bytes) -> Self {
        let (length_bytes, digest) = (bytes.len() as u64, Digest::of(&bytes));
        Self { place: Place::Inline(bytes), length_bytes, digest: Some(digest) }
    }

    /// A handle of bytes elsewhere.
    ///
    /// Whoever calls this promises that exactly these bytes are there and survive whatever the durability policy says
    /// they survive. Only sealing and decoding can promise that. There is at least one byte, none lies behind the last
    /// offset of 64 bits, and a digest is absent only below a claimed or a borrowed root: any other handle is not written
    /// into a file or message.
    pub const fn assume_durable(place: Place, length_bytes: u64, digest: Option<Digest>) -> Self {
        Self { place, length_bytes, digest }
    }

    /// The same bytes, below the root that `rename` gives for theirs.
    pub(crate) fn try_below<E>(mut self, rename: impl Fn(Root) -> Result<Root, E>) -> Result<Self, E> {
        if let Place::File { root, .. } | Place::Segment { root, .. } = &mut self.place {
            *root = rename(*root)?;
        }
        Ok(self)
    }

    /// Where the bytes lie.
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// How many payload bytes there are; 0 at most of bytes in the handle.
    pub const fn length_bytes(&self) -> u64 {
        self.length_bytes
    }

    /// What proves that they are the bytes that were written.
    pub const fn digest(&self) -> Option<Digest> {
        self.digest
    }
}

impl StatePiece for StateHandle {
    fn length_bytes(&self) -> u64 {
        self.length_bytes
    }

    fn location(&self) -> StateLocation {
        match self.place {
            Place::Inline(_) => StateLocation::Inline,
            Place::File { .. } | Place::Segment { .. } => StateLocation::File,
        }
    }
}
