//! What the word count says of a run, and the sum of it.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use crate::Result;

/// The file that `wordcount --summary` writes, or the sum of many.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Report {
    attempts: u64,
    kills: Vec<Kill>,
    completed: u64,
    aborted: u64,
}

/// A kill, and the step that was under way.
#[derive(Clone, Debug, Deserialize)]
struct Kill {
    phase: String,
    step: Option<String>,
}

impl Report {
    pub(super) fn read(text: &[u8]) -> Result<Self> {
        let report: Self = serde_json::from_slice(text).map_err(|error| format!("the summary of the run: {error}"))?;
        // An attempt ends by a kill or by its own end, so there is always one more.
        if report.attempts == 0 { Err("the run reports no attempt".into()) } else { Ok(report) }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.attempts += other.attempts;
        self.kills.extend_from_slice(&other.kills);
        self.completed += other.completed;
        self.aborted += other.aborted;
    }

    /// How many kills fell in each phase.
    pub(super) fn phases(&self) -> BTreeMap<&str, u64> {
        let mut phases = BTreeMap::new();
        for kill in &self.kills {
            *phases.entry(kill.phase.as_str()).or_default() += 1;
        }
        phases
    }

    /// How many kills fell within each step, where steps are told.
    pub(super) fn steps(&self) -> BTreeMap<&str, u64> {
        let mut steps = BTreeMap::new();
        for step in self.kills.iter().filter_map(|kill| kill.step.as_deref()) {
            *steps.entry(step).or_default() += 1;
        }
        steps
    }

    pub(super) fn counts(&self) -> [(&'static str, u64); 4] {
        let kills = self.kills.len() as u64;
        [("attempts", self.attempts), ("kills", kills), ("completed", self.completed), ("aborted", self.aborted)]
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (kind, times)) in self.counts().into_iter().enumerate() {
            write!(f, "{}{times} {kind}", if number == 0 { "" } else { ", " })?;
        }
        // Where steps are told they say it better.
        let steps = self.steps();
        for (phase, times) in if steps.is_empty() { self.phases() } else { steps } {
            write!(f, ", {phase} {times}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_added() {
        let text =
            r#"{"attempts":3,"kills":[{"phase":"reading"},{"phase":"sealing"}],"completed":9,"aborted":1,"more":0}"#;
        let step = r#"{"attempts":1,"kills":[{"phase":"reading","step":"head-link"}],"completed":0,"aborted":0}"#;
        assert_eq!(serde_json::from_str::<Report>(step).unwrap().steps(), BTreeMap::from([("head-link", 1)]));
        let one: Report = serde_json::from_str(text).unwrap();
        let mut sum = Report::default();
        sum.add(&one);
        sum.add(&one);
        assert_eq!(sum.phases(), BTreeMap::from([("reading", 2), ("sealing", 2)]));
        assert_eq!(sum.to_string(), "6 attempts, 4 kills, 18 completed, 2 aborted, reading 2, sealing 2");
    }
}
