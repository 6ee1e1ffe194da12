//! Our streams beside Flink's, in one run, in one place, and with what the benchmark of Flink's harness has each do.
//!
//! Both are measured by the clock on the wall, with the directory in memory where there is such a place: what differs is the
//! code and not the device. Flink's classes have their defaults; ours have digests on, and what they write is sealed.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use ckpt_benches::{Bar, Bench, FlinkHarness, FlinkReport, Work};
use ckpt_core::{Error, Result};
use ckpt_streams::file_system::Durability;
use ckpt_streams::{MemoryStreams, StateScope, StreamFactory};
use tempfile::TempDir;

use crate::{PIECE, failed, file_streams};

/// What Flink's benchmark writes in all, so many MiB, where it writes one large file or four smaller ones.
const LARGE_MIB: usize = 1 << 10;
const MIB: usize = 1 << 20;
/// Flink's benchmark counts what is done in one second.
const ROUND: Duration = Duration::from_secs(1);
/// Rates are printed as what so many operations take.
const OPERATIONS: usize = 1000;
/// The limit that Flink's benchmark gives to a state in memory.
const MEMORY_LIMIT: usize = 5 << 20;
/// Begins the name of every line.
const BESIDE: &str = "streams: beside Flink's:";

/// One line, and Flink's name for it.
struct Case<'a> {
    name: String,
    flinks_name: String,
    unit: &'static str,
    /// How many of the unit one measurement of ours stands for.
    amount: f64,
    work: Work,
    ours: Box<dyn Fn() -> Result<Duration> + 'a>,
}

/// Every line, or one that says why there is none.
pub(crate) fn all(bench: &Bench, piece: &[u8]) -> Result<()> {
    let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).map_err(failed)?;
    let groups =
        [("big", large(directory.path(), piece)), ("small", small(directory.path(), piece)), ("mem", memory(piece))];
    if !groups.iter().flat_map(|(_, cases)| cases).any(|case| bench.takes(&case.name)) {
        return Ok(());
    }
    let Some(harness) = FlinkHarness::from_environment().map_err(failed)? else { return Ok(()) };
    eprintln!("beside Flink's streams: in {}", directory.path().display());
    let bench = bench.bar(Bar::RatioAtMost(1.0));
    for (group, cases) in groups {
        let cases: Vec<_> = cases.into_iter().filter(|case| bench.takes(&case.name)).collect();
        if cases.is_empty() {
            continue;
        }
        let sizes = [LARGE_MIB, bench.large_pairs()].map(|number| number.to_string());
        let mut arguments = vec![directory.path().display().to_string()];
        arguments.extend(sizes.into_iter().chain([group.to_owned()]));
        let report = harness.run("Streams", &arguments).map_err(failed)?;
        for case in cases {
            case.print(&bench, &report)?;
        }
    }
    Ok(())
}

/// One large file, and four at once.
fn large<'a>(directory: &'a Path, piece: &'a [u8]) -> Vec<Case<'a>> {
    let case = move |streams: usize, of_bytes: usize| {
        let each_mib = LARGE_MIB / streams;
        let (ours, flinks) = match streams {
            1 => ("one stream".to_owned(), "fs 1 stream".to_owned()),
            _ => (format!("{streams} streams at once"), format!("fs {streams} streams at once")),
        };
        let each = if streams == 1 { "" } else { " each" };
        Case {
            name: format!("{BESIDE} {ours}, {each_mib} MiB{each} in pieces of {of_bytes} B"),
            flinks_name: format!("{flinks}, {each_mib} MiB{each} in {of_bytes} B writes"),
            unit: "MiB/s",
            amount: LARGE_MIB as f64,
            work: Work::Bytes(LARGE_MIB * MIB),
            ours: Box::new(move || {
                let place = place_in(directory)?;
                let factory = file_streams(place.path(), Durability::None)?;
                let one = || write(&factory, &piece[..of_bytes], each_mib * MIB);
                let begin = Instant::now();
                at_once(streams, || one().map(|()| 1))?;
                Ok(begin.elapsed())
            }),
        }
    };
    [1, 4].into_iter().flat_map(|streams| [64, 4096, PIECE].map(|of_bytes| case(streams, of_bytes))).collect()
}

