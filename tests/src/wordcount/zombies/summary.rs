//! What happened, for tools.

use std::fs;
use std::path::Path;

use serde::Serialize;

use crate::check::Wrong;

/// What `--summary` writes.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    seed: u64,
    /// Leaders that were stopped, replaced and continued.
    pub(super) zombies: Vec<Zombie>,
    /// Of these, how many changed or deleted what was not theirs any more.
    pub(super) harmed: u64,
    /// How many told somebody of a checkpoint that they had not committed while they led.
    pub(super) notified: u64,
    lost: u64,
    doubled: u64,
    pub(super) orphans: u64,
    ok: bool,
}

/// One that was stopped and continued.
#[derive(Debug, Serialize)]
pub(super) struct Zombie {
    /// What its coordinator was about to do then.
    pub(super) stopped_in: &'static str,
    /// What its coordinator was about to do last.
    pub(super) fenced_at: &'static str,
    /// What its successor did meanwhile.
    pub(super) successor: String,
}

impl Summary {
    pub(super) const fn new(seed: u64) -> Self {
        Self { seed, zombies: Vec::new(), harmed: 0, notified: 0, lost: 0, doubled: 0, orphans: 0, ok: false }
    }

    /// The output is not right.
    pub(super) const fn wrong(&mut self, wrong: &Wrong) {
        match wrong {
            Wrong::Lost { .. } => self.lost += 1,
            _ => self.doubled += 1,
        }
    }

    pub(super) fn write(&mut self, path: &Path, ok: bool) -> Result<(), String> {
        self.ok = ok;
        let text = serde_json::to_string_pretty(self).map_err(|error| error.to_string())?;
        fs::write(path, text + "\n")
            .map_err(|error| format!("the summary {} cannot be written: {error}", path.display()))
    }
}
