//! Deleting what is dead in places that a job has claimed.

use std::collections::{BTreeMap, BTreeSet};
use std::slice;

use ckpt_core::head::{Head, Ownership, RetainedSnapshot};
use ckpt_core::id::FileName;
use ckpt_core::state::{ClaimId, FileRef, RelPath};
use ckpt_core::uri::Uri;
use ckpt_core::{ErrorKind, Result};
use ckpt_streams::file_system::Durability;

use crate::claim::error::ClaimError;
use crate::claim::others::Others;
use crate::context::StorageContext;
use crate::dispose::{SnapshotDirectory, remove_all};
use crate::file::MetadataFile;
use crate::layout;

/// How many files are deleted by one call of the file system.
const BATCH: usize = 512;

/// Deletes files below claims, which nothing of the job's names any more, and all names of which are gone durably then. `head`
/// is the job's HEAD: what is not claimed there, by that number, is left alone, since a later leader has given it back. So is
/// what other snapshots of whom it was claimed from may name.
///
/// # Errors
///
/// The kind that the file system gives, naming the first that could not be deleted; the others were tried.
pub(crate) fn remove_claimed_files(
    head: &Head,
    files: &[(ClaimId, FileRef)],
    durability: Durability,
    context: &StorageContext,
) -> Result<()> {
    let mut places = BTreeMap::<ClaimId, BTreeSet<FileName>>::new();
    for (claim, file) in files {
        // A file of another form cannot have been claimed: below a snapshot's own roots there is none.
        if let FileRef::Ours(name) = file {
            places.entry(*claim).or_default().insert(*name);
        }
    }
    let mut first = Ok(());
    for (claim, names) in places {
        let Some(held) = head.claims.iter().find(|held| held.id == claim) else { continue };
        first = first.and(remove_at(&held.uri, head, names, durability, context));
    }
    first
}

fn remove_at(
    uri: &Uri,
    head: &Head,
    mut names: BTreeSet<FileName>,
    durability: Durability,
    context: &StorageContext,
) -> Result<()> {
    let Some(directory) = open(uri, context)? else { return Ok(()) };
    match Others::of(uri, head, context)? {
        Others::Known(named) => names.retain(|name| !named.contains(name)),
        Others::Unknown => return Ok(()),
    }
    let paths: Vec<RelPath> = names.iter().map(|name| directory.path(RelPath::from(name))).collect();
    let mut errors = Vec::new();
    for batch in paths.chunks(BATCH) {
        errors.append(&mut remove_all(&directory, batch));
    }
    if let Some(error) = errors.into_iter().next() {
        return Err(error);
    }
    // What comes back when HEAD does not list it any more would stay for ever: nobody collects orphans there.
    sync(&directory, paths.first(), durability)
}

/// Deletes the `_metadata` of a claimed snapshot, whose files are gone or named by others, and its directory when it is empty.
///
/// # Errors
///
/// `Corrupt` when another `_metadata` is there; the kind that the file system gives.
pub(crate) fn remove_claimed_snapshot(
    head: &Head,
    removed: &RetainedSnapshot,
    durability: Durability,
    context: &StorageContext,
) -> Result<()> {
    let Ownership::Claimed(claim) = removed.ownership else { return Ok(()) };
    let Some(held) = head.claims.iter().find(|held| held.id == claim && Some(&held.uri) == removed.uri()) else {
        return Ok(());
    };
    let Some(directory) = open(&held.uri, context)? else { return Ok(()) };
    let path = directory.path(layout::metadata_file());
    match MetadataFile::open(&*directory.file_system, &path, directory.shown(&path)) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        opened => {
            let written = opened?.written()?;
            if (written.length_bytes, written.index_digest) != (removed.metadata_bytes, removed.index_digest) {
                let error = ClaimError::OtherMetadata { path: directory.shown(&path), id: removed.id };
                return Err(error.of_kind(ErrorKind::Corrupt));
            }
            if let Some(error) = remove_all(&directory, slice::from_ref(&path)).pop() {
                return Err(error);
            }
        }
    }
    sync(&directory, Some(&path), durability)?;
    directory.remove_empty(&layout::unused(head.nonce));
    Ok(())
}

/// The directory at `uri`, opened once; `None` when nothing is there.
pub(super) fn open(uri: &Uri, context: &StorageContext) -> Result<Option<SnapshotDirectory>> {
    match SnapshotDirectory::find(uri.as_str(), context) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
}

/// Makes durable what was deleted in a directory, of which `path` is one.
pub(super) fn sync(directory: &SnapshotDirectory, path: Option<&RelPath>, durability: Durability) -> Result<()> {
    let Some(path) = path.filter(|_| durability != Durability::None) else { return Ok(()) };
    directory.file_system.sync_removed(slice::from_ref(path)).map_err(|source| {
        let kind = source.kind();
        ClaimError::NotSynced { pointer: directory.pointer.clone(), source }.of_kind(kind)
    })
}
