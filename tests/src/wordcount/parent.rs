//! The parent: starts the pipeline, kills it, starts it again, checks the output.

use std::io;
use std::thread;
use std::time::Duration;

use ckpt_coord::Phase;
use ckpt_core::head::JobState;

use crate::check::{Verdict as OutputVerdict, WordCount, verify};
use crate::job::{state_of, storage_context};
use crate::wordcount::exit::Exit;
use crate::wordcount::kill_plan::{KillPlan, Verdict};
use crate::wordcount::options::{Options, PipelineOptions};
use crate::wordcount::phase_name;
use crate::wordcount::process::{Ended, PipelineProcess};
use crate::wordcount::report::{Report, Signal};
use crate::wordcount::screen::{Screen, bytes_text, print};
use crate::wordcount::statistics::{AttemptStatistics, RunStatistics};
use crate::wordcount::step::Step;
use crate::wordcount::summary::{Outcome, Summary};
use crate::wordcount::workplace::Workplace;

/// A pipeline that says nothing for that long will say nothing any more.
const SILENCE: Duration = Duration::from_secs(120);

/// Runs the main job.
pub(super) fn run(options: &Options) -> Exit {
    let mut statistics = RunStatistics::default();
    let exit = run_to_end(options, &mut statistics).unwrap_or_else(|exit| exit);
    if let Some(path) = &options.summary {
        let outcome = if matches!(exit, Exit::Right) { Outcome::Right } else { Outcome::NotRight };
        if let Err(why) = Summary::new(options.seed, &statistics, outcome).write(path) {
            return Exit::Failed(why);
        }
    }
    exit
}

fn run_to_end(options: &Options, statistics: &mut RunStatistics) -> Result<Exit, Exit> {
    let context = storage_context()?;
    let mut workplace = Workplace::prepare(options, &context)?;
    let total_bytes = workplace.file.input_bytes();
    let finished_before = state_of(&workplace.file, &context)? == Some(JobState::Finished);
    let mut run = Run {
        options,
        workplace: &workplace,
        plan: KillPlan::new(
            options.seed,
            options.kills,
            total_bytes,
            options.kill_phase.clone(),
            options.within_steps(),
        ),
        screen: Screen::new(total_bytes),
        furthest_bytes: 0,
        statistics,
    };
    run.announce();
    let outcome = if finished_before {
        run.screen.say("this run has finished before: its output is checked, nothing is run");
        Ok(())
    } else {
        run.attempts()
    };
    let elapsed = run.screen.end();
    let (done, planned) = run.plan.done_of();
    if !finished_before && !statistics.attempts.is_empty() {
        print(&statistics.table(phase_name::name).to_string());
        let rate = bytes_text((total_bytes as f64 / elapsed.as_secs_f64()) as u64);
        print(&format!("{done} of {planned} kills done, {:.1} s, {rate} of input per second", elapsed.as_secs_f64()));
    }
    let exit = outcome.and_then(|()| check(&workplace));
    if !matches!(exit, Ok(Exit::Right)) {
        if let Some(kept) = workplace.keep() {
            print(&format!("kept for a look: {}", kept.display()));
        }
    }
    exit
}

/// Holds the output against a plain count.
fn check(workplace: &Workplace) -> Result<Exit, Exit> {
    let expected = WordCount::of_files(&workplace.file.inputs)?;
    Ok(match verify(&workplace.file.output, &expected)? {
        OutputVerdict::Right { lines, files } => {
            print(&format!(
                "right: {lines} words, {} different, each count of each word once, in {files} files",
                expected.different()
            ));
            Exit::Right
        }
        OutputVerdict::Wrong(wrong) => Exit::Wrong(wrong.to_string()),
    })
}

/// All attempts of a run.
struct Run<'a> {
    options: &'a Options,
    workplace: &'a Workplace,
    plan: KillPlan,
    screen: Screen,
    /// The furthest position that any attempt has reached.
    furthest_bytes: u64,
    statistics: &'a mut RunStatistics,
}

/// How an attempt ended.
enum AttemptEnd {
    Finished,
    Killed,
}

