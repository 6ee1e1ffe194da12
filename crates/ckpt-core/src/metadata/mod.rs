//! A completed checkpoint: everything that is needed to restore it, and its file.

mod check;
mod format;
mod model;
mod read;
mod write;

pub use model::{CheckpointMetadata, MetadataSummary, OperatorMetadata};
pub use read::{MetadataReader, MetadataSource};
pub use write::WrittenMetadata;
