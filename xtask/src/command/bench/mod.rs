//! `cargo xtask bench`: ours against a baseline that was measured in the same run.

mod record;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::arguments::Arguments;
use crate::shell::Channel;
use crate::workspace::Workspace;
use crate::{Result, shell};

/// One line that a benchmark prints.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Comparison {
    name: String,
    ours: f64,
    baseline_name: String,
    baseline: f64,
    unit: String,
    ratio: f64,
    spread: f64,
    runs: u64,
    bar: Option<String>,
    holds: Option<bool>,
}

/// Whether a bar that does not hold is a failure: on a machine that others load one may be missed once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strictness {
    Lenient,
    Strict,
}

pub(crate) fn run(workspace: &Workspace, mut arguments: Arguments) -> Result {
    let quick = arguments.flag("--quick");
    let strictness = if arguments.flag("--strict") { Strictness::Strict } else { Strictness::Lenient };
    let record = arguments.flag("--record");
    let name = arguments.positional();
    arguments.finish_all()?;
    if record && (quick || name.is_none()) {
        return Err("--record needs the name of a section, and measures that are not quick".into());
    }

    // Some measure the command as a process.
    shell::run(workspace.cargo("build").args(["--release", "-p", "ckpt-cli"]))?;
    let mut command = workspace.cargo("bench");
    command.env("CKPT_COMMAND", workspace.target().join("release/ckpt"));
    command.args(["-p", "ckpt-benches", "--benches", "--"]);
    command.args(quick.then_some("--quick")).args(&name);
    let mut comparisons = Vec::new();
    let status = shell::watch(&mut command, |channel, line| {
        if channel == Channel::Output {
            comparisons.extend(serde_json::from_str::<Comparison>(line).ok());
        }
    })?;

    let directory = workspace.target().join("bench");
    std::fs::create_dir_all(&directory)?;
    std::fs::write(directory.join("summary.json"), serde_json::to_string_pretty(&comparisons)? + "\n")?;
    let verdict = verdict(&comparisons, strictness);
    println!("\n{}", table(comparisons.clone()).trim_end());
    if !status.success() {
        return Err(format!("a benchmark failed: {status}").into());
    }
    match name {
        Some(name) if record && !comparisons.is_empty() => record::record(workspace, &name, comparisons)?,
        _ => {}
    }
    verdict
}

/// No comparison at all is a failure, and so is one without a number.
fn verdict(comparisons: &[Comparison], strictness: Strictness) -> Result {
    if comparisons.is_empty() {
        return Err("nothing was measured".into());
    }
    let mut names = BTreeSet::new();
    for comparison in comparisons {
        let measured = comparison.ratio.is_finite() && comparison.ratio > 0.0 && comparison.runs > 0;
        if !measured || !names.insert((&comparison.name, &comparison.baseline_name)) {
            return Err(format!("{}: not measured, or twice", comparison.name).into());
        }
    }
    match missed(comparisons)[..] {
        [] => Ok(()),
        _ if strictness == Strictness::Lenient => Ok(()),
        ref missed => Err(format!("bars that do not hold: {}", missed.join("; ")).into()),
    }
}

/// Comparisons whose names begin so come first, in this order: what makes the largest jobs possible before what a task
/// does once for each record.
const ORDER: &[&str] = &[
    "core: metadata, from state",
    "core: metadata, decoded, each",
    "core: metadata, decoded",
    "core: metadata, bytes of its file",
    "core: metadata, memory",
    "core: metadata, bytes read",
    "core: acknowledgement",
    "core: shared files, commit",
    "core: shared files",
    "core: key group",
];

/// A line for each comparison, those with a bar first, and how many bars hold.
fn table(comparisons: Vec<Comparison>) -> String {
    let comparisons = sorted(comparisons);
    let mut rows = vec![["what", "measured", "bar", "holds", "ratio", "beside"].map(str::to_owned)];
    rows.extend(comparisons.iter().map(Comparison::row));
    let mut widths = [0; 6];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut table = String::new();
    for row in &rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        table.extend([cells.collect::<Vec<_>>().join("  ").trim_end(), "\n"]);
    }
    let bars = comparisons.iter().filter(|comparison| comparison.bar.is_some()).count();
    table + &format!("{} of {bars} bars hold\n", bars - missed(&comparisons).len())
}

