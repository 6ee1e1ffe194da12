//! The place of a savepoint, from its name to what is left of it.

use std::sync::Arc;

use ckpt_core::snapshot::CheckpointIdentity;
use ckpt_core::uri::Uri;
use ckpt_core::{ErrorKind, Result};

use crate::error::StorageError;
use crate::view::{CoordinatorView, Location};

/// What became of the wish to have a directory for a savepoint.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum InitializedSavepoint {
    /// It is that savepoint's alone.
    Made(Arc<dyn Location>),
    /// Something of somebody else is there: another name is needed. Nothing of it was touched.
    Taken,
}

/// What became of a savepoint that nobody goes on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AbandonedOutcome {
    /// Nothing of it is left, nor will its `_metadata` appear.
    Gone,
    /// Its `_metadata` is there: it is complete and its user's, and nothing was deleted.
    Complete,
}

/// How many names are tried before a savepoint is given up, as Flink tries.
const ATTEMPTS: u32 = 10;

/// Finds a directory for a savepoint below `target`, or where the storage puts savepoints by default: for whoever has no
/// coordinator of ours, which does the same step by step. `before` is called with each name before its directory is made,
/// so that it can be written down that the savepoint is in progress there.
///
/// # Errors
///
/// Those of [`name_savepoint`](CoordinatorView::name_savepoint) and of `before`, and `Configuration` and `Fenced`, at
/// once. After ten names
/// `AbortCheckpoint`, with the target and what went wrong last.
pub fn make_savepoint_location(
    view: &dyn CoordinatorView,
    identity: &CheckpointIdentity,
    target: Option<&str>,
    before: &mut dyn FnMut(&Uri) -> Result<()>,
) -> Result<(Uri, Arc<dyn Location>)> {
    let mut tried = 1;
    loop {
        let uri = view.name_savepoint(identity, target)?;
        before(&uri)?;
        let source = match view.initialize_savepoint(identity, &uri) {
            Ok(InitializedSavepoint::Made(location)) => return Ok((uri, location)),
            Ok(InitializedSavepoint::Taken) => StorageError::SavepointTaken { uri: uri.clone() }.abort(),
            // Another name would not help.
            Err(error) if matches!(error.kind(), ErrorKind::Configuration | ErrorKind::Fenced) => return Err(error),
            Err(error) => error,
        };
        if tried == ATTEMPTS {
            let target = uri.as_str().rsplit_once('/').map_or(uri.as_str(), |(target, _)| target).to_owned();
            return Err(StorageError::NoSavepointDirectory { target, attempts: ATTEMPTS, source }.abort());
        }
        tried += 1;
    }
}
