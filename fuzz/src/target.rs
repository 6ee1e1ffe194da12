//! What each target does with its input: decode it in bounded memory, and if that gives a value, see that the value is
//! encoded and decoded to itself, and that all of it can be used.

use std::fmt::Debug;
use std::io::Cursor;

use bytes::Bytes;
use ckpt_core::config::{CheckpointConfig, ConfigLayers};
use ckpt_core::graph::{Edge, Exchange, InputSelection, JobGraph, Operator, Vertex};
use ckpt_core::head::Head;
use ckpt_core::id::{LeaderEpoch, OperatorId, VertexId, Writer, WriterId};
use ckpt_core::mark::{DisposalMark, OwnerRecord, SavepointMark};
use ckpt_core::message::{FrameReader, Marker, Received, ToCoordinator, ToTask};
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::snapshot::LocationReference;
use ckpt_core::state::{TaskRestore, TaskSnapshot};
use ckpt_core::state_file::{self, BlockDigester, FileEnd, Trailer};
use ckpt_core::testing::Envelope;
use ckpt_core::{Digest, ErrorKind, Result};
use ckpt_flink::{ChannelHandle, FlinkMetadata, MetadataVersion, OperatorSubtasks, SkippedBytes, StreamSource};

use crate::{bounded, bounded_by, changes, conversion, input};

/// A value that can be read is written, and read again as itself.
fn same_again<T, B>(value: &T, encode: impl FnOnce(&T) -> Result<B>, decode: impl FnOnce(B) -> Result<T>)
where
    T: PartialEq + Debug,
{
    let encoded = encode(value).expect("what was decoded can be encoded");
    assert_eq!(decode(encoded).as_ref().ok(), Some(value));
}

/// Metadata, as it is and with every digest right.
pub fn metadata(input: &[u8]) {
    for file in [input.to_vec(), input::sections(input).seal()] {
        let (file_bytes, bytes) = (file.len(), Bytes::from(file));
        let Ok(value) = bounded(file_bytes, || CheckpointMetadata::decode(bytes)) else { continue };
        same_again(&value, |value| value.encode(), |(encoded, _)| CheckpointMetadata::decode(encoded.into()));
        let mut handles = 0;
        value.visit_handles(&mut |_| handles += 1).expect("what was checked can be visited");
        assert_eq!(handles, value.summary().totals.handles);
        value.shared_files().expect("what was checked can be visited");
        for operator in value.operators() {
            operator.coordinator_state().expect("what was checked can be decoded");
            assert!(operator.summary().descriptors.iter().all(|descriptor| descriptor.is_ok()));
            for subtask in operator.subtasks() {
                let (subtask, report) = subtask.expect("what was checked can be decoded");
                assert_eq!(operator.subtask(subtask).ok().flatten(), Some(report));
            }
        }
    }
}

/// Metadata of Flink: from memory and from a stream the same; what is not noted is written as it was.
pub fn flink_metadata(input: &[u8]) {
    // The smallest elements of Flink's format have three bytes, and a hundred in memory.
    const TIMES: usize = 48;
    let file = Bytes::copy_from_slice(input);
    let decoded = bounded_by(TIMES, input.len(), || FlinkMetadata::decode(file.clone()));
    let stream = StreamSource::new(Cursor::new(input)).expect("memory can be sought in");
    let skipped = bounded_by(TIMES, input.len(), || FlinkMetadata::<SkippedBytes>::decode_with(stream));
    let decoded = match (decoded, skipped) {
        (Ok(decoded), Ok(skipped)) => {
            assert_eq!((skipped.trailing, &skipped.notes), (decoded.trailing, &decoded.notes));
            decoded
        }
        (Err(one), Err(other)) => {
            assert_eq!(one.to_string(), other.to_string());
            assert!(matches!(one.kind(), ErrorKind::Corrupt | ErrorKind::Configuration), "{one}");
            return;
        }
        (one, other) => panic!("from memory {:?}, from a stream {:?}", one.err(), other.err()),
    };
    let mut metadata = decoded.metadata;
    for operator in &metadata.operators {
        let OperatorSubtasks::Subtasks(subtasks) = &operator.subtasks else { continue };
        for state in subtasks.iter().filter_map(|subtask| subtask.state.as_deref()) {
            for channel in &state.input_channels {
                let ChannelHandle::Merged(channels) = channel else { continue };
                let _ = bounded_by(TIMES, channels.serialized_channels.len(), || channels.channels());
            }
        }
    }
    let read_only = metadata.version == MetadataVersion::V2;
    if read_only {
        metadata.version = MetadataVersion::V3;
    }
    let written = metadata.encode().expect("what was decoded can be encoded");
    if decoded.notes.total() == 0 && !read_only {
        let end = decoded.trailing.map_or(input.len(), |trailing| trailing.offset_bytes as usize);
        assert!(written == input[..end]);
    } else {
        assert!(FlinkMetadata::decode(written.into()).is_ok());
    }
}

