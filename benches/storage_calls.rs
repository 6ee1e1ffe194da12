//! Publishing a checkpoint beside the system calls that the order demands, of which a test of ckpt-storage shows that they
//! are those that are made.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use ckpt_benches::{Bar, Bench, Work, processor_time_of};
use ckpt_core::Result;
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::state::{StateHandle, SubtaskState};
use ckpt_streams::file_system::Durability;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{
    AtFlags, Mode, OFlags, ResolveFlags, StatxFlags, fstat, fsync, linkat, mkdirat, openat, openat2, statx, unlinkat,
};
use rustix::io::Errno;

use crate::{Job, failed, metadata, operator_state};

/// How many checkpoints are published at a time.
const CHECKPOINTS: u64 = 100;

/// Every line about publishing.
pub(crate) fn all(bench: &Bench, directory: &Path) -> Result<()> {
    const NAME: &str = "storage: place a checkpoint and publish its metadata";
    if !bench.takes(NAME) {
        return Ok(());
    }
    let job = Job::in_directory(&directory.join("calls"), Durability::Full)?;
    let bare = directory.join("bare-calls");
    std::fs::create_dir(&bare).map_err(failed)?;
    let bare: OwnedFd = File::open(bare).map_err(failed)?.into();
    let (mut numbers, mut bare_numbers) = (1.., 1..);
    let ours = |numbers: &mut dyn Iterator<Item = u64>| published(&job, numbers);
    let theirs = |numbers: &mut dyn Iterator<Item = u64>| called(&job, bare.as_fd(), numbers);
    let mut measured = Vec::new();
    for pair in 0..bench.pairs() {
        // Who goes first changes, so that neither always finds the other's leavings.
        measured.push(match pair % 2 {
            0 => (ours(&mut numbers)?, theirs(&mut bare_numbers)?),
            _ => {
                let theirs = theirs(&mut bare_numbers)?;
                (ours(&mut numbers)?, theirs)
            }
        });
    }
    let bench = bench.bar(Bar::RatioAtMost(1.3));
    bench.compare_durations(NAME, "the same system calls, bare", Work::Operations(CHECKPOINTS as usize), measured);
    Ok(())
}

/// The metadata of a checkpoint that has little state, all of it in the metadata.
fn small(job: &Job, number: u64) -> Result<CheckpointMetadata> {
    let state = SubtaskState::new(Vec::new(), vec![operator_state(StateHandle::inline(vec![1; 100].into()))?]);
    metadata(job.identity(number)?, &state)
}

/// The processor time of publishing some checkpoints.
fn published(job: &Job, numbers: &mut dyn Iterator<Item = u64>) -> Result<Duration> {
    let metadata: Vec<_> =
        numbers.take(CHECKPOINTS as usize).map(|number| small(job, number)).collect::<Result<_>>()?;
    let (taken, published) = processor_time_of(|| {
        metadata.iter().try_for_each(|metadata| {
            let location = job.view.initialize_checkpoint(&metadata.summary().identity)?;
            location.publish(metadata).map(drop)
        })
    });
    published.map(|()| taken)
}

/// The processor time of the same calls with the same bytes.
fn called(job: &Job, directory: BorrowedFd<'_>, numbers: &mut dyn Iterator<Item = u64>) -> Result<Duration> {
    let files = numbers.take(CHECKPOINTS as usize).map(|number| {
        let (bytes, _) = small(job, number)?.encode()?;
        Ok((format!("chk-{number}"), format!("chk-{number}/.tmp-_metadata-1-{number}"), bytes))
    });
    let files: Vec<(String, String, Vec<u8>)> = files.collect::<Result<_>>()?;
    let (taken, outcome) = processor_time_of(|| {
        files.iter().try_for_each(|(place, temporary, bytes)| publish(directory, place, temporary, bytes))
    });
    outcome.map(|()| taken).map_err(failed)
}

fn publish(job: BorrowedFd<'_>, place: &str, temporary: &str, bytes: &[u8]) -> rustix::io::Result<()> {
    let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    let directory = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::DIRECTORY;
    let new = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let open = || openat2(job, place, directory, Mode::empty(), beneath);
    let create = || openat2(job, temporary, new, Mode::RUSR | Mode::WUSR, beneath);
    let look = |file: BorrowedFd<'_>| statx(file, "", AtFlags::EMPTY_PATH, StatxFlags::ALL).map(drop);
    if !matches!((open(), create()), (Err(Errno::NOENT), Err(Errno::NOENT))) {
        return Err(Errno::EXIST);
    }
    mkdirat(job, place, Mode::RWXU)?;
    let made = openat(job, place, directory, Mode::empty())?;
    fstat(&made)?;
    drop(made);
    let file = create()?;
    fstat(&file)?;
    rustix::io::write(&file, bytes)?;
    fsync(&file)?;
    look(file.as_fd())?;
    drop(file);
    let own = open()?;
    let name = temporary.rsplit('/').next().unwrap_or_default();
    linkat(&own, name, &own, "_metadata", AtFlags::empty())?;
    unlinkat(&own, name, AtFlags::empty())?;
    drop(own);
    let own = open()?;
    look(own.as_fd())?;
    let above = openat(job, ".", directory, Mode::empty())?;
    fsync(&own)?;
    fsync(&above)
}
