//! The settings of a job's checkpoints.

use std::time::Duration;

use super::error::ConfigError;
use super::key;
use crate::error::Result;

/// The settings of a job's checkpoints, each valid.
///
/// ```
/// # use std::time::Duration;
/// # use ckpt_core::config::CheckpointConfig;
/// let config = CheckpointConfig::default()
///     .with_interval(Duration::from_millis(100))?
///     .with_num_retained(3)?;
/// assert_eq!(config.timeout(), Duration::from_secs(600));
/// # Ok::<(), ckpt_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointConfig {
    interval: Option<Duration>,
    timeout: Duration,
    min_pause: Duration,
    max_concurrent: u32,
    num_retained: usize,
}

impl CheckpointConfig {
    /// The shortest interval and the shortest timeout.
    pub const SHORTEST: Duration = Duration::from_millis(10);

    /// The longest pause that has an effect; a longer one counts as this.
    pub const LONGEST_PAUSE: Duration = Duration::from_secs(365 * 86_400);

    /// The time from one periodic checkpoint to the next; `None`, the default, when there are none. See
    /// [`base_interval`](Self::base_interval) for the one that counts.
    pub const fn interval(&self) -> Option<Duration> {
        self.interval
    }

    /// The interval that counts: never shorter than the pause, as in Flink.
    pub fn base_interval(&self) -> Option<Duration> {
        self.interval.map(|interval| interval.max(self.min_pause))
    }

    /// How long a checkpoint may take before it is aborted. 10 minutes unless set.
    pub const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The least time between the end of a checkpoint and the next periodic one. Zero unless set.
    pub const fn min_pause(&self) -> Duration {
        self.min_pause
    }

    /// How many checkpoints may be in progress at once, at least 1, which is the default.
    pub const fn max_concurrent(&self) -> u32 {
        self.max_concurrent
    }

    /// How many completed checkpoints are kept, at least 1, which is the default.
    pub const fn num_retained(&self) -> usize {
        self.num_retained
    }

    /// Takes a checkpoint once in each `interval`.
    ///
    /// # Errors
    ///
    /// `Configuration` when it is shorter than 10 ms.
    pub fn with_interval(mut self, interval: Duration) -> Result<Self> {
        self.interval = Some(at_least_shortest(
            &key::INTERVAL,
            interval,
            "write 10 ms or more, or leave it away for no periodic checkpoints",
        )?);
        Ok(self)
    }

    /// Takes no periodic checkpoints; those that are asked for are still taken.
    #[must_use]
    pub const fn without_interval(mut self) -> Self {
        self.interval = None;
        self
    }

    /// Aborts a checkpoint that takes longer.
    ///
    /// # Errors
    ///
    /// `Configuration` when it is shorter than 10 ms.
    pub fn with_timeout(mut self, timeout: Duration) -> Result<Self> {
        self.timeout = at_least_shortest(&key::TIMEOUT, timeout, "write 10 ms or more, or leave it away for 10 min")?;
        Ok(self)
    }

    /// Waits at least that long after each checkpoint; more than a year counts as a year.
    #[must_use]
    pub fn with_min_pause(mut self, min_pause: Duration) -> Self {
        self.min_pause = min_pause.min(Self::LONGEST_PAUSE);
        self
    }

    /// Has up to that many checkpoints in progress at once.
    ///
    /// # Errors
    ///
    /// `Configuration` when it is zero.
    pub fn with_max_concurrent(mut self, max_concurrent: u32) -> Result<Self> {
        self.max_concurrent = at_least_one(&key::MAX_CONCURRENT, max_concurrent)?;
        Ok(self)
    }

    /// Keeps that many completed checkpoints.
    ///
    /// # Errors
    ///
    /// `Configuration` when it is zero: the newest one is always kept.
    pub fn with_num_retained(mut self, num_retained: usize) -> Result<Self> {
        self.num_retained = at_least_one(&key::NUM_RETAINED, num_retained)?;
        Ok(self)
    }
}

impl Default for CheckpointConfig {
    fn default() -> Self {
        Self {
            interval: None,
            timeout: Duration::from_secs(600),
            min_pause: Duration::ZERO,
            max_concurrent: 1,
            num_retained: 1,
        }
    }
}

fn at_least_shortest(key: &key::Key, value: Duration, remedy: &'static str) -> Result<Duration, ConfigError> {
    if value >= CheckpointConfig::SHORTEST {
        return Ok(value);
    }
    Err(ConfigError::Rule { key: key.name, value: format!("{value:?}"), rule: "it must be 10 ms or longer", remedy })
}

fn at_least_one<T: From<u8> + PartialOrd + std::fmt::Display>(key: &key::Key, value: T) -> Result<T, ConfigError> {
    if value >= T::from(1) {
        return Ok(value);
    }
    Err(ConfigError::Rule {
        key: key.name,
        value: value.to_string(),
        rule: "it must be 1 or more",
        remedy: "write 1, or leave it away for 1",
    })
}
