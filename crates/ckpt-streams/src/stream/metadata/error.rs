//! What goes wrong when metadata are published.

use std::io;

use ckpt_core::{Error, ErrorKind};

/// What went wrong when metadata were published.
#[derive(Debug, thiserror::Error)]
pub(super) enum MetadataError {
    #[error("'{path}' could not be made")]
    NotMade { path: String, source: Error },
    #[error("'{path}' could not be written")]
    NotWritten { path: String, source: io::Error },
    #[error("an earlier write of '{path}' failed")]
    FailedEarlier { path: String },
    #[error("'{path}' could not be published")]
    NotPublished { path: String, source: Error },
    #[error("'{path}' exists with other content than the {expected_bytes} bytes to be published, and is not replaced")]
    ByAnother { path: String, expected_bytes: u64 },
    #[error("'{path}' exists, and could not be read to tell whose it is")]
    Unread { path: String, source: Error },
    #[error("'{path}' may have been published: no answer was certain")]
    Unanswered { path: String, source: Error },
    #[error("'{path}' may have been published: no answer was certain in {tries} tries")]
    Unknown { path: String, tries: u32, source: Option<Error> },
    #[error("'{path}' was published, and its name could not be made durable")]
    NotSynced { path: String, source: Error },
}

impl From<MetadataError> for Error {
    fn from(error: MetadataError) -> Self {
        use MetadataError::{NotSynced, Unanswered, Unknown, Unread};
        let kind = match error {
            Unread { .. } | Unanswered { .. } | Unknown { .. } | NotSynced { .. } => ErrorKind::Unknown,
            _ => ErrorKind::AbortCheckpoint,
        };
        Self::new(kind, error)
    }
}
