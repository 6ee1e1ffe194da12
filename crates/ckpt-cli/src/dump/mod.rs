//! `ckpt flink dump`: everything that a `_metadata` of Flink's says, under the names of Flink's classes and getters.

mod channel;
mod digested;
mod hash_order;
mod keyed;
mod operator;
mod stream;
mod uuid;

use std::io::{self, Write};

use ckpt_core::Result;
use ckpt_flink::{
    CheckpointProperties, Ending, FlinkReader, MasterState, MetadataVersion, SnapshotType, Source, StreamSource,
};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::args::DumpArgs;
use crate::error::{CommandError, MetadataError};
use crate::json::print_json;
use crate::map_root::MapRoot;
use crate::metadata_file::{MetadataFile, MetadataFormat};
use crate::oddity;
use crate::place::DirectoryUri;
use crate::report::{Report, Style};
use digested::Digested;
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
    let maps = &args.map.map_root;
    let directory = DirectoryUri::of(&file.directory, maps);
    let (mut dump, ending) = Dump::read(source, directory).map_err(|source| file.error(source))?;
    let Ending { trailing, notes, .. } = ending;
    let notes: Vec<_> = notes.first().iter().map(ToString::to_string).collect();
    oddity::tell(&file, trailing.map_or(0, |trailing| trailing.length_bytes), &notes, args.strict)?;
    if maps.iter().all(|map| map.to_uri(&file.directory).is_none()) {
        maps.iter().for_each(MapRoot::warn_of_no_use);
    }
    (dump.metadata_file, dump.metadata_length) = (file.path.to_string_lossy().into_owned(), file.length_bytes);
    dump.trailing = trailing.map(|it| Behind { offset: it.offset_bytes, length: it.length_bytes });
    dump.notes = notes;
    Ok(dump)
}

impl Dump {
    /// What stands in a file, without state, of which no more is held than what is printed.
    fn read(source: impl Source, directory: DirectoryUri) -> Result<(Self, Ending)> {
        let mut reader = FlinkReader::<_, Digested>::open(source)?;
        let context = Context { version: reader.version(), directory };
        let mut master_states = Vec::new();
        while let Some(state) = reader.next_master_state()? {
            master_states.push(Master::of(&state));
        }
        let mut operators = Vec::new();
        while let Some(operator) = Operator::read(&mut reader, &context)? {
            operators.push(operator);
        }
        let checkpoint_id = reader.checkpoint_id();
        let ending = reader.finish()?;
        let dump = Self {
            metadata_file: String::new(),
            metadata_length: 0,
            magic: "0x4960672d",
            version: context.version.number(),
            checkpoint_id,
            properties: ending.properties.as_ref().map(|stored| stored.properties().map(Properties::of)),
            master_states,
            operators,
            trailing: None,
            notes: Vec::new(),
        };
        Ok((dump, ending))
    }
}

impl Report for Dump {
    /// It is JSON for people too: whoever wants less of it wants `ckpt show`.
    fn print(&self, out: &mut dyn Write, _: Style) -> io::Result<()> {
        print_json(self, out)
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
        let (length, sha256, hex) = (payload.len() as u64, hex(&Sha256::digest(payload)), hex(payload));
        Self { name: state.name.to_string(), version: state.version, length, sha256, hex }
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}
