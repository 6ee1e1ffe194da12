//! How barriers of several inputs are brought together.

use std::fmt;
use std::time::Duration;

use super::error::AlignmentError;
use crate::error::Result;

/// How barriers of several inputs are brought together (Flink's `CheckpointOptions.AlignmentType` with its timeout).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Alignment {
    /// No input waits: records behind the barrier may be in the snapshot. At least once.
    AtLeastOnce,
    /// Inputs whose barrier has come wait until all have come. Exactly once.
    Aligned {
        /// When the checkpoint turns [`Unaligned`](Self::Unaligned); `None`: never.
        timeout: Option<AlignmentTimeout>,
    },
    /// Barriers overtake the records in flight, which become part of the snapshot. Exactly once.
    Unaligned,
    /// Aligned on a connection that cannot be unaligned, though the checkpoint is, or may turn, unaligned.
    ForcedAligned {
        /// What it is elsewhere: aligned with that timeout, or, `None`, unaligned.
        timeout: Option<AlignmentTimeout>,
    },
}

impl fmt::Display for Alignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeastOnce => f.write_str("at least once"),
            Self::Aligned { timeout: None } => f.write_str("aligned"),
            Self::Aligned { timeout: Some(timeout) } => write!(f, "aligned with a timeout of {:?}", timeout.0),
            Self::Unaligned => f.write_str("unaligned"),
            Self::ForcedAligned { timeout: None } => f.write_str("forced aligned"),
            Self::ForcedAligned { timeout: Some(timeout) } => {
                write!(f, "forced aligned with a timeout of {:?}", timeout.0)
            }
        }
    }
}

/// How old an aligned checkpoint gets, from its trigger on, before it turns unaligned. Longer than zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlignmentTimeout(Duration);

/// What a job wants of alignment; the configuration comes to one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AlignmentPolicy {
    /// At least once.
    AtLeastOnce,
    /// Exactly once, always aligned.
    Aligned,
    /// Exactly once, unaligned checkpoints enabled.
    Unaligned {
        /// How long a checkpoint stays aligned: zero starts it unaligned, and more than [`AlignmentTimeout::LONGEST`]
        /// means that it never turns unaligned.
        aligned_timeout: Duration,
    },
}

impl AlignmentTimeout {
    /// The longest timeout: 2^64 - 1 nanoseconds, or 584 years.
    pub const LONGEST: Duration = Duration::from_nanos(u64::MAX);

    /// That timeout.
    ///
    /// # Errors
    ///
    /// `Configuration` when it is zero, which is no alignment at all, or above [`LONGEST`](Self::LONGEST).
    pub fn new(timeout: Duration) -> Result<Self> {
        if timeout.is_zero() || timeout > Self::LONGEST {
            return Err(AlignmentError::Timeout { found: timeout }.into());
        }
        Ok(Self(timeout))
    }

    /// The timeout itself.
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl AlignmentPolicy {
    /// How a checkpoint, but no savepoint, starts under this policy.
    ///
    /// Flink takes an infinite timeout for "start unaligned", against its own description of the option; here it is
    /// what it says.
    pub(super) fn start(self) -> Alignment {
        match self {
            Self::AtLeastOnce => Alignment::AtLeastOnce,
            Self::Aligned => Alignment::Aligned { timeout: None },
            Self::Unaligned { aligned_timeout: Duration::ZERO } => Alignment::Unaligned,
            Self::Unaligned { aligned_timeout } => {
                Alignment::Aligned { timeout: AlignmentTimeout::new(aligned_timeout).ok() }
            }
        }
    }
}
