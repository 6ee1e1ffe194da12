//! What a checkpoint was taken with: a Java object at the end of the file.

mod checkpoint_properties;
mod java;
mod read;
mod snapshot_type;
mod stored;
mod write;

pub use checkpoint_properties::CheckpointProperties;
pub use snapshot_type::{PostCheckpointAction, SavepointFormat, SharingFilesStrategy, SnapshotType};
pub use stored::StoredProperties;
