//! A stream that can seek gives what memory gives, and state that is passed over leaves its length.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use bytes::Bytes;
use ckpt_core::ErrorKind;
use ckpt_flink::{BytesSource, FlinkMetadata, FlinkReader, InlineBytes, Source, StreamSource};

use super::describe::describe;
use super::fixtures::files;

/// The length of state, and all that is no state.
#[derive(Clone, Debug, PartialEq, Eq)]
struct LengthOnly(u64);

impl InlineBytes for LengthOnly {
    type Offsets = Vec<i64>;
    type Channels = Bytes;

    fn take<S: Source>(source: &mut S, length_bytes: usize) -> io::Result<Self> {
        source.skip(length_bytes as u64)?;
        Ok(Self(length_bytes as u64))
    }

    fn length_bytes(&self) -> u64 {
        self.0
    }
}

#[test]
fn a_stream_gives_what_memory_gives() {
    for (name, file) in files() {
        let kept = FlinkMetadata::decode(file.clone()).unwrap();
        let source = StreamSource::new(Cursor::new(file.clone())).unwrap();
        assert_eq!(FlinkMetadata::<Bytes>::decode_with(source).unwrap(), kept, "{name}");

        let source = StreamSource::new(Cursor::new(file.clone())).unwrap();
        let skipped = FlinkMetadata::<LengthOnly>::decode_with(source).unwrap();
        assert_eq!(describe(&skipped), describe(&kept), "{name}");
        let from_memory = FlinkMetadata::<LengthOnly>::decode_with(BytesSource::new(file)).unwrap();
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

/// Gives a file up to some byte, and then fails.
struct Failing {
    file: Cursor<Bytes>,
    at: u64,
    kind: io::ErrorKind,
}

impl Read for Failing {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = self.at.saturating_sub(self.file.position());
        match left.min(into.len() as u64) {
            0 => Err(self.kind.into()),
            length => self.file.read(&mut into[..length as usize]),
        }
    }
}

impl Seek for Failing {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

#[test]
fn what_fails_while_reading_may_be_tried_again() {
    for (kind, expected) in [
        (io::ErrorKind::TimedOut, ErrorKind::Retry),
        (io::ErrorKind::PermissionDenied, ErrorKind::Retry),
        // The file has become shorter.
        (io::ErrorKind::UnexpectedEof, ErrorKind::Corrupt),
    ] {
        for (_, file) in files() {
            for at in [0, 3, 30, file.len() as u64 / 2] {
                let failing = Failing { file: Cursor::new(file.clone()), at, kind };
                let error = FlinkMetadata::<Bytes>::decode_with(StreamSource::new(failing).unwrap()).unwrap_err();
                assert_eq!(error.kind(), expected, "{error}");
                assert!(error.to_string().starts_with("Flink metadata cannot be read at byte "), "{error}");
                assert!(std::error::Error::source(&error).is_some());
            }
        }
    }
}

#[test]
fn nothing_is_read_after_an_error() {
    let (_, file) = files().pop().unwrap();
    let cut = file.slice(..file.len() / 2);
    let mut reader = FlinkReader::<_, Bytes>::open(BytesSource::new(cut)).unwrap();
    let error = loop {
        if let Err(error) = reader.next_operator() {
            break error;
        }
    };
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    for again in [reader.next_operator().err(), reader.next_subtask().err(), reader.finish().err()] {
        let again = again.expect("it stays an error").to_string();
        assert!(again.contains("expected no reading after an error"), "{again}");
    }
}
