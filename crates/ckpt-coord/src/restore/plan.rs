//! From a completed checkpoint to the state of every task.

use std::collections::{BTreeMap, BTreeSet};

use ckpt_core::Result;
use ckpt_core::graph::JobGraph;
use ckpt_core::id::{LeaderEpoch, OperatorId, TaskAttempt, TaskId, Writer, WriterId};
use ckpt_core::key_group::MaxParallelism;
use ckpt_core::metadata::{CheckpointMetadata, OperatorMetadata, OperatorStatus};
use ckpt_core::state::{OperatorRestore, SubtaskReport, SubtaskState, SubtaskStateParts, TaskRestore};

use crate::restore::error::RestoreError;
use crate::restore::redistribute;

/// What each deployed task begins with: nothing when `from` is `None`, otherwise its share of that snapshot. In the order
/// of `deployments`.
///
/// # Errors
///
/// `Configuration` when the deployments are not each task of the graph once, or the graph does not fit the snapshot: an
/// operator with state is missing, has another maximum parallelism, or had finished subtasks, which cannot be deployed as
/// such.
pub fn plan(
    graph: &JobGraph,
    from: Option<&CheckpointMetadata>,
    epoch: LeaderEpoch,
    deployments: &[(TaskAttempt, WriterId)],
) -> Result<Vec<TaskRestore>> {
    check_deployments(graph, deployments)?;
    let mut shares = match from {
        Some(metadata) => assign(graph, metadata)?,
        None => BTreeMap::new(),
    };
    let restores = deployments.iter().map(|&(attempt, writer)| {
        let mut restore = TaskRestore::fresh(attempt, Writer::new(epoch, writer));
        if let Some(metadata) = from {
            restore.from = Some(metadata.summary().identity.id);
            restore.places = metadata.summary().places.clone();
            restore.operators = shares.remove(&attempt.task).unwrap_or_default();
        }
        restore
    });
    Ok(restores.collect())
}

fn check_deployments(graph: &JobGraph, deployments: &[(TaskAttempt, WriterId)]) -> Result<(), RestoreError> {
    let expected: BTreeSet<TaskId> = graph.tasks().collect();
    let mut deployed = BTreeSet::new();
    for (attempt, _) in deployments {
        if !expected.contains(&attempt.task) {
            return Err(RestoreError::NoSuchTask(attempt.task));
        }
        if !deployed.insert(attempt.task) {
            return Err(RestoreError::DeployedTwice(attempt.task));
        }
    }
    let mut missing = expected.difference(&deployed);
    match missing.next() {
        Some(&first) => {
            Err(RestoreError::NotDeployed { missing: missing.count() + 1, expected: expected.len(), first })
        }
        None => Ok(()),
    }
}

/// The state of every task, by operator; what has none is absent.
fn assign(
    graph: &JobGraph,
    metadata: &CheckpointMetadata,
) -> Result<BTreeMap<TaskId, BTreeMap<OperatorId, OperatorRestore>>> {
    let checkpoint = metadata.summary().identity.id;
    let mut shares: BTreeMap<TaskId, BTreeMap<OperatorId, OperatorRestore>> = BTreeMap::new();
    for stored in metadata.operators() {
        let operator = stored.id;
        let name = || stored.name.to_owned();
        // Its user-defined identity comes before the generated one, and only one of the two is looked under.
        let heir = graph.operator(operator);
        let heir = heir.filter(|heir| heir.ids().find(|id| metadata.operator(*id).is_some()) == Some(operator));
        let Some((vertex, heir)) = graph.vertex_of(operator).zip(heir) else {
            if stored.totals.handles == 0 {
                continue;
            }
            return Err(RestoreError::NoSuchOperator { checkpoint, operator, name: name() }.into());
        };
        let (given, max) = (vertex.max_parallelism, stored.max_parallelism);
        if given != max {
            return Err(RestoreError::MaxParallelism { checkpoint, operator, name: name(), stored: max, given }.into());
        }
        if stored.status != OperatorStatus::Running || stored.totals.finished_subtasks > 0 {
            return Err(RestoreError::Finished { checkpoint, operator, name: name() }.into());
        }
        let stored = StoredOperator::decode(&stored)?;
        for (subtask, state) in share_out(&stored, vertex.parallelism, max)? {
            if !state.is_empty() {
                let key_groups = max.range_of(subtask, vertex.parallelism)?;
                let task = TaskId::new(vertex.id, subtask);
                shares.entry(task).or_default().insert(heir.id, OperatorRestore::new(key_groups, state));
            }
        }
    }
    Ok(shares)
}

/// The state of one operator at the new parallelism, by new subtask.
fn share_out(stored: &StoredOperator, parallelism: u32, max: MaxParallelism) -> Result<BTreeMap<u32, SubtaskState>> {
    let same = stored.parallelism == parallelism;
    let mut shares: BTreeMap<u32, SubtaskStateParts> = BTreeMap::new();
    for (&subtask, state) in &stored.subtasks {
        for keyed in state.keyed() {
            let range = keyed.range();
            let heirs = if same {
                subtask..=subtask
            } else {
                max.subtask_of(range.first(), parallelism)?..=max.subtask_of(range.last(), parallelism)?
            };
            for heir in heirs {
                shares.entry(heir).or_default().keyed.push(keyed.clone());
            }
        }
    }
    if same && !redistribute::is_needed(stored) {
        for (&subtask, state) in &stored.subtasks {
            shares.entry(subtask).or_default().operator = state.operator().to_vec();
        }
    } else {
        for (subtask, operator) in redistribute::operator_state(stored, parallelism)? {
            shares.entry(subtask).or_default().operator = operator;
        }
    }
    Ok(shares.into_iter().map(|(subtask, parts)| (subtask, parts.into())).collect())
}

/// The state of one operator in a snapshot. That it fits the operator was checked when the snapshot was read.
#[derive(Debug)]
pub(super) struct StoredOperator {
    pub(super) parallelism: u32,
    pub(super) subtasks: BTreeMap<u32, SubtaskState>,
}

impl StoredOperator {
    fn decode(operator: &OperatorMetadata<'_>) -> Result<Self> {
        let mut subtasks = BTreeMap::new();
        for stored in operator.subtasks() {
            if let (subtask, SubtaskReport::State(state)) = stored? {
                subtasks.insert(subtask, state);
            }
        }
        Ok(Self { parallelism: operator.parallelism, subtasks })
    }
}

#[cfg(test)]
#[path = "plan_test.rs"]
mod tests;
