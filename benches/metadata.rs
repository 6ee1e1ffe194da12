//! What a checkpoint's metadata costs, in time and in memory: 100 operators of 1,000 subtasks, each with a file of keyed
//! state and a file of operator state.
//!
//! The baseline of most lines is the least that anyone must do who stores bytes and proves them later: to copy them into
//! memory of their own and to digest them.

use std::borrow::Borrow;
use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use cap::Cap;
use ckpt_benches::{Bar, Bench, Work, thread_time_of};
use ckpt_core::id::{CheckpointId, JobId, LeaderEpoch, OperatorId, Writer, WriterId};
use ckpt_core::key_group::MaxParallelism;
use ckpt_core::metadata::{
    CheckpointDescription, CheckpointMetadata, MetadataReader, MetadataSource, MetadataSummary, MetadataWriter,
    OperatorDescription, WrittenMetadata,
};
use ckpt_core::snapshot::{CheckpointIdentity, CheckpointProperties, RetentionPolicy};
use ckpt_core::state::{
    FileRef, KeyGroupsState, KeyedState, OperatorState, Partitions, Place, Redistribution, Root, StateHandle,
    SubtaskState,
};
use ckpt_core::{Digest, Timestamp};

#[global_allocator]
static ALLOCATOR: Cap<std::alloc::System> = Cap::new(std::alloc::System, usize::MAX);

type AnyError = Box<dyn std::error::Error>;
type Result<T> = std::result::Result<T, AnyError>;

const OPERATORS: u8 = 100;
const SUBTASKS: u32 = 1_000;
/// A file of keyed state and one of operator state each.
const HANDLES: usize = 2 * OPERATORS as usize * SUBTASKS as usize;
const JOB: JobId = JobId::new([7; 16]);
const AT: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const PLAIN: &str = "copy and digest of its bytes";

fn main() -> Result<()> {
    let bench = Bench::from_arguments();
    if bench.takes("core: metadata") {
        memory(&bench)?;
        time(&bench)?;
    }
    Ok(())
}

/// First, and what takes least of it first, since the highest that was ever allocated is what is counted.
fn memory(bench: &Bench) -> Result<()> {
    const MIB: f64 = (1 << 20) as f64;
    let out = tempfile::tempfile()?;
    let (written, encoding) = highest(|| write_to(&mut &out, state_of))?;
    let file = Touched { file: &out, length_bytes: written.length_bytes, bytes: Cell::new(0) };
    let summary = MetadataSummary::read(&file)?;
    let touched = file.bytes.replace(0);
    let before = ALLOCATOR.allocated();
    let (metadata, decoding) = highest(|| Ok(MetadataReader::open(&file)?.read_all()?))?;
    let held = ALLOCATOR.allocated() - before;
    assert_eq!(*metadata.summary(), summary);
    assert_eq!(summary.totals.handles, HANDLES as u64);
    let length = written.length_bytes as f64;

    let count = |name: &str, baseline_name: &str, unit, bar, sizes| {
        bench.bar(Bar::AtMost(bar)).compare_sizes(name, baseline_name, unit, sizes);
    };
    // A name of three numbers, a length, and a digest.
    let name = "core: metadata, bytes of its file for each handle";
    count(name, "name, length and digest", "B", 50.0, (length / HANDLES as f64, 36.0));
    let megabytes = |bytes: usize| bytes as f64 / MIB;
    let name = "core: metadata, memory while it is written, beside what it is written to";
    count(name, "its file", "MiB", 2.0, (megabytes(encoding), length / MIB));
    let name = "core: metadata, memory of the decoded value";
    count(name, "its file", "MiB", 60.0, (megabytes(held), length / MIB));
    let name = "core: metadata, memory while it is decoded";
    count(name, "its file", "MiB", 4.0 * length / MIB + 1.0, (megabytes(decoding), length / MIB));
    // Of each operator its name, its numbers and a section in the index.
    let name = "core: metadata, bytes read for its summary";
    count(name, "its file", "B", 200.0 * f64::from(OPERATORS), (touched as f64, length));
    Ok(())
}

