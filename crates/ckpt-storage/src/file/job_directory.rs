//! The directory of one job, opened.

use std::sync::Arc;

use ckpt_core::id::{CheckpointId, JobId};
use ckpt_core::state::{Places, RelPath, Root};
use ckpt_core::{Error, Result};
use ckpt_streams::file_system::{Durability, Entry, FileSystem, FileSystems, FileVisitor};
use ckpt_streams::{FileStateReader, ReadOptions, StateDirectory, StateReader};

use crate::context::StorageContext;
use crate::error::StorageError;
use crate::file::bulk;
use crate::file::directory::Directory;
use crate::file::metadata::MetadataFile;
use crate::head::{HeadStore, RecordHeadStore};
use crate::layout;

/// The directory of one job. Everything that views do happens beneath it.
#[derive(Debug)]
pub(crate) struct JobDirectory {
    pub(crate) file_system: Arc<dyn FileSystem>,
    pub(crate) job: JobId,
    pub(crate) durability: Durability,
    directory: Directory,
    head: Arc<RecordHeadStore>,
}

impl JobDirectory {
    /// Opens the directory of that job, which is made when it is missing.
    ///
    /// # Errors
    ///
    /// The kind that the file system gives, naming the directory.
    pub(crate) fn open(
        directory: Directory,
        job: JobId,
        durability: Durability,
        context: &StorageContext,
    ) -> Result<Arc<Self>> {
        let file_system = context.file_systems.open(directory.as_str()).map_err(|source| {
            let kind = source.kind();
            StorageError::JobDirectory { directory: directory.to_string(), source }.kind(kind)
        })?;
        Ok(Arc::new(Self::new(file_system, job, durability, directory, context)))
    }

    /// The memory of this process, in which the job's files are as in a directory.
    pub(crate) fn in_memory(job: JobId, context: &StorageContext) -> Arc<Self> {
        let file_system: Arc<dyn FileSystem> = Arc::new(context.memory_of(job));
        // There is nothing to make durable.
        Arc::new(Self::new(file_system, job, Durability::None, Directory::memory_of(job), context))
    }

    fn new(
        file_system: Arc<dyn FileSystem>,
        job: JobId,
        durability: Durability,
        directory: Directory,
        context: &StorageContext,
    ) -> Self {
        let head_path = layout::head_path();
        let shown = directory.join(&head_path).to_string();
        let head = RecordHeadStore::new(Arc::clone(&file_system), head_path, shown).for_writing(context);
        let head = Arc::new(head);
        Self { file_system, job, durability, directory, head }
    }

    /// Reads state of the snapshot `from`, whose claimed and borrowed roots lie at `places`.
    ///
    /// # Errors
    ///
    /// `Configuration` when a place cannot be opened.
    pub(crate) fn reader(
        &self,
        from: CheckpointId,
        places: &Places,
        file_systems: &FileSystems,
        options: ReadOptions,
    ) -> Result<Arc<dyn StateReader>> {
        let mut directories = vec![
            self.state_directory(Root::ThisSnapshot, layout::checkpoint_directory(from)),
            self.state_directory(Root::JobShared, layout::shared_directory()),
            self.state_directory(Root::JobTaskOwned, layout::task_owned_directory()),
        ];
        for (root, uri) in places.iter() {
            let file_system = file_systems.open(uri.as_str()).map_err(|source| {
                StorageError::PlaceNotOpened { uri: uri.to_string(), source: Arc::new(source) }.configuration()
            })?;
            directories.push(StateDirectory::new(root, file_system, None));
        }
        Ok(Arc::new(FileStateReader::new(directories).with_options(options)))
    }

    /// A directory below this one, as a root of state.
    pub(crate) fn state_directory(&self, root: Root, directory: RelPath) -> StateDirectory {
        StateDirectory::new(root, Arc::clone(&self.file_system), Some(directory))
    }

    /// A path below this directory as people know it, for errors.
    pub(crate) fn show(&self, path: &RelPath) -> String {
        self.directory.join(path).to_string()
    }

    pub(crate) fn head(&self) -> Arc<dyn HeadStore> {
        Arc::clone(&self.head) as Arc<dyn HeadStore>
    }

    /// Shows `visitor` the files below `prefix`, or below the whole directory.
    ///
    /// # Errors
    ///
    /// `Retry` when they could not be listed.
    pub(crate) fn visit(&self, prefix: Option<&RelPath>, visitor: &mut dyn FileVisitor) -> Result<()> {
        let shown = || prefix.map_or_else(|| self.directory.to_string(), |prefix| self.show(prefix));
        bulk::visit(&*self.file_system, prefix, &shown, visitor)
    }

    /// Calls `each` with the files that lie directly in `directory`, some at a time.
    ///
    /// # Errors
    ///
    /// `Retry` when they could not be listed.
    pub(crate) fn visit_in(&self, directory: &RelPath, each: &mut dyn FnMut(Vec<Entry>)) -> Result<()> {
        bulk::visit_in(&*self.file_system, directory, &|| self.show(directory), each)
    }

    /// Removes the files that lie directly in `directory` and of which `dead` is true. Returns how many answers were good.
    ///
    /// # Errors
    ///
    /// `Retry` when they could not be listed, or naming the first that could not be removed: the others were tried.
    pub(crate) fn delete_where(&self, directory: &RelPath, dead: &dyn Fn(&RelPath) -> bool) -> Result<u64> {
        bulk::delete_where(&*self.file_system, directory, dead, &|path| self.show(path))
    }

    /// The directories directly below this one.
    ///
    /// # Errors
    ///
    /// `Retry` when they could not be listed.
    pub(crate) fn directories(&self) -> Result<Vec<RelPath>> {
        let not_listed = |source| StorageError::NotListed { path: self.directory.to_string(), source }.retry();
        self.file_system.directories(None).map_err(not_listed)
    }

    /// Whether no file lies below that directory.
    ///
    /// # Errors
    ///
    /// `Retry` when it could not be listed.
    pub(crate) fn is_empty(&self, directory: &RelPath) -> Result<bool> {
        let not_listed = |source| StorageError::NotListed { path: self.show(directory), source }.retry();
        Ok(self.file_system.list(Some(directory), None, 1).map_err(not_listed)?.is_empty())
    }

    /// Removes those files. Returns how many answers were good, and the first that was not.
    pub(crate) fn delete(&self, paths: &[RelPath]) -> (u64, Option<Error>) {
        bulk::delete(&*self.file_system, paths, &|path| self.show(path))
    }

    /// The metadata file of a checkpoint.
    ///
    /// # Errors
    ///
    /// `NotFound` when there is none, or the kind that the file system gives.
    pub(crate) fn metadata_file(&self, id: CheckpointId) -> Result<MetadataFile> {
        let path = layout::metadata_path(id);
        MetadataFile::open(&*self.file_system, &path, self.show(&path))
    }
}
