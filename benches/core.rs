//! What `ckpt-core` costs where it is called often, and where it handles much.

use bytes::Bytes;
use ckpt_benches::{Bench, Work};
use ckpt_core::head::{Head, Nonce, RetainedSnapshot};
use ckpt_core::id::{AttemptId, CheckpointId, JobId, LeaderEpoch, OperatorId, TaskId, VertexId, Writer, WriterId};
use ckpt_core::key_group::MaxParallelism;
use ckpt_core::message::{Acknowledge, ToCoordinator};
use ckpt_core::metadata::{CheckpointDescription, CheckpointMetadata, OperatorDescription};
use ckpt_core::snapshot::{CheckpointIdentity, CheckpointProperties, RetentionPolicy, SnapshotKind};
use ckpt_core::state::{
    FileRef, IncrementalState, KeyGroupsState, KeyedState, OperatorState, Partitions, Place, Redistribution, Root,
    SharedFile, SortedMap, StateHandle, SubtaskState, TaskSnapshot,
};
use ckpt_core::{Digest, Result, Timestamp};

const JOB: JobId = JobId::new([7; 16]);
const EPOCH: LeaderEpoch = LeaderEpoch::new(1);

fn main() -> Result<()> {
    let bench = Bench::from_arguments();
    digest(&bench);
    key_groups(&bench)?;
    acknowledge(&bench)?;
    bytes_of_files(&bench)?;
    metadata(&bench)?;
    head(&bench)
}

fn digest(bench: &Bench) {
    const BLOCK: usize = 64 * 1024;
    let block = Bytes::from(vec![7; BLOCK]);
    let mut copy = vec![0; BLOCK];
    bench.compare(
        "core: digest of a block of 64 KiB",
        "copy of the block",
        Work::Bytes(BLOCK),
        || Digest::of(&block),
        || copy_into(&mut copy, &block),
    );
}

fn key_groups(bench: &Bench) -> Result<()> {
    const KEYS: usize = 4096;
    let hashes: Vec<i32> = (0..KEYS as u32).map(|number| number.wrapping_mul(0x9e37_79b9) as i32).collect();
    let maximum = MaxParallelism::new(128)?;
    bench.compare(
        "core: key group of a key hash",
        "remainder of the hash",
        Work::Operations(KEYS),
        || hashes.iter().map(|hash| u32::from(maximum.key_group(*hash).get())).sum::<u32>(),
        || hashes.iter().map(|hash| hash.unsigned_abs() % u32::from(maximum.get())).sum::<u32>(),
    );
    Ok(())
}

/// The least that anyone must do who stores bytes and proves them later is to copy and digest them.
fn metadata(bench: &Bench) -> Result<()> {
    let metadata = metadata_of(1024)?;
    let bytes = Bytes::from(metadata.encode()?.0);
    let mut copy = vec![0; bytes.len()];
    bench.compare(
        "core: encode metadata of 1,024 subtasks",
        "copy and digest of its bytes",
        Work::Bytes(bytes.len()),
        || metadata.encode(),
        || (copy_into(&mut copy, &bytes), Digest::of(&bytes)),
    );
    bench.compare(
        "core: decode metadata of 1,024 subtasks",
        "copy and digest of its bytes",
        Work::Bytes(bytes.len()),
        || CheckpointMetadata::decode(bytes.clone()),
        || (copy_into(&mut copy, &bytes), Digest::of(&bytes)),
    );
    Ok(())
}

/// From a task's snapshot to its bytes and back, with all that a frame is checked for.
fn acknowledge(bench: &Bench) -> Result<()> {
    let range = MaxParallelism::new(128)?.range_of(3, 32)?;
    let offsets: Vec<u64> = (0..range.count() as u64).map(|index| index * 8_192).collect();
    let keyed = KeyedState::KeyGroups(KeyGroupsState::new(range, offsets, written_file(Root::ThisSnapshot, 1))?);
    let partitions = Partitions::new([0..100, 100..200], Redistribution::Split)?;
    let operator = OperatorState::new([("offsets", partitions)].into(), written_file(Root::ThisSnapshot, 2));
    let state = SubtaskState::new(vec![keyed], vec![operator]);
    let message = acknowledgement(state);
    let bytes = message.encode(LIMIT_BYTES)?;
    let mut copy = vec![0; bytes.len()];
    bench.compare(
        "core: encode and decode an acknowledgement with two handles",
        "copy and digest of its bytes",
        Work::Operations(1),
        || message.encode(LIMIT_BYTES).and_then(|bytes| ToCoordinator::decode(&bytes, LIMIT_BYTES)),
        || (copy_into(&mut copy, &bytes), Digest::of(&bytes)),
    );
    Ok(())
}

