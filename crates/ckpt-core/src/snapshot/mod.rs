//! A checkpoint as it is asked for: which one ([`CheckpointIdentity`]), how ([`CheckpointOptions`]) and what was
//! measured ([`CheckpointMetrics`]). The first two reach tasks inside a [`CheckpointBarrier`]; the third goes back with
//! the acknowledgement only (FLINK-5777).

mod barrier;
mod error;
mod identity;
mod kind;
mod location;
mod metrics;
mod options;

pub use barrier::CheckpointBarrier;
pub use identity::CheckpointIdentity;
pub use kind::{AfterSavepoint, SavepointFormat, SnapshotKind};
pub use location::LocationReference;
pub use metrics::CheckpointMetrics;
pub use options::{Alignment, CheckpointOptions};
