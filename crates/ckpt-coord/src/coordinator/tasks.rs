//! Which tasks run.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use ckpt_core::graph::{Distribution, JobGraph, Vertex};
use ckpt_core::id::{TaskAttempt, TaskId, WriterId};

/// Every task of the job by a dense index, and what is known of it.
#[derive(Debug)]
pub(super) struct Tasks {
    graph: Arc<JobGraph>,
    tasks: Vec<Task>,
    index: BTreeMap<TaskId, usize>,
}

#[derive(Debug)]
struct Task {
    id: TaskId,
    /// The place of its vertex in the graph.
    vertex: usize,
    /// The tasks it reads from, one run for each edge.
    inputs: Vec<Range<usize>>,
    state: TaskState,
}

/// What is known of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TaskState {
    NotRunning,
    Running(TaskAttempt, WriterId),
    Finished,
}

/// Who takes part in a checkpoint.
#[derive(Debug)]
pub(super) struct Plan {
    /// Those at which it begins: running tasks that read from no running task.
    pub(super) trigger: Vec<TaskAttempt>,
    /// By task index, what each was when it began.
    pub(super) states: Vec<TaskState>,
}

impl Tasks {
    pub(super) fn new(graph: Arc<JobGraph>) -> Self {
        let mut first_of = BTreeMap::new();
        let mut count = 0;
        for vertex in graph.vertices() {
            first_of.insert(vertex.id, count);
            count += vertex.parallelism as usize;
        }
        let mut tasks = Vec::with_capacity(count);
        for (position, vertex) in graph.vertices().iter().enumerate() {
            for task in vertex.tasks() {
                let edges = graph.edges().iter().filter(|edge| edge.to == vertex.id);
                let inputs = edges
                    .filter_map(|edge| {
                        let (from, first) = (graph.vertex(edge.from)?, *first_of.get(&edge.from)?);
                        let read = match edge.distribution {
                            Distribution::Pointwise => counterparts(task.subtask, vertex, from),
                            _ => 0..from.parallelism as usize,
                        };
                        Some(first + read.start..first + read.end)
                    })
                    .collect();
                tasks.push(Task { id: task, vertex: position, inputs, state: TaskState::NotRunning });
            }
        }
        let index = tasks.iter().enumerate().map(|(index, task)| (task.id, index)).collect();
        Self { graph, tasks, index }
    }

    pub(super) fn graph(&self) -> &JobGraph {
        &self.graph
    }

    pub(super) fn index_of(&self, task: TaskId) -> Option<usize> {
        self.index.get(&task).copied()
    }

    pub(super) fn id(&self, index: usize) -> TaskId {
        self.tasks[index].id
    }

    pub(super) fn vertex(&self, index: usize) -> &Vertex {
        &self.graph.vertices()[self.tasks[index].vertex]
    }

    /// Whether no task writes to it.
    pub(super) fn is_source(&self, index: usize) -> bool {
        self.tasks[index].inputs.is_empty()
    }

    /// Whether that deployment is the one that runs.
    pub(super) fn runs(&self, attempt: TaskAttempt) -> bool {
        self.state_of(attempt.task).is_some_and(|state| matches!(state, TaskState::Running(it, _) if it == attempt))
    }

    pub(super) fn state_of(&self, task: TaskId) -> Option<TaskState> {
        Some(self.tasks[self.index_of(task)?].state)
    }

    /// Notes the state of a task and returns its former one; `None` when the job has no such task.
    pub(super) fn set(&mut self, task: TaskId, state: TaskState) -> Option<TaskState> {
        let index = self.index_of(task)?;
        Some(std::mem::replace(&mut self.tasks[index].state, state))
    }

    /// Whether a checkpoint can be taken: no task is missing, and one at least runs.
    pub(super) fn ready(&self) -> bool {
        let is_running = |task: &Task| matches!(task.state, TaskState::Running(..));
        self.tasks.iter().all(|task| task.state != TaskState::NotRunning) && self.tasks.iter().any(is_running)
    }

    /// Who takes part in a checkpoint that begins now; `None` when none can be taken.
    pub(super) fn plan(&self) -> Option<Plan> {
        if !self.ready() {
            return None;
        }
        // running_before[i]: how many of the tasks before i run, so that a run of inputs is looked at in one step.
        let mut running_before = Vec::with_capacity(self.tasks.len() + 1);
        let mut running = 0_usize;
        running_before.push(0);
        for task in &self.tasks {
            running += usize::from(matches!(task.state, TaskState::Running(..)));
            running_before.push(running);
        }
        let reads_nothing =
            |task: &Task| task.inputs.iter().all(|inputs| running_before[inputs.start] == running_before[inputs.end]);
        let trigger = self.tasks.iter().filter(|task| reads_nothing(task)).filter_map(|task| match task.state {
            TaskState::Running(attempt, _) => Some(attempt),
            _ => None,
        });
        Some(Plan { trigger: trigger.collect(), states: self.tasks.iter().map(|task| task.state).collect() })
    }
}

/// The subtasks of `from` that a subtask of `to` reads from over a pointwise edge.
fn counterparts(subtask: u32, to: &Vertex, from: &Vertex) -> Range<usize> {
    // Parallelisms are at most 2^15, so the products fit.
    let (subtask, to, from) = (subtask as usize, to.parallelism as usize, from.parallelism as usize);
    let start = subtask * from / to;
    start..((subtask + 1) * from / to).max(start + 1)
}

#[cfg(test)]
#[path = "tasks_test.rs"]
mod tests;
