//! Tasks that have inputs.

use ckpt_coord::task::CheckpointedTask;
use ckpt_core::Result;

use crate::exchange::{Batch, Inbox};

/// A task that has inputs: what the loop that runs it needs besides its part in checkpoints.
pub(crate) trait ReceivingTask: CheckpointedTask {
    /// What it receives.
    fn inbox(&mut self) -> &mut Inbox;

    /// Every task has its state; what the restored checkpoint promised is done. Comes once, before the first record.
    ///
    /// # Errors
    ///
    /// Any: the task fails.
    fn begin(&mut self) -> Result<()> {
        Ok(())
    }

    /// Processes the records of a batch.
    ///
    /// # Errors
    ///
    /// Any: the task fails.
    fn process(&mut self, batch: &Batch) -> Result<()>;

    /// No record and no marker will come any more.
    ///
    /// # Errors
    ///
    /// Any: the task fails.
    fn all_inputs_ended(&mut self) -> Result<()> {
        Ok(())
    }

    /// Whether it has nothing left to do once its inputs have ended.
    fn may_finish(&self) -> bool {
        true
    }
}