fn time(bench: &Bench) -> Result<()> {
    let state: Vec<Vec<SubtaskState>> = (0..OPERATORS)
        .map(|operator| (0..SUBTASKS).map(|subtask| state_of(operator, subtask)).collect())
        .collect::<Result<_>>()?;
    let taken = |operator: u8, subtask: u32| Ok(&state[usize::from(operator)][subtask as usize]);
    let mut bytes = Vec::new();
    write_to(&mut bytes, taken)?;
    let bytes = Bytes::from(bytes);
    let plain = || {
        let copy = bytes.to_vec();
        let digest = Digest::of(&copy);
        (copy, digest)
    };
    let room = || Vec::with_capacity(bytes.len());
    let each = Work::Operations(HANDLES);
    let encode = bench.bar(Bar::RatioAtMost(9.0));
    let written = || {
        let mut out = room();
        write_to(&mut out, taken).map(|_| out)
    };
    encode.compare("core: metadata, from state to its file, each handle", PLAIN, each, written, plain);
    let looked = || state.iter().flatten().map(looked_at).fold(0, u64::wrapping_add);
    let name = "core: metadata, from state to its file, again, each handle";
    bench.bar(Bar::AtMost(90.0)).compare(name, "looking at all of the state once", each, written, looked);
    let built = || {
        let mut out = room();
        build(taken)?.write_to(&mut out)?;
        Ok::<_, AnyError>(out)
    };
    encode.compare("core: metadata, from state to a value and to its file, each handle", PLAIN, each, built, plain);
    let decode = || CheckpointMetadata::decode(bytes.clone());
    let name = "core: metadata, decoded, each handle";
    bench.bar(Bar::RatioAtMost(18.0)).compare(name, PLAIN, each, decode, plain);

    let metadata = CheckpointMetadata::decode(bytes.clone())?;
    let all = || {
        metadata
            .operators()
            .map(|operator| operator.subtasks().filter(|subtask| subtask.is_ok()).count())
            .sum::<usize>()
    };
    bench.compare("core: metadata, state of every subtask, each handle", PLAIN, each, all, plain);
    threads(bench, &bytes)
}

/// As a storage may do it: each thread takes a run of the parts, and one puts them together. On a machine that others load
/// the clock on the wall says little; how long the busiest thread computed says whether the work is divided.
fn threads(bench: &Bench, file: &Bytes) -> Result<()> {
    let failed = RefCell::new(None);
    let decode_on = |threads: usize| {
        decode_on(threads, file).unwrap_or_else(|error| {
            failed.replace(Some(error));
            Times::default()
        })
    };
    let bar = bench.bar(Bar::RatioAtLeast(1.7));
    let work = Work::Operations(HANDLES);
    let name = "core: metadata, decoded by one thread, clock on the wall, each handle";
    bar.compare_parts(name, "by two threads", work, || decode_on(1).wall, || decode_on(2).wall);
    let name = "core: metadata, decoded by one thread, each handle";
    bar.compare_parts(name, "by the busiest of two threads", work, || decode_on(1).busiest, || decode_on(2).busiest);
    failed.into_inner().map_or(Ok(()), |error| Err(error.into()))
}

/// How long something took that several threads did.
#[derive(Clone, Copy, Default)]
struct Times {
    wall: Duration,
    /// The busiest of those that ran at the same time, and what one did before and after.
    busiest: Duration,
}

fn decode_on(threads: usize, file: &Bytes) -> ckpt_core::Result<Times> {
    let begin = Instant::now();
    let (before, reader) = thread_time_of(|| MetadataReader::open(file.clone()));
    let reader = reader?;
    let parts: Vec<_> = thread::scope(|scope| {
        let read = |run| scope.spawn(|| thread_time_of(|| reader.read_parts(run)));
        let running: Vec<_> = reader.runs(threads).into_iter().map(read).collect();
        running.into_iter().map(|thread| thread.join().expect("reading does not panic")).collect()
    });
    let during = parts.iter().map(|(taken, _)| *taken).max().unwrap_or_default();
    let parts = parts.into_iter().map(|(_, parts)| parts).collect::<ckpt_core::Result<Vec<_>>>()?;
    let (after, metadata) = thread_time_of(|| reader.assemble(parts));
    let wall = begin.elapsed();
    drop(metadata?);
    Ok(Times { wall, busiest: before + during + after })
}

/// What `work` makes, and how much memory it took at the highest. That is known only if nothing before took more.
fn highest<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, usize)> {
    let (before, highest_before) = (ALLOCATOR.allocated(), ALLOCATOR.max_allocated());
    let made = work()?;
    let highest = ALLOCATOR.max_allocated();
    assert!(highest > highest_before, "something before took more");
    Ok((made, highest - before))
}

/// A file of which it is counted how much was read.
struct Touched<'a> {
    file: &'a File,
    length_bytes: u64,
    bytes: Cell<usize>,
}