/// What a file takes in an acknowledgement of incremental state, above what an acknowledgement takes without it.
fn bytes_of_files(bench: &Bench) -> Result<()> {
    const FILES: u32 = 1000;
    let length_with = |files: Vec<(String, SharedFile)>| {
        let meta = written_file(Root::ThisSnapshot, 0);
        let range = MaxParallelism::new(128)?.range_of(3, 32)?;
        let (operator, private) = (OperatorId::new([1; 16]), SortedMap::default());
        let state = IncrementalState::new(operator, range, files.into_iter().collect(), private, meta);
        let state = SubtaskState::new(vec![KeyedState::Incremental(state)], Vec::new());
        Ok::<_, ckpt_core::Error>(acknowledgement(state).encode(LIMIT_BYTES)?.len() as f64)
    };
    let name = |number| format!("{:06}.sst", 100 * number);
    let none = length_with(Vec::new())?;
    let written = |number| (name(number), SharedFile::Written(written_file(Root::JobShared, number)));
    let written = length_with((1..=FILES).map(written).collect())?;
    let each = |all: f64| (all - none) / f64::from(FILES);
    bench.count("core: a written file in an acknowledgement", each(written), "at most", 60.0, "bytes");
    // Files of 20 former writers, in turn: each deployment since the first one wrote some that are still in use.
    let reused = |number: u32| {
        let file = Writer::new(EPOCH, writer(number % 20)).file(number);
        (name(number), SharedFile::Reused(Root::JobShared, FileRef::Ours(file)))
    };
    let in_turn = length_with((1..=FILES).map(reused).collect())?;
    bench.count("core: a reused file, of 20 writers in turn", each(in_turn), "at most", 25.0, "bytes");
    // The same as it comes: names ascend with time, so that the files of one writer follow each other.
    let reused = |number: u32| {
        let file = Writer::new(EPOCH, writer(number / 50)).file(number);
        (name(number), SharedFile::Reused(Root::JobShared, FileRef::Ours(file)))
    };
    let one_by_one = length_with((1..=FILES).map(reused).collect())?;
    bench.count("core: a reused file, of 20 writers one after another", each(one_by_one), "at most", 25.0, "bytes");
    Ok(())
}

const LIMIT_BYTES: usize = 1 << 20;

fn acknowledgement(state: SubtaskState) -> ToCoordinator {
    let snapshot = TaskSnapshot::new([(OperatorId::new([1; 16]), state)].into());
    let attempt = TaskId::new(VertexId::new([2; 16]), 3).attempt(AttemptId::new(writer(9).get()));
    ToCoordinator::Acknowledge(Acknowledge::new(EPOCH, CheckpointId::FIRST, attempt, writer(0), snapshot))
}

fn written_file(root: Root, number: u32) -> StateHandle {
    let file = FileRef::Ours(Writer::new(EPOCH, writer(0)).file(number));
    StateHandle::assume_durable(Place::File { root, file }, 64 << 20, Some(Digest::of(&number.to_le_bytes())))
}

/// A writer with one of those large numbers that an engine draws at random.
fn writer(number: u32) -> WriterId {
    WriterId::new((u64::from(number) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1 << 63)
}

fn head(bench: &Bench) -> Result<()> {
    let mut head = Head::claim(None, JOB, Nonce::new([3; 16]))?.head().clone();
    let snapshot = |id| RetainedSnapshot::new(id, EPOCH, SnapshotKind::Checkpoint, 1 << 20, Digest::of(b"index"));
    head.retained = (1..=10).filter_map(CheckpointId::new).map(snapshot).collect();
    let bytes = head.encode()?;
    let mut copy = vec![0; bytes.len()];
    bench.compare(
        "core: encode HEAD with 10 retained",
        "copy and digest of its bytes",
        Work::Operations(1),
        || head.encode(),
        || (copy_into(&mut copy, &bytes), Digest::of(&bytes)),
    );
    Ok(())
}

/// One operator of so many subtasks, each with a file of keyed state in which every key group has its section.
fn metadata_of(parallelism: u32) -> Result<CheckpointMetadata> {
    let maximum = MaxParallelism::new(32 * parallelism)?;
    let at = Timestamp::from_millis(1_700_000_000_000);
    let identity = CheckpointIdentity::new(CheckpointId::FIRST, EPOCH, at, None);
    let description =
        CheckpointDescription::new(JOB, identity, CheckpointProperties::checkpoint(RetentionPolicy::default()));
    let mut builder = CheckpointMetadata::builder(description)?;
    let operator = OperatorDescription::new(OperatorId::new([1; 16]), "count", parallelism, maximum);
    let mut encoder = builder.operator(&operator)?;
    for subtask in 0..parallelism {
        let range = maximum.range_of(subtask, parallelism)?;
        let offsets: Vec<u64> = (0..range.count() as u64).map(|index| index * 8_192).collect();
        let file = FileRef::Ours(Writer::new(EPOCH, WriterId::new(u64::from(subtask))).file(0));
        let place = Place::File { root: Root::ThisSnapshot, file };
        let handle = StateHandle::assume_durable(place, 1 << 20, Some(Digest::of(&subtask.to_le_bytes())));
        let keyed = KeyedState::KeyGroups(KeyGroupsState::new(range, offsets, handle)?);
        encoder.subtask(subtask, &SubtaskState::new(vec![keyed], Vec::new()))?;
    }
    builder.finish(at)
}

fn copy_into(copy: &mut [u8], bytes: &[u8]) -> u8 {
    copy.copy_from_slice(bytes);
    copy[bytes.len() / 2]
}
