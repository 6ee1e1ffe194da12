//! Messages.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::snapshot::{Barrier, Metrics, nanos};
use super::stored::{put_handle, read_handle};
use super::writers::Writers;
use super::{Body, Id, checkpoint, epoch, optional_checkpoint, readable};
use crate::id::{AttemptId, CheckpointId, TaskAttempt, TaskId, VertexId, WriterId};
use crate::time::Timestamp;
use crate::wire::{Flaw, Input, Invalid, Subject, WireError, put_mirror};
use crate::{message, state};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum ToTask<'a> {
    #[serde(borrow)]
    Trigger(Barrier<'a>),
    Completed {
        epoch: u64,
        id: u64,
        subsumed_upto: Option<u64>,
    },
    Aborted {
        epoch: u64,
        id: u64,
        latest_completed: Option<u64>,
    },
}

/// What an acknowledgement begins with, whether its snapshot or the file of it follows.
#[derive(Debug, Serialize, Deserialize)]
struct AcknowledgeHead {
    epoch: u64,
    id: u64,
    attempt: Attempt,
    writer: u64,
    metrics: Metrics,
}

#[derive(Debug, Serialize, Deserialize)]
struct AbortedMetrics {
    epoch: u64,
    id: u64,
    attempt: Attempt,
    metrics: Metrics,
}

/// Durations in nanoseconds.
#[derive(Debug, Serialize, Deserialize)]
struct InitializationMetrics {
    epoch: u64,
    attempt: Attempt,
    from: Option<u64>,
    outcome: Outcome,
    started_at: u64,
    total: u64,
    thread_start: Option<u64>,
    download: Option<u64>,
    restore: Option<u64>,
    read_output: Option<u64>,
    read_input: Option<u64>,
    restored_bytes: u64,
}

#[derive(Debug, Serialize, Deserialize)]
enum Outcome {
    Completed,
    Failed,
}

#[derive(Debug, Serialize, Deserialize)]
struct Decline<'a> {
    epoch: u64,
    id: u64,
    attempt: Attempt,
    reason: Reason,
    message: &'a str,
}

