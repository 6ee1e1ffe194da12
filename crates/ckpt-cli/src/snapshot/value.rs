//! A snapshot as it is shown.

use std::mem;
use std::time::UNIX_EPOCH;

use ckpt_core::Timestamp;
use serde::Serialize;

use super::ours::{summary_with_places, summary_without_state};
use super::piece::{Piece, StateKind, root_name};
use super::size::Size;
use super::walk::{MasterState, OperatorHead, SnapshotHead, SubtaskEnd, Walk, Wanted, walk};
use crate::error::CommandError;
use crate::metadata_file::{MetadataFile, MetadataFormat};

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
    #[serde(flatten)]
    pub(crate) master_states: MasterStates,
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

/// What participants that are no tasks stored: how much that is, and the first of it.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct MasterStates {
    #[serde(rename = "masterStates")]
    pub(crate) first: Vec<MasterState>,
    /// `None` when they were not looked at.
    #[serde(rename = "masterStateCount")]
    pub(crate) count: Option<u64>,
    #[serde(rename = "masterStateBytes")]
    pub(crate) length_bytes: Option<u64>,
    #[serde(skip)]
    name_bytes: usize,
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
#[derive(Clone, Debug, Default, Serialize)]
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
    let is_ours = file.format == MetadataFormat::Ckpt;
    let mut gathering = Gathering::new(detail);
    let head = if is_ours && file.length_bytes > READ_WHOLE_BYTES && detail <= Detail::Operators {
        gathering.master_states = MasterStates::default();
        summary_without_state(file, &mut |operator| gathering.end_operator(operator))?
    } else if is_ours && detail == Detail::Summary {
        let mut masters = MasterStates::looked_at();
        let tell = &mut |operator| gathering.end_operator(operator);
        let (head, bytes) = summary_with_places(file, tell, &mut |state| masters.add(state))?;
        let size = &mut gathering.total.size;
        (size.exclusive_bytes, size.shared_bytes) = (Some(bytes.exclusive), Some(bytes.shared));
        gathering.master_states = masters;
        head
    } else {
        walk(file, &mut gathering)?
    };
    Ok(gathering.into_snapshot(file, head))
}

struct Gathering {
    detail: Detail,
    master_states: MasterStates,
    total: Total,
    current: Option<Operator>,
    /// The subtask whose pieces are told.
    subtask: Subtask,
    operators: Vec<Operator>,
}

/// Sums over operators.
struct Total {
    operators: u64,
    size: Size,
    counts: Counts,
}

impl Walk for Gathering {
    fn wanted(&self) -> Wanted {
        if self.detail >= Detail::Handles { Wanted::Everything } else { Wanted::Sizes }
    }

    fn master_state(&mut self, state: MasterState) {
        self.master_states.add(state);
    }

    fn operator(&mut self, operator: OperatorHead) {
        if let Some(before) = self.current.take() {
            self.end_operator(before);
        }
        let subtasks = (self.detail >= Detail::Subtasks).then(Vec::new);
        self.current = Some(Operator { subtasks, ..Operator::of(operator) });
    }

    fn subtask(&mut self, index: Option<u32>) {
        let handles = (self.detail >= Detail::Handles).then(Vec::new);
        self.subtask = Subtask { index, finished: false, size: Size::NONE, handle_count: 0, handles };
    }

    fn piece(&mut self, piece: Piece) {
        self.subtask.size.add_place(&piece);
        self.subtask.handle_count += 1;
        if let Some(handles) = &mut self.subtask.handles {
            handles.push(Handle::of(piece));
        }
    }

    fn end_of_subtask(&mut self, end: SubtaskEnd) {
        let Some(operator) = &mut self.current else { return };
        let mut subtask = mem::take(&mut self.subtask);
        let SubtaskEnd { finished, state_bytes, written_bytes } = end;
        subtask.finished = finished;
        (subtask.size.state_bytes, subtask.size.written_bytes) = (state_bytes, written_bytes);
        operator.size += subtask.size;
        operator.counts.handles += subtask.handle_count;
        match subtask.index {
            None => operator.coordinator_bytes = Some(state_bytes),
            Some(_) if finished => operator.counts.finished_subtasks += 1,
            Some(_) => operator.counts.subtasks_with_state += 1,
        }
        if let Some(subtasks) = &mut operator.subtasks {
            // Most have one or two, and a vector has room for four.
            subtask.handles.iter_mut().for_each(Vec::shrink_to_fit);
            subtasks.push(subtask);
        }
    }
}

impl MasterStates {
    /// How many are kept, and how long their names may be together, so that no file fills memory with them. Of ours there
    /// are no more.
    const MOST_KEPT: usize = 1024;
    const MOST_NAME_BYTES: usize = 1 << 20;

    /// None so far.
    fn looked_at() -> Self {
        Self { count: Some(0), length_bytes: Some(0), ..Self::default() }
    }

    fn add(&mut self, state: MasterState) {
        self.count = self.count.map(|count| count + 1);
        self.length_bytes = self.length_bytes.map(|bytes| bytes.saturating_add(state.length_bytes));
        self.name_bytes = self.name_bytes.saturating_add(state.name.len());
        if self.first.len() < Self::MOST_KEPT && self.name_bytes <= Self::MOST_NAME_BYTES {
            self.first.push(state);
        }
    }

    /// How many are not among the first.
    pub(crate) fn more(&self) -> u64 {
        self.count.map_or(0, |count| count - self.first.len() as u64)
    }
}

impl Gathering {
    fn new(detail: Detail) -> Self {
        Self {
            detail,
            master_states: MasterStates::looked_at(),
            total: Total::default(),
            current: None,
            subtask: Subtask::default(),
            operators: Vec::new(),
        }
    }

    fn end_operator(&mut self, operator: Operator) {
        self.total.add(&operator);
        if self.detail >= Detail::Operators {
            self.operators.push(operator);
        }
    }

    fn into_snapshot(mut self, file: &MetadataFile, head: SnapshotHead) -> Snapshot {
        if let Some(last) = self.current.take() {
            self.end_operator(last);
        }
        let mut snapshot = Snapshot::of(file, head, self.total);
        snapshot.master_states = self.master_states;
        snapshot.operators = (self.detail >= Detail::Operators).then_some(self.operators);
        snapshot
    }
}

impl Default for Total {
    fn default() -> Self {
        Self { operators: 0, size: Size::NONE, counts: Counts::default() }
    }
}

impl Total {
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
        let shown = |millis| Timestamp::from_millis(millis).to_string();
        Self {
            path: file.directory.to_string_lossy().into_owned(),
            metadata_file: file.path.to_string_lossy().into_owned(),
            format: file.format,
            format_version: head.version,
            job: head.job,
            checkpoint_id: head.checkpoint_id,
            kind: head.kind,
            savepoint_format: head.savepoint_format,
            triggered_at: head.triggered_at_millis.map(shown),
            completed_at: head.completed_at_millis.map(shown),
            modified_at: modified.map(|time| shown(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))),
            self_contained: head.self_contained,
            metadata_bytes: file.length_bytes,
            size: total.size,
            operator_count: total.operators,
            counts: total.counts,
            trailing_bytes: head.trailing_bytes,
            places: places.collect(),
            master_states: MasterStates::default(),
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
