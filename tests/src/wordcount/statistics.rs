//! What happened in a run.

use std::time::Duration;

use ckpt_coord::Phase;
use comfy_table::{CellAlignment, Table, presets};

use crate::wordcount::report::Report;
use crate::wordcount::screen::bytes_text;
use crate::wordcount::step::Step;

/// What happened in all attempts of a run.
#[derive(Debug, Default)]
pub(super) struct RunStatistics {
    pub(super) attempts: Vec<AttemptStatistics>,
}

/// What happened in one attempt.
#[derive(Debug, Default)]
pub(super) struct AttemptStatistics {
    pub(super) parallelism: u32,
    /// The checkpoint it was restored from.
    pub(super) restored_from: Option<u64>,
    /// How much input it read again that an attempt before had read.
    pub(super) replayed_bytes: u64,
    /// Length and duration of each completed checkpoint.
    pub(super) completed: Vec<(u64, Duration)>,
    pub(super) aborted: u64,
    /// The phase in which it was killed as planned.
    pub(super) killed_in: Option<Phase>,
    /// The step that was about to be taken then, where steps are told.
    pub(super) killed_at: Option<Step>,
}

impl AttemptStatistics {
    pub(super) fn add(&mut self, report: &Report) {
        match report {
            Report::Completed { total_bytes, duration_micros, .. } => {
                self.completed.push((*total_bytes, Duration::from_micros(*duration_micros)));
            }
            Report::Aborted { .. } => self.aborted += 1,
            _ => {}
        }
    }

    fn row(&self, number: &str, ended: &str) -> [String; 9] {
        let mut durations: Vec<_> = self.completed.iter().map(|(_, duration)| *duration).collect();
        durations.sort_unstable();
        let text = |percent| percentile(&durations, percent).map_or_else(|| "-".to_owned(), duration_text);
        [
            number.to_owned(),
            if self.parallelism == 0 { String::new() } else { self.parallelism.to_string() },
            self.restored_from.map_or_else(|| "-".to_owned(), |id| id.to_string()),
            bytes_text(self.replayed_bytes),
            self.completed.len().to_string(),
            self.aborted.to_string(),
            self.completed.last().map_or_else(|| "-".to_owned(), |(bytes, _)| bytes_text(*bytes)),
            format!("{} / {}", text(50), text(99)),
            ended.to_owned(),
        ]
    }
}

impl RunStatistics {
    /// Number of committed and of aborted checkpoints.
    pub(super) fn checkpoints(&self) -> (u64, u64) {
        let completed = self.attempts.iter().map(|attempt| attempt.completed.len() as u64).sum();
        (completed, self.attempts.iter().map(|attempt| attempt.aborted).sum())
    }

    /// The table that ends a run.
    pub(super) fn table(&self, phase_name: fn(Phase) -> &'static str) -> Table {
        let mut table = Table::new();
        table.load_preset(presets::UTF8_BORDERS_ONLY).set_header([
            "attempt",
            "parallelism",
            "restored from",
            "read again",
            "completed",
            "aborted",
            "size",
            "p50 / p99",
            "ended",
        ]);
        let mut all = AttemptStatistics::default();
        for (number, attempt) in (1..).zip(&self.attempts) {
            let last = number == self.attempts.len();
            let ended = match attempt.killed_in {
                Some(phase) => format!("killed: {}", phase_name(phase)),
                None if last => "finished".to_owned(),
                None => "killed by others".to_owned(),
            };
            table.add_row(attempt.row(&number.to_string(), &ended));
            all.completed.extend_from_slice(&attempt.completed);
            all.aborted += attempt.aborted;
            all.replayed_bytes += attempt.replayed_bytes;
        }
        if self.attempts.len() > 1 {
            table.add_row(all.row("all", ""));
        }
        for column in table.column_iter_mut().take(8) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table
    }
}

/// The least value that at least so many percent do not exceed.
fn percentile(sorted: &[Duration], percent: usize) -> Option<Duration> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

fn duration_text(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles() {
        let sorted: Vec<_> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(percentile(&sorted, 50), Some(Duration::from_millis(50)));
        assert_eq!(percentile(&sorted, 99), Some(Duration::from_millis(99)));
        assert_eq!(percentile(&sorted[..1], 50), Some(Duration::from_millis(1)));
        assert_eq!(percentile(&[], 99), None);
    }
}
