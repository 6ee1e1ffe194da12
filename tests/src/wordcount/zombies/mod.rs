//! Leaders that are stopped, replaced, and continued later.
//!
//! Each is a pipeline, with its coordinator, in a process of its own; all of them work on one directory. The one that leads
//! is stopped (`SIGSTOP`) at a moment drawn from the seed and another one takes over. Then the first is continued, while
//! the other works, or is stopped, or is dead. It must find itself fenced: it changes no HEAD, deletes nothing that another
//! needs, commits no output, and says so as it ends. At last one leader ends the job, and what is there then is right.

mod directory;
mod leader;
mod moment;
mod summary;

use std::io;
use std::path::Path;
use std::time::Duration;

use ckpt_core::Result;

use crate::check::{Verdict, WordCount, verify};
use crate::job::storage_context;
use crate::text::Random;
use crate::wordcount::exit::Exit;
use crate::wordcount::options::{Options, PipelineOptions, ZombieOptions};
use crate::wordcount::screen::print;
use crate::wordcount::workplace::Workplace;
use directory::{JobDirectory, committed_too_late, left_in_output};
use leader::{Ending, Leader};
use moment::Moment;
use summary::{Summary, Zombie};

/// How long a leader may take until it is where it is to be stopped, or its end has come.
const PATIENCE: Duration = Duration::from_secs(60);

/// What becomes of the successor while the one that was stopped is continued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Successor {
    /// It leads.
    Works,
    /// It is stopped as well: whatever changes was done by the other.
    Stopped,
    /// It was killed.
    Dead,
}

/// Runs the job under leaders of which all but the last are stopped and continued.
pub(super) fn run(options: &ZombieOptions) -> Exit {
    let mut summary = Summary::new(options.options.seed);
    let exit = run_to_end(options, &mut summary).unwrap_or_else(|exit| exit);
    if let Some(path) = &options.options.summary {
        if let Err(why) = summary.write(path, matches!(exit, Exit::Right)) {
            return Exit::Failed(why);
        }
    }
    exit
}

fn run_to_end(options: &ZombieOptions, summary: &mut Summary) -> Result<Exit, Exit> {
    let mut run = Run {
        options: &options.options,
        workplace: Workplace::prepare(&options.options, &storage_context()?)?,
        random: Random::new(options.options.seed ^ 0x7a6f_6d62),
        started: 0,
        summary,
    };
    let mut leader = run.start(Pace::Limited)?;
    for number in 0..options.zombies {
        leader = run.replace(leader, number + 1 == options.zombies)?;
    }
    // What the zombies wrote after others had collected goes with the claim of the last one, which ends the job.
    leader.kill().map_err(cannot("killed"))?;
    let mut last = run.start(Pace::Full)?;
    match last.wait_for_end(PATIENCE).map_err(cannot("waited for"))? {
        Ending::Finished => {}
        other => return Err(Exit::Wrong(format!("the last leader did not end the job: {other}"))),
    }
    run.check_end()
}

/// How much a leader reads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// So little that it does not come to the end.
    Limited,
    Full,
}

struct Run<'a> {
    options: &'a Options,
    workplace: Workplace,
    random: Random,
    /// How many leaders were started.
    started: usize,
    summary: &'a mut Summary,
}

