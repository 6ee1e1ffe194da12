//! A snapshot of ours.

use ckpt_core::metadata::{CheckpointMetadata, MetadataReader, MetadataSummary, OperatorStatus, OperatorSummary};
use ckpt_core::snapshot::{SavepointFormat, SnapshotKind};
use ckpt_core::state::{Root, StateSize, SubtaskReport};

use super::our_pieces::{of_coordinator, of_subtask};
use super::size::Size;
use super::value::{Counts, Operator};
use super::walk::{MasterState, OperatorHead, SnapshotHead, SubtaskEnd, Walk};
use crate::error::CommandError;
use crate::flink::size::java_long;
use crate::metadata_file::MetadataFile;

/// The version of our metadata that there is.
const VERSION: i32 = 1;

/// All of the file is in memory meanwhile.
pub(super) fn walk(file: &MetadataFile, walk: &mut dyn Walk) -> Result<SnapshotHead, CommandError> {
    let mut read = || -> ckpt_core::Result<SnapshotHead> {
        let metadata = MetadataReader::open(file)?.read_all()?;
        for operator in metadata.operators() {
            walk.operator(operator_head(&operator)?);
            if let Some(handle) = operator.coordinator_state()? {
                let bytes = java_long(handle.length_bytes());
                walk.subtask(None);
                walk.piece(of_coordinator(&handle));
                walk.end_of_subtask(SubtaskEnd { finished: false, state_bytes: bytes, written_bytes: bytes });
            }
            for subtask in operator.subtasks() {
                let (index, report) = subtask?;
                walk.subtask(Some(index));
                let (finished, size) = match &report {
                    SubtaskReport::State(state) => {
                        of_subtask(state, walk);
                        (false, state.size())
                    }
                    _ => (true, StateSize::default()),
                };
                let (state_bytes, written_bytes) = (java_long(size.state_bytes()), java_long(size.written_bytes));
                walk.end_of_subtask(SubtaskEnd { finished, state_bytes, written_bytes });
            }
        }
        tell_master_states(&metadata, &mut |state| walk.master_state(state));
        Ok(snapshot_head(metadata.summary()))
    };
    read().map_err(|source| file.error(source))
}

/// What is known of a snapshot and of each of its operators without looking at any state, so that a file of any size takes
/// little memory. Which files are its own and which are shared is not known then, unless it names none elsewhere.
pub(super) fn summary_without_state(
    file: &MetadataFile,
    tell: &mut dyn FnMut(Operator),
) -> Result<SnapshotHead, CommandError> {
    let mut read = || -> ckpt_core::Result<SnapshotHead> {
        let summary = MetadataSummary::read(file)?;
        tell_operators(&summary, tell)?;
        Ok(snapshot_head(&summary))
    };
    read().map_err(|source| file.error(source))
}

/// The same, and what participants that are no tasks stored, and how many bytes lie in files of its own and in files
/// elsewhere. All of the file is in memory meanwhile, and no more.
pub(super) fn summary_with_places(
    file: &MetadataFile,
    tell: &mut dyn FnMut(Operator),
    tell_master_state: &mut dyn FnMut(MasterState),
) -> Result<(SnapshotHead, FileBytes), CommandError> {
    let mut read = || -> ckpt_core::Result<_> {
        let metadata = MetadataReader::open(file)?.read_all()?;
        tell_operators(metadata.summary(), tell)?;
        tell_master_states(&metadata, tell_master_state);
        let mut bytes = FileBytes { exclusive: 0, shared: 0 };
        metadata.visit_handles(&mut |handle| {
            let sum = match handle.file() {
                None => return,
                Some((Root::ThisSnapshot, _)) => &mut bytes.exclusive,
                Some(_) => &mut bytes.shared,
            };
            *sum = sum.saturating_add(java_long(handle.length_bytes()));
        })?;
        Ok((snapshot_head(metadata.summary()), bytes))
    };
    read().map_err(|source| file.error(source))
}

/// How many bytes lie in files.
pub(super) struct FileBytes {
    /// Of this snapshot's own directory.
    pub(super) exclusive: i64,
    /// Elsewhere.
    pub(super) shared: i64,
}

fn tell_operators(summary: &MetadataSummary, tell: &mut dyn FnMut(Operator)) -> ckpt_core::Result<()> {
    for operator in summary.operators() {
        let totals = operator.totals;
        let file_bytes = java_long(totals.size.file_bytes);
        let shared_bytes = (summary.self_contained || file_bytes == 0).then_some(0);
        let size = Size {
            state_bytes: java_long(totals.size.state_bytes()),
            written_bytes: java_long(totals.size.written_bytes),
            inline_bytes: java_long(totals.size.inline_bytes),
            exclusive_bytes: shared_bytes.map(|_| file_bytes),
            shared_bytes,
        };
        let counts = Counts {
            handles: totals.handles,
            subtasks_with_state: totals.subtasks,
            finished_subtasks: totals.finished_subtasks,
        };
        let coordinator_bytes = operator.coordinator.map(|coordinator| java_long(coordinator.length_bytes));
        tell(Operator { coordinator_bytes, size, counts, ..Operator::of(operator_head(&operator)?) });
    }
    Ok(())
}

fn tell_master_states(metadata: &CheckpointMetadata, tell: &mut dyn FnMut(MasterState)) {
    for (name, state) in metadata.master_states() {
        let (version, length_bytes) = (state.version.into(), state.bytes.len() as u64);
        tell(MasterState { name: name.clone(), version, length_bytes });
    }
}

fn operator_head(operator: &OperatorSummary<'_>) -> ckpt_core::Result<OperatorHead> {
    let declared = operator.descriptors.iter().map(|state| state.map(|state| state.name().to_owned()));
    Ok(OperatorHead {
        id: operator.id.to_string(),
        name: Some(operator.name.to_owned()),
        uid: operator.uid.map(str::to_owned),
        parallelism: operator.parallelism.into(),
        max_parallelism: operator.max_parallelism.get().into(),
        fully_finished: operator.status == OperatorStatus::FullyFinished,
        declared_states: declared.collect::<ckpt_core::Result<_>>()?,
    })
}

/// What the summary says of it.
pub(crate) fn snapshot_head(summary: &MetadataSummary) -> SnapshotHead {
    let savepoint_format = match summary.kind() {
        SnapshotKind::Savepoint { format: SavepointFormat::Native, .. } => Some("native"),
        SnapshotKind::Savepoint { .. } => Some("canonical"),
        _ => None,
    };
    SnapshotHead {
        version: VERSION,
        job: Some(summary.job.to_string()),
        checkpoint_id: summary.identity.id.get(),
        kind: Some(summary.kind().to_string()),
        savepoint_format,
        triggered_at_millis: Some(summary.identity.triggered_at.millis()),
        completed_at_millis: Some(summary.completed_at.millis()),
        self_contained: Some(summary.self_contained),
        places: summary.places.iter().map(|(root, uri)| (root, uri.as_str().to_owned())).collect(),
        trailing_bytes: 0,
        notes: Vec::new(),
    }
}
