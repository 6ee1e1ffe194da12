//! Streams by which state is written.

use std::fmt::Debug;
use std::io;

use ckpt_core::Result;
use ckpt_core::id::OperatorId;
use ckpt_core::state::{OperatorState, SortedMap, StateHandle, SubtaskState, TaskSnapshot};

use crate::pending::Pending;
use crate::stream::error::StreamError;
use crate::stream::staged::Staged;

pub use descriptors::StagedDescriptors;
pub use duplicating::{Duplicated, DuplicatingStream};
pub use file::{FileStreams, FileStreamsOptions, FileStreamsTarget, StreamCounts};
pub use key_groups::KeyGroupsStream;
pub use memory::MemoryStreams;
pub use metadata::{MetadataStream, MetadataTarget};
pub use names::FileNames;
pub use partitions::PartitionsStream;
pub use raw_state::RawStateStreams;
pub use snapshot_stream::{LocalCopy, SnapshotResult, SnapshotStream};
#[cfg(all(test, not(ckpt_loom)))]
pub(crate) use stream_test::{options, target, until};

#[cfg(all(test, not(ckpt_loom)))]
mod calls_test;
#[cfg(all(test, not(ckpt_loom)))]
mod cancel_test;
mod copies;
mod descriptors;
mod duplicating;
#[cfg(all(test, not(ckpt_loom)))]
mod duplicating_test;
mod early;
#[cfg(all(test, not(ckpt_loom)))]
mod early_test;
mod error;
#[cfg(all(test, not(ckpt_loom)))]
mod fault_test;
mod file;
mod file_stream;
#[cfg(all(test, not(ckpt_loom)))]
mod fixed_path_test;
mod key_groups;
#[cfg(all(test, not(ckpt_loom)))]
pub(crate) mod kinds_test;
mod lanes;
mod memory;
mod metadata;
mod names;
mod partitions;
mod raw_state;
#[cfg(all(test, not(ckpt_loom)))]
mod raw_state_test;
mod removal;
mod seal;
mod snapshot_stream;
pub(crate) mod staged;
#[cfg(all(test, not(ckpt_loom)))]
mod stall_test;
#[cfg(all(test, not(ckpt_loom)))]
mod stream_test;
mod unsealed;
#[cfg(all(test, not(ckpt_loom)))]
mod watched_test;

/// State on its way into storage. Written by one thread; what was written is visible to nobody before it is sealed.
///
/// After its factory was cancelled, `finish` fails, and so does a write: at the latest the one that makes 1 MiB since then.
///
/// Dropping a stream without `finish` or `abort` leaves nothing behind either, but cannot report errors.
pub trait StateOutputStream: io::Write + Send + Debug {
    /// Payload bytes written so far.
    fn position(&self) -> u64;

    /// Ends the stream: bytes are handed to the system but not durable. `None` when nothing was written.
    ///
    /// # Errors
    ///
    /// `Cancelled` after a cancellation, `AbortCheckpoint` when the bytes could not be written. Nothing is left behind.
    fn finish(self: Box<Self>) -> Result<Option<Staged>>;

    /// Ends the stream and leaves nothing behind.
    ///
    /// # Errors
    ///
    /// `Retry` when something may be left.
    fn abort(self: Box<Self>) -> Result<()>;

    /// From here on whatever would have to wait for room in the [`Budget`](crate::Budget) fails instead, as
    /// `AbortCheckpoint`: for a copy that nothing depends on, written by a thread that writes something else as well.
    fn never_wait(&mut self) {
        // Most never do.
    }
}

/// Makes streams for one checkpoint of one writer. Any thread may call it at any time.
pub trait StreamFactory: Send + Sync + Debug {
    /// Begins a stream.
    ///
    /// # Errors
    ///
    /// `Cancelled` after a cancellation, `AbortCheckpoint` when the file cannot be made.
    fn create(&self, scope: StateScope) -> Result<Box<dyn StateOutputStream>>;

    /// Makes staged state durable by policy, in one batch, and names it.
    ///
    /// # Errors
    ///
    /// `Cancelled` or `AbortCheckpoint`; then nothing of the snapshot is left behind.
    fn seal(&self, snapshot: TaskSnapshot<Staged>) -> Result<TaskSnapshot<StateHandle>>;

    /// Makes one staged piece durable by policy, and names it: state that is part of no snapshot.
    ///
    /// # Errors
    ///
    /// As for [`seal`](Self::seal).
    fn seal_piece(&self, staged: Staged) -> Result<StateHandle> {
        self.seal_pieces(vec![staged])?.pop().ok_or_else(|| StreamError::StagedElsewhere.into())
    }

    /// The same of any number of pieces, in one batch and in their order.
    ///
    /// # Errors
    ///
    /// As for [`seal`](Self::seal).
    fn seal_pieces(&self, staged: Vec<Staged>) -> Result<Vec<StateHandle>> {
        let pieces = staged.into_iter().map(|staged| OperatorState::new(SortedMap::default(), staged)).collect();
        let state = SubtaskState::new(Vec::new(), pieces);
        // Whose state it is does not matter: the operator leaves with the snapshot.
        let sealed = self.seal(TaskSnapshot::new([(OperatorId::new([0; 16]), state)].into()))?;
        Ok(sealed.handles().cloned().collect())
    }

    /// Makes copies of stored state that belong to this checkpoint, in one batch.
    ///
    /// # Errors
    ///
    /// `AbortCheckpoint` when one could not be copied; then none is left behind.
    fn duplicate(&self, from: &[StateHandle], scope: StateScope) -> Result<Vec<Staged>>;

    /// Ends every stream of this factory, whatever is being done with it, and every later one. Returns at once, without
    /// any I/O; the answer comes when nothing unsealed is left.
    fn cancel(&self) -> Pending<()>;
}

/// Who may name a piece of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StateScope {
    /// This checkpoint only; it goes with it.
    Exclusive,
    /// Later checkpoints too; it goes when none names it.
    Shared,
}
