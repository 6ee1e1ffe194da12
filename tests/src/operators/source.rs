//! The source: reads words and sends each to the task that counts it.

use std::collections::VecDeque;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use ckpt_coord::task::{CapturedState, CheckpointedTask};
use ckpt_core::Result;
use ckpt_core::id::OperatorId;
use ckpt_core::key_group::{KeyGroup, MaxParallelism};
use ckpt_core::message::Marker;
use ckpt_core::snapshot::CheckpointBarrier;
use ckpt_core::state::{Redistribution, TaskRestore, TaskSnapshot};
use ckpt_storage::WorkerView;
use ckpt_streams::{Staged, StreamFactory};

use crate::exchange::{Output, Tail};
use crate::job::Progress;
use crate::operators::pace::Pace;
use crate::operators::restore::Restored;
use crate::operators::write_state;
use crate::text::{InputFile, Reading, Split, SplitReader, key_hash};

/// One subtask of the source. Its state is the splits that it has not read to their ends, one partition each, so that
/// they can be handed out anew at another parallelism.
#[derive(Debug)]
pub(crate) struct SourceTask {
    operator: OperatorId,
    files: Arc<[InputFile]>,
    reading: Option<SplitReader>,
    waiting: VecDeque<Split>,
    max_parallelism: MaxParallelism,
    /// By key group: the index of the output that leads to its owner.
    routes: Vec<usize>,
    outputs: Vec<Output>,
    progress: Arc<Progress>,
    pace: Option<Pace>,
}

/// What the source does, whatever the subtask.
#[derive(Clone, Debug)]
pub(crate) struct SourceOptions {
    pub(crate) operator: OperatorId,
    pub(crate) files: Arc<[InputFile]>,
    pub(crate) max_parallelism: MaxParallelism,
    pub(crate) parallelism: u32,
    pub(crate) progress: Arc<Progress>,
    /// Bytes a second, for this subtask.
    pub(crate) read_limit: Option<NonZeroU64>,
}

/// Positions as they were at a barrier.
#[derive(Debug)]
struct CapturedSplits {
    operator: OperatorId,
    splits: Vec<Split>,
}

impl SourceTask {
    pub(crate) const NAME: &'static str = "source";
    const STATE: &'static str = "splits";

    /// A subtask that begins with the splits of its restored state, or at the very first start with its share of all.
    pub(crate) fn restore(
        options: &SourceOptions,
        outputs: Vec<Output>,
        restore: &TaskRestore,
        view: &dyn WorkerView,
    ) -> Result<Self> {
        let SourceOptions { operator, max_parallelism, parallelism, .. } = *options;
        let mut waiting = VecDeque::new();
        if restore.from.is_some() {
            Restored::new(Self::NAME, operator, restore, view)?.partitions(Self::STATE, |bytes| {
                waiting.push_back(Split::decode(bytes, &options.files)?);
                Ok(())
            })?;
        } else {
            let first = restore.attempt.task.subtask as usize;
            waiting.extend(Split::cut(&options.files).into_iter().skip(first).step_by(parallelism as usize));
        }
        options.progress.restored(waiting.iter().map(Split::remaining_bytes).sum());
        let groups = (0..max_parallelism.get()).map(KeyGroup::new);
        Ok(Self {
            operator,
            files: Arc::clone(&options.files),
            reading: None,
            waiting,
            max_parallelism,
            routes: groups
                .map(|group| Ok(max_parallelism.subtask_of(group, parallelism)? as usize))
                .collect::<Result<_>>()?,
            outputs,
            progress: Arc::clone(&options.progress),
            pace: options.read_limit.map(Pace::new),
        })
    }

    /// Reads about one buffer of input and sends its words on. Waits while a receiver has no credit left.
    pub(crate) fn read(&mut self) -> Result<Reading> {
        let Some(mut reader) = self.reading.take().map(Ok).or_else(|| self.open_next().transpose()).transpose()? else {
            self.outputs.iter_mut().try_for_each(Output::flush)?;
            return Ok(Reading::Ended);
        };
        let before_bytes = reader.split().remaining_bytes();
        let reading = reader.read(|word| {
            let hash = key_hash(word);
            let group = self.max_parallelism.key_group(hash as i32);
            let output = &mut self.outputs[self.routes[usize::from(group.get())]];
            output.batch()?.push(hash, group, word);
            output.send_if_full()
        })?;
        let read_bytes = before_bytes - reader.split().remaining_bytes();
        self.progress.read(read_bytes);
        if let Some(pace) = &mut self.pace {
            pace.read(read_bytes);
        }
        if reading == Reading::More {
            self.reading = Some(reader);
        }
        Ok(Reading::More)
    }

    /// How long it is too early to read on.
    pub(crate) fn ahead(&self) -> Duration {
        self.pace.as_ref().map_or(Duration::ZERO, Pace::ahead)
    }

    /// Tells the receivers that nothing more will come.
    pub(crate) fn end(&mut self) -> Result<()> {
        self.outputs.iter_mut().try_for_each(|output| output.send_tail(Tail::End))
    }

    fn open_next(&mut self) -> Result<Option<SplitReader>> {
        self.waiting.pop_front().map(|split| SplitReader::open(&self.files, split)).transpose()
    }
}

impl CheckpointedTask for SourceTask {
    fn capture(&mut self, _barrier: &CheckpointBarrier) -> Result<Box<dyn CapturedState>> {
        let reading = self.reading.as_ref().map(SplitReader::split);
        let splits = reading.into_iter().chain(self.waiting.iter().copied()).collect();
        Ok(Box::new(CapturedSplits { operator: self.operator, splits }))
    }

    fn forward(&mut self, marker: &Marker) -> Result<()> {
        self.outputs.iter_mut().try_for_each(|output| output.send_tail(Tail::Marker(marker.clone())))
    }

    fn block(&mut self, _input: u32) {}

    fn unblock_all(&mut self) {}
}

impl CapturedState for CapturedSplits {
    fn write(self: Box<Self>, streams: &dyn StreamFactory) -> Result<TaskSnapshot<Staged>> {
        let partitions: Vec<_> = self.splits.iter().map(Split::encode).collect();
        write_state(streams, self.operator, SourceTask::STATE, &partitions, Redistribution::Split)
    }
}

#[cfg(test)]
#[path = "source_test.rs"]
mod tests;
