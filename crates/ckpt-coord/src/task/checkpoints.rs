//! A task's checkpoints.

use std::sync::Arc;
use std::time::Duration;

use ckpt_core::id::{CheckpointId, LeaderEpoch, Writer};
use ckpt_core::message::{Decline, DeclineReason, Marker, ToCoordinator, ToTask};
use ckpt_core::snapshot::{CheckpointBarrier, CheckpointMetricsBuilder};
use ckpt_core::state::TaskRestore;
use ckpt_core::{Error, ErrorKind, Result};
use ckpt_streams::{Charge, Pending};

use crate::barrier::{BarrierAction, BarrierAligner, BarrierEvent};
use crate::observer::Phase;
use crate::task::in_flight::InFlight;
use crate::task::recent_ids::RecentIds;
use crate::task::snapshot_job::{Outcome, Reporter, SnapshotJob, describe};
use crate::task::{CheckpointedTask, TaskOptions};

/// A task's part of every checkpoint, from the first barrier to the commit.
///
/// Lives in the task's thread. Dropping it cancels what is in flight and leaves nothing unsealed;
/// [`finish`](Self::finish) waits for it instead.
#[derive(Debug)]
pub struct TaskCheckpoints {
    options: TaskOptions,
    reporter: Reporter,
    writer: Writer,
    from: Option<CheckpointId>,
    aligner: BarrierAligner,
    in_flight: Arc<InFlight>,
    at_drop: AtDrop,
    /// A newer leader than the one that deployed this attempt.
    fenced_by: Option<LeaderEpoch>,
    completed_upto: Option<CheckpointId>,
    /// Captured here, or given up: a doubled trigger must neither capture twice nor decline what is on its way.
    begun: RecentIds,
    aborted: RecentIds,
    /// What the observer was told last by this thread.
    phase: Option<(Phase, Option<CheckpointId>)>,
}

/// What becomes of the snapshots in flight.
#[derive(Debug)]
enum AtDrop {
    CancelInFlight,
    LetFinish,
}

/// What was measured before the snapshot.
#[derive(Clone, Copy, Debug)]
struct Timing {
    alignment: Duration,
    start_delay: Duration,
}

#[derive(Debug, thiserror::Error)]
#[error("the task was deployed by the leader of epoch {own}, and the leader of epoch {found} has taken over")]
struct TakenOver {
    own: LeaderEpoch,
    found: LeaderEpoch,
}

impl TaskCheckpoints {
    /// The checkpoints of the task that was deployed so, with that many inputs; none for a source.
    pub fn new(restore: &TaskRestore, inputs: u32, options: TaskOptions) -> Self {
        let reporter = Reporter {
            coordinator: Arc::clone(&options.coordinator),
            attempt: restore.attempt,
            writer: restore.writer.id,
        };
        Self {
            options,
            reporter,
            writer: restore.writer,
            from: restore.from,
            aligner: BarrierAligner::new(inputs),
            in_flight: Arc::new(InFlight::default()),
            at_drop: AtDrop::CancelInFlight,
            fenced_by: None,
            completed_upto: None,
            begun: RecentIds::default(),
            aborted: RecentIds::default(),
            phase: None,
        }
    }

    /// To be called once the task has its state back and before its first record: commits again what the snapshot it
    /// began from had captured, since the crash may have come before the commit.
    ///
    /// # Errors
    ///
    /// That of [`CheckpointedTask::commit`].
    pub fn restored(&mut self, task: &mut dyn CheckpointedTask) -> Result<()> {
        self.completed(task, self.from)?;
        self.resume();
        Ok(())
    }

    /// The coordinator says something. What a former leader says is dropped; so is what was said before.
    ///
    /// # Errors
    ///
    /// That of the task's own methods: the task fails. `Fenced` when another leader has taken over: nothing is committed
    /// on its word, since it has restored elsewhere what this attempt did; the task stops.
    pub fn on_message(&mut self, task: &mut dyn CheckpointedTask, message: ToTask) -> Result<()> {
        if !self.admit(message.epoch())? {
            return Ok(());
        }
        match message {
            ToTask::Trigger(barrier) => self.triggered(task, &barrier)?,
            ToTask::Completed { id, .. } => self.completed(task, Some(id))?,
            ToTask::Aborted { epoch, id, latest_completed } => {
                // Its own notice may have been lost, and this one says that it is certain.
                self.completed(task, latest_completed)?;
                self.abort_notified(task, epoch, id)?;
            }
            _ => return Ok(()),
        }
        self.resume();
        Ok(())
    }

