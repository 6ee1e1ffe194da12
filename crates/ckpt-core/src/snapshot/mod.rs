//! A checkpoint as it is asked for: which one ([`CheckpointIdentity`]), how ([`CheckpointOptions`]) and what was
//! measured ([`CheckpointMetrics`]). The first two reach tasks inside a [`CheckpointBarrier`]; the third goes back with
//! the acknowledgement only (FLINK-5777). What the snapshot is to its job, and what discards it, the coordinator alone
//! needs: [`CheckpointProperties`].
//!
//! The algorithm is that of Carbone et al., "Lightweight Asynchronous Snapshots for Distributed Dataflows" (2015), with
//! Flink's alignment timeout and unaligned checkpoints.
//!
//! A job's [`AlignmentPolicy`] decides how a checkpoint begins; on its way the options change from channel to channel:
//!
//! ```
//! use std::time::Duration;
//! use ckpt_core::snapshot::{Alignment, AlignmentPolicy, CheckpointOptions, LocationReference, SnapshotKind};
//!
//! let policy = AlignmentPolicy::Unaligned { aligned_timeout: Duration::from_secs(30) };
//! let begun = CheckpointOptions::for_config(SnapshotKind::Checkpoint, LocationReference::Default, policy);
//! assert!(begun.is_timeoutable() && begun.needs_alignment() && begun.needs_channel_state());
//!
//! // A connection that supports no unaligned barriers makes the task wait, whatever the clock says.
//! let forced = begun.clone().with_unaligned_unsupported();
//! assert!(!forced.is_timeoutable() && forced.needs_alignment() && !forced.needs_channel_state());
//! assert_eq!(forced.with_unaligned_supported(), begun);
//!
//! // Elsewhere the timeout lets barriers overtake records.
//! assert_eq!(begun.to_unaligned()?.alignment(), Alignment::Unaligned);
//! # Ok::<(), ckpt_core::Error>(())
//! ```

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
