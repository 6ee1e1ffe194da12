//! A snapshot of Flink's.

use ckpt_flink::{
    CheckpointProperties, Ending, FlinkReader, InlineBytes as _, SkippedBytes, SnapshotType, StreamSource,
};

use super::flink_pieces::{Describe, Described, Pieces};
use super::own_directory::OwnDirectory;
use super::piece::{Extent, Piece, StateKind};
use super::walk::{MasterState, OperatorHead, SnapshotHead, SubtaskEnd, Walk, Wanted};
use crate::error::CommandError;
use crate::flink::size::java_long;
use crate::metadata_file::MetadataFile;

/// What Flink names the directories of savepoints.
const SAVEPOINT_PREFIX: &str = "savepoint-";

/// What lies in the file is passed over, so this takes little memory; with everything, that of the largest piece.
pub(super) fn walk(file: &MetadataFile, walk: &mut dyn Walk) -> Result<SnapshotHead, CommandError> {
    match walk.wanted() {
        Wanted::Sizes => walk_over::<SkippedBytes>(file, walk),
        Wanted::Everything => walk_over::<Described>(file, walk),
    }
}

fn walk_over<D: Describe>(file: &MetadataFile, walk: &mut dyn Walk) -> Result<SnapshotHead, CommandError> {
    let source = StreamSource::new(&file.file).map_err(|source| file.unreadable(source))?;
    let read = || -> ckpt_core::Result<SnapshotHead> {
        let mut reader = FlinkReader::<_, D>::open(source)?;
        let version = reader.version().number();
        // Never negative, as the reader has made sure.
        let checkpoint_id = reader.checkpoint_id().unsigned_abs();
        while let Some(state) = reader.next_master_state::<SkippedBytes>()? {
            let (name, length_bytes) = (state.name.to_string(), state.payload.length_bytes());
            walk.master_state(MasterState { name, version: state.version.into(), length_bytes });
        }
        let own = OwnDirectory::of(&file.directory);
        while let Some(operator) = reader.next_operator()? {
            walk.operator(OperatorHead {
                id: operator.id.to_string(),
                name: operator.name.as_ref().map(ToString::to_string),
                uid: operator.uid.as_ref().map(ToString::to_string),
                parallelism: operator.parallelism.into(),
                max_parallelism: operator.max_parallelism.into(),
                fully_finished: reader.is_fully_finished(),
                declared_states: Vec::new(),
            });
            if let Some(state) = &operator.coordinator {
                let bytes = java_long(state.data.length_bytes());
                walk.subtask(None);
                walk.piece(coordinator(bytes));
                walk.end_of_subtask(SubtaskEnd { finished: false, state_bytes: bytes, written_bytes: bytes });
            }
            loop {
                let mut pieces = Pieces::new(walk, &own);
                let Some(subtask) = reader.visit_subtask(&mut pieces)? else { break };
                pieces.end(subtask.is_finished);
            }
        }
        let Ending { properties, trailing, notes, .. } = reader.finish()?;
        let properties = properties.as_ref().and_then(|stored| stored.properties());
        let (kind, savepoint_format) = kind(properties, file);
        Ok(SnapshotHead {
            version,
            job: file.job_directory_name().map(str::to_owned),
            checkpoint_id,
            kind,
            savepoint_format,
            triggered_at_millis: None,
            completed_at_millis: None,
            self_contained: None,
            places: Vec::new(),
            trailing_bytes: trailing.map_or(0, |trailing| trailing.length_bytes),
            notes: notes.first().iter().map(ToString::to_string).collect(),
        })
    };
    read().map_err(|source| file.error(source))
}

/// Versions before 4 do not say it, but where they lie does.
fn kind(properties: Option<&CheckpointProperties>, file: &MetadataFile) -> (Option<String>, Option<&'static str>) {
    match properties.map(|properties| &properties.checkpoint_type) {
        Some(SnapshotType::Savepoint { name, format, .. }) => {
            let format = if format.java_name() == "NATIVE" { "native" } else { "canonical" };
            (Some(name.to_string_lossy().to_lowercase()), Some(format))
        }
        Some(SnapshotType::Checkpoint { name, .. }) => (Some(name.to_string_lossy().to_lowercase()), None),
        _ => match file.directory_name() {
            Some(name) if name.starts_with(SAVEPOINT_PREFIX) => (Some("savepoint".to_owned()), None),
            Some(name) if name.starts_with(ckpt_storage::CHECKPOINT_DIRECTORY_PREFIX) => {
                (Some("checkpoint".to_owned()), None)
            }
            _ => (None, None),
        },
    }
}

fn coordinator(length_bytes: i64) -> Piece {
    Piece {
        kind: StateKind::Coordinator,
        role: String::new(),
        key_groups: None,
        file: None,
        unwritten: None,
        offset_bytes: None,
        elements_at: None,
        length_bytes,
        extent: Extent::Whole,
        state_bytes: length_bytes,
        digest: None,
    }
}
