//! A whole file.

use bytes::Bytes;

use super::{InlineBytes, MasterState, OperatorState};
use crate::properties::StoredProperties;
use crate::version::MetadataVersion;

/// All that a `_metadata` file says (Flink's `CheckpointMetadata`). `D` is what becomes of state that lies in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlinkMetadata<D: InlineBytes = Bytes> {
    /// The version it was read in and is written in.
    pub version: MetadataVersion,
    /// The checkpoint's number. Never negative; a savepoint of Flink's state processor has 0.
    pub checkpoint_id: i64,
    /// What hooks of the coordinator stored.
    pub master_states: Vec<MasterState<D>>,
    /// The operators, in the order of the file, which means nothing: Flink's is that of a hash table.
    pub operators: Vec<OperatorState<D>>,
    /// What the checkpoint was taken with. Present exactly in versions 4 and later.
    pub properties: Option<StoredProperties>,
}

impl<D: InlineBytes> FlinkMetadata<D> {
    /// Metadata of a checkpoint with no state at all, without properties.
    pub const fn new(version: MetadataVersion, checkpoint_id: i64) -> Self {
        Self { version, checkpoint_id, master_states: Vec::new(), operators: Vec::new(), properties: None }
    }
}
