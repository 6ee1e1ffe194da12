//! What it costs to read Flink's metadata: 100 operators of 1,000 subtasks, each with a file of keyed state and a file of
//! operator state, as one of Flink's own jobs of that size has them.
//!
//! The baseline is the least that anyone must do who keeps bytes: to copy them into memory of their own. With
//! `CKPT_FLINK_LIB` set to a directory of Flink's jars there is another: Flink's own loader, with the same file.

use std::fs::File;
use std::io::Write;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ckpt_benches::{
    Bar, Bench, FLINK_DIRECTORY, FLINK_HANDLES, FLINK_SUBTASKS, FlinkHarness, FlinkLoader, Work, flink_metadata,
    processor_time_of, thread_time_of,
};
use ckpt_core::id::JobId;
use ckpt_core::uri::Uri;
use ckpt_flink::{
    BytesSource, ConversionContext, Decoded, FlinkMetadata, FlinkReader, SkippedBytes, StreamSource, to_checkpoint,
};

const OPERATORS: u32 = 100;
const HANDLES: usize = OPERATORS as usize * FLINK_HANDLES;
const FLINK: &str = "Flink's loader";
const PLAIN: &str = "copy of its bytes";

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let bench = Bench::from_arguments();
    if !bench.takes("flink: ") {
        return Ok(());
    }
    let file = Bytes::from(flink_metadata(0..OPERATORS)?.encode()?);
    let each = Work::Operations(HANDLES);
    let copy = || file.to_vec();
    let decode = || FlinkMetadata::decode(file.clone());
    // What was decoded is dropped outside, so that giving memory back counts for neither side.
    let decode_alone = || {
        let (taken, decoded) = processor_time_of(decode);
        give_back(decoded);
        taken
    };
    // The first time fetches memory from the system.
    let _ = decode_alone();
    let bar = bench.bar(Bar::AtMost(150.0));
    let name = "flink: metadata, decoded, each handle";
    bar.compare_parts(name, PLAIN, each, decode_alone, || processor_time_of(copy).0);
    bench.compare("flink: metadata, decoded and dropped, each handle", PLAIN, each, decode, copy);
    bench.compare("flink: metadata, passed over, each handle", PLAIN, each, || pass_over(file.clone()), copy);
    let metadata = decode()?.metadata;
    bench.compare("flink: metadata, written, each handle", PLAIN, each, || metadata.encode(), copy);
    let context = ConversionContext::new(JobId::new([7; 16]), Uri::new(format!("file://{FLINK_DIRECTORY}"))?);
    let convert = || to_checkpoint(&metadata, &context);
    bench.compare("flink: metadata, converted, each handle", PLAIN, each, convert, copy);
    drop(metadata);
    beside_flink(&bench, &file)?;
    beside_flinks_benchmark(&bench, &file)
}

/// What our reader and Flink's take for the same file, in turns: like beside like.
fn beside_flink(bench: &Bench, file: &Bytes) -> Result<()> {
    const NAMES: [&str; 3] = [
        "flink: metadata beside Flink's loader, processor time of the thread that reads, each handle",
        "flink: metadata beside Flink's loader, processor time with giving memory back, each handle",
        "flink: metadata beside Flink's loader, on the wall with giving memory back, each handle",
    ];
    // So many loads make one side of a pair: the collector does not work in each.
    const LOADS: usize = 4;
    if !NAMES.iter().any(|name| bench.takes(name)) {
        return Ok(());
    }
    let Some(jars) = FlinkLoader::jars() else {
        eprintln!("skipped: CKPT_FLINK_LIB does not say where Flink's jars are, so its loader is not measured");
        return Ok(());
    };
    let mut stored = tempfile::NamedTempFile::new()?;
    stored.write_all(file)?;
    let mut flink = FlinkLoader::start(&jars, stored.path())?;
    // Until its compiler has nothing more to do.
    for _ in 0..3 * bench.large_pairs() {
        let load = flink.load()?;
        if load.handles != HANDLES {
            return Err(format!("Flink's loader read {} of {HANDLES} handles", load.handles).into());
        }
    }
    let mut pairs: [Vec<(Duration, Duration)>; 3] = Default::default();
    for _ in 0..bench.large_pairs() {
        let (mut ours, mut theirs) = ([Duration::ZERO; 3], [Duration::ZERO; 3]);
        for _ in 0..LOADS {
            let load = flink.load()?;
            add(&mut theirs, [load.thread, load.process, load.wall]);
        }
        for _ in 0..LOADS {
            let begin = Instant::now();
            let (process, thread) = processor_time_of(|| {
                let (thread, decoded) = thread_time_of(|| FlinkMetadata::decode(file.clone()));
                give_back(decoded);
                thread
            });
            add(&mut ours, [thread, process, begin.elapsed()]);
        }
        for (pairs, pair) in pairs.iter_mut().zip(ours.into_iter().zip(theirs)) {
            pairs.push(pair);
        }
    }
    for (name, pairs) in NAMES.into_iter().zip(pairs) {
        bench.compare_durations(name, FLINK, Work::Operations(LOADS * HANDLES), pairs);
    }
    Ok(())
}

