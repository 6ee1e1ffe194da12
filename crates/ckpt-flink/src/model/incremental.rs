//! Handles of incremental checkpoints.

use bytes::Bytes;

use super::{InlineBytes, KeyGroupRange, StreamHandle};
use crate::text::JavaText;

/// Files of an embedded database, some of which are shared with other checkpoints (Flink's
/// `IncrementalRemoteKeyedStateHandle`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IncrementalHandle<D: InlineBytes = Bytes> {
    /// The checkpoint that it was made for.
    pub checkpoint_id: i64,
    /// The backend that names its files; a UUID, or any text from which Flink makes one.
    pub backend_id: JavaText,
    /// The key groups.
    pub key_groups: KeyGroupRange,
    /// What older versions had no place for.
    pub identity: Option<IncrementalIdentity>,
    /// The backend's description of its state.
    pub meta: StreamHandle<D>,
    /// The files that other checkpoints may name too.
    pub shared: Vec<LocalPathAndHandle<D>>,
    /// The files of this checkpoint alone.
    pub private: Vec<LocalPathAndHandle<D>>,
}

/// What tells a handle of an incremental checkpoint from others.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IncrementalIdentity {
    /// How much was written for this checkpoint; -1 when that is unknown.
    pub checkpointed_size: i64,
    /// What Flink tells it from others by.
    pub state_handle_id: JavaText,
}

/// A file of an embedded database.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LocalPathAndHandle<D: InlineBytes = Bytes> {
    /// Its name in the database's directory.
    pub local_path: JavaText,
    /// The bytes.
    pub handle: StreamHandle<D>,
}

impl<D: InlineBytes> IncrementalHandle<D> {
    /// A handle without files, of an encoding that has an identity.
    pub const fn new(
        checkpoint_id: i64,
        backend_id: JavaText,
        key_groups: KeyGroupRange,
        identity: IncrementalIdentity,
        meta: StreamHandle<D>,
    ) -> Self {
        Self {
            checkpoint_id,
            backend_id,
            key_groups,
            identity: Some(identity),
            meta,
            shared: Vec::new(),
            private: Vec::new(),
        }
    }
}

impl IncrementalIdentity {
    /// The identity with that id.
    pub const fn new(checkpointed_size: i64, state_handle_id: JavaText) -> Self {
        Self { checkpointed_size, state_handle_id }
    }
}

impl<D: InlineBytes> LocalPathAndHandle<D> {
    /// A file of that name.
    pub const fn new(local_path: JavaText, handle: StreamHandle<D>) -> Self {
        Self { local_path, handle }
    }
}