impl MetadataSource for Touched<'_> {
    fn length_bytes(&self) -> u64 {
        self.length_bytes
    }

    fn read_at(&self, offset_bytes: u64, length_bytes: usize) -> io::Result<Bytes> {
        let mut bytes = vec![0; length_bytes];
        self.file.read_exact_at(&mut bytes, offset_bytes)?;
        self.bytes.set(self.bytes.get() + length_bytes);
        Ok(bytes.into())
    }
}

fn description() -> CheckpointDescription {
    let identity = CheckpointIdentity::new(CheckpointId::FIRST, LeaderEpoch::new(3), AT, None);
    CheckpointDescription::new(JOB, identity, CheckpointProperties::checkpoint(RetentionPolicy::default()))
}

/// What an engine calls its operators, and how many key groups it divides state into.
fn operator(number: u8) -> Result<OperatorDescription> {
    let name = format!("enrich and count by customer, step {number}");
    let max_parallelism = MaxParallelism::derived(SUBTASKS)?;
    Ok(OperatorDescription::new(OperatorId::new([number; 16]), name, SUBTASKS, max_parallelism))
}

/// Writes the file while state is given, which `state` has or makes.
fn write_to<S: Borrow<SubtaskState>>(
    out: &mut dyn io::Write,
    state: impl Fn(u8, u32) -> Result<S>,
) -> Result<WrittenMetadata> {
    let mut writer = MetadataWriter::new(description(), out)?;
    for number in 0..OPERATORS {
        let mut encoder = writer.operator(&operator(number)?)?;
        for subtask in 0..SUBTASKS {
            encoder.subtask(subtask, state(number, subtask)?.borrow())?;
        }
    }
    Ok(writer.finish(AT)?)
}

fn build<S: Borrow<SubtaskState>>(state: impl Fn(u8, u32) -> Result<S>) -> Result<CheckpointMetadata> {
    let mut builder = CheckpointMetadata::builder(description())?;
    for number in 0..OPERATORS {
        let mut encoder = builder.operator(&operator(number)?)?;
        for subtask in 0..SUBTASKS {
            encoder.subtask(subtask, state(number, subtask)?.borrow())?;
        }
    }
    Ok(builder.finish(AT)?)
}

/// Something that depends on all that is stored of the state. State of this size does not stay in the processor's caches,
/// so looking at it is most of what its encoding can ever cost.
fn looked_at(state: &SubtaskState) -> u64 {
    let handle = |handle: &StateHandle| handle.length_bytes() ^ handle.digest().map_or(0, Digest::value);
    let keyed = state.keyed().iter().flat_map(|keyed| match keyed {
        KeyedState::KeyGroups(state) => state.bounds_bytes(),
        _ => &[],
    });
    let names = state.operator().iter().flat_map(OperatorState::states).map(|(name, partitions)| {
        let ends: u64 = partitions.ranges_bytes().iter().map(|range| range.end).sum();
        ends ^ u64::from(name.as_bytes()[0])
    });
    state.handles().map(handle).chain(keyed.copied()).chain(names).fold(0, u64::wrapping_add)
}

/// A file in which each key group has its section, and one with the offsets of a source's splits.
fn state_of(operator: u8, subtask: u32) -> Result<SubtaskState> {
    let max = MaxParallelism::derived(SUBTASKS)?;
    let range = max.range_of(subtask, SUBTASKS)?;
    let task = u64::from(operator) * u64::from(SUBTASKS) + u64::from(subtask);
    // A number as random as those that an engine draws.
    let writer = Writer::new(LeaderEpoch::new(3), WriterId::new((task + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    let file = |number: u32, length_bytes| {
        let place = Place::File { root: Root::ThisSnapshot, file: FileRef::Ours(writer.file(number)) };
        let digest = Digest::crc64_nvme((task + 1 + u64::from(number)).wrapping_mul(0xbf58_476d_1ce4_e5b9));
        StateHandle::assume_durable(place, length_bytes, Some(digest))
    };
    let length_bytes = (48 << 20) + task;
    let groups = range.count() as u64;
    let offsets: Vec<_> = (0..groups).map(|group| group * length_bytes / groups).collect();
    let keyed = KeyedState::KeyGroups(KeyGroupsState::new(range, offsets, file(0, length_bytes))?);
    let offsets = Partitions::new([0..800, 800..1_600], Redistribution::Split)?;
    let operator = OperatorState::new([("offsets", offsets)].into(), file(1, 1_600));
    Ok(SubtaskState::new(vec![keyed], vec![operator]))
}
