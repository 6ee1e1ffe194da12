//! A snapshot of Flink's.

use ckpt_flink::{
    ByteStream, CheckpointProperties, Ending, FlinkReader, InlineBytes as _, SkippedBytes, SnapshotType, StreamSource,
};

use super::flink_pieces::Pieces;
use super::piece::{Extent, Piece, StateKind};
use super::walk::{OperatorHead, SnapshotHead, SubtaskHead, Walk};
use crate::error::CommandError;
use crate::flink::size::{java_long, of_subtask};
use crate::metadata_file::MetadataFile;

/// What Flink names the directories of savepoints.
const SAVEPOINT_PREFIX: &str = "savepoint-";

/// State in the file is passed over, so this takes the memory of one subtask.
pub(super) fn walk(file: &MetadataFile, walk: &mut dyn Walk) -> Result<SnapshotHead, CommandError> {
    let source = StreamSource::new(&file.file).map_err(|source| file.unreadable(source))?;
    let read = || -> ckpt_core::Result<SnapshotHead> {
        let mut reader = FlinkReader::<_, SkippedBytes>::open(source)?;
        let version = reader.version().number();
        // Never negative, as the reader has made sure.
        let checkpoint_id = reader.checkpoint_id().unsigned_abs();
        let master_states = reader
            .master_states()
            .iter()
            .map(|state| (state.name.to_string(), i64::from(state.version), state.payload.length_bytes()))
            .collect();
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
                let head = SubtaskHead { index: None, finished: false, state_bytes: bytes, written_bytes: bytes };
                walk.subtask(head, vec![coordinator(state)]);
            }
            while let Some(subtask) = reader.next_subtask()? {
                // Below the parallelism and not negative, as the reader has made sure.
                let index = Some(subtask.index.unsigned_abs());
                let Some(state) = &subtask.state else {
                    let head = SubtaskHead { index, finished: true, state_bytes: 0, written_bytes: 0 };
                    walk.subtask(head, Vec::new());
                    continue;
                };
                let sizes = of_subtask(state);
                let (state_bytes, written_bytes) = (sizes.state, sizes.checkpointed);
                let head = SubtaskHead { index, finished: false, state_bytes, written_bytes };
                walk.subtask(head, Pieces::of(state, &file.directory));
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
            master_states,
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

fn coordinator(state: &ByteStream<SkippedBytes>) -> Piece {
    let length_bytes = java_long(state.data.length_bytes());
    Piece {
        kind: StateKind::Coordinator,
        role: String::new(),
        key_groups: None,
        file: None,
        unwritten: None,
        offset_bytes: None,
        length_bytes,
        extent: Extent::Whole,
        state_bytes: length_bytes,
        digest: None,
    }
}
