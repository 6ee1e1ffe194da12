//! Identities: each its own type, so that none can stand in for another.
//!
//! | identity | who chooses it | unique |
//! |---|---|---|
//! | [`JobId`] | the engine or its user | everywhere |
//! | [`VertexId`], [`OperatorId`] | the engine; the latter also [from a uid](OperatorId::from_uid) | in the job |
//! | [`CheckpointId`] | the leader, from the numbers that HEAD [reserved](ReservedIds) | in the job, for ever |
//! | [`LeaderEpoch`] | HEAD, at a claim | in the job, for ever |
//! | [`AttemptId`] | the engine, at each deployment | among the attempts of a task under one leader |
//! | [`WriterId`] | the engine, at each deployment | under its leader |
//! | [`FileName`] | its writer, by counting | in the job, for ever |
//!
//! ```
//! use ckpt_core::id::{FileName, LeaderEpoch, OperatorId, Writer, WriterId};
//!
//! // The same uid gives the same state in Flink and here.
//! assert_eq!(OperatorId::from_uid("count").to_string(), "b71731f1c0df9c3076c4a455334d0ad6");
//!
//! let file = Writer::new(LeaderEpoch::new(3), WriterId::new(0xab)).file(7);
//! assert_eq!(file.to_string(), "0000000000000003-00000000000000ab-00000007");
//! assert_eq!(file.to_string().parse::<FileName>()?, file);
//! # Ok::<(), ckpt_core::Error>(())
//! ```

mod checkpoint;
mod epoch;
mod error;
mod file_name;
mod hex_id;
mod operator_uid;
mod reserved;
mod task;

pub use checkpoint::CheckpointId;
pub use epoch::{AttemptId, LeaderEpoch, WriterId};
pub use file_name::{FileName, Writer};
pub use hex_id::{JobId, OperatorId, VertexId};
pub use reserved::ReservedIds;
pub use task::{TaskAttempt, TaskId};
