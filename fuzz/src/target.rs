//! What each target does with its input: decode it in bounded memory, and if that gives a value, see that the value is
//! encoded and decoded to itself.

use bytes::Bytes;
use ckpt_core::head::Head;
use ckpt_core::id::{LeaderEpoch, Writer, WriterId};
use ckpt_core::message::{FrameReader, Marker, Received, ToCoordinator, ToTask};
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::state::{TaskRestore, TaskSnapshot};
use ckpt_core::state_file::{self, BlockDigester, FileEnd, Trailer};

use crate::{HEAD, MESSAGES, MetadataFile, bounded};

/// Metadata, as it is and with every digest right.
pub fn metadata(input: &[u8]) {
    let assembled = MetadataFile::from_input(input).assemble();
    for file in [input, &assembled] {
        let bytes = Bytes::copy_from_slice(file);
        let Ok(value) = bounded(file.len(), || CheckpointMetadata::decode(bytes)) else { continue };
        let (encoded, _) = value.encode().expect("what was decoded can be encoded");
        assert_eq!(CheckpointMetadata::decode(encoded.into()).as_ref().ok(), Some(&value));
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

/// A message of each kind, as it is and with the right length and digest; and the bytes as a stream of frames.
pub fn message(input: &[u8]) {
    macro_rules! each {
        ($($type:ident),*) => {
            $(
                let frames = MESSAGES.map(|kind| kind.around(input));
                for frame in frames.iter().map(Vec::as_slice).chain([input]) {
                    let Ok(value) = bounded(frame.len(), || $type::decode(frame, usize::MAX)) else { continue };
                    let encoded = value.encode(usize::MAX).expect("what was decoded can be encoded");
                    assert_eq!($type::decode(&encoded, usize::MAX).as_ref().ok(), Some(&value));
                }
            )*
        };
    }
    each!(ToTask, ToCoordinator, Marker, TaskRestore, TaskSnapshot);
    let reader = FrameReader::new(FrameReader::DEFAULT_LIMIT_BYTES);
    let mut received = input;
    loop {
        match reader.next(received) {
            Ok(Received::Frame { rest, .. }) => received = rest,
            Ok(Received::Part { missing_bytes }) => {
                assert!((1..=reader.limit_bytes()).contains(&missing_bytes));
                break;
            }
            Err(_) => break,
        }
    }
}

/// A state file: the input is its end, and its payload is as long as the input's first two bytes say.
pub fn state_file(input: &[u8]) {
    let name = Writer::new(LeaderEpoch::new(1), WriterId::new(2)).file(3);
    let Some((length, end)) = input.split_first_chunk::<2>() else { return };
    let payload = vec![7; u16::from_le_bytes(*length).into()];
    let mut digester = BlockDigester::new();
    digester.update(&payload);
    let FileEnd { bytes, handle_digest, .. } = digester.finish(&name);
    let read = |file: &[u8]| {
        let file_bytes = file.len();
        bounded(file_bytes, || state_file::payload(file, &name, payload.len() as u64, handle_digest).map(<[u8]>::len))
    };
    let whole = [payload.as_slice(), &bytes].concat();
    assert!(payload.is_empty() || read(&whole).ok() == Some(payload.len()));
    let damaged = [payload.as_slice(), end].concat();
    assert!(damaged == whole || read(&damaged).is_err());
    let _ = Trailer::decode(end).map(Trailer::encode).map(|again| assert_eq!(again, end));
}
