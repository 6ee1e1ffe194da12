//! What `ckpt-core` costs where it is called often, and where it handles much.

use std::collections::BTreeMap;

use bytes::Bytes;
use ckpt_benches::{Bench, Work};
use ckpt_core::head::{Head, Nonce, RetainedSnapshot};
use ckpt_core::id::{CheckpointId, JobId, LeaderEpoch, OperatorId, Writer, WriterId};
use ckpt_core::key_group::MaxParallelism;
use ckpt_core::metadata::{CheckpointMetadata, OperatorMetadata};
use ckpt_core::snapshot::{CheckpointIdentity, SnapshotKind};
use ckpt_core::state::{FileRef, KeyGroupsState, KeyedState, Place, Places, Root, StateHandle, SubtaskState};
use ckpt_core::{Digest, Result, Timestamp};

const JOB: JobId = JobId::new([7; 16]);
const EPOCH: LeaderEpoch = LeaderEpoch::new(1);

fn main() -> Result<()> {
    let bench = Bench::from_arguments();
    digest(&bench);
    key_groups(&bench)?;
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
    let (bytes, _) = metadata.encode()?;
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
        || CheckpointMetadata::decode(&bytes),
        || (copy_into(&mut copy, &bytes), Digest::of(&bytes)),
    );
    Ok(())
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
    let mut operator = OperatorMetadata::new("count", parallelism, maximum);
    for subtask in 0..parallelism {
        let range = maximum.range_of(subtask, parallelism)?;
        let offsets: Vec<u64> = (0..range.count() as u64).map(|index| index * 8_192).collect();
        let file = FileRef::Ours(Writer::new(EPOCH, WriterId::new(u64::from(subtask))).file(0));
        let place = Place::File { root: Root::ThisSnapshot, file };
        let handle = StateHandle::assume_durable(place, 1 << 20, Some(Digest::of(&subtask.to_le_bytes())));
        let keyed = KeyedState::KeyGroups(KeyGroupsState::new(range, offsets, handle)?);
        operator.subtasks.insert(subtask, SubtaskState::new(vec![keyed], Vec::new()));
    }
    let at = Timestamp::from_millis(1_700_000_000_000);
    let identity = CheckpointIdentity::new(CheckpointId::FIRST, EPOCH, at, None);
    let operators = BTreeMap::from([(OperatorId::new([1; 16]), operator)]);
    Ok(CheckpointMetadata::new(JOB, identity, SnapshotKind::Checkpoint, at, Places::none(), operators))
}

fn copy_into(copy: &mut [u8], bytes: &[u8]) -> u8 {
    copy.copy_from_slice(bytes);
    copy[bytes.len() / 2]
}
