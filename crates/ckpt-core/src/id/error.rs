//! Why a text is no identity.

use crate::error::{Error, ErrorKind};

/// A text that is not the written form of an identity.
#[derive(Debug, thiserror::Error)]
pub(super) enum IdError {
    #[error("'{}' is not a file name of the form <16 hex>-<16 hex>-<8 hex>", found.escape_debug())]
    FileName { found: String },
    #[error("'{}' is not {what} of 32 lower-case hex digits", found.escape_debug())]
    HexId { what: &'static str, found: String },
}

impl From<IdError> for Error {
    fn from(error: IdError) -> Self {
        let kind = match error {
            IdError::FileName { .. } => ErrorKind::Corrupt,
            IdError::HexId { .. } => ErrorKind::Configuration,
        };
        Self::new(kind, error)
    }
}
