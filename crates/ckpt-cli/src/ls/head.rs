//! What HEAD says of a job.

use std::path::{Path, PathBuf};

use ckpt_core::head::{Head, RetainedSnapshot, SavepointInProgress};
use ckpt_core::state::RelPath;
use ckpt_core::uri::{Uri, UriParts};
use ckpt_storage::{CHECKPOINT_DIRECTORY_PREFIX, HEAD_DIRECTORY};
use ckpt_streams::file_system::{FileSystem as _, LocalFileSystem};
use serde::Serialize;

use super::scan::{FoundJob, FoundSnapshot};
use crate::error::CommandError;

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
}

/// A savepoint that HEAD names while it is taken, or after it was given up.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct SavepointView {
    pub(crate) id: u64,
    pub(crate) uri: String,
}

/// Reads HEAD of a job; `None` when it has none, as all jobs of Flink's. Or what is wrong with it.
pub(crate) fn read(job: &FoundJob) -> Result<Option<Head>, String> {
    let read = || -> ckpt_core::Result<Option<Head>> {
        let record = RelPath::new(format!("{HEAD_DIRECTORY}/HEAD"))?;
        let Some((bytes, _)) = LocalFileSystem::open(&job.directory)?.read_record(&record)? else { return Ok(None) };
        Head::decode(&bytes).map(Some)
    };
    match read() {
        Ok(Some(head)) if head.job != job.id => {
            Err(format!("its HEAD is that of job {}, expected {}", head.job, job.id))
        }
        Ok(head) => Ok(head),
        Err(error) => Err(format!("its HEAD cannot be read: {}", CommandError::chain(&error))),
    }
}

/// The directory of a checkpoint that lies in that of its job.
pub(crate) fn checkpoint_directory(job: &FoundJob, snapshot: &RetainedSnapshot) -> PathBuf {
    job.directory.join(format!("{CHECKPOINT_DIRECTORY_PREFIX}{}", snapshot.id))
}

/// Whether a URI leads to that directory, whose path has no links. That of the URI may have some.
fn lies_at(uri: &Uri, directory: &Path) -> bool {
    let parts = UriParts::of(uri.as_str()).filter(|parts| parts.scheme() == "file");
    parts.and_then(UriParts::decoded_path).is_some_and(|path| {
        let path = Path::new(&*path);
        path == directory || path.canonicalize().is_ok_and(|path| path == directory)
    })
}

impl Standing {
    /// What `head`, that of `job`, says of a snapshot; `None` when it says nothing.
    pub(crate) fn of(head: &Head, job: &FoundJob, found: &FoundSnapshot) -> Option<Self> {
        let is_it = |snapshot: &RetainedSnapshot| match snapshot.uri() {
            None => found.directory == checkpoint_directory(job, snapshot),
            Some(uri) => lies_at(uri, &found.directory),
        };
        let is_among = |list: &[RetainedSnapshot]| list.iter().any(is_it);
        let is_savepoint = |list: &[SavepointInProgress]| list.iter().any(|it| lies_at(&it.uri, &found.directory));
        if head.restore_point().is_some_and(is_it) {
            Some(Self::RestorePoint)
        } else if is_among(&head.retained) {
            Some(Self::Retained)
        } else if is_among(&head.set_aside) {
            Some(Self::SetAside)
        } else if is_among(&head.removed) {
            Some(Self::Removed)
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

    /// For people.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::RestorePoint => "newest restorable",
            Self::Retained => "retained",
            Self::SetAside => "set aside",
            Self::Removed => "removed",
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
        }
    }
}
