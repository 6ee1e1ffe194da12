//! `cargo xtask race`: directories are swapped for links while they are disposed of.

use std::process::Command;

use crate::arguments::Arguments;
use crate::workspace::Workspace;
use crate::{Result, shell};

pub(crate) fn run(workspace: &Workspace, mut arguments: Arguments) -> Result {
    let swaps = arguments.value::<u64>("--swaps")?.unwrap_or(100_000);
    arguments.finish_all()?;
    shell::run(workspace.cargo("build").args(["--release", "-p", "ckpt-tests", "--example", "dispose_race"]))?;
    shell::run(Command::new(workspace.target().join("release/examples/dispose_race")).arg(swaps.to_string()))
}
