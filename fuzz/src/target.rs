//! What each target does with its input: decode it in bounded memory, and if that gives a value, see that the value is
//! encoded and decoded to itself.

use ckpt_core::head::Head;
use ckpt_core::message::{Marker, ToCoordinator, ToTask};
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::state::{TaskRestore, TaskSnapshot};

use crate::{HEAD, MESSAGES, MetadataFile, bounded};

/// Metadata, as it is and with every digest right.
pub fn metadata(input: &[u8]) {
    let assembled = MetadataFile::from_input(input).assemble();
    for file in [input, &assembled] {
        let Ok(value) = bounded(file.len(), || CheckpointMetadata::decode(file)) else { continue };
        let (encoded, _) = value.encode().expect("what was decoded can be encoded");
        assert_eq!(CheckpointMetadata::decode(&encoded).as_ref().ok(), Some(&value));
    }
}

/// HEAD, as it is and with the right length and digest.
pub fn head(input: &[u8]) {
    for file in [input, &HEAD.around(input)] {
        let Ok(value) = bounded(file.len(), || Head::decode(file)) else { continue };
        let encoded = value.encode().expect("what was decoded can be encoded");
        assert_eq!(Head::decode(&encoded).as_ref().ok(), Some(&value));
    }
}

/// A message of each kind, as it is and with the right length and digest.
pub fn message(input: &[u8]) {
    macro_rules! each {
        ($($type:ty),*) => {
            $(
                let frames = MESSAGES.map(|kind| kind.around(input));
                for frame in frames.iter().map(Vec::as_slice).chain([input]) {
                    let Ok(value) = bounded(frame.len(), || <$type>::decode(frame, usize::MAX)) else { continue };
                    let encoded = value.encode(usize::MAX).expect("what was decoded can be encoded");
                    assert_eq!(<$type>::decode(&encoded, usize::MAX).as_ref().ok(), Some(&value));
                }
            )*
        };
    }
    each!(ToTask, ToCoordinator, Marker, TaskRestore, TaskSnapshot);
}
