//! Which files in a claimed place others still need.

use std::collections::BTreeSet;

use ckpt_core::head::{HandedOver, Head, JobState, RetainedSnapshot, SnapshotPlace};
use ckpt_core::id::{FileName, JobId};
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::state::{FileView, Root};
use ckpt_core::uri::Uri;
use ckpt_core::{ErrorKind, Result};

use crate::claim::error::ClaimError;
use crate::claim::found::head_above;
use crate::context::StorageContext;
use crate::file::{MetadataFile, Pointed};
use crate::layout;

/// Which files in a claimed place others still need.
#[derive(Debug)]
pub(super) enum Others {
    /// Those, by all snapshots that have a say there.
    Known(BTreeSet<FileName>),
    /// It cannot be told: every file is to stay. Nothing is lost by that: once the claim is given back, the former owner
    /// deletes what nothing names.
    Unknown,
}

/// A snapshot of another job that has a say.
struct Other<'a> {
    head: &'a Head,
    snapshot: &'a RetainedSnapshot,
}

impl Others {
    /// Of the place at `uri`, which the job of `ours` has claimed: what is named by the snapshots that the job above it, and the
    /// job whose checkpoint was claimed, retain, have set aside, or have handed over to other jobs. Both have ended, so that
    /// these become fewer only.
    ///
    /// # Errors
    ///
    /// `Retry` when something could not be read.
    pub(super) fn of(uri: &Uri, ours: &Head, context: &StorageContext) -> Result<Self> {
        let mut named = BTreeSet::new();
        let from = ours.origin.as_ref().map(|origin| &origin.uri).filter(|from| *from != uri);
        for place in [Some(uri), from].into_iter().flatten() {
            let pointed = match Pointed::find_itself(place.as_str(), context) {
                // What was claimed first may be gone; the job that it was of is found all the same.
                Err(error) if error.kind() == ErrorKind::NotFound => match Pointed::in_its_directory(place, context)? {
                    Some(pointed) => pointed,
                    None => continue,
                },
                found => found?,
            };
            // What lies in the directory of a snapshot the other snapshots of its job do not name.
            let name = pointed.directory.as_ref().map_or("", |name| name.as_str());
            if place == uri && !layout::is_directory_of_a_job(name) {
                continue;
            }
            let Some((_, head)) = head_above(&pointed, context)? else {
                let is_of_a_job = pointed.directory.as_ref().is_some_and(|it| it.as_str() == layout::SHARED_DIRECTORY);
                match is_of_a_job {
                    true => return Ok(Self::Unknown),
                    false => continue,
                }
            };
            if head.state == JobState::Active {
                return Ok(Self::Unknown);
            }
            let others = head.handed_over.iter().filter(|given| given.to != ours.job);
            let others = others.map(|HandedOver { snapshot, .. }| snapshot);
            for snapshot in head.retained.iter().chain(&head.set_aside).chain(others) {
                if !(Other { head: &head, snapshot }).enter(uri, &pointed, context, &mut named)? {
                    return Ok(Self::Unknown);
                }
            }
        }
        Ok(Self::Known(named))
    }
}

impl Other<'_> {
    /// Enters the files at `uri` that it names. Whether these are known.
    fn enter(
        &self,
        uri: &Uri,
        pointed: &Pointed,
        context: &StorageContext,
        named: &mut BTreeSet<FileName>,
    ) -> Result<bool> {
        let (job, snapshot) = (self.head.job, self.snapshot);
        let read = match &snapshot.place {
            SnapshotPlace::JobDirectory => {
                let path = layout::metadata_path(snapshot.id);
                let file = MetadataFile::open(&*pointed.file_system, &path, pointed.show(&path));
                file.and_then(|file| file.read_retained(job, snapshot))
            }
            SnapshotPlace::Elsewhere(place) => read_elsewhere(self.head, snapshot, place, context),
            _ => return Ok(false),
        };
        let metadata = match read {
            Ok(metadata) => metadata,
            Err(source) if source.kind() == ErrorKind::Retry => {
                return Err(ClaimError::OthersUnknown { shared: uri.to_string(), job, source }.retry());
            }
            // It is damaged or gone: what it names, or what those name that went on from it, nobody knows.
            Err(_) => return Ok(false),
        };
        let roots = roots_at(uri, self.head, snapshot, pointed, &metadata)?;
        metadata.visit_handles(&mut |handle| {
            if let Some((root, FileView::Ours(name))) = handle.file() {
                if roots.contains(&root) {
                    named.insert(name);
                }
            }
        })?;
        Ok(true)
    }
}

fn read_elsewhere(
    head: &Head,
    snapshot: &RetainedSnapshot,
    place: &Uri,
    context: &StorageContext,
) -> Result<CheckpointMetadata> {
    let pointed = Pointed::find_itself(place.as_str(), context)?;
    pointed.open_metadata()?.read_retained(job_of(head, snapshot), snapshot)
}

/// The job that took a snapshot which `head` names elsewhere.
pub(super) fn job_of(head: &Head, snapshot: &RetainedSnapshot) -> JobId {
    let origin = head.origin.as_ref().filter(|origin| origin.id == snapshot.id);
    origin.map_or(head.job, |origin| origin.job)
}

/// As what roots the metadata of a snapshot names the directory at `uri`.
fn roots_at(
    uri: &Uri,
    head: &Head,
    snapshot: &RetainedSnapshot,
    pointed: &Pointed,
    metadata: &CheckpointMetadata,
) -> Result<BTreeSet<Root>> {
    let mut roots: BTreeSet<Root> = match &snapshot.place {
        SnapshotPlace::JobDirectory => {
            let mut own = BTreeSet::new();
            if pointed.beside(layout::SHARED_DIRECTORY)? == *uri {
                own.insert(Root::JobShared);
            }
            if pointed.beside(layout::checkpoint_directory(snapshot.id).as_str())? == *uri {
                own.insert(Root::ThisSnapshot);
            }
            own
        }
        _ => head.roots_of(snapshot).into_iter().filter(|root| root.uri == *uri).map(|root| root.named).collect(),
    };
    roots.extend(metadata.summary().places.iter().filter(|(_, place)| *place == uri).map(|(root, _)| root));
    Ok(roots)
}
