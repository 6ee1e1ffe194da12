//! What a task says to the coordinator.

use crate::id::{LeaderEpoch, TaskAttempt};
use crate::message::{AbortedMetrics, Acknowledge, Decline, InitializationMetrics, SpilledAcknowledge};

/// What a task says to the coordinator. A coordinator drops what comes from another epoch than its own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ToCoordinator {
    /// Its part of a checkpoint is durable.
    Acknowledge(Acknowledge),
    /// It cannot take its part; the checkpoint cannot complete.
    Decline(Decline),
    /// Its part of a checkpoint is durable, and described in a file.
    AcknowledgeSpilled(SpilledAcknowledge),
    /// What was measured of a snapshot that it gave up.
    AbortedMetrics(AbortedMetrics),
    /// How its start went.
    InitializationMetrics(InitializationMetrics),
}

impl ToCoordinator {
    /// The leader it is said to.
    pub const fn epoch(&self) -> LeaderEpoch {
        match self {
            Self::Acknowledge(message) => message.epoch,
            Self::Decline(message) => message.epoch,
            Self::AcknowledgeSpilled(message) => message.epoch,
            Self::AbortedMetrics(message) => message.epoch,
            Self::InitializationMetrics(message) => message.epoch,
        }
    }

    /// Who says it. Whoever received it checks that this is the peer it came from.
    pub const fn attempt(&self) -> TaskAttempt {
        match self {
            Self::Acknowledge(message) => message.attempt,
            Self::Decline(message) => message.attempt,
            Self::AcknowledgeSpilled(message) => message.attempt,
            Self::AbortedMetrics(message) => message.attempt,
            Self::InitializationMetrics(message) => message.attempt,
        }
    }
}
