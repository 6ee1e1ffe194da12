//! What a command that counts leaves behind.

use std::collections::BTreeMap;
use std::time::Instant;

use serde::Serialize;

use crate::Result;
use crate::workspace::Workspace;

/// The content of `target/<name>/summary.json`.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    /// How many were run.
    pub(crate) runs: u64,
    /// How many of these failed.
    pub(crate) failures: u64,
    /// The seeds that were used, each of which repeats its run.
    pub(crate) seeds: Vec<u64>,
    /// How often each kind of thing was met.
    pub(crate) hits: BTreeMap<String, u64>,
    /// Wall time of the whole.
    pub(crate) seconds: f64,
    #[serde(skip)]
    started: Instant,
}

impl Summary {
    /// Nothing counted yet; the time runs from here.
    pub(crate) fn start() -> Self {
        Self { runs: 0, failures: 0, seeds: Vec::new(), hits: BTreeMap::new(), seconds: 0.0, started: Instant::now() }
    }

    /// Counts things of one kind.
    pub(crate) fn hit(&mut self, kind: &str, times: u64) {
        *self.hits.entry(kind.to_owned()).or_default() += times;
    }

    /// Writes `target/<name>/summary.json`. No run at all is an error, as is a failure.
    pub(crate) fn finish(mut self, workspace: &Workspace, name: &str) -> Result {
        self.seconds = (self.started.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
        let directory = workspace.target().join(name);
        std::fs::create_dir_all(&directory)?;
        std::fs::write(directory.join("summary.json"), serde_json::to_string_pretty(&self)? + "\n")?;
        self.verdict()
    }

    fn verdict(&self) -> Result {
        match (self.runs, self.failures) {
            (0, _) => Err("nothing ran".into()),
            (_, 0) => Ok(()),
            (runs, failures) => Err(format!("{failures} of {runs} failed").into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_runs_and_failures_are_errors() {
        let mut summary = Summary::start();
        assert!(summary.verdict().is_err());
        summary.runs = 2;
        assert!(summary.verdict().is_ok());
        summary.failures = 1;
        assert!(summary.verdict().is_err());
    }
}
