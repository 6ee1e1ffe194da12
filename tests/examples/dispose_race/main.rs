//! Directories are swapped for links while they are disposed of: see [`race`].
//!
//! `dispose_race [SWAPS]` prints how many swaps there were, how many disposals came through, and how many files outside were
//! touched; it fails when that is not none.

mod race;

use std::process::ExitCode;

use race::{Outcome, Resolving, race};

fn main() -> ExitCode {
    let swaps = match std::env::args().nth(1).map(|swaps| swaps.parse()) {
        None => 100_000,
        Some(Ok(swaps)) => swaps,
        Some(Err(error)) => {
            eprintln!("a number of swaps: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut failed = 0;
    for resolving in [Resolving::Whole, Resolving::ByComponents] {
        match race(swaps, resolving) {
            Ok(Outcome { swaps, disposals, refusals, canaries_touched }) => {
                println!(
                    "{resolving:?}: swaps {swaps}, disposals {disposals}, refusals {refusals}, canaries touched \
                     {canaries_touched}"
                );
                failed += u64::from(canaries_touched > 0);
            }
            Err(error) => {
                eprintln!("{resolving:?}: {error}");
                failed += 1;
            }
        }
    }
    println!("{} passed, {failed} failed", 2 - failed.min(2));
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
