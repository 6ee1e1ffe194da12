//! `cargo xtask order`: the order of system calls that makes a checkpoint survive the loss of power.
//!
//! A killed process loses nothing that it wrote, so no kill shows a missing sync. This does: a small word count runs
//! under `strace`, tells at which step it is, and the trace has to show every byte and every name synced before the
//! step that relies on it.

mod event;
mod rules;
mod strace;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::arguments::Arguments;
use crate::random::Random;
use crate::summary::Summary;
use crate::workspace::Workspace;
use crate::{Result, cargo_test, shell};
use rules::Verdict;

/// System calls that write, name or sync.
const CALLS: &str = "trace=openat,openat2,write,pwrite64,writev,pwritev,fsync,fdatasync,link,linkat,rename,renameat,\
                     renameat2,mkdir,mkdirat,unlink,unlinkat";

/// The test that shows the same order where no process may be traced.
const FALLBACK: &str = "order_of_durability";

pub(crate) fn run(workspace: &Workspace, arguments: Arguments) -> Result {
    arguments.finish_all()?;
    let mut summary = Summary::start();
    if let Err(reason) = may_trace() {
        println!("{reason}: the order is checked over the recording file system instead of system calls");
        let totals = cargo_test::run(workspace.cargo("test").args(["-p", "ckpt-tests", "--all-features", FALLBACK]))?;
        summary.runs = totals.runs();
        summary.failures = totals.failed;
        println!("{} passed, {} failed", totals.passed, totals.failed);
        return summary.finish(workspace, "order");
    }

    shell::run(workspace.cargo("build").args(["-p", "ckpt-tests", "--example", "wordcount"]))?;
    let directory = workspace.target().join("order");
    // Without a kill, and with some: what a killed attempt left unsynced is not durable for the next one either.
    for kills in [0, 2] {
        let verdict = trace(workspace, &directory, kills)?;
        for violation in &verdict.violations {
            println!("VIOLATION: {violation}");
        }
        println!("{} kills: {verdict}", kills);
        summary.runs += verdict.checked();
        summary.failures += verdict.violations.len() as u64;
        for (kind, times) in verdict.counts() {
            summary.hit(kind, times);
        }
        // A trace that shows none of a kind shows nothing about its order.
        if let Some((kind, _)) = verdict.counts().into_iter().find(|(_, times)| *times == 0) {
            println!("VIOLATION: the trace shows no {kind}");
            summary.failures += 1;
        }
    }
    println!("{} passed, {} failed", summary.runs.saturating_sub(summary.failures), summary.failures);
    summary.finish(workspace, "order")
}

/// Runs the word count under `strace` and judges what it did.
fn trace(workspace: &Workspace, directory: &Path, kills: u64) -> Result<Verdict> {
    if directory.exists() {
        fs::remove_dir_all(directory)?;
    }
    fs::create_dir_all(directory)?;
    let input = directory.join("input");
    fs::write(&input, many_words(&mut Random::new(1)))?;
    let trace = directory.join("trace.txt");

    let mut command = Command::new("strace");
    // Without `--seccomp-bpf` every call would stop the process, also those that nobody asked for.
    command.args(["-f", "-y", "-s", "256", "--seccomp-bpf", "-e", CALLS, "-e", "signal=none", "-o"]).arg(&trace);
    command
        .arg(workspace.target().join("debug/examples/wordcount"))
        .arg("--input")
        .arg(&input)
        .arg("--output")
        .arg(directory.join("output"))
        .arg("--checkpoints")
        .arg(directory.join("checkpoints"))
        .args(["--parallelism", "2", "--interval", "50", "--seed", "1", "--trace-phases"])
        .args(["--kills", &kills.to_string()])
        .stdout(Stdio::null())
        .stderr(fs::File::create(directory.join("log.txt"))?);
    shell::run(&mut command).map_err(|error| format!("{error}; see {}", directory.join("log.txt").display()))?;

    let text = String::from_utf8_lossy(&fs::read(&trace)?).into_owned();
    let events = event::events(&strace::calls(&text), directory);
    Ok(rules::check(&events))
}

/// Whether `strace` is there and may trace.
fn may_trace() -> std::result::Result<(), String> {
    match Command::new("strace").args(["-f", "-o", "/dev/null", "true"]).stderr(Stdio::null()).status() {
        Err(error) => Err(format!("strace cannot be run ({error})")),
        Ok(status) if !status.success() => Err("strace may not trace here".to_owned()),
        Ok(_) => Ok(()),
    }
}

/// So many different words that their counts do not fit into an acknowledgement: state goes to files.
fn many_words(random: &mut Random) -> Vec<u8> {
    let mut words = Vec::new();
    for number in 0..150_000 {
        words.extend_from_slice(format!("word{:05}", random.within(0, 19_999)).as_bytes());
        words.push(if number % 10 == 9 { b'\n' } else { b' ' });
    }
    words
}