/// Those with a bar first, and of each kind in the order of [`ORDER`].
fn sorted(mut comparisons: Vec<Comparison>) -> Vec<Comparison> {
    let rank = |name: &str| ORDER.iter().position(|first| name.starts_with(first)).unwrap_or(ORDER.len());
    comparisons.sort_by_key(|comparison| (comparison.bar.is_none(), rank(&comparison.name)));
    comparisons
}

/// The names of those that do not do what their bar asks.
fn missed(comparisons: &[Comparison]) -> Vec<&str> {
    let missed = |comparison: &&Comparison| comparison.bar.is_some() && comparison.holds != Some(true);
    comparisons.iter().filter(missed).map(|comparison| comparison.name.as_str()).collect()
}

impl Comparison {
    fn row(&self) -> [String; 6] {
        let holds = match (&self.bar, self.holds) {
            (None, _) => "",
            (Some(_), Some(true)) => "yes",
            (Some(_), _) => "NO",
        };
        [
            self.name.clone(),
            format!("{} {}", self.ours, self.unit),
            self.bar.clone().unwrap_or_default(),
            holds.to_owned(),
            format!("{} ± {}", self.ratio, self.spread),
            format!("{}: {} {}, {} pairs", self.baseline_name, self.baseline, self.unit, self.runs),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(name: &str, ratio: f64) -> Comparison {
        let text = |text: &str| text.to_owned();
        Comparison {
            name: text(name),
            ours: 2.0,
            baseline_name: text("copy"),
            baseline: 1.0,
            unit: text("ns/op"),
            ratio,
            spread: 0.1,
            runs: 31,
            bar: None,
            holds: None,
        }
    }

    #[test]
    fn nothing_measured_and_no_number_are_failures() {
        let verdict = |comparisons: &[Comparison]| verdict(comparisons, Strictness::Lenient);
        assert!(verdict(&[]).is_err());
        assert!(verdict(&[comparison("a", 2.0)]).is_ok());
        assert!(verdict(&[comparison("a", f64::NAN)]).is_err());
        assert!(verdict(&[comparison("a", 2.0), comparison("a", 2.0)]).is_err());
        let beside_another = Comparison { baseline_name: "other".to_owned(), ..comparison("a", 2.0) };
        assert!(verdict(&[comparison("a", 2.0), beside_another]).is_ok());
    }

    #[test]
    fn the_table_begins_with_the_bars_and_ends_with_how_many_hold() {
        let bar = |name, holds| {
            let bar = Some("ratio at most 2".to_owned());
            Comparison { bar, holds: Some(holds), ..comparison(name, 2.0) }
        };
        let lines = [comparison("other", 2.0), bar("core: key group", true), bar("core: shared files", false)];
        assert_eq!(missed(&lines), ["core: shared files"]);
        let table = table(lines.into());
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(
            lines,
            [
                "what                measured  bar              holds  ratio    beside",
                "core: shared files  2 ns/op   ratio at most 2  NO     2 ± 0.1  copy: 1 ns/op, 31 pairs",
                "core: key group     2 ns/op   ratio at most 2  yes    2 ± 0.1  copy: 1 ns/op, 31 pairs",
                "other               2 ns/op                           2 ± 0.1  copy: 1 ns/op, 31 pairs",
                "1 of 2 bars hold",
            ]
        );
    }

    #[test]
    fn a_missed_bar_fails_a_strict_run_only() {
        let missed = Comparison { bar: Some("at most 1".to_owned()), holds: Some(false), ..comparison("a", 2.0) };
        let silent = Comparison { bar: Some("at most 1".to_owned()), holds: None, ..comparison("a", 2.0) };
        for comparison in [missed, silent] {
            assert!(verdict(std::slice::from_ref(&comparison), Strictness::Lenient).is_ok());
            assert!(verdict(&[comparison], Strictness::Strict).is_err());
        }
        assert!(verdict(&[comparison("a", 2.0)], Strictness::Strict).is_ok());
    }
}
