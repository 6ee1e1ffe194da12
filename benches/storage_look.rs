//! Looking at a large checkpoint beside reading its metadata.

use std::fs;
use std::path::Path;

use ckpt_benches::{Bar, Bench, Work};
use ckpt_core::Result;
use ckpt_core::Timestamp;
use ckpt_core::key_group::MaxParallelism;
use ckpt_core::metadata::{CheckpointDescription, CheckpointMetadata, OperatorDescription};
use ckpt_core::snapshot::{CheckpointProperties, RetentionPolicy};
use ckpt_core::state::{StateHandle, SubtaskState};
use ckpt_storage::CheckpointStorage as _;
use ckpt_streams::file_system::Durability;

use crate::{JOB, Job, OPERATOR, operator_state};

const SUBTASKS: u32 = 32_000;

/// Every line about looking.
pub(crate) fn all(bench: &Bench, directory: &Path) -> Result<()> {
    const NAME: &str = "storage: summarise a checkpoint of 32,000 subtasks";
    if !bench.takes(NAME) {
        return Ok(());
    }
    let directory = directory.join("look");
    let mut job = Job::in_directory(&directory, Durability::None)?;
    let metadata = large(&job)?;
    let location = job.view.initialize_checkpoint(&metadata.summary().identity)?;
    job.commit(&*location, &metadata)?;
    let pointer = job.pointer(&directory, 1);
    let summarize = || job.storage.summarize(&pointer, &job.context).map(|summary| summary.totals.handles);
    // What fails would be fast.
    assert_eq!(summarize()?, u64::from(SUBTASKS));
    let bench = bench.bar(Bar::AtMost(1e6));
    let read = || fs::read(format!("{pointer}/_metadata"));
    bench.compare(NAME, "the bytes of its metadata read", Work::Operations(1), summarize, read);
    Ok(())
}

fn large(job: &Job) -> Result<CheckpointMetadata> {
    let identity = job.identity(1)?;
    let properties = CheckpointProperties::checkpoint(RetentionPolicy::RetainOnCancellation);
    let mut metadata = CheckpointMetadata::builder(CheckpointDescription::new(JOB, identity, properties))?;
    let described = OperatorDescription::new(OPERATOR, "operator", SUBTASKS, MaxParallelism::new(1 << 15)?);
    let mut operator = metadata.operator(&described)?;
    let state = SubtaskState::new(Vec::new(), vec![operator_state(StateHandle::inline(vec![1; 100].into()))?]);
    for subtask in 0..SUBTASKS {
        operator.subtask(subtask, &state)?;
    }
    metadata.finish(Timestamp::from_millis(2))
}
