//! Writing state: large and small writes, small state, many files, and what a cancellation takes.

use std::cell::Cell;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use ckpt_benches::{Bar, Bench, Work, processor_time_of, thread_time_of};
use ckpt_core::Result;
use ckpt_core::id::{LeaderEpoch, OperatorId, Writer, WriterId};
use ckpt_core::state::{FileRef, OperatorState, Place, StateHandle, SubtaskState, TaskSnapshot};
use ckpt_core::state_file::BlockDigester;
use ckpt_streams::file_system::Durability;
use ckpt_streams::{FileStreams, MemoryStreams, Staged, StateScope, StreamFactory};
use rustix::fs::Advice;

use crate::{PIECE, failed, file_streams};

/// Large enough that what happens once for each file does not count.
const LARGE: usize = 1 << 30;
const SMALL_WRITE: usize = 64;
const SMALL_STATE: usize = 1 << 10;
/// As many files as a task with that many column families has.
const FILES: usize = 200;
/// How much small state a thread writes at a time.
const SMALL_STATES: u32 = 10_000;

/// Every line about writing.
pub(crate) fn all(bench: &Bench, piece: &[u8], directory: &Path) -> Result<()> {
    let streams = file_streams(directory, Durability::None)?;
    large(bench, &streams, piece, directory);
    small_state(bench, &streams);
    memory(bench);
    many_files(bench, &streams, piece, directory);
    let durable = file_streams(directory, Durability::Full)?;
    large_durable(bench, &durable, piece, directory);
    sealed_files(bench, &durable, piece, directory);
    cancelled(bench, piece, directory)
}

/// Both write a file; it is removed where that does not count. Neither syncs: the device is not ours to measure.
fn large(bench: &Bench, streams: &FileStreams, piece: &[u8], directory: &Path) {
    let baseline = || {
        let (taken, written) = processor_time_of(|| plain_file(directory, 0, piece, LARGE).map(drop));
        remove_plain(directory, written).map(|()| taken)
    };
    let write = |name, of_bytes: usize, least| {
        let ours = || {
            let (taken, staged) = processor_time_of(|| written(streams, &piece[..of_bytes], LARGE));
            staged.map(|_| taken)
        };
        pairs(&bench.bar(Bar::RatioAtMost(1.0 / least)), name, "write calls of 64 KiB to a plain file", ours, baseline);
    };
    write("streams: write 1 GiB to a file in pieces of 64 KiB", PIECE, 0.9);
    write("streams: write 1 GiB to a file in pieces of 64 B", SMALL_WRITE, 0.6);
}

/// By the clock on the wall, until the bytes and the name are durable.
fn large_durable(bench: &Bench, streams: &FileStreams, piece: &[u8], directory: &Path) {
    let name = "streams: write 1 GiB to a file and seal it, durably, on the wall";
    if !bench.takes(name) {
        return;
    }
    let ours = || {
        let begin = Instant::now();
        let sealed = seal(streams, [written(streams, piece, LARGE)?])?;
        let taken = begin.elapsed();
        remove(directory, &sealed).map(|()| taken)
    };
    let baseline = || {
        let begin = Instant::now();
        let synced = plain_file(directory, 0, piece, LARGE).and_then(|file| file.sync_all());
        let synced = synced.and_then(|()| File::open(directory)?.sync_all());
        let taken = begin.elapsed();
        remove_plain(directory, synced).map(|()| taken)
    };
    let measured = (0..bench.large_pairs()).map(|_| Ok((ours()?, baseline()?))).collect();
    print(bench, name, "write calls of 64 KiB, fsync of the file and of its directory", Work::Bytes(LARGE), measured);
}

/// State that stays in its handle.
fn small_state(bench: &Bench, streams: &FileStreams) {
    let state = [7; SMALL_STATE];
    let one = |operator: u8| {
        let staged = written(streams, &state, SMALL_STATE)?;
        let state = SubtaskState::new(Vec::new(), vec![OperatorState::new(Default::default(), staged)]);
        streams.seal(TaskSnapshot::new([(OperatorId::new([operator; 16]), state)].into()))
    };
    bench.bar(Bar::AtMost(1000.0)).compare(
        "streams: small state to its handle: create, write 1 KiB, finish, seal",
        "a vector of that state",
        Work::Operations(1),
        || one(1),
        || state.to_vec(),
    );
    // What threads take from each other: nothing, if they share nothing that either writes.
    let at_once = |threads: usize| {
        let begin = Barrier::new(threads);
        let run = || {
            begin.wait();
            thread_time_of(|| (0..SMALL_STATES).try_for_each(|_| one(1).map(drop)))
        };
        let each: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
            threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
        });
        let total = each.iter().map(|(taken, _)| *taken).sum::<Duration>();
        total / u32::try_from(threads).unwrap_or(1)
    };
    let name = "streams: small state to its handle by two threads of one factory at once, each";
    let pairs = (0..bench.pairs()).map(|_| (at_once(2), at_once(1)));
    let work = Work::Operations(SMALL_STATES as usize);
    if bench.takes(name) {
        bench.bar(Bar::RatioAtMost(1.1)).compare_durations(name, "one thread alone", work, pairs);
    }
}

