//! The command line.

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use ckpt_coord::Phase;
use clap::{Args, Parser, Subcommand};

use crate::wordcount::kill_plan::WithinSteps;
use crate::wordcount::{phase_name, step};

/// Counts words exactly once, though its pipeline is killed again and again.
///
/// A parent process runs the pipeline in a child, sends it SIGKILL at moments drawn from the seed, also during
/// checkpoints and restores, and starts it again from the newest checkpoint until all input is read. Then it holds the
/// output against a plain count. Without arguments it makes up its input.
///
/// Exit codes: 0 the output is right, 1 it is wrong, 2 an error (nothing is deleted), 3 another run has taken over.
#[derive(Debug, Parser)]
#[command(name = "wordcount", version, args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) pipeline: Option<Hidden>,
    #[command(flatten)]
    pub(super) options: Options,
}

#[derive(Debug, Args)]
pub(super) struct Options {
    /// A file to count the words of; may be given several times. [default: 64 MiB of made-up words]
    #[arg(long, value_name = "FILE")]
    pub(super) input: Vec<PathBuf>,
    /// Where the files part-* go. [default: the directory "output" beside the checkpoints]
    #[arg(long, value_name = "DIR")]
    pub(super) output: Option<PathBuf>,
    /// Where checkpoints are kept; an unfinished run there is continued. [default: a temporary directory]
    #[arg(long, value_name = "DIR")]
    pub(super) checkpoints: Option<PathBuf>,
    /// Subtasks of each vertex; several numbers are for one start each, the last one for every later start.
    #[arg(long, value_name = "N[,N]", value_delimiter = ',', default_value = "2", value_parser = clap::value_parser!(u32).range(1..=128))]
    pub(super) parallelism: Vec<u32>,
    /// Milliseconds from one checkpoint to the next.
    #[arg(long, value_name = "MS", default_value_t = 100, value_parser = clap::value_parser!(u64).range(10..=3_600_000))]
    pub(super) interval: u64,
    /// Bytes of input that are read in a second at most. [default: as many as can be]
    #[arg(long, value_name = "BYTES")]
    pub(super) read_limit: Option<NonZeroU64>,
    /// How often the pipeline is killed.
    #[arg(long, value_name = "K", default_value_t = 3)]
    pub(super) kills: u32,
    /// What input and kills are drawn from.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(super) seed: u64,
    /// For tools: kill exactly at the beginning of these phases, one for each kill, over and over.
    #[arg(long, value_name = "P[,P]", value_delimiter = ',', value_parser = phase_name::parse, help_heading = "For tools")]
    pub(super) kill_phase: Vec<Phase>,
    /// For tools: kill at a random moment of a step of these parts of the protocol, one for each kill, over and over.
    #[arg(long, value_name = "P[,P]", value_delimiter = ',', value_parser = step::parse_part, requires = "step_delay", conflicts_with = "kill_phase", help_heading = "For tools")]
    pub(super) kill_step: Vec<String>,
    /// For tools: microseconds by which each call of the system takes longer that commits or deletes something.
    #[arg(long, value_name = "MICROS", value_parser = clap::value_parser!(u64).range(1..=1_000_000), help_heading = "For tools")]
    pub(super) step_delay: Option<u64>,
    /// For tools: write what happened to this file, as JSON.
    #[arg(long, value_name = "FILE", help_heading = "For tools")]
    pub(super) summary: Option<PathBuf>,
    /// For tools: the pipeline writes a line to standard error at the beginning of each phase.
    #[arg(long, help_heading = "For tools")]
    pub(super) trace_phases: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Hidden {
    /// The child process.
    #[command(hide = true)]
    Pipeline(PipelineOptions),
    /// Leaders that are stopped, replaced and continued.
    #[command(hide = true)]
    Zombies(Box<ZombieOptions>),
}

/// What is asked of a run in which leaders are stopped, replaced and continued.
#[derive(Debug, Args)]
pub(super) struct ZombieOptions {
    #[command(flatten)]
    pub(super) options: Options,
    /// How many leaders are stopped.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(super) zombies: u32,
}

/// What the parent tells the child.
#[derive(Clone, Debug, Args)]
pub(super) struct PipelineOptions {
    #[arg(long)]
    pub(super) checkpoints: PathBuf,
    #[arg(long)]
    pub(super) parallelism: u32,
    #[arg(long)]
    pub(super) interval: u64,
    #[arg(long)]
    pub(super) read_limit: Option<NonZeroU64>,
    #[arg(long)]
    pub(super) seed: u64,
    /// Phases at which it waits for an answer of the parent.
    #[arg(long, value_delimiter = ',', value_parser = phase_name::parse)]
    pub(super) gate: Vec<Phase>,
    #[arg(long)]
    pub(super) step_delay: Option<u64>,
    #[arg(long)]
    pub(super) trace_phases: bool,
}

impl Options {
    /// The parallelism of the attempt with that number, from 0.
    pub(super) fn parallelism_of(&self, attempt: usize) -> u32 {
        let last = self.parallelism.len() - 1;
        self.parallelism[attempt.min(last)]
    }

    /// Which kills are to fall into steps, if any.
    pub(super) fn within_steps(&self) -> Option<WithinSteps> {
        let delay = Duration::from_micros(self.step_delay?);
        (!self.kill_step.is_empty()).then(|| WithinSteps { parts: self.kill_step.clone(), delay })
    }
}

impl PipelineOptions {
    pub(super) const fn interval(&self) -> Duration {
        Duration::from_millis(self.interval)
    }

    pub(super) fn step_delay(&self) -> Option<Duration> {
        self.step_delay.map(Duration::from_micros)
    }

    /// The arguments by which the parent says this.
    pub(super) fn to_arguments(&self) -> Vec<std::ffi::OsString> {
        let mut arguments = vec!["pipeline".into(), "--checkpoints".into(), self.checkpoints.clone().into()];
        for (flag, number) in
            [("--parallelism", self.parallelism.into()), ("--interval", self.interval), ("--seed", self.seed)]
        {
            arguments.extend([flag.into(), number.to_string().into()]);
        }
        if let Some(limit) = self.read_limit {
            arguments.extend(["--read-limit".into(), limit.to_string().into()]);
        }
        if !self.gate.is_empty() {
            let names: Vec<_> = self.gate.iter().copied().map(phase_name::name).collect();
            arguments.extend(["--gate".into(), names.join(",").into()]);
        }
        if let Some(delay) = self.step_delay {
            arguments.extend(["--step-delay".into(), delay.to_string().into()]);
        }
        if self.trace_phases {
            arguments.push("--trace-phases".into());
        }
        arguments
    }
}
