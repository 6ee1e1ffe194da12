//! The coordinator of a job's checkpoints, as a state machine: no thread, no I/O, no clock.
//!
//! The embedder tells it what happened ([`Event`]) and does what it wants done ([`Action`]), in that order; the driver of
//! this crate is one embedder, an engine with an event loop of its own is another. A checkpoint goes this way:
//!
//! ```text
//!  trigger ──▶ Initializing ──▶ Acknowledging ──▶ Publishing ──▶ Published ──▶ Committing ──▶ committed
//!   (number,       │  place made:     │  all tasks        │ _metadata    │ HEAD write │ HEAD written:
//!    plan)         │  tell sources    │  have             │ is durable   │ emitted    │ older pending aborted, promise,
//!                  │                  │                   │              │            │ tasks told, removed collected
//!                  ▼                  ▼                   ▼              ▼            ▼
//!            place failed,      declined, expired,   not published,   expired,     fenced or unknown:
//!            expired, task      task lost, state     expired,         subsumed,    in doubt, everything stops
//!            lost, shut down    refused, subsumed,   subsumed,        shut down
//!                  │            shut down            shut down            │
//!                  └──────────────────┴─── aborted ───────┴───────────────┘
//!                         tasks told, place discarded, promise answered
//! ```
//!
//! The order in which a checkpoint is committed protects data and stands in `completion.rs` alone. When tasks may be
//! replaced stands in `deployment.rs`.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod abort;
mod acknowledge;
mod action;
mod committed;
mod completion;
mod deployment;
mod event;
#[cfg(any(test, debug_assertions))]
mod invariants;
mod lifecycle;
mod outbox;
mod pending;
mod reason;
mod schedule;
mod settings;
mod statistics;
mod tasks;
mod trigger;
mod validate;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use ckpt_core::graph::JobGraph;
use ckpt_core::head::{Head, WrittenHead};
use ckpt_core::id::{CheckpointId, LeaderEpoch};
use ckpt_core::message::ToCoordinator;
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::shared::{EndedWriters, SharedStateRegistry};
use ckpt_core::{Error, ErrorKind, Monotonic, Now, Result};

pub use action::{Action, Answer, Completion, IoId, ReplyToken};
pub use event::{Event, ManualTrigger};
pub use reason::{AbortReason, Failure, StateRefusal};
pub use settings::CoordinatorSettings;
pub use statistics::CheckpointStatistics;

use committed::{Committed, Removal};
use lifecycle::Lifecycle;
use outbox::{Outbox, Purpose};
use pending::PendingCheckpoint;
use schedule::Schedule;
use tasks::Tasks;

/// Decides when checkpoints are taken, whether they are complete, and what may be deleted.
#[derive(Debug)]
pub struct Coordinator {
    settings: CoordinatorSettings,
    tasks: Tasks,
    committed: Committed,
    /// Which shared files are alive, and who names them.
    shared: SharedStateRegistry,
    schedule: Schedule,
    pending: BTreeMap<CheckpointId, PendingCheckpoint>,
    /// Requests by hand that wait for room.
    requests: VecDeque<(ManualTrigger, ReplyToken)>,
    /// The newest aborted checkpoints whose places were made, so that late state is discarded too.
    aborted: BTreeSet<CheckpointId>,
    /// Those whose places are being discarded, and must be once more: something was written meanwhile.
    discard_again: BTreeSet<CheckpointId>,
    /// Those whose places could not be discarded; tried again when HEAD is written next.
    failed_discards: BTreeSet<CheckpointId>,
    /// Writers whose files could not be collected; tried again when HEAD is written next.
    failed_writers: Vec<EndedWriters>,
    outbox: Outbox,
    lifecycle: Lifecycle,
    statistics: CheckpointStatistics,
}

impl Coordinator {
    /// How many of the newest aborted checkpoints may be asked to be discarded again.
    pub const REMEMBERED_ABORTED: usize = 64;

