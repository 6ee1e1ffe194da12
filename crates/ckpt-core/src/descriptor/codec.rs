//! How a state's bytes are made.

use std::fmt;

use super::error::DescriptorError;
use crate::error::Result;

/// The name of an encoding: what two programs must agree on to read each other's state.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CodecId(Box<str>);

/// A digest of the layout of what a codec encodes, computed by the codec: of field names and types, for example.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(u64);

impl CodecId {
    /// The most bytes of a name.
    pub const MAX_BYTES: usize = 256;

    /// The encoding of that name; with its version and fingerprint the [descriptor](crate::descriptor::StateDescriptor)
    /// says which layout.
    ///
    /// # Errors
    ///
    /// `Configuration` unless the name has 1 to [`MAX_BYTES`](Self::MAX_BYTES) bytes and no control character.
    pub fn new(name: impl Into<Box<str>>) -> Result<Self> {
        let name = name.into();
        if name.is_empty() || name.len() > Self::MAX_BYTES {
            let (found_bytes, most) = (name.len(), Self::MAX_BYTES);
            return Err(DescriptorError::Length { what: "codec", found_bytes, most }.into());
        }
        if name.contains(char::is_control) {
            return Err(DescriptorError::Control { what: "codec", found: name }.into());
        }
        Ok(Self(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Fingerprint {
    /// Wraps the digest.
    pub const fn new(digest: u64) -> Self {
        Self(digest)
    }

    /// The digest.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for CodecId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for CodecId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
