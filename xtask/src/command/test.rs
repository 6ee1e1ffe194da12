//! `cargo xtask test`: every test there is.

use crate::Result;
use crate::arguments::Arguments;
use crate::cargo_test::{self, Totals};
use crate::command::loom;
use crate::summary::Summary;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace, arguments: Arguments) -> Result {
    arguments.finish_all()?;
    let mut summary = Summary::start();
    let mut all = Totals::default();

    let tests = cargo_test::run(workspace.cargo("test").args(["--workspace", "--all-features", "--no-fail-fast"]))?;
    summary.hit("tests", tests.runs());
    all += tests;

    let models = loom::run_models(workspace, None)?;
    summary.hit("loom models", models.runs());
    all += models;

    summary.hit("test programs", all.programs);
    summary.runs = all.runs();
    summary.failures = all.failed;
    println!("{} passed, {} failed", all.passed, all.failed);
    summary.finish(workspace, "test")
}
