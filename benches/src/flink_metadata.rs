//! Metadata as a large job of Flink's has it: each subtask with a file of keyed state and a file of operator state.

use std::io::{self, Write};

use ckpt_core::Result;
use ckpt_core::id::OperatorId;
use ckpt_flink::{
    CheckpointProperties, DistributionMode, FileHandle, FlinkMetadata, JavaText, KeyGroupOffsets, KeyGroupsHandle,
    KeyGroupsKind, KeyedHandle, MetadataVersion, OperatorDescription, OperatorHandle, OperatorState,
    OperatorStateOffsets, OperatorSubtasks, SnapshotType, StoredProperties, StreamHandle, Subtask, SubtaskState,
};

/// The subtasks of each operator.
pub const FLINK_SUBTASKS: i32 = 1_000;
/// The handles of each operator: a file of keyed state and one of operator state for each subtask.
pub const FLINK_HANDLES: usize = 2 * FLINK_SUBTASKS as usize;
/// Where the files of the metadata are said to lie.
pub const FLINK_DIRECTORY: &str = "/data/checkpoints/0123456789abcdef0123456789abcdef/chk-42";
const KEY_GROUPS_OF_A_SUBTASK: i32 = 4;

/// Metadata of the newest version with these operators.
///
/// # Errors
///
/// None: all names are short.
pub fn flink_metadata(operators: impl IntoIterator<Item = u32>) -> Result<FlinkMetadata> {
    let mut metadata = FlinkMetadata::new(MetadataVersion::LATEST, 42);
    metadata.properties = Some(StoredProperties::new(CheckpointProperties::new(SnapshotType::checkpoint())));
    metadata.operators = operators.into_iter().map(operator).collect::<Result<_>>()?;
    Ok(metadata)
}

/// Writes a file of such metadata that has at least so many bytes, one operator at a time.
///
/// # Errors
///
/// As writing to `into` fails.
pub fn write_flink_metadata(least_bytes: u64, into: &mut impl Write) -> io::Result<()> {
    // Magic, version, number of the checkpoint, of master states and of operators; behind the operators are the properties.
    const BEFORE: usize = 4 + 4 + 8 + 4 + 4;
    const COUNT: usize = BEFORE - 4;
    let file_of = |operator: Option<u32>| flink_metadata(operator)?.encode();
    let empty = file_of(None).map_err(io::Error::other)?;
    let (before, behind) = empty.split_at(BEFORE);
    let one = file_of(Some(0)).map_err(io::Error::other)?;
    let count = u32::try_from(least_bytes / (one.len() - empty.len()) as u64).map_err(io::Error::other)? + 1;
    into.write_all(&before[..COUNT])?;
    into.write_all(&count.to_be_bytes())?;
    for operator in 0..count {
        let file = file_of(Some(operator)).map_err(io::Error::other)?;
        into.write_all(&file[BEFORE..file.len() - behind.len()])?;
    }
    into.write_all(behind)
}

fn operator(number: u32) -> Result<OperatorState> {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&number.to_be_bytes());
    let mut description =
        OperatorDescription::new(OperatorId::new(id), FLINK_SUBTASKS, KEY_GROUPS_OF_A_SUBTASK * FLINK_SUBTASKS);
    description.name = Some(JavaText::new(&format!("operator name {number}"))?);
    description.uid = Some(JavaText::new(&format!("uid-{number}"))?);
    let subtasks = (0..FLINK_SUBTASKS).map(|index| Ok(Subtask::with_state(index, state(number, index)?)));
    Ok(OperatorState::new(description, OperatorSubtasks::Subtasks(subtasks.collect::<Result<_>>()?)))
}

fn state(operator: u32, subtask: i32) -> Result<SubtaskState> {
    let named = |kind: &str| JavaText::new(&format!("{kind}{operator:08x}-0000-0000-0000-{subtask:011x}"));
    let stream = |kind, size| {
        let path = JavaText::new(&format!("file:{FLINK_DIRECTORY}/{}", named(kind)?))?;
        Ok::<_, ckpt_core::Error>(StreamHandle::File(FileHandle::new(path, size + i64::from(subtask))))
    };
    let offsets = (0..KEY_GROUPS_OF_A_SUBTASK).map(|group| 300 + 1_000 * i64::from(group)).collect();
    let key_groups = KeyGroupOffsets::new(KEY_GROUPS_OF_A_SUBTASK * subtask, offsets);
    let kind = KeyGroupsKind::Checkpoint { state_handle_id: named("")? };
    let keyed = KeyGroupsHandle::new(kind, key_groups, stream("k", 1_000_000)?);
    let offsets = OperatorStateOffsets::new(JavaText::new("offsets")?, DistributionMode::SplitDistribute, vec![128]);
    let mut state = SubtaskState::default();
    state.managed_keyed = Some(Box::new(KeyedHandle::KeyGroups(keyed)));
    state.managed_operator = Some(Box::new(OperatorHandle::new(vec![offsets], stream("o", 30_000)?)));
    Ok(state)
}
