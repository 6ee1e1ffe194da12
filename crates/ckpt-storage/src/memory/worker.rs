//! What a worker sees of a memory storage.

use std::sync::Arc;

use ckpt_core::Result;
use ckpt_core::id::{CheckpointId, Writer};
use ckpt_core::snapshot::CheckpointBarrier;
use ckpt_core::state::Places;
use ckpt_streams::file_system::FileSystems;
use ckpt_streams::{Budget, MemoryStreams, ReadOptions, StateReader, StreamFactory};

use crate::context::StorageContext;
use crate::error::StorageError;
use crate::file::JobDirectory;
use crate::live_streams::LiveStreams;
use crate::memory::toolset::MemoryToolset;
use crate::toolset::Toolset;
use crate::view::WorkerView;

/// What one writer sees of a memory storage.
#[derive(Debug)]
pub(crate) struct MemoryWorkerView {
    /// Of a job that went on from checkpoints of file storage, the state lies in files still.
    directory: Arc<JobDirectory>,
    writer: Writer,
    max_state_size_bytes: usize,
    file_systems: Arc<FileSystems>,
    budget: Arc<Budget>,
    live: LiveStreams<MemoryStreams>,
}

impl WorkerView for MemoryWorkerView {
    /// Wherever the barrier says that the snapshot goes: state is in the acknowledgement.
    fn streams(&self, barrier: &CheckpointBarrier) -> Result<Arc<dyn StreamFactory>> {
        let (found, expected) = (barrier.identity.epoch, self.writer.epoch);
        if found != expected {
            return Err(StorageError::BarrierOfEpoch { found, expected }.abort());
        }
        Ok(self.live.of(barrier, || Ok(MemoryStreams::new(self.max_state_size_bytes)))?)
    }

    fn shared_streams(&self) -> Result<Arc<dyn StreamFactory>> {
        Ok(Arc::new(MemoryStreams::new(self.max_state_size_bytes)))
    }

    fn task_owned_streams(&self) -> Result<Arc<dyn StreamFactory>> {
        Ok(Arc::new(MemoryStreams::new(self.max_state_size_bytes)))
    }

    fn task_owned_toolset(&self) -> Arc<dyn Toolset> {
        Arc::new(MemoryToolset)
    }

    fn keeps_state_in_acknowledgements(&self) -> bool {
        true
    }

    fn budget(&self) -> Arc<Budget> {
        Arc::clone(&self.budget)
    }

    fn reader(&self, from: CheckpointId, places: &Places) -> Result<Arc<dyn StateReader>> {
        self.directory.reader(from, places, &self.file_systems, ReadOptions::default())
    }
}

impl MemoryWorkerView {
    pub(crate) fn new(
        directory: Arc<JobDirectory>,
        writer: Writer,
        max_state_size_bytes: usize,
        context: &StorageContext,
    ) -> Self {
        let (file_systems, budget) = (Arc::clone(&context.file_systems), Arc::clone(&context.budget));
        Self { directory, writer, max_state_size_bytes, file_systems, budget, live: LiveStreams::default() }
    }
}