/// As [`beside_flink`], with Flink's own figures for metadata of the same shape, by the benchmark of its harness: the median
/// of some loads by the clock on the wall, after some that do not count.
fn beside_flinks_benchmark(bench: &Bench, file: &Bytes) -> Result<()> {
    const NAMES: [&str; 2] = [
        "flink: metadata, decoded from memory, on the wall, each handle",
        "flink: metadata, opened and decoded from a file, on the wall, each handle",
    ];
    if !NAMES.iter().any(|name| bench.takes(name)) {
        return Ok(());
    }
    let Some(harness) = FlinkHarness::from_environment()? else { return Ok(()) };
    let mut arguments = vec![harness.directory().display().to_string()];
    arguments
        .extend([OPERATORS as usize, FLINK_SUBTASKS as usize, bench.large_pairs()].map(|number| number.to_string()));
    let report = harness.run("Metadata", &arguments)?;
    let theirs = [report.runs("deserialize from memory, ", "ms")?, report.runs("deserialize from a file ", "ms")?];
    let mut stored = tempfile::NamedTempFile::new()?;
    stored.write_all(file)?;
    let from_memory = || Ok(FlinkMetadata::decode(file.clone())?);
    let from_file = || Ok(FlinkMetadata::decode_with(StreamSource::new(File::open(stored.path())?)?)?);
    let ours: [&dyn Fn() -> Result<Decoded>; 2] = [&from_memory, &from_file];
    let bench = bench.bar(Bar::RatioAtMost(1.0 / 20.0));
    for ((name, ours), theirs) in NAMES.into_iter().zip(ours).zip(theirs) {
        let mut pairs = Vec::new();
        for theirs in [None; 3].into_iter().chain(theirs.iter().map(Some)) {
            let begin = Instant::now();
            let decoded = ours()?;
            let taken = begin.elapsed();
            give_back(decoded);
            pairs.extend(theirs.map(|milliseconds| (taken, Duration::from_secs_f64(milliseconds / 1e3))));
        }
        bench.compare_durations(name, "benchmark of Flink's harness", Work::Operations(HANDLES), pairs);
    }
    Ok(())
}

/// Drops what was decoded, and has the allocator do at once what it otherwise does for a later, larger request.
fn give_back<T>(decoded: T) {
    drop(decoded);
    drop(std::hint::black_box(Vec::<u8>::with_capacity(1 << 16)));
}

fn add(sums: &mut [Duration; 3], more: [Duration; 3]) {
    for (sum, more) in sums.iter_mut().zip(more) {
        *sum += more;
    }
}

/// Reads all of it and keeps nothing.
fn pass_over(file: Bytes) -> Result<usize> {
    let mut reader = FlinkReader::<_, SkippedBytes>::open(BytesSource::new(file))?;
    let mut subtasks = 0;
    while reader.next_operator()?.is_some() {
        while reader.next_subtask()?.is_some() {
            subtasks += 1;
        }
    }
    reader.finish()?;
    Ok(subtasks)
}
