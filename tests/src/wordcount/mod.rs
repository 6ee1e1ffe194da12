//! The main job: a parent process runs the pipeline in a child, kills it at seeded moments, starts it again until it ends,
//! and checks the output.

mod exit;
mod kill_plan;
mod options;
mod parent;
mod phase_name;
mod pipeline;
mod process;
mod report;
mod reporter;
mod screen;
mod statistics;
mod step;
mod summary;
mod workplace;
mod zombies;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::wordcount::options::{Arguments, Hidden};

/// The program: reads the command line, runs as parent or as pipeline, says how it ended.
///
/// Exit codes: 0 the output is right; 1 it is wrong; 2 an error, nothing was deleted; 3 another run has taken over.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let exit = match arguments.pipeline {
        Some(Hidden::Pipeline(options)) => pipeline::run(&options),
        Some(Hidden::Zombies(options)) => zombies::run(&options),
        None => parent::run(&arguments.options),
    };
    if let Some(line) = exit.line() {
        // Without standard error the exit code has to say it.
        let _ = writeln!(std::io::stderr(), "{line}");
    }
    exit.code()
}
