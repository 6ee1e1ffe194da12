//! Which tasks run.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use ckpt_core::graph::{JobGraph, Vertex};
use ckpt_core::id::{TaskAttempt, TaskId, WriterId};

use crate::coordinator::reason::DeploymentRefusal;

/// Every task of the job by a dense index, and what is known of it.
#[derive(Debug)]
pub(super) struct Tasks {
    graph: Arc<JobGraph>,
    tasks: Vec<Task>,
}

#[derive(Debug)]
struct Task {
    id: TaskId,
    /// The place of its vertex in the graph.
    vertex: usize,
    /// The tasks it reads from, one run for each edge.
    inputs: Vec<Range<usize>>,
    state: TaskState,
    /// The latest attempt that is known.
    attempt: Option<TaskAttempt>,
}

/// What is known of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TaskState {
    /// Nobody has said that it runs, under this leader or since tasks were last restored.
    NotDeployed,
    Running(TaskAttempt, WriterId),
    Lost,
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
        let mut tasks = Vec::with_capacity(graph.task_count());
        for (position, vertex) in graph.vertices().iter().enumerate() {
            for task in vertex.tasks() {
                // What comes back over a feedback edge comes from behind, so a checkpoint does not wait for it.
                let edges = graph.inputs(vertex.id).filter(|edge| !edge.is_feedback());
                let inputs = edges
                    .filter_map(|edge| {
                        let first = graph.task_index(TaskId::new(edge.from, 0))?;
                        let read = graph.producers(edge, task.subtask);
                        Some(first + read.start as usize..first + read.end as usize)
                    })
                    .collect();
                tasks.push(Task { id: task, vertex: position, inputs, state: TaskState::NotDeployed, attempt: None });
            }
        }
        Self { graph, tasks }
    }

    pub(super) fn graph(&self) -> &JobGraph {
        &self.graph
    }

    pub(super) fn index_of(&self, task: TaskId) -> Option<usize> {
        self.graph.task_index(task)
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

    /// Notes which tasks run: all of them, or none. No writer may name files again after it `has_ended`.
    pub(super) fn deploy(
        &mut self,
        attempts: &[(TaskAttempt, WriterId)],
        has_ended: impl Fn(WriterId) -> bool,
    ) -> Result<(), DeploymentRefusal> {
        let mut deployed = BTreeSet::new();
        for &(attempt, writer) in attempts {
            let task = self.index_of(attempt.task).map(|index| &self.tasks[index]);
            let task = task.ok_or(DeploymentRefusal::NoSuchTask(attempt.task))?;
            if !deployed.insert(attempt.task) {
                return Err(DeploymentRefusal::DeployedTwice(attempt.task));
            }
            match task.attempt {
                _ if task.state == TaskState::Running(attempt, writer) => continue,
                Some(former) if former == attempt => return Err(DeploymentRefusal::AttemptAgain(attempt)),
                Some(former) if task.state != TaskState::NotDeployed => {
                    return Err(DeploymentRefusal::NotRestored { attempt, former });
                }
                _ => {}
            }
            if has_ended(writer) {
                return Err(DeploymentRefusal::WriterAgain { attempt, writer });
            }
        }
        for &(attempt, writer) in attempts {
            if let Some(index) = self.index_of(attempt.task) {
                let task = &mut self.tasks[index];
                (task.state, task.attempt) = (TaskState::Running(attempt, writer), Some(attempt));
            }
        }
        Ok(())
    }

    /// No task runs any more, and all may be deployed again.
    pub(super) fn forget_deployment(&mut self) {
        for task in &mut self.tasks {
            task.state = TaskState::NotDeployed;
        }
    }

    /// Whether a checkpoint can be taken: no task is missing, and one at least runs.
    pub(super) fn ready(&self) -> bool {
        let is_running = |task: &Task| matches!(task.state, TaskState::Running(..));
        let is_missing = |task: &Task| matches!(task.state, TaskState::NotDeployed | TaskState::Lost);
        !self.tasks.iter().any(is_missing) && self.tasks.iter().any(is_running)
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

#[cfg(test)]
#[path = "tasks_test.rs"]
mod tests;
