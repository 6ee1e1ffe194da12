//! What a person sees of a run.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Shows how far a run is: a bar on a terminal, otherwise a line now and then.
#[derive(Debug)]
pub(super) struct Screen {
    bar: Option<ProgressBar>,
    total_bytes: u64,
    shown_at: Instant,
    started: Instant,
}

impl Screen {
    const BETWEEN_LINES: Duration = Duration::from_secs(2);

    pub(super) fn new(total_bytes: u64) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(total_bytes);
            // The template is a constant; without it the bar has its plain form.
            if let Ok(style) = ProgressStyle::with_template("{bar:40} {bytes:>10} of {total_bytes} {msg}") {
                bar.set_style(style);
            }
            bar
        });
        let now = Instant::now();
        Self { bar, total_bytes, shown_at: now, started: now }
    }

    /// So much input was read.
    pub(super) fn progress(&mut self, position_bytes: u64) {
        match &self.bar {
            Some(bar) => bar.set_position(position_bytes),
            None if self.shown_at.elapsed() >= Self::BETWEEN_LINES => {
                self.shown_at = Instant::now();
                let percent = position_bytes.saturating_mul(100).checked_div(self.total_bytes).unwrap_or(100);
                print(&format!("{percent:3} % of {} read", bytes_text(self.total_bytes)));
            }
            None => {}
        }
    }

    /// Something happened.
    pub(super) fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| print(line)),
            None => print(line),
        }
    }

    /// The run is over, one way or the other.
    pub(super) fn end(&self) -> Duration {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        self.started.elapsed()
    }
}

/// Prints a line. Who has closed the other end of standard output does not want to see it; the run goes on.
pub(super) fn print(line: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// A number of bytes for people.
pub(super) fn bytes_text(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_for_people() {
        for (bytes, text) in
            [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (64 << 20, "64.0 MiB"), (3 << 29, "1.5 GiB")]
        {
            assert_eq!(bytes_text(bytes), text);
        }
    }
}
