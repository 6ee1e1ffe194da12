//! Disposing of a snapshot beside bare calls that remove the same files.

use std::fs::{self, File};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ckpt_benches::{Bar, Bench, Work, peak_memory_of, processor_time_of};
use ckpt_core::head::Nonce;
use ckpt_core::id::{CheckpointId, LeaderEpoch, Writer, WriterId};
use ckpt_core::snapshot::CheckpointIdentity;
use ckpt_core::state::{FileRef, Place, RelPath, Root, StateHandle, SubtaskState};
use ckpt_core::{Digest, Result, Timestamp};
use ckpt_storage::{DisposeOptions, StorageContext, dispose};
use ckpt_streams::file_system::{Durability, FileSystems};
use ckpt_streams::{Pool, PoolOptions};
use rustix::fs::{AtFlags, unlinkat};

use crate::{failed, metadata, operator_state};

const FILES: u32 = 10_000;
const MANY_FILES: u32 = 100_000;

/// Has a process dispose of what follows, and do nothing else.
const ALONE: &str = "--dispose-of";

/// Making what is disposed of takes longer than disposing of it.
const MOST_PAIRS: usize = 15;

/// How many threads delete, on both sides.
const THREADS: NonZeroUsize = NonZeroUsize::new(2).expect("2 is not 0");

/// Every line about disposing.
pub(crate) fn all(bench: &Bench, directory: &Path) -> Result<()> {
    let bar = bench.bar(Bar::RatioAtMost(1.2));
    let scratch = Scratch::new(directory)?;
    for (name, wall) in [
        ("storage: dispose of 10,000 files", Clock::Processor),
        ("storage: dispose of 10,000 files, on the wall", Clock::Wall),
    ] {
        scratch.compare(&bar, name, "unlinkat by as many threads", Durability::None, wall);
    }
    for (name, wall) in [
        ("storage: dispose of 10,000 files, each step durable", Clock::Processor),
        ("storage: dispose of 10,000 files, each step durable, on the wall", Clock::Wall),
    ] {
        scratch.compare(&bar, name, "the same, and as many syncs between the steps", Durability::Full, wall);
    }
    const MEMORY: &str = "storage: most memory of a process that disposes of 100,000 files";
    if bench.takes(MEMORY) {
        let (many, one) = (scratch.snapshot(MANY_FILES)?, scratch.snapshot(1)?);
        let peak = |snapshot: &Path| {
            let program = std::env::current_exe().map_err(failed)?;
            peak_memory_of(Command::new(program).arg(ALONE).arg(snapshot)).map_err(failed)
        };
        let sizes = (peak(&many)? as f64, peak(&one)? as f64);
        bench.compare_sizes(MEMORY, "of one file", "B", sizes);
    }
    Ok(())
}

/// Whether this process is one whose memory is measured; then it has done its work.
pub(crate) fn alone() -> Result<bool> {
    let mut arguments = std::env::args().skip_while(|argument| argument != ALONE);
    let Some(snapshot) = arguments.nth(1) else { return Ok(false) };
    let options = DisposeOptions::new(Nonce::new([3; 16]), Timestamp::from_millis(1));
    let options = options.with_parallelism(THREADS).with_durability(Durability::None);
    let disposal = dispose(&snapshot, &Scratch::new(Path::new(&snapshot))?.context, &options)?;
    println!("{}", disposal.gone);
    Ok(true)
}

#[derive(Clone, Copy, Debug)]
enum Clock {
    Processor,
    Wall,
}

/// A directory in which snapshots are made and disposed of.
struct Scratch {
    directory: PathBuf,
    context: StorageContext,
    made: AtomicU8,
}

impl Scratch {
    fn new(directory: &Path) -> Result<Self> {
        let mut options = PoolOptions::default();
        options.threads = THREADS.get();
        let context = StorageContext::new(FileSystems::local().into(), std::sync::Arc::new(Pool::new(options)?));
        Ok(Self { directory: directory.to_owned(), context, made: AtomicU8::new(0) })
    }

