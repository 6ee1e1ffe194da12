//! From the claim of a job with a long past to its first trigger.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use ckpt_benches::{Bar, Bench, Work};
use ckpt_coord::TaskGateway;
use ckpt_coord::driver::{ClaimedJob, Driver, DriverOptions, ManualTrigger, RecoveryOptions};
use ckpt_core::Result;
use ckpt_core::config::CheckpointConfig;
use ckpt_core::graph::{JobGraph, Operator, Vertex};
use ckpt_core::head::Nonce;
use ckpt_core::id::{AttemptId, LeaderEpoch, TaskAttempt, VertexId, Writer, WriterId};
use ckpt_core::key_group::MaxParallelism;
use ckpt_core::message::ToTask;
use ckpt_core::metadata::{CheckpointDescription, CheckpointMetadata, OperatorDescription};
use ckpt_core::snapshot::{CheckpointProperties, RetentionPolicy};
use ckpt_core::state::{FileRef, Place, Root, StateHandle, SubtaskState};
use ckpt_core::{Digest, Timestamp};
use ckpt_storage::CheckpointStorage as _;
use ckpt_streams::file_system::Durability;
use ckpt_streams::{Pending, StateScope};

use crate::{JOB, Job, OPERATOR, failed, file, operator_state};

const NAME: &str =
    "head: from the claim to the first trigger, of 1,000 checkpoints of ten tasks, with 10,000 old files";
const CHECKPOINTS: u64 = 1000;
const TASKS: u32 = 10;
const OLD_FILES: u32 = 10_000;
/// Above that of the streams.
const FIRST_WRITER: u64 = 100;
/// More than is kept in a handle.
const STATE_BYTES: usize = 64 * 1024;
const VERTEX: VertexId = VertexId::new([1; 16]);

/// Every line about claims.
pub(crate) fn all(bench: &Bench, directory: &Path) -> Result<()> {
    if !bench.takes(NAME) {
        return Ok(());
    }
    let scratch = tempfile::tempdir_in(directory).map_err(failed)?;
    let past = Past::new(scratch.path())?;
    let bench = bench.bar(Bar::AtMost(1000.0));
    let beside = "reading the bytes of their metadata";
    bench.compare_timed(NAME, beside, Work::Process, || past.first_trigger(), || past.read())
}

/// A job that has run for long.
struct Past {
    job: Job,
    directory: PathBuf,
    graph: Arc<JobGraph>,
}

impl Past {
    fn new(directory: &Path) -> Result<Self> {
        let mut job = Job::in_directory(directory, Durability::None)?;
        for number in 1..=CHECKPOINTS {
            let location = job.view.initialize_checkpoint(&job.identity(number)?)?;
            let metadata = metadata(&job, number)?;
            job.commit(&*location, &metadata)?;
        }
        let mut vertex = Vertex::single(VERTEX, "source", TASKS, MaxParallelism::new(128)?);
        vertex.operators = vec![Operator::new(OPERATOR, "source")];
        let graph = Arc::new(JobGraph::new(vec![vertex], Vec::new())?);
        Ok(Self { job, directory: directory.join(JOB.to_string()), graph })
    }

    /// By the clock on the wall: another process claims the job and triggers all tasks.
    fn first_trigger(&self) -> Result<Duration> {
        // It went with the old files of the last time.
        fs::create_dir_all(self.directory.join("shared")).map_err(failed)?;
        for number in 0..OLD_FILES {
            let name = Writer::new(LeaderEpoch::new(1), WriterId::new(99)).file(number);
            File::create_new(self.directory.join(format!("shared/{name}"))).map_err(failed)?;
        }
        let (triggered, triggers) = channel();
        let config = CheckpointConfig::builder().num_retained(CHECKPOINTS as usize).build()?;
        let begin = Instant::now();
        let view = self.job.storage.coordinator_view(JOB, &self.job.context)?;
        let claimed =
            ClaimedJob::claim(view, JOB, Nonce::new([9; 16]), &RecoveryOptions::default(), &self.job.context)?;
        let options = DriverOptions::new(Arc::new(Gateway(triggered)), Arc::clone(&self.job.context.spawn));
        let driver = Driver::start(claimed, Arc::clone(&self.graph), config, options)?;
        let tasks = self.graph.tasks().map(|task| task.attempt(AttemptId::new(1)));
        answered(driver.handle().attempts_started(tasks.zip((1..).map(WriterId::new)).collect()))?;
        let _checkpoint = driver.handle().trigger_checkpoint(ManualTrigger::Configured);
        let mut waiting: BTreeSet<TaskAttempt> =
            self.graph.tasks().map(|task| task.attempt(AttemptId::new(1))).collect();
        while !waiting.is_empty() {
            waiting.remove(&triggers.recv_timeout(Duration::from_secs(60)).map_err(failed)?);
        }
        let taken = begin.elapsed();
        // Old files are collected besides.
        answered(driver.handle().shut_down())?;
        match driver.handle().statistics().orphans_collected {
            files if files == u64::from(OLD_FILES) => Ok(taken),
            files => Err(failed(format!("{files} of {OLD_FILES} files are collected"))),
        }
    }

    fn read(&self) -> Result<Duration> {
        let begin = Instant::now();
        for number in 1..=CHECKPOINTS {
            let bytes = fs::read(self.directory.join(format!("chk-{number}/_metadata"))).map_err(failed)?;
            std::hint::black_box(bytes);
        }
        Ok(begin.elapsed())
    }
}

/// What a driver answers.
fn answered<T>(answer: Pending<Result<T>>) -> Result<T> {
    answer.wait().map_err(failed)?
}

/// Tells of each task that is triggered.
#[derive(Debug)]
struct Gateway(Sender<TaskAttempt>);

impl TaskGateway for Gateway {
    fn send(&self, to: &TaskAttempt, message: ToTask) {
        if let ToTask::Trigger(_) = message {
            // Nobody waits any more once all are.
            let _ = self.0.send(*to);
        }
    }
}

/// Each task has written a file of its own, which no other checkpoint names, and shares one with nine others. Those of the
/// newest are there: they are looked at before a task is deployed.
fn metadata(job: &Job, number: u64) -> Result<CheckpointMetadata> {
    let identity = job.identity(number)?;
    let properties = CheckpointProperties::checkpoint(RetentionPolicy::RetainOnCancellation);
    let mut metadata = CheckpointMetadata::builder(CheckpointDescription::new(JOB, identity, properties))?;
    let described = OperatorDescription::new(OPERATOR, "source", TASKS, MaxParallelism::new(128)?);
    let mut operator = metadata.operator(&described)?;
    let streams = job.streams(identity)?;
    for subtask in 0..TASKS {
        let writer = Writer::new(identity.epoch, WriterId::new(FIRST_WRITER + u64::from(subtask)));
        let named = |root, number| {
            let place = Place::File { root, file: FileRef::Ours(writer.file(number)) };
            StateHandle::assume_durable(place, 1, Some(Digest::of(b"x")))
        };
        let handles = match number == CHECKPOINTS {
            true => {
                [StateScope::Exclusive, StateScope::Shared].map(|scope| file(&*streams, scope, &[7; STATE_BYTES], 1))
            }
            false => {
                let number = number as u32;
                [named(Root::ThisSnapshot, number), named(Root::JobShared, number / 10)].map(Ok)
            }
        };
        let state = handles.into_iter().map(|handle| operator_state(handle?)).collect::<Result<_>>()?;
        operator.subtask(subtask, &SubtaskState::new(Vec::new(), state))?;
    }
    metadata.finish(Timestamp::from_millis(2))
}
