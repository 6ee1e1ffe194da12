//! Toy tasks: two sources and two tasks behind them, each with incremental state.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use ckpt_core::Digest;
use ckpt_core::graph::{Edge, JobGraph, Vertex};
use ckpt_core::id::{
    AttemptId, CheckpointId, FileName, LeaderEpoch, OperatorId, TaskAttempt, TaskId, VertexId, Writer, WriterId,
};
use ckpt_core::key_group::MaxParallelism;
use ckpt_core::message::{Acknowledge, Decline, DeclineReason, ToCoordinator, ToTask};
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::snapshot::CheckpointBarrier;
use ckpt_core::state::{
    FileRef, IncrementalState, KeyedState, Place, ReusedFile, Root, SharedFile, SortedMap, StateHandle, SubtaskReport,
    SubtaskState, TaskSnapshot,
};

use super::store::Store;
use super::{Random, epoch_of};

const SOURCE: VertexId = VertexId::new([1; 16]);
const SINK: VertexId = VertexId::new([2; 16]);

/// How many tasks there are.
pub(super) const COUNT: usize = 4;

pub(super) struct ToyTasks {
    tasks: Vec<Toy>,
    epoch: LeaderEpoch,
    next: u64,
}

struct Toy {
    attempt: TaskAttempt,
    writer: WriterId,
    runs: bool,
    files: u32,
    highest: Option<CheckpointId>,
    /// By checkpoint: the files that its state consists of, oldest first.
    lists: BTreeMap<CheckpointId, Vec<FileName>>,
    /// For tasks behind sources: which sources' barriers have come.
    barriers: BTreeMap<CheckpointId, BTreeSet<usize>>,
}

impl ToyTasks {
    pub(super) fn new() -> Self {
        let task = |index: usize| TaskId::new(if index < 2 { SOURCE } else { SINK }, index as u32 % 2);
        let tasks = (0..COUNT).map(|index| Toy {
            attempt: task(index).attempt(AttemptId::new(0)),
            writer: WriterId::new(0),
            runs: false,
            files: 0,
            highest: None,
            lists: BTreeMap::new(),
            barriers: BTreeMap::new(),
        });
        Self { tasks: tasks.collect(), epoch: LeaderEpoch::NONE, next: 0 }
    }

    pub(super) fn graph(&self) -> Arc<JobGraph> {
        let max = MaxParallelism::new(128).unwrap();
        let vertices = vec![Vertex::single(SOURCE, "source", 2, max), Vertex::single(SINK, "sink", 2, max)];
        Arc::new(JobGraph::new(vertices, vec![Edge::all_to_all(SOURCE, SINK)]).unwrap())
    }

    pub(super) fn deploy_all(
        &mut self,
        epoch: LeaderEpoch,
        from: Option<&CheckpointMetadata>,
    ) -> Vec<(TaskAttempt, WriterId)> {
        self.epoch = epoch;
        (0..COUNT).map(|index| self.deploy(index, from)).collect()
    }

    pub(super) fn deploy(&mut self, index: usize, from: Option<&CheckpointMetadata>) -> (TaskAttempt, WriterId) {
        self.next += 1;
        let toy = &mut self.tasks[index];
        toy.attempt = toy.attempt.task.attempt(AttemptId::new(self.next));
        toy.writer = WriterId::new(self.next);
        (toy.runs, toy.files, toy.highest) = (true, 0, None);
        toy.lists.clear();
        toy.barriers.clear();
        if let Some(metadata) = from {
            let operator = metadata.operator(OperatorId::new(toy.attempt.task.vertex.bytes())).unwrap();
            let Some(SubtaskReport::State(stored)) = operator.subtask(toy.attempt.task.subtask).unwrap() else {
                panic!("{:?} has no state", toy.attempt)
            };
            let mut files: Vec<_> = stored
                .handles()
                .filter_map(|handle| match handle.place() {
                    Place::File { root: Root::JobShared, file: FileRef::Ours(name) } => Some(*name),
                    _ => None,
                })
                .collect();
            files.sort();
            toy.lists.insert(metadata.summary().identity.id, files);
        }
        (toy.attempt, toy.writer)
    }

    pub(super) fn kill(&mut self, index: usize) -> TaskAttempt {
        self.tasks[index].runs = false;
        self.tasks[index].attempt
    }

    pub(super) fn runs(&self, index: usize) -> bool {
        self.tasks[index].runs
    }

    /// A message has come; what the tasks say to it.
    pub(super) fn told(
        &mut self,
        to: TaskAttempt,
        message: ToTask,
        store: &mut Store,
        random: &mut Random,
    ) -> Vec<ToCoordinator> {
        let epoch = epoch_of(&message);
        let Some(index) = self.tasks.iter().position(|toy| toy.attempt == to && toy.runs) else { return Vec::new() };
        if epoch != self.epoch {
            return Vec::new();
        }
        let ToTask::Trigger(barrier) = message else { return Vec::new() };
        let mut said = Vec::new();
        said.extend(self.tasks[index].take(&barrier, store, random));
        for behind in 2..COUNT {
            let toy = &mut self.tasks[behind];
            let barriers = toy.barriers.entry(barrier.id()).or_default();
            if toy.runs && barriers.insert(index) && barriers.len() == 2 {
                said.extend(toy.take(&barrier, store, random));
            }
        }
        said
    }
}

impl Toy {
    fn take(&mut self, barrier: &CheckpointBarrier, store: &mut Store, random: &mut Random) -> Option<ToCoordinator> {
        let (id, epoch) = (barrier.id(), barrier.identity.epoch);
        if self.highest.is_some_and(|highest| highest >= id) || random.percent(2) {
            let reason = DeclineReason::Subsumed;
            return Some(ToCoordinator::Decline(Decline::new(epoch, id, self.attempt, reason, "outdated")));
        }
        self.highest = Some(id);
        let base = barrier.base().and_then(|base| self.lists.get(&base)).cloned().unwrap_or_default();
        let reused = &base[base.len().saturating_sub(2)..];
        let mut shared = BTreeMap::new();
        for name in reused {
            shared
                .insert(name.to_string(), SharedFile::Reused(ReusedFile::whole(Root::JobShared, FileRef::Ours(*name))));
        }
        let mut list = reused.to_vec();
        let written = Writer::new(epoch, self.writer).file(self.files);
        self.files += 1;
        store.shared.insert(written);
        let place = Place::File { root: Root::JobShared, file: FileRef::Ours(written) };
        let handle = StateHandle::assume_durable(place, 10, Some(Digest::of(b"file")));
        shared.insert(written.to_string(), SharedFile::Written(handle));
        list.push(written);
        self.lists.insert(id, list);
        let operator = OperatorId::new(self.attempt.task.vertex.bytes());
        let range = MaxParallelism::new(128).unwrap().range_of(self.attempt.task.subtask, 2).unwrap();
        let meta = StateHandle::inline(Bytes::from_static(b"meta"));
        let state =
            KeyedState::Incremental(IncrementalState::new(operator, range, shared.into(), SortedMap::default(), meta));
        let snapshot = TaskSnapshot::new([(operator, SubtaskState::new(vec![state], vec![]))].into());
        Some(ToCoordinator::Acknowledge(Acknowledge::new(epoch, id, self.attempt, self.writer, snapshot)))
    }
}
