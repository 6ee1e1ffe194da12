//! The place of a checkpoint and its `_metadata`, and finding one among many.

use std::cell::Cell;
use std::path::Path;
use std::time::Duration;

use ckpt_benches::{Bar, Bench, Work, processor_time_of};
use ckpt_core::id::{OperatorId, Writer, WriterId};
use ckpt_core::key_group::MaxParallelism;
use ckpt_core::metadata::{CheckpointDescription, CheckpointMetadata, OperatorDescription};
use ckpt_core::snapshot::{CheckpointIdentity, CheckpointProperties, RetentionPolicy};
use ckpt_core::state::{FileRef, Place, Root, StateHandle, SubtaskState};
use ckpt_core::{Digest, Result, Timestamp};
use ckpt_storage::{CheckpointStorage as _, METADATA_FILE};
use ckpt_streams::file_system::Durability;
use rustix::fs::{AtFlags, Mode, OFlags, fsync, linkat, mkdirat, openat, unlinkat};

use crate::{JOB, Job, failed, operator_state};

const RETAINED: u64 = 1000;
/// A small job: three operators of eight subtasks each, which have state each.
const OPERATORS: u8 = 3;
const SUBTASKS: u32 = 8;

/// Every line about them.
pub(crate) fn all(bench: &Bench, directory: &Path) -> Result<()> {
    publish(bench, directory, Durability::Full)?;
    publish(bench, directory, Durability::None)?;
    among_many(bench, directory)
}

/// A checkpoint's place is made and its `_metadata` published, beside the calls without which the order would not hold.
fn publish(bench: &Bench, directory: &Path, durability: Durability) -> Result<()> {
    let (name, beside, bench) = match durability {
        Durability::None => (
            "storage: place a checkpoint and publish its metadata, not durably",
            "mkdir, open, write, close, link, unlink",
            bench.clone(),
        ),
        _ => (
            "storage: place a checkpoint and publish its metadata",
            "mkdir, open, write, fsync, close, link, unlink, fsync of both directories",
            bench.bar(Bar::RatioAtMost(1.3)),
        ),
    };
    if !bench.takes(name) {
        return Ok(());
    }
    let number = Cell::new(0);
    let scratch = tempfile::tempdir_in(directory).map_err(failed)?;
    let job = Job::in_directory(&scratch.path().join("ours"), durability)?;
    let plain = scratch.path().join("plain");
    std::fs::create_dir(&plain).map_err(failed)?;
    let next = || {
        number.set(number.get() + 1);
        number.get()
    };
    let ours = || -> Result<Duration> {
        let identity = job.identity(next())?;
        let metadata = metadata(identity)?;
        let (taken, published) = processor_time_of(|| {
            let location = job.view.initialize_checkpoint(&identity)?;
            location.publish(&metadata).map(|_| location)
        });
        published?.discard()?;
        Ok(taken)
    };
    let baseline = || -> Result<Duration> {
        let number = next();
        let (bytes, _) = metadata(job.identity(number)?)?.encode()?;
        let (taken, written) = processor_time_of(|| bare_publish(&plain, number, &bytes, durability));
        written.map_err(failed)?;
        std::fs::remove_dir_all(plain.join(number.to_string())).map_err(failed)?;
        Ok(taken)
    };
    let rounds = |one: &dyn Fn() -> Result<Duration>| (0..ROUNDS).map(|_| one()).sum::<Result<Duration>>();
    let pairs: Result<Vec<_>> = (0..bench.pairs()).map(|_| Ok((rounds(&ours)?, rounds(&baseline)?))).collect();
    bench.compare_durations(name, beside, Work::Operations(ROUNDS), pairs?);
    Ok(())
}

/// How many places make one measure.
const ROUNDS: usize = 50;

fn bare_publish(directory: &Path, number: u64, bytes: &[u8], durability: Durability) -> rustix::io::Result<()> {
    let read = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = rustix::fs::open(directory, read, Mode::empty())?;
    let name = number.to_string();
    mkdirat(&root, &*name, Mode::RWXU)?;
    let place = openat(&root, &*name, read, Mode::empty())?;
    let new = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let file = openat(&place, "temporary", new, Mode::RUSR | Mode::WUSR)?;
    rustix::io::write(&file, bytes)?;
    if durability != Durability::None {
        fsync(&file)?;
    }
    drop(file);
    linkat(&place, "temporary", &place, "_metadata", AtFlags::empty())?;
    unlinkat(&place, "temporary", AtFlags::empty())?;
    if durability != Durability::None {
        fsync(&place)?;
        fsync(&root)?;
    }
    Ok(())
}

/// One of many retained checkpoints is found.
fn among_many(bench: &Bench, directory: &Path) -> Result<()> {
    let names = [
        "storage: open a job of 1,000 retained checkpoints and read HEAD",
        "storage: resolve and summarise one of 1,000 retained checkpoints",
    ];
    if !names.iter().any(|name| bench.takes(name)) {
        return Ok(());
    }
    let scratch = tempfile::tempdir_in(directory).map_err(failed)?;
    let mut job = Job::in_directory(scratch.path(), Durability::None)?;
    for number in 1..=RETAINED {
        let metadata = metadata(job.identity(number)?)?;
        let location = job.view.initialize_checkpoint(&metadata.summary().identity)?;
        job.commit(&*location, &metadata)?;
    }
    let pointer = job.pointer(scratch.path(), RETAINED / 2);
    let path = format!("{pointer}/{METADATA_FILE}");
    let read = || std::fs::read(&path);
    let bench = bench.bar(Bar::AtMost(1e6));
    let beside = "the bytes of its metadata read";
    let work = Work::Operations(1);
    let summary = || job.storage.resolve(&pointer, &job.context).map(|found| found.metadata.summary().totals);
    // What fails would be fast.
    assert_eq!(opened(&job)? as u64, RETAINED);
    assert_eq!(summary()?.handles, u64::from(OPERATORS) * u64::from(SUBTASKS));
    bench.compare(names[0], beside, work, || opened(&job), read);
    bench.compare(names[1], beside, work, summary, read);
    Ok(())
}

fn opened(job: &Job) -> Result<usize> {
    let head = job.storage.coordinator_view(JOB, &job.context)?.head().read()?;
    Ok(head.map_or(0, |head| head.retained.len()))
}

/// Of a small job.
pub(crate) fn metadata(identity: CheckpointIdentity) -> Result<CheckpointMetadata> {
    let properties = CheckpointProperties::checkpoint(RetentionPolicy::default());
    let mut builder = CheckpointMetadata::builder(CheckpointDescription::new(JOB, identity, properties))?;
    let maximum = MaxParallelism::new(128)?;
    let writer = Writer::new(identity.epoch, WriterId::new(1));
    let mut number = 0;
    for operator in 1..=OPERATORS {
        let description = OperatorDescription::new(OperatorId::new([operator; 16]), "operator", SUBTASKS, maximum);
        let mut operator = builder.operator(&description)?;
        for subtask in 0..SUBTASKS {
            let place = Place::File { root: Root::ThisSnapshot, file: FileRef::Ours(writer.file(number)) };
            let handle = StateHandle::assume_durable(place, 1, Some(Digest::of(b"x")));
            operator.subtask(subtask, &SubtaskState::new(Vec::new(), vec![operator_state(handle)?]))?;
            number += 1;
        }
    }
    builder.finish(Timestamp::from_millis(2))
}
