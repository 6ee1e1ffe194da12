//! The coordinator of a job's checkpoints, as a state machine: no thread, no I/O, no clock.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod action;
mod event;
mod reason;
mod statistics;

pub use action::{Action, Answer, Completion, IoId, ReplyToken};
pub use event::{Event, ManualTrigger};
pub use reason::{AbortReason, Failure, StateRefusal};
pub use statistics::CheckpointStatistics;
