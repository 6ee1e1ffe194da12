//! A completed checkpoint: everything that is needed to restore it.

mod model;

pub use model::{CheckpointMetadata, MetadataSummary, OperatorMetadata};
