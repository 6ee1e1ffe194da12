//! One run of the word count, all of it drawn from a seed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::PHASES;
use super::input::Shape;
use crate::Result;
use crate::random::Random;

/// The largest input of all files of a run together.
const MOST_INPUT_BYTES: u64 = 8 << 20;

/// So long one leader alone takes that is to be stopped.
const ZOMBIE_SECONDS: u64 = 30;

const LEAST_ZOMBIE_BYTES: u64 = 4 << 20;

/// What a run is given.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Case {
    seed: u64,
    kills: u64,
    interval_millis: u64,
    /// One for each start; the last one holds from then on.
    parallelisms: Vec<u64>,
    inputs: Vec<(Shape, u64)>,
    /// Bytes a second. Unlimited, a few megabytes are read before the second checkpoint.
    read_limit: Option<u64>,
    /// Kills fall exactly where these begin; anywhere when empty.
    phases: Vec<String>,
    /// Kills fall within steps of these parts of the protocol.
    parts: Vec<String>,
}

impl Case {
    /// In one case of four the kills fall exactly where a phase begins: kills at random moments hardly ever meet the
    /// short ones. `asked` are the phases that every case is to take, if any, and `parts` those of the protocol within whose
    /// steps every kill is to fall.
    pub(super) fn draw(seed: u64, kills: u64, asked: &[String], parts: &[String]) -> Self {
        let mut random = Random::new(seed);
        let interval_millis = random.magnitude(10, 200);
        let parallelisms = (0..=kills).map(|_| random.within(1, 4)).collect();
        let least = if random.once_in(4) { 64 << 10 } else { 1 << 20 };
        let largest = random.magnitude(least, MOST_INPUT_BYTES);
        let mut inputs = vec![(Shape::Words, largest)];
        for _ in 0..random.within(0, 3) {
            let left = MOST_INPUT_BYTES - inputs.iter().map(|(_, bytes)| bytes).sum::<u64>();
            let bytes = random.magnitude(0, left.min(largest));
            inputs.push((Shape::draw(&mut random), bytes));
        }
        // The long one is not always the first.
        let last = inputs.len() - 1;
        inputs.swap(0, random.within(0, last as u64) as usize);
        let total: u64 = inputs.iter().map(|(_, bytes)| bytes).sum();
        let read_limit = (!random.once_in(4)).then(|| (total * 1000 / random.within(200, 2000)).max(1));
        let mut phases = asked.to_vec();
        if random.once_in(4) && asked.is_empty() && parts.is_empty() {
            phases = (0..kills).filter_map(|_| random.one_of(PHASES)).map(|phase| (*phase).to_owned()).collect();
        }
        Self { seed, kills, interval_millis, parallelisms, inputs, read_limit, phases, parts: parts.to_vec() }
    }

    /// A case in which leaders are stopped and continued. They read so slowly that none of them but the last ends the job.
    pub(super) fn draw_zombies(seed: u64) -> Self {
        let mut random = Random::new(!seed);
        let zombies = random.within(1, 3);
        let mut case = Self::draw(seed, 2 * zombies, &[], &[]);
        // What is read in one go does not take long however little is read in a second.
        if let Some((_, bytes)) = case.inputs.iter_mut().max_by_key(|(_, bytes)| *bytes) {
            *bytes = (*bytes).max(LEAST_ZOMBIE_BYTES);
        }
        let total: u64 = case.inputs.iter().map(|(_, bytes)| bytes).sum();
        case.interval_millis = random.magnitude(10, 100);
        case.read_limit = Some((total / ZOMBIE_SECONDS).max(1));
        case.kills = zombies;
        case
    }

    /// The command line of leaders that are stopped and continued.
    pub(super) fn zombie_command(&self, program: &Path, directory: &Path, inputs: &[PathBuf]) -> Command {
        let mut command = Command::new(program);
        command.args(["zombies", "--zombies", &self.kills.to_string()]);
        command.args(["--step-delay", &super::STEP_DELAY_MICROS.to_string()]);
        self.add_to(&mut command, directory, inputs);
        command
    }

    /// Writes the input files, each from the seed alone.
    pub(super) fn write_inputs(&self, directory: &Path) -> Result<Vec<PathBuf>> {
        let mut paths = Vec::new();
        for (number, (shape, bytes)) in self.inputs.iter().enumerate() {
            let path = directory.join(format!("input-{number}"));
            let mut random = Random::new(self.seed ^ (number as u64 + 1).rotate_left(32));
            fs::write(&path, shape.content(&mut random, *bytes as usize))?;
            paths.push(path);
        }
        Ok(paths)
    }

    /// The command line of the word count.
    pub(super) fn command(&self, program: &Path, directory: &Path, inputs: &[PathBuf]) -> Command {
        let mut command = Command::new(program);
        self.add_to(&mut command, directory, inputs);
        command.args(["--kills", &self.kills.to_string()]);
        if !self.phases.is_empty() {
            command.args(["--kill-phase", &self.phases.join(",")]);
        }
        if !self.parts.is_empty() {
            let delay = super::STEP_DELAY_MICROS.to_string();
            command.args(["--kill-step", &self.parts.join(","), "--step-delay", &delay]);
        }
        command
    }

    /// What every command line says.
    fn add_to(&self, command: &mut Command, directory: &Path, inputs: &[PathBuf]) {
        for input in inputs {
            command.arg("--input").arg(input);
        }
        let parallelisms: Vec<String> = self.parallelisms.iter().map(u64::to_string).collect();
        command
            .arg("--output")
            .arg(directory.join("output"))
            .arg("--checkpoints")
            .arg(directory.join("checkpoints"))
            .args(["--parallelism", &parallelisms.join(",")])
            .args(["--interval", &self.interval_millis.to_string()])
            .args(["--seed", &self.seed.to_string()])
            .arg("--summary")
            .arg(directory.join("summary.json"));
        if let Some(limit) = self.read_limit {
            command.args(["--read-limit", &limit.to_string()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_draws_the_same_case_and_the_bounds_hold() {
        let mut parallelisms = [false; 5];
        for seed in 0..500 {
            let case = Case::draw(seed, 5, &[], &[]);
            assert_eq!(case, Case::draw(seed, 5, &[], &[]));
            assert!((10..=200).contains(&case.interval_millis));
            assert!(case.inputs.iter().map(|(_, bytes)| bytes).sum::<u64>() <= MOST_INPUT_BYTES);
            assert_eq!(case.parallelisms.len(), 6);
            case.parallelisms.iter().for_each(|parallelism| parallelisms[*parallelism as usize] = true);
        }
        assert_eq!(parallelisms, [false, true, true, true, true]);
    }

    #[test]
    fn a_phase_that_is_asked_for_is_taken_and_otherwise_each_comes_up() {
        let asked = ["sealing".to_owned()];
        assert!((0..50).all(|seed| Case::draw(seed, 3, &asked, &[]).phases == asked));
        let drawn: Vec<Case> = (0..400).map(|seed| Case::draw(seed, 3, &[], &[])).collect();
        assert!(PHASES.iter().all(|phase| drawn.iter().any(|case| case.phases.iter().any(|drawn| drawn == phase))));
        let anywhere = drawn.iter().filter(|case| case.phases.is_empty()).count();
        assert!((250..350).contains(&anywhere), "{anywhere}");
    }
}
