//! Identities: each its own type, so that none can stand in for another.

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
