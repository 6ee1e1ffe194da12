//! Files that were damaged and can still be read: whatever they say, it is carried or listed.

use ckpt_flink::FlinkMetadata;

use super::from_flink::files;
use super::round_trip::there_and_back;

#[test]
fn every_changed_byte_is_carried_or_listed() {
    let mut converted = 0;
    for (name, file) in files().into_iter().filter(|(_, file)| file.len() < 3_000) {
        for at in 0..file.len() {
            for pattern in [0x01, 0x80, 0xff] {
                let mut changed = file.to_vec();
                changed[at] ^= pattern;
                if let Ok(decoded) = FlinkMetadata::decode(changed.into()) {
                    there_and_back(&format!("{name}, byte {at} ^ {pattern}"), &decoded.metadata);
                    converted += 1;
                }
            }
        }
    }
    assert!(converted > 1_000, "{converted}");
}
