//! `cargo xtask crash`: power is lost at every instant of what writes state, in every way, on a simulated disk.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::arguments::Arguments;
use crate::summary::Summary;
use crate::workspace::Workspace;
use crate::{Result, shell};

/// The file that the program writes with `--summary`.
#[derive(Debug, Deserialize)]
struct Seen {
    images: u64,
    failures: u64,
    first_seed: u64,
    last_seed: u64,
    scenarios: BTreeMap<String, u64>,
}

pub(crate) fn run(workspace: &Workspace, mut arguments: Arguments) -> Result {
    let images = arguments.value::<u64>("--images")?.unwrap_or(1_000_000);
    let scenario = arguments.value::<String>("--scenario")?;
    let seed = arguments.value::<u64>("--seed")?.unwrap_or(1);
    arguments.finish_all()?;

    shell::run(workspace.cargo("build").args(["--release", "-p", "ckpt-tests", "--example", "crash"]))?;
    let home = workspace.target().join("crash");
    std::fs::create_dir_all(&home)?;
    let written = home.join("images.json");
    if written.exists() {
        std::fs::remove_file(&written)?;
    }
    let mut summary = Summary::start();
    let mut command = std::process::Command::new(workspace.target().join("release/examples/crash"));
    command.args(["--images", &images.to_string(), "--seed", &seed.to_string(), "--summary"]).arg(&written);
    if let Some(scenario) = &scenario {
        command.args(["--scenario", scenario]);
    }
    // What it counted says whether it failed; one that ended early has counted nothing.
    let ended = shell::run(&mut command);
    let Ok(text) = std::fs::read(&written) else { return ended };
    let seen: Seen = serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", written.display()))?;
    summary.runs = seen.images;
    summary.failures = seen.failures;
    summary.seeds = vec![seen.first_seed, seen.last_seed];
    for (scenario, images) in &seen.scenarios {
        summary.hit(scenario, *images);
    }
    // An image is no test: what passes is a scenario.
    let (scenarios, failures) = (seen.scenarios.len() as u64, seen.failures);
    println!("{} images of {scenarios} scenarios", seen.images);
    println!("{} passed, {failures} failed", scenarios.saturating_sub(failures));
    let too_few = seen.failures == 0 && seen.images < images;
    summary.finish(workspace, "crash")?;
    if too_few { Err(format!("{} images, expected {images}", seen.images).into()) } else { ended }
}
