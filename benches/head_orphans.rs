//! Collecting what former leaders left, beside removing the same files.

use std::cell::Cell;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use ckpt_benches::{Bar, Bench, Work, peak_memory_of, processor_time_of};
use ckpt_core::Result;
use ckpt_core::head::Nonce;
use ckpt_core::id::{LeaderEpoch, Writer, WriterId};
use ckpt_storage::claim;
use ckpt_streams::file_system::Durability;
use rustix::fs::{AtFlags, unlinkat};

use crate::{JOB, Job, failed};

const FILES: u32 = 50_000;
const MANY_FILES: u32 = 500_000;

/// How many files the state of one checkpoint has.
const OF_EACH_CHECKPOINT: u32 = 10;

/// Has a process collect below what follows, and do nothing else.
const ALONE: &str = "--collect-below";

/// What was left.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Shared,
    Checkpoints,
}

/// Every line about orphans.
pub(crate) fn all(bench: &Bench, directory: &Path) -> Result<()> {
    // 50,000 a second, beside what it takes to unlink them.
    let bar = bench.bar(Bar::BeyondAtMost(20_000.0));
    for (name, kind) in [
        ("head: collect 50,000 shared files that nobody names", Kind::Shared),
        ("head: collect 5,000 checkpoints of ten files that nobody names", Kind::Checkpoints),
    ] {
        let scratch = tempfile::tempdir_in(directory).map_err(failed)?;
        let made = Cell::new(0);
        let timed = |work: &dyn Fn(&Left) -> Result<()>| -> Result<Duration> {
            made.set(made.get() + 1);
            let left = Left::new(&scratch.path().join(made.get().to_string()), kind, FILES)?;
            let (taken, done) = processor_time_of(|| work(&left));
            done?;
            left.is_gone()?;
            Ok(taken)
        };
        let ours = || timed(&Left::collect);
        let bare = || timed(&Left::unlink);
        bar.compare_timed(name, "unlinkat of each, by the descriptor", Work::Operations(FILES as usize), ours, bare)?;
    }
    const MEMORY: &str = "head: most memory of a process that collects 500,000 files";
    if bench.takes(MEMORY) {
        let peak = |files| -> Result<f64> {
            let scratch = tempfile::tempdir_in(directory).map_err(failed)?;
            let left = Left::new(scratch.path(), Kind::Shared, files)?;
            let program = std::env::current_exe().map_err(failed)?;
            let peak = peak_memory_of(Command::new(program).arg(ALONE).arg(scratch.path())).map_err(failed)?;
            left.is_gone()?;
            Ok(peak as f64)
        };
        let sizes = (peak(MANY_FILES)?, peak(FILES)?);
        bench.bar(Bar::RatioAtMost(1.05)).compare_sizes(MEMORY, "of 50,000 files", "B", sizes);
    }
    Ok(())
}

/// Whether this process is one whose memory is measured; then it has done its work.
pub(crate) fn alone() -> Result<bool> {
    let mut arguments = std::env::args().skip_while(|argument| argument != ALONE);
    let Some(directory) = arguments.nth(1) else { return Ok(false) };
    println!("{}", collect(&Job::in_directory(Path::new(&directory), Durability::None)?)?);
    Ok(true)
}

/// Takes the job over and collects what is there.
fn collect(job: &Job) -> Result<u64> {
    let claimed = claim(&*job.view.head(), JOB, Nonce::new([2; 16]))?;
    job.view.collect_orphans(claimed.head.head(), &[])
}

/// A job whose leader has died and left files that nobody names.
struct Left {
    directory: PathBuf,
    job: Job,
    kind: Kind,
    files: u32,
}

impl Left {
    fn new(directory: &Path, kind: Kind, files: u32) -> Result<Self> {
        let job = Job::in_directory(directory, Durability::None)?;
        let left = Self { directory: directory.join(JOB.to_string()), job, kind, files };
        for place in left.places() {
            fs::create_dir_all(&place).map_err(failed)?;
            for name in left.names() {
                File::create_new(place.join(name)).map_err(failed)?;
            }
        }
        Ok(left)
    }

    /// Where the files are.
    fn places(&self) -> Vec<PathBuf> {
        let numbers = match self.kind {
            Kind::Shared => return vec![self.directory.join("shared")],
            Kind::Checkpoints => 1..=self.files / OF_EACH_CHECKPOINT,
        };
        numbers.map(|number| self.directory.join(format!("chk-{number}"))).collect()
    }

    /// What they are called in each place.
    fn names(&self) -> impl Iterator<Item = String> {
        let files = match self.kind {
            Kind::Shared => self.files,
            Kind::Checkpoints => OF_EACH_CHECKPOINT,
        };
        (0..files).map(|number| Writer::new(LeaderEpoch::new(1), WriterId::new(1)).file(number).to_string())
    }

    fn collect(&self) -> Result<()> {
        match collect(&self.job)? {
            files if files == u64::from(self.files) => Ok(()),
            files => Err(failed(format!("{files} of {} files are collected", self.files))),
        }
    }

    fn unlink(&self) -> Result<()> {
        let names: Vec<_> = self.names().collect();
        for place in self.places() {
            let directory = File::open(&place).map_err(failed)?;
            for name in &names {
                unlinkat(&directory, name.as_str(), AtFlags::empty()).map_err(failed)?;
            }
            fs::remove_dir(&place).map_err(failed)?;
        }
        Ok(())
    }

    fn is_gone(&self) -> Result<()> {
        let left = self.places().into_iter().find(|place| place.exists());
        left.map_or(Ok(()), |place| Err(failed(format!("'{}' is left", place.display()))))
    }
}
