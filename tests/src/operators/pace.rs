//! How fast a source reads.

use std::num::NonZeroU64;
use std::time::{Duration, Instant};

/// Holds a source to a number of bytes a second, counted from when it began.
#[derive(Debug)]
pub(crate) struct Pace {
    bytes_per_second: NonZeroU64,
    began: Instant,
    read_bytes: u64,
}

impl Pace {
    pub(crate) fn new(bytes_per_second: NonZeroU64) -> Self {
        Self { bytes_per_second, began: Instant::now(), read_bytes: 0 }
    }

    /// That much was read.
    pub(crate) const fn read(&mut self, bytes: u64) {
        self.read_bytes = self.read_bytes.saturating_add(bytes);
    }

    /// How long it is too early to read on; zero when it is not.
    pub(crate) fn ahead(&self) -> Duration {
        let due = self.read_bytes as f64 / self.bytes_per_second.get() as f64;
        Duration::try_from_secs_f64(due).unwrap_or(Duration::MAX).saturating_sub(self.began.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_read_a_second_s_worth_waits_about_that_long() {
        let mut pace = Pace::new(NonZeroU64::new(1000).unwrap());
        assert_eq!(pace.ahead(), Duration::ZERO);
        pace.read(60_000);
        assert!(pace.ahead() > Duration::from_secs(30));
        assert!(pace.ahead() <= Duration::from_secs(60));
        pace.read(u64::MAX);
        assert!(pace.ahead() > Duration::from_secs(1 << 40));
    }
}
