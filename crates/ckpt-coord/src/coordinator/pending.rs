//! A checkpoint that is being taken.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ckpt_core::graph::{Operator, Vertex};
use ckpt_core::head::{Claim, RetainedSnapshot};
use ckpt_core::id::{CheckpointId, JobId, TaskAttempt, TaskId, WriterId};
use ckpt_core::metadata::{CheckpointDescription, CheckpointMetadata, OperatorDescription};
use ckpt_core::snapshot::{CheckpointIdentity, CheckpointProperties, CheckpointType, RetentionPolicy, SnapshotKind};
use ckpt_core::state::{Place, Places, Root, StateHandle, SubtaskReport, TaskSnapshot};
use ckpt_core::{Monotonic, Result, Timestamp};

use crate::coordinator::ReplyToken;
use crate::coordinator::tasks::{Plan, TaskState, Tasks};

/// A checkpoint that is being taken.
#[derive(Debug)]
pub(super) struct PendingCheckpoint {
    pub(super) identity: CheckpointIdentity,
    pub(super) kind: SnapshotKind,
    pub(super) started: Monotonic,
    pub(super) deadline: Monotonic,
    /// Where it begins.
    pub(super) trigger: Vec<TaskAttempt>,
    pub(super) stage: Stage,
    pub(super) reply: Option<ReplyToken>,
    /// By task index.
    parts: Vec<Part>,
    outstanding: usize,
}

/// How far it has come.
#[derive(Debug)]
pub(super) enum Stage {
    /// Its place is being made; no task knows of it.
    Initializing,
    /// Tasks take their parts.
    Acknowledging,
    /// All have; `_metadata` is being published.
    Publishing(Arc<CheckpointMetadata>),
    /// `_metadata` is published; HEAD is not written yet.
    Published(Arc<CheckpointMetadata>, RetainedSnapshot),
    /// HEAD is being written: nothing aborts it any more.
    Committing(Arc<CheckpointMetadata>),
}

/// What one task has to do with it.
#[derive(Debug)]
enum Part {
    /// It is expected to acknowledge.
    Expected(TaskAttempt, WriterId),
    /// It has acknowledged that.
    Acknowledged(TaskAttempt, TaskSnapshot),
    /// It had finished: its state is what it was.
    Finished(TaskSnapshot),
}

/// What an acknowledgement was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Acknowledged {
    First,
    Again,
    Conflicting,
}

impl PendingCheckpoint {
    /// A checkpoint in which those take part; `finished` says what state a task has that takes part no more.
    pub(super) fn new(
        identity: CheckpointIdentity,
        kind: SnapshotKind,
        (started, deadline): (Monotonic, Monotonic),
        plan: Plan,
        mut finished: BTreeMap<usize, TaskSnapshot>,
        reply: Option<ReplyToken>,
    ) -> Self {
        let mut outstanding = 0;
        let parts = plan.states.into_iter().enumerate().map(|(index, state)| match state {
            TaskState::Running(attempt, writer) => {
                outstanding += 1;
                Part::Expected(attempt, writer)
            }
            TaskState::Finished | TaskState::NotDeployed | TaskState::Lost => {
                Part::Finished(finished.remove(&index).unwrap_or_default())
            }
        });
        let parts = parts.collect();
        let (stage, trigger) = (Stage::Initializing, plan.trigger);
        Self { identity, kind, started, deadline, trigger, stage, reply, parts, outstanding }
    }

    pub(super) const fn id(&self) -> CheckpointId {
        self.identity.id
    }

    /// How many tasks have not acknowledged.
    pub(super) const fn outstanding(&self) -> usize {
        self.outstanding
    }

    pub(super) const fn is_committing(&self) -> bool {
        matches!(self.stage, Stage::Committing(_))
    }

    /// The writer under which that attempt takes part; `None` when it does not.
    pub(super) fn takes_part(&self, index: usize, attempt: TaskAttempt) -> bool {
        match self.parts.get(index) {
            Some(Part::Expected(expected, _) | Part::Acknowledged(expected, _)) => *expected == attempt,
            _ => false,
        }
    }

    /// The writer of an attempt that is still waited for.
    pub(super) fn waits_for(&self, index: usize, attempt: TaskAttempt) -> Option<WriterId> {
        match self.parts.get(index) {
            Some(Part::Expected(expected, writer)) if *expected == attempt => Some(*writer),
            _ => None,
        }
    }

    /// Takes an acknowledgement of someone who [takes part](Self::takes_part).
    pub(super) fn acknowledge(&mut self, index: usize, attempt: TaskAttempt, snapshot: TaskSnapshot) -> Acknowledged {
        match &mut self.parts[index] {
            part @ Part::Expected(..) => {
                *part = Part::Acknowledged(attempt, snapshot);
                self.outstanding -= 1;
                Acknowledged::First
            }
            Part::Acknowledged(_, first) if *first == snapshot => Acknowledged::Again,
            Part::Acknowledged(..) | Part::Finished(_) => Acknowledged::Conflicting,
        }
    }

