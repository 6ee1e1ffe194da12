//! Small jobs and checkpoints to test with.

use std::io::Read as _;
use std::iter;

use ckpt_core::head::{ClaimedHead, Collected, HeadWrite, Nonce, RetainedSnapshot, WrittenHead};
use ckpt_core::id::{CheckpointId, FileName, JobId, OperatorId, Writer};
use ckpt_core::key_group::MaxParallelism;
use ckpt_core::metadata::{CheckpointDescription, CheckpointMetadata, OperatorDescription};
use ckpt_core::shared::{RemovedFiles, SharedStateRegistry};
use ckpt_core::snapshot::{
    Admission, AfterSavepoint, CheckpointBarrier, CheckpointIdentity, CheckpointOptions, CheckpointProperties,
    LocationReference, RetentionPolicy, SavepointFormat, SnapshotKind,
};
#[cfg(test)]
use ckpt_core::state::Places;
use ckpt_core::state::{
    FileRef, OperatorState, Partitions, Place, Redistribution, Root, StateHandle, SubtaskState, TaskSnapshot,
};
use ckpt_core::{Digest, ErrorKind, Result, Timestamp};
use ckpt_streams::{StateReader, StateScope, StreamFactory, into_error};

use crate::{CoordinatorView, HeadOutcome, Location};

/// More than any storage keeps in the metadata, and less than memory storage takes.
pub(super) const LARGE_BYTES: usize = 3_000_000;

/// The operator that all state of the samples belongs to.
pub(crate) const OPERATOR: OperatorId = OperatorId::new([7; 16]);

pub(crate) const fn job(number: u8) -> JobId {
    JobId::new([number; 16])
}

pub(crate) const fn nonce(number: u8) -> Nonce {
    Nonce::new([number; 16])
}

/// Checkpoint `number` of the leader of `claimed`.
pub(crate) fn identity(claimed: &ClaimedHead, number: u64) -> CheckpointIdentity {
    let id = CheckpointId::new(number).expect("checkpoint numbers of the samples begin at one");
    CheckpointIdentity::new(id, claimed.head().epoch, Timestamp::from_millis(number), None)
}

pub(crate) fn barrier(identity: CheckpointIdentity) -> CheckpointBarrier {
    CheckpointBarrier::new(identity, CheckpointOptions::aligned(SnapshotKind::Checkpoint, LocationReference::Default))
}

/// The barrier of a savepoint whose state goes there.
pub(crate) fn barrier_of_savepoint(identity: CheckpointIdentity, place: LocationReference) -> CheckpointBarrier {
    CheckpointBarrier::new(identity, CheckpointOptions::aligned(savepoint_properties().kind(), place))
}

const fn savepoint_properties() -> CheckpointProperties {
    CheckpointProperties::savepoint(SavepointFormat::Canonical, AfterSavepoint::Continue, Admission::InTurn)
}

/// Metadata of a checkpoint whose one subtask has that state.
pub(crate) fn metadata_of(job: JobId, identity: CheckpointIdentity, state: Option<SubtaskState>) -> CheckpointMetadata {
    snapshot_of(job, identity, CheckpointProperties::checkpoint(RetentionPolicy::default()), state)
}

/// Metadata of a savepoint whose one subtask has that state.
pub(crate) fn savepoint_of(
    job: JobId,
    identity: CheckpointIdentity,
    state: Option<SubtaskState>,
) -> CheckpointMetadata {
    snapshot_of(job, identity, savepoint_properties(), state)
}

pub(crate) fn snapshot_of(
    job: JobId,
    identity: CheckpointIdentity,
    properties: CheckpointProperties,
    state: Option<SubtaskState>,
) -> CheckpointMetadata {
    described(CheckpointDescription::new(job, identity, properties), state)
}

/// The same of a checkpoint whose state may lie below those places.
#[cfg(test)]
pub(crate) fn metadata_with(
    job: JobId,
    identity: CheckpointIdentity,
    state: Option<SubtaskState>,
    places: Places,
) -> CheckpointMetadata {
    let properties = CheckpointProperties::checkpoint(RetentionPolicy::default());
    let mut description = CheckpointDescription::new(job, identity, properties);
    description.places = places;
    described(description, state)
}

fn described(description: CheckpointDescription, state: Option<SubtaskState>) -> CheckpointMetadata {
    let identity = description.identity;
    let maximum = MaxParallelism::new(128).expect("128 is a maximum parallelism");
    let mut builder = CheckpointMetadata::builder(description).expect("the sample keeps the rules");
    let operator = OperatorDescription::new(OPERATOR, "sample", 1, maximum);
    let mut operator = builder.operator(&operator).expect("the sample keeps the rules");
    if let Some(state) = state {
        operator.subtask(0, &state).expect("the sample keeps the rules");
    }
    let completed_at = Timestamp::from_millis(identity.triggered_at.millis() + 1);
    builder.finish(completed_at).expect("the sample keeps the rules")
}

