//! `ckpt flink dump`: everything that a `_metadata` of Flink's says, under the names of Flink's classes and getters.

mod channel;
mod hash_order;
mod keyed;
mod operator;
mod stream;
mod uuid;

use std::io::{self, Write};

use bytes::Bytes;
use ckpt_core::Result;
use ckpt_flink::{
    CheckpointProperties, Decoded, FlinkMetadata, MasterState, MetadataVersion, SnapshotType, StreamSource,
};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::args::DumpArgs;
use crate::error::{CommandError, MetadataError};
use crate::map_root::MapRoot;
use crate::metadata_file::{MetadataFile, MetadataFormat};
use crate::oddity;
use crate::place::DirectoryUri;
use crate::report::{Report, Style, json};
use operator::Operator;

/// All of a file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Dump {
    metadata_file: String,
    metadata_length: u64,
    magic: &'static str,
    version: i32,
    checkpoint_id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<Option<Properties>>,
    master_states: Vec<Master>,
    operators: Vec<Operator>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trailing: Option<Behind>,
    /// What Flink never writes and was read all the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

/// Bytes behind the end, which Flink does not look for.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Behind {
    offset: u64,
    length: u64,
}

/// Flink's `CheckpointProperties`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    checkpoint_type: Type,
    discard_cancelled: bool,
    discard_failed: bool,
    discard_finished: bool,
    discard_subsumed: bool,
    discard_suspended: bool,
    forced: bool,
    unclaimed: bool,
}

/// Flink's `SnapshotType`, by its getters.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Type {
    class: &'static str,
    is_savepoint: bool,
    get_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    get_format_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    get_post_checkpoint_action: Option<&'static str>,
    get_sharing_files_strategy: &'static str,
}

/// Flink's `MasterState`.
#[derive(Serialize)]
struct Master {
    name: String,
    version: i32,
    length: u64,
    sha256: String,
    hex: String,
}

/// What handles are described by besides themselves.
struct Context {
    version: MetadataVersion,
    directory: DirectoryUri,
}

/// Reads all of a file.
pub(crate) fn gather(args: &DumpArgs) -> Result<Dump, CommandError> {
    let file = MetadataFile::find(&args.path)?;
    if file.format == MetadataFormat::Ckpt {
        return Err(MetadataError::Ours.of(&file.path));
    }
    let source = StreamSource::new(&file.file).map_err(|source| file.unreadable(source))?;
    let Decoded { metadata, trailing, notes, .. } =
        FlinkMetadata::<Bytes>::decode_with(source).map_err(|source| file.error(source))?;
    let notes: Vec<_> = notes.first().iter().map(ToString::to_string).collect();
    oddity::tell(&file, trailing.map_or(0, |trailing| trailing.length_bytes), &notes, args.strict)?;
    let maps = &args.map.map_root;
    if maps.iter().all(|map| map.to_uri(&file.directory).is_none()) {
        maps.iter().for_each(MapRoot::warn_of_no_use);
    }
    let context = Context { version: metadata.version, directory: DirectoryUri::of(&file.directory, maps) };
    let operators = metadata.operators.iter().map(|operator| Operator::of(operator, &context));
    let operators = operators.collect::<Result<_>>().map_err(|source| file.error(source))?;
    let properties = metadata.properties.as_ref().map(|stored| stored.properties().map(Properties::of));
    Ok(Dump {
        metadata_length: file.length_bytes,
        metadata_file: file.path.to_string_lossy().into_owned(),
        magic: "0x4960672d",
        version: metadata.version.number(),
        checkpoint_id: metadata.checkpoint_id,
        properties,
        master_states: metadata.master_states.iter().map(Master::of).collect(),
        operators,
        trailing: trailing.map(|it| Behind { offset: it.offset_bytes, length: it.length_bytes }),
        notes,
    })
}

impl Report for Dump {
    /// It is JSON for people too: whoever wants less of it wants `ckpt show`.
    fn print(&self, out: &mut dyn Write, _: Style) -> io::Result<()> {
        json(self, out)
    }
}

impl Properties {
    fn of(properties: &CheckpointProperties) -> Self {
        Self {
            checkpoint_type: Type::of(&properties.checkpoint_type),
            discard_cancelled: properties.discard_cancelled,
            discard_failed: properties.discard_failed,
            discard_finished: properties.discard_finished,
            discard_subsumed: properties.discard_subsumed,
            discard_suspended: properties.discard_suspended,
            forced: properties.forced,
            unclaimed: properties.unclaimed,
        }
    }
}

impl Type {
    fn of(snapshot_type: &SnapshotType) -> Self {
        let (class, get_format_type, get_post_checkpoint_action) = match snapshot_type {
            SnapshotType::Savepoint { format, post_checkpoint_action, .. } => {
                ("SavepointType", Some(format.java_name()), Some(post_checkpoint_action.java_name()))
            }
            _ => ("CheckpointType", None, None),
        };
        Self {
            class,
            is_savepoint: get_format_type.is_some(),
            get_name: snapshot_type.name().to_string(),
            get_format_type,
            get_post_checkpoint_action,
            get_sharing_files_strategy: snapshot_type.sharing_files().java_name(),
        }
    }
}

impl Master {
    fn of(state: &MasterState) -> Self {
        let payload = &state.payload;
        let (length, sha256, hex) = (payload.len() as u64, sha256(payload), hex(payload));
        Self { name: state.name.to_string(), version: state.version, length, sha256, hex }
    }
}

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}