impl Run<'_> {
    fn start(&mut self, pace: Pace) -> Result<Leader, Exit> {
        let pipeline = PipelineOptions {
            checkpoints: self.workplace.file.checkpoints.clone(),
            parallelism: self.options.parallelism_of(self.started),
            interval: self.options.interval,
            read_limit: if pace == Pace::Limited { self.options.read_limit } else { None },
            seed: self.options.seed.wrapping_add(self.started as u64),
            gate: Vec::new(),
            step_delay: if pace == Pace::Limited { self.options.step_delay } else { None },
            trace_phases: false,
        };
        self.started += 1;
        Leader::start(&pipeline).map_err(cannot("started"))
    }

    /// Stops the leader, has another one take over, and continues the first. Returns the one that leads then.
    fn replace(&mut self, mut leader: Leader, is_last: bool) -> Result<Leader, Exit> {
        let moment = Moment::draw(&mut self.random, self.options.step_delay.unwrap_or_default());
        let reached = leader.run_until(moment, PATIENCE).map_err(cannot("waited for"))?;
        if let Some(ending) = reached {
            return Err(Exit::Wrong(format!("a leader ended before it was stopped: {ending}")));
        }
        leader.stop().map_err(cannot("stopped"))?;
        let directory = JobDirectory::new(&self.workplace.file)?;
        let zombie_epoch = directory.head()?.epoch;
        let mut successor = self.start(Pace::Limited)?;
        let commits = self.random.below(3);
        if let Some(ending) = successor.run_until(Moment::Commits(commits), PATIENCE).map_err(cannot("waited for"))? {
            return Err(Exit::Wrong(format!("a successor ended while the one before was stopped: {ending}")));
        }
        let fate = match self.random.below(3) {
            0 => Successor::Works,
            1 => Successor::Stopped,
            _ => Successor::Dead,
        };
        match fate {
            Successor::Works => {}
            Successor::Stopped => successor.stop().map_err(cannot("stopped"))?,
            Successor::Dead => successor.kill().map_err(cannot("killed"))?,
        }
        let before = (fate != Successor::Works).then(|| directory.look(zombie_epoch)).transpose()?;
        leader.go_on().map_err(cannot("continued"))?;
        let ending = leader.wait_for_end(PATIENCE).map_err(cannot("waited for"))?;
        let after = before.is_some().then(|| directory.look(zombie_epoch)).transpose()?;
        let Some(restored_from) = successor.restored_from else {
            return Err(Exit::Wrong("a successor restored nothing".to_owned()));
        };
        self.summary.zombies.push(Zombie {
            stopped_in: leader.stopped_in(),
            fenced_at: leader.fenced_at(),
            successor: format!("{fate:?}").to_lowercase(),
        });
        let said = format!("{} stopped in {}, its successor {fate:?}", leader.name, leader.stopped_in());
        let wrong = |what: String| Exit::Wrong(format!("{said}: {what}"));
        if ending != Ending::Fenced {
            return Err(wrong(format!("it was not fenced: {ending}")));
        }
        if let Some((before, after)) = before.zip(after) {
            before.compare(&after).map_err(|change| {
                self.summary.harmed += 1;
                wrong(format!("it {change}"))
            })?;
        }
        if let Some(id) = leader.completed_after_stop().find(|id| **id > restored_from.unwrap_or(0)) {
            self.summary.notified += 1;
            return Err(wrong(format!("it says that checkpoint {id} is completed")));
        }
        let output = &self.workplace.file.output;
        if let Some(name) =
            committed_too_late(output, zombie_epoch, restored_from.unwrap_or(0)).map_err(list(output))?
        {
            self.summary.notified += 1;
            return Err(wrong(format!("it committed {name}")));
        }
        match fate {
            Successor::Stopped => successor.go_on().map_err(cannot("continued"))?,
            Successor::Dead if !is_last => return self.start(Pace::Limited),
            _ => {}
        }
        Ok(successor)
    }

    /// All of the output is there once, and of everything else nothing is left.
    fn check_end(&mut self) -> Result<Exit, Exit> {
        let file = &self.workplace.file;
        let expected = WordCount::of_files(&file.inputs)?;
        if let Verdict::Wrong(wrong) = verify(&file.output, &expected)? {
            self.summary.wrong(&wrong);
            return Ok(Exit::Wrong(wrong.to_string()));
        }
        let mut orphans = JobDirectory::new(file)?.orphans()?;
        orphans.extend(left_in_output(&file.output).map_err(list(&file.output))?);
        self.summary.orphans = orphans.len() as u64;
        if let Some(first) = orphans.first() {
            return Ok(Exit::Wrong(format!("{} orphans, the first is {first}", orphans.len())));
        }
        let continued = self.summary.zombies.len();
        print(&format!(
            "right: {continued} leaders stopped and continued, all of them fenced, nothing lost, doubled or left"
        ));
        Ok(Exit::Right)
    }
}

fn cannot(what: &'static str) -> impl Fn(io::Error) -> Exit {
    move |error| Exit::Failed(format!("a leader cannot be {what}: {error}"))
}

fn list(directory: &Path) -> impl Fn(io::Error) -> Exit {
    let shown = directory.display().to_string();
    move |error| Exit::Failed(format!("{shown} cannot be listed: {error}"))
}
