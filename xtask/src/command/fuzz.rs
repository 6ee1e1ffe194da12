//! `cargo xtask fuzz`: every fuzz target for some time, from seeds made of the golden files.

use std::path::PathBuf;
use std::process::Command;

use crate::arguments::Arguments;
use crate::shell::Channel;
use crate::summary::Summary;
use crate::workspace::Workspace;
use crate::{Result, nightly, shell};

/// The version that is installed where there is none.
const CARGO_FUZZ: &str = "0.13.2";
/// How long one input may take. An instrumented build is some twenty times slower than the one that ships, which has
/// 100 ms.
const TIMEOUT_SECONDS: u32 = 2;
/// What no single allocation may exceed: targets measure what a reader takes, in proportion to its input, and whatever the
/// input claims it is never more than this.
const ALLOCATION_MEBIBYTES: u32 = 64;
/// What the whole process may take: most of it is the sanitizer's, for what was freed, and the corpus.
const PROCESS_MEBIBYTES: u32 = 640;

pub(crate) fn run(workspace: &Workspace, mut arguments: Arguments) -> Result {
    let seconds: u32 = arguments.value("--seconds")?.unwrap_or(60);
    let only = arguments.positional();
    arguments.finish_all()?;

    prepare(workspace)?;
    let list = shell::output(fuzz(workspace, "list").args(["--fuzz-dir", "fuzz"]))?;
    let targets = list.lines().map(str::trim).filter(|target| only.as_ref().is_none_or(|only| target.contains(only)));
    let mut summary = Summary::start();
    for target in targets {
        let mut inputs = None;
        let mut command = fuzz(workspace, "run");
        let (corpus, found) = (home(workspace).join("corpus").join(target), home(workspace).join("found").join(target));
        std::fs::create_dir_all(&found)?;
        command.args(["--fuzz-dir", "fuzz", target]).arg(corpus).arg("--");
        command.args([format!("-max_total_time={seconds}"), format!("-timeout={TIMEOUT_SECONDS}")]);
        command.arg(format!("-malloc_limit_mb={ALLOCATION_MEBIBYTES}"));
        command.arg(format!("-rss_limit_mb={PROCESS_MEBIBYTES}"));
        command.arg(format!("-artifact_prefix={}/", found.display()));
        let status = shell::watch(&mut command, |channel, line| {
            if channel == Channel::Error {
                inputs = inputs.or_else(|| inputs_of(line));
            }
        })?;
        // A run that says of no input that it was tried has shown nothing.
        let passed = status.success() && inputs.is_some_and(|inputs| inputs > 0);
        summary.runs += 1;
        summary.failures += u64::from(!passed);
        summary.hit(target, inputs.unwrap_or(0));
    }
    println!("{} passed, {} failed", summary.runs - summary.failures, summary.failures);
    summary.finish(workspace, "fuzz")
}

/// Sees that there are a nightly compiler, cargo-fuzz and the seeds.
fn prepare(workspace: &Workspace) -> Result {
    nightly::require(workspace, "fuzzing")?;
    if shell::output(fuzz(workspace, "--version").stderr(std::process::Stdio::null())).is_err() {
        shell::run(workspace.cargo("install").args(["cargo-fuzz", "--locked", "--version", CARGO_FUZZ]))?;
    }
    let mut seeds = nightly(workspace, "run");
    seeds.args(["--release", "--manifest-path", "fuzz/Cargo.toml", "--example", "seeds", "--"]);
    seeds.args(["crates/ckpt-core/testdata/v1", "crates/ckpt-flink/testdata"]);
    shell::run(seeds.arg(home(workspace).join("corpus")))
}

/// Where builds, corpora and what was found go.
fn home(workspace: &Workspace) -> PathBuf {
    workspace.target().join("fuzz")
}

fn fuzz(workspace: &Workspace, subcommand: &str) -> Command {
    let mut command = nightly(workspace, "fuzz");
    command.arg(subcommand);
    command
}

fn nightly(workspace: &Workspace, subcommand: &str) -> Command {
    nightly::cargo(workspace, subcommand, &home(workspace))
}

/// How many inputs were tried, from libFuzzer's last line.
fn inputs_of(line: &str) -> Option<u64> {
    line.strip_prefix("Done ")?.split_once(" runs in ")?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_says_how_many_inputs_there_were() {
        assert_eq!(inputs_of("Done 241044 runs in 16 second(s)"), Some(241_044));
        assert_eq!(inputs_of("#241044 DONE cov: 1"), None);
    }
}
