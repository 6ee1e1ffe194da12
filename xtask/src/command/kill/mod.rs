//! `cargo xtask kill`: the word count, killed or stopped at moments drawn from a seed, over and over, and always right.

mod case;
mod input;
mod report;
mod zombies;

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::arguments::Arguments;
use crate::summary::Summary;
use crate::workspace::Workspace;
use crate::{Result, shell};
use case::Case;
use report::Report;

/// A run that takes longer than this hangs.
const LONGEST_RUN: Duration = Duration::from_secs(180);

/// Phases in which a kill must have fallen, once there were [`ENOUGH_RUNS`].
const PHASES: &[&str] = &[
    "restoring",
    "reading",
    "aligning",
    "writing-state",
    "sealing",
    "publishing",
    "writing-head",
    "notifying",
    "committing",
];

/// Parts of the protocol, in each of whose steps a kill must have fallen when it was asked for. The file system is slow in
/// them, so that kills fall before each call of the system and after it.
const PARTS: &[(&str, &[&str])] = &[
    ("commit", &["metadata-link", "metadata-sync", "head-link", "head-sync"]),
    ("subsume", &["subsume-remove"]),
    ("collect", &["collect-remove"]),
];

/// By how many microseconds a step takes longer.
const STEP_DELAY_MICROS: u64 = 5000;

/// So many runs must meet every phase.
const ENOUGH_RUNS: u64 = 200;

/// What becomes of leaders.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// They are killed.
    Kills,
    /// They are stopped, and continued when another one leads.
    Zombies,
}

/// What the command was asked for.
struct Request {
    kind: Kind,
    runs: u64,
    kills: u64,
    seed: u64,
    /// Every kill falls where one of these begins; drawn from the seed when empty.
    phases: Vec<String>,
    /// Every kill falls within a step of one of these parts of the protocol; none does when empty.
    parts: Vec<String>,
    passed_on: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, arguments: Arguments) -> Result {
    let request = Request::read(arguments)?;
    shell::run(workspace.cargo("build").args(["--release", "-p", "ckpt-tests", "--example", "wordcount"]))?;
    let program = workspace.target().join("release/examples/wordcount");
    if request.kind == Kind::Zombies {
        return zombies::run(workspace, &program, &request);
    }
    let home = workspace.target().join("kill");

    let mut summary = Summary::start();
    let mut totals = Report::default();
    for number in 0..request.runs {
        let seed = request.seed.wrapping_add(number);
        summary.runs += 1;
        summary.seeds.push(seed);
        match run_case(&program, &home, &request, seed) {
            Ok(report) => totals.add(&report),
            Err(error) => {
                summary.failures += 1;
                println!("FAILED: {error}\n  again: {}", request.command_of(seed));
            }
        }
        if summary.runs % 10 == 0 || summary.runs == request.runs {
            println!("{} runs, {} failed, {totals}", summary.runs, summary.failures);
        }
    }

    for phase in PHASES {
        summary.hit(phase, 0);
    }
    for step in request.steps() {
        summary.hit(step, 0);
    }
    for (phase, times) in totals.phases().into_iter().chain(totals.steps()) {
        summary.hit(phase, times);
    }
    for (kind, times) in totals.counts() {
        summary.hit(kind, times);
    }
    let missed = request.missed(&summary);
    println!("{} passed, {} failed", summary.runs - summary.failures, summary.failures);
    summary.finish(workspace, "kill")?;
    if missed.is_empty() { Ok(()) } else { Err(format!("no kill fell in: {}", missed.join(", ")).into()) }
}

impl Request {
    fn read(mut arguments: Arguments) -> Result<Self> {
        let from_clock = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |time| time.as_secs());
        let asked: Option<String> = arguments.value("--phase")?;
        let asked = asked.iter().flat_map(|list| list.split(',')).map(str::to_owned);
        let (parts, phases): (Vec<_>, Vec<_>) = asked.partition(|name| PARTS.iter().any(|(part, _)| part == name));
        let kind = if arguments.flag("--zombies") { Kind::Zombies } else { Kind::Kills };
        let request = Self {
            kind,
            runs: arguments.value("--runs")?.unwrap_or(20),
            kills: arguments.value("--kills")?.unwrap_or(3),
            seed: arguments.value("--seed")?.unwrap_or_else(from_clock),
            phases,
            parts,
            passed_on: arguments.finish()?,
        };
        if let Some(unknown) = request.phases.iter().find(|phase| !PHASES.contains(&phase.as_str())) {
            let parts: Vec<&str> = PARTS.iter().map(|(part, _)| *part).collect();
            let known = format!("{}; {}", PHASES.join(", "), parts.join(", "));
            return Err(format!("unknown phase {unknown:?}; there are: {known}").into());
        }
        if !request.phases.is_empty() && !request.parts.is_empty() {
            let (parts, phases) = (request.parts.join(","), request.phases.join(","));
            return Err(format!("--phase: {parts} cannot be asked for together with {phases}").into());
        }
        let takes_part = request.phases.is_empty() && request.parts.is_empty() && request.passed_on.is_empty();
        if request.kind == Kind::Zombies && !takes_part {
            return Err(
                "--zombies draws its moments from the seed: expected no --phase and no flags of wordcount".into()
            );
        }
        Ok(request)
    }

    /// The steps of the parts that were asked for.
    fn steps(&self) -> impl Iterator<Item = &'static str> + '_ {
        let asked = PARTS.iter().filter(|(part, _)| self.parts.iter().any(|asked| asked == part));
        asked.flat_map(|(_, steps)| steps.iter().copied())
    }

    /// The command that repeats the run of this seed.
    fn command_of(&self, seed: u64) -> String {
        let mut line = format!("cargo xtask kill --runs 1 --kills {} --seed {seed}", self.kills);
        let asked = [&self.phases[..], &self.parts[..]].concat();
        if !asked.is_empty() {
            line += &format!(" --phase {}", asked.join(","));
        }
        if !self.passed_on.is_empty() {
            line += &format!(" -- {}", self.passed_on.join(" "));
        }
        line
    }

    /// Phases that should have been hit and were not. A run without kills shows nothing at all.
    fn missed(&self, summary: &Summary) -> Vec<String> {
        let hit = |phase: &str| summary.hits.get(phase).is_some_and(|times| *times > 0);
        let asked = self.phases.iter().filter(|phase| !hit(phase)).cloned();
        let any = PHASES.iter().filter(|phase| !hit(phase)).map(|phase| (*phase).to_owned());
        if self.kills == 0 {
            Vec::new()
        } else if !self.parts.is_empty() {
            self.steps().filter(|step| !hit(step)).map(str::to_owned).collect()
        } else if !self.phases.is_empty() {
            asked.collect()
        } else if self.runs >= ENOUGH_RUNS {
            any.collect()
        } else if summary.hits.get("kills").is_none_or(|kills| *kills == 0) {
            vec!["any phase".to_owned()]
        } else {
            Vec::new()
        }
    }
}

