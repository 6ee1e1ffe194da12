//! The directory of one savepoint.
//!
//! It is a savepoint's alone by its [mark](SavepointMark), which is created without replacing before anything else, and
//! deleted after everything else; so it does not matter whether the file system has directories, or who else writes there.
//!
//! What was abandoned may still be published by a leader that does not know that it is none any more. So who deletes first
//! takes the name `_metadata` away, by the very step that would publish it: a file in that place that holds the mark. One of
//! the two comes first and the other one fails. That file is the last to be deleted, after the mark; and who publishes looks
//! for the mark afterwards, so one that comes later still finds that it is gone.

use std::sync::Arc;

use bytes::Bytes;
use ckpt_core::Result;
use ckpt_core::id::{FileName, JobId, LeaderEpoch};
use ckpt_core::mark::SavepointMark;
use ckpt_core::state::{RelPath, Root};
use ckpt_core::uri::{StoragePath, Uri};
use ckpt_streams::StateDirectory;
use ckpt_streams::file_system::{Durability, FileSystem, FileSystems};

use crate::error::StorageError;
use crate::file::bulk;
use crate::file::directory::Directory;
use crate::layout::{self, METADATA_FILE};
use crate::mark_file;
use crate::savepoint::AbandonedOutcome;

/// The directory of one savepoint, opened where its siblings are seen: so it can go when it is empty.
#[derive(Debug)]
pub(crate) struct SavepointDirectory {
    pub(crate) file_system: Arc<dyn FileSystem>,
    pub(crate) job: JobId,
    pub(crate) durability: Durability,
    pub(crate) uri: Uri,
    name: RelPath,
}

impl SavepointDirectory {
    /// # Errors
    ///
    /// `Configuration` when no savepoint of that job has such a directory, or its file system cannot be opened.
    pub(crate) fn open(uri: &Uri, job: JobId, durability: Durability, file_systems: &FileSystems) -> Result<Self> {
        let not_ours = || StorageError::NoSavepointOfJob { uri: uri.clone(), job }.configuration();
        let (target, name) = uri.as_str().rsplit_once('/').ok_or_else(not_ours)?;
        if !layout::is_savepoint_directory(name, job) {
            return Err(not_ours());
        }
        let target = Directory::of(&StoragePath::from(target)).map_err(|_| not_ours())?;
        let file_system = file_systems
            .open(target.as_str())
            .map_err(|source| StorageError::SavepointPlace { uri: uri.clone(), source }.configuration())?;
        Ok(Self { file_system, job, durability, uri: uri.clone(), name: RelPath::new(name)? })
    }

    /// Makes the directory that of the savepoint with that mark; `false` when it is another's already.
    ///
    /// # Errors
    ///
    /// The kind that the file system gives, naming the directory.
    pub(crate) fn take(&self, mark: &SavepointMark) -> Result<bool> {
        let not_made = |source: ckpt_core::Error| {
            let kind = source.kind();
            StorageError::SavepointNotMade { uri: self.uri.clone(), source }.kind(kind)
        };
        let bytes = mark.encode()?;
        // Where there are directories it is made by us, so it has our mode and nothing that no list shows. Elsewhere, and
        // between this and the mark, the mark decides.
        if !self.file_system.make_directory(&self.name).map_err(not_made)? {
            return Ok(false);
        }
        if self.create(SavepointMark::FILE_NAME, &bytes).map_err(not_made)? != bytes {
            return Ok(false);
        }
        let others = self.holds_others();
        if matches!(others, Ok(false)) {
            return Ok(true);
        }
        // Nobody has this location yet, so nothing can be published here.
        let withdrawn = self.delete(&[self.path(SavepointMark::FILE_NAME)]);
        others.map_err(not_made)?;
        withdrawn.map(|()| false)
    }

    /// Whether any file is there besides the mark. That of a rival who is about to lose counts: there are other names.
    fn holds_others(&self) -> Result<bool> {
        let mark = self.path(SavepointMark::FILE_NAME);
        let listed = self.file_system.list(Some(&self.name), None, 2);
        let listed = listed.map_err(|source| StorageError::NotListed { path: self.uri.to_string(), source }.retry())?;
        Ok(listed.iter().any(|entry| entry.path != mark))
    }

    /// Whose it is; `None` when there is no mark.
    ///
    /// # Errors
    ///
    /// `Corrupt` when the mark is damaged, `Retry` when it cannot be read.
    pub(crate) fn mark(&self) -> Result<Option<SavepointMark>> {
        let found = self.read(SavepointMark::FILE_NAME)?;
        found.map(|bytes| SavepointMark::decode(&bytes)).transpose().map_err(|source| {
            let kind = source.kind();
            StorageError::MarkUnusable { path: self.show(SavepointMark::FILE_NAME), source }.kind(kind)
        })
    }

