//! Giving back what is claimed.

use std::slice;

use ckpt_core::head::{Collected, Head, Origin, ReleasedClaim};
use ckpt_core::id::JobId;
use ckpt_core::mark::{DisposalMark, OwnerRecord, SavepointMark};
use ckpt_core::uri::Uri;
use ckpt_core::{ErrorKind, Result};
use ckpt_streams::file_system::Durability;

use crate::claim::collect::{open, sync};
use crate::claim::error::ClaimError;
use crate::claim::found::head_above;
use crate::claim::take_over::MOST_TRIES;
use crate::context::StorageContext;
use crate::dispose::remove_all;
use crate::file::Pointed;
use crate::head::{HeadOutcome, HeadStore as _, RecordHeadStore};
use crate::{layout, mark_file};

/// How far a checkpoint may have gone from job to job, so that giving it back gives further ones back.
pub(super) const MOST_OWNERS: usize = 16;

/// Takes the job's mark off a place that it needs no more: its `OWNER`, after everything else that is left there; and with the
/// last claim the entry in the HEAD of the job that handed the checkpoint over. What that job had claimed itself, and needs no
/// more now, is given back in turn. `head` is the HEAD of the job that released the claim. Harmless when done before.
///
/// # Errors
///
/// `Corrupt` when a HEAD or the mark is damaged; the kind that the file system gives; `Retry` or `Unknown` when a HEAD could not
/// be written: doing it again is safe.
pub(crate) fn release(
    head: &Head,
    released: &ReleasedClaim,
    durability: Durability,
    context: &StorageContext,
) -> Result<()> {
    release_by(head, released, durability, context, MOST_OWNERS)
}

fn release_by(
    head: &Head,
    released: &ReleasedClaim,
    durability: Durability,
    context: &StorageContext,
    owners: usize,
) -> Result<()> {
    remove_owner(&released.claim().uri, head, durability, context)?;
    match &head.origin {
        Some(origin) if released.is_last() => hand_back(head, origin, released, durability, context, owners),
        _ => Ok(()),
    }
}

/// Deletes the marks at `uri`, if they are of this job, and the directory when it is empty.
fn remove_owner(uri: &Uri, head: &Head, durability: Durability, context: &StorageContext) -> Result<()> {
    let Some(directory) = open(uri, context)? else { return Ok(()) };
    let mark = |name| directory.path(layout::file_in_savepoint(name));
    let path = mark(OwnerRecord::FILE_NAME);
    let unreadable = |source: ckpt_core::Error| {
        let kind = source.kind();
        ClaimError::OwnerUnreadable { path: directory.shown(&path), source }.of_kind(kind)
    };
    if let Some(found) = mark_file::read(&*directory.file_system, &path).map_err(unreadable)? {
        if OwnerRecord::decode(&found).map_err(unreadable)?.job != head.job {
            return Ok(());
        }
        // Beside metadata, which somebody may have put back, they say something of that.
        if !directory.has_metadata()? {
            // A disposal that found the owner refused, and left its mark.
            let others = [SavepointMark::FILE_NAME, DisposalMark::FILE_NAME].map(mark);
            if let Some(error) = remove_all(&directory, &others).pop() {
                return Err(error);
            }
            sync(&directory, Some(&path), durability)?;
        }
        if let Some(error) = remove_all(&directory, slice::from_ref(&path)).pop() {
            return Err(error);
        }
        sync(&directory, Some(&path), durability)?;
    }
    directory.remove_empty(&layout::unused(head.nonce));
    Ok(())
}

/// Has the job that handed the checkpoint over name it no more.
fn hand_back(
    head: &Head,
    origin: &Origin,
    released: &ReleasedClaim,
    durability: Durability,
    context: &StorageContext,
    owners: usize,
) -> Result<()> {
    let Some(pointed) = Pointed::in_its_directory(&origin.uri, context)? else { return Ok(()) };
    let Some((store, _)) = head_above(&pointed, context)? else { return Ok(()) };
    for _ in 0..MOST_TRIES {
        let Some(theirs) = store.read()? else { return Ok(()) };
        let is_ours = |of: &Head| of.handed_over.iter().any(|it| (it.snapshot.id, it.to) == (origin.id, head.job));
        if theirs.job != origin.job || !is_ours(&theirs) {
            return Ok(());
        }
        let written = match store.write(Head::claim_ended(&theirs, theirs.job, head.nonce)?) {
            HeadOutcome::Written(written) => written,
            HeadOutcome::Fenced(_) => continue,
            HeadOutcome::Failed(error) | HeadOutcome::Unknown(error) => return Err(error),
        };
        match store.write(written.head.handed_back(origin.id, released, &Collected::none())?) {
            HeadOutcome::Written(written) => {
                let owners = owners.saturating_sub(1);
                return give_back_further(&store, written, durability, context, owners);
            }
            HeadOutcome::Fenced(_) => {}
            HeadOutcome::Failed(error) | HeadOutcome::Unknown(error) => return Err(error),
        }
    }
    Err(contended(origin.job))
}

/// What the former owner had claimed itself.
fn give_back_further(
    store: &RecordHeadStore,
    written: ckpt_core::head::WrittenHead,
    durability: Durability,
    context: &StorageContext,
    owners: usize,
) -> Result<()> {
    let mut collected = Collected::none();
    for released in written.all_released() {
        // What is left then, that job's own collection gives back.
        if owners == 0 {
            return Ok(());
        }
        release_by(written.head.head(), &released, durability, context, owners)?;
        collected.claims.push(released.claim().id);
    }
    if collected.is_empty() {
        return Ok(());
    }
    match store.write(written.head.collected(&collected)?) {
        // Whoever came between does it again.
        HeadOutcome::Written(_) | HeadOutcome::Fenced(_) => Ok(()),
        HeadOutcome::Failed(error) | HeadOutcome::Unknown(error) => Err(error),
    }
}

fn contended(job: JobId) -> ckpt_core::Error {
    ClaimError::Contended { job, tries: MOST_TRIES }.of_kind(ErrorKind::Retry)
}
