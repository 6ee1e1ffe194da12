//! `cargo xtask fix`: what tools can repair by themselves.

use crate::arguments::Arguments;
use crate::workspace::Workspace;
use crate::{Result, shell};

pub(crate) fn run(workspace: &Workspace, arguments: Arguments) -> Result {
    arguments.finish_all()?;
    shell::run(workspace.cargo("clippy").args(["--fix", "--allow-dirty", "--allow-staged"]).args([
        "--workspace",
        "--all-targets",
        "--all-features",
    ]))?;
    shell::run(workspace.cargo("fmt").arg("--all"))
}
