//! The properties as they are stored.

use bytes::Bytes;

use super::{CheckpointProperties, read, write};
use crate::error::Read;
use crate::read::{BytesSource, Input, Source};

/// More than Flink's own take, by far.
const MAX_BYTES: u64 = 64 << 10;

/// Properties with the bytes that say so, which stay as they were read. Java gives two programs different bytes for the
/// same properties, and takes both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredProperties {
    bytes: Bytes,
    properties: Option<CheckpointProperties>,
}

/// Properties, and how many of the bytes that were taken for them follow them.
pub(crate) struct ReadProperties {
    pub(crate) value: StoredProperties,
    pub(crate) behind_bytes: u64,
}

impl StoredProperties {
    /// Properties as Flink 2.2 writes them.
    pub fn new(properties: CheckpointProperties) -> Self {
        Self { bytes: write::encode(&properties).into(), properties: Some(properties) }
    }

    /// No properties, which Flink can write and read.
    pub fn null() -> Self {
        Self { bytes: write::encode_null().into(), properties: None }
    }

    /// The properties; `None` when there is Java's `null` in their place.
    pub const fn properties(&self) -> Option<&CheckpointProperties> {
        self.properties.as_ref()
    }

    /// The bytes in the file.
    pub const fn as_bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Reads properties. They tell no length, so more may be taken from the source than they are.
    pub(crate) fn read<S: Source>(source: &mut Input<S>) -> Read<ReadProperties> {
        let offset = source.position();
        // At most 64 KiB, so it fits.
        let bytes = source.bytes("properties", source.remaining().min(MAX_BYTES) as usize)?;
        let mut input = Input::new(BytesSource::part(bytes.clone(), offset));
        let properties = read::decode(&mut input)?;
        let behind_bytes = input.remaining();
        let bytes = bytes.slice(..bytes.len() - behind_bytes as usize);
        Ok(ReadProperties { value: Self { bytes, properties }, behind_bytes })
    }
}
