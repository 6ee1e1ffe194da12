//! What happened, for tools.

use std::fs;
use std::path::Path;

use serde::Serialize;

use crate::wordcount::phase_name;
use crate::wordcount::statistics::RunStatistics;
use crate::wordcount::step::Step;

/// What `--summary` writes.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    seed: u64,
    attempts: usize,
    kills: Vec<Kill>,
    completed: u64,
    aborted: u64,
    restores: Vec<Restore>,
    ok: bool,
}

#[derive(Debug, Serialize)]
struct Kill {
    phase: &'static str,
    /// The step that was about to be taken, where steps are told.
    step: Option<&'static str>,
    attempt: usize,
}

#[derive(Debug, Serialize)]
struct Restore {
    attempt: usize,
    checkpoint: u64,
    replayed_bytes: u64,
}

/// Whether the output was right, or not known to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Right,
    NotRight,
}

impl Summary {
    pub(super) fn new(seed: u64, statistics: &RunStatistics, outcome: Outcome) -> Self {
        let attempts = || (1..).zip(&statistics.attempts);
        let (completed, aborted) = statistics.checkpoints();
        let kills = attempts()
            .filter_map(|(attempt, of)| {
                Some(Kill { phase: phase_name::name(of.killed_in?), step: of.killed_at.map(Step::name), attempt })
            })
            .collect();
        let restores = attempts()
            .filter_map(|(attempt, of)| {
                Some(Restore { attempt, checkpoint: of.restored_from?, replayed_bytes: of.replayed_bytes })
            })
            .collect();
        let ok = outcome == Outcome::Right;
        Self { seed, attempts: statistics.attempts.len(), kills, completed, aborted, restores, ok }
    }

    pub(super) fn write(&self, path: &Path) -> Result<(), String> {
        let text = serde_json::to_string_pretty(self).map_err(|error| error.to_string())?;
        fs::write(path, text + "\n")
            .map_err(|error| format!("the summary {} cannot be written: {error}", path.display()))
    }
}
