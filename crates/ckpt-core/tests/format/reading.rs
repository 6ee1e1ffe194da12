//! A metadata file is read no further than asked, and is the same however it came about.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;

use bytes::Bytes;
use ckpt_core::ErrorKind;
use ckpt_core::Timestamp;
use ckpt_core::head::RetainedSnapshot;
use ckpt_core::id::{LeaderEpoch, OperatorId};
use ckpt_core::key_group::MaxParallelism;
use ckpt_core::metadata::{
    CheckpointMetadata, MetadataReader, MetadataSource, MetadataSummary, MetadataWriter, OperatorDescription,
    OperatorSummary,
};
use ckpt_core::snapshot::SnapshotKind;
use ckpt_core::state::{OperatorState, StateHandle, SubtaskReport, SubtaskState};

use crate::metadata_samples::{fixed_description, fixed_metadata};
use crate::samples::checkpoint;

/// A file that remembers what was read of it.
struct Watched {
    bytes: Vec<u8>,
    read: RefCell<Vec<(u64, usize)>>,
}

impl MetadataSource for Watched {
    fn length_bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, offset_bytes: u64, length_bytes: usize) -> io::Result<Bytes> {
        self.read.borrow_mut().push((offset_bytes, length_bytes));
        let first = offset_bytes as usize;
        Ok(Bytes::copy_from_slice(&self.bytes[first..first + length_bytes]))
    }
}

/// 64 subtasks with 300 KiB inline each: parts of three subtasks.
pub(crate) fn large() -> CheckpointMetadata {
    let mut builder = CheckpointMetadata::builder(fixed_description()).unwrap();
    let max = MaxParallelism::new(128).unwrap();
    let operator = OperatorDescription::new(OperatorId::new([1; 16]), "large", 64, max);
    let mut encoder = builder.operator(&operator).unwrap();
    for subtask in 0..64_u32 {
        let handle = StateHandle::inline(Bytes::from(vec![subtask as u8; 300 << 10]));
        let state = SubtaskState::new(Vec::new(), vec![OperatorState::new(Default::default(), handle)]);
        encoder.subtask(subtask, &state).unwrap();
    }
    builder.finish(Timestamp::from_millis(1)).unwrap()
}

#[test]
fn a_summary_touches_trailer_index_and_summary_only() {
    let metadata = large();
    let (bytes, _) = metadata.encode().unwrap();
    let file = Watched { bytes, read: RefCell::default() };
    let reader = MetadataReader::open(&file).unwrap();
    assert_eq!(reader.summary(), metadata.summary());
    let touched: usize = file.read.borrow().iter().map(|(_, length)| length).sum();
    assert!(file.bytes.len() > 18 << 20 && touched < 4096, "{touched} bytes of {}", file.bytes.len());

    file.read.borrow_mut().clear();
    assert_eq!(MetadataSummary::read(&file).unwrap(), *metadata.summary());
    let touched: usize = file.read.borrow().iter().map(|(_, length)| length).sum();
    assert!(touched < 8192, "{touched} bytes");

    file.read.borrow_mut().clear();
    assert_eq!(reader.read_all().unwrap(), metadata);
    let parts: Vec<_> = file.read.borrow().iter().map(|(_, length)| *length).filter(|length| *length > 4096).collect();
    assert_eq!(parts.len(), 64_usize.div_ceil(3), "three subtasks fit into a part");
    assert!(parts.iter().all(|length| *length <= 1 << 20), "{parts:?}");
}

/// A summary, and so an index, that a reader would refuse is not written.
#[test]
fn a_summary_has_16_mib_at_most() {
    let write = |operators: u32| {
        let mut file = Vec::new();
        let mut writer = MetadataWriter::new(fixed_description(), &mut file).unwrap();
        let maximum = MaxParallelism::new(128).unwrap();
        for number in 0..u128::from(operators) {
            let id = OperatorId::new(number.to_be_bytes());
            writer.finished_operator(&OperatorDescription::new(id, "n".repeat(1024), 1, maximum)).unwrap();
        }
        writer.finish(Timestamp::from_millis(1)).map(|_| file)
    };
    let largest = Bytes::from(write(15_900).unwrap());
    assert!(largest.len() > 16_500_000);
    assert_eq!(MetadataSummary::read(largest).unwrap().operators().len(), 15_900);
    let error = write(16_400).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AbortCheckpoint);
    assert!(error.to_string().contains("at most 16777216"), "{error}");
}

