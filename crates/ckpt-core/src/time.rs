//! Time as an argument: nothing in this crate reads a clock.

use std::fmt;
use std::time::Duration;

/// The time of an event, told by whoever owns the clocks. Deadlines use `monotonic` only; `wall` is for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "both clocks and nothing else")]
pub struct Now {
    /// Since the driver began.
    pub monotonic: Monotonic,
    /// What the wall clock shows.
    pub wall: Timestamp,
}

/// A point on a clock that never goes back: the time since the driver began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Monotonic(Duration);

/// A point on the wall clock, in milliseconds since 1970-01-01T00:00:00Z. No safety rule depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Now {
    /// Both clocks at one moment.
    pub const fn new(monotonic: Monotonic, wall: Timestamp) -> Self {
        Self { monotonic, wall }
    }
}

impl Monotonic {
    /// The moment that long after the driver began.
    pub const fn since_start(elapsed: Duration) -> Self {
        Self(elapsed)
    }

    /// The time since the driver began.
    pub const fn elapsed(self) -> Duration {
        self.0
    }

    /// The moment `delay` later; the far end of time when that cannot be expressed.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Self(self.0.saturating_add(delay))
    }

    /// How long this moment is after `earlier`; zero when it is not.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Timestamp {
    /// That many milliseconds after 1970.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970.
    pub const fn millis(self) -> u64 {
        self.0
    }
}

/// As RFC 3339 has it, in UTC.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, millis) = (self.0 / 1000, self.0 % 1000);
        let (year, month, day) = civil(seconds / 86_400);
        let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }
}

/// The date so many days after 1970, by the proleptic Gregorian calendar. Years begin in March here, so that the leap day
/// is their last.
const fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (year_of_era + era * 400 + next_year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (millis, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (1_795_000_000_123, "2026-11-18T11:06:40.123Z"),
        ] {
            assert_eq!(Timestamp::from_millis(millis).to_string(), expected);
        }
        // The largest does not overflow.
        assert!(Timestamp::from_millis(u64::MAX).to_string().ends_with('Z'));
    }
}