impl Run<'_> {
    fn announce(&self) {
        let Options { interval, kills, seed, .. } = self.options;
        let (file, total) = (&self.workplace.file, bytes_text(self.workplace.file.input_bytes()));
        self.screen.say(&format!(
            "{total} in {} file(s), parallelism {}, a checkpoint every {interval} ms, {kills} kills, seed {seed}",
            file.inputs.len(),
            self.options.parallelism_of(0),
        ));
        self.screen.say(&format!("checkpoints: {}", file.checkpoints.display()));
        self.screen.say(&format!("output:      {}", file.output.display()));
    }

    fn attempts(&mut self) -> Result<(), Exit> {
        loop {
            match self.attempt()? {
                AttemptEnd::Finished => return Ok(()),
                AttemptEnd::Killed => {}
            }
        }
    }

    fn attempt(&mut self) -> Result<AttemptEnd, Exit> {
        let number = self.statistics.attempts.len();
        let parallelism = self.options.parallelism_of(number);
        let pipeline = PipelineOptions {
            checkpoints: self.workplace.file.checkpoints.clone(),
            parallelism,
            interval: self.options.interval,
            read_limit: self.options.read_limit,
            seed: self.options.seed.wrapping_add(number as u64),
            gate: self.plan.gate().into_iter().collect(),
            step_delay: self.options.step_delay,
            trace_phases: self.options.trace_phases,
        };
        self.statistics.attempts.push(AttemptStatistics { parallelism, ..AttemptStatistics::default() });
        let cannot = |what: &'static str| {
            move |error: io::Error| Exit::Failed(format!("the pipeline cannot be {what}: {error}"))
        };
        let mut process = PipelineProcess::start(&pipeline).map_err(cannot("started"))?;
        let mut seen = Seen::default();
        while let Some(signal) = process.next(SILENCE).map_err(cannot("heard any more"))? {
            let verdict = self.take(&signal, &mut seen);
            match verdict {
                _ if seen.killed => {}
                Verdict::LetLive => {}
                Verdict::PassGate => process.pass_gate(),
                Verdict::Kill(delay) => {
                    if !delay.is_zero() {
                        thread::sleep(delay);
                    }
                    process.kill().map_err(cannot("killed"))?;
                    seen.killed = true;
                }
            }
        }
        let ended = process.ended().map_err(cannot("waited for"))?;
        self.conclude(number, seen, ended)
    }

    /// Takes note of a signal; what comes after a kill was written before it.
    fn take(&mut self, signal: &Signal, seen: &mut Seen) -> Verdict {
        match signal {
            Signal::Phase(phase) => {
                // Where it was killed exactly, others may have gone on a little.
                if !seen.killed || self.plan.gate().is_none() {
                    seen.phase = Some(*phase);
                }
                if seen.killed { Verdict::LetLive } else { self.plan.on_phase(*phase) }
            }
            Signal::Step(step) => {
                seen.step = Some(*step);
                if seen.killed { Verdict::LetLive } else { self.plan.on_step(*step) }
            }
            Signal::Report(report) => {
                if let Some(attempt) = self.statistics.attempts.last_mut() {
                    attempt.add(report);
                }
                match report {
                    Report::Restored { from, position_bytes } => self.restored(*from, *position_bytes),
                    Report::Progress { position_bytes } => {
                        self.furthest_bytes = self.furthest_bytes.max(*position_bytes);
                        self.screen.progress(*position_bytes);
                        if !seen.killed {
                            return self.plan.on_position(*position_bytes);
                        }
                    }
                    Report::Finished | Report::Failed { .. } => seen.last_word = Some(report.clone()),
                    Report::Completed { .. } | Report::Aborted { .. } => {}
                }
                Verdict::LetLive
            }
        }
    }

    fn restored(&mut self, from: Option<u64>, position_bytes: u64) {
        let replayed_bytes = self.furthest_bytes.saturating_sub(position_bytes);
        let number = self.statistics.attempts.len();
        if let Some(attempt) = self.statistics.attempts.last_mut() {
            attempt.restored_from = from;
            attempt.replayed_bytes = replayed_bytes;
        }
        let line = match from {
            Some(id) => format!(
                "attempt {number}: restored from checkpoint {id} at byte {position_bytes}, {replayed_bytes} bytes are read again"
            ),
            None => format!("attempt {number}: begins without a checkpoint, {replayed_bytes} bytes are read again"),
        };
        self.screen.say(&line);
    }

    fn conclude(&mut self, number: usize, seen: Seen, ended: Ended) -> Result<AttemptEnd, Exit> {
        match (seen.last_word, ended) {
            (_, Ended::Killed) if seen.killed => {
                let phase = seen.phase.unwrap_or(Phase::Restoring);
                self.statistics.attempts[number].killed_in = Some(phase);
                self.statistics.attempts[number].killed_at = seen.step;
                self.plan.killed();
                self.screen.say(&format!(
                    "attempt {}: killed in phase {}, {} read",
                    number + 1,
                    phase_name::name(phase),
                    bytes_text(self.furthest_bytes)
                ));
                Ok(AttemptEnd::Killed)
            }
            // The job has to survive the kills of others, too.
            (_, Ended::Killed) => {
                self.screen.say(&format!("attempt {}: killed by somebody else", number + 1));
                Ok(AttemptEnd::Killed)
            }
            (Some(Report::Finished), Ended::Exited(0)) => Ok(AttemptEnd::Finished),
            (Some(Report::Failed { fenced: true, line }), _) => Err(Exit::Fenced(line)),
            (Some(Report::Failed { fenced: false, line }), _) => Err(Exit::Failed(line)),
            (_, Ended::Exited(code)) => {
                Err(Exit::Failed(format!("the pipeline ended with code {code} and said nothing")))
            }
            (_, Ended::Signalled(signal)) => Err(Exit::Failed(format!("the pipeline ended by signal {signal}"))),
        }
    }
}

/// What was seen of an attempt.
#[derive(Debug, Default)]
struct Seen {
    killed: bool,
    /// The newest phase on the pipe.
    phase: Option<Phase>,
    /// The newest step on the pipe.
    step: Option<Step>,
    last_word: Option<Report>,
}
