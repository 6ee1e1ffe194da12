//! `cargo xtask model`: every order of steps, crashes and requests of the leaders of a job, over the code that ships.

use crate::arguments::Arguments;
use crate::command::mutants;
use crate::shell::Channel;
use crate::summary::Summary;
use crate::workspace::Workspace;
use crate::{Result, shell};

/// What the patches are called whose break the model has to find.
const PATCHES: &str = "model-";

pub(crate) fn run(workspace: &Workspace, mut arguments: Arguments) -> Result {
    let states = arguments.value::<u64>("--states")?;
    let mutants = arguments.flag("--mutants");
    let only = arguments.positional();
    arguments.finish_all()?;

    let mut summary = Summary::start();
    let mut command = workspace.cargo("run");
    command.args(["--release", "--quiet", "-p", "ckpt-model", "--"]);
    if let Some(states) = states {
        command.args(["--states", &states.to_string()]);
    }
    if mutants {
        command.arg("--mutants");
    }
    if let Some(only) = &only {
        command.args(["--only", only]);
    }
    let mut counted = None;
    let status = shell::watch(&mut command, |channel, line| {
        if channel == Channel::Output {
            counted = passed_and_failed(line).or(counted);
        }
    })?;
    let (mut passed, mut failed) = counted.unwrap_or_default();
    if !status.success() && failed == 0 && (passed > 0 || !mutants) {
        return Err(format!("the model ended with {status}").into());
    }
    if mutants {
        let chosen =
            |name: &str| name.starts_with(PATCHES) && only.as_ref().is_none_or(|only| name.contains(only.as_str()));
        let (caught, others) = mutants::try_all(workspace, &chosen, &mut summary)?;
        passed += caught;
        failed += others;
    }
    summary.runs = passed + failed;
    summary.failures = failed;
    println!("{passed} passed, {failed} failed");
    summary.finish(workspace, "model")
}

/// The last line of the model.
fn passed_and_failed(line: &str) -> Option<(u64, u64)> {
    let (passed, failed) = line.strip_suffix(" failed")?.split_once(" passed, ")?;
    Some((passed.parse().ok()?, failed.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_understood() {
        assert_eq!(passed_and_failed("5 passed, 1 failed"), Some((5, 1)));
        assert_eq!(passed_and_failed("5 states"), None);
    }
}
