//! What stands in a metadata file, one piece of state at a time.

use ckpt_core::state::Root;

use super::piece::Piece;
use super::{flink, ours};
use crate::error::CommandError;
use crate::metadata_file::{MetadataFile, MetadataFormat};

/// Who is told what stands in a file, in its order.
pub(crate) trait Walk {
    /// How much is to be told of a piece.
    fn wanted(&self) -> Wanted;

    /// What a participant that is no task stored.
    fn master_state(&mut self, _: MasterState) {}

    /// An operator, before its subtasks.
    fn operator(&mut self, operator: OperatorHead);

    /// A subtask of the operator before, or with `None` what the operator's coordinator stored.
    fn subtask(&mut self, index: Option<u32>);

    /// A piece of the state of that subtask.
    fn piece(&mut self, piece: Piece);

    /// All pieces of the subtask were told.
    fn end_of_subtask(&mut self, end: SubtaskEnd);
}

/// How much is to be told of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Where it lies and how much it is, and no role: that takes little memory whatever a file says.
    Sizes,
    /// Everything.
    Everything,
}

impl Wanted {
    /// A role, where roles are wanted.
    pub(super) fn role(self, role: impl FnOnce() -> String) -> String {
        match self {
            Self::Sizes => String::new(),
            Self::Everything => role(),
        }
    }
}

/// What is known of a snapshot as a whole.
#[derive(Clone, Debug)]
pub(crate) struct SnapshotHead {
    pub(crate) version: i32,
    pub(crate) job: Option<String>,
    pub(crate) checkpoint_id: u64,
    pub(crate) kind: Option<String>,
    pub(crate) savepoint_format: Option<&'static str>,
    pub(crate) triggered_at_millis: Option<u64>,
    pub(crate) completed_at_millis: Option<u64>,
    pub(crate) self_contained: Option<bool>,
    /// Where claimed and borrowed files lie.
    pub(crate) places: Vec<(Root, String)>,
    /// Bytes behind the end of a file of Flink's.
    pub(crate) trailing_bytes: u64,
    /// What was odd.
    pub(crate) notes: Vec<String>,
}

/// What a participant that is no task stored.
#[derive(Clone, Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MasterState {
    pub(crate) name: String,
    pub(crate) version: i64,
    pub(crate) length_bytes: u64,
}

/// What is known of an operator besides its subtasks.
#[derive(Clone, Debug)]
pub(crate) struct OperatorHead {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) uid: Option<String>,
    pub(crate) parallelism: i64,
    pub(crate) max_parallelism: i64,
    pub(crate) fully_finished: bool,
    /// The states that it declared, in files of ours.
    pub(crate) declared_states: Vec<String>,
}

/// What is known of a subtask besides its pieces.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SubtaskEnd {
    pub(crate) finished: bool,
    pub(crate) state_bytes: i64,
    pub(crate) written_bytes: i64,
}

/// Tells `walk` of all of a file, and says what is known of it as a whole.
pub(crate) fn walk(file: &MetadataFile, walk: &mut dyn Walk) -> Result<SnapshotHead, CommandError> {
    match file.format {
        MetadataFormat::Ckpt => ours::walk(file, walk),
        MetadataFormat::Flink => flink::walk(file, walk),
    }
}