#[derive(Debug, Serialize, Deserialize)]
enum Reason {
    NotReady,
    Subsumed,
    CancellationBarrier,
    InputEnded,
    SnapshotFailed,
    Closing,
    CaptureFailed,
    SharedStreamFailed,
    UnknownAttempt,
    Refused,
    TooLarge,
    SpillFailed,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Marker<'a> {
    #[serde(borrow)]
    Barrier(Barrier<'a>),
    Cancel {
        epoch: u64,
        id: u64,
    },
    Announcement {
        barrier: Barrier<'a>,
        sequence: u64,
    },
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Attempt {
    vertex: Id,
    subtask: u32,
    attempt: u64,
}

impl<'a> ToTask<'a> {
    pub(crate) fn of(message: &'a message::ToTask) -> Result<Self, Invalid> {
        Ok(match message {
            message::ToTask::Trigger(barrier) => Self::Trigger(Barrier::of(barrier)?),
            message::ToTask::Completed { epoch, id, subsumed_upto } => {
                check_subsumed(*id, *subsumed_upto)?;
                Self::Completed {
                    epoch: readable(*epoch)?,
                    id: id.get(),
                    subsumed_upto: subsumed_upto.map(|id| id.get()),
                }
            }
            message::ToTask::Aborted { epoch, id, latest_completed } => {
                check_aborted(*id, *latest_completed)?;
                let latest_completed = latest_completed.map(|id| id.get());
                Self::Aborted { epoch: readable(*epoch)?, id: id.get(), latest_completed }
            }
        })
    }

    pub(crate) fn into_domain(self) -> Result<message::ToTask, Invalid> {
        Ok(match self {
            Self::Trigger(barrier) => message::ToTask::Trigger(barrier.into_domain()?),
            Self::Completed { epoch: number, id, subsumed_upto } => {
                let id = checkpoint("the checkpoint", id)?;
                let subsumed_upto = optional_checkpoint("the newest subsumed checkpoint", subsumed_upto)?;
                check_subsumed(id, subsumed_upto)?;
                message::ToTask::Completed { epoch: epoch("the epoch", number)?, id, subsumed_upto }
            }
            Self::Aborted { epoch: number, id, latest_completed } => {
                let id = checkpoint("the checkpoint", id)?;
                let latest_completed = optional_checkpoint("the latest completed checkpoint", latest_completed)?;
                check_aborted(id, latest_completed)?;
                message::ToTask::Aborted { epoch: epoch("the epoch", number)?, id, latest_completed }
            }
        })
    }
}

fn check_subsumed(id: CheckpointId, upto: Option<CheckpointId>) -> Result<(), Invalid> {
    match upto {
        Some(upto) if upto >= id => {
            Err(Invalid::value("the newest subsumed checkpoint", upto, format!("one below {id}")))
        }
        _ => Ok(()),
    }
}

fn check_aborted(id: CheckpointId, latest_completed: Option<CheckpointId>) -> Result<(), Invalid> {
    match latest_completed {
        Some(latest) if latest == id => {
            Err(Invalid::value("the latest completed checkpoint", latest, "another than the aborted one"))
        }
        _ => Ok(()),
    }
}

impl Body for message::ToTask {
    fn put(&self, subject: Subject, out: &mut Vec<u8>) -> Result<(), WireError> {
        put_mirror(out, subject, &ToTask::of(self).map_err(|invalid| invalid.writing(subject))?)
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Flaw> {
        Ok(input.mirror::<ToTask<'_>>()?.into_domain()?)
    }
}

impl Body for message::Marker {
    fn put(&self, subject: Subject, out: &mut Vec<u8>) -> Result<(), WireError> {
        put_mirror(out, subject, &Marker::of(self).map_err(|invalid| invalid.writing(subject))?)
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Flaw> {
        Ok(input.mirror::<Marker<'_>>()?.into_domain()?)
    }
}

/// Variants of messages to the coordinator.
const ACKNOWLEDGE: u8 = 0;
const DECLINE: u8 = 1;
const ACKNOWLEDGE_SPILLED: u8 = 2;
const ABORTED_METRICS: u8 = 3;
const INITIALIZATION_METRICS: u8 = 4;

impl Body for message::ToCoordinator {
    fn put(&self, subject: Subject, out: &mut Vec<u8>) -> Result<(), WireError> {
        let writing = |invalid: Invalid| invalid.writing(subject);
        match self {
            Self::Acknowledge(acknowledge) => {
                out.push(ACKNOWLEDGE);
                put_mirror(out, subject, &AcknowledgeHead::of(acknowledge).map_err(writing)?)?;
                acknowledge.snapshot.put(subject, out)
            }
            Self::Decline(decline) => {
                out.push(DECLINE);
                put_mirror(out, subject, &Decline::of(decline).map_err(writing)?)
            }
            Self::AcknowledgeSpilled(spilled) => {
                out.push(ACKNOWLEDGE_SPILLED);
                put_mirror(out, subject, &AcknowledgeHead::of_spilled(spilled).map_err(writing)?)?;
                put_handle(out, &mut Writers::none(), spilled.handle()).map_err(writing)
            }
            Self::AbortedMetrics(aborted) => {
                out.push(ABORTED_METRICS);
                put_mirror(out, subject, &AbortedMetrics::of(aborted).map_err(writing)?)
            }
            Self::InitializationMetrics(metrics) => {
                out.push(INITIALIZATION_METRICS);
                put_mirror(out, subject, &InitializationMetrics::of(metrics).map_err(writing)?)
            }
        }
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Flaw> {
        Ok(match input.byte()? {
            ACKNOWLEDGE => {
                let head: AcknowledgeHead = input.mirror()?;
                let snapshot = state::TaskSnapshot::read(input)?;
                Self::Acknowledge(head.into_domain(snapshot)?)
            }
            DECLINE => Self::Decline(input.mirror::<Decline<'_>>()?.into_domain()?),
            ACKNOWLEDGE_SPILLED => {
                let head: AcknowledgeHead = input.mirror()?;
                let spilled = read_handle(input, &mut Writers::none())?.to_handle();
                Self::AcknowledgeSpilled(head.into_spilled(spilled)?)
            }
            ABORTED_METRICS => Self::AbortedMetrics(input.mirror::<AbortedMetrics>()?.into_domain()?),
            INITIALIZATION_METRICS => {
                Self::InitializationMetrics(input.mirror::<InitializationMetrics>()?.into_domain()?)
            }
            _ => return Err(Flaw::UNKNOWN_VARIANT),
        })
    }
}

impl AcknowledgeHead {
    fn of(acknowledge: &message::Acknowledge) -> Result<Self, Invalid> {
        Ok(Self {
            epoch: readable(acknowledge.epoch)?,
            id: acknowledge.id.get(),
            attempt: Attempt::of(acknowledge.attempt),
            writer: acknowledge.writer.get(),
            metrics: Metrics::of(&acknowledge.metrics),
        })
    }

    fn of_spilled(spilled: &message::SpilledAcknowledge) -> Result<Self, Invalid> {
        Ok(Self {
            epoch: readable(spilled.epoch)?,
            id: spilled.id.get(),
            attempt: Attempt::of(spilled.attempt),
            writer: spilled.writer.get(),
            metrics: Metrics::of(&spilled.metrics),
        })
    }

    fn into_domain(self, snapshot: state::TaskSnapshot) -> Result<message::Acknowledge, Invalid> {
        let mut acknowledge = message::Acknowledge::new(
            epoch("the epoch", self.epoch)?,
            checkpoint("the checkpoint", self.id)?,
            self.attempt.into_domain(),
            WriterId::new(self.writer),
            snapshot,
        );
        acknowledge.metrics = self.metrics.into_domain()?;
        Ok(acknowledge)
    }

    fn into_spilled(self, spilled: state::StateHandle) -> Result<message::SpilledAcknowledge, Invalid> {
        let of = (epoch("the epoch", self.epoch)?, checkpoint("the checkpoint", self.id)?);
        let (attempt, writer) = (self.attempt.into_domain(), WriterId::new(self.writer));
        message::SpilledAcknowledge::new(of, attempt, writer, self.metrics.into_domain()?, spilled)
            .map_err(|error| Invalid::Refused { field: "the file", error })
    }
}

impl<'a> Decline<'a> {
    fn of(decline: &'a message::Decline) -> Result<Self, Invalid> {
        Ok(Self {
            epoch: readable(decline.epoch)?,
            id: decline.id.get(),
            attempt: Attempt::of(decline.attempt),
            reason: Reason::of(decline.reason),
            message: decline.sent_message(),
        })
    }

    fn into_domain(self) -> Result<message::Decline, Invalid> {
        let (found, most) = (self.message.len(), message::Decline::MAX_MESSAGE_BYTES);
        if found > most {
            return Err(Invalid::value("the length of the message", found, format!("at most {most}")));
        }
        Ok(message::Decline::new(
            epoch("the epoch", self.epoch)?,
            checkpoint("the checkpoint", self.id)?,
            self.attempt.into_domain(),
            self.reason.into_domain(),
            self.message,
        ))
    }
}

impl AbortedMetrics {
    fn of(aborted: &message::AbortedMetrics) -> Result<Self, Invalid> {
        Ok(Self {
            epoch: readable(aborted.epoch)?,
            id: aborted.id.get(),
            attempt: Attempt::of(aborted.attempt),
            metrics: Metrics::of(&aborted.metrics),
        })
    }

    fn into_domain(self) -> Result<message::AbortedMetrics, Invalid> {
        Ok(message::AbortedMetrics::new(
            epoch("the epoch", self.epoch)?,
            checkpoint("the checkpoint", self.id)?,
            self.attempt.into_domain(),
            self.metrics.into_domain()?,
        ))
    }
}

impl InitializationMetrics {
    fn of(metrics: &message::InitializationMetrics) -> Result<Self, Invalid> {
        Ok(Self {
            epoch: readable(metrics.epoch)?,
            attempt: Attempt::of(metrics.attempt),
            from: metrics.from.map(|id| id.get()),
            outcome: match metrics.outcome {
                message::InitializationOutcome::Completed => Outcome::Completed,
                message::InitializationOutcome::Failed => Outcome::Failed,
            },
            started_at: metrics.started_at.millis(),
            total: nanos(metrics.total),
            thread_start: metrics.thread_start.map(nanos),
            download: metrics.download.map(nanos),
            restore: metrics.restore.map(nanos),
            read_output: metrics.read_output.map(nanos),
            read_input: metrics.read_input.map(nanos),
            restored_bytes: metrics.restored_bytes,
        })
    }

    fn into_domain(self) -> Result<message::InitializationMetrics, Invalid> {
        let outcome = match self.outcome {
            Outcome::Completed => message::InitializationOutcome::Completed,
            Outcome::Failed => message::InitializationOutcome::Failed,
        };
        let (started_at, total) = (Timestamp::from_millis(self.started_at), Duration::from_nanos(self.total));
        let (epoch, attempt) = (epoch("the epoch", self.epoch)?, self.attempt.into_domain());
        let mut metrics = message::InitializationMetrics::new(epoch, attempt, outcome, started_at, total);
        metrics.from = optional_checkpoint("the restored checkpoint", self.from)?;
        metrics.thread_start = self.thread_start.map(Duration::from_nanos);
        metrics.download = self.download.map(Duration::from_nanos);
        metrics.restore = self.restore.map(Duration::from_nanos);
        metrics.read_output = self.read_output.map(Duration::from_nanos);
        metrics.read_input = self.read_input.map(Duration::from_nanos);
        metrics.restored_bytes = self.restored_bytes;
        Ok(metrics)
    }
}

impl<'a> Marker<'a> {
    pub(crate) fn of(marker: &'a message::Marker) -> Result<Self, Invalid> {
        Ok(match marker {
            message::Marker::Barrier(barrier) => Self::Barrier(Barrier::of(barrier)?),
            message::Marker::Cancel { epoch, id } => Self::Cancel { epoch: readable(*epoch)?, id: id.get() },
            message::Marker::Announcement { barrier, sequence } => {
                Self::Announcement { barrier: Barrier::of(barrier)?, sequence: *sequence }
            }
        })
    }

    pub(crate) fn into_domain(self) -> Result<message::Marker, Invalid> {
        Ok(match self {
            Self::Barrier(barrier) => message::Marker::Barrier(barrier.into_domain()?),
            Self::Cancel { epoch: number, id } => {
                message::Marker::Cancel { epoch: epoch("the epoch", number)?, id: checkpoint("the checkpoint", id)? }
            }
            Self::Announcement { barrier, sequence } => {
                message::Marker::Announcement { barrier: barrier.into_domain()?, sequence }
            }
        })
    }
}

impl Attempt {
    pub(crate) const fn of(attempt: TaskAttempt) -> Self {
        Self { vertex: attempt.task.vertex.bytes(), subtask: attempt.task.subtask, attempt: attempt.attempt.get() }
    }

    pub(crate) const fn into_domain(self) -> TaskAttempt {
        TaskId::new(VertexId::new(self.vertex), self.subtask).attempt(AttemptId::new(self.attempt))
    }
}

impl Reason {
    const fn of(reason: message::DeclineReason) -> Self {
        match reason {
            message::DeclineReason::NotReady => Self::NotReady,
            message::DeclineReason::Subsumed => Self::Subsumed,
            message::DeclineReason::CancellationBarrier => Self::CancellationBarrier,
            message::DeclineReason::InputEnded => Self::InputEnded,
            message::DeclineReason::SnapshotFailed => Self::SnapshotFailed,
            message::DeclineReason::Closing => Self::Closing,
            message::DeclineReason::CaptureFailed => Self::CaptureFailed,
            message::DeclineReason::SharedStreamFailed => Self::SharedStreamFailed,
            message::DeclineReason::UnknownAttempt => Self::UnknownAttempt,
            message::DeclineReason::Refused => Self::Refused,
            message::DeclineReason::TooLarge => Self::TooLarge,
            message::DeclineReason::SpillFailed => Self::SpillFailed,
        }
    }

    const fn into_domain(self) -> message::DeclineReason {
        match self {
            Self::NotReady => message::DeclineReason::NotReady,
            Self::Subsumed => message::DeclineReason::Subsumed,
            Self::CancellationBarrier => message::DeclineReason::CancellationBarrier,
            Self::InputEnded => message::DeclineReason::InputEnded,
            Self::SnapshotFailed => message::DeclineReason::SnapshotFailed,
            Self::Closing => message::DeclineReason::Closing,
            Self::CaptureFailed => message::DeclineReason::CaptureFailed,
            Self::SharedStreamFailed => message::DeclineReason::SharedStreamFailed,
            Self::UnknownAttempt => message::DeclineReason::UnknownAttempt,
            Self::Refused => message::DeclineReason::Refused,
            Self::TooLarge => message::DeclineReason::TooLarge,
            Self::SpillFailed => message::DeclineReason::SpillFailed,
        }
    }
}
