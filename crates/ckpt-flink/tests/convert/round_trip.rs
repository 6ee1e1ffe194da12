//! Flink's metadata made ours and back.

use ckpt_core::Timestamp;
use ckpt_core::id::JobId;
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::state::Root;
use ckpt_core::uri::Uri;
use ckpt_flink::{
    Change, ConversionContext, Converted, FlinkMetadata, FlinkTarget, KeyGroupsFormat, KeyGroupsKind, KeyedHandle,
    MetadataVersion, OperatorSubtasks, RootPath, to_checkpoint, to_flink,
};

use super::erase::erase;

/// What came of a round trip.
pub(crate) struct RoundTrip {
    pub(crate) there: Converted<CheckpointMetadata>,
    pub(crate) back: Converted<FlinkMetadata>,
}

impl RoundTrip {
    pub(crate) fn changes(&self) -> impl Iterator<Item = &Change> {
        self.there.changes.iter().chain(&self.back.changes)
    }
}

pub(crate) fn context() -> ConversionContext {
    let mut context = ConversionContext::new(JobId::new([7; 16]), Uri::new("file:///where/it/lies").unwrap());
    context.taken_at = Timestamp::from_millis(1_700_000_000_000);
    context
}

/// The first root is that of relative paths; all others lie where the metadata says.
pub(crate) fn own_directory(root: Root) -> Option<RootPath> {
    (root == Root::Borrowed(0)).then_some(RootPath::OwnDirectory)
}

/// Makes it ours and back, in its version or, of one that is not written any more, the oldest that is. What comes back and
/// what went in are the same once all that is listed is erased from both. What was made can be encoded.
pub(crate) fn there_and_back(what: &str, metadata: &FlinkMetadata) -> RoundTrip {
    let there = to_checkpoint(metadata, &context()).unwrap_or_else(|error| panic!("{what}: {error:?}"));
    let (file, _) = there.metadata.encode().unwrap();
    assert!(CheckpointMetadata::decode(file.into()).unwrap() == there.metadata, "{what}");
    let mut target = FlinkTarget::new(metadata.version.max(MetadataVersion::V3), &own_directory);
    target.key_groups = Some(key_groups_format(metadata));
    let back = to_flink(&there.metadata, &target).unwrap_or_else(|error| panic!("{what}: {error:?}"));
    let encoded = back.metadata.encode().unwrap_or_else(|error| panic!("{what}: {error:?}"));
    assert_eq!(FlinkMetadata::decode(encoded.into()).unwrap().metadata, back.metadata, "{what}");

    let round_trip = RoundTrip { there, back };
    let (mut before, mut after) = (metadata.clone(), round_trip.back.metadata.clone());
    before.version = target.version;
    for change in round_trip.changes() {
        erase(&mut before, change);
        erase(&mut after, change);
    }
    let listed = || round_trip.changes().map(|change| format!("{change}\n")).collect::<String>();
    assert!(after == before, "{what}:\n{after:?}\n{before:?}\n{}", listed());
    round_trip
}

/// That of the first keyed state that says it.
fn key_groups_format(metadata: &FlinkMetadata) -> KeyGroupsFormat {
    let subtasks = metadata.operators.iter().filter_map(|operator| match &operator.subtasks {
        OperatorSubtasks::Subtasks(subtasks) => Some(subtasks),
        _ => None,
    });
    let states = subtasks.flatten().filter_map(|subtask| subtask.state.as_deref());
    let canonical = states.filter_map(|state| state.managed_keyed.as_deref()).any(
        |keyed| matches!(keyed, KeyedHandle::KeyGroups(handle) if matches!(handle.kind, KeyGroupsKind::Savepoint)),
    );
    if canonical { KeyGroupsFormat::CanonicalSavepoint } else { KeyGroupsFormat::Backend }
}
