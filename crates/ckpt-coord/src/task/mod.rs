//! A task's part of every checkpoint.
//!
//! The engine implements [`CheckpointedTask`] and tells [`TaskCheckpoints`] what reaches the task; everything else
//! happens here. Nothing in the task's thread does I/O: it forwards the marker, captures, and reads on.
//!
//! ```text
//!            the task's thread                                   a spawned job
//!   marker ─▶ aligner ─ all barriers here ─▶ forward ─▶ capture ─▶ write ─▶ seal ─▶ acknowledge
//!                │                                                  │        │
//!                └─ overtaken, cancelled ─▶ decline, forward        └────────┴─ failed ─▶ clean up, decline
//! ```

mod checkpointed;
mod checkpoints;
mod options;

pub use checkpointed::{CapturedState, CheckpointedTask};
pub use checkpoints::TaskCheckpoints;
pub use options::TaskOptions;
