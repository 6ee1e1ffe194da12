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
//! * A file that nobody has acknowledged is nobody's once its writer has ended.
//!
//! What may be deleted is a [`RemovedFiles`], or a file that [`EndedWriters`] have left; nothing but the registry makes
//! either.
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
//!  take_ended                      what they left, though it was never acknowledged
//! ```
//!
//! One file, written for checkpoint 1, dropped by checkpoint 2:
//!
//! ```
//! use ckpt_core::head::{Collected, Head, Nonce, RetainedSnapshot};
//! use ckpt_core::id::{JobId, Writer, WriterId};
//! use ckpt_core::shared::SharedStateRegistry;
//! use ckpt_core::snapshot::{CheckpointIdentity, SnapshotKind};
//! use ckpt_core::state::{FileRef, Place, Root, StateHandle};
//! use ckpt_core::{Digest, Timestamp};
//!
//! let mut written = Head::claim(None, JobId::new([1; 16]), Nonce::new([2; 16]))?.written();
//! let epoch = written.head.head().epoch;
//! let (mut registry, writer) = (SharedStateRegistry::new(epoch), WriterId::new(0));
//! registry.start_writer(writer)?;
//! let name = Writer::new(epoch, writer).file(0);
//! let place = Place::File { root: Root::JobShared, file: FileRef::Ours(name) };
//! let file = StateHandle::assume_durable(place, 4, Some(Digest::of(b"seal")));
//!
//! for wrote in [Some(&file), None] {
//!     let id = written.reserved.take().expect("one claim reserves many");
//!     let latest = written.head.head().restore_point().map(|latest| latest.id);
//!     let identity = CheckpointIdentity::new(id, epoch, Timestamp::from_millis(0), latest);
//!     registry.begin(&identity, SnapshotKind::Checkpoint)?;
//!     let mut files = registry.acknowledge(id, writer)?;
//!     wrote.into_iter().try_for_each(|handle| files.written(handle))?;
//!     files.accept();
//!     // … metadata is published; HEAD commits it and retains no other …
//!     let snapshot = RetainedSnapshot::new(id, epoch, SnapshotKind::Checkpoint, 100, Digest::of(b"index"));
//!     let commit = written.head.commit(snapshot, 1, &Collected::none())?.written();
//!     registry.head_written(&commit);
//!     (written.head, written.removed) = (commit.head, commit.removed);
//! }
//!
//! let dead = registry.remove(&written.removed[0]).expect("nothing pins the first checkpoint");
//! assert_eq!(dead.job_shared(), [name]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod acknowledged;
mod ended;
mod files;
mod name;
mod numbers;
mod refusal;
mod registry;
mod removed;
mod slots;
mod writers;

pub use acknowledged::AcknowledgedFiles;
pub use ended::EndedWriters;
pub use refusal::{FileContent, SharedStateRefusal};
pub use registry::SharedStateRegistry;
pub use removed::RemovedFiles;
