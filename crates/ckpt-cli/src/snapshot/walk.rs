//! What stands in a metadata file, one subtask at a time.

use ckpt_core::state::Root;

use super::piece::Piece;
use super::{flink, ours};
use crate::error::CommandError;
use crate::metadata_file::{MetadataFile, MetadataFormat};

/// Who is told what stands in a file.
pub(crate) trait Walk {
    /// An operator, before its subtasks.
    fn operator(&mut self, operator: OperatorHead);

    /// A subtask of the operator before, or what the operator's coordinator stored, with every piece of its state.
    fn subtask(&mut self, subtask: SubtaskHead, pieces: Vec<Piece>);
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
    pub(crate) master_states: Vec<(String, i64, u64)>,
    /// Bytes behind the end of a file of Flink's.
    pub(crate) trailing_bytes: u64,
    /// What was odd.
    pub(crate) notes: Vec<String>,
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
#[derive(Clone, Copy, Debug)]
pub(crate) struct SubtaskHead {
    /// `None` of the coordinator.
    pub(crate) index: Option<u32>,
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
