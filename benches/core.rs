//! What `ckpt-core` costs where it is called often, and where it handles much.

use bytes::Bytes;
use ckpt_benches::{Bar, Bench, Work};
use ckpt_core::head::{Head, Nonce, RetainedSnapshot};
use ckpt_core::id::{
    AttemptId, CheckpointId, FileName, JobId, LeaderEpoch, OperatorId, TaskId, VertexId, Writer, WriterId,
};
use ckpt_core::key_group::MaxParallelism;
use ckpt_core::message::{Acknowledge, ToCoordinator};
use ckpt_core::snapshot::SnapshotKind;
use ckpt_core::state::{
    FileRef, IncrementalState, KeyGroupsState, KeyedState, OperatorState, Partitions, Place, Redistribution,
    ReusedFile, Root, SharedFile, SortedMap, StateHandle, SubtaskState, TaskSnapshot,
};
use ckpt_core::{Digest, Result};

const JOB: JobId = JobId::new([7; 16]);
const EPOCH: LeaderEpoch = LeaderEpoch::new(1);

fn main() -> Result<()> {
    let bench = Bench::from_arguments();
    digest(&bench);
    key_groups(&bench)?;
    acknowledge(&bench)?;
    bytes_of_files(&bench)?;
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
    bench.bar(Bar::AtMost(4.0)).compare(
        "core: key group of a key hash",
        "remainder of the hash",
        Work::Operations(KEYS),
        || hashes.iter().map(|hash| u32::from(maximum.key_group(*hash).get())).sum::<u32>(),
        || hashes.iter().map(|hash| hash.unsigned_abs() % u32::from(maximum.get())).sum::<u32>(),
    );
    Ok(())
}

/// From a task's snapshot to its bytes and back, with all that a frame is checked for. The baseline is the least that
/// anyone must do who sends bytes and proves them later.
fn acknowledge(bench: &Bench) -> Result<()> {
    let range = MaxParallelism::new(128)?.range_of(3, 32)?;
    let offsets: Vec<u64> = (0..range.count() as u64).map(|index| index * 8_192).collect();
    let keyed = KeyedState::KeyGroups(KeyGroupsState::new(range, offsets, written_file(Root::ThisSnapshot, 1))?);
    let partitions = Partitions::new([0..100, 100..200], Redistribution::Split)?;
    let operator = OperatorState::new([("offsets", partitions)].into(), written_file(Root::ThisSnapshot, 2));
    let typical = SubtaskState::new(vec![keyed], vec![operator]);

    let written = SharedFile::Written(written_file(Root::JobShared, 3));
    let reused =
        SharedFile::Reused(ReusedFile::whole(Root::JobShared, FileRef::Ours(Writer::new(EPOCH, writer(1)).file(4))));
    let shared = [("000003.sst".to_owned(), reused), ("000004.sst".to_owned(), written)].into_iter().collect();
    let meta = StateHandle::inline(Bytes::from_static(b"CURRENT"));
    let incremental = IncrementalState::new(OperatorId::new([1; 16]), range, shared, SortedMap::default(), meta);
    let incremental = SubtaskState::new(vec![KeyedState::Incremental(incremental)], Vec::new());

    let states = [("keyed and operator state", typical), ("a written and a reused file", incremental)];
    for (of, state) in states {
        let message = acknowledgement(state);
        let bytes = message.encode(LIMIT_BYTES)?;
        let mut copy = vec![0; bytes.len()];
        bench.bar(Bar::AtMost(1000.0)).compare(
            &format!("core: acknowledgement with two handles, {of}, encode and decode"),
            "copy and digest of its bytes",
            Work::Operations(1),
            || message.encode(LIMIT_BYTES).and_then(|bytes| ToCoordinator::decode(&bytes, LIMIT_BYTES)),
            || (copy_into(&mut copy, &bytes), Digest::of(&bytes)),
        );
    }
    Ok(())
}

/// What a file takes in an acknowledgement of incremental state, above what an acknowledgement takes without it.
fn bytes_of_files(bench: &Bench) -> Result<()> {
    const FILES: u32 = 1000;
    const PLAIN_BYTES: f64 = (size_of::<FileName>() + 16) as f64;
    let plain = "its name, length and digest";
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
    bench.bar(Bar::AtMost(60.0)).compare_sizes(
        "core: acknowledgement, a written file",
        plain,
        "bytes",
        (each(written), PLAIN_BYTES),
    );
    // Files of 20 former writers, in turn: each deployment since the first one wrote some that are still in use.
    let reused = |number: u32| {
        let file = Writer::new(EPOCH, writer(number % 20)).file(number);
        (name(number), SharedFile::Reused(ReusedFile::whole(Root::JobShared, FileRef::Ours(file))))
    };
    let in_turn = length_with((1..=FILES).map(reused).collect())?;
    bench.bar(Bar::AtMost(25.0)).compare_sizes(
        "core: acknowledgement, a reused file, of 20 writers in turn",
        plain,
        "bytes",
        (each(in_turn), PLAIN_BYTES),
    );
    // The same as it comes: names ascend with time, so that the files of one writer follow each other.
    let reused = |number: u32| {
        let file = Writer::new(EPOCH, writer(number / 50)).file(number);
        (name(number), SharedFile::Reused(ReusedFile::whole(Root::JobShared, FileRef::Ours(file))))
    };
    let one_by_one = length_with((1..=FILES).map(reused).collect())?;
    bench.bar(Bar::AtMost(25.0)).compare_sizes(
        "core: acknowledgement, a reused file, of 20 writers one after another",
        plain,
        "bytes",
        (each(one_by_one), PLAIN_BYTES),
    );
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

fn copy_into(copy: &mut [u8], bytes: &[u8]) -> u8 {
    copy.copy_from_slice(bytes);
    copy[bytes.len() / 2]
}
