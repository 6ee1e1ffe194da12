//! One leader, in a process of its own.

use std::fmt;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use ckpt_coord::Phase;

use crate::wordcount::exit::Exit;
use crate::wordcount::options::PipelineOptions;
use crate::wordcount::phase_name;
use crate::wordcount::process::{Ended, PipelineProcess};
use crate::wordcount::report::{Report, Signal};
use crate::wordcount::step::Step;
use crate::wordcount::zombies::moment::Moment;

/// One leader, in a process of its own.
pub(super) struct Leader {
    process: Option<PipelineProcess>,
    pub(super) name: String,
    /// The checkpoint that it restored, once it has said so.
    pub(super) restored_from: Option<Option<u64>>,
    seen: Seen,
}

/// What a leader said.
#[derive(Default)]
struct Seen {
    /// The newest thing that its coordinator was about to do.
    last: Option<Doing>,
    /// Its tasks restore, so it has claimed the job.
    leads: bool,
    stopped_in: Option<Doing>,
    stopped: bool,
    completed_after_stop: Vec<u64>,
    last_word: Option<Report>,
}

/// What a coordinator was about to do.
#[derive(Clone, Copy)]
enum Doing {
    Phase(Phase),
    Step(Step),
}

/// How a leader ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// It ended the job.
    Finished,
    /// It found that another one leads.
    Fenced,
    /// Something else.
    Other(String),
}

/// So long nothing more comes of a process that is stopped.
const QUIET: Duration = Duration::from_millis(20);

impl Leader {
    pub(super) fn start(options: &PipelineOptions) -> io::Result<Self> {
        let process = PipelineProcess::start(options)?;
        let name = format!("leader {}", process.id());
        Ok(Self { process: Some(process), name, restored_from: None, seen: Seen::default() })
    }

    /// Reads what it says until the moment has come. How it ended, if it did before.
    ///
    /// # Errors
    ///
    /// `TimedOut` when it does not come for that long.
    pub(super) fn run_until(&mut self, moment: Moment, patience: Duration) -> io::Result<Option<Ending>> {
        let mut waiting = moment.wait();
        let started = Instant::now();
        let mut leads_since = self.seen.leads.then_some(started);
        loop {
            let latest = leads_since.zip(moment.latest()).map(|(since, latest)| since + latest);
            // The moment is a time, or such a thing does not happen in this run.
            if latest.is_some_and(|latest| Instant::now() >= latest) {
                return Ok(None);
            }
            let left = latest.unwrap_or(started + patience).saturating_duration_since(Instant::now());
            match self.process()?.next(left) {
                Ok(Some(signal)) => {
                    self.seen.take(&signal, &mut self.restored_from);
                    if self.seen.leads {
                        leads_since.get_or_insert_with(Instant::now);
                    }
                    if leads_since.is_some() && waiting.is_over(&signal) {
                        thread::sleep(moment.delay());
                        return Ok(None);
                    }
                }
                Ok(None) => return self.ended().map(Some),
                Err(error) if error.kind() == io::ErrorKind::TimedOut && latest.is_some() => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Sends SIGSTOP, waits until it has stopped, and reads what it said before.
    pub(super) fn stop(&mut self) -> io::Result<()> {
        self.process_mut()?.stop()?;
        while let Ok(Some(signal)) = self.process()?.next(QUIET) {
            self.seen.take(&signal, &mut self.restored_from);
        }
        self.seen.stopped = true;
        self.seen.stopped_in = self.seen.last.take();
        Ok(())
    }

    /// Sends SIGCONT.
    pub(super) fn go_on(&mut self) -> io::Result<()> {
        self.process()?.go_on()
    }

    /// Sends SIGKILL and waits until it is gone.
    pub(super) fn kill(&mut self) -> io::Result<()> {
        if let Some(mut process) = self.process.take() {
            process.kill()?;
            process.ended()?;
        }
        Ok(())
    }

    /// Reads what it says to the end.
    ///
    /// # Errors
    ///
    /// `TimedOut` when it says nothing for that long and has not ended.
    pub(super) fn wait_for_end(&mut self, patience: Duration) -> io::Result<Ending> {
        while let Some(signal) = self.process()?.next(patience)? {
            self.seen.take(&signal, &mut self.restored_from);
        }
        self.ended()
    }

    /// What its coordinator was about to do when it was stopped.
    pub(super) fn stopped_in(&self) -> &'static str {
        self.seen.stopped_in.map_or("restoring", Doing::name)
    }

    /// What its coordinator was about to do last, after it was continued.
    pub(super) fn fenced_at(&self) -> &'static str {
        self.seen.last.map_or("nothing", Doing::name)
    }

    /// The checkpoints of which it said that they are completed, after it was stopped.
    pub(super) fn completed_after_stop(&self) -> impl Iterator<Item = &u64> {
        self.seen.completed_after_stop.iter()
    }

    fn ended(&mut self) -> io::Result<Ending> {
        let Some(process) = self.process.take() else { return Err(gone()) };
        Ok(match (process.ended()?, self.seen.last_word.take()) {
            (Ended::Exited(0), Some(Report::Finished)) => Ending::Finished,
            (Ended::Exited(code), Some(Report::Failed { fenced: true, .. })) if code == i32::from(Exit::FENCED) => {
                Ending::Fenced
            }
            (ended, Some(Report::Failed { line, .. })) => Ending::Other(format!("{ended:?}, {line}")),
            (ended, _) => Ending::Other(format!("{ended:?} without a word")),
        })
    }

    fn process(&self) -> io::Result<&PipelineProcess> {
        self.process.as_ref().ok_or_else(gone)
    }

    fn process_mut(&mut self) -> io::Result<&mut PipelineProcess> {
        self.process.as_mut().ok_or_else(gone)
    }
}

fn gone() -> io::Error {
    io::Error::other("the process is gone")
}

impl Seen {
    fn take(&mut self, signal: &Signal, restored_from: &mut Option<Option<u64>>) {
        match signal {
            Signal::Step(step) => self.last = Some(Doing::Step(*step)),
            Signal::Phase(phase @ (Phase::Publishing | Phase::WritingHead | Phase::Notifying | Phase::Collecting)) => {
                self.last = Some(Doing::Phase(*phase))
            }
            Signal::Phase(phase) => self.leads |= *phase == Phase::Restoring,
            Signal::Report(Report::Restored { from, .. }) => *restored_from = Some(*from),
            Signal::Report(Report::Completed { id, .. }) if self.stopped => self.completed_after_stop.push(*id),
            Signal::Report(report @ (Report::Finished | Report::Failed { .. })) => {
                self.last_word = Some(report.clone())
            }
            Signal::Report(_) => {}
        }
    }
}

impl Doing {
    fn name(self) -> &'static str {
        match self {
            Self::Phase(phase) => phase_name::name(phase),
            Self::Step(step) => step.name(),
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finished => f.write_str("it ended the job"),
            Self::Fenced => f.write_str("it was fenced"),
            Self::Other(how) => f.write_str(how),
        }
    }
}
