//! A snapshot as it is shown.

use std::time::UNIX_EPOCH;

use serde::Serialize;

use super::piece::{Piece, StateKind, root_name};
use super::size::Size;
use super::summary_without_state;
use super::walk::{OperatorHead, SnapshotHead, SubtaskHead, Walk, walk};
use crate::error::CommandError;
use crate::metadata_file::{MetadataFile, MetadataFormat};
use crate::time::rfc3339;

/// How much of a snapshot is asked for; each holds those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Detail {
    Summary,
    Operators,
    Subtasks,
    Handles,
}

/// One snapshot.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Snapshot {
    /// The directory.
    pub(crate) path: String,
    pub(crate) metadata_file: String,
    pub(crate) format: MetadataFormat,
    pub(crate) format_version: i32,
    pub(crate) job: Option<String>,
    pub(crate) checkpoint_id: u64,
    pub(crate) kind: Option<String>,
    pub(crate) savepoint_format: Option<&'static str>,
    pub(crate) triggered_at: Option<String>,
    pub(crate) completed_at: Option<String>,
    /// When `_metadata` was written, by the file system.
    pub(crate) modified_at: Option<String>,
    pub(crate) self_contained: Option<bool>,
    pub(crate) metadata_bytes: u64,
    pub(crate) size: Size,
    pub(crate) operator_count: u64,
    #[serde(flatten)]
    pub(crate) counts: Counts,
    pub(crate) trailing_bytes: u64,
    pub(crate) places: Vec<NamedPlace>,
    pub(crate) master_states: Vec<MasterState>,
    pub(crate) notes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) operators: Option<Vec<Operator>>,
}

/// Where claimed or borrowed files lie.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct NamedPlace {
    pub(crate) root: String,
    pub(crate) uri: String,
}

/// What a participant that is no task stored.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MasterState {
    pub(crate) name: String,
    pub(crate) version: i64,
    pub(crate) length_bytes: u64,
}

/// How many there are.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Counts {
    pub(crate) handles: u64,
    pub(crate) subtasks_with_state: u64,
    pub(crate) finished_subtasks: u64,
}

/// One operator.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Operator {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) uid: Option<String>,
    pub(crate) parallelism: i64,
    pub(crate) max_parallelism: i64,
    pub(crate) fully_finished: bool,
    pub(crate) coordinator_bytes: Option<i64>,
    pub(crate) size: Size,
    #[serde(flatten)]
    pub(crate) counts: Counts,
    pub(crate) declared_states: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subtasks: Option<Vec<Subtask>>,
}

/// One subtask of an operator, or its coordinator.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Subtask {
    /// `None` of the coordinator.
    pub(crate) index: Option<u32>,
    pub(crate) finished: bool,
    pub(crate) size: Size,
    pub(crate) handle_count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) handles: Option<Vec<Handle>>,
}

/// One handle.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Handle {
    pub(crate) kind: StateKind,
    pub(crate) role: String,
    pub(crate) key_groups: Option<[i32; 2]>,
    /// The file as the metadata names it; `None` when the bytes lie in the metadata itself.
    pub(crate) file: Option<String>,
    pub(crate) offset_bytes: Option<i64>,
    /// How many bytes the handle names; -1 when Flink did not know.
    pub(crate) length_bytes: i64,
    /// How many of those count as state.
    pub(crate) state_bytes: i64,
    pub(crate) digest: Option<String>,
}

/// Our metadata up to that length is read as a whole for a summary too, which then says where the bytes lie.
const READ_WHOLE_BYTES: u64 = 8 << 20;

/// As much of that snapshot as is asked for.
pub(crate) fn gather(file: &MetadataFile, detail: Detail) -> Result<Snapshot, CommandError> {
    let whole = file.format == MetadataFormat::Flink || file.length_bytes <= READ_WHOLE_BYTES;
    if !whole && detail <= Detail::Operators {
        let (head, operators) = summary_without_state(file)?;
        let mut snapshot = Snapshot::of(file, head, Total::of(&operators));
        snapshot.operators = (detail == Detail::Operators).then_some(operators);
        return Ok(snapshot);
    }
    let mut gathering = Gathering { detail, total: Total::default(), current: None, operators: Vec::new() };
    let head = walk(file, &mut gathering)?;
    gathering.end_operator();
    let mut snapshot = Snapshot::of(file, head, gathering.total);
    snapshot.operators = (detail >= Detail::Operators).then_some(gathering.operators);
    Ok(snapshot)
}