/// Metadata of a checkpoint that names those files of the job's shared directory. They need not exist.
pub(crate) fn metadata(job: JobId, identity: CheckpointIdentity, shared: &[FileName]) -> CheckpointMetadata {
    metadata_of(job, identity, Some(shared_state(shared)).filter(|state| !state.is_empty()))
}

/// State in those files of the job's shared directory.
pub(crate) fn shared_state(shared: &[FileName]) -> SubtaskState {
    let state = |name: &FileName| operator_state(shared_handle(*name));
    SubtaskState::new(Vec::new(), shared.iter().map(state).collect())
}

pub(crate) fn shared_handle(name: FileName) -> StateHandle {
    let place = Place::File { root: Root::JobShared, file: FileRef::Ours(name) };
    StateHandle::assume_durable(place, 1, Some(Digest::of(b"x")))
}

pub(crate) fn operator_state<H>(handle: H) -> OperatorState<H> {
    let partitions =
        Partitions::new(iter::once(0..1), Redistribution::Split).expect("one partition lies within its piece");
    OperatorState::new([("state", partitions)].into(), handle)
}

/// Those files of one leader's writer, which has ended before any checkpoint named them.
pub(crate) fn removed_files(shared: &[FileName]) -> RemovedFiles {
    let Some(Writer { epoch, id: writer }) = shared.first().map(FileName::writer) else {
        return RemovedFiles::default();
    };
    let mut registry = SharedStateRegistry::new(epoch);
    registry.start_writer(writer).expect("the writer begins");
    let identity = CheckpointIdentity::new(CheckpointId::FIRST, epoch, Timestamp::from_millis(1), None);
    registry.begin(&identity, SnapshotKind::Checkpoint).expect("the checkpoint begins");
    let mut files = registry.acknowledge(identity.id, writer).expect("it is pending");
    for name in shared {
        files.written(&shared_handle(*name)).expect("the samples name it once");
    }
    registry.end_all_writers()
}

/// Publishes a checkpoint that names those shared files, without committing it.
pub(crate) fn publish(
    view: &dyn CoordinatorView,
    job: JobId,
    identity: CheckpointIdentity,
    shared: &[FileName],
) -> RetainedSnapshot {
    let location = view.initialize_checkpoint(&identity).expect("its place is free");
    location.publish(&metadata(job, identity, shared)).expect("nothing is in the way")
}

/// Commits a published checkpoint and retains one.
pub(crate) fn commit(view: &dyn CoordinatorView, claimed: &ClaimedHead, published: RetainedSnapshot) -> WrittenHead {
    let write = claimed.commit(published, 1, &Collected::none()).expect("the samples commit in order");
    write_head(view, write)
}

pub(crate) fn write_head(view: &dyn CoordinatorView, write: HeadWrite) -> WrittenHead {
    match view.head().write(write) {
        HeadOutcome::Written(written) => written,
        other => panic!("expected HEAD to be written, found {other:?}"),
    }
}

/// Publishes and commits checkpoint `number`.
pub(crate) fn commit_next(
    view: &dyn CoordinatorView,
    claimed: &ClaimedHead,
    number: u64,
    shared: &[FileName],
) -> WrittenHead {
    let published = publish(view, claimed.head().job, identity(claimed, number), shared);
    commit(view, claimed, published)
}

/// Writes one exclusive and one shared piece of those bytes and seals them.
pub(crate) fn written_state(streams: &dyn StreamFactory, bytes: &[u8]) -> SubtaskState {
    try_write_state(streams, bytes).expect("the state is written and sealed")
}

/// The same, where it may fail.
pub(crate) fn try_write_state(streams: &dyn StreamFactory, bytes: &[u8]) -> Result<SubtaskState> {
    let mut staged = Vec::new();
    for scope in [StateScope::Exclusive, StateScope::Shared] {
        let mut stream = streams.create(scope)?;
        stream.write_all(bytes).map_err(|error| into_error(error, ErrorKind::AbortCheckpoint))?;
        staged.extend(stream.finish()?.map(operator_state));
    }
    let state = SubtaskState::new(Vec::new(), staged);
    let sealed = streams.seal(TaskSnapshot::new([(OPERATOR, state)].into()))?;
    Ok(sealed.into_operators().into_iter().map(|(_, state)| state).next().expect("the one operator"))
}

pub(crate) fn read_all(reader: &dyn StateReader, handle: &StateHandle) -> Vec<u8> {
    let mut bytes = Vec::new();
    reader.open(handle).expect("the state is there").read_to_end(&mut bytes).expect("the state can be read");
    bytes
}

/// What a location opens for that handle.
pub(super) fn opened(location: &dyn Location, handle: &StateHandle) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    location.open(handle)?.read_to_end(&mut bytes).expect("the state can be read");
    Ok(bytes)
}
