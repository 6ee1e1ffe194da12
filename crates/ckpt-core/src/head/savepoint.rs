//! A savepoint that is being taken.

use crate::id::CheckpointId;
use crate::uri::Uri;

/// A savepoint whose directory is made, or is about to be, and whose `_metadata` may be there or not.
///
/// HEAD names it before the directory is made, so that what a dead leader left of it is found and deleted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SavepointInProgress {
    /// Its number.
    pub id: CheckpointId,
    /// Its directory.
    pub uri: Uri,
}

impl SavepointInProgress {
    /// The savepoint of that number, in the directory at `uri`.
    pub const fn new(id: CheckpointId, uri: Uri) -> Self {
        Self { id, uri }
    }
}
