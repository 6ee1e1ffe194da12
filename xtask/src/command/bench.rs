//! `cargo xtask bench`: ours against a baseline that was measured in the same run.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::arguments::Arguments;
use crate::shell::Channel;
use crate::workspace::Workspace;
use crate::{Result, shell};

/// One line that a benchmark prints.
#[derive(Debug, Deserialize, Serialize)]
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

pub(crate) fn run(workspace: &Workspace, mut arguments: Arguments) -> Result {
    let quick = arguments.flag("--quick");
    let name = arguments.positional();
    arguments.finish_all()?;

    let mut command = workspace.cargo("bench");
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
    print!("{}", table(&comparisons));
    if !status.success() {
        return Err(format!("a benchmark failed: {status}").into());
    }
    verdict(&comparisons)
}

/// No comparison at all is a failure, and so is one without a number.
fn verdict(comparisons: &[Comparison]) -> Result {
    if comparisons.is_empty() {
        return Err("nothing was measured".into());
    }
    let mut names = BTreeSet::new();
    for comparison in comparisons {
        let measured = comparison.ratio.is_finite() && comparison.ratio > 0.0 && comparison.runs > 0;
        if !measured || !names.insert(&comparison.name) {
            return Err(format!("{}: not measured, or twice", comparison.name).into());
        }
    }
    Ok(())
}

fn table(comparisons: &[Comparison]) -> String {
    let width = |text: fn(&Comparison) -> &str| comparisons.iter().map(|c| text(c).len()).max().unwrap_or(0);
    let (names, baselines) = (width(|c| &c.name), width(|c| &c.baseline_name));
    comparisons
        .iter()
        .map(|c| {
            let bar = c.bar.as_ref().map_or_else(String::new, |bar| {
                let holds = if c.holds == Some(true) { "holds" } else { "DOES NOT HOLD" };
                format!("; {bar}: {holds}")
            });
            format!(
                "{:names$}  {:>10.3} {}  {:baselines$}  {:>10.3} {}  ratio {:>7.3} ± {:.3} ({} pairs){bar}\n",
                c.name, c.ours, c.unit, c.baseline_name, c.baseline, c.unit, c.ratio, c.spread, c.runs
            )
        })
        .collect()
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
        assert!(verdict(&[]).is_err());
        assert!(verdict(&[comparison("a", 2.0)]).is_ok());
        assert!(verdict(&[comparison("a", f64::NAN)]).is_err());
        assert!(verdict(&[comparison("a", 2.0), comparison("a", 2.0)]).is_err());
    }

    #[test]
    fn the_table_has_a_line_each() {
        let bar = |holds| Comparison { bar: Some("at most 2".to_owned()), holds: Some(holds), ..comparison("b", 2.0) };
        let table = table(&[comparison("longer", 2.0), bar(true), bar(false)]);
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[0].ends_with("ratio   2.000 ± 0.100 (31 pairs)"));
        assert!(lines[1].ends_with("(31 pairs); at most 2: holds"));
        assert!(lines[2].ends_with("(31 pairs); at most 2: DOES NOT HOLD"));
    }
}