/// Many small states, which stay in their handles, and many files of one write.
fn small<'a>(directory: &'a Path, piece: &'a [u8]) -> Vec<Case<'a>> {
    let case = move |threads: usize, state_bytes: usize, flinks: &str, unit| Case {
        name: format!("{BESIDE} create, write {state_bytes} B, finish, seal, {}", of_threads(threads)),
        flinks_name: format!("fs create + write {flinks}, {threads} thread(s)"),
        unit,
        amount: OPERATIONS as f64,
        work: Work::Operations(OPERATIONS),
        ours: Box::new(move || {
            let place = place_in(directory)?;
            let factory = file_streams(place.path(), Durability::None)?;
            for_one_round(threads, || write(&factory, &piece[..state_bytes], state_bytes))
        }),
    };
    let inline = [1, 2, 4].map(|threads| case(threads, 1 << 10, "1 KiB + close (inlined)", "streams/s"));
    let files = [1, 2, 4].map(|threads| case(threads, PIECE, "64 KiB + close (a file)", "files/s"));
    inline.into_iter().chain(files).collect()
}

/// State that stays in memory.
fn memory(piece: &[u8]) -> Vec<Case<'_>> {
    let streams = || MemoryStreams::new(MEMORY_LIMIT);
    let small = [1, 2, 4].map(|threads| Case {
        name: format!("{BESIDE} memory: create, write 1024 B, finish, seal, {}", of_threads(threads)),
        flinks_name: format!("memory create + write 1 KiB + close, {threads} thread(s)"),
        unit: "streams/s",
        amount: OPERATIONS as f64,
        work: Work::Operations(OPERATIONS),
        ours: Box::new(move || {
            let factory = streams();
            for_one_round(threads, || write(&factory, &piece[..1 << 10], 1 << 10))
        }),
    });
    const STATE: usize = 4 * MIB;
    let large = Case {
        name: format!("{BESIDE} memory: create, write 4 MiB in pieces of 64 KiB, finish, seal"),
        flinks_name: "memory create + write 4 MiB in 64 KiB writes + close, 1 thread".to_owned(),
        unit: "MiB/s",
        amount: (OPERATIONS * STATE / MIB) as f64,
        work: Work::Bytes(OPERATIONS * STATE),
        ours: Box::new(move || {
            let factory = streams();
            for_one_round(1, || write(&factory, piece, STATE))
        }),
    };
    small.into_iter().chain([large]).collect()
}

impl Case<'_> {
    /// Ours is measured as often as Flink's was. A first time does not count, as it did not for Flink's.
    fn print(&self, bench: &Bench, report: &FlinkReport) -> Result<()> {
        let rates = report.runs(&self.flinks_name, self.unit).map_err(failed)?;
        (self.ours)()?;
        let pairs = rates.iter().map(|rate| Ok(((self.ours)()?, Duration::from_secs_f64(self.amount / rate))));
        bench.compare_durations(&self.name, "Flink's classes", self.work, pairs.collect::<Result<Vec<_>>>()?);
        Ok(())
    }
}

/// What [`OPERATIONS`] take when so many threads do as many as they can for one round.
fn for_one_round(threads: usize, one: impl Fn() -> Result<()> + Sync) -> Result<Duration> {
    let begin = Instant::now();
    let done = at_once(threads, || {
        let mut done = 0;
        while begin.elapsed() < ROUND {
            one()?;
            done += 1;
        }
        Ok(done)
    })?;
    Ok(begin.elapsed().mul_f64(OPERATIONS as f64 / done as f64))
}

/// Has so many threads do it, and adds up what they did.
fn at_once(threads: usize, work: impl Fn() -> Result<u64> + Sync) -> Result<u64> {
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(&work)).collect();
        let done = threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(failed("a thread panicked"))));
        done.sum::<Result<u64, Error>>()
    })
}

/// One state of that many bytes, sealed alone.
fn write(streams: &dyn StreamFactory, piece: &[u8], state_bytes: usize) -> Result<()> {
    let mut stream = streams.create(StateScope::Exclusive)?;
    for _ in 0..state_bytes / piece.len() {
        stream.write_all(piece).map_err(failed)?;
    }
    let staged = stream.finish()?.ok_or_else(|| failed("nothing was written"))?;
    streams.seal_piece(staged).map(drop)
}

fn of_threads(threads: usize) -> String {
    if threads == 1 { "one thread".to_owned() } else { format!("{threads} threads") }
}

fn place_in(directory: &Path) -> Result<TempDir> {
    tempfile::tempdir_in(PathBuf::from(directory)).map_err(failed)
}
