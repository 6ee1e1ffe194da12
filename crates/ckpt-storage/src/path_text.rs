//! A path as text, for a type that belongs to a crate which has no serde. With what may be a secret: the description
//! travels to be used, and no valid one has a secret.

use ckpt_core::uri::StoragePath;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) fn serialize<S: Serializer>(path: &Option<StoragePath>, serializer: S) -> Result<S::Ok, S::Error> {
    path.as_ref().map(StoragePath::as_str).serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<StoragePath>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(StoragePath::from))
}
