//! A stream that can seek gives what memory gives, and state that is passed over leaves its length.

use std::io::Cursor;

use bytes::Bytes;
use ckpt_flink::{BytesSource, FlinkMetadata, SkippedBytes, StreamSource};

use super::describe::describe;
use super::fixtures::files;

#[test]
fn a_stream_gives_what_memory_gives() {
    for (name, file) in files() {
        let kept = FlinkMetadata::decode(file.clone()).unwrap();
        let source = StreamSource::new(Cursor::new(file.clone())).unwrap();
        assert_eq!(FlinkMetadata::<Bytes>::decode_with(source).unwrap(), kept, "{name}");

        let source = StreamSource::new(Cursor::new(file.clone())).unwrap();
        let skipped = FlinkMetadata::<SkippedBytes>::decode_with(source).unwrap();
        assert_eq!(describe(&skipped), describe(&kept), "{name}");
        let from_memory = FlinkMetadata::<SkippedBytes>::decode_with(BytesSource::new(file)).unwrap();
        assert_eq!(from_memory, skipped, "{name}");
    }
}

#[test]
fn a_stream_gives_the_errors_that_memory_gives() {
    for (name, file) in files() {
        for length in (0..file.len()).step_by(97) {
            let cut = file.slice(..length);
            let expected = FlinkMetadata::decode(cut.clone()).unwrap_err();
            let source = StreamSource::new(Cursor::new(cut)).unwrap();
            let found = FlinkMetadata::<Bytes>::decode_with(source).unwrap_err();
            assert_eq!(
                (found.kind(), found.to_string()),
                (expected.kind(), expected.to_string()),
                "{name} at {length}"
            );
        }
    }
}

#[test]
fn what_follows_the_end_of_a_stream_is_told() {
    for (_, file) in files() {
        let longer = Bytes::from([&file[..], &[1; 200_000]].concat());
        let expected = FlinkMetadata::decode(longer.clone()).unwrap();
        assert!(expected.trailing.is_some());
        let source = StreamSource::new(Cursor::new(longer)).unwrap();
        assert_eq!(FlinkMetadata::<Bytes>::decode_with(source).unwrap(), expected);
    }
}
