//! `cargo xtask loom`: the models of concurrent code, each explored in all its interleavings.

use std::process::Command;

use crate::Result;
use crate::arguments::Arguments;
use crate::cargo_test::{self, Totals};
use crate::summary::Summary;
use crate::workspace::{Package, Workspace};

pub(crate) fn run(workspace: &Workspace, mut arguments: Arguments) -> Result {
    let only = arguments.positional();
    arguments.finish_all()?;
    let mut summary = Summary::start();
    let totals = run_models(workspace, only.as_deref())?;
    summary.runs = totals.runs();
    summary.failures = totals.failed;
    println!("{} passed, {} failed", totals.passed, totals.failed);
    summary.finish(workspace, "loom")
}

/// Runs the models package by package. Under the flag the whole of a package's graph is built anew, and features that
/// one package switches on would reach the ordinary tests of another; so never the workspace at once.
pub(crate) fn run_models(workspace: &Workspace, only: Option<&str>) -> Result<Totals> {
    let mut all = Totals::default();
    let packages = packages_with_models(workspace)?;
    for package in packages.iter().filter(|package| only.is_none_or(|only| package.name == only)) {
        let mut totals = cargo_test::run(cargo_loom(workspace, "test").args([
            "-p",
            &package.name,
            "--lib",
            "--no-fail-fast",
            "loom_",
        ]))?;
        let declared = package.loom_models();
        if totals.runs() < declared {
            // A cfg that no longer reaches the models leaves an empty, green program.
            eprintln!("{}: {} loom models ran, its manifest declares {declared}", package.name, totals.runs());
            totals.failed += declared - totals.runs();
        }
        all += totals;
    }
    Ok(all)
}

/// The packages that declare models.
pub(crate) fn packages_with_models(workspace: &Workspace) -> Result<Vec<Package>> {
    let packages: Vec<Package> =
        workspace.packages()?.into_iter().filter(|package| package.loom_models() > 0).collect();
    if packages.is_empty() {
        return Err("no package declares loom models in [package.metadata.ckpt]".into());
    }
    Ok(packages)
}

/// A cargo command under the loom flag, in a target directory of its own since the flag rebuilds everything.
pub(crate) fn cargo_loom(workspace: &Workspace, subcommand: &str) -> Command {
    let mut command = workspace.cargo(subcommand);
    command
        .env("RUSTFLAGS", "--cfg ckpt_loom")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .args(["--profile", "loom", "--target-dir"])
        .arg(workspace.target().join("loom"));
    command
}
