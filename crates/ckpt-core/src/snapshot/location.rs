//! Where a snapshot's state goes, as barriers carry it.

use std::{fmt, str};

use bytes::Bytes;

use crate::digest::Digest;
use crate::error::Result;
use crate::snapshot::error::LocationError;
use crate::uri::Uri;

/// A place for a snapshot's state, opaque to everyone but the storage that made it.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LocationReference {
    /// Where the storage puts checkpoints.
    #[default]
    Default,
    /// A place named by bytes; never empty.
    At(Bytes),
}

/// What the bytes of a reference to a URI begin with; the URI follows, and a digest of all before it.
const MAGIC: [u8; 4] = *b"CKPL";
const VERSION: u8 = 1;
/// What is named: a directory by its URI.
const URI: u8 = 0;
const HEADER_BYTES: usize = 6;
/// A reference leaves its barrier, and one that names another directory than its storage meant is worse than none.
const DIGEST_BYTES: usize = 8;

impl LocationReference {
    /// The most bytes that a reference may have.
    pub const MAX_BYTES: usize = 4096;

    /// A place that the storage names by bytes of its own.
    ///
    /// # Errors
    ///
    /// `Configuration` when there are no bytes, or more than [`MAX_BYTES`](Self::MAX_BYTES).
    pub fn at(bytes: Bytes) -> Result<Self> {
        if bytes.is_empty() || bytes.len() > Self::MAX_BYTES {
            return Err(LocationError::Length { found_bytes: bytes.len() }.into());
        }
        Ok(Self::At(bytes))
    }

    /// The directory with that URI.
    ///
    /// # Errors
    ///
    /// `Configuration` when the reference would have more than [`MAX_BYTES`](Self::MAX_BYTES).
    pub fn of_uri(uri: &Uri) -> Result<Self> {
        let text = uri.as_str().as_bytes();
        let mut bytes = Vec::with_capacity(HEADER_BYTES + text.len() + DIGEST_BYTES);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&[VERSION, URI]);
        bytes.extend_from_slice(text);
        let digest = Digest::of(&bytes);
        bytes.extend_from_slice(&digest.value().to_le_bytes());
        Self::at(bytes.into())
    }

    /// The URI of the directory that it names; `None` where the storage puts checkpoints.
    ///
    /// # Errors
    ///
    /// `Corrupt` when the bytes are not those of [`of_uri`](Self::of_uri): another magic or digest, no UTF-8, no
    /// [`Uri`] that may be written down, or too short. `Configuration` when a newer program made them.
    pub fn to_uri(&self) -> Result<Option<Uri>> {
        let bytes = match self {
            Self::Default => return Ok(None),
            Self::At(bytes) => bytes,
        };
        let parts = bytes.split_last_chunk::<DIGEST_BYTES>();
        let parts = parts.and_then(|(content, digest)| Some((content, content.split_first_chunk()?, *digest)));
        let Some((content, (header, text), digest)) = parts else {
            let least_bytes = HEADER_BYTES + DIGEST_BYTES;
            return Err(LocationError::CutShort { found_bytes: bytes.len(), least_bytes }.into());
        };
        let [m0, m1, m2, m3, version, tag]: [u8; HEADER_BYTES] = *header;
        let magic = [m0, m1, m2, m3];
        if magic != MAGIC {
            return Err(LocationError::Magic { expected: MAGIC, found: magic }.into());
        }
        if version != VERSION {
            return Err(LocationError::Version { expected: VERSION, found: version }.into());
        }
        let (expected, found) = (Digest::crc64_nvme(u64::from_le_bytes(digest)), Digest::of(content));
        if found != expected {
            return Err(LocationError::Digest { expected, found }.into());
        }
        if tag != URI {
            return Err(LocationError::Tag { expected: URI, found: tag }.into());
        }
        let text = str::from_utf8(text).map_err(|source| LocationError::Utf8 { source })?;
        Uri::new(text).map(Some).map_err(|source| LocationError::Uri { source }.into())
    }
}

/// What a storage means by its bytes may be a secret.
impl fmt::Debug for LocationReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.to_uri()) {
            (Self::Default, _) => f.write_str("Default"),
            (Self::At(_), Ok(Some(uri))) => write!(f, "At({uri:?})"),
            (Self::At(bytes), _) => write!(f, "At({} bytes)", bytes.len()),
        }
    }
}