    /// Interleaved pairs. Who goes first changes, so that neither always finds the other's leavings.
    fn compare(&self, bench: &Bench, name: &str, baseline_name: &str, durability: Durability, clock: Clock) {
        if !bench.takes(name) {
            return;
        }
        let timed = |work: &dyn Fn(&Path) -> Result<()>| -> Result<Duration> {
            let snapshot = self.snapshot(FILES)?;
            if durability == Durability::Full {
                // What is still to be written of it is no matter of its end.
                rustix::fs::syncfs(File::open(&snapshot).map_err(failed)?).map_err(failed)?;
            }
            let begin = Instant::now();
            let (processor, done) = processor_time_of(|| work(&snapshot));
            let wall = begin.elapsed();
            done?;
            match (snapshot.exists(), clock) {
                (true, _) => Err(failed("something is left")),
                (false, Clock::Processor) => Ok(processor),
                (false, Clock::Wall) => Ok(wall),
            }
        };
        let ours = || timed(&|snapshot| self.dispose(snapshot, FILES, durability));
        let baseline = || timed(&|snapshot| unlink_all(snapshot, durability));
        let measured: Result<Vec<_>> = (0..bench.pairs().min(MOST_PAIRS))
            .map(|number| match number % 2 {
                0 => Ok((ours()?, baseline()?)),
                _ => baseline().and_then(|baseline| Ok((ours()?, baseline))),
            })
            .collect();
        match measured {
            Ok(pairs) => bench.compare_durations(name, baseline_name, Work::Operations(FILES as usize), pairs),
            Err(error) => eprintln!("{name}: {error}"),
        }
    }

    /// A snapshot of so many files of its own.
    fn snapshot(&self, files: u32) -> Result<PathBuf> {
        let directory = self.directory.join(format!("savepoint-{}", self.made.fetch_add(1, Ordering::Relaxed)));
        fs::create_dir_all(&directory).map_err(failed)?;
        let mut handles = Vec::new();
        for name in names(files) {
            fs::write(directory.join(name.0.as_str()), b"0123456789abcdef").map_err(failed)?;
            let place = Place::File { root: Root::ThisSnapshot, file: FileRef::Ours(name.1) };
            handles.push(operator_state(StateHandle::assume_durable(place, 16, Some(Digest::of(b"state"))))?);
        }
        let id = CheckpointId::new(1).ok_or_else(|| failed("checkpoints are numbered from 1"))?;
        let identity = CheckpointIdentity::new(id, LeaderEpoch::new(1), Timestamp::from_millis(1), None);
        let (bytes, _) = metadata(identity, &SubtaskState::new(Vec::new(), handles))?.encode()?;
        fs::write(directory.join("_metadata"), bytes).map_err(failed)?;
        Ok(directory)
    }

    fn dispose(&self, snapshot: &Path, files: u32, durability: Durability) -> Result<()> {
        let options = DisposeOptions::new(Nonce::new([3; 16]), Timestamp::from_millis(1));
        let options = options.with_parallelism(THREADS).with_durability(durability);
        let disposal = dispose(&snapshot.to_string_lossy(), &self.context, &options)?;
        match disposal.is_complete() && disposal.gone.files == u64::from(files) {
            true => Ok(()),
            false => Err(failed(format!("{disposal:?}"))),
        }
    }
}

/// What would be called if it were known that nothing can go wrong.
fn unlink_all(snapshot: &Path, durability: Durability) -> Result<()> {
    let names: Vec<RelPath> = names(FILES).map(|(path, _)| path).collect();
    let directory = File::open(snapshot).map_err(failed)?;
    let above = File::open(snapshot.join("..")).map_err(failed)?;
    let sync = |files: &[&File]| match durability {
        Durability::None => Ok(()),
        _ => files.iter().try_for_each(|file| file.sync_all()).map_err(failed),
    };
    if durability != Durability::None {
        let mark = File::create(snapshot.join("mark")).map_err(failed)?;
        sync(&[&mark, &directory, &above])?;
    }
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let remove = || {
            while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                unlinkat(&directory, name.as_str(), AtFlags::empty()).map_err(failed)?;
            }
            Ok(())
        };
        let threads: Vec<_> = (1..THREADS.get()).map(|_| scope.spawn(remove)).collect();
        let own = remove();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| Err(failed("a panic"))))
            .fold(own, Result::and)
    })?;
    sync(&[&directory])?;
    fs::remove_file(snapshot.join("_metadata")).map_err(failed)?;
    sync(&[&directory])?;
    if durability != Durability::None {
        fs::remove_file(snapshot.join("mark")).map_err(failed)?;
    }
    fs::remove_dir(snapshot).map_err(failed)?;
    sync(&[&above])
}

/// The names of state files.
fn names(files: u32) -> impl Iterator<Item = (RelPath, ckpt_core::id::FileName)> {
    let writer = Writer::new(LeaderEpoch::new(1), WriterId::new(1));
    (0..files).map(move |number| (RelPath::from(&writer.file(number)), writer.file(number)))
}
