//! Which files that several checkpoints may name are alive: the registry of shared state.
//!
//! Shared files lie below [`Root::JobShared`](crate::state::Root::JobShared) and, in places that the job has taken over,
//! below [`Root::Claimed`](crate::state::Root::Claimed). A checkpoint names those that it wrote and, again, those of the
//! checkpoint it is based on. The leader alone decides when one of them is deleted, and the [`SharedStateRegistry`] is all
//! that it decides by. It holds no lock, does no I/O and gives the same answers to the same calls.
//!
//! # The rules
//!
//! * A file is known by a name that is never used twice, its length and its digest. Whoever gives the same name with other
//!   bytes is refused: reuse that goes by names alone restores other bytes without a word (SPARK-51717, BookKeeper#2563).
//! * An acknowledgement may name a file as *written* when its writer is the one that the attempt names files as, is alive
//!   and belongs to this leader's epoch; as *reused* when the checkpoint's base names it. The base is what
//!   [`CheckpointBarrier::base`](crate::snapshot::CheckpointBarrier::base) says: full checkpoints and savepoints have none,
//!   and neither has the first one after a restore that owns nothing. Files of a borrowed place are in nobody's base.
//! * What a pending checkpoint found committed when it began is *pinned* until it has ended: not one file of it dies.
//! * A file dies when HEAD has dropped the last checkpoint that names it ([`remove`](SharedStateRegistry::remove)), or when
//!   its writer has ended and nothing names it. A file of an aborted checkpoint stays while its writer is alive: the writer
//!   may believe that it is kept, and name it as written once more (FLINK-24611).
//! * A file that is dead is dead for ever: while its writer is alive its name is remembered and refused; afterwards no file
//!   of that writer is accepted at all.
//!
//! What may be deleted is a [`RemovedFiles`], which nothing but the registry makes.
//!
//! # In the order of things
//!
//! ```text
//!  new, restore(retained)…         a leader takes over: everything that HEAD retains
//!  start_writer                    its tasks are deployed
//!  begin ─▶ acknowledge… ─▶ head_written              a checkpoint is committed
//!                        └▶ release                   … or aborted, or was a savepoint
//!  remove(RemovedSnapshot)         what HEAD has dropped, as soon as nothing pins it
//!  end_writers                     attempts have ended
//! ```

mod acknowledged;
mod files;
mod name;
mod numbers;
mod refusal;
mod registry;
mod removed;
mod slots;
mod writers;

pub use acknowledged::AcknowledgedFiles;
pub use refusal::{FileContent, SharedStateRefusal};
pub use registry::SharedStateRegistry;
pub use removed::RemovedFiles;
