//! The sink: its output appears exactly when the checkpoint that covers it is committed.

use std::path::Path;
use std::sync::Arc;

use ckpt_coord::task::{CapturedState, CheckpointedTask};
use ckpt_core::Result;
use ckpt_core::id::{CheckpointId, JobId, LeaderEpoch, OperatorId};
use ckpt_core::message::Marker;
use ckpt_core::snapshot::CheckpointBarrier;
use ckpt_core::state::{Redistribution, TaskRestore, TaskSnapshot};
use ckpt_storage::WorkerView;
use ckpt_streams::{Staged, StreamFactory};

use crate::error::Fault;
use crate::exchange::{Batch, Inbox};
use crate::operators::leftovers::drop_leftovers;
use crate::operators::part_file::{OpenPart, PendingPart, commit, sync_directory};
use crate::operators::part_name::{PartName, Stage};
use crate::operators::receiving::ReceivingTask;
use crate::operators::restore::Restored;
use crate::operators::write_state;

/// One subtask of a sink with two phases.
///
/// * Records go to a hidden file. A barrier ends the file: it belongs to that checkpoint.
/// * Pre-commit: the file is made durable under a name that says so before the task acknowledges.
/// * The state lists every file that is not known to be committed, those of aborted checkpoints too: their records were
///   processed before the next barrier as well.
/// * Commit: once a checkpoint is known to be committed, the files up to it are renamed. Renaming twice does no harm.
/// * After a restore the listed files are committed before the first record, all others of former leaders are dropped:
///   their records will come again.
#[derive(Debug)]
pub(crate) struct SinkTask {
    options: SinkOptions,
    epoch: LeaderEpoch,
    subtask: u32,
    inbox: Inbox,
    open: Option<OpenPart>,
    opened: u64,
    pending: Vec<Arc<PendingPart>>,
    /// All files that the restored state lists, those of other subtasks too, until the leftovers are dropped.
    listed: Vec<ListedPart>,
}

/// What the sink does, whatever the subtask.
#[derive(Clone, Debug)]
pub(crate) struct SinkOptions {
    pub(crate) operator: OperatorId,
    pub(crate) job: JobId,
    pub(crate) parallelism: u32,
    pub(crate) directory: Arc<Path>,
}

/// The files that were not known to be committed at a barrier.
#[derive(Debug)]
struct CapturedParts {
    operator: OperatorId,
    directory: Arc<Path>,
    parts: Vec<Arc<PendingPart>>,
}

/// A listed file, as the state has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct ListedPart {
    epoch: LeaderEpoch,
    checkpoint: CheckpointId,
    subtask: u32,
    length_bytes: u64,
}

impl SinkTask {
    pub(crate) const NAME: &'static str = "sink";
    const STATE: &'static str = "staged files";

    /// A subtask that owes the commits of its restored state. Nothing is changed here.
    pub(crate) fn restore(
        options: &SinkOptions,
        inbox: Inbox,
        restore: &TaskRestore,
        view: &dyn WorkerView,
    ) -> Result<Self> {
        let subtask = restore.attempt.task.subtask;
        // Every subtask gets the whole list, so each knows what must not be dropped; the commits are shared out.
        let mut listed = Vec::new();
        Restored::new(Self::NAME, options.operator, restore, view)?.partitions(Self::STATE, |bytes| {
            listed.push(ListedPart::decode(bytes)?);
            Ok(())
        })?;
        listed.sort_unstable();
        listed.dedup();
        let mut sink = Self {
            options: options.clone(),
            epoch: restore.writer.epoch,
            subtask,
            inbox,
            open: None,
            opened: 0,
            pending: Vec::new(),
            listed: Vec::new(),
        };
        let share = listed.iter().skip(subtask as usize).step_by(options.parallelism as usize);
        sink.pending = share
            .map(|part| Arc::new(PendingPart::restored(sink.name_of(part), part.checkpoint, part.length_bytes)))
            .collect();
        sink.listed = listed;
        Ok(sink)
    }

    fn name_of(&self, part: &ListedPart) -> PartName {
        let number = part.checkpoint.get();
        PartName { stage: Stage::Staged, job: self.options.job, epoch: part.epoch, number, subtask: part.subtask }
    }
}

impl ReceivingTask for SinkTask {
    fn inbox(&mut self) -> &mut Inbox {
        &mut self.inbox
    }

