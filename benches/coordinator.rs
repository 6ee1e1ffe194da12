//! What the coordinator costs for each acknowledgement, everything around it included: trigger, metadata, HEAD, notices.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use ckpt_benches::{Bench, Work};
use ckpt_coord::coordinator::{Action, Coordinator, CoordinatorSettings, Event, ManualTrigger, ReplyToken};
use ckpt_core::config::CheckpointConfig;
use ckpt_core::graph::{JobGraph, Operator, Vertex};
use ckpt_core::head::{Head, Nonce, RetainedSnapshot};
use ckpt_core::id::{AttemptId, JobId, OperatorId, TaskAttempt, VertexId, WriterId};
use ckpt_core::key_group::MaxParallelism;
use ckpt_core::message::{Acknowledge, ToCoordinator, ToTask};
use ckpt_core::snapshot::{CheckpointBarrier, LocationReference, SnapshotKind};
use ckpt_core::state::{KeyGroupsState, KeyedState, StateHandle, SubtaskState, TaskSnapshot};
use ckpt_core::{Digest, Now, Result};

const TASKS: u32 = 1024;
const OPERATOR: OperatorId = OperatorId::new([2; 16]);
const VERTEX: VertexId = VertexId::new([1; 16]);

fn main() -> Result<()> {
    const NAME: &str = "coordinator: acknowledgement of a checkpoint of 1,024 tasks";
    let bench = Bench::from_arguments();
    if !bench.takes(NAME) {
        return Ok(());
    }
    let mut job = Job::start()?;
    let snapshots = job.snapshots()?;
    let mut committed = 0_u64;
    bench.compare(
        NAME,
        "putting each into its place in a vector",
        Work::Operations(TASKS as usize),
        || {
            committed += job.checkpoint(&snapshots);
            committed
        },
        || {
            let mut places: Vec<Option<TaskSnapshot>> = vec![None; TASKS as usize];
            for (place, snapshot) in places.iter_mut().zip(&snapshots) {
                *place = Some(snapshot.clone());
            }
            places
        },
    );
    // A coordinator that refused everything would be fast.
    assert!(committed > 0 && job.coordinator.statistics().aborted == 0, "{:?}", job.coordinator.statistics());
    Ok(())
}

/// A coordinator whose storage and tasks answer at once.
struct Job {
    coordinator: Coordinator,
    attempts: Vec<TaskAttempt>,
    replies: u64,
}

impl Job {
    fn start() -> Result<Self> {
        let mut vertex = Vertex::single(VERTEX, "source", TASKS, MaxParallelism::new(TASKS)?);
        vertex.operators = vec![Operator::new(OPERATOR, "source")];
        let graph = Arc::new(JobGraph::new(vec![vertex], Vec::new())?);
        let attempts: Vec<TaskAttempt> = graph.tasks().map(|task| task.attempt(AttemptId::new(1))).collect();
        let claimed = Head::claim(None, JobId::new([7; 16]), Nonce::new([3; 16]))?.written();
        let settings = CoordinatorSettings::new(CheckpointConfig::default());
        let mut coordinator = Coordinator::new(settings, graph, claimed, BTreeMap::new())?;
        let writers = (0..).map(WriterId::new);
        let started = attempts.iter().copied().zip(writers).collect();
        coordinator.handle(now(), Event::AttemptsStarted { attempts: started, reply: ReplyToken::new(0) });
        Ok(Self { coordinator, attempts, replies: 0 })
    }

    /// What each task acknowledges: one small piece of keyed state.
    fn snapshots(&self) -> Result<Vec<TaskSnapshot>> {
        let maximum = MaxParallelism::new(TASKS)?;
        let snapshot = |subtask| {
            let handle = StateHandle::inline(Bytes::from(vec![subtask as u8; 256]));
            let keyed = KeyGroupsState::new(maximum.range_of(subtask, TASKS)?, [0], handle)?;
            let state = SubtaskState::new(vec![KeyedState::KeyGroups(keyed)], Vec::new());
            Ok(TaskSnapshot::new([(OPERATOR, state)].into()))
        };
        (0..TASKS).map(snapshot).collect()
    }

    /// Takes a checkpoint from its trigger until nothing is left to do; 1 when it was committed.
    fn checkpoint(&mut self, snapshots: &[TaskSnapshot]) -> u64 {
        self.replies += 1;
        let reply = ReplyToken::new(self.replies);
        self.tell(Event::TriggerRequested { trigger: ManualTrigger::Configured, reply });
        let mut committed = 0;
        while let Some(action) = self.coordinator.poll_action() {
            match action {
                Action::InitializeLocation { io, .. } => {
                    self.tell(Event::LocationInitialized { io, target: LocationReference::Default });
                }
                Action::Send { message: ToTask::Trigger(barrier), .. } => self.acknowledge(&barrier, snapshots),
                Action::PublishMetadata { io, metadata } => {
                    let identity = &metadata.summary().identity;
                    let digest = Digest::crc64_nvme(identity.id.get());
                    let snapshot =
                        RetainedSnapshot::new(identity.id, identity.epoch, SnapshotKind::Checkpoint, 1, digest);
                    self.tell(Event::MetadataPublished { io, snapshot });
                }
                Action::WriteHead { io, write, .. } => self.tell(Event::HeadWritten { io, written: write.written() }),
                Action::RemoveSnapshot { io, .. } => self.tell(Event::SnapshotRemoved { io }),
                Action::RemoveFiles { io, .. } => self.tell(Event::FilesRemoved { io }),
                Action::CollectOrphans { io, .. } | Action::CollectEnded { io, .. } => {
                    self.tell(Event::OrphansCollected { io, files: 0 })
                }
                Action::ReportCompleted { .. } => committed += 1,
                _ => {}
            }
        }
        committed
    }

    fn acknowledge(&mut self, barrier: &CheckpointBarrier, snapshots: &[TaskSnapshot]) {
        let (epoch, id) = (barrier.identity.epoch, barrier.id());
        for (number, snapshot) in snapshots.iter().enumerate() {
            let writer = WriterId::new(number as u64);
            let acknowledge = Acknowledge::new(epoch, id, self.attempts[number], writer, snapshot.clone());
            self.tell(Event::MessageReceived { message: ToCoordinator::Acknowledge(acknowledge) });
        }
    }

    fn tell(&mut self, event: Event) {
        self.coordinator.handle(now(), event);
    }
}

/// The coordinator takes time as it is told; here none passes.
fn now() -> Now {
    Now::new(ckpt_core::Monotonic::since_start(std::time::Duration::ZERO), ckpt_core::Timestamp::from_millis(0))
}
