//! What HEAD says of a job.

use std::path::PathBuf;

use ckpt_core::head::{Claim, Head, RetainedSnapshot, SavepointInProgress};
use ckpt_core::id::CheckpointId;
use ckpt_core::state::RelPath;
use ckpt_core::uri::{Uri, UriParts};
use ckpt_storage::{CHECKPOINT_DIRECTORY_PREFIX, HEAD_DIRECTORY};
use ckpt_streams::file_system::{FileSystem as _, LocalFileSystem, VersionTag};
use serde::Serialize;

use super::scan::{FoundJob, FoundSnapshot};
use crate::error::CommandError;
use crate::metadata_file::{MetadataFile, MetadataFormat};

/// What HEAD says of a snapshot of its job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Standing {
    /// A restore takes it: the newest that is retained, or what the job was stopped with.
    RestorePoint,
    /// It can be restored.
    Retained,
    /// It was newer than the one that the job went back to, and is kept as evidence.
    SetAside,
    /// It is retained no more, and its files are being deleted.
    Removed,
    /// It belongs to another job, which has claimed it.
    HandedOver,
    /// It is a savepoint that is being taken.
    InProgress,
    /// It is a savepoint that was given up, or whose leader is gone.
    Abandoned,
    /// It is published, and HEAD does not name it.
    NotCommitted,
    /// It has no `_metadata`, and HEAD does not name it.
    Unfinished,
}

/// HEAD of a job.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HeadView {
    pub(crate) version: u64,
    pub(crate) epoch: u64,
    pub(crate) state: String,
    pub(crate) restore_point: Option<u64>,
    pub(crate) retained: Vec<u64>,
    pub(crate) stopped_at: Option<u64>,
    pub(crate) set_aside: Vec<u64>,
    pub(crate) removed: Vec<u64>,
    pub(crate) savepoints_in_progress: Vec<SavepointView>,
    pub(crate) abandoned_savepoints: Vec<SavepointView>,
    pub(crate) handed_over: Vec<u64>,
    /// To which job, in the same order.
    pub(crate) handed_over_to: Vec<String>,
    /// What the present leader began from.
    pub(crate) restored_from: Option<u64>,
    /// What the job began from that it did not take itself.
    pub(crate) origin: Option<OriginView>,
    /// Places of others that it has taken over.
    pub(crate) claims: Vec<ClaimView>,
    /// Those that it needs no more and has not given back yet.
    pub(crate) released_claims: Vec<ClaimView>,
    /// That it went back to an older snapshot.
    pub(crate) gone_back: Option<GoneBackView>,
}

/// The snapshot of another job, or the savepoint, that a job began from.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct OriginView {
    pub(crate) job: String,
    pub(crate) id: u64,
    pub(crate) uri: String,
    /// `CLAIM` or `NO_CLAIM`.
    pub(crate) mode: String,
}

/// A place that a job has taken over.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ClaimView {
    pub(crate) id: u64,
    pub(crate) uri: String,
}

/// That a job went back.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct GoneBackView {
    pub(crate) from: u64,
    pub(crate) to: u64,
    /// By the leader of that epoch.
    pub(crate) epoch: u64,
}

/// A savepoint that HEAD names while it is taken, or after it was given up.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct SavepointView {
    pub(crate) id: u64,
    pub(crate) uri: String,
}

/// Reads HEAD of a job, of whose snapshots those are known; `None` when it has none, as all jobs of Flink's. Or what is wrong
/// with it: a job of ours writes HEAD before any checkpoint.
pub(crate) fn read(job: &FoundJob, known: &[FoundSnapshot]) -> Result<Option<Head>, String> {
    let read = || -> ckpt_core::Result<Option<(Head, VersionTag)>> {
        let record = RelPath::new(format!("{HEAD_DIRECTORY}/HEAD"))?;
        let Some((bytes, tag)) = LocalFileSystem::open(&job.directory)?.read_record(&record)? else { return Ok(None) };
        Ok(Some((Head::decode(&bytes)?, tag)))
    };
    match read() {
        Ok(Some((head, _))) if head.job != job.id => {
            Err(format!("its HEAD is that of job {}, expected {}", head.job, job.id))
        }
        // Both count its writes, from one on.
        Ok(Some((head, tag))) if tag.as_str() != head.version.to_string() => {
            Err(format!("its HEAD of version {} says that it is version {}", tag.as_str(), head.version))
        }
        Ok(None) if known.iter().any(|found| is_checkpoint_of_ours(job, found)) => {
            Err("it has checkpoints of ours and no HEAD: which of them can be restored is not known".to_owned())
        }
        Ok(head) => Ok(head.map(|(head, _)| head)),
        Err(error) => Err(format!("its HEAD cannot be read: {}", CommandError::chain(&error))),
    }
}

fn is_checkpoint_of_ours(job: &FoundJob, found: &FoundSnapshot) -> bool {
    let is_its_checkpoint = found.number.is_some() && found.directory.parent() == Some(&job.directory);
    let format = || MetadataFile::in_directory(&found.directory).map(|file| file.format);
    is_its_checkpoint && found.is_complete && format().is_ok_and(|format| format == MetadataFormat::Ckpt)
}

/// The directory of a checkpoint that lies in that of its job.
pub(crate) fn checkpoint_directory(job: &FoundJob, snapshot: &RetainedSnapshot) -> PathBuf {
    job.directory.join(format!("{CHECKPOINT_DIRECTORY_PREFIX}{}", snapshot.id))
}

