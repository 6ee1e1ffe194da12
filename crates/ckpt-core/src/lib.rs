//! What a checkpoint is: its types, its rules and its bytes.
//!
//! Nothing here does I/O, starts a thread, takes a lock, reads a clock or draws a random number. Time, random bytes and
//! files come in as arguments; values, bytes and typed errors come out. `ckpt-streams`, `ckpt-storage` and `ckpt-coord` do
//! the rest, and an engine that embeds those meets this crate in their signatures.
//!
//! # I want to …
//!
//! | … | begin at |
//! |---|---|
//! | set when and how checkpoints are taken, or read Flink's keys | [`CheckpointConfig`](config::CheckpointConfig) |
//! | describe my job: operators, parallelism, edges | [`JobGraph`](graph::JobGraph) |
//! | know which subtask owns a key | [`MaxParallelism`](key_group::MaxParallelism) |
//! | declare my states, and know whether stored ones can be read | [`StateDeclaration`](descriptor::StateDeclaration) |
//! | say what a task's snapshot consists of | [`SubtaskState`](state::SubtaskState), [`TaskSnapshot`](state::TaskSnapshot) |
//! | know what a barrier asks for | [`CheckpointBarrier`](snapshot::CheckpointBarrier), [`CheckpointOptions`](snapshot::CheckpointOptions) |
//! | carry messages over a transport of mine | [`message`], [`FrameReader`](message::FrameReader) |
//! | see what a checkpoint holds without reading its state | [`MetadataReader`](metadata::MetadataReader), [`MetadataSummary`](metadata::MetadataSummary) |
//! | read all of a checkpoint, or write one | [`CheckpointMetadata`](metadata::CheckpointMetadata) |
//! | give a task the state it begins with | [`TaskRestore`](state::TaskRestore) |
//! | know or change what is committed | [`head`]: [`Head`](head::Head), [`ClaimedHead`](head::ClaimedHead) |
//! | know what may be deleted | [`RemovedSnapshot`](head::RemovedSnapshot), [`RemovedFiles`](shared::RemovedFiles) |
//! | let incremental checkpoints name files again | [`SharedStateRegistry`](shared::SharedStateRegistry) |
//! | choose which checkpoints outlive the job | [`RetentionPolicy`](snapshot::RetentionPolicy) |
//! | write or verify a file of state | [`state_file`] |
//! | say where a directory lies, or check what a user wrote | [`Uri`](uri::Uri), [`StoragePath`](uri::StoragePath) |
//! | claim or dispose of a savepoint | [`mark`] |
//! | make up state for tests of my engine | `testing::strategies`, with the feature `proptest` |
//! | know the bytes, the settings, the differences from Flink | `docs/` in the repository: `format.md`, `configuration.md`, `differences.md` |
//!
//! # Words
//!
//! * A *snapshot* is a *checkpoint*, which belongs to its job, or a *savepoint*, which belongs to whoever asked for it. Both
//!   take their [number](id::CheckpointId) from one sequence.
//! * A *task* is a subtask of a vertex; an *attempt* is one deployment of it. A *writer* is who names files: an attempt, or
//!   several of one process together.
//! * A *leader* is the coordinator that may write HEAD; its *epoch* is the number of its term, and stands in every file
//!   name and message.
//! * A *handle* says where the durable bytes of a piece of state are, how many, and with which digest. A *root* is what
//!   its file lies below.
//! * A checkpoint is *complete* when all of it is durable, *committed* when HEAD names it, *subsumed* when a newer one has
//!   taken its place.
//!
//! # From end to end
//!
//! A task acknowledges its state, the coordinator makes metadata of it, and somebody restores one subtask:
//!
//! ```
//! use bytes::Bytes;
//! use ckpt_core::Timestamp;
//! use ckpt_core::graph::Vertex;
//! use ckpt_core::head::{Collected, Head, Nonce, RetainedSnapshot};
//! use ckpt_core::id::{AttemptId, JobId, TaskId, VertexId, WriterId};
//! use ckpt_core::key_group::MaxParallelism;
//! use ckpt_core::message::{Acknowledge, FrameReader, ToCoordinator};
//! use ckpt_core::metadata::{CheckpointDescription, CheckpointMetadata, MetadataReader, OperatorDescription};
//! use ckpt_core::snapshot::{CheckpointIdentity, CheckpointProperties, RetentionPolicy, SnapshotKind};
//! use ckpt_core::state::*;
//!
//! // A leader takes the job over. Storage writes `claim.head()`; once that is there, numbers may be used.
//! let job = JobId::new(*b"counts its input");
//! let claim = Head::claim(None, job, Nonce::new(*b"16 random bytes."))?;
//! let mut written = claim.written();
//! let epoch = written.head.head().epoch;
//! let id = written.reserved.take().expect("a claim reserves numbers");
//!
//! // The task puts its state together and acknowledges. State in files comes from sealing streams; this is inline.
//! let vertex = Vertex::single(VertexId::new([7; 16]), "count", 1, MaxParallelism::new(128)?);
//! let operator = &vertex.operators[0];
//! let count = Partitions::new([0..8], Redistribution::Split)?;
//! let bytes = Bytes::copy_from_slice(&42_u64.to_le_bytes());
//! let state = OperatorState::new([("count", count)].into(), StateHandle::inline(bytes));
//! let snapshot = TaskSnapshot::new([(operator.id, SubtaskState::new(vec![], vec![state]))].into());
//! let attempt = TaskId::new(vertex.id, 0).attempt(AttemptId::new(1));
//! let sent = ToCoordinator::Acknowledge(Acknowledge::new(epoch, id, attempt, WriterId::new(0), snapshot))
//!     .encode(FrameReader::DEFAULT_LIMIT_BYTES)?;
//!
//! // The coordinator makes metadata of all acknowledgements; storage publishes the file.
//! let received = ToCoordinator::decode(&sent, FrameReader::DEFAULT_LIMIT_BYTES)?;
//! let ToCoordinator::Acknowledge(acknowledge) = received else { panic!("it was an acknowledgement") };
//! let identity = CheckpointIdentity::new(id, epoch, Timestamp::from_millis(0), None);
//! let properties = CheckpointProperties::checkpoint(RetentionPolicy::RetainOnCancellation);
//! let mut builder = CheckpointMetadata::builder(CheckpointDescription::new(job, identity, properties))?;
//! let mut subtasks = builder.operator(&OperatorDescription::of(&vertex, operator))?;
//! subtasks.subtask(0, acknowledge.snapshot.operators().get(&operator.id).expect("it is there"))?;
//! let (file, digests) = builder.finish(Timestamp::from_millis(5))?.encode()?;
//!
//! // HEAD commits it, and whatever is beyond the one to be retained may be deleted.
//! let snapshot =
//!     RetainedSnapshot::new(id, epoch, SnapshotKind::Checkpoint, digests.length_bytes, digests.index_digest);
//! let written = written.head.commit(snapshot, 1, &Collected::none())?.written();
//! assert!(written.removed.is_empty());
//!
//! // A restore takes what HEAD names, and of it the state of one subtask.
//! let point = written.head.head().restore_point().expect("one is committed");
//! let reader = MetadataReader::open(Bytes::from(file))?;
//! reader.verify(point)?;
//! assert_eq!(reader.summary().totals.size.state_bytes(), 8);
//! let metadata = reader.read_all()?;
//! let report = metadata.operator(operator.id).expect("it is there").subtask(0)?;
//! let Some(SubtaskReport::State(state)) = report else { panic!("it had state") };
//! assert_eq!(state.operator()[0].handle().place(), &Place::Inline(Bytes::copy_from_slice(&42_u64.to_le_bytes())));
//! # Ok::<(), ckpt_core::Error>(())
//! ```
//!
//! [`head`] goes on from the commit: what removal yields, and how the next leader fences this one.
//!
//! # What holds everywhere
//!
//! * *Errors* are [`Error`]s, whose [kind](ErrorKind) says what the caller must do; each `# Errors` names the kinds. Two
//!   modules have errors of their own that the caller looks into: [`SharedStateRefusal`](shared::SharedStateRefusal) and
//!   [`MisplacedFile`](state::MisplacedFile).
//! * *Threads:* values may cross them and be shared. No call blocks, but those that are given an [`io::Write`](std::io::Write)
//!   or a [`MetadataSource`](metadata::MetadataSource) last as long as that takes.
//! * *Units:* what ends in `_bytes` counts bytes; of state it counts payload, without digests and trailers. Time is a
//!   [`Duration`](std::time::Duration), or a [`Timestamp`] in milliseconds since 1970. Subtasks, key groups, gates and
//!   partitions count from 0; `last` and `upto` are inclusive, a [`Range`](std::ops::Range) is not.
//! * *Bytes:* what has `encode` and `decode` has a format version. The same value always gives the same bytes, every byte is
//!   verified before it is used, and whatever the input, `decode` ends with a value or an error, in bounded memory. No
//!   other type can be serialized.
//! * *Names* are those of Apache Flink where it has the thing; the documentation says in parentheses how Flink calls it
//!   where the name differs, and which rule is Flink's.

pub mod config;
pub mod descriptor;
pub mod graph;
pub mod head;
pub mod id;
pub mod key_group;
pub mod mark;
pub mod message;
pub mod metadata;
pub mod shared;
pub mod snapshot;
pub mod state;
pub mod state_file;
pub mod uri;

#[cfg(any(test, feature = "testing"))]
pub mod testing;

mod digest;
mod error;
mod time;
mod wire;

pub use digest::{Digest, DigestAlgorithm, Digester};
pub use error::{Error, ErrorKind, Result};
pub use time::{Monotonic, Now, Timestamp};
