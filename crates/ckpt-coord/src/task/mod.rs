//! A task's part of every checkpoint.
//!
//! The engine implements [`CheckpointedTask`] and tells [`TaskCheckpoints`] what reaches the task; everything else
//! happens here. Nothing in the task's thread does I/O: it forwards the marker, captures, and reads on.
//!
//! ```text
//!            the task's thread                                   a spawned job
//!   marker ─▶ aligner ─ all barriers here ─▶ forward ─▶ capture ─▶ write ─▶ seal ─▶ acknowledge
//!                │                                      │           │        │
//!                └─ overtaken, cancelled ─▶ decline     └─ failed ──┴────────┴──▶ clean up, decline
//! ```
//!
//! What was sealed is always acknowledged, even when the checkpoint was aborted meanwhile: only then does the coordinator
//! know that there is something to delete. What was not sealed is deleted here. An acknowledgement that is too long for a
//! message goes through a file in the checkpoint's directory, and one that is too long for that is declined.

mod checkpointed;
mod checkpoints;
mod in_flight;
mod options;
mod recent_ids;
mod snapshot_job;
mod spill;

#[cfg(test)]
mod rig_test;

pub use checkpointed::{CapturedState, CheckpointedTask};
pub use checkpoints::TaskCheckpoints;
pub use options::TaskOptions;
