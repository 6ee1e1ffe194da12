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
use crate::claim::release::MOST_OWNERS;
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
    /// Of the place at `uri`, which the job of `ours` has claimed: what is named by the snapshots that the job above it, and all
    /// through whose hands it came, retain, have set aside, or have handed over to other jobs. All of these have ended, so that
    /// such snapshots become fewer only.
    ///
    /// # Errors
    ///
    /// `Retry` when something could not be read.
    pub(super) fn of(uri: &Uri, ours: &Head, context: &StorageContext) -> Result<Self> {
        let (mut named, mut asked) = (BTreeSet::new(), BTreeSet::new());
        let mut to = ours.clone();
        while let Some(origin) = to.origin.clone() {
            let Some(pointed) = pointed_at(&origin.uri, context)? else { break };
            let Some((_, head)) = head_above(&pointed, context)? else { break };
            // A savepoint is nobody's but its owner's, wherever it lies.
            let name = pointed.directory.as_ref().map_or("", |name| name.as_str());
            if head.job != origin.job || layout::parse_checkpoint_directory(name) != Some(origin.id) {
                break;
            }
            let is_ours = |given: &HandedOver| (given.snapshot.id, given.to) == (origin.id, to.job);
            // More than that nobody has claimed one after the other, or they have claimed in a circle.
            let is_known = asked.len() < MOST_OWNERS && asked.insert(head.job);
            if !is_known || !enter_all(uri, &head, &is_ours, &pointed, context, &mut named)? {
                return Ok(Self::Unknown);
            }
            to = head;
        }
        let Some(pointed) = pointed_at(uri, context)? else { return Ok(Self::Known(named)) };
        // What lies in the directory of a snapshot the other snapshots of its job do not name.
        let name = pointed.directory.as_ref().map_or("", |name| name.as_str());
        if !layout::is_directory_of_a_job(name) {
            return Ok(Self::Known(named));
        }
        let Some((_, head)) = head_above(&pointed, context)? else { return Ok(Self::Unknown) };
        let is_ours = |given: &HandedOver| given.to == ours.job;
        if !asked.contains(&head.job) && !enter_all(uri, &head, &is_ours, &pointed, context, &mut named)? {
            return Ok(Self::Unknown);
        }
        Ok(Self::Known(named))
    }
}

/// What lies at `place`, or the directory in which it was: what was claimed first may be gone, and the job that it was of is
/// found all the same. `None` when that is gone, too.
fn pointed_at(place: &Uri, context: &StorageContext) -> Result<Option<Pointed>> {
    match Pointed::find_itself(place.as_str(), context) {
        Err(error) if error.kind() == ErrorKind::NotFound => Pointed::in_its_directory(place, context),
        found => found.map(Some),
    }
}

/// Enters the files at `uri` that the snapshots of `head` name but those that are handed over to us. Whether these are known.
fn enter_all(
    uri: &Uri,
    head: &Head,
    is_ours: &dyn Fn(&HandedOver) -> bool,
    pointed: &Pointed,
    context: &StorageContext,
    named: &mut BTreeSet<FileName>,
) -> Result<bool> {
    if head.state == JobState::Active {
        return Ok(false);
    }
    let others = head.handed_over.iter().filter(|given| !is_ours(given)).map(|given| &given.snapshot);
    for snapshot in head.retained.iter().chain(&head.set_aside).chain(others) {
        if !(Other { head, snapshot }).enter(uri, pointed, context, named)? {
            return Ok(false);
        }
    }
    Ok(true)
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
