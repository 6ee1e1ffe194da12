//! The mark of a snapshot that no HEAD names: whose it is.

use ckpt_core::head::{Head, Ownership};
use ckpt_core::mark::OwnerRecord;
use ckpt_core::state::{ClaimId, RelPath};
use ckpt_core::{Error, ErrorKind, Result};

use crate::claim::error::ClaimError;
use crate::claim::found::Found;
use crate::claim::start::Start;
use crate::{layout, mark_file};

/// Makes the snapshot the job's that `next` begins: creates its `OWNER`, without replacing one, and looks then whether somebody
/// disposes of it. Whoever does makes a mark and looks for this one; so at least one of the two sees the other and gives way.
/// Harmless when the job has done so before.
///
/// Another leader of the same job may have taken up the `OWNER` that was made here, and be about to claim by it. So `fences`
/// has to write the job's HEAD before that is taken back: whoever proceeds from an older HEAD claims nothing then, and whoever
/// reads that one finds what was found here.
///
/// # Errors
///
/// `Configuration` when it is another job's; `NotFound` when it is being disposed of, or gone: then the `OWNER` that was made
/// here is taken back. `Corrupt` when a mark cannot be used, `Retry` when one could not be made or read.
pub(super) fn own(found: &Found, next: &Head, start: &Start, fences: &dyn Fn() -> bool) -> Result<()> {
    let claim = next.retained.last().map_or(ClaimId::FIRST, |snapshot| match snapshot.ownership {
        Ownership::Claimed(claim) => claim,
        _ => ClaimId::FIRST,
    });
    let ours = OwnerRecord::new(next.job, next.epoch, claim, next.nonce, start.claimed_at);
    let (pointed, path) = (&found.pointed, path(found));
    let shown = || pointed.show(&path);
    let made = mark_file::create(&pointed.file_system, &path, ours.encode()?, start.durability).map_err(|source| {
        let kind = match source.kind() {
            // Whether it is there now or not, the next call finds out.
            ErrorKind::AbortCheckpoint | ErrorKind::Unknown | ErrorKind::NotFound => ErrorKind::Retry,
            kind => kind,
        };
        ClaimError::NotOwned { path: shown(), source }.of_kind(kind)
    })?;
    let owner = OwnerRecord::decode(&made).map_err(|source| {
        let kind = source.kind();
        ClaimError::OwnerUnreadable { path: shown(), source }.of_kind(kind)
    })?;
    let pointer = || pointed.written.clone();
    if owner.job != ours.job {
        let (owner, claim) = (owner.job, owner.claim);
        return Err(ClaimError::Owned { pointer: pointer(), owner, claim, job: ours.job }.configuration());
    }
    let lost: Error = if pointed.disposal()?.is_some() {
        ClaimError::BeingDisposed { pointer: pointer() }.of_kind(ErrorKind::NotFound)
    } else if !found.is_there()? {
        // Somebody disposed of it from beginning to end meanwhile.
        ClaimError::Gone { pointer: pointer() }.of_kind(ErrorKind::NotFound)
    } else {
        return Ok(());
    };
    if owner.is_same_claim(&ours) && fences() {
        // What fails then keeps a disposal from it, and a claim by the same job takes it up.
        drop(pointed.file_system.remove(std::slice::from_ref(&path)));
    }
    Err(lost)
}

fn path(found: &Found) -> RelPath {
    found.pointed.path_of(&layout::file_in_savepoint(OwnerRecord::FILE_NAME))
}
