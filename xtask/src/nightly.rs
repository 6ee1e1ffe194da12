//! The nightly compiler, where there is one.

use std::path::Path;
use std::process::Command;

use crate::workspace::Workspace;
use crate::{Result, shell};

/// `cargo +nightly`, through rustup: the cargo that runs this program knows of one compiler only.
pub(crate) fn cargo(workspace: &Workspace, subcommand: &str, target: &Path) -> Command {
    let mut command = workspace.command("rustup");
    command.args(["run", "nightly", "cargo", subcommand]).env("CARGO_TARGET_DIR", target);
    for name in ["CARGO", "RUSTUP_TOOLCHAIN", "CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH"] {
        command.env_remove(name);
    }
    command
}

/// Sees that there is one.
pub(crate) fn require(workspace: &Workspace, what_for: &str) -> Result {
    if shell::output(&mut cargo(workspace, "--version", workspace.target())).is_err() {
        return Err(format!("{what_for} needs a nightly compiler: rustup toolchain install nightly").into());
    }
    Ok(())
}
