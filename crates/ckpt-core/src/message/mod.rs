//! What coordinator and tasks say to each other: the only things that cross processes.
//!
//! Any of them may be lost, doubled or overtaken by another; the rules on both sides hold nevertheless.
//!
//! | kind | from | to | type |
//! |---|---|---|---|
//! | 1 | coordinator | task | [`ToTask`] |
//! | 2 | task | coordinator | [`ToCoordinator`] |
//! | 3 | task | the next task, between records | [`Marker`] |
//! | 4 | coordinator | worker that deploys a task | [`TaskRestore`](crate::state::TaskRestore) |
//! | 5 | task | coordinator, by a file | [`TaskSnapshot`](crate::state::TaskSnapshot) of a [`SpilledAcknowledge`] |
//!
//! Each type has `encode(limit)` and `decode(frame, limit)`. A frame says its format version, kind and length and ends
//! in a digest of all of it; nothing may be left over. Frames of a version that this program does not
//! [speak](FRAME_VERSIONS) are a `Configuration` error: a job is upgraded one version at a time.
//!
//! ## Over a connection
//!
//! Frames follow each other without anything between them. [`FrameReader`] finds the first one in what was received, and
//! says how many bytes are missing, without I/O and without a copy:
//!
//! ```
//! use ckpt_core::message::{FrameReader, Received, ToTask};
//! use ckpt_core::id::{CheckpointId, LeaderEpoch};
//!
//! let epoch = LeaderEpoch::new(1);
//! let aborted = ToTask::Aborted { epoch, id: CheckpointId::new(7).unwrap(), latest_completed: None };
//! let reader = FrameReader::new(FrameReader::DEFAULT_LIMIT_BYTES);
//! let sent = aborted.encode(reader.limit_bytes())?;
//!
//! let mut received = Vec::new();
//! for byte in &sent[..sent.len() - 1] {
//!     received.push(*byte);
//!     assert!(matches!(reader.next(&received)?, Received::Part { .. }));
//! }
//! received.push(sent[sent.len() - 1]);
//! let Received::Frame { frame, rest, .. } = reader.next(&received)? else { panic!("all of it has come") };
//! assert_eq!(ToTask::decode(frame, reader.limit_bytes())?, aborted);
//! assert!(rest.is_empty());
//! # Ok::<(), ckpt_core::Error>(())
//! ```

mod acknowledge;
mod decline;
mod error;
mod frame;
mod frame_reader;
mod marker;
mod measured;
mod to_coordinator;
mod to_task;

pub use acknowledge::{Acknowledge, SpilledAcknowledge};
pub use decline::{Decline, DeclineReason};
pub use frame::{FRAME_VERSIONS, FrameKind};
pub use frame_reader::{FrameReader, Received};
pub use marker::Marker;
pub use measured::{AbortedMetrics, InitializationMetrics, InitializationOutcome};
pub use to_coordinator::ToCoordinator;
pub use to_task::ToTask;
