//! Power is lost at every instant of what writes state, in every way, and what was promised is there afterwards.
//!
//! `cargo xtask crash` runs it. A story is what one scenario does with one seed, on a simulated disk; each image that a
//! loss of power could have left is opened as a process that takes over would, and looked at.

mod check;
mod draws;
mod history;
mod scenario;
mod snapshots;
mod storage;
mod story;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use clap::Parser;
use parking_lot::Mutex;
use scenario::SCENARIOS;
use serde::Serialize;

/// What is asked for.
#[derive(Debug, Parser)]
struct Request {
    /// How many images at least.
    #[arg(long, default_value_t = 1_000_000)]
    images: u64,
    /// One scenario only.
    #[arg(long)]
    scenario: Option<String>,
    /// The first seed; stories take one each.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where the numbers go.
    #[arg(long)]
    summary: Option<PathBuf>,
}

/// What was seen.
#[derive(Debug, Default, Serialize)]
struct Seen {
    images: u64,
    failures: u64,
    stories: u64,
    first_seed: u64,
    last_seed: u64,
    /// Images of each scenario.
    scenarios: BTreeMap<&'static str, u64>,
}

fn main() -> ExitCode {
    let request = Request::parse();
    let chosen: Vec<_> = SCENARIOS
        .iter()
        .filter(|scenario| request.scenario.as_deref().is_none_or(|name| name == scenario.name))
        .collect();
    if chosen.is_empty() {
        let names: Vec<&str> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
        eprintln!("unknown scenario; there are: {}", names.join(", "));
        return ExitCode::from(2);
    }
    let seen = Mutex::new(Seen { first_seed: request.seed, ..Seen::default() });
    let next = AtomicU64::new(request.seed);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                // Each seed runs every scenario, so that all of them have their share of the images.
                while seen.lock().images < request.images && seen.lock().failures == 0 {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    for scenario in &chosen {
                        let (images, failure) = run(scenario, seed);
                        let mut seen = seen.lock();
                        seen.images += images;
                        seen.stories += 1;
                        seen.last_seed = seen.last_seed.max(seed);
                        *seen.scenarios.entry(scenario.name).or_default() += images;
                        if let Some(failure) = failure {
                            seen.failures += 1;
                            println!("FAILED: {failure}");
                            println!(
                                "  again: cargo xtask crash --images 1 --scenario {} --seed {seed}",
                                scenario.name
                            );
                        }
                    }
                }
            });
        }
    });
    let seen = seen.into_inner();
    for (name, images) in &seen.scenarios {
        println!("{images:>10} images of {name}");
    }
    println!("{} images of {} stories, {} failed", seen.images, seen.stories, seen.failures);
    if let Some(path) = &request.summary {
        let text = serde_json::to_string_pretty(&seen).unwrap_or_default();
        if let Err(error) = std::fs::write(path, text) {
            eprintln!("{}: {error}", path.display());
            return ExitCode::FAILURE;
        }
    }
    if seen.failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Tells a story and looks at every image of it, up to one that is wrong.
fn run(scenario: &scenario::Scenario, seed: u64) -> (u64, Option<String>) {
    let tale = (scenario.tell)(seed);
    let mut wrong = None;
    let epoch = |done| tale.epoch(done);
    let images = tale.disk().visit_images(tale.images(seed), &epoch, &mut |image| match tale.check(image) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            wrong = Some((error, image.clone()));
            ControlFlow::Break(())
        }
    });
    let failure = wrong.map(|(error, image)| format!("{}, seed {seed}: {error}\n{image:?}", scenario.name));
    (images, failure)
}
