//! What one state is.

use super::error::DescriptorError;
use crate::descriptor::{CodecId, Fingerprint, StateKind};
use crate::error::Result;

/// What one state of an operator is and how its bytes are made.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StateDescriptor {
    name: Box<str>,
    kind: StateKind,
    codec: CodecId,
    version: u32,
    fingerprint: Option<Fingerprint>,
}

impl StateDescriptor {
    /// The most bytes of a name.
    pub const MAX_NAME_BYTES: usize = 1024;

    /// Names that begin with it are the engine's own, as Flink's `_default_` and `_timer_state/` are.
    pub const RESERVED_PREFIX: char = '_';

    /// A user's state. `version` is raised with every change of the layout that `codec` writes.
    ///
    /// # Errors
    ///
    /// `Configuration` unless the name has 1 to [`MAX_NAME_BYTES`](Self::MAX_NAME_BYTES) bytes, no control character, and
    /// is not reserved.
    pub fn new(name: impl Into<Box<str>>, kind: StateKind, codec: CodecId, version: u32) -> Result<Self> {
        let descriptor = Self::unchecked_reservation(name.into(), kind, codec, version)?;
        if descriptor.is_reserved() {
            return Err(DescriptorError::Reserved { found: descriptor.name }.into());
        }
        Ok(descriptor)
    }

    /// A state of the engine's own, under a reserved name.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new), but the name must be reserved.
    pub fn reserved(name: impl Into<Box<str>>, kind: StateKind, codec: CodecId, version: u32) -> Result<Self> {
        let descriptor = Self::unchecked_reservation(name.into(), kind, codec, version)?;
        if !descriptor.is_reserved() {
            return Err(DescriptorError::NotReserved { found: descriptor.name }.into());
        }
        Ok(descriptor)
    }

    /// One of either.
    pub(crate) fn unchecked_reservation(name: Box<str>, kind: StateKind, codec: CodecId, version: u32) -> Result<Self> {
        if name.is_empty() || name.len() > Self::MAX_NAME_BYTES {
            let (found_bytes, most) = (name.len(), Self::MAX_NAME_BYTES);
            return Err(DescriptorError::Length { what: "state", found_bytes, most }.into());
        }
        if name.contains(char::is_control) {
            return Err(DescriptorError::Control { what: "state", found: name }.into());
        }
        Ok(Self { name, kind, codec, version, fingerprint: None })
    }

    /// The same with the fingerprint of its layout.
    #[must_use]
    pub fn with_fingerprint(self, fingerprint: Fingerprint) -> Self {
        Self { fingerprint: Some(fingerprint), ..self }
    }

    /// Its name, unique within the operator.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is to the operator.
    pub const fn kind(&self) -> StateKind {
        self.kind
    }

    /// How its bytes are made.
    pub const fn codec(&self) -> &CodecId {
        &self.codec
    }

    /// Which version of the layout.
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// The fingerprint of the layout; `None` when the codec computes none.
    pub const fn fingerprint(&self) -> Option<Fingerprint> {
        self.fingerprint
    }

    /// Whether it is the engine's own.
    pub fn is_reserved(&self) -> bool {
        self.name.starts_with(Self::RESERVED_PREFIX)
    }
}
