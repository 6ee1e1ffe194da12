//! A checkpoint as it is asked for: which one ([`CheckpointIdentity`]), how ([`CheckpointOptions`]) and what was
//! measured ([`CheckpointMetrics`]). The first two reach tasks inside a [`CheckpointBarrier`]; the third goes back with
//! the acknowledgement only (FLINK-5777). What the snapshot is to its job, and what discards it, the coordinator alone
//! needs: [`CheckpointProperties`].

mod alignment;
mod barrier;
mod error;
mod identity;
mod kind;
mod location;
mod metrics;
mod options;
mod properties;
mod retention;

pub use alignment::{Alignment, AlignmentPolicy, AlignmentTimeout};
pub use barrier::CheckpointBarrier;
pub use identity::CheckpointIdentity;
pub use kind::{AfterSavepoint, CheckpointType, SavepointFormat, SharingFilesStrategy, SnapshotKind};
pub use location::LocationReference;
pub use metrics::{CheckpointMetrics, CheckpointMetricsBuilder};
pub use options::CheckpointOptions;
pub use properties::{Admission, CheckpointProperties};
pub use retention::{JobEnd, RetentionPolicy};

pub(crate) use metrics::{Measured, MeasuredAlignment};
pub(crate) use properties::{Profile, Reuse};
