//! Tasks and their deployments.

use std::fmt;

use crate::id::{AttemptId, VertexId};

/// One parallel instance of a vertex.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an identity is all of its parts")]
pub struct TaskId {
    /// The vertex.
    pub vertex: VertexId,
    /// Its index, from 0 to the vertex's parallelism exclusive.
    pub subtask: u32,
}

/// One deployment of a task. A message of a former attempt is told from one of the present by it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an identity is all of its parts")]
pub struct TaskAttempt {
    /// The task.
    pub task: TaskId,
    /// Which deployment of it.
    pub attempt: AttemptId,
}

impl TaskId {
    /// The instance of that vertex with that index.
    pub const fn new(vertex: VertexId, subtask: u32) -> Self {
        Self { vertex, subtask }
    }

    /// This task, deployed as that attempt.
    pub const fn attempt(self, attempt: AttemptId) -> TaskAttempt {
        TaskAttempt { task: self, attempt }
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.vertex, self.subtask)
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for TaskAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.task, self.attempt)
    }
}

impl fmt::Debug for TaskAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