    /// The coordinator of a job that was claimed. `retained` is the metadata of each checkpoint that HEAD retains, and of those
    /// removed ones that name files in places which the job has claimed, as far as it can be read. What former leaders left is
    /// collected first.
    ///
    /// # Errors
    ///
    /// `NotFound` when the metadata of one of these was not given; `Corrupt` when two of them do not agree on what a shared
    /// file holds. Nothing may be deleted then, since it is not known what is alive.
    pub fn new(
        settings: CoordinatorSettings,
        graph: Arc<JobGraph>,
        claimed: WrittenHead,
        retained: BTreeMap<CheckpointId, Arc<CheckpointMetadata>>,
    ) -> Result<Self> {
        let shared = shared_files(claimed.head.head(), &retained)?;
        let statistics = CheckpointStatistics {
            latest_id: claimed.head.head().restore_point().map(|newest| newest.id),
            ..CheckpointStatistics::default()
        };
        let mut coordinator = Self {
            schedule: Schedule::new(&settings),
            tasks: Tasks::new(graph),
            committed: Committed::new(claimed, retained),
            shared,
            pending: BTreeMap::new(),
            requests: VecDeque::new(),
            aborted: BTreeSet::new(),
            discard_again: BTreeSet::new(),
            failed_discards: BTreeSet::new(),
            failed_writers: Vec::new(),
            outbox: Outbox::default(),
            lifecycle: Lifecycle::Running,
            statistics,
            settings,
        };
        coordinator.collect_leftovers();
        Ok(coordinator)
    }

    /// Takes an event. Never blocks and never fails.
    pub fn handle(&mut self, now: Now, event: Event) {
        if self.lifecycle.has_stopped() {
            self.refuse(event);
            return;
        }
        // Before the event: what comes at the deadline comes too late.
        self.expire(now.monotonic);
        match event {
            Event::DeadlineReached => {}
            Event::TriggerRequested { trigger, reply } => self.trigger_requested(trigger, reply),
            Event::AttemptsStarted { attempts, reply } => self.attempts_started(now.monotonic, &attempts, reply),
            Event::RestoreRequested { reply } => self.restore_requested(reply),
            Event::AttemptLost { attempt, reason } => self.attempt_lost(attempt, &reason),
            Event::WritersEnded { writers } => self.writers_ended(&writers),
            Event::AttemptFinished { attempt } => self.attempt_finished(attempt),
            Event::BacklogBegan { operator } => self.backlog_changed(operator, |schedule, operator| {
                schedule.backlog_began(now.monotonic, operator);
            }),
            Event::BacklogEnded { operator } => self.backlog_changed(operator, |schedule, operator| {
                schedule.backlog_ended(now.monotonic, operator);
            }),
            Event::MessageReceived { message } => match message {
                ToCoordinator::Acknowledge(acknowledge) => self.acknowledged(now, acknowledge),
                ToCoordinator::Decline(decline) => self.declined(decline),
                // Reading files is the driver's part.
                ToCoordinator::AcknowledgeSpilled(spilled) => {
                    self.declined(spilled.unreadable("its file was not read before it was handed on"));
                }
                _ => {}
            },
            Event::LocationInitialized { io, target } => {
                if let Some(Purpose::Initialize(id)) = self.outbox.finish(io) {
                    self.location_initialized(id, target);
                }
            }
            Event::MetadataPublished { io, snapshot } => {
                if let Some(Purpose::Publish(id)) = self.outbox.finish(io) {
                    self.metadata_published(id, snapshot);
                }
            }
            Event::HeadWritten { io, written } => {
                if let Some(Purpose::WriteHead(purpose)) = self.outbox.finish(io) {
                    self.head_written(now.monotonic, purpose, written);
                }
            }
            Event::LocationDiscarded { io } => {
                if let Some(Purpose::Discard(id)) = self.outbox.finish(io) {
                    self.discarded(id);
                }
            }
            Event::SnapshotRemoved { io } => {
                if let Some(Purpose::Remove(Removal { removed: Some(removed), .. })) = self.outbox.finish(io) {
                    self.committed.is_collected(removed.snapshot().id);
                }
            }
            Event::SavepointRemoved { io } => {
                if let Some(Purpose::RemoveSavepoint(abandoned)) = self.outbox.finish(io) {
                    self.committed.is_removed(abandoned.savepoint().id);
                }
            }
            Event::FilesRemoved { io } => {
                self.outbox.finish(io);
            }
            Event::ClaimReleased { io } => {
                if let Some(Purpose::Release(released)) = self.outbox.finish(io) {
                    self.committed.is_released(&released);
                }
            }
            Event::OrphansCollected { io, files } => {
                if self.outbox.finish(io).is_some() {
                    self.statistics.orphans_collected += files;
                }
            }
            Event::IoFailed { io, failure } => {
                if let Some(purpose) = self.outbox.finish(io) {
                    self.io_failed(purpose, failure);
                }
            }
            Event::ShutDownRequested { reply } => self.shut_down_requested(reply),
            Event::EndRequested { end, retention, reply } => self.end_requested(end, retention, reply),
        }
        self.proceed(now);
        #[cfg(any(test, debug_assertions))]
        self.assert_invariants();
    }

