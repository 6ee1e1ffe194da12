//! What one task contributes to a snapshot.

use crate::id::OperatorId;
use crate::state::{ReusedFile, SortedMap, StateHandle, StatePiece, StateSize, SubtaskState};

/// What one task contributes to a snapshot: the state of each operator of its chain, and whether it had come to its end
/// (Flink's `TaskStateSnapshot`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskSnapshot<H = StateHandle> {
    operators: SortedMap<OperatorId, SubtaskState<H>>,
    size: StateSize,
    progress: TaskProgress,
}

/// How far a task had come when it took its part of a snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a restore must know each of them; the compiler shall say so")]
pub enum TaskProgress {
    /// More was to come.
    #[default]
    Running,
    /// All its operators had come to their end.
    Finished,
    /// It was deployed with nothing left to do, since they had come to it in the snapshot it began from.
    FinishedOnRestore,
}

impl<H> Default for TaskSnapshot<H> {
    fn default() -> Self {
        Self::new(SortedMap::default())
    }
}

impl<H> TaskSnapshot<H> {
    /// The state of those operators; one without state may be absent.
    pub fn new(operators: SortedMap<OperatorId, SubtaskState<H>>) -> Self {
        let size = operators.values().map(SubtaskState::size).sum();
        Self { operators, size, progress: TaskProgress::Running }
    }

    /// The same snapshot, of a task that had come to its end.
    #[must_use]
    pub fn finished(mut self) -> Self {
        if self.progress == TaskProgress::Running {
            self.progress = TaskProgress::Finished;
        }
        self
    }

    /// That of a task that was deployed with nothing left to do (Flink's `FINISHED_ON_RESTORE`).
    pub fn finished_on_restore() -> Self {
        Self { progress: TaskProgress::FinishedOnRestore, ..Self::default() }
    }

    /// How far the task had come.
    pub const fn progress(&self) -> TaskProgress {
        self.progress
    }

    /// Whether the task had come to its end, now or before it was deployed.
    pub const fn is_finished(&self) -> bool {
        !matches!(self.progress, TaskProgress::Running)
    }

    /// Whether a restore must know of it: it has state, or (as in Flink) the task was deployed with nothing left to do.
    pub fn has_state(&self) -> bool {
        matches!(self.progress, TaskProgress::FinishedOnRestore)
            || self.operators.values().any(|state| !state.is_empty())
    }

    /// The state, by operator.
    pub const fn operators(&self) -> &SortedMap<OperatorId, SubtaskState<H>> {
        &self.operators
    }

    /// The state, by operator, to be moved elsewhere.
    pub fn into_operators(self) -> SortedMap<OperatorId, SubtaskState<H>> {
        self.operators
    }

    /// How much it is; added up once, when the snapshot was made.
    pub const fn size(&self) -> StateSize {
        self.size
    }

    /// Every handle in it.
    pub fn handles(&self) -> impl Iterator<Item = &H> {
        self.operators.values().flat_map(SubtaskState::handles)
    }

    /// Files that are named again and whose handles only the coordinator knows.
    pub fn reused(&self) -> impl Iterator<Item = &ReusedFile> {
        self.operators.values().flat_map(SubtaskState::reused)
    }

    /// The same snapshot with every handle replaced.
    ///
    /// # Errors
    ///
    /// The first error of `map`.
    pub fn try_map_handles<T: StatePiece, E>(
        self,
        map: &mut dyn FnMut(H) -> Result<T, E>,
    ) -> Result<TaskSnapshot<T>, E> {
        let operators = self.operators.try_map_values(|state| state.try_map_handles(map))?;
        Ok(TaskSnapshot { progress: self.progress, ..TaskSnapshot::new(operators) })
    }

    /// The same snapshot with the handle of each reused file filled in. What counts as written stays.
    ///
    /// # Errors
    ///
    /// The first error of `handle_of`.
    pub fn try_fill_in<E>(self, handle_of: &mut dyn FnMut(&ReusedFile) -> Result<H, E>) -> Result<Self, E>
    where
        H: StatePiece,
    {
        let operators = self.operators.try_map_values(|state| state.try_fill_in(handle_of))?;
        Ok(Self { progress: self.progress, ..Self::new(operators) })
    }
}