fn memory(bench: &Bench) {
    let streams = MemoryStreams::new(SMALL_STATE);
    let state = [7; SMALL_STATE];
    bench.bar(Bar::AtMost(350.0)).compare(
        "streams: state to memory: create, write 1 KiB, finish",
        "a vector of that state",
        Work::Operations(1),
        || {
            let mut stream = streams.create(StateScope::Exclusive)?;
            stream.write_all(&state).map_err(failed)?;
            stream.finish()
        },
        || state.to_vec(),
    );
}

/// In one directory, under names of one length. Nothing is removed before all is measured: a file system looks for a while
/// at what was removed when it makes a file, and that takes longer than all else.
fn many_files(bench: &Bench, streams: &FileStreams, piece: &[u8], directory: &Path) {
    let name = "streams: 200 files of 64 KiB: create, write, finish";
    if !bench.takes(name) {
        return;
    }
    let plain_files = Cell::new(0);
    let plain = |end: &dyn Fn(&mut File, usize) -> io::Result<()>| {
        let (taken, written) = processor_time_of(|| {
            (0..FILES).try_for_each(|_| {
                let number = plain_files.replace(plain_files.get() + 1);
                plain_file(directory, number, piece, PIECE).and_then(|mut file| end(&mut file, number))
            })
        });
        written.map(|()| taken).map_err(failed)
    };
    let against = |bench: &Bench, baseline_name: &str, end: &dyn Fn(&mut File, usize) -> io::Result<()>| {
        let mut kept = Vec::new();
        let mut ours = || -> Result<Duration> {
            let (taken, staged) =
                processor_time_of(|| (0..FILES).map(|_| written(streams, piece, PIECE)).collect::<Result<Vec<_>>>());
            kept.push(staged?);
            Ok(taken)
        };
        let measured = (0..bench.pairs()).map(|number| match number % 2 {
            0 => Ok((ours()?, plain(end)?)),
            _ => plain(end).and_then(|baseline| Ok((ours()?, baseline))),
        });
        print(bench, name, baseline_name, Work::Operations(FILES), measured.collect());
        for number in 0..plain_files.take() {
            let _ = fs::remove_file(plain_path(directory, number));
        }
    };
    against(&bench.bar(Bar::RatioAtMost(1.0 / 0.9)), "open, write, close", &|_, _| Ok(()));
    // What a state file is made of, and nothing else: no less is possible with these bytes.
    let writer = Writer::new(LeaderEpoch::new(1), WriterId::new(2));
    against(bench, "open, write, digest, write the digest and the trailer, close", &|file, number| {
        let mut digester = BlockDigester::new();
        digester.update(piece);
        let name = writer.file(u32::try_from(number).unwrap_or(u32::MAX));
        file.write_all(&digester.finish(&name).bytes)
    });
}

/// By the clock on the wall: what is measured is how the device is asked.
fn sealed_files(bench: &Bench, streams: &FileStreams, piece: &[u8], directory: &Path) {
    let ours = || {
        let begin = Instant::now();
        let staged: Result<Vec<_>> = (0..FILES).map(|_| written(streams, piece, PIECE)).collect();
        let sealed = seal(streams, staged?)?;
        let taken = begin.elapsed();
        remove(directory, &sealed).map(|()| taken)
    };
    let each = |sync: fn(&[File]) -> io::Result<()>| {
        let begin = Instant::now();
        let files: io::Result<Vec<_>> = (0..FILES).map(|file| plain_file(directory, file, piece, PIECE)).collect();
        let synced = files.and_then(|files| sync(&files)).and_then(|()| File::open(directory)?.sync_all());
        let taken = begin.elapsed();
        remove_plain(directory, synced).map(|()| taken)
    };
    let against = |bench: &Bench, baseline_name: &str, sync: fn(&[File]) -> io::Result<()>| {
        let name = "streams: 200 files of 64 KiB written and sealed in one batch, durably, on the wall";
        if bench.takes(name) {
            let measured = (0..bench.pairs()).map(|_| Ok((ours()?, each(sync)?))).collect();
            print(bench, name, baseline_name, Work::Operations(FILES), measured);
        }
    };
    let barred = bench.bar(Bar::RatioAtMost(1.0));
    against(&barred, "write all, fsync each", |files| files.iter().try_for_each(File::sync_all));
    against(&barred, "write all, begin to write back all, fsync each", |files| {
        for file in files {
            rustix::fs::fadvise(file, 0, None, Advice::DontNeed)?;
        }
        files.iter().try_for_each(File::sync_all)
    });
    against(bench, "write all, one syncfs", |files| Ok(files.first().map_or(Ok(()), rustix::fs::syncfs)?));
}

