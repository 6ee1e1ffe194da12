//! The snapshot that a pointer leads to, and whose it is.

use std::collections::BTreeSet;
use std::sync::Arc;

use ckpt_core::head::{ClaimMode, ForeignSnapshot, HandedOver, Head, RetainedSnapshot};
use ckpt_core::id::JobId;
use ckpt_core::metadata::{CheckpointMetadata, WrittenMetadata};
use ckpt_core::state::Root;
use ckpt_core::uri::StoragePath;
use ckpt_core::{ErrorKind, Result};

use crate::claim::error::ClaimError;
use crate::claim::start::Start;
use crate::context::StorageContext;
use crate::file::{Pointed, roots_beside, snapshot_at};
use crate::head::{HeadStore as _, RecordHeadStore};
use crate::layout;

/// The snapshot that a pointer leads to.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) pointed: Pointed,
    pub(super) foreign: ForeignSnapshot,
    written: WrittenMetadata,
    /// A root besides its own directory that it names.
    needs: Option<Root>,
}

impl Found {
    /// Follows the pointer of `start`, and reads the whole `_metadata`, of which every byte is verified.
    ///
    /// # Errors
    ///
    /// Those of [`CheckpointStorage::resolve`](crate::CheckpointStorage::resolve), and `Configuration` when the pointer names a
    /// metadata file of another name, or a snapshot of Flink's is to be claimed.
    pub(super) fn find(start: &Start, context: &StorageContext) -> Result<Self> {
        let (pointed, file) = snapshot_at(&start.pointer, context)?;
        if pointed.metadata_path.file_name() != layout::METADATA_FILE {
            return Err(ClaimError::OtherName { pointer: pointed.written }.configuration());
        }
        if start.mode == ClaimMode::Claim && file.is_of_flink() {
            return Err(ClaimError::OfFlink { pointer: pointed.written }.configuration());
        }
        let (metadata, written) = file.read_written()?;
        // State that lies where the snapshot was before it was moved is told here.
        roots_beside(&pointed, &metadata)?;
        let summary = metadata.summary();
        let (job, id, epoch) = (summary.job, summary.identity.id, summary.identity.epoch);
        let described = RetainedSnapshot::new(id, epoch, summary.kind(), written.length_bytes, written.index_digest);
        let uri = StoragePath::from(&*pointed.pointer).to_uri()?;
        let named = named_roots(&metadata)?;
        let mut roots = Vec::new();
        for root in &named {
            let uri = match root {
                Root::JobShared => pointed.beside(layout::SHARED_DIRECTORY)?,
                Root::JobTaskOwned => pointed.beside(layout::TASK_OWNED_DIRECTORY)?,
                // Metadata is read only if it gives a place for each such root that it names.
                root => match summary.places.get(*root) {
                    Some(uri) => uri.clone(),
                    None => continue,
                },
            };
            roots.push((*root, uri));
        }
        let foreign = ForeignSnapshot::new(job, &described, uri).naming(roots);
        Ok(Self { pointed, foreign, written, needs: named.first().copied() })
    }

    /// The job whose HEAD names it and hands it over; `None` when no HEAD does: an `OWNER` says then whose it is.
    ///
    /// # Errors
    ///
    /// `Configuration` when nobody can claim it: it lies where no snapshot of its name may, or needs files whose owner is not known, or
    /// HEAD above does not name it. `Corrupt` when that names another one.
    pub(super) fn owner(&self, context: &StorageContext) -> Result<Option<(RecordHeadStore, JobId)>> {
        let ForeignSnapshot { job, id, .. } = self.foreign;
        let pointer = || self.pointed.written.clone();
        let Some((store, head)) = self.head_above(context)? else {
            return match self.needs {
                Some(root) => Err(ClaimError::NoHeadAbove { pointer: pointer(), root, job }.configuration()),
                None => Ok(None),
            };
        };
        let name = self.pointed.directory.as_ref().map_or("", |name| name.as_str());
        if job == head.job && layout::parse_checkpoint_directory(name) == Some(id) {
            self.named_by(&head)?;
            return Ok(Some((store, head.job)));
        }
        if layout::is_savepoint_directory(name, job) && self.needs.is_none() {
            return Ok(None);
        }
        let (job_above, found_job) = (head.job, job);
        Err(ClaimError::OutOfPlace { pointer: pointer(), job_above, found: id, found_job }.configuration())
    }

    /// The job that it is handed over to, if it is; else `head` retains it.
    ///
    /// # Errors
    ///
    /// `Configuration` when `head` does not name it, `Corrupt` when it names another one of that number.
    pub(super) fn named_by(&self, head: &Head) -> Result<Option<JobId>> {
        let (id, job) = (self.foreign.id, head.job);
        let is_it = |snapshot: &&RetainedSnapshot| snapshot.id == id && snapshot.uri().is_none();
        let handed_over = head.handed_over.iter().find(|handed_over| is_it(&&handed_over.snapshot));
        let retained = head.retained.iter().find(is_it);
        let pointer = || self.pointed.written.clone();
        let Some(named) = handed_over.map(|handed_over| &handed_over.snapshot).or(retained) else {
            return Err(ClaimError::NotRetained { pointer: pointer(), id, job }.configuration());
        };
        let (found_bytes, expected_bytes) = (self.written.length_bytes, named.metadata_bytes);
        if (found_bytes, self.written.index_digest) != (expected_bytes, named.index_digest) {
            let error = ClaimError::NotAsInHead { pointer: pointer(), id, job, found_bytes, expected_bytes };
            return Err(error.of_kind(ErrorKind::Corrupt));
        }
        Ok(handed_over.map(|HandedOver { to, .. }| *to))
    }

    /// Whether its `_metadata` is there, and still the one that was read.
    ///
    /// # Errors
    ///
    /// Those of reading it.
    pub(super) fn is_there(&self) -> Result<bool> {
        let again = match self.pointed.open_metadata() {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            opened => opened?.written()?,
        };
        Ok(again == self.written)
    }

    fn head_above(&self, context: &StorageContext) -> Result<Option<(RecordHeadStore, Head)>> {
        head_above(&self.pointed, context)
    }
}

/// The HEAD of the job in whose directory that one lies, if it lies in one.
///
/// # Errors
///
/// Those of [`HeadStore::read`](crate::HeadStore::read).
pub(super) fn head_above(pointed: &Pointed, context: &StorageContext) -> Result<Option<(RecordHeadStore, Head)>> {
    if pointed.directory.is_none() {
        return Ok(None);
    }
    let path = layout::head_path();
    let shown = pointed.show(&path);
    let store = RecordHeadStore::new(Arc::clone(&pointed.file_system), path, shown).for_writing(context);
    let head = store.read()?;
    Ok(head.map(|head| (store, head)))
}

/// The roots that the metadata names, besides the snapshot's own directory.
fn named_roots(metadata: &CheckpointMetadata) -> Result<BTreeSet<Root>> {
    let mut named = BTreeSet::new();
    if metadata.summary().self_contained {
        return Ok(named);
    }
    metadata.visit_handles(&mut |handle| {
        if let Some((root, _)) = handle.file().filter(|(root, _)| *root != Root::ThisSnapshot) {
            named.insert(root);
        }
    })?;
    Ok(named)
}
