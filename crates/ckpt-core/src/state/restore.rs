//! What a task is given at its deployment.

use std::collections::BTreeMap;

use crate::id::{CheckpointId, OperatorId, TaskAttempt, Writer};
use crate::key_group::KeyGroupRange;
use crate::state::{InFlightRescaling, Places, SubtaskState};

/// What a task is given at its deployment: who it is, under which leader it writes, and the state it begins with (Flink's
/// `JobManagerTaskRestore`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskRestore {
    /// The task and this deployment of it.
    pub attempt: TaskAttempt,
    /// Its leader's epoch and the number under which it names files.
    pub writer: Writer,
    /// The snapshot that it begins from; `None` at the very first start.
    pub from: Option<CheckpointId>,
    /// Where the claimed and borrowed roots of the handles lie. [`Root::ThisSnapshot`](crate::state::Root::ThisSnapshot)
    /// is the directory of `from`.
    pub places: Places,
    /// The state of each operator; one without state is absent.
    pub operators: BTreeMap<OperatorId, OperatorRestore>,
    /// How data in flight, which is part of the operators' state, is handed on where the parallelism changed.
    pub in_flight: InFlightRescaling,
    /// Whether all its operators had come to their end in `from`: it reads nothing, and takes its part in checkpoints by
    /// [`TaskSnapshot::finished_on_restore`](crate::state::TaskSnapshot::finished_on_restore).
    pub finished: bool,
}

/// The state that one operator of one subtask begins with.
///
/// After a change of parallelism the handles may hold more than belongs to the subtask: read only the key groups of
/// `key_groups`, and of operator state only the partitions that are named.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperatorRestore {
    /// The key groups that the subtask owns now.
    pub key_groups: KeyGroupRange,
    /// Keyed and operator state, from one or several former subtasks.
    pub state: SubtaskState,
}

impl TaskRestore {
    /// A start without state.
    pub fn fresh(attempt: TaskAttempt, writer: Writer) -> Self {
        Self {
            attempt,
            writer,
            from: None,
            places: Places::none(),
            operators: BTreeMap::new(),
            in_flight: InFlightRescaling::default(),
            finished: false,
        }
    }
}

impl OperatorRestore {
    /// That state, of which those key groups count.
    pub const fn new(key_groups: KeyGroupRange, state: SubtaskState) -> Self {
        Self { key_groups, state }
    }
}