/// Everything that must be there, and what HEAD has to do with it. What was handed over is another job's.
pub(crate) fn named(head: &Head) -> impl Iterator<Item = (&RetainedSnapshot, &'static str)> {
    let retained = head.retained.iter().map(|snapshot| (snapshot, "HEAD retains it"));
    let stopped_at = head.stopped_at.iter().map(|snapshot| (snapshot, "HEAD says that the job was stopped with it"));
    let set_aside = head.set_aside.iter().map(|snapshot| (snapshot, "HEAD keeps it as evidence"));
    retained.chain(stopped_at).chain(set_aside)
}

/// The directory of a snapshot that HEAD of that job names; `None` when it is on another file system.
pub(super) fn directory_of(job: &FoundJob, snapshot: &RetainedSnapshot) -> Option<PathBuf> {
    snapshot.uri().map_or_else(|| Some(checkpoint_directory(job, snapshot)), local_directory)
}

/// A local directory without links, if there is one; HEAD names places as its writer did, who may have gone through some.
fn local_directory(uri: &Uri) -> Option<PathBuf> {
    let parts = UriParts::of(uri.as_str()).filter(|parts| parts.scheme() == "file")?;
    let path = PathBuf::from(parts.decoded_path()?.into_owned());
    Some(path.canonicalize().unwrap_or(path))
}

impl Standing {
    /// What `head`, that of `job`, says of a snapshot; `None` when it says nothing.
    pub(crate) fn of(head: &Head, job: &FoundJob, found: &FoundSnapshot) -> Option<Self> {
        let is_it = |snapshot: &RetainedSnapshot| directory_of(job, snapshot).as_ref() == Some(&found.directory);
        let is_among = |list: &[RetainedSnapshot]| list.iter().any(is_it);
        let is_here = |uri: &Uri| local_directory(uri).as_ref() == Some(&found.directory);
        let is_savepoint = |list: &[SavepointInProgress]| list.iter().any(|it| is_here(&it.uri));
        if head.restore_point().is_some_and(is_it) {
            Some(Self::RestorePoint)
        } else if is_among(&head.retained) {
            Some(Self::Retained)
        } else if is_among(&head.set_aside) {
            Some(Self::SetAside)
        } else if is_among(&head.removed) {
            Some(Self::Removed)
        } else if head.handed_over.iter().any(|handed_over| is_it(&handed_over.snapshot)) {
            Some(Self::HandedOver)
        } else if is_savepoint(&head.savepoints_in_progress) {
            Some(Self::InProgress)
        } else if is_savepoint(&head.abandoned_savepoints) {
            Some(Self::Abandoned)
        } else if found.number.is_none() || found.directory.parent() != Some(&job.directory) {
            None
        } else if found.is_complete {
            Some(Self::NotCommitted)
        } else {
            Some(Self::Unfinished)
        }
    }

    /// Whether it must be there.
    pub(crate) const fn is_kept(self) -> bool {
        matches!(self, Self::RestorePoint | Self::Retained | Self::SetAside)
    }

    /// For people.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::RestorePoint => "newest restorable",
            Self::Retained => "retained",
            Self::SetAside => "set aside",
            Self::Removed => "removed",
            Self::HandedOver => "handed over",
            Self::InProgress => "in progress",
            Self::Abandoned => "abandoned",
            Self::NotCommitted => "published, not committed",
            Self::Unfinished => "unfinished",
        }
    }
}

impl HeadView {
    pub(crate) fn of(head: &Head) -> Self {
        let ids = |list: &[RetainedSnapshot]| list.iter().map(|snapshot| snapshot.id.get()).collect();
        let savepoints = |list: &[SavepointInProgress]| {
            let views = list.iter().map(|it| SavepointView { id: it.id.get(), uri: it.uri.as_str().to_owned() });
            views.collect()
        };
        let claims = |list: &[Claim]| {
            let views = list.iter().map(|claim| ClaimView { id: claim.id.get(), uri: claim.uri.to_string() });
            views.collect()
        };
        Self {
            version: head.version.get(),
            epoch: head.epoch.get(),
            state: head.state.to_string(),
            restore_point: head.restore_point().map(|point| point.id.get()),
            retained: ids(&head.retained),
            stopped_at: head.stopped_at.as_ref().map(|snapshot| snapshot.id.get()),
            set_aside: ids(&head.set_aside),
            removed: ids(&head.removed),
            savepoints_in_progress: savepoints(&head.savepoints_in_progress),
            abandoned_savepoints: savepoints(&head.abandoned_savepoints),
            handed_over: head.handed_over.iter().map(|it| it.snapshot.id.get()).collect(),
            handed_over_to: head.handed_over.iter().map(|it| it.to.to_string()).collect(),
            restored_from: head.restored_from.map(CheckpointId::get),
            origin: head.origin.as_ref().map(|origin| OriginView {
                job: origin.job.to_string(),
                id: origin.id.get(),
                uri: origin.uri.to_string(),
                mode: origin.mode.to_string(),
            }),
            claims: claims(&head.claims),
            released_claims: claims(&head.released_claims),
            gone_back: head.gone_back.map(|it| GoneBackView {
                from: it.from.get(),
                to: it.to.get(),
                epoch: it.epoch.get(),
            }),
        }
    }
}
