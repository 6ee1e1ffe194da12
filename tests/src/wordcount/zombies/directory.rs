//! What is in the job's directory, and what HEAD says should be.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use ckpt_core::head::{Head, RetainedSnapshot};
use ckpt_core::id::{FileName, LeaderEpoch, Writer, WriterId};
use ckpt_core::state::{Place, Places, Root, StateHandle};
use ckpt_core::{Error, ErrorKind, Result};
use ckpt_storage::{
    CheckpointStorage as _, CoordinatorView, FileSystemStorage, HEAD_DIRECTORY, METADATA_FILE, SHARED_DIRECTORY,
    WorkerView,
};
use ckpt_streams::file_system::{FileSystem as _, LocalFileSystem};
use ckpt_streams::into_error;

use crate::job::{JobFile, storage_context};
use crate::operators::{PartName, Stage};

/// The directory of a job, as one sees it who only reads.
pub(super) struct JobDirectory {
    view: Arc<dyn CoordinatorView>,
    worker: Arc<dyn WorkerView>,
    files: LocalFileSystem,
}

/// What is there at an instant at which nobody who may write does.
pub(super) struct Look {
    head: Head,
    /// What later leaders wrote than the one that is looked after.
    of_others: BTreeSet<String>,
}

impl JobDirectory {
    pub(super) fn new(file: &JobFile) -> Result<Self> {
        let context = storage_context()?;
        let storage = FileSystemStorage::new(file.checkpoints.to_string_lossy());
        let nobody = Writer::new(LeaderEpoch::new(u64::MAX), WriterId::new(0));
        Ok(Self {
            view: storage.coordinator_view(file.job, &context)?,
            worker: storage.worker_view(file.job, nobody, &context)?,
            files: LocalFileSystem::open(file.checkpoints.join(file.job.to_string()))?,
        })
    }

    pub(super) fn head(&self) -> Result<Head> {
        let missing = || Error::new(ErrorKind::NotFound, "there is no HEAD");
        self.view.head().read()?.ok_or_else(missing)
    }

    /// What is there. All that HEAD retains is read to its last byte.
    ///
    /// # Errors
    ///
    /// When something of that is missing or damaged.
    pub(super) fn look(&self, former: LeaderEpoch) -> Result<Look> {
        let head = self.head()?;
        for snapshot in &head.retained {
            self.read(snapshot)?;
        }
        let is_of_others = |path: &String| {
            let name = path.rsplit('/').next().and_then(|name| name.parse::<FileName>().ok());
            name.is_some_and(|name| name.epoch > former)
        };
        Ok(Look { head, of_others: self.paths()?.into_iter().filter(is_of_others).collect() })
    }

    /// The files that HEAD does not name.
    pub(super) fn orphans(&self) -> Result<Vec<String>> {
        let mut named = BTreeSet::new();
        for snapshot in &self.head()?.retained {
            named.insert(format!("chk-{}/{METADATA_FILE}", snapshot.id));
            named.extend(self.read(snapshot)?.iter().filter_map(|handle| match handle.place() {
                Place::File { root: Root::ThisSnapshot, file } => Some(format!("chk-{}/{file}", snapshot.id)),
                Place::File { root: Root::JobShared, file } => Some(format!("{SHARED_DIRECTORY}/{file}")),
                _ => None,
            }));
        }
        let of_head = format!("{HEAD_DIRECTORY}/");
        let is_left = |path: &String| !path.starts_with(&of_head) && !named.contains(path);
        Ok(self.paths()?.into_iter().filter(is_left).collect())
    }

    fn paths(&self) -> Result<Vec<String>> {
        Ok(self.files.list(None, None, usize::MAX)?.into_iter().map(|entry| entry.path.to_string()).collect())
    }

    /// Reads all of a snapshot. Returns what it names.
    fn read(&self, snapshot: &RetainedSnapshot) -> Result<Vec<StateHandle>> {
        let metadata = self.view.load(snapshot)?;
        let reader = self.worker.reader(snapshot.id, &Places::default())?;
        let mut handles = Vec::new();
        metadata.visit_handles(&mut |handle| handles.push(handle.to_handle()))?;
        for handle in &handles {
            let mut bytes = Vec::new();
            reader.open(handle)?.read_to_end(&mut bytes).map_err(|error| into_error(error, ErrorKind::Retry))?;
        }
        Ok(handles)
    }
}

impl Look {
    /// Whether all of it is as it was. What was changed, if not.
    pub(super) fn compare(&self, after: &Self) -> Result<(), String> {
        if self.head != after.head {
            return Err(format!(
                "changed HEAD from version {} to {}",
                self.head.version.get(),
                after.head.version.get()
            ));
        }
        match self.of_others.difference(&after.of_others).next() {
            Some(path) => Err(format!("deleted {path}, which another leader wrote")),
            None => Ok(()),
        }
    }
}

/// A file of that leader which is output though it belongs to no checkpoint up to this one.
pub(super) fn committed_too_late(output: &Path, epoch: LeaderEpoch, upto: u64) -> io::Result<Option<String>> {
    let is_late = |name: &PartName| name.stage == Stage::Part && name.epoch == epoch && name.number > upto;
    Ok(names_in(output)?.into_iter().find(is_late).map(|name| name.to_string()))
}

/// Files that are neither output nor anything else any more.
pub(super) fn left_in_output(output: &Path) -> io::Result<Vec<String>> {
    let left = names_in(output)?.into_iter().filter(|name| name.stage != Stage::Part);
    Ok(left.map(|name| name.to_string()).collect())
}

fn names_in(output: &Path) -> io::Result<Vec<PartName>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(output)? {
        names.extend(entry?.file_name().to_str().and_then(|name| name.parse::<PartName>().ok()));
    }
    Ok(names)
}
