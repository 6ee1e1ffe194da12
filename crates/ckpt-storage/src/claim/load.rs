//! Reading the metadata of a snapshot that lies elsewhere.

use ckpt_core::Result;
use ckpt_core::head::{Head, RetainedSnapshot};
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::uri::Uri;

use crate::claim::others::job_of;
use crate::context::StorageContext;
use crate::file::Pointed;

/// The metadata of a snapshot that `head` names at `uri`, as the job of `head` sees it: every root is called as it calls it.
///
/// # Errors
///
/// `NotFound` or `Corrupt`, naming the file, when it is not there or another one; the kind that the file system gives.
pub(crate) fn load_elsewhere(
    head: &Head,
    snapshot: &RetainedSnapshot,
    uri: &Uri,
    context: &StorageContext,
) -> Result<CheckpointMetadata> {
    let pointed = Pointed::find_itself(uri.as_str(), context)?;
    let metadata = pointed.open_metadata()?.read_retained(job_of(head, snapshot), snapshot)?;
    metadata.seen_by(head.job, &head.roots_of(snapshot))
}