    /// The next action; drain them after [`new`](Self::new) and after each [`handle`](Self::handle).
    pub fn poll_action(&mut self) -> Option<Action> {
        self.outbox.pop()
    }

    /// When [`Event::DeadlineReached`] is due next.
    pub fn poll_timeout(&self) -> Option<Monotonic> {
        if self.lifecycle.has_stopped() {
            return None;
        }
        let deadlines =
            self.pending.values().filter(|pending| !pending.is_committing()).map(|pending| pending.deadline);
        // While it stops nothing is due: a point in time that nobody takes note of would come again at once, for ever.
        let due = self.schedule.poll_timeout().filter(|_| matches!(self.lifecycle, Lifecycle::Running));
        deadlines.chain(due).min()
    }

    /// The term of this coordinator.
    pub const fn epoch(&self) -> LeaderEpoch {
        self.committed.head().head().epoch
    }

    /// What happened so far.
    pub fn statistics(&self) -> CheckpointStatistics {
        CheckpointStatistics { pending: self.pending.len() as u64, ..self.statistics }
    }

    /// Does whatever has become possible.
    fn proceed(&mut self, now: Now) {
        match self.lifecycle {
            Lifecycle::Running => {
                self.schedule.advance(now.monotonic);
                self.commit_next();
                self.trigger_next(now);
                self.collect_removed();
                self.collect_ended();
            }
            Lifecycle::Restoring { .. } => {
                self.proceed_to_the_restore();
                self.collect_removed();
                self.collect_ended();
            }
            Lifecycle::ShuttingDown { .. } | Lifecycle::Ending { .. } => self.proceed_to_the_end(),
            Lifecycle::Stopped(_) => {}
        }
    }

    /// An answer says that an action failed.
    fn io_failed(&mut self, purpose: Purpose, failure: Failure) {
        match purpose {
            Purpose::Initialize(id) => self.abort(id, AbortReason::LocationFailed(failure)),
            Purpose::Publish(id) => self.publish_failed(id, failure),
            Purpose::WriteHead(purpose) => self.head_not_written(purpose, failure),
            Purpose::Discard(id) => self.not_discarded(id, &failure),
            Purpose::Remove(removal) => {
                self.statistics.failed_removals += 1;
                self.committed.not_collected(removal);
            }
            Purpose::RemoveSavepoint(abandoned) => {
                self.statistics.failed_removals += 1;
                self.committed.not_removed(abandoned);
            }
            Purpose::Release(released) => {
                self.statistics.failed_removals += 1;
                self.committed.not_released(released);
            }
            Purpose::RemoveTaskOwned => self.statistics.failed_removals += 1,
            Purpose::CollectOrphans => self.statistics.failed_collections += 1,
            Purpose::CollectEnded(ended) => {
                self.statistics.failed_collections += 1;
                self.failed_writers.push(ended);
            }
        }
    }
}

/// The shared files of all that is retained, and of what is removed or set aside as far as that is given: what is removed is
/// named until its files are deleted.
fn shared_files(
    head: &Head,
    retained: &BTreeMap<CheckpointId, Arc<CheckpointMetadata>>,
) -> Result<SharedStateRegistry> {
    let mut shared = SharedStateRegistry::new(head.epoch);
    for snapshot in &head.retained {
        let missing = || Failure::new(ErrorKind::NotFound, format!("the metadata of {} was not given", snapshot.id));
        let metadata = retained.get(&snapshot.id).ok_or_else(missing).map_err(Error::from)?;
        shared.restore(snapshot.id, |each| metadata.visit_handles(each))?;
    }
    for snapshot in &head.removed {
        if let Some(metadata) = retained.get(&snapshot.id) {
            shared.restore(snapshot.id, |each| metadata.visit_handles(each))?;
        }
    }
    for snapshot in &head.set_aside {
        if let Some(metadata) = retained.get(&snapshot.id) {
            // It may contradict what is retained, for which a job goes back. Then less of it is kept.
            let _ = shared.restore(snapshot.id, |each| metadata.visit_handles(each));
        }
    }
    Ok(shared)
}

#[cfg(test)]
#[path = "script_test.rs"]
mod script;
#[cfg(test)]
#[path = "simulation_test.rs"]
mod simulation;
