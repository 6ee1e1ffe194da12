//! The part of a snapshot that runs in the background.

use std::error::Error as _;
use std::fmt::Write as _;
use std::sync::Arc;

use ckpt_core::id::{TaskAttempt, WriterId};
use ckpt_core::message::{Acknowledge, Decline, DeclineReason, ToCoordinator};
use ckpt_core::snapshot::{CheckpointBarrier, CheckpointMetrics, CheckpointMetricsBuilder};
use ckpt_core::state::{StateHandle, TaskSnapshot};
use ckpt_core::{Error, Monotonic, Result};
use ckpt_streams::{Charge, StreamFactory};

use crate::clock::Clock;
use crate::gateway::CoordinatorGateway;
use crate::observer::{CheckpointObserver, Phase};
use crate::task::CapturedState;
use crate::task::in_flight::Ticket;
use crate::task::spill;

/// Writes captured state, seals it and says so to the coordinator. However it ends, the coordinator hears of it: a job
/// that is refused, or dropped with its pool, or whose writing panics, declines.
pub(super) struct SnapshotJob {
    pub(super) captured: Option<Box<dyn CapturedState>>,
    /// For what was captured, as long as it is in memory.
    pub(super) charge: Option<Charge>,
    pub(super) streams: Arc<dyn StreamFactory>,
    pub(super) reporter: Reporter,
    pub(super) observer: Arc<dyn CheckpointObserver>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) barrier: CheckpointBarrier,
    pub(super) metrics: CheckpointMetricsBuilder,
    pub(super) captured_at: Monotonic,
    /// `None` where state stays in acknowledgements.
    pub(super) spill_above_bytes: Option<usize>,
    pub(super) outcome: Outcome,
    /// The last field, so that it is dropped last: who waits for it finds the captured state gone.
    pub(super) ticket: Ticket,
}

/// Whether the coordinator knows how a job ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Open,
    Reported,
}

/// Speaks to the coordinator for one task.
#[derive(Clone, Debug)]
pub(super) struct Reporter {
    pub(super) coordinator: Arc<dyn CoordinatorGateway>,
    pub(super) attempt: TaskAttempt,
    pub(super) writer: WriterId,
}

impl SnapshotJob {
    /// On a thread that may block.
    pub(super) fn run(mut self) {
        let sealed = self.write_and_seal().and_then(|snapshot| {
            let metrics = self.measure(&snapshot)?;
            Ok(self.reporter.acknowledgement(&self.barrier, snapshot, metrics))
        });
        let acknowledge = match sealed {
            Ok(acknowledge) => acknowledge,
            Err(error) => return self.fail(DeclineReason::SnapshotFailed, &describe(&error)),
        };
        match spill::message(acknowledge, &*self.streams, self.spill_above_bytes) {
            Ok(message) => self.acknowledge(message),
            Err((reason, error)) => self.fail(reason, &describe(&error)),
        }
    }

    fn write_and_seal(&mut self) -> Result<TaskSnapshot> {
        self.phase(Phase::WritingState);
        let staged = match self.captured.take() {
            Some(captured) => captured.write(&*self.streams),
            None => Ok(TaskSnapshot::default()),
        };
        // Written, or given up: sealing may wait for disks, and nobody is to wait for that.
        self.charge = None;
        let staged = staged?;
        self.phase(Phase::Sealing);
        self.streams.seal(staged)
    }

    fn measure(&self, snapshot: &TaskSnapshot) -> Result<CheckpointMetrics> {
        let mut metrics = self.metrics.clone();
        metrics.set_async_duration(self.clock.now().monotonic.since(self.captured_at));
        // What is reused has no handle here; the coordinator knows how long it is.
        let persisted_bytes = snapshot.handles().map(StateHandle::length_bytes).fold(0, u64::saturating_add);
        metrics.set_persisted_bytes(persisted_bytes);
        metrics.set_total_bytes(persisted_bytes);
        metrics.build()
    }

    fn acknowledge(&mut self, message: ToCoordinator) {
        self.phase(Phase::Acknowledging);
        self.reporter.coordinator.send(message);
        self.outcome = Outcome::Reported;
    }

    /// Leaves nothing behind that was not sealed, and declines, unless the task has cancelled the snapshot itself. What
    /// was sealed is told in any case, so that it is deleted.
    fn fail(&mut self, reason: DeclineReason, message: &str) {
        drop(self.streams.cancel());
        if reason.leaves_state() || !self.ticket.is_cancelled() {
            self.reporter.decline(&self.barrier, reason, message);
        }
        self.outcome = Outcome::Reported;
    }

    fn phase(&self, phase: Phase) {
        self.observer.phase(phase, Some(self.barrier.id()));
    }
}

impl Drop for SnapshotJob {
    fn drop(&mut self) {
        if self.outcome == Outcome::Open {
            (self.captured, self.charge) = (None, None);
            self.fail(
                DeclineReason::SnapshotFailed,
                "the captured state was not written: the pool refused the job, or it panicked",
            );
        }
    }
}

impl Reporter {
    fn acknowledgement(
        &self,
        barrier: &CheckpointBarrier,
        snapshot: TaskSnapshot,
        metrics: CheckpointMetrics,
    ) -> Acknowledge {
        let (epoch, id) = (barrier.identity.epoch, barrier.id());
        let mut acknowledge = Acknowledge::new(epoch, id, self.attempt, self.writer, snapshot);
        acknowledge.metrics = metrics;
        acknowledge
    }

    pub(super) fn decline(&self, barrier: &CheckpointBarrier, reason: DeclineReason, message: &str) {
        let decline = Decline::new(barrier.identity.epoch, barrier.id(), self.attempt, reason, message);
        self.coordinator.send(ToCoordinator::Decline(decline));
    }
}

/// The error and its sources as one line.
pub(super) fn describe(error: &Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        // Writing into a string cannot fail.
        let _ = write!(line, ": {cause}");
        source = cause.source();
    }
    line
}
