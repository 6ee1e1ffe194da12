//! Upkeep of a job's directory by its operator: for a job that has ended, or whose coordinator is taken over.
//!
//! A coordinator deletes what its job needs no more. When none runs, an operator does it, by the same rules and in the same
//! order: HEAD first, by a claim that fences whoever thinks that it leads the job; then files; then HEAD again, which
//! forgets what is gone. So a crash at any step leaves something that the same call takes up again, and no HEAD ever names
//! what is not there.
//!
//! | | the job has ended | the job is active |
//! |---|---|---|
//! | [`remove`](JobUpkeep::remove) | HEAD drops the snapshot, then its files go | refused; taken over: the job is ended as cancelled first, unless the snapshot is set aside or removed already |
//! | [`collect`](JobUpkeep::collect) | what HEAD lists as removed, and what it does not name | refused; taken over: the same, and the job stays active, for its next leader to claim |
//!
//! Never deleted: files of names that are not ours, what other jobs have taken over, what the tasks dispose of while anything
//! can be restored that may name it.

mod authority;
mod collect;
mod error;
mod outcome;
mod remove;
mod survey;

use std::collections::BTreeSet;
use std::sync::Arc;

use ckpt_core::head::{Head, HeadWrite, JobState, WrittenHead};
use ckpt_core::id::{FileName, JobId};
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::uri::StoragePath;
use ckpt_core::{ErrorKind, Result};
use ckpt_streams::file_system::Durability;

pub use authority::Authority;
pub use outcome::{Removal, Standing, Upkept};
pub use survey::JobSurvey;

use crate::context::StorageContext;
use crate::error::StorageError;
use crate::file::{Directory, FileCoordinatorView, HighAvailability, JobDirectory, SavepointReference, Savepoints};
use crate::head::{HeadOutcome, HeadStore, RecordHeadStore};
use crate::layout;
use crate::random::RandomSource;
use crate::view::CoordinatorView as _;
use error::UpkeepError;

/// The directory of a job, for its operator.
#[derive(Debug)]
pub struct JobUpkeep {
    directory: Arc<JobDirectory>,
    view: FileCoordinatorView,
    random: Arc<dyn RandomSource>,
    shown: String,
}

impl JobUpkeep {
    /// Opens the directory of a job: an absolute path or a URI.
    ///
    /// # Errors
    ///
    /// `Configuration` when it is no directory for a job, `NotFound` when it has no HEAD, `Corrupt` when that is damaged; the
    /// kind that the file system gives.
    pub fn open(directory: &str, context: &StorageContext) -> Result<Self> {
        let directory = Directory::of(&StoragePath::from(directory))?;
        let shown = directory.to_string();
        let job =
            job_of(&directory, context)?.ok_or_else(|| UpkeepError::NoHead { path: shown.clone() }.not_found())?;
        let directory = JobDirectory::open(directory, job, Durability::Full, context)?;
        let savepoints = Savepoints::new(job, None, SavepointReference::Directory, Durability::Full, context);
        let view = FileCoordinatorView::new(Arc::clone(&directory), savepoints, HighAvailability::Yes, context.clone());
        Ok(Self { directory, view, random: Arc::clone(&context.random), shown })
    }

    /// The job.
    pub fn job(&self) -> JobId {
        self.directory.job
    }

    /// What HEAD says now.
    ///
    /// # Errors
    ///
    /// `Corrupt` when it is damaged, `NotFound` when it is gone, `Retry` when it could not be read.
    pub fn head(&self) -> Result<Head> {
        let head = self.directory.head().read()?;
        head.ok_or_else(|| UpkeepError::NoHead { path: self.shown.clone() }.not_found())
    }

    /// What lies in the directory, held against what HEAD says now. `authority` is with which it is to be looked at: what
    /// the leader in office of an active job may still commit is an orphan only once that is taken over.
    ///
    /// # Errors
    ///
    /// Those of [`head`](Self::head); `Configuration` when the job is not the one that is to be taken over; `Corrupt` or
    /// `NotFound` when the metadata of a retained checkpoint cannot be read, since it is not known then which shared files
    /// are alive; `Retry` when something could not be listed.
    pub fn survey(&self, authority: Option<Authority>) -> Result<JobSurvey> {
        let head = self.head()?;
        let as_claimed = match authority {
            Some(authority) => authority.claim(&head, self.job(), self.nonce()?)?.head().clone(),
            // An ended job has no leader that could commit anything.
            None if head.state != JobState::Active => {
                Authority::Ended.claim(&head, self.job(), self.nonce()?)?.head().clone()
            }
            None => head.clone(),
        };
        self.survey_as(&head, &as_claimed)
    }

