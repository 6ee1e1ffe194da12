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

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