struct Gathering {
    detail: Detail,
    total: Total,
    current: Option<Operator>,
    operators: Vec<Operator>,
}

/// Sums over operators.
struct Total {
    operators: u64,
    size: Size,
    counts: Counts,
}

impl Walk for Gathering {
    fn operator(&mut self, operator: OperatorHead) {
        self.end_operator();
        let subtasks = (self.detail >= Detail::Subtasks).then(Vec::new);
        self.current = Some(Operator { subtasks, ..Operator::of(operator) });
    }

    fn subtask(&mut self, subtask: SubtaskHead, pieces: Vec<Piece>) {
        let Some(operator) = &mut self.current else { return };
        let SubtaskHead { index, finished, state_bytes, written_bytes } = subtask;
        let mut size = Size { state_bytes, written_bytes, ..Size::NONE };
        pieces.iter().for_each(|piece| size.add_place(piece));
        let handle_count = pieces.len() as u64;
        operator.size += size;
        operator.counts.handles += handle_count;
        match index {
            None => operator.coordinator_bytes = Some(state_bytes),
            Some(_) if finished => operator.counts.finished_subtasks += 1,
            Some(_) => operator.counts.subtasks_with_state += 1,
        }
        if let Some(subtasks) = &mut operator.subtasks {
            let handles = (self.detail >= Detail::Handles).then(|| pieces.into_iter().map(Handle::of).collect());
            subtasks.push(Subtask { index, finished, size, handle_count, handles });
        }
    }
}

impl Gathering {
    fn end_operator(&mut self) {
        if let Some(operator) = self.current.take() {
            self.total.add(&operator);
            if self.detail >= Detail::Operators {
                self.operators.push(operator);
            }
        }
    }
}

impl Default for Total {
    fn default() -> Self {
        Self { operators: 0, size: Size::NONE, counts: Counts::default() }
    }
}

impl Total {
    fn of(operators: &[Operator]) -> Self {
        let mut total = Self::default();
        operators.iter().for_each(|operator| total.add(operator));
        total
    }

    fn add(&mut self, operator: &Operator) {
        self.operators += 1;
        self.size += operator.size;
        self.counts.handles += operator.counts.handles;
        self.counts.subtasks_with_state += operator.counts.subtasks_with_state;
        self.counts.finished_subtasks += operator.counts.finished_subtasks;
    }
}

impl Snapshot {
    fn of(file: &MetadataFile, head: SnapshotHead, total: Total) -> Self {
        let modified = file.file.metadata().and_then(|metadata| metadata.modified()).ok();
        let modified = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let places = head.places.into_iter().map(|(root, uri)| NamedPlace { root: root_name(root), uri });
        let masters = head.master_states.into_iter();
        Self {
            path: file.directory.to_string_lossy().into_owned(),
            metadata_file: file.path.to_string_lossy().into_owned(),
            format: file.format,
            format_version: head.version,
            job: head.job,
            checkpoint_id: head.checkpoint_id,
            kind: head.kind,
            savepoint_format: head.savepoint_format,
            triggered_at: head.triggered_at_millis.map(rfc3339),
            completed_at: head.completed_at_millis.map(rfc3339),
            modified_at: modified.map(|time| rfc3339(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))),
            self_contained: head.self_contained,
            metadata_bytes: file.length_bytes,
            size: total.size,
            operator_count: total.operators,
            counts: total.counts,
            trailing_bytes: head.trailing_bytes,
            places: places.collect(),
            master_states: masters
                .map(|(name, version, length_bytes)| MasterState { name, version, length_bytes })
                .collect(),
            notes: head.notes,
            operators: None,
        }
    }
}

impl Operator {
    pub(super) fn of(head: OperatorHead) -> Self {
        Self {
            id: head.id,
            name: head.name,
            uid: head.uid,
            parallelism: head.parallelism,
            max_parallelism: head.max_parallelism,
            fully_finished: head.fully_finished,
            coordinator_bytes: None,
            size: Size::NONE,
            counts: Counts::default(),
            declared_states: head.declared_states,
            subtasks: None,
        }
    }
}

impl Handle {
    fn of(piece: Piece) -> Self {
        Self {
            kind: piece.kind,
            role: piece.role,
            key_groups: piece.key_groups,
            file: piece.file.map(|file| file.name()),
            offset_bytes: piece.offset_bytes,
            length_bytes: piece.length_bytes,
            state_bytes: piece.state_bytes,
            digest: piece.digest,
        }
    }
}
