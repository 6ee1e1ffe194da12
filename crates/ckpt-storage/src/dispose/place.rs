//! Where a snapshot lies that is to be disposed of, and who else may need it.

use std::sync::Arc;

use ckpt_core::head::{Head, JobState, RetainedSnapshot, SnapshotPlace};
use ckpt_core::id::{CheckpointId, JobId};
use ckpt_core::mark::{OwnerRecord, SavepointMark};
use ckpt_core::metadata::{CheckpointMetadata, WrittenMetadata};
use ckpt_core::state::RelPath;
use ckpt_core::uri::{StoragePath, Uri};
use ckpt_core::{Error, ErrorKind, Result};
use ckpt_streams::file_system::FileSystem;

use crate::context::StorageContext;
use crate::dispose::error::DisposeError;
use crate::dispose::options::HeadPlace;
use crate::file::{MetadataFile, Pointed, jobs_in};
use crate::head::{HeadStore as _, RecordHeadStore};
use crate::layout;
use crate::mark_file;

/// The directory of a snapshot, opened once: everything is read, written and deleted beneath what was opened then, whatever
/// comes to lie under its name.
#[derive(Debug)]
pub(crate) struct SnapshotDirectory {
    pub(crate) file_system: Arc<dyn FileSystem>,
    /// The directory below the root of that; `None` when it is the root.
    below: Option<RelPath>,
    /// The directory above, and the name in it.
    above: Option<(Arc<dyn FileSystem>, RelPath)>,
    /// As the caller named it, without what may be a secret.
    pub(crate) pointer: String,
    /// As HEAD would name it.
    location: String,
}

impl SnapshotDirectory {
    /// Follows a pointer.
    ///
    /// # Errors
    ///
    /// `Configuration` for a pointer that is none, that names a file other than `_metadata`, or a link; `NotFound` when
    /// nothing is there.
    pub(crate) fn find(pointer: &str, context: &StorageContext) -> Result<Self> {
        let pointed = Pointed::find_itself(pointer, context)?;
        if pointed.metadata_path.file_name() != layout::METADATA_FILE {
            return Err(DisposeError::OtherName { pointer: pointed.written }.configuration());
        }
        let (pointer, location) = (pointed.written, pointed.pointer);
        let Some(name) = pointed.directory else {
            return Ok(Self { file_system: pointed.file_system, below: None, above: None, pointer, location });
        };
        let opened = pointed.file_system.open_root(&name).map_err(|source| match source.kind() {
            ErrorKind::Corrupt => DisposeError::Link { pointer: pointer.clone(), source }.configuration(),
            kind => DisposeError::NotOpened { pointer: pointer.clone(), source }.of_kind(kind),
        })?;
        let (file_system, below) = match opened {
            Some(opened) => (opened, None),
            None => (Arc::clone(&pointed.file_system), Some(name.clone())),
        };
        Ok(Self { file_system, below, above: Some((pointed.file_system, name)), pointer, location })
    }

    /// The path of a file in it, for its file system.
    pub(crate) fn path(&self, name: RelPath) -> RelPath {
        match &self.below {
            Some(below) => below.join(&name),
            None => name,
        }
    }

    /// The directory itself, below the root of its file system.
    pub(super) const fn below(&self) -> Option<&RelPath> {
        self.below.as_ref()
    }

    /// The name of a file in it, whose path that is.
    pub(super) fn name_of(&self, path: &RelPath) -> Option<RelPath> {
        match &self.below {
            Some(below) => RelPath::new(path.as_str().strip_prefix(below.as_str())?.strip_prefix('/')?).ok(),
            None => Some(path.clone()),
        }
    }

    pub(crate) fn shown(&self, path: &RelPath) -> String {
        self.file_system.shown(path)
    }