    /// Deletes a savepoint whose mark is `ours` and that has no `_metadata`. May be called again after a crash at any step.
    ///
    /// # Errors
    ///
    /// `Retry`, naming what could not be read or deleted; `Corrupt` when the mark is damaged: nothing was deleted then.
    pub(crate) fn remove(&self, ours: &dyn Fn(&SavepointMark) -> bool) -> Result<AbandonedOutcome> {
        let mark = match self.mark()? {
            Some(mark) if !ours(&mark) => return Ok(AbandonedOutcome::Gone),
            Some(mark) if !self.keep_metadata_out(&mark)? => return Ok(AbandonedOutcome::Complete),
            Some(mark) => mark,
            // What was begun here may be deleted but for the file that keeps metadata out. What stands in that place and is
            // no mark belongs to nobody whom we know.
            None => match self.read(METADATA_FILE)?.map(|bytes| SavepointMark::decode(&bytes)) {
                Some(Ok(mark)) if ours(&mark) => mark,
                Some(_) => return Ok(AbandonedOutcome::Gone),
                // Whoever died while making the mark may have left its beginning, which goes with its name. Should another
                // have made one since, it finds that its mark is gone before it publishes.
                None => {
                    let path = self.path(SavepointMark::FILE_NAME);
                    self.delete(std::slice::from_ref(&path))?;
                    self.sync_removed(&path)?;
                    return Ok(AbandonedOutcome::Gone);
                }
            },
        };
        self.delete_state(mark.epoch)?;
        let path = self.path(SavepointMark::FILE_NAME);
        // By the mark what is left is found again, so nothing of that may come back once it is gone.
        self.sync_removed(&path)?;
        self.delete(std::slice::from_ref(&path))?;
        self.sync_removed(&path)?;
        self.delete(&[self.path(METADATA_FILE)])?;
        // Whoever is told that it is gone forgets it.
        self.sync_removed(&path)?;
        Ok(AbandonedOutcome::Gone)
    }

    /// Takes the name `_metadata`; `false` when something else has it.
    fn keep_metadata_out(&self, mark: &SavepointMark) -> Result<bool> {
        let bytes = mark.encode()?;
        let found = self.create(METADATA_FILE, &bytes).map_err(|source| {
            let path = self.show(METADATA_FILE);
            StorageError::NotGivenUp { path, source }.retry()
        })?;
        Ok(found == bytes)
    }

    fn delete_state(&self, epoch: LeaderEpoch) -> Result<()> {
        let is_state = |path: &RelPath| path.file_name().parse::<FileName>().is_ok_and(|name| name.epoch == epoch);
        let shown =
            |path: &RelPath| if *path == self.name { self.uri.to_string() } else { self.show(path.file_name()) };
        bulk::delete_where(&*self.file_system, &self.name, &is_state, &shown).map(|_| ())
    }

    /// Makes durable what was deleted beside that file, and it.
    fn sync_removed(&self, path: &RelPath) -> Result<()> {
        if self.durability == Durability::None {
            return Ok(());
        }
        let synced = self.file_system.sync_removed(std::slice::from_ref(path));
        synced.map_err(|source| StorageError::NotDeleted { path: self.uri.to_string(), source }.retry())
    }

    /// Deletes those files of it.
    ///
    /// # Errors
    ///
    /// `Retry`, naming the first that could not be deleted.
    pub(crate) fn delete(&self, paths: &[RelPath]) -> Result<()> {
        let shown = |path: &RelPath| self.show(path.file_name());
        bulk::delete(&*self.file_system, paths, &shown).1.map_or(Ok(()), Err)
    }

    /// Creates a file, whole and durable, that replaces nothing. What is there now: these bytes, or the beginning of another's.
    fn create(&self, file: &str, bytes: &Bytes) -> Result<Bytes> {
        mark_file::create(&self.file_system, &self.path(file), bytes.clone(), self.durability)
    }

    /// The beginning of a file, as far as a mark may reach; `None` when it is not there.
    fn read(&self, file: &str) -> Result<Option<Bytes>> {
        mark_file::read(&*self.file_system, &self.path(file))
            .map_err(|source| StorageError::MarkUnusable { path: self.show(file), source }.retry())
    }

    /// A file in it, below the root of its file system.
    pub(crate) fn path(&self, file: &str) -> RelPath {
        self.name.join(&layout::file_in_savepoint(file))
    }

    /// A file in it as people know it, for errors.
    pub(crate) fn show(&self, file: &str) -> String {
        format!("{}/{file}", self.uri)
    }

    /// As the root of its state.
    pub(crate) fn state_directory(&self) -> StateDirectory {
        StateDirectory::new(Root::ThisSnapshot, Arc::clone(&self.file_system), Some(self.name.clone()))
    }
}