    fn begin(&mut self) -> Result<()> {
        let listed = std::mem::take(&mut self.listed);
        let SinkOptions { job, parallelism, ref directory, .. } = self.options;
        drop_leftovers(directory, job, self.epoch, |name| {
            // Subtasks share them out.
            name.subtask % parallelism != self.subtask || listed.iter().any(|part| self.name_of(part) == *name)
        })
    }

    fn process(&mut self, batch: &Batch) -> Result<()> {
        if batch.bytes.is_empty() {
            return Ok(());
        }
        let directory = &*self.options.directory;
        if let Some(dead) = self.pending.iter().find(|part| part.is_dead()) {
            return Err(Fault::DeadOutput { path: dead.path(directory, Stage::Staged) }.into());
        }
        let mut part = match self.open.take() {
            Some(part) => part,
            None => {
                let number = self.opened;
                self.opened += 1;
                let (stage, job, epoch, subtask) = (Stage::Writing, self.options.job, self.epoch, self.subtask);
                OpenPart::create(directory, PartName { stage, job, epoch, number, subtask })?
            }
        };
        part.write(directory, &batch.bytes)?;
        self.open = Some(part);
        Ok(())
    }

    fn may_finish(&self) -> bool {
        self.open.is_none() && self.pending.is_empty()
    }
}

impl CheckpointedTask for SinkTask {
    fn capture(&mut self, barrier: &CheckpointBarrier) -> Result<Box<dyn CapturedState>> {
        if let Some(part) = self.open.take() {
            self.pending.push(Arc::new(part.end(barrier.id())));
        }
        let directory = Arc::clone(&self.options.directory);
        Ok(Box::new(CapturedParts { operator: self.options.operator, directory, parts: self.pending.clone() }))
    }

    fn forward(&mut self, _marker: &Marker) -> Result<()> {
        Ok(())
    }

    fn block(&mut self, input: u32) {
        self.inbox.block(input);
    }

    fn unblock_all(&mut self) {
        self.inbox.unblock_all();
    }

    fn commit(&mut self, upto: CheckpointId) -> Result<()> {
        let due = self.pending.iter().filter(|part| part.checkpoint <= upto);
        let mut committed = 0;
        for part in due {
            commit(&self.options.directory, part.name, part.checkpoint, part.length_bytes)?;
            committed += 1;
        }
        if committed > 0 {
            // The next snapshot will not list them, so the new names must not be lost.
            sync_directory(&self.options.directory)?;
            self.pending.retain(|part| part.checkpoint > upto);
        }
        Ok(())
    }
}

impl CapturedState for CapturedParts {
    fn write(self: Box<Self>, streams: &dyn StreamFactory) -> Result<TaskSnapshot<Staged>> {
        for part in &self.parts {
            part.stage(&self.directory)?;
        }
        if !self.parts.is_empty() {
            sync_directory(&self.directory)?;
        }
        let listed: Vec<_> = self.parts.iter().map(|part| ListedPart::of(part).encode()).collect();
        write_state(streams, self.operator, SinkTask::STATE, &listed, Redistribution::Union)
    }
}

impl ListedPart {
    const ENCODED_BYTES: usize = 8 + 8 + 4 + 8;

    fn of(part: &PendingPart) -> Self {
        let PartName { epoch, subtask, .. } = part.name;
        Self { epoch, checkpoint: part.checkpoint, subtask, length_bytes: part.length_bytes }
    }

    /// Epoch, checkpoint, subtask and length, little-endian.
    fn encode(&self) -> [u8; Self::ENCODED_BYTES] {
        let mut bytes = [0; Self::ENCODED_BYTES];
        bytes[..8].copy_from_slice(&self.epoch.get().to_le_bytes());
        bytes[8..16].copy_from_slice(&self.checkpoint.get().to_le_bytes());
        bytes[16..20].copy_from_slice(&self.subtask.to_le_bytes());
        bytes[20..].copy_from_slice(&self.length_bytes.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8; Self::ENCODED_BYTES]) -> Result<Self> {
        let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte));
        let checkpoint = CheckpointId::new(number(&bytes[8..16])).ok_or_else(|| Fault::State {
            operator: SinkTask::NAME,
            what: "a staged file belongs to checkpoint 0, which does not exist".to_owned(),
        })?;
        Ok(Self {
            epoch: LeaderEpoch::new(number(&bytes[..8])),
            checkpoint,
            subtask: number(&bytes[16..20]) as u32,
            length_bytes: number(&bytes[20..]),
        })
    }
}

#[cfg(test)]
#[path = "sink_test.rs"]
mod tests;