    fn survey_as(&self, head: &Head, as_claimed: &Head) -> Result<JobSurvey> {
        // What lies elsewhere names no file here, and need not be readable to tell what does.
        let own = head.retained.iter().filter(|snapshot| snapshot.uri().is_none());
        let own: Vec<_> = own.map(|snapshot| self.view.load(snapshot).map(Arc::new)).collect::<Result<_>>()?;
        let alive = alive_in(own.iter().chain(&self.set_aside(head)?))?;
        survey::survey(&self.directory, as_claimed, alive)
    }

    /// The metadata of what is retained and owned, wherever it lies: what is claimed may name the same files as those that
    /// name them below the claim. And of what is set aside, which is kept with what it names.
    fn retained(&self, head: &Head) -> Result<Vec<Arc<CheckpointMetadata>>> {
        let owned = head.retained.iter().filter(|snapshot| snapshot.may_be_deleted());
        let mut metadata: Vec<_> =
            owned.map(|snapshot| self.view.load(snapshot).map(Arc::new)).collect::<Result<_>>()?;
        metadata.append(&mut self.set_aside(head)?);
        Ok(metadata)
    }

    /// The metadata of what is set aside in the directory of the job, as far as it can be read: that it cannot may be why it was
    /// set aside.
    fn set_aside(&self, head: &Head) -> Result<Vec<Arc<CheckpointMetadata>>> {
        let mut metadata = Vec::new();
        for snapshot in head.set_aside.iter().filter(|snapshot| snapshot.uri().is_none()) {
            match self.view.load(snapshot) {
                Ok(found) => metadata.push(Arc::new(found)),
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Corrupt) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(metadata)
    }

    /// Takes the job over, as `authority` allows.
    ///
    /// # Errors
    ///
    /// `Configuration` when it does not allow it; else those of [`claim`](crate::claim).
    fn claim(&self, authority: Authority) -> Result<WrittenHead> {
        let nonce = self.nonce()?;
        for _ in 0..MOST_CLAIMS {
            match self.directory.head().write(authority.claim(&self.head()?, self.job(), nonce)?) {
                HeadOutcome::Written(written) => return Ok(written),
                HeadOutcome::Fenced(_) => {}
                HeadOutcome::Failed(error) | HeadOutcome::Unknown(error) => return Err(error),
            }
        }
        Err(StorageError::ClaimLost { job: self.job(), claims: MOST_CLAIMS }.retry())
    }

    /// Writes HEAD as its present leader.
    fn write(&self, write: HeadWrite) -> Result<WrittenHead> {
        match self.directory.head().write(write) {
            HeadOutcome::Written(written) => Ok(written),
            HeadOutcome::Fenced(error) | HeadOutcome::Failed(error) | HeadOutcome::Unknown(error) => Err(error),
        }
    }

    fn nonce(&self) -> Result<ckpt_core::head::Nonce> {
        let mut bytes = [0; 16];
        self.random.fill(&mut bytes)?;
        Ok(ckpt_core::head::Nonce::new(bytes))
    }
}

/// Each lost try means that somebody else claims the job as well.
const MOST_CLAIMS: u32 = 100;

/// The job whose HEAD lies in that directory; `None` when there is none.
fn job_of(directory: &Directory, context: &StorageContext) -> Result<Option<JobId>> {
    let file_system = context.file_systems.open(directory.as_str()).map_err(|source| {
        let kind = source.kind();
        StorageError::JobDirectory { directory: directory.to_string(), source }.kind(kind)
    })?;
    let path = layout::head_path();
    let shown = directory.join(&path).to_string();
    Ok(RecordHeadStore::new(file_system, path, shown).read()?.map(|head| head.job))
}

/// The shared files that those name.
fn alive_in<'a>(kept: impl Iterator<Item = &'a Arc<CheckpointMetadata>>) -> Result<BTreeSet<FileName>> {
    let mut alive = BTreeSet::new();
    for metadata in kept {
        alive.append(&mut metadata.shared_files()?);
    }
    Ok(alive)
}

/// Whether an error says that HEAD may have been written, or that somebody else leads the job now: then nothing may be deleted.
fn stops(error: &ckpt_core::Error) -> bool {
    matches!(error.kind(), ErrorKind::Fenced | ErrorKind::Unknown)
}

#[cfg(test)]
mod crash_test;
#[cfg(test)]
mod upkeep_test;
