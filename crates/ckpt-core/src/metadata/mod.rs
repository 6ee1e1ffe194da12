//! A completed checkpoint: everything that is needed to restore it, and its file.
//!
//! ```text
//! MetadataBuilder ── finish ──▶ CheckpointMetadata ── write_to ──▶ file ── MetadataReader ──▶ CheckpointMetadata
//! MetadataWriter ── finish ──────────────────────────────────────▶ file ── MetadataReader ──▶ MetadataSummary
//! ```
//!
//! State stays as it is stored: a [`CheckpointMetadata`] holds the encoded state of each subtask, about 45 bytes for each
//! handle, and decodes that of one subtask when it is asked for. It was checked when it was entered or read, so that a
//! checkpoint is committed only if it can be restored, and so that asking for it later finds no flaw.

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
