//! `cargo xtask kill --zombies`: leaders that are stopped, replaced and continued, over and over, and always fenced.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::Deserialize;

use super::case::Case;
use super::{Request, run_in};
use crate::Result;
use crate::summary::Summary;
use crate::workspace::Workspace;

/// The file that `wordcount zombies --summary` writes, or the sum of many.
#[derive(Debug, Default, Deserialize)]
struct Report {
    zombies: Vec<Zombie>,
    harmed: u64,
    notified: u64,
    lost: u64,
    doubled: u64,
    orphans: u64,
}

/// A leader that was stopped and continued.
#[derive(Debug, Deserialize)]
struct Zombie {
    stopped_in: String,
    fenced_at: String,
    successor: String,
}

pub(super) fn run(workspace: &Workspace, program: &Path, request: &Request) -> Result {
    let home = workspace.target().join("zombies");
    let mut summary = Summary::start();
    let mut totals = Report::default();
    for number in 0..request.runs {
        let seed = request.seed.wrapping_add(number);
        summary.runs += 1;
        summary.seeds.push(seed);
        let outcome = run_in(&home, seed, |directory| {
            let case = Case::draw_zombies(seed);
            Ok(case.zombie_command(program, directory, &case.write_inputs(directory)?))
        });
        // What went wrong is counted as well.
        totals.add(outcome.report.as_deref().map(Report::read).transpose()?.unwrap_or_default());
        if let Err(error) = outcome.ended {
            summary.failures += 1;
            println!("FAILED: {error}\n  again: cargo xtask kill --zombies --runs 1 --seed {seed}");
        }
        if summary.runs % 10 == 0 || summary.runs == request.runs {
            println!("{} runs, {} failed, {totals}", summary.runs, summary.failures);
        }
    }
    for (what, times) in totals.hits() {
        summary.hit(&what, times);
    }
    println!("{}", totals.in_full());
    let continued = totals.zombies.len();
    println!("{} passed, {} failed", summary.runs - summary.failures, summary.failures);
    summary.finish(workspace, "zombies")?;
    if continued == 0 { Err("no leader was continued".into()) } else { Ok(()) }
}

impl Report {
    fn read(text: &[u8]) -> Result<Self> {
        serde_json::from_slice(text).map_err(|error| format!("the summary of a run: {error}").into())
    }

    fn add(&mut self, other: Self) {
        self.zombies.extend(other.zombies);
        self.harmed += other.harmed;
        self.notified += other.notified;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.orphans += other.orphans;
    }

    /// How many there are of each, by what `of` says.
    fn count<'a>(&'a self, of: impl Fn(&'a Zombie) -> &'a str) -> BTreeMap<&'a str, u64> {
        let mut counts = BTreeMap::new();
        for zombie in &self.zombies {
            *counts.entry(of(zombie)).or_default() += 1;
        }
        counts
    }

    fn hits(&self) -> Vec<(String, u64)> {
        let mut hits = vec![("continued".to_owned(), self.zombies.len() as u64)];
        let named = [
            ("stopped in", self.count(|zombie| &zombie.stopped_in)),
            ("fenced at", self.count(|zombie| &zombie.fenced_at)),
            ("successor", self.count(|zombie| &zombie.successor)),
        ];
        for (what, counts) in named {
            hits.extend(counts.into_iter().map(|(name, times)| (format!("{what} {name}"), times)));
        }
        hits
    }

    fn in_full(&self) -> String {
        let line = |what, counts: BTreeMap<&str, u64>| {
            let counts: Vec<_> = counts.into_iter().map(|(name, times)| format!("{name} {times}")).collect();
            format!("{what}: {}", counts.join(", "))
        };
        [
            line("stopped in", self.count(|zombie| &zombie.stopped_in)),
            line("fenced, having begun last", self.count(|zombie| &zombie.fenced_at)),
            line("while the successor was", self.count(|zombie| &zombie.successor)),
        ]
        .join("\n")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { zombies, harmed, notified, lost, doubled, orphans } = self;
        let continued = zombies.len();
        write!(f, "{continued} continued, {harmed} did harm, {notified} notified, ")?;
        write!(f, "{lost} lost, {doubled} doubled, {orphans} orphans")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_added() {
        let text = br#"{"seed":1,"zombies":[{"stopped_in":"head-link","fenced_at":"nothing","successor":"dead"}],
            "harmed":0,"notified":1,"lost":0,"doubled":0,"orphans":2,"ok":false}"#;
        let mut sum = Report::default();
        sum.add(Report::read(text).unwrap());
        sum.add(Report::read(text).unwrap());
        assert_eq!(sum.to_string(), "2 continued, 0 did harm, 2 notified, 0 lost, 0 doubled, 4 orphans");
        assert!(sum.hits().contains(&("stopped in head-link".to_owned(), 2)));
        assert!(sum.in_full().contains("while the successor was: dead 2"));
    }
}