#[test]
fn a_file_that_head_does_not_name_is_told() {
    let metadata = fixed_metadata();
    let (bytes, written) = metadata.encode().unwrap();
    let identity = metadata.summary().identity;
    let (length, digest) = (written.length_bytes, written.index_digest);
    let named = RetainedSnapshot::new(identity.id, identity.epoch, metadata.summary().kind(), length, digest);
    let reader = MetadataReader::open(Bytes::from(bytes)).unwrap();
    reader.verify(&named).unwrap();

    let mut other = named.clone();
    other.metadata_bytes += 1;
    assert!(reader.verify(&other).unwrap_err().to_string().contains(&format!("expected {}", length + 1)));
    let mut other = named.clone();
    other.index_digest = ckpt_core::Digest::of(b"another");
    assert!(reader.verify(&other).unwrap_err().to_string().contains("digest"));
    type Change = fn(&mut RetainedSnapshot);
    let changes: [(Change, &str); 3] = [
        (|other| other.id = checkpoint(1235), "expected checkpoint 1235 of epoch 3"),
        (|other| other.epoch = LeaderEpoch::new(4), "expected checkpoint 1234 of epoch 4"),
        (|other| other.kind = SnapshotKind::FullCheckpoint, "expected full checkpoint 1234 of epoch 3"),
    ];
    for (change, expected) in changes {
        let mut other = named.clone();
        change(&mut other);
        let error = reader.verify(&other).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn a_file_is_the_same_whether_it_is_built_or_written_at_once() {
    let metadata = large();
    let mut out = Vec::new();
    let mut writer = MetadataWriter::new(fixed_description(), &mut out).unwrap();
    for operator in metadata.operators() {
        let OperatorSummary { id, name, parallelism, max_parallelism, .. } = operator.summary();
        let mut encoder = writer.operator(&OperatorDescription::new(id, name, parallelism, max_parallelism)).unwrap();
        for subtask in operator.subtasks() {
            let (subtask, SubtaskReport::State(state)) = subtask.unwrap() else { panic!("none finished") };
            encoder.subtask(subtask, &state).unwrap();
        }
    }
    let written = writer.finish(metadata.summary().completed_at).unwrap();
    assert_eq!((out, written), metadata.encode().unwrap());
}

#[test]
fn a_subtask_that_reported_empty_state_is_one_that_reported() {
    let max = MaxParallelism::new(8).unwrap();
    let operator = OperatorDescription::new(OperatorId::new([1; 16]), "", 4, max);
    let mut builder = CheckpointMetadata::builder(fixed_description()).unwrap();
    let mut encoder = builder.operator(&operator).unwrap();
    encoder.subtask(1, &SubtaskState::default()).unwrap();
    encoder.finished_subtask(2).unwrap();
    let metadata = builder.finish(Timestamp::from_millis(1)).unwrap();
    let read = CheckpointMetadata::decode(metadata.encode().unwrap().0.into()).unwrap();
    let operator = read.operator(operator.id).unwrap();
    assert_eq!((operator.totals.subtasks, operator.totals.finished_subtasks, operator.totals.handles), (1, 1, 0));
    let reports: Vec<_> = (0..4).map(|subtask| operator.subtask(subtask).unwrap()).collect();
    let expected = [None, Some(SubtaskReport::State(SubtaskState::default())), Some(SubtaskReport::Finished), None];
    assert_eq!(reports, expected);
}

#[test]
fn each_subtask_is_found_among_many() {
    let mut builder = CheckpointMetadata::builder(fixed_description()).unwrap();
    let max = MaxParallelism::new(1024).unwrap();
    for id in 1..=3_u8 {
        let operator = OperatorDescription::new(OperatorId::new([id; 16]), "", 700, max);
        let mut encoder = builder.operator(&operator).unwrap();
        // Some have a part of their own, some share one with several hundred.
        for subtask in (0..700).filter(|subtask| subtask % 3 != u32::from(id) % 3) {
            let length = if subtask % 97 == 0 { 1 << 20 } else { subtask as usize };
            let handle = StateHandle::inline(Bytes::from(vec![id; length]));
            let state = SubtaskState::new(Vec::new(), vec![OperatorState::new(Default::default(), handle)]);
            encoder.subtask(subtask, &state).unwrap();
        }
    }
    let built = builder.finish(Timestamp::from_millis(1)).unwrap();
    let read = CheckpointMetadata::decode(built.encode().unwrap().0.into()).unwrap();
    for metadata in [&built, &read] {
        for operator in metadata.operators() {
            let all: BTreeMap<_, _> = operator.subtasks().map(Result::unwrap).collect();
            assert_eq!(all.len() as u64, operator.totals.subtasks);
            for subtask in 0..701 {
                assert_eq!(operator.subtask(subtask).unwrap().as_ref(), all.get(&subtask), "subtask {subtask}");
            }
        }
    }
}