    /// A marker comes out of an input, in its place between the records.
    ///
    /// # Errors
    ///
    /// As for [`on_message`](Self::on_message).
    pub fn on_marker(&mut self, task: &mut dyn CheckpointedTask, input: u32, marker: Marker) -> Result<()> {
        if !self.admit(marker.epoch())? {
            return Ok(());
        }
        match marker {
            Marker::Barrier(barrier) => {
                let latest_completed = barrier.identity.latest_completed;
                self.align(task, BarrierEvent::BarrierArrived { input, barrier })?;
                self.completed(task, latest_completed)
            }
            Marker::Cancel { epoch, id } => self.align(task, BarrierEvent::CancelArrived { input, epoch, id }),
            _ => Ok(()),
        }
    }

    /// Nothing will ever come out of that input again, no marker either. An input whose sender still forwards markers
    /// has not ended, even when it has no more records.
    ///
    /// # Errors
    ///
    /// As for [`on_message`](Self::on_message).
    pub fn on_input_ended(&mut self, task: &mut dyn CheckpointedTask, input: u32) -> Result<()> {
        self.align(task, BarrierEvent::InputEnded { input })
    }

    /// Takes the task's part of that checkpoint now: for an engine that aligns by itself.
    ///
    /// # Errors
    ///
    /// As for [`on_message`](Self::on_message). A snapshot that cannot be taken is no error: it is declined.
    pub fn perform_checkpoint(&mut self, task: &mut dyn CheckpointedTask, barrier: &CheckpointBarrier) -> Result<()> {
        if self.admit(barrier.identity.epoch)? {
            self.perform_now(task, barrier)?;
            self.resume();
        }
        Ok(())
    }

    /// The newest checkpoint up to which side effects were committed.
    pub const fn completed_upto(&self) -> Option<CheckpointId> {
        self.completed_upto
    }

    /// For a task that ends in order: answers when every snapshot on its way is acknowledged or declined.
    pub fn finish(mut self) -> Pending<()> {
        self.at_drop = AtDrop::LetFinish;
        self.in_flight.finished()
    }

    /// Whether that leader's word counts: it must be the one that deployed this attempt.
    fn admit(&mut self, epoch: LeaderEpoch) -> Result<bool> {
        let own = self.writer.epoch;
        if epoch > own && self.fenced_by.is_none() {
            self.fenced_by = Some(epoch);
            self.in_flight.cancel_all();
        }
        match self.fenced_by {
            Some(found) => Err(Error::new(ErrorKind::Fenced, TakenOver { own, found })),
            None => Ok(epoch == own),
        }
    }

    fn triggered(&mut self, task: &mut dyn CheckpointedTask, barrier: &CheckpointBarrier) -> Result<()> {
        if self.aligner.all_ended() {
            return self.perform_now(task, barrier);
        }
        if self.begun.insert(barrier.id()) {
            let why = "the task was triggered, but has inputs whose barriers it must wait for";
            self.reporter.decline(barrier, DeclineReason::NotReady, why);
        }
        Ok(())
    }

    fn abort_notified(&mut self, task: &mut dyn CheckpointedTask, epoch: LeaderEpoch, id: CheckpointId) -> Result<()> {
        if !self.aborted.insert(id) {
            return Ok(());
        }
        self.in_flight.cancel(id);
        task.abort(id)?;
        self.align(task, BarrierEvent::AbortNotified { epoch, id })
    }

    /// Tells the aligner what happened and does what it says.
    fn align(&mut self, task: &mut dyn CheckpointedTask, event: BarrierEvent) -> Result<()> {
        self.aligner.handle(self.options.clock.now(), event);
        if let Some(aligning) = self.aligner.aligning().map(CheckpointBarrier::id) {
            self.enter(Phase::Aligning, Some(aligning));
        }
        while let Some(action) = self.aligner.poll_action() {
            match action {
                BarrierAction::Block { input } => task.block(input),
                BarrierAction::UnblockAll => {
                    self.resume();
                    task.unblock_all();
                }
                BarrierAction::Snapshot { barrier, alignment, start_delay } => {
                    self.perform(task, &barrier, Timing { alignment, start_delay })?;
                    self.resume();
                }
                BarrierAction::Forward(marker) => task.forward(&marker)?,
                BarrierAction::Abort { epoch, id, reason } => {
                    let decline = Decline::new(epoch, id, self.reporter.attempt, reason, reason.to_string());
                    self.options.coordinator.send(ToCoordinator::Decline(decline));
                }
            }
        }
        Ok(())
    }

    fn perform_now(&mut self, task: &mut dyn CheckpointedTask, barrier: &CheckpointBarrier) -> Result<()> {
        let wall = self.options.clock.now().wall;
        let age = wall.millis().saturating_sub(barrier.identity.triggered_at.millis());
        let timing = Timing { alignment: Duration::ZERO, start_delay: Duration::from_millis(age) };
        self.perform(task, barrier, timing)
    }

