//! What `ckpt rm` and `ckpt gc` have in common: they change what is there, and only when they are told to.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ckpt_core::head::{Head, JobState};
use ckpt_core::id::JobId;
use ckpt_core::state::RelPath;
use ckpt_storage::upkeep::{Authority, JobUpkeep, Upkept};
use ckpt_storage::{FileCount, HEAD_DIRECTORY, StorageContext};
use ckpt_streams::file_system::{FileSystem as _, FileSystems, LocalFileSystem};
use serde::Serialize;

use crate::args::ActArgs;
use crate::error::CommandError;
use crate::table::bytes;
use crate::text::count;
use crate::threads::Threads;

/// How many files, and how many bytes they have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Files {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
}

/// HEAD of the job, before and after.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HeadChange {
    /// Before anything was done.
    pub(crate) version: u64,
    pub(crate) epoch: u64,
    pub(crate) state: String,
    /// Whether whoever leads the job is fenced.
    pub(crate) fences: bool,
    /// Whether the job may go on afterwards.
    pub(crate) state_after: String,
    /// The version that was written last; `None` when none was.
    pub(crate) version_after: Option<u64>,
}

/// The job whose directory that is, as an operator sees it.
pub(crate) struct Job {
    pub(crate) upkeep: JobUpkeep,
    pub(crate) head: Head,
    pub(crate) authority: Authority,
}

impl Job {
    /// Opens the job, which the arguments must allow to be changed.
    pub(crate) fn open(directory: &Path, act: &ActArgs, context: &StorageContext) -> Result<Self, CommandError> {
        let refused = |source| CommandError::Refused { path: directory.into(), source };
        let upkeep = JobUpkeep::open(text_of(directory)?, context).map_err(refused)?;
        let head = upkeep.head().map_err(refused)?;
        let name = directory.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse::<JobId>().ok());
        if let Some(expected) = name.filter(|name| *name != head.job) {
            return Err(CommandError::HeadOfAnother { path: directory.into(), found: head.job, expected });
        }
        let authority = match act.take_over {
            Some(meant) if meant != head.job => {
                return Err(CommandError::OtherJob { path: directory.into(), found: head.job, meant });
            }
            Some(job) => Authority::TakeOver(job),
            None if head.state == JobState::Active => {
                let (job, epoch, version) = (head.job, head.epoch.get(), head.version.get());
                return Err(CommandError::Active { job, epoch, version });
            }
            None => Authority::Ended,
        };
        Ok(Self { upkeep, head, authority })
    }

    /// What becomes of HEAD, as far as it is known before.
    pub(crate) fn change(&self, state_after: JobState) -> HeadChange {
        HeadChange {
            version: self.head.version.get(),
            epoch: self.head.epoch.get(),
            state: self.head.state.to_string(),
            fences: self.head.state == JobState::Active,
            state_after: state_after.to_string(),
            version_after: None,
        }
    }
}

impl HeadChange {
    /// As it was in the end.
    pub(crate) fn done(&mut self, upkept: &Upkept) {
        self.version_after = Some(upkept.head.0.get());
        self.state_after = upkept.head.1.to_string();
    }
}

impl Files {
    pub(crate) const fn of(counted: FileCount) -> Self {
        Self { files: counted.files, bytes: counted.bytes }
    }

    /// What is gone of the first, when the second is there now.
    pub(crate) const fn between(before: FileCount, after: FileCount) -> Self {
        Self { files: before.files.saturating_sub(after.files), bytes: before.bytes.saturating_sub(after.bytes) }
    }

    pub(crate) fn text(self) -> String {
        format!("{} ({})", count(self.files, "file"), bytes(i64::try_from(self.bytes).unwrap_or(i64::MAX)))
    }
}

/// What both work with.
pub(crate) fn context() -> StorageContext {
    StorageContext::new(Arc::new(FileSystems::local()), Arc::new(Threads::default()))
}

/// Whether a HEAD lies in that directory. One that is damaged counts.
pub(crate) fn has_head(directory: &Path) -> bool {
    let read = || -> ckpt_core::Result<bool> {
        let record = RelPath::new(format!("{HEAD_DIRECTORY}/HEAD"))?;
        Ok(LocalFileSystem::open(directory)?.read_record(&record)?.is_some())
    };
    directory.join(HEAD_DIRECTORY).is_dir() && read().unwrap_or(true)
}

/// The directory that a path names, as an absolute path whose own name is no link: what is changed is what was named, and not
/// what somebody had a link lead to. It needs not be there.
pub(crate) fn itself(path: &Path) -> Result<PathBuf, CommandError> {
    let unreadable = |source| CommandError::Unreadable { path: path.into(), source };
    let Some(name) = path.file_name() else { return path.canonicalize().map_err(unreadable) };
    let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let itself = match above.canonicalize() {
        Ok(above) => above.join(name),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(CommandError::Missing { path: path.into() });
        }
        Err(error) => return Err(unreadable(error)),
    };
    match itself.symlink_metadata() {
        Ok(found) if found.is_symlink() => Err(CommandError::Link { path: path.into() }),
        _ => Ok(itself),
    }
}

/// A path as storage takes it.
pub(crate) fn text_of(path: &Path) -> Result<&str, CommandError> {
    path.to_str().ok_or_else(|| CommandError::NoText { path: path.into() })
}
