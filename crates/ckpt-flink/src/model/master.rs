//! State of the coordinator.

use bytes::Bytes;

use crate::text::JavaText;

/// What a hook of the coordinator (Flink's `MasterTriggerRestoreHook`) stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MasterState<D = Bytes> {
    /// The version of the hook's serializer.
    pub version: i32,
    /// The hook's identifier.
    pub name: JavaText,
    /// What it stored.
    pub payload: D,
}

impl<D> MasterState<D> {
    /// What the hook of that name stored.
    pub const fn new(version: i32, name: JavaText, payload: D) -> Self {
        Self { version, name, payload }
    }
}