    fn perform(&mut self, task: &mut dyn CheckpointedTask, barrier: &CheckpointBarrier, timing: Timing) -> Result<()> {
        let id = barrier.id();
        let newest = self.begun.newest();
        if !self.begun.insert(id) {
            return Ok(());
        }
        if self.aborted.contains(id) {
            return task.forward(&Marker::Cancel { epoch: barrier.identity.epoch, id });
        }
        if let Some(newest) = newest.filter(|&newest| newest > id) {
            let why = format!("checkpoint {newest}, which is newer, has begun at the task");
            self.reporter.decline(barrier, DeclineReason::Subsumed, &why);
            return Ok(());
        }
        // First of all, so that what lies downstream waits no longer than it must; the records behind the barrier come
        // after the capture, because both happen in this thread.
        task.forward(&Marker::Barrier(barrier.clone()))?;
        if let Err((reason, why)) = self.snapshot(task, barrier, timing) {
            self.reporter.decline(barrier, reason, &why);
        }
        self.completed(task, barrier.identity.latest_completed)
    }

    /// Captures and spawns the rest.
    fn snapshot(
        &mut self,
        task: &mut dyn CheckpointedTask,
        barrier: &CheckpointBarrier,
        timing: Timing,
    ) -> Result<(), (DeclineReason, String)> {
        let failed = |error: Error| (DeclineReason::SnapshotFailed, describe(&error));
        let (in_flight, limit) = (self.in_flight.len(), self.options.max_in_flight.get());
        if in_flight >= limit {
            let why = format!("{in_flight} snapshots of the task are still being written: expected fewer than {limit}");
            return Err((DeclineReason::SnapshotFailed, why));
        }
        self.enter(Phase::Capturing, Some(barrier.id()));
        let streams = self.options.view.streams(barrier).map_err(failed)?;
        let charge = self.charge(task.capture_bytes())?;
        let clock = &self.options.clock;
        let began_at = clock.now().monotonic;
        let captured = task.capture(barrier).map_err(|error| (DeclineReason::CaptureFailed, describe(&error)))?;
        let captured_at = clock.now().monotonic;
        let mut metrics = CheckpointMetricsBuilder::new();
        metrics.set_start_delay(timing.start_delay);
        metrics.alignment_ended(timing.alignment, None).map_err(failed)?;
        metrics.set_sync_duration(captured_at.since(began_at));
        let job = SnapshotJob {
            captured: Some(captured),
            charge,
            ticket: self.in_flight.enter(barrier.id(), Arc::clone(&streams)),
            streams,
            reporter: self.reporter.clone(),
            observer: Arc::clone(&self.options.observer),
            clock: Arc::clone(clock),
            barrier: barrier.clone(),
            metrics,
            captured_at,
            spill_above_bytes: self.options.spill_above(),
            outcome: Outcome::Open,
        };
        // A refused job is dropped, and says so to the coordinator itself.
        let _ = self.options.spawn.spawn("ckpt-snapshot", Box::new(move || job.run()));
        Ok(())
    }

    /// Never waits: a task that stood still would hear of no cancellation either.
    fn charge(&self, bytes: u64) -> Result<Option<Charge>, (DeclineReason, String)> {
        if bytes == 0 {
            return Ok(None);
        }
        let budget = self.options.view.budget();
        budget.account().try_charge(bytes).map(Some).ok_or_else(|| {
            let (charged, limit) = (budget.charged_bytes(), budget.limit_bytes());
            let why = format!(
                "a capture takes {bytes} bytes of memory, and {charged} of a budget of {limit} bytes are on their way to storage"
            );
            (DeclineReason::SnapshotFailed, why)
        })
    }

    /// Commits what is certain and was not committed yet.
    fn completed(&mut self, task: &mut dyn CheckpointedTask, upto: Option<CheckpointId>) -> Result<()> {
        let Some(upto) = upto.filter(|_| upto > self.completed_upto) else { return Ok(()) };
        self.enter(Phase::Committing, Some(upto));
        task.commit(upto)?;
        self.completed_upto = Some(upto);
        self.resume();
        Ok(())
    }

    /// The task turns to its records again.
    fn resume(&mut self) {
        match self.aligner.aligning().map(CheckpointBarrier::id) {
            Some(id) => self.enter(Phase::Aligning, Some(id)),
            None => self.enter(Phase::Reading, None),
        }
    }

    fn enter(&mut self, phase: Phase, checkpoint: Option<CheckpointId>) {
        if self.phase.replace((phase, checkpoint)) != Some((phase, checkpoint)) {
            self.options.observer.phase(phase, checkpoint);
        }
    }
}

impl Drop for TaskCheckpoints {
    fn drop(&mut self) {
        match self.at_drop {
            AtDrop::CancelInFlight => self.in_flight.cancel_all(),
            AtDrop::LetFinish => {}
        }
    }
}

#[cfg(test)]
#[path = "checkpoints_test.rs"]
mod tests;
