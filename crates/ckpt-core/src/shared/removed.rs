//! Shared files that may be deleted.

use crate::id::FileName;
use crate::state::{ClaimId, FileRef, Root};

/// Shared files that nothing names any more and nothing will ever name again: they may be deleted.
///
/// Only a [`SharedStateRegistry`](super::SharedStateRegistry) yields them: of a checkpoint, against the
/// [`RemovedSnapshot`](crate::head::RemovedSnapshot) that a HEAD that was written yields; else of writers that have ended
/// and whose files no HEAD has ever named, or names no more.
///
/// ```
/// # use ckpt_core::{head::RemovedSnapshot, id::FileName, shared::{RemovedFiles, SharedStateRegistry}};
/// fn to_delete(registry: &mut SharedStateRegistry, of: &RemovedSnapshot, named: Vec<FileName>) -> Option<RemovedFiles> {
///     registry.remove(of)
/// }
/// ```
///
/// Files that may still be named cannot be called removed:
///
/// ```compile_fail,E0451
/// # use ckpt_core::{head::RemovedSnapshot, id::FileName, shared::{RemovedFiles, SharedStateRegistry}};
/// fn to_delete(registry: &mut SharedStateRegistry, of: &RemovedSnapshot, named: Vec<FileName>) -> Option<RemovedFiles> {
///     Some(RemovedFiles { job_shared: named, claimed: Vec::new() })
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "files that are not deleted stay until the next leader collects them"]
pub struct RemovedFiles {
    job_shared: Vec<FileName>,
    claimed: Vec<(ClaimId, FileRef)>,
}

impl RemovedFiles {
    /// The files below the job's directory of shared files.
    pub fn job_shared(&self) -> &[FileName] {
        &self.job_shared
    }

    /// The files below places that the job has taken over.
    pub fn claimed(&self) -> &[(ClaimId, FileRef)] {
        &self.claimed
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.job_shared.is_empty() && self.claimed.is_empty()
    }

    pub(super) fn push(&mut self, root: Root, file: FileRef) {
        match (root, file) {
            (Root::JobShared, FileRef::Ours(name)) => self.job_shared.push(name),
            (Root::Claimed(claim), file) => self.claimed.push((claim, file)),
            // Nothing else is ever registered, and nothing else may be deleted.
            _ => {}
        }
    }
}