/// How a run went.
struct Outcome {
    ended: Result,
    /// What it wrote about itself, if it came to that.
    report: Option<Vec<u8>>,
}

/// Makes the case of a seed and runs it.
fn run_case(program: &Path, home: &Path, request: &Request, seed: u64) -> Result<Report> {
    let outcome = run_in(home, seed, |directory| {
        let case = Case::draw(seed, request.kills, &request.phases, &request.parts);
        let mut command = case.command(program, directory, &case.write_inputs(directory)?);
        command.args(&request.passed_on);
        Ok(command)
    });
    outcome.ended?;
    Report::read(&outcome.report.ok_or("the run reports nothing")?)
}

/// Runs the command of a seed in a directory of its own, which is taken away when it was right.
fn run_in(home: &Path, seed: u64, command: impl FnOnce(&Path) -> Result<Command>) -> Outcome {
    let directory = home.join(format!("{seed:016x}"));
    let log = directory.join("log.txt");
    let run = || -> Result {
        if directory.exists() {
            fs::remove_dir_all(&directory)?;
        }
        fs::create_dir_all(&directory)?;
        match run_to_end(&mut command(&directory)?, &log)? {
            status if status.success() => Ok(()),
            status => Err(status.to_string().into()),
        }
    };
    let kept = |error| format!("seed {seed}: {error}; kept {}\n{}", directory.display(), tail_of(&log));
    let ended = run().map_err(|error| kept(error).into());
    let report = fs::read(directory.join("summary.json")).ok();
    let ended = ended.and_then(|()| Ok(fs::remove_dir_all(&directory)?));
    Outcome { ended, report }
}

/// Runs it in a process group of its own, which is ended as a whole should it hang.
fn run_to_end(command: &mut Command, log: &PathBuf) -> Result<ExitStatus> {
    let file = File::create(log)?;
    command.stdout(file.try_clone()?).stderr(file).process_group(0);
    shell::show(command);
    let mut child = command.spawn()?;
    let deadline = Instant::now() + LONGEST_RUN;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    end_group(&mut child)?;
    Err(format!("still running after {} s", LONGEST_RUN.as_secs()).into())
}

fn end_group(child: &mut Child) -> Result {
    Command::new("kill").args(["-KILL", "--", &format!("-{}", child.id())]).status()?;
    child.wait()?;
    Ok(())
}

fn tail_of(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].iter().map(|line| format!("  | {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(line: &str) -> Result<Request> {
        Request::read(Arguments::new(line.split_whitespace().map(str::to_owned)))
    }

    #[test]
    fn a_phase_that_was_never_hit_is_named() {
        let mut summary = Summary::start();
        summary.hit("kills", 5);
        summary.hit("reading", 5);
        assert!(request("--runs 10").unwrap().missed(&summary).is_empty());
        assert_eq!(request("--runs 200").unwrap().missed(&summary).len(), PHASES.len() - 1);
        assert_eq!(request("--phase reading,sealing").unwrap().missed(&summary), ["sealing"]);
        assert_eq!(request("--runs 1").unwrap().missed(&Summary::start()), ["any phase"]);
        assert!(request("--phase sealign").is_err());
        assert!(request("--phase sealing,commit").is_err());
        summary.hit("collect-remove", 1);
        assert_eq!(request("--phase collect,subsume").unwrap().missed(&summary), ["subsume-remove"]);
    }

    #[test]
    fn the_command_that_repeats_a_run_has_its_seed_only() {
        let request = request("--runs 9 --kills 2 --seed 4 --phase sealing -- --interval 5").unwrap();
        assert_eq!(
            request.command_of(7),
            "cargo xtask kill --runs 1 --kills 2 --seed 7 --phase sealing -- --interval 5"
        );
    }

    #[test]
    fn a_run_that_fails_or_cannot_start_is_an_error() {
        let log = std::env::temp_dir().join(format!("ckpt-xtask-log-{}", std::process::id()));
        assert!(!run_to_end(&mut Command::new("false"), &log).unwrap().success());
        assert!(run_to_end(&mut Command::new("/no/such/program"), &log).is_err());
        fs::remove_file(log).unwrap();
    }
}