/// How long a cancellation takes while another thread writes: until it has returned, and until nothing is left.
fn cancelled(bench: &Bench, piece: &[u8], directory: &Path) -> Result<()> {
    let name = "streams: cancel while 1 GiB is being written, on the wall";
    if !bench.takes(name) {
        return Ok(());
    }
    let mut measured = Vec::new();
    for _ in 0..bench.pairs() {
        let streams = file_streams(directory, Durability::None)?;
        let begun = Barrier::new(2);
        let pair = thread::scope(|scope| {
            scope.spawn(|| {
                begun.wait();
                written(&streams, piece, LARGE).map(drop)
            });
            begun.wait();
            thread::sleep(Duration::from_millis(20));
            let begin = Instant::now();
            let pending = streams.cancel();
            let returned = begin.elapsed();
            pending.wait().map(|()| (returned, begin.elapsed()))
        });
        measured.push(pair?);
    }
    bench.bar(Bar::AtMost(1e6)).compare_durations(name, "until nothing is left", Work::Operations(1), measured);
    Ok(())
}

/// Interleaved pairs of large pieces of work. Who goes first changes, so that neither always finds the other's leavings.
fn pairs(
    bench: &Bench,
    name: &str,
    baseline_name: &str,
    ours: impl Fn() -> Result<Duration>,
    baseline: impl Fn() -> Result<Duration>,
) {
    if !bench.takes(name) {
        return;
    }
    let measured = (0..bench.pairs()).map(|number| match number % 2 {
        0 => Ok((ours()?, baseline()?)),
        _ => baseline().and_then(|baseline| Ok((ours()?, baseline))),
    });
    print(bench, name, baseline_name, Work::Bytes(LARGE), measured.collect());
}

fn print(bench: &Bench, name: &str, baseline_name: &str, work: Work, pairs: Result<Vec<(Duration, Duration)>>) {
    match pairs {
        Ok(pairs) => bench.compare_durations(name, baseline_name, work, pairs),
        Err(error) => eprintln!("{name}: {error}"),
    }
}

/// State of that many bytes, written in such pieces and not sealed; dropping it removes it.
fn written(streams: &FileStreams, piece: &[u8], state_bytes: usize) -> Result<Staged> {
    let mut stream = streams.create(StateScope::Exclusive)?;
    for _ in 0..state_bytes / piece.len() {
        stream.write_all(piece).map_err(failed)?;
    }
    stream.finish()?.ok_or_else(|| failed("nothing was written"))
}

fn seal(streams: &FileStreams, staged: impl IntoIterator<Item = Staged>) -> Result<Vec<StateHandle>> {
    let states = staged.into_iter().map(|staged| OperatorState::new(Default::default(), staged)).collect();
    let state = SubtaskState::new(Vec::new(), states);
    let sealed = streams.seal(TaskSnapshot::new([(OperatorId::new([1; 16]), state)].into()))?;
    Ok(sealed.handles().cloned().collect())
}

/// Removes what was sealed.
fn remove(directory: &Path, sealed: &[StateHandle]) -> Result<()> {
    let files = sealed.iter().filter_map(|handle| match handle.place() {
        Place::File { file: FileRef::Ours(name), .. } => Some(directory.join(name.to_string())),
        _ => None,
    });
    files.map(fs::remove_file).try_for_each(|removed| removed).map_err(failed)
}

fn plain_file(directory: &Path, number: usize, piece: &[u8], file_bytes: usize) -> io::Result<File> {
    let mut file = File::create_new(plain_path(directory, number))?;
    for _ in 0..file_bytes / piece.len() {
        file.write_all(piece)?;
    }
    Ok(file)
}

/// As long as the path of a state file.
fn plain_path(directory: &Path, number: usize) -> PathBuf {
    directory.join(format!("plain-{number:036}"))
}

/// Removes the plain files, whatever became of writing them.
fn remove_plain(directory: &Path, written: io::Result<()>) -> Result<()> {
    let removed = (0..FILES).map(|number| fs::remove_file(plain_path(directory, number)));
    let missing = |outcome: &io::Result<()>| !matches!(outcome, Err(error) if error.kind() == io::ErrorKind::NotFound);
    written.and_then(|()| removed.filter(missing).collect()).map_err(failed)
}
