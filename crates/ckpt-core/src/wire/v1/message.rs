//! Messages.

use serde::{Deserialize, Serialize};

use super::snapshot::{Barrier, Metrics};
use super::state::SubtaskState;
use super::{Id, ascending, checkpoint, epoch, optional_checkpoint};
use crate::id::{AttemptId, OperatorId, TaskAttempt, TaskId, VertexId, WriterId};
use crate::message;
use crate::state::{TaskProgress, TaskSnapshot};
use crate::wire::{Invalid, List};

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
    },
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum ToCoordinator<'a> {
    #[serde(borrow)]
    Acknowledge(Acknowledge<'a>),
    Decline(Decline<'a>),
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Acknowledge<'a> {
    epoch: u64,
    id: u64,
    attempt: Attempt,
    writer: u64,
    #[serde(borrow)]
    operators: List<(Id, SubtaskState<'a>)>,
    progress: Progress,
    metrics: Metrics,
}

#[derive(Debug, Serialize, Deserialize)]
enum Progress {
    Running,
    Finished,
    FinishedOnRestore,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Decline<'a> {
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
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Marker<'a> {
    #[serde(borrow)]
    Barrier(Barrier<'a>),
    Cancel {
        epoch: u64,
        id: u64,
    },
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Attempt {
    vertex: Id,
    subtask: u32,
    attempt: u64,
}

impl<'a> ToTask<'a> {
    pub(crate) fn of(message: &'a message::ToTask) -> Self {
        match message {
            message::ToTask::Trigger(barrier) => Self::Trigger(Barrier::of(barrier)),
            message::ToTask::Completed { epoch, id, subsumed_upto } => {
                Self::Completed { epoch: epoch.get(), id: id.get(), subsumed_upto: subsumed_upto.map(|id| id.get()) }
            }
            message::ToTask::Aborted { epoch, id } => Self::Aborted { epoch: epoch.get(), id: id.get() },
        }
    }

    pub(crate) fn into_domain(self) -> Result<message::ToTask, Invalid> {
        Ok(match self {
            Self::Trigger(barrier) => message::ToTask::Trigger(barrier.into_domain()?),
            Self::Completed { epoch: number, id, subsumed_upto } => {
                let id = checkpoint("the checkpoint", id)?;
                let subsumed_upto = optional_checkpoint("the newest subsumed checkpoint", subsumed_upto)?;
                if let Some(upto) = subsumed_upto.filter(|upto| *upto >= id) {
                    return Err(Invalid::value("the newest subsumed checkpoint", upto, format!("one below {id}")));
                }
                message::ToTask::Completed { epoch: epoch("the epoch", number)?, id, subsumed_upto }
            }
            Self::Aborted { epoch: number, id } => {
                message::ToTask::Aborted { epoch: epoch("the epoch", number)?, id: checkpoint("the checkpoint", id)? }
            }
        })
    }
}

impl<'a> ToCoordinator<'a> {
    pub(crate) fn of(message: &'a message::ToCoordinator) -> Result<Self, Invalid> {
        Ok(match message {
            message::ToCoordinator::Acknowledge(acknowledge) => Self::Acknowledge(Acknowledge::of(acknowledge)?),
            message::ToCoordinator::Decline(decline) => Self::Decline(Decline {
                epoch: decline.epoch.get(),
                id: decline.id.get(),
                attempt: Attempt::of(decline.attempt),
                reason: Reason::of(decline.reason),
                message: &decline.message,
            }),
        })
    }

    pub(crate) fn into_domain(self) -> Result<message::ToCoordinator, Invalid> {
        Ok(match self {
            Self::Acknowledge(acknowledge) => message::ToCoordinator::Acknowledge(acknowledge.into_domain()?),
            // The constructor cuts a message that is longer than it may be.
            Self::Decline(decline) => message::ToCoordinator::Decline(message::Decline::new(
                epoch("the epoch", decline.epoch)?,
                checkpoint("the checkpoint", decline.id)?,
                decline.attempt.into_domain(),
                decline.reason.into_domain(),
                decline.message,
            )),
        })
    }
}

impl<'a> Acknowledge<'a> {
    fn of(acknowledge: &'a message::Acknowledge) -> Result<Self, Invalid> {
        let mut operators = Vec::with_capacity(acknowledge.snapshot.operators().len());
        for (operator, state) in acknowledge.snapshot.operators() {
            operators.push((operator.bytes(), SubtaskState::of(state)?));
        }
        Ok(Self {
            epoch: acknowledge.epoch.get(),
            id: acknowledge.id.get(),
            attempt: Attempt::of(acknowledge.attempt),
            writer: acknowledge.writer.get(),
            operators: List(operators),
            progress: Progress::of(acknowledge.snapshot.progress()),
            metrics: Metrics::of(&acknowledge.metrics),
        })
    }

    fn into_domain(self) -> Result<message::Acknowledge, Invalid> {
        let operators = self.operators.0.into_iter();
        let operators = operators.map(|(operator, state)| Ok((OperatorId::new(operator), state.into_domain()?)));
        let snapshot = TaskSnapshot::new(ascending("the operators", operators)?.into());
        let mut acknowledge = message::Acknowledge::new(
            epoch("the epoch", self.epoch)?,
            checkpoint("the checkpoint", self.id)?,
            self.attempt.into_domain(),
            WriterId::new(self.writer),
            self.progress.into_domain(snapshot)?,
        );
        acknowledge.metrics = self.metrics.into_domain()?;
        Ok(acknowledge)
    }
}

impl Progress {
    const fn of(progress: TaskProgress) -> Self {
        match progress {
            TaskProgress::Running => Self::Running,
            TaskProgress::Finished => Self::Finished,
            TaskProgress::FinishedOnRestore => Self::FinishedOnRestore,
        }
    }

    fn into_domain(self, snapshot: TaskSnapshot) -> Result<TaskSnapshot, Invalid> {
        match self {
            Self::Running => Ok(snapshot),
            Self::Finished => Ok(snapshot.finished()),
            Self::FinishedOnRestore if snapshot.operators().is_empty() => Ok(TaskSnapshot::finished_on_restore()),
            Self::FinishedOnRestore => {
                Err(Invalid::value("the state of a task that had nothing left to do", "some", "none"))
            }
        }
    }
}

impl<'a> Marker<'a> {
    pub(crate) fn of(marker: &'a message::Marker) -> Self {
        match marker {
            message::Marker::Barrier(barrier) => Self::Barrier(Barrier::of(barrier)),
            message::Marker::Cancel { epoch, id } => Self::Cancel { epoch: epoch.get(), id: id.get() },
        }
    }

    pub(crate) fn into_domain(self) -> Result<message::Marker, Invalid> {
        Ok(match self {
            Self::Barrier(barrier) => message::Marker::Barrier(barrier.into_domain()?),
            Self::Cancel { epoch: number, id } => {
                message::Marker::Cancel { epoch: epoch("the epoch", number)?, id: checkpoint("the checkpoint", id)? }
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
        }
    }

    const fn into_domain(self) -> message::DeclineReason {
        match self {
            Self::NotReady => message::DeclineReason::NotReady,
            Self::Subsumed => message::DeclineReason::Subsumed,
            Self::CancellationBarrier => message::DeclineReason::CancellationBarrier,
            Self::InputEnded => message::DeclineReason::InputEnded,
            Self::SnapshotFailed => message::DeclineReason::SnapshotFailed,
        }
    }
}
