//! Whoever wants to see the job run.

use std::sync::Arc;

use ckpt_coord::{CheckpointObserver, CompletedCheckpoint, Phase};
use ckpt_core::Error;
use ckpt_core::id::{CheckpointId, TaskId};
use crossbeam_channel::Sender;

use crate::job::task_thread::TaskEvent;

/// Sees what happens to the job, and through [`CheckpointObserver`] to its checkpoints; on the thread on which it happens.
pub trait JobObserver: CheckpointObserver {
    /// Every task has its state back; that much of the input is behind it.
    fn restored(&self, from: Option<CheckpointId>, position_bytes: u64) {
        let _ = (from, position_bytes);
    }

    /// That much of the input has been read.
    fn progress(&self, position_bytes: u64) {
        let _ = position_bytes;
    }

    /// A step of a task begins; by default that is told as any other step.
    fn task_phase(&self, task: &str, phase: Phase, checkpoint: Option<CheckpointId>) {
        let _ = task;
        self.phase(phase, checkpoint);
    }
}

/// Sees nothing.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct NobodyWatches;

impl CheckpointObserver for NobodyWatches {}
impl JobObserver for NobodyWatches {}

/// What the engine itself has to know of its coordinator; everything is passed on.
#[derive(Debug)]
pub(super) struct EngineObserver {
    pub(super) observer: Arc<dyn JobObserver>,
    pub(super) events: Sender<TaskEvent>,
}

/// Says which task a step belongs to.
#[derive(Debug)]
pub(super) struct TaskObserver {
    pub(super) observer: Arc<dyn JobObserver>,
    pub(super) task: String,
}

impl TaskObserver {
    pub(super) fn new(observer: Arc<dyn JobObserver>, name: &str, task: TaskId) -> Self {
        Self { observer, task: format!("{name}/{}", task.subtask) }
    }
}

impl EngineObserver {
    fn tell(&self, event: TaskEvent) {
        // Once the engine is gone nobody needs to know.
        let _ = self.events.send(event);
    }
}

impl CheckpointObserver for EngineObserver {
    fn phase(&self, phase: Phase, checkpoint: Option<CheckpointId>) {
        self.observer.phase(phase, checkpoint);
    }

    fn completed(&self, checkpoint: &CompletedCheckpoint) {
        self.observer.completed(checkpoint);
        self.tell(TaskEvent::CheckpointCompleted);
    }

    fn aborted(&self, checkpoint: CheckpointId, reason: &str) {
        self.observer.aborted(checkpoint, reason);
        self.tell(TaskEvent::CheckpointAborted { reason: reason.to_owned() });
    }

    fn fenced(&self, error: &Error) {
        self.observer.fenced(error);
        self.tell(TaskEvent::LeadershipLost { kind: error.kind(), message: error.to_string() });
    }

    fn failed(&self, error: &Error) {
        self.observer.failed(error);
        self.tell(TaskEvent::LeadershipLost { kind: error.kind(), message: error.to_string() });
    }

    fn shut_down(&self) {
        self.observer.shut_down();
    }
}

impl CheckpointObserver for TaskObserver {
    fn phase(&self, phase: Phase, checkpoint: Option<CheckpointId>) {
        self.observer.task_phase(&self.task, phase, checkpoint);
    }
}