    /// Everyone who takes part.
    pub(super) fn participants(&self) -> impl Iterator<Item = TaskAttempt> {
        self.parts.iter().filter_map(|part| match part {
            Part::Expected(attempt, _) | Part::Acknowledged(attempt, _) => Some(*attempt),
            Part::Finished(_) => None,
        })
    }

    /// Where the claimed roots lie that its state names: no others, since HEAD keeps a claim as long as a snapshot names it.
    fn places(&self, claims: &[Claim]) -> Result<Places> {
        if claims.is_empty() {
            return Ok(Places::none());
        }
        let mut named = BTreeSet::new();
        for state in self.parts.iter().filter_map(Part::snapshot).flat_map(|snapshot| snapshot.operators().values()) {
            named.extend(state.handles().filter_map(|handle| handle.place().file()).map(|(root, _)| root));
        }
        let places = claims.iter().map(|claim| (Root::Claimed(claim.id), claim.uri.clone()));
        Places::new(places.filter(|(root, _)| named.contains(root)).collect())
    }

    /// The metadata of it, complete. Its state is given up, since the metadata holds it in the form in which it is stored.
    pub(super) fn take_metadata(
        &mut self,
        (job, claims): (JobId, &[Claim]),
        tasks: &Tasks,
        (retention, now): (RetentionPolicy, Timestamp),
    ) -> Result<CheckpointMetadata> {
        debug_assert_eq!(self.outstanding, 0);
        let mut operators: Vec<(&Vertex, &Operator)> = Vec::new();
        for vertex in tasks.graph().vertices() {
            operators.extend(vertex.operators.iter().map(|operator| (vertex, operator)));
        }
        operators.sort_unstable_by_key(|(_, operator)| operator.id);
        let properties = match self.kind {
            SnapshotKind::FullCheckpoint => {
                CheckpointProperties::checkpoint(retention).requested_as(CheckpointType::Full)
            }
            _ => CheckpointProperties::checkpoint(retention),
        };
        let mut description = CheckpointDescription::new(job, self.identity, properties);
        description.graph_digest = Some(tasks.graph().digest());
        description.places = self.places(claims)?;
        let mut builder = CheckpointMetadata::builder(description)?;
        for (vertex, operator) in operators {
            let mut encoder = builder.operator(&OperatorDescription::of(vertex, operator))?;
            // The tasks of a vertex stand one behind the other.
            let first = tasks.index_of(TaskId::new(vertex.id, 0)).unwrap_or(self.parts.len());
            for (subtask, part) in (0..vertex.parallelism).zip(self.parts.iter().skip(first)) {
                let Some(snapshot) = part.snapshot() else { continue };
                if let Some(state) = snapshot.operators().get(&operator.id).filter(|state| !state.is_empty()) {
                    encoder.subtask(subtask, state)?;
                }
            }
        }
        for part in &mut self.parts {
            if let Part::Acknowledged(_, snapshot) | Part::Finished(snapshot) = part {
                *snapshot = TaskSnapshot::default();
            }
        }
        builder.finish(now)
    }
}

impl Part {
    const fn snapshot(&self) -> Option<&TaskSnapshot> {
        match self {
            Self::Acknowledged(_, snapshot) | Self::Finished(snapshot) => Some(snapshot),
            Self::Expected(..) => None,
        }
    }
}

/// What a task that has finished contributes to a later checkpoint: the state it had in `newest`, so that a restore
/// finds it at its end. `None` when it is a source whose state goes with `newest`: started without it, it would read
/// everything again. A task that is no source loses such state: its inputs have ended, nothing comes that needs it.
pub(super) fn state_of_finished(newest: &CheckpointMetadata, tasks: &Tasks, index: usize) -> Option<TaskSnapshot> {
    let subtask = tasks.id(index).subtask;
    let mut operators = Vec::new();
    for operator in &tasks.vertex(index).operators {
        let stored = newest.operator(operator.id).map(|operator| operator.subtask(subtask));
        // What cannot be decoded cannot be named again either.
        let Some(SubtaskReport::State(state)) = stored.transpose().ok()?.flatten() else { continue };
        if !state.handles().any(|handle| is_exclusive(handle) || is_borrowed(handle)) {
            operators.push((operator.id, state));
        } else if tasks.is_source(index) {
            return None;
        }
    }
    Some(TaskSnapshot::new(operators.into_iter().collect()).finished())
}

/// Whether the bytes are somebody else's, which no checkpoint of the job names.
fn is_borrowed(handle: &StateHandle) -> bool {
    handle.place().file().is_some_and(|(root, _)| matches!(root, Root::Borrowed(_)))
}

/// Whether the bytes go with the checkpoint that names them.
pub(super) fn is_exclusive(handle: &StateHandle) -> bool {
    matches!(
        handle.place(),
        Place::File { root: Root::ThisSnapshot, .. } | Place::Segment { root: Root::ThisSnapshot, .. }
    )
}
