//! What was done, and what is left.

use ckpt_core::Error;
use ckpt_core::head::{Head, HeadVersion, JobState};
use ckpt_core::id::{CheckpointId, JobId};

use super::error::UpkeepError;
use super::survey::JobSurvey;
use crate::dispose::FileCount;

/// What an operator's call did.
#[derive(Debug)]
#[non_exhaustive]
pub struct Upkept {
    /// What lay in the directory when HEAD was claimed; `None` when that could not be told.
    pub before: Option<JobSurvey>,
    /// What lies there now; `None` when that could not be told.
    pub after: Option<JobSurvey>,
    /// HEAD as it was written last: its version, and whether the job may go on.
    pub head: (HeadVersion, JobState),
    /// Everything that went wrong. The same call goes on where this one ended.
    pub errors: Vec<Error>,
}

/// The removal of a snapshot, as HEAD has it before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Removal {
    /// Which one.
    pub id: CheckpointId,
    /// What HEAD says of it.
    pub standing: Standing,
    /// Whether it is what a restore would take.
    pub is_restore_point: bool,
    /// Whether its files are this job's to delete: else HEAD just names it no more.
    pub is_ours: bool,
    /// Whether the job is ended by it: it is active, and only one that has ended drops what it retains.
    pub ends_job: bool,
    /// What lies in its directory and has a form of ours; nothing when it lies elsewhere.
    pub own: FileCount,
    /// How many shared files go with it, since nothing else names them; `None` when that is not known, and none does then.
    pub shared: Option<u64>,
}

/// What HEAD says of a snapshot that may be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// It can be restored.
    Retained,
    /// It was newer than what the job went back to.
    SetAside,
    /// It is retained no more, and its files may not all be gone.
    Removed,
}

impl Upkept {
    /// Whether everything that may be deleted is gone.
    pub fn is_complete(&self) -> bool {
        self.errors.is_empty()
    }
}

impl Removal {
    /// What HEAD says of that snapshot.
    ///
    /// # Errors
    ///
    /// `Configuration` when HEAD does not name it, or another job has taken it over.
    pub(super) fn of(head: &Head, job: JobId, id: CheckpointId) -> Result<Self, Error> {
        if let Some(handed_over) = head.handed_over.iter().find(|handed_over| handed_over.snapshot.id == id) {
            return Err(UpkeepError::HandedOver { id, to: handed_over.to }.configuration());
        }
        let lists = [
            (&head.retained, Standing::Retained),
            (&head.set_aside, Standing::SetAside),
            (&head.removed, Standing::Removed),
        ];
        let found = lists.into_iter().find_map(|(list, standing)| {
            let snapshot = list.iter().find(|snapshot| snapshot.id == id)?;
            Some((snapshot, standing))
        });
        let (snapshot, standing) = found.ok_or_else(|| UpkeepError::NotNamed { job, id }.configuration())?;
        Ok(Self {
            id,
            standing,
            is_restore_point: standing == Standing::Retained
                && head.restore_point().is_some_and(|restore_point| restore_point.id == id),
            is_ours: snapshot.may_be_deleted(),
            ends_job: head.state == JobState::Active && standing == Standing::Retained,
            own: FileCount::default(),
            shared: None,
        })
    }
}
