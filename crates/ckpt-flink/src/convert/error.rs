//! Why metadata cannot be converted at all.

use ckpt_core::state::{Places, Root};
use ckpt_core::{Error, ErrorKind};

#[derive(Debug, thiserror::Error)]
pub(super) enum ConvertError {
    #[error("Flink's metadata cannot be converted")]
    FromFlink { source: Error },
    #[error("metadata cannot be converted to Flink's")]
    ToFlink { source: Error },
    #[error(
        "Flink's metadata names files in more than {} directories that have nothing in common, expected no more",
        Places::MAX_PLACES
    )]
    Directories,
    #[error("the place of {root:?} is not known, expected one in the metadata or among those given")]
    Place { root: Root },
}

impl From<ConvertError> for Error {
    fn from(error: ConvertError) -> Self {
        Self::new(ErrorKind::Configuration, error)
    }
}
