//! The child: the pipeline itself.

use std::sync::Arc;
use std::time::Duration;

use ckpt_core::config::CheckpointConfig;
use ckpt_core::head::JobState;
use ckpt_core::{Error, ErrorKind, Result};

use crate::error::Fault;
use crate::job::{JobFile, JobOptions, RunningJob, state_of, storage_context};
use crate::wordcount::exit::{Exit, one_line};
use crate::wordcount::options::PipelineOptions;
use crate::wordcount::report::Report;
use crate::wordcount::reporter::Reporter;
use crate::wordcount::step::slow_context;

/// A checkpoint that takes longer is given up.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Runs the pipeline to its end and tells the parent how that was.
pub(super) fn run(options: &PipelineOptions) -> Exit {
    let reporter = match Reporter::new(options) {
        Ok(reporter) => Arc::new(reporter),
        Err(source) => return Exit::Failed(format!("the pipe to the parent cannot be used: {source}")),
    };
    match run_job(options, Arc::clone(&reporter)) {
        Ok(()) => {
            reporter.report(&Report::Finished);
            Exit::Right
        }
        Err(error) => {
            let fenced = error.kind() == ErrorKind::Fenced;
            reporter.report(&Report::Failed { fenced, line: one_line(&error) });
            Exit::Said(if fenced { Exit::FENCED } else { Exit::FAILED })
        }
    }
}

fn run_job(options: &PipelineOptions, reporter: Arc<Reporter>) -> Result<()> {
    let context = match options.step_delay() {
        None => storage_context()?,
        Some(delay) => {
            let reporter = Arc::clone(&reporter);
            slow_context(delay, move |step| reporter.step(step))?
        }
    };
    let file = JobFile::read(&options.checkpoints)?.ok_or_else(|| {
        let path = options.checkpoints.join(JobFile::NAME);
        Error::from(Fault::JobFile { path, verb: "read", source: std::io::ErrorKind::NotFound.into() })
    })?;
    // The process before may have been killed after it had written that.
    if state_of(&file, &context)? == Some(JobState::Finished) {
        return Ok(());
    }
    let checkpoints =
        CheckpointConfig::builder().interval(options.interval()).timeout(TIMEOUT).num_retained(2).build()?;
    let job = JobOptions::new(options.parallelism, checkpoints)
        .with_read_limit(options.read_limit)
        .with_seed(options.seed)
        .with_observer(reporter);
    match RunningJob::start(&file, job, &context) {
        Ok(running) => running.wait().map(drop),
        // Another run has ended the job in the meantime.
        Err(_) if state_of(&file, &context).is_ok_and(|state| state == Some(JobState::Finished)) => Ok(()),
        Err(error) => Err(error),
    }
}