/// Metadata of Flink, made ours and back.
pub fn flink_conversion(input: &[u8]) {
    conversion::convert(input);
}

/// HEAD, as it is and with the right length and digest.
pub fn head(input: &[u8]) {
    for file in [input, &Envelope::HEAD.seal(input)] {
        let Ok(value) = bounded(file.len(), || Head::decode(file)) else { continue };
        same_again(&value, Head::encode, |encoded| Head::decode(&encoded));
    }
}

/// A HEAD with the right length and digest, claimed and changed: the first byte says by how many bytes at the front.
pub fn head_changes(input: &[u8]) {
    let Some((count, rest)) = input.split_first() else { return };
    let (chosen, body) = rest.split_at(usize::from(*count).min(rest.len()));
    if let Ok(head) = Head::decode(&Envelope::HEAD.seal(body)) {
        changes::change(&head, chosen);
    }
}

/// OWNER, the mark of a savepoint and that of a disposal, as they are and with the right length and digest.
pub fn mark(input: &[u8]) {
    for file in [input, &Envelope::OWNER.seal(input)] {
        let Ok(value) = bounded(file.len(), || OwnerRecord::decode(file)) else { continue };
        same_again(&value, OwnerRecord::encode, |encoded| OwnerRecord::decode(&encoded));
    }
    for file in [input, &Envelope::SAVEPOINT.seal(input)] {
        let Ok(value) = bounded(file.len(), || SavepointMark::decode(file)) else { continue };
        same_again(&value, SavepointMark::encode, |encoded| SavepointMark::decode(&encoded));
    }
    for file in [input, &Envelope::DISPOSAL.seal(input)] {
        let Ok(value) = bounded(file.len(), || DisposalMark::decode(file)) else { continue };
        same_again(&value, DisposalMark::encode, |encoded| DisposalMark::decode(&encoded));
    }
}

/// A location reference, as it is and with the right digest.
pub fn location(input: &[u8]) {
    let sealed = [input, &Digest::of(input).value().to_le_bytes()].concat();
    for bytes in [input, &sealed] {
        let place = || LocationReference::at(Bytes::copy_from_slice(bytes))?.to_uri();
        let Ok(Some(uri)) = bounded(bytes.len(), place) else { continue };
        assert!(uri.as_str().split('/').all(|component| component != ".."), "{uri}");
        let again = LocationReference::of_uri(&uri).expect("what was read can be named");
        assert_eq!(again, LocationReference::at(Bytes::copy_from_slice(bytes)).expect("it was read"));
    }
}

/// Configurations of a job and of its cluster: an answer or a refusal; what is accepted is written and read again, and
/// compared with a job.
pub fn config(input: &[u8]) {
    let [job, cluster] = input::settings(input);
    let layers = || ConfigLayers::new().with_job(job)?.with_cluster(cluster)?.resolve();
    let resolved = match bounded(input.len(), layers) {
        Ok(resolved) => resolved,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
            assert!(error.to_string().len() < 2_000, "{error}");
            return;
        }
    };
    assert!(resolved.warnings.iter().all(|warning| warning.to_string().len() < 2_000));
    let again = CheckpointConfig::parse(resolved.config.to_pairs()).expect("what was accepted can be read again");
    assert_eq!(again.config, resolved.config);
    for graph in graphs() {
        if let Err(error) = resolved.config.validate(&graph) {
            assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
        }
    }
}

/// Jobs that configurations may not go with.
fn graphs() -> Vec<JobGraph> {
    let (source, sink) = (VertexId::new([1; 16]), VertexId::new([2; 16]));
    let graph = |edge: Edge, selection| {
        let vertex = |id: VertexId| {
            let operator = Operator::new(OperatorId::new(id.bytes()), "operator").with_input_selection(selection);
            Vertex::new(id, "vertex", 2, vec![operator]).expect("such a vertex may be")
        };
        JobGraph::new(vec![vertex(source), vertex(sink)], vec![edge]).expect("such a graph may be")
    };
    vec![
        graph(Edge::keyed(source, sink), InputSelection::Task),
        graph(Edge::custom(source, sink), InputSelection::Operator),
        graph(Edge::keyed(source, sink).with_exchange(Exchange::Blocking), InputSelection::Task),
    ]
}

/// A message of each kind, as it is and with the right length and digest; and the bytes as a stream of frames.
pub fn message(input: &[u8]) {
    macro_rules! each {
        ($($type:ident),*) => {
            $(
                let frames = Envelope::MESSAGES.map(|kind| kind.seal(input));
                for frame in frames.iter().map(Vec::as_slice).chain([input]) {
                    let Ok(value) = bounded(frame.len(), || $type::decode(frame, usize::MAX)) else { continue };
                    same_again(&value, |it| it.encode(usize::MAX), |encoded| $type::decode(&encoded, usize::MAX));
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
