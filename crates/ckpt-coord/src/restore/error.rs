//! Why a snapshot cannot be restored into a graph.

use ckpt_core::id::{CheckpointId, OperatorId, TaskId};
use ckpt_core::key_group::MaxParallelism;
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
    #[error(
        "operator '{name}' ({operator}) had finished subtasks in checkpoint {checkpoint}, and tasks cannot be deployed as \
         finished"
    )]
    Finished { checkpoint: CheckpointId, operator: OperatorId, name: String },
}

impl From<RestoreError> for Error {
    fn from(error: RestoreError) -> Self {
        Self::new(ErrorKind::Configuration, error)
    }
}
