//! Verifying a checkpoint beside reading the same bytes.

use std::fs::File;
use std::num::NonZeroUsize;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ckpt_benches::{Bar, Bench, Work, processor_time_of};
use ckpt_core::Result;
use ckpt_core::state::SubtaskState;
use ckpt_storage::CheckpointStorage as _;
use ckpt_storage::verify::VerifyOptions;
use ckpt_streams::StateScope;
use ckpt_streams::file_system::Durability;
use rustix::fs::{Advice, fadvise};

use crate::{Job, failed, file, operator_state};

/// What is read at once, by both.
const READ: usize = 256 << 10;
const PIECE: usize = 64 << 10;

/// A checkpoint to verify.
struct Checkpoint {
    job: Job,
    pointer: String,
    files: Vec<PathBuf>,
    bytes: usize,
}

/// Every line about verifying.
pub(crate) fn all(bench: &Bench, directory: &Path) -> Result<()> {
    const LARGE: &str = "storage: verify a checkpoint of 1 GiB in 16 files, by one thread";
    const SMALL: &str = "storage: verify a checkpoint of 10,000 files of 64 KiB, by one thread";
    const FROM_DISK: &str =
        "storage: verify a checkpoint of 1 GiB that is not in memory, by eight threads, on the wall";
    let bar = bench.bar(Bar::RatioAtMost(1.0 / 0.8));
    if [LARGE, FROM_DISK].iter().any(|name| bench.takes(name)) {
        let checkpoint = Checkpoint::of(&directory.join("large"), 16, 64 << 20)?;
        checkpoint.compare(&bar, LARGE, "pread calls of 256 KiB");
        checkpoint.compare_from_disk(&bench.bar(Bar::RatioAtMost(1.1)), FROM_DISK, "pread calls by eight threads")?;
    }
    if bench.takes(SMALL) {
        let checkpoint = Checkpoint::of(&directory.join("small"), 10_000, 64 << 10)?;
        checkpoint.compare(bench, SMALL, "open, status, pread, close");
    }
    Ok(())
}

impl Checkpoint {
    fn of(directory: &Path, files: usize, bytes_each: usize) -> Result<Self> {
        let mut job = Job::in_directory(directory, Durability::None)?;
        let identity = job.identity(1)?;
        let location = job.view.initialize_checkpoint(&identity)?;
        let streams = job.streams(identity)?;
        let piece: Vec<u8> = (0..PIECE.min(bytes_each) as u32).map(|n| n.wrapping_mul(0x9e37_79b9) as u8).collect();
        let handles = (0..files)
            .map(|_| operator_state(file(&*streams, StateScope::Exclusive, &piece, bytes_each / piece.len())?));
        job.publish(&*location, identity, &SubtaskState::new(Vec::new(), handles.collect::<Result<_>>()?))?;
        let pointer = job.pointer(directory, 1);
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(&pointer).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if !path.ends_with("_metadata") {
                paths.push(path);
            }
        }
        // As a verification reads them.
        paths.sort();
        Ok(Self { job, pointer, files: paths, bytes: files * bytes_each })
    }

    /// The processor time of both, of what is in memory.
    fn compare(&self, bench: &Bench, name: &str, baseline_name: &str) {
        let ours = || self.verified(1).map(|(processor, _)| processor);
        let baseline = || {
            let (taken, read) =
                processor_time_of(|| self.files.iter().try_for_each(|path| read(path, &mut vec![0; READ])));
            read.map(|()| taken)
        };
        pairs(bench, name, baseline_name, self.bytes, &ours, &baseline);
    }

    /// The time on the wall of both, of what is not.
    fn compare_from_disk(&self, bench: &Bench, name: &str, baseline_name: &str) -> Result<()> {
        const THREADS: usize = 8;
        let ours = || {
            self.forget()?;
            self.verified(THREADS).map(|(_, wall)| wall)
        };
        let baseline = || {
            self.forget()?;
            let (begin, next) = (Instant::now(), AtomicUsize::new(0));
            let outcomes: Vec<Result<()>> = std::thread::scope(|scope| {
                let reads = || {
                    let mut buffer = vec![0; READ];
                    while let Some(path) = self.files.get(next.fetch_add(1, Ordering::Relaxed)) {
                        read(path, &mut buffer)?;
                    }
                    Ok(())
                };
                let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(reads)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(failed("a panic")))).collect()
            });
            outcomes.into_iter().collect::<Result<Vec<()>>>()?;
            Ok(begin.elapsed())
        };
        pairs(bench, name, baseline_name, self.bytes, &ours, &baseline);
        Ok(())
    }

    /// Has the system forget the files.
    fn forget(&self) -> Result<()> {
        self.files.iter().try_for_each(|path| {
            let file = File::open(path).map_err(failed)?;
            file.sync_all().map_err(failed)?;
            fadvise(&file, 0, None, Advice::DontNeed).map_err(failed)
        })
    }

    /// The processor time and the time on the wall of verifying it, resolving included.
    fn verified(&self, files_at_once: usize) -> Result<(Duration, Duration)> {
        let files_at_once = NonZeroUsize::new(files_at_once).ok_or_else(|| failed("no thread"))?;
        let options = VerifyOptions::default().with_files_at_once(files_at_once);
        let begin = Instant::now();
        let (processor, report) = processor_time_of(|| {
            let location = self.job.storage.resolve(&self.pointer, &self.job.context)?;
            location.verify(&self.job.context, &options, &mut Vec::new())
        });
        let wall = begin.elapsed();
        match report? {
            report if report.read_bytes == self.bytes as u64 && report.is_whole() => Ok((processor, wall)),
            report => Err(failed(format!("{report:?}"))),
        }
    }
}

/// All of a file, as it is.
fn read(path: &Path, buffer: &mut [u8]) -> Result<()> {
    let file = File::open(path).map_err(failed)?;
    let mut left = file.metadata().map_err(failed)?.len();
    let mut at = 0;
    while left > 0 {
        let take = left.min(buffer.len() as u64);
        file.read_exact_at(&mut buffer[..take as usize], at).map_err(failed)?;
        (at, left) = (at + take, left - take);
    }
    Ok(())
}

/// Interleaved pairs. Who goes first changes, so that neither always finds the other's leavings.
fn pairs(
    bench: &Bench,
    name: &str,
    baseline_name: &str,
    bytes: usize,
    ours: &dyn Fn() -> Result<Duration>,
    baseline: &dyn Fn() -> Result<Duration>,
) {
    if !bench.takes(name) {
        return;
    }
    let measured: Result<Vec<_>> = (0..bench.pairs())
        .map(|number| match number % 2 {
            0 => Ok((ours()?, baseline()?)),
            _ => baseline().and_then(|baseline| Ok((ours()?, baseline))),
        })
        .collect();
    match measured {
        Ok(pairs) => bench.compare_durations(name, baseline_name, Work::Bytes(bytes), pairs),
        Err(error) => eprintln!("{name}: {error}"),
    }
}
