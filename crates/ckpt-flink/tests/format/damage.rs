//! Files that were cut short or changed in one bit: a typed error, or a value that is written and read again as itself.

use bytes::Bytes;
use ckpt_core::ErrorKind;
use ckpt_flink::{FlinkMetadata, MetadataVersion};

use super::fixtures::files;
use super::samples::sample_file;

#[test]
fn every_truncation_is_an_error_with_a_place() {
    for (name, file) in files() {
        for length in 0..file.len() {
            let error = FlinkMetadata::decode(file.slice(..length)).expect_err("a file that is cut short");
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{name} at {length}: {error}");
            let error = error.to_string();
            assert!(error.contains(" at byte ") && error.contains("expected"), "{name} at {length}: {error}");
        }
    }
}

#[test]
fn every_flipped_bit_is_an_error_or_another_value() {
    for version in [MetadataVersion::V3, MetadataVersion::V4, MetadataVersion::V5, MetadataVersion::V6] {
        let file = sample_file(version);
        let (mut refused, mut accepted) = (0, 0);
        for bit in 0..8 * file.len() {
            let mut changed = file.to_vec();
            changed[bit / 8] ^= 1 << (bit % 8);
            let changed = Bytes::from(changed);
            match FlinkMetadata::decode(changed.clone()) {
                Err(error) => {
                    refused += 1;
                    assert!(matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Configuration), "{bit}: {error}");
                    assert!(error.to_string().len() < 1_000, "{bit}: {error}");
                }
                Ok(decoded) => {
                    accepted += 1;
                    if decoded.metadata.version == MetadataVersion::V2 {
                        continue;
                    }
                    let written = decoded.metadata.encode().unwrap();
                    let end = decoded.trailing.map_or(changed.len(), |trailing| trailing.offset_bytes as usize);
                    // What is not written as it was is noted.
                    if decoded.notes.total() == 0 {
                        assert!(written == changed[..end], "bit {bit} of version {version}");
                    } else {
                        assert_eq!(FlinkMetadata::decode(written.into()).unwrap().metadata, decoded.metadata);
                    }
                }
            }
        }
        assert!(refused > 1_000 && accepted > 1_000, "{refused} refused, {accepted} accepted");
    }
}

/// The fixtures that are not large, a byte at a time.
#[test]
fn every_changed_byte_is_an_error_or_another_value() {
    for (_, file) in files().into_iter().filter(|(_, file)| file.len() < 8_000) {
        for at in 0..file.len() {
            let mut changed = file.to_vec();
            changed[at] = !changed[at];
            if let Err(error) = FlinkMetadata::decode(changed.into()) {
                assert!(matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Configuration), "{at}: {error}");
            }
        }
    }
}
