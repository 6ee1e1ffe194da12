//! What a worker sees of a file storage.

use std::sync::Arc;

use ckpt_core::Result;
use ckpt_core::id::{CheckpointId, Writer};
use ckpt_core::mark::SavepointMark;
use ckpt_core::snapshot::CheckpointBarrier;
use ckpt_core::state::{Places, Root};
use ckpt_core::uri::Uri;
use ckpt_streams::file_system::{FileSystem, FileSystems};
use ckpt_streams::{
    Budget, FileNames, FileStreams, FileStreamsOptions, FileStreamsTarget, ReadAhead, ReadOptions, Spawn,
    StagedDescriptors, StateDirectory, StateReader, StreamFactory,
};

use crate::context::StorageContext;
use crate::error::StorageError;
use crate::file::FileSystemStorage;
use crate::file::job_directory::JobDirectory;
use crate::file::toolset::FileToolset;
use crate::layout;
use crate::live_streams::LiveStreams;
use crate::mark_file;
use crate::toolset::Toolset;
use crate::view::WorkerView;

/// What one writer sees of a file storage.
#[derive(Debug)]
pub(crate) struct FileWorkerView {
    directory: Arc<JobDirectory>,
    writer: Writer,
    /// One for all factories, so that no name is used twice.
    names: Arc<FileNames>,
    options: FileStreamsOptions,
    reading: ReadOptions,
    file_systems: Arc<FileSystems>,
    spawn: Arc<dyn Spawn>,
    budget: Arc<Budget>,
    descriptors: Arc<StagedDescriptors>,
    live: LiveStreams<FileStreams>,
}

impl WorkerView for FileWorkerView {
    fn streams(&self, barrier: &CheckpointBarrier) -> Result<Arc<dyn StreamFactory>> {
        let (id, found, expected) = (barrier.id(), barrier.identity.epoch, self.writer.epoch);
        if found != expected {
            return Err(StorageError::BarrierOfEpoch { found, expected }.abort());
        }
        let place = barrier.options.target().to_uri();
        let Some(uri) = place.map_err(|source| StorageError::BarrierPlace { id, source }.abort())? else {
            if barrier.options.kind().is_savepoint() {
                return Err(StorageError::BarrierWithoutPlace { id }.abort());
            }
            let exclusive = self.directory.state_directory(Root::ThisSnapshot, layout::checkpoint_directory(id));
            return Ok(self.live.of(barrier, || Ok(self.budgeted(exclusive, self.shared_directory())))?);
        };
        let open = || {
            let opened = self.file_systems.open(uri.as_str());
            let file_system = opened.map_err(|source| StorageError::BarrierPlace { id, source }.abort())?;
            if barrier.options.kind().is_savepoint() {
                self.expect_in_progress(&*file_system, &uri, id)?;
            }
            // All of it, whoever may name it later: nobody does, and what is self-contained can be moved.
            let directory = StateDirectory::new(Root::ThisSnapshot, file_system, None);
            Ok(self.budgeted(directory.clone(), directory))
        };
        Ok(self.live.of(barrier, open)?)
    }

    fn shared_streams(&self) -> Result<Arc<dyn StreamFactory>> {
        // Of no checkpoint, so all of it is shared.
        Ok(Arc::new(self.budgeted(self.shared_directory(), self.shared_directory())))
    }

    fn task_owned_streams(&self) -> Result<Arc<dyn StreamFactory>> {
        let directory = self.task_owned_directory();
        // Such a stream may be open for as long as the task lives, and no checkpoint is to wait for it: so it has a budget
        // of its own.
        Ok(Arc::new(FileStreams::new(self.target(directory.clone(), directory), self.options)))
    }

    fn task_owned_toolset(&self) -> Arc<dyn Toolset> {
        let streams = FileStreams::new(self.target(self.task_owned_directory(), self.shared_directory()), self.options);
        Arc::new(FileToolset::new(streams, self.directory.file_system.capabilities()))
    }

    fn keeps_state_in_acknowledgements(&self) -> bool {
        false
    }

    fn budget(&self) -> Arc<Budget> {
        Arc::clone(&self.budget)
    }

    fn reader(&self, from: CheckpointId, places: &Places) -> Result<Arc<dyn StateReader>> {
        self.directory.reader(from, places, &self.file_systems, self.reading.clone())
    }
}

impl FileWorkerView {
    pub(crate) fn new(
        storage: &FileSystemStorage,
        directory: Arc<JobDirectory>,
        writer: Writer,
        context: &StorageContext,
    ) -> Self {
        let mut options = FileStreamsOptions::default();
        options.inline_threshold_bytes = storage.inline_threshold_bytes();
        options.write_buffer_bytes = storage.write_buffer_bytes();
        options.durability = storage.durability();
        let mut reading = ReadOptions::default().with_verification(storage.verification());
        if storage.read_ahead_bytes() > 0 {
            let ahead = ReadAhead::new(Arc::clone(&context.spawn), storage.read_ahead_bytes());
            reading = reading.with_read_ahead(ahead);
        }
        Self {
            directory,
            writer,
            names: Arc::new(FileNames::new(writer)),
            options,
            reading,
            file_systems: Arc::clone(&context.file_systems),
            spawn: Arc::clone(&context.spawn),
            budget: Arc::clone(&context.budget),
            descriptors: Arc::clone(&context.descriptors),
            live: LiveStreams::default(),
        }
    }

    fn shared_directory(&self) -> StateDirectory {
        self.directory.state_directory(Root::JobShared, layout::shared_directory())
    }

    fn task_owned_directory(&self) -> StateDirectory {
        self.directory.state_directory(Root::JobTaskOwned, layout::task_owned_directory())
    }

    /// Refuses a place that is not that savepoint's. One that is late would write what nobody deletes any more; and once
    /// the mark was read, a local directory is open and not made again.
    fn expect_in_progress(&self, place: &dyn FileSystem, uri: &Uri, id: CheckpointId) -> Result<()> {
        let unusable = |source| StorageError::BarrierPlace { id, source }.abort();
        let found = mark_file::read(place, &layout::file_in_savepoint(SavepointMark::FILE_NAME)).map_err(unusable)?;
        let Some(found) = found else {
            return Err(StorageError::BarrierWithoutMark { id, uri: uri.clone() }.abort());
        };
        let found = SavepointMark::decode(&found).map_err(unusable)?;
        if found.is_of(self.directory.job, id) && found.epoch == self.writer.epoch {
            return Ok(());
        }
        let (uri, epoch) = (uri.clone(), self.writer.epoch);
        let (found_job, found_id, found_epoch) = (found.job, found.id, found.epoch);
        Err(StorageError::BarrierOfAnotherMark { uri, id, epoch, found_job, found_id, found_epoch }.abort())
    }

    /// Streams whose bytes count in the budget of the process.
    fn budgeted(&self, exclusive: StateDirectory, shared: StateDirectory) -> FileStreams {
        let target = self.target(exclusive, shared).with_budget(Arc::clone(&self.budget));
        FileStreams::new(target, self.options)
    }

    fn target(&self, exclusive: StateDirectory, shared: StateDirectory) -> FileStreamsTarget {
        let target = FileStreamsTarget::new(exclusive, shared, Arc::clone(&self.names), Arc::clone(&self.spawn));
        target.with_descriptors(Arc::clone(&self.descriptors))
    }
}