    /// Its metadata, every byte verified, and what tells it from any other; `None` when there is none.
    ///
    /// # Errors
    ///
    /// `Corrupt` when it is damaged, `Configuration` when it is Flink's or of a newer program, `NotFound` when it says that the
    /// savepoint was given up, `Retry` when it could not be read.
    pub(super) fn metadata(&self) -> Result<Option<(CheckpointMetadata, WrittenMetadata)>> {
        let path = self.path(layout::metadata_file());
        let file = match MetadataFile::open(&*self.file_system, &path, self.shown(&path)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        if file.is_of_flink() {
            return Err(DisposeError::OfFlink { pointer: self.pointer.clone() }.configuration());
        }
        file.read_written().map(Some)
    }

    /// Whether there are metadata, whatever they say.
    ///
    /// # Errors
    ///
    /// The kind that the file system gives.
    pub(crate) fn has_metadata(&self) -> Result<bool> {
        match self.file_system.open(&self.path(layout::metadata_file())) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Why it has no metadata.
    ///
    /// # Errors
    ///
    /// The kind that the file system gives when it cannot be told.
    pub(super) fn without_metadata(&self) -> Result<DisposeError> {
        let pointer = self.pointer.clone();
        let mark =
            mark_file::read(&*self.file_system, &self.path(layout::file_in_savepoint(SavepointMark::FILE_NAME)))?;
        Ok(match mark {
            Some(_) => DisposeError::NotComplete { pointer },
            None => DisposeError::Nothing { pointer },
        })
    }

    /// Refuses what a job holds. Returns the job in whose directory it lies, as far as there is a HEAD that says so.
    ///
    /// # Errors
    ///
    /// `Configuration` when a HEAD above it is of an active job or names it, when it is a job's directory itself or one that
    /// only a job has, or when it is claimed. Those of reading what says so.
    pub(super) fn refuse_what_is_held(&self) -> Result<Option<JobId>> {
        let name = self.name();
        if layout::is_directory_of_a_job(name) {
            let (pointer, name) = (self.pointer.clone(), name.to_owned());
            return Err(DisposeError::PartOfJob { pointer, name }.configuration());
        }
        if self.has_head()? {
            return Err(DisposeError::OfJob { pointer: self.pointer.clone() }.configuration());
        }
        let job = self.refuse_what_head_names()?;
        self.refuse_what_is_claimed()?;
        Ok(job)
    }

    /// Refuses what says that it is a snapshot which this directory is not of: in the directory of a job, `job_above`, there
    /// are its checkpoints and savepoints, each with a name of its own; and a savepoint is marked as that one.
    ///
    /// # Errors
    ///
    /// `Configuration` for a snapshot that has no such place; `Corrupt` when the mark is of another savepoint or damaged. The
    /// kind that the file system gives.
    pub(super) fn refuse_another(&self, (job, id): (JobId, CheckpointId), job_above: Option<JobId>) -> Result<()> {
        if let Some(job_above) = job_above {
            let name = self.name();
            let is_checkpoint = job == job_above && layout::parse_checkpoint_directory(name) == Some(id);
            if !is_checkpoint && !layout::is_savepoint_directory(name, job) {
                let error =
                    DisposeError::OutOfPlace { pointer: self.pointer.clone(), job_above, found: id, found_job: job };
                return Err(error.configuration());
            }
        }
        let path = self.path(layout::file_in_savepoint(SavepointMark::FILE_NAME));
        let unreadable = |source: Error| {
            let kind = source.kind();
            DisposeError::SavepointUnreadable { path: self.shown(&path), source }.of_kind(kind)
        };
        let Some(mark) = mark_file::read(&*self.file_system, &path).map_err(unreadable)? else { return Ok(()) };
        let mark = SavepointMark::decode(&mark).map_err(unreadable)?;
        if mark.is_of(job, id) {
            return Ok(());
        }
        let (path, found, found_job) = (self.shown(&path), mark.id, mark.job);
        let error = DisposeError::OfAnotherSavepoint { path, found, found_job, expected: id, expected_job: job };
        Err(error.of_kind(ErrorKind::Corrupt))
    }

    /// Refuses what another job has claimed.
    ///
    /// # Errors
    ///
    /// `Configuration` when it is claimed; `Corrupt` or `Retry` when there is a mark of that and it cannot be read.
    pub(super) fn refuse_what_is_claimed(&self) -> Result<()> {
        let path = self.path(layout::file_in_savepoint(OwnerRecord::FILE_NAME));
        let unreadable = |source: Error| {
            let kind = source.kind();
            DisposeError::OwnerUnreadable { path: self.shown(&path), source }.of_kind(kind)
        };
        match mark_file::read(&*self.file_system, &path).map_err(unreadable)? {
            None => Ok(()),
            Some(record) => {
                let OwnerRecord { job, claim, .. } = OwnerRecord::decode(&record).map_err(unreadable)?;
                Err(DisposeError::Claimed { pointer: self.pointer.clone(), job, claim }.configuration())
            }
        }
    }

    fn has_head(&self) -> Result<bool> {
        Ok(self.file_system.read_record(&self.path(layout::head_path()))?.is_some())
    }

    /// The last component of where it lies.
    fn name(&self) -> &str {
        match &self.above {
            Some((_, name)) => name.as_str(),
            None => self.location.rsplit('/').next().unwrap_or_default(),
        }
    }

    fn refuse_what_head_names(&self) -> Result<Option<JobId>> {
        let Some((above, name)) = &self.above else { return Ok(None) };
        let path = layout::head_path();
        let shown = above.shown(&path);
        let Some(head) = RecordHeadStore::new(Arc::clone(above), path, shown).read()? else { return Ok(None) };
        let (job, pointer) = (head.job, self.pointer.clone());
        if head.state == JobState::Active {
            return Err(DisposeError::JobActive { pointer, job }.configuration());
        }
        let number = layout::parse_checkpoint_directory(name.as_str());
        // The savepoint that it was stopped with is its user's once the job has ended.
        match head.kept().find(|snapshot| self.is_at(snapshot, number)) {
            Some(snapshot) => Err(DisposeError::NamedByHead { pointer, id: snapshot.id, job }.configuration()),
            None => Ok(Some(job)),
        }
    }

    /// Refuses what a HEAD elsewhere needs, of those that the caller named.
    ///
    /// # Errors
    ///
    /// `Configuration` when one does, or a directory of a job that was named has none; the kind that reading it gives.
    pub(super) fn refuse_what_is_needed(&self, heads: &[HeadPlace], context: &StorageContext) -> Result<()> {
        for place in heads {
            match place {
                HeadPlace::Job(directory) => match head_in(directory, context)? {
                    Some(head) => self.refuse_what_it_needs(&head, directory, context)?,
                    None => return Err(DisposeError::NoHead { path: directory.clone() }.configuration()),
                },
                HeadPlace::Below(base) => {
                    // Not of the job alone that took it: others may have begun from it.
                    let jobs = jobs_in(base, context)?.into_iter().map(|job| format!("{base}/{job}"));
                    for directory in jobs.chain([base.clone()]) {
                        if let Some(head) = head_in(&directory, context)? {
                            self.refuse_what_it_needs(&head, &directory, context)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn refuse_what_it_needs(&self, head: &Head, path: &str, context: &StorageContext) -> Result<()> {
        // HEAD names places as its writer did, who may have gone through links.
        let is_here = |uri: &Uri| {
            Pointed::find_itself(uri.as_str(), context).is_ok_and(|pointed| pointed.pointer == self.location)
        };
        let (job, pointer, path) = (head.job, self.pointer.clone(), path.to_owned());
        let elsewhere = |snapshot: &&RetainedSnapshot| snapshot.uri().is_some_and(is_here);
        let stopped_at = head.stopped_at.iter().filter(|_| head.state == JobState::Active);
        if let Some(snapshot) = stopped_at.into_iter().find(elsewhere) {
            return Err(DisposeError::StoppedWith { pointer, id: snapshot.id, job, head: path }.configuration());
        }
        let in_progress = head.savepoints_in_progress.iter().filter(|savepoint| is_here(&savepoint.uri));
        let ids = head.kept().filter(elsewhere).map(|snapshot| snapshot.id);
        match ids.chain(in_progress.map(|savepoint| savepoint.id)).next() {
            Some(id) => Err(DisposeError::NeededByJob { pointer, id, job, head: path }.configuration()),
            None => Ok(()),
        }
    }

    /// Whether HEAD means this directory, which has that number as a checkpoint of the job.
    fn is_at(&self, snapshot: &RetainedSnapshot, number: Option<CheckpointId>) -> bool {
        match &snapshot.place {
            SnapshotPlace::Elsewhere(uri) => {
                StoragePath::from(&*self.location).to_uri().is_ok_and(|location| location == *uri)
            }
            _ => number == Some(snapshot.id),
        }
    }

    /// Makes durable that the last name in the directory is gone, and the directory if it is.
    ///
    /// # Errors
    ///
    /// `Retry`: it may come back.
    pub(super) fn sync_gone(&self, unused: RelPath) -> Result<()> {
        match &self.above {
            Some((above, name)) => above.sync_removed(&[name.join(&unused)]),
            None => self.file_system.sync_removed(&[unused]),
        }
    }

    /// Removes the directory if it is empty. Whether something keeps it.
    pub(crate) fn remove_empty(&self, unused: &RelPath) -> bool {
        let Some((above, name)) = &self.above else { return false };
        // A directory goes with the last name in it, and this one never was there. What came to lie under the directory's
        // name since it was opened goes, too, if it is an empty directory, and stays if it is anything else.
        let _ = above.remove(&[name.join(unused)]);
        matches!(above.open_root(name), Ok(Some(_)))
    }
}

/// What HEAD in that directory says, if there is one.
///
/// # Errors
///
/// The kind that reading it gives.
fn head_in(directory: &str, context: &StorageContext) -> Result<Option<Head>> {
    let read = || {
        let path = layout::head_path();
        RecordHeadStore::new(context.file_systems.open(directory)?, path, directory.to_owned()).read()
    };
    read().map_err(|source: Error| {
        let kind = source.kind();
        DisposeError::HeadUnreadable { path: directory.to_owned(), source }.of_kind(kind)
    })
}
