//! What an engine implements for its tasks.

use ckpt_core::Result;
use ckpt_core::id::CheckpointId;
use ckpt_core::message::Marker;
use ckpt_core::snapshot::CheckpointBarrier;
use ckpt_core::state::TaskSnapshot;
use ckpt_streams::{Staged, StreamFactory};

/// A running task, as checkpoints see it. Every call comes on the task's own thread, between two records.
pub trait CheckpointedTask {
    /// Takes a copy of the state as it is now, or a cheap view that later records do not change. No I/O: the task reads
    /// no records meanwhile. A two-phase sink closes here what it has staged: it belongs to this checkpoint.
    ///
    /// # Errors
    ///
    /// Any: the checkpoint is declined and the task goes on.
    fn capture(&mut self, barrier: &CheckpointBarrier) -> Result<Box<dyn CapturedState>>;

    /// How many bytes of memory a capture would take now, beyond what it shares with the state. They are charged to the
    /// budget of the process before they are taken, until they are written; without room for them the checkpoint is
    /// declined and nothing is captured.
    fn capture_bytes(&self) -> u64 {
        0
    }

    /// Sends the marker on every output, after every record that was emitted before.
    ///
    /// # Errors
    ///
    /// Any: the call that led here returns it, and the task cannot go on.
    fn forward(&mut self, marker: &Marker) -> Result<()>;

    /// Takes nothing more from that input until [`unblock_all`](Self::unblock_all). Never called when there is only one.
    fn block(&mut self, input: u32);

    /// Takes from every input again, beginning with what was held back.
    fn unblock_all(&mut self);

    /// Makes side effects of that checkpoint and all before it visible: they were captured, and are now certain.
    /// Idempotent: it may have been done before a crash. Called with ascending numbers, not with each.
    ///
    /// # Errors
    ///
    /// Any: the call that led here returns it, and the task fails; its side effects are committed after the restore.
    fn commit(&mut self, upto: CheckpointId) -> Result<()> {
        let _ = upto;
        Ok(())
    }

    /// That checkpoint will never complete. What a two-phase sink staged under it stays: the records are in the past of
    /// the next checkpoint, whose commit makes them visible. Only what served that checkpoint alone can go.
    ///
    /// # Errors
    ///
    /// Any: the call that led here returns it, and the task fails.
    fn abort(&mut self, id: CheckpointId) -> Result<()> {
        let _ = id;
        Ok(())
    }
}

/// State as it was when it was captured, ready to be written.
pub trait CapturedState: Send {
    /// Writes it. Runs on another thread than the task, which goes on; may block.
    ///
    /// # Errors
    ///
    /// Any: the checkpoint is declined, and what was written is deleted.
    fn write(self: Box<Self>, streams: &dyn StreamFactory) -> Result<TaskSnapshot<Staged>>;
}
