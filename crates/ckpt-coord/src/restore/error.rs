//! Why a snapshot cannot be restored into a graph.

use ckpt_core::id::{CheckpointId, OperatorId, TaskId};
use ckpt_core::key_group::{KeyGroupRange, MaxParallelism};
use ckpt_core::{Error, ErrorKind};

/// Why a snapshot cannot be restored into a graph.
#[derive(Debug, thiserror::Error)]
pub(super) enum RestoreError {
    #[error("task {0} is deployed, but the job graph has no such task")]
    NoSuchTask(TaskId),
    #[error("task {0} is deployed twice")]
    DeployedTwice(TaskId),
    #[error("{missing} of the {expected} tasks of the job graph are not deployed, the first of them {first}")]
    NotDeployed { missing: usize, expected: usize, first: TaskId },
    #[error("checkpoint {checkpoint} holds state of operator '{name}' ({operator}), which is not in the job graph")]
    NoSuchOperator { checkpoint: CheckpointId, operator: OperatorId, name: String },
    #[error(
        "operator '{name}' ({operator}) has maximum parallelism {given} in the job graph, but its state in checkpoint \
         {checkpoint} was stored with {stored}: it can never change"
    )]
    MaxParallelism {
        checkpoint: CheckpointId,
        operator: OperatorId,
        name: String,
        stored: MaxParallelism,
        given: MaxParallelism,
    },
    #[error("checkpoint {checkpoint} contradicts itself about operator '{name}' ({operator})")]
    Contradiction {
        checkpoint: CheckpointId,
        operator: OperatorId,
        name: String,
        #[source]
        contradiction: Contradiction,
    },
}

/// What a snapshot says that cannot be.
#[derive(Debug, thiserror::Error)]
pub(super) enum Contradiction {
    #[error("its parallelism is {parallelism}, expected from 1 to its maximum, {max}")]
    Parallelism { parallelism: u32, max: MaxParallelism },
    #[error("it has state of subtask {subtask}, but only {parallelism} subtasks")]
    Subtask { subtask: u32, parallelism: u32 },
    #[error("subtask {subtask} holds key groups {found}, expected none outside of {expected}")]
    KeyGroups { subtask: u32, found: KeyGroupRange, expected: KeyGroupRange },
    #[error("a partition of state '{state}' of subtask {subtask} ends at byte {end} of a piece of {length}")]
    Partition { subtask: u32, state: String, end: u64, length: u64 },
}

impl From<RestoreError> for Error {
    fn from(error: RestoreError) -> Self {
        let kind = match error {
            RestoreError::Contradiction { .. } => ErrorKind::Corrupt,
            _ => ErrorKind::Configuration,
        };
        Self::new(kind, error)
    }
}
