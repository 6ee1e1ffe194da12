//! The pipeline's side of the pipe.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::thread;

use ckpt_coord::{CheckpointObserver, CompletedCheckpoint, Phase};
use ckpt_core::id::CheckpointId;
use crossbeam_channel::{Receiver, unbounded};
use parking_lot::Mutex;

use crate::job::JobObserver;
use crate::wordcount::exit::Exit;
use crate::wordcount::options::PipelineOptions;
use crate::wordcount::report::Report;
use crate::wordcount::step::Step;
use crate::wordcount::{phase_name, step};

/// Tells the parent what happens: phases as one byte each, everything else as a line, all of it unbuffered. The pipe keeps
/// what was written when this process is killed.
#[derive(Debug)]
pub(super) struct Reporter {
    pipe: Mutex<File>,
    /// The parent's answers at gates.
    answers: Receiver<()>,
    gate: Vec<Phase>,
    trace: Option<File>,
}

impl Reporter {
    pub(super) fn new(options: &PipelineOptions) -> io::Result<Self> {
        let trace = options.trace_phases.then(|| io::stderr().as_fd().try_clone_to_owned()).transpose()?;
        Ok(Self {
            pipe: Mutex::new(io::stdout().as_fd().try_clone_to_owned()?.into()),
            answers: listen_to_parent()?,
            gate: options.gate.clone(),
            trace: trace.map(File::from),
        })
    }

    pub(super) fn report(&self, report: &Report) {
        // A report has nothing that JSON could not express.
        let mut line = serde_json::to_vec(report).unwrap_or_default();
        line.push(b'\n');
        self.write(&line);
    }

    /// A step is about to be taken.
    pub(super) fn step(&self, step: Step) {
        self.write(&[step.byte()]);
    }

    fn write(&self, bytes: &[u8]) {
        if self.pipe.lock().write_all(bytes).is_err() {
            leave();
        }
    }

    fn begin(&self, phase: Phase, checkpoint: Option<CheckpointId>, task: &str) {
        if let Some(mut trace) = self.trace.as_ref() {
            let id = checkpoint.map_or_else(|| "-".to_owned(), |id| id.to_string());
            // One call, so that a trace of system calls shows it whole.
            let _ = trace.write_all(format!("ckpt-phase {} {id} {task}\n", phase_name::name(phase)).as_bytes());
        }
        self.write(&[phase_name::byte(phase)]);
        if self.gate.contains(&phase) && self.answers.recv().is_err() {
            leave();
        }
    }
}

/// Takes the parent's answers from standard input. Its end says that the parent is gone, however it went, even while nothing
/// is reported: the pipeline must not live on without it.
fn listen_to_parent() -> io::Result<Receiver<()>> {
    let mut input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let (sender, answers) = unbounded();
    thread::Builder::new().name("parent".to_owned()).spawn(move || {
        while input.read_exact(&mut [0]).is_ok() {
            // The pipeline holds the other end for as long as it runs.
            let _ = sender.send(());
        }
        leave()
    })?;
    Ok(answers)
}

/// Nobody listens any more: the parent is gone. Whoever starts the job again goes on from the newest checkpoint.
fn leave() -> ! {
    std::process::exit(Exit::FAILED.into())
}

impl CheckpointObserver for Reporter {
    fn phase(&self, phase: Phase, checkpoint: Option<CheckpointId>) {
        step::enter(phase, checkpoint);
        self.begin(phase, checkpoint, "-");
    }

    fn completed(&self, checkpoint: &CompletedCheckpoint) {
        self.report(&Report::Completed {
            id: checkpoint.identity.id.get(),
            total_bytes: checkpoint.total_bytes,
            duration_micros: u64::try_from(checkpoint.duration.as_micros()).unwrap_or(u64::MAX),
        });
    }

    fn aborted(&self, checkpoint: CheckpointId, reason: &str) {
        self.report(&Report::Aborted { id: checkpoint.get(), reason: reason.to_owned() });
    }
}

impl JobObserver for Reporter {
    fn restored(&self, from: Option<CheckpointId>, position_bytes: u64) {
        self.report(&Report::Restored { from: from.map(CheckpointId::get), position_bytes });
    }

    fn progress(&self, position_bytes: u64) {
        self.report(&Report::Progress { position_bytes });
    }

    fn task_phase(&self, task: &str, phase: Phase, checkpoint: Option<CheckpointId>) {
        self.begin(phase, checkpoint, task);
    }
}
