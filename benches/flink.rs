//! What it costs to read Flink's metadata: 100 operators of 1,000 subtasks, each with a file of keyed state and a file of
//! operator state, as one of Flink's own jobs of that size has them.
//!
//! The baseline is the least that anyone must do who keeps bytes: to copy them into memory of their own. How Flink's own
//! loader fares with the same metadata on the same machine, `docs/flink.md` says how to measure.

use bytes::Bytes;
use ckpt_benches::{Bar, Bench, Work, processor_time_of};
use ckpt_core::Result;
use ckpt_core::id::{JobId, OperatorId};
use ckpt_core::uri::Uri;
use ckpt_flink::{
    BytesSource, CheckpointProperties, ConversionContext, DistributionMode, FileHandle, FlinkMetadata, FlinkReader,
    JavaText, KeyGroupOffsets, KeyGroupsHandle, KeyGroupsKind, KeyedHandle, MetadataVersion, OperatorDescription,
    OperatorHandle, OperatorState, OperatorStateOffsets, OperatorSubtasks, SkippedBytes, SnapshotType,
    StoredProperties, StreamHandle, Subtask, SubtaskState, to_checkpoint,
};

const OPERATORS: u8 = 100;
const SUBTASKS: i32 = 1_000;
const KEY_GROUPS_OF_A_SUBTASK: i32 = 4;
/// A file of keyed state and one of operator state each.
const HANDLES: usize = 2 * OPERATORS as usize * SUBTASKS as usize;
const DIRECTORY: &str = "/data/checkpoints/0123456789abcdef0123456789abcdef/chk-42";
const PLAIN: &str = "copy of its bytes";

fn main() -> Result<()> {
    let bench = Bench::from_arguments();
    if !bench.takes("flink: ") {
        return Ok(());
    }
    let file = Bytes::from(metadata()?.encode()?);
    let each = Work::Operations(HANDLES);
    let copy = || file.to_vec();
    let decode = || FlinkMetadata::decode(file.clone());
    // What was decoded is dropped outside, so that giving memory back counts for neither side.
    let bar = bench.bar(Bar::AtMost(150.0));
    let name = "flink: metadata, decoded, each handle";
    bar.compare_parts(name, PLAIN, each, || processor_time_of(decode).0, || processor_time_of(copy).0);
    bench.compare("flink: metadata, decoded and dropped, each handle", PLAIN, each, decode, copy);
    bench.compare("flink: metadata, passed over, each handle", PLAIN, each, || pass_over(file.clone()), copy);
    let metadata = decode()?.metadata;
    bench.compare("flink: metadata, written, each handle", PLAIN, each, || metadata.encode(), copy);
    let context = ConversionContext::new(JobId::new([7; 16]), Uri::new(format!("file://{DIRECTORY}"))?);
    let convert = || to_checkpoint(&metadata, &context);
    bench.compare("flink: metadata, converted, each handle", PLAIN, each, convert, copy);
    Ok(())
}

/// Reads all of it and keeps nothing.
fn pass_over(file: Bytes) -> Result<usize> {
    let mut reader = FlinkReader::<_, SkippedBytes>::open(BytesSource::new(file))?;
    let mut subtasks = 0;
    while reader.next_operator()?.is_some() {
        while reader.next_subtask()?.is_some() {
            subtasks += 1;
        }
    }
    reader.finish()?;
    Ok(subtasks)
}

fn metadata() -> Result<FlinkMetadata> {
    let mut metadata = FlinkMetadata::new(MetadataVersion::LATEST, 42);
    metadata.properties = Some(StoredProperties::new(CheckpointProperties::new(SnapshotType::checkpoint())));
    metadata.operators = (0..OPERATORS).map(operator).collect::<Result<_>>()?;
    Ok(metadata)
}

fn operator(number: u8) -> Result<OperatorState> {
    let id = OperatorId::new([number; 16]);
    let mut description = OperatorDescription::new(id, SUBTASKS, KEY_GROUPS_OF_A_SUBTASK * SUBTASKS);
    description.name = Some(JavaText::new(&format!("operator name {number}"))?);
    description.uid = Some(JavaText::new(&format!("uid-{number}"))?);
    let subtasks = (0..SUBTASKS).map(|index| Ok(Subtask::with_state(index, state(number, index)?)));
    Ok(OperatorState::new(description, OperatorSubtasks::Subtasks(subtasks.collect::<Result<_>>()?)))
}

fn state(operator: u8, subtask: i32) -> Result<SubtaskState> {
    let named = |kind: &str| JavaText::new(&format!("{kind}{operator:08x}-0000-0000-0000-{subtask:011x}"));
    let stream = |kind, size| {
        let path = JavaText::new(&format!("file:{DIRECTORY}/{}", named(kind)?))?;
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
