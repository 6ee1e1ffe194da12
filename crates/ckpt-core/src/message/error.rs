//! Why a message is refused.

use super::SpilledAcknowledge;
use crate::error::{Error, ErrorKind};
use crate::id::Writer;

/// A file that no acknowledgement is spilled into.
#[derive(Debug, thiserror::Error)]
pub(super) enum SpillRefusal {
    #[error(
        "an acknowledgement is spilled into {place}, expected a file of writer {} of epoch {} in the checkpoint's own \
         directory",
        of.id,
        of.epoch
    )]
    Place { place: String, of: Writer },
    #[error("the file of a spilled acknowledgement has no digest")]
    NoDigest,
    #[error("a spilled acknowledgement has {found} bytes, expected at most {}", SpilledAcknowledge::MAX_BYTES)]
    Length { found: u64 },
}

impl From<SpillRefusal> for Error {
    fn from(error: SpillRefusal) -> Self {
        Self::new(ErrorKind::AbortCheckpoint, error)
    }
}
