//! A completed checkpoint: everything that is needed to restore it, and its file (Flink's `CheckpointMetadata` and
//! `_metadata`).
//!
//! ```text
//! MetadataBuilder ── finish ──▶ CheckpointMetadata ── write_to ──▶ file ── MetadataReader ──▶ CheckpointMetadata
//! MetadataWriter ── finish ──────────────────────────────────────▶ file ── MetadataReader ──▶ MetadataSummary
//! ```
//!
//! State stays as it is stored: a [`CheckpointMetadata`] holds the encoded state of each subtask, about 45 bytes for each
//! handle, and decodes that of one subtask when it is asked for. It was checked when it was entered or read, so that a
//! checkpoint is committed only if it can be restored, and so that asking for it later finds no flaw. The rules that
//! are checked, and the bytes, are in `docs/format.md`; what breaks one is refused by builder, writer and reader alike.
//!
//! The [crate's page](crate) shows a checkpoint built in memory. Here one is written while its state comes, and read by
//! two threads:
//!
//! ```
//! use bytes::Bytes;
//! use ckpt_core::Timestamp;
//! use ckpt_core::id::{CheckpointId, JobId, LeaderEpoch, OperatorId};
//! use ckpt_core::key_group::MaxParallelism;
//! use ckpt_core::metadata::{CheckpointDescription, MetadataReader, MetadataWriter, OperatorDescription};
//! use ckpt_core::snapshot::{CheckpointIdentity, CheckpointProperties, RetentionPolicy};
//! use ckpt_core::state::{KeyGroupsState, KeyedState, StateHandle, SubtaskState};
//!
//! let identity = CheckpointIdentity::new(CheckpointId::FIRST, LeaderEpoch::new(1), Timestamp::from_millis(0), None);
//! let properties = CheckpointProperties::checkpoint(RetentionPolicy::RetainOnCancellation);
//! let description = CheckpointDescription::new(JobId::new([1; 16]), identity, properties);
//! let (count, max) = (OperatorId::from_uid("count"), MaxParallelism::new(128)?);
//!
//! let mut file = Vec::new();
//! let mut writer = MetadataWriter::new(description, &mut file)?;
//! let mut operator = writer.operator(&OperatorDescription::new(count, "count", 2, max))?;
//! for subtask in 0..2 {
//!     let piece = StateHandle::inline(Bytes::from(vec![7; 64]));
//!     let state = KeyGroupsState::new(max.range_of(subtask, 2)?, (0..64).collect::<Vec<_>>(), piece)?;
//!     operator.subtask(subtask, &SubtaskState::new(vec![KeyedState::KeyGroups(state)], vec![]))?;
//! }
//! let written = writer.finish(Timestamp::from_millis(9))?;
//! assert_eq!(written.length_bytes, file.len() as u64);
//!
//! // A summary is known before any part is read.
//! let reader = MetadataReader::open(Bytes::from(file))?;
//! let summary = reader.summary().operator(count).expect("it was written");
//! assert_eq!((summary.parallelism, summary.totals.size.state_bytes()), (2, 128));
//!
//! let runs = std::thread::scope(|threads| {
//!     let reading: Vec<_> =
//!         reader.runs(2).into_iter().map(|run| threads.spawn(|| reader.read_parts(run))).collect();
//!     reading.into_iter().map(|thread| thread.join().expect("reading does not panic")).collect::<Result<Vec<_>, _>>()
//! })?;
//! let metadata = reader.assemble(runs)?;
//! assert_eq!(metadata.operator(count).map(|operator| operator.subtasks().count()), Some(2));
//! # Ok::<(), ckpt_core::Error>(())
//! ```

mod assemble;
mod builder;
mod checkpoint;
mod description;
mod encoder;
mod format;
mod index;
mod operator;
mod part;
mod reader;
mod rules;
mod seen_by;
mod source;
mod state_codec;
mod summary;
mod table;
mod totals;
mod writer;

pub use assemble::CheckedParts;
pub use builder::MetadataBuilder;
pub use checkpoint::CheckpointMetadata;
pub use description::{CheckpointDescription, MasterState, OperatorDescription};
pub use encoder::OperatorEncoder;
pub use operator::{OperatorMetadata, Subtasks};
pub use reader::MetadataReader;
pub use source::MetadataSource;
pub use summary::MetadataSummary;
pub use table::{CoordinatorSize, OperatorStatus, OperatorSummary, StateDescriptors};
pub use totals::StateTotals;
pub use writer::{MetadataWriter, WrittenMetadata};
