//! Checkpoints as a job takes them, through `ckpt-storage`: leaders claim HEAD, tasks write and seal, `_metadata` is
//! published, HEAD commits and removes, and what nothing names is deleted.

use std::io::{Read as _, Write as _};
use std::iter;
use std::sync::Arc;

use bytes::Bytes;
use ckpt_core::head::{Collected, Nonce, RetainedSnapshot, WrittenHead};
use ckpt_core::id::{CheckpointId, JobId, OperatorId, ReservedIds, Writer, WriterId};
use ckpt_core::key_group::MaxParallelism;
use ckpt_core::metadata::{CheckpointDescription, CheckpointMetadata, OperatorDescription};
use ckpt_core::shared::SharedStateRegistry;
use ckpt_core::snapshot::{
    CheckpointBarrier, CheckpointIdentity, CheckpointOptions, CheckpointProperties, LocationReference, RetentionPolicy,
    SnapshotKind,
};
use ckpt_core::state::{
    OperatorState, Partitions, Place, Places, Redistribution, ReusedFile, Root, StateHandle, SubtaskState, TaskSnapshot,
};
use ckpt_core::{Error, ErrorKind, Result, Timestamp};
use ckpt_storage::{
    CheckpointStorage as _, CoordinatorView, FileSystemStorage, HeadOutcome, Location, SHARED_DIRECTORY,
    StorageContext, WorkerView, claim,
};
use ckpt_streams::file_system::{FileSystem, FileSystems};
use ckpt_streams::testing::{Disk, FailingCalls, Injection, RefusingSpawn};
use ckpt_streams::{Staged, StateScope, StreamFactory, into_error};

use crate::draws::Draws;

pub(crate) const JOB: JobId = JobId::new([1; 16]);
pub(crate) const OPERATOR: OperatorId = OperatorId::new([7; 16]);
const WRITER: WriterId = WriterId::new(5);

/// What a checkpoint names: handles in their order, and the bytes that were written behind each.
pub(crate) type Pieces = Vec<(StateHandle, Bytes)>;

/// One leader's view, and that of its worker.
pub(crate) struct Leader {
    pub(crate) view: Arc<dyn CoordinatorView>,
    pub(crate) worker: Arc<dyn WorkerView>,
    pub(crate) written: WrittenHead,
    /// The numbers that are left to it.
    pub(crate) reserved: ReservedIds,
    registry: SharedStateRegistry,
    pub(crate) collected: Collected,
}

/// A checkpoint that a leader takes.
pub(crate) struct Checkpoint {
    identity: CheckpointIdentity,
    location: Arc<dyn Location>,
}

/// State that is written and not sealed.
pub(crate) struct StagedState {
    streams: Arc<dyn StreamFactory>,
    pieces: Vec<Staged>,
    written: Vec<Bytes>,
}

impl Leader {
    /// Takes the job over and learns which shared files are alive.
    pub(crate) fn claim(context: &StorageContext, nonce: u8) -> Result<Self> {
        let view = storage().coordinator_view(JOB, context)?;
        view.initialize_base_locations()?;
        let written = claim(&*view.head(), JOB, Nonce::new([nonce; 16]))?;
        let epoch = written.head.head().epoch;
        let worker = storage().worker_view(JOB, Writer::new(epoch, WRITER), context)?;
        let mut registry = SharedStateRegistry::new(epoch);
        let head = written.head.head();
        for snapshot in &head.retained {
            let metadata = view.load(snapshot)?;
            registry.restore(snapshot.id, |visit| metadata.visit_handles(visit))?;
        }
        registry.start_writer(WRITER).expect("it has not ended");
        let reserved = written.reserved.clone();
        Ok(Self { view, worker, written, reserved, registry, collected: Collected::none() })
    }

    /// Begins a checkpoint.
    pub(crate) fn begin(&mut self) -> Result<Checkpoint> {
        let head = self.written.head.head();
        let newest = head.retained.last().map(|snapshot| snapshot.id);
        let id = self.reserved.take().expect("more than a story takes");
        let identity = CheckpointIdentity::new(id, head.epoch, Timestamp::from_millis(id.get()), newest);
        let location = self.view.initialize_checkpoint(&identity)?;
        self.registry.begin(&identity, SnapshotKind::Checkpoint).expect("a new number");
        Ok(Checkpoint { identity, location })
    }

    /// Writes a piece of state of each scope.
    pub(crate) fn stage_state(&self, checkpoint: &Checkpoint, draws: &mut Draws) -> Result<StagedState> {
        let options = CheckpointOptions::aligned(SnapshotKind::Checkpoint, LocationReference::Default);
        let streams = self.worker.streams(&CheckpointBarrier::new(checkpoint.identity, options))?;
        let (mut pieces, mut written) = (Vec::new(), Vec::new());
        for scope in [StateScope::Exclusive, StateScope::Shared] {
            let state = draws.bytes(200);
            let mut stream = streams.create(scope)?;
            stream.write_all(&state).expect("room");
            pieces.extend(stream.finish()?);
            written.push(state);
        }
        Ok(StagedState { streams, pieces, written })
    }

    /// Writes and seals state of which some is in shared files of `base` already.
    pub(crate) fn write_state(
        &mut self,
        checkpoint: &Checkpoint,
        base: &Pieces,
        draws: &mut Draws,
    ) -> Result<(SubtaskState, Pieces)> {
        let StagedState { streams, pieces, written } = self.stage_state(checkpoint, draws)?;
        let of = |handle| OperatorState::new([("s", whole())].into(), handle);
        let snapshot =
            TaskSnapshot::new([(OPERATOR, SubtaskState::new(vec![], pieces.into_iter().map(of).collect()))].into());
        let sealed = streams.seal(snapshot)?;
        let mut pieces: Pieces = sealed.handles().cloned().zip(written).collect();
        let mut files = self.registry.acknowledge(checkpoint.id(), WRITER).expect("it is pending");
        for (handle, _) in &pieces {
            files.written(handle).expect("it was sealed by the writer");
        }
        for (handle, bytes) in base.iter().filter(|_| draws.below(3) > 0) {
            if let Place::File { root: Root::JobShared, file } = handle.place() {
                let reused = ReusedFile::whole(Root::JobShared, file.clone());
                pieces.push((files.reused(&reused).expect("the base names it"), bytes.clone()));
            }
        }
        files.accept();
        let of = |(handle, _): &(StateHandle, Bytes)| OperatorState::new([("s", whole())].into(), handle.clone());
        Ok((SubtaskState::new(vec![], pieces.iter().map(of).collect()), pieces))
    }

    /// Commits a checkpoint, which subsumes the oldest of those that are too many.
    pub(crate) fn commit(&mut self, published: RetainedSnapshot, retain: usize) -> Result<()> {
        let write = self.written.head.commit(published, retain, &self.collected)?;
        self.written = written(self.view.head().write(write))?;
        self.registry.head_written(&self.written);
        Ok(())
    }

    /// Deletes a checkpoint that will not be committed.
    pub(crate) fn give_up(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        checkpoint.location.discard()?;
        let files = self.registry.release(checkpoint.id());
        self.view.remove_files(&files)
    }

    /// Deletes what former leaders have left.
    pub(crate) fn collect(&mut self) -> Result<()> {
        let view = Arc::clone(&self.view);
        self.collect_by(&*view)
    }

    /// The same as another process sees the disk.
    pub(crate) fn collect_by(&mut self, view: &dyn CoordinatorView) -> Result<()> {
        let retained = self.written.head.head().retained.iter();
        let retained: Vec<_> =
            retained.map(|snapshot| self.view.load(snapshot).map(Arc::new)).collect::<Result<_>>()?;
        view.collect_orphans(self.written.head.head(), &retained)?;
        self.remove_by(view)
    }

    /// Deletes what HEAD has removed.
    pub(crate) fn remove(&mut self) -> Result<()> {
        let view = Arc::clone(&self.view);
        self.remove_by(&*view)
    }

    /// The same as another process sees the disk.
    pub(crate) fn remove_by(&mut self, view: &dyn CoordinatorView) -> Result<()> {
        for removed in self.written.all_removed() {
            if let Some(files) = self.registry.remove(&removed) {
                view.remove(&removed, &files)?;
                self.collected.snapshots.push(removed.snapshot().id);
            }
        }
        Ok(())
    }

    /// Has HEAD forget what is gone.
    pub(crate) fn forget_collected(&mut self) -> Result<()> {
        let write = self.written.head.collected(&self.collected)?;
        self.written = written(self.view.head().write(write))?;
        Ok(())
    }
}

impl Checkpoint {
    pub(crate) const fn id(&self) -> CheckpointId {
        self.identity.id
    }

    /// Publishes its metadata.
    pub(crate) fn publish(&self, state: &SubtaskState) -> Result<RetainedSnapshot> {
        let properties = CheckpointProperties::checkpoint(RetentionPolicy::default());
        self.location.publish(&metadata_with(self.identity, properties, Some(state))?)
    }
}

/// Reads all that a retained checkpoint names, as a restore does.
pub(crate) fn read_all(leader: &Leader, id: CheckpointId) -> Result<Pieces> {
    let snapshot = leader.written.head.head().retained.iter().find(|snapshot| snapshot.id == id);
    let metadata = leader.view.load(snapshot.expect("it is retained"))?;
    let reader = leader.worker.reader(id, &Places::default())?;
    let mut found = Vec::new();
    for handle in handles_of(&metadata)? {
        let mut bytes = Vec::new();
        let mut stream = reader.open(&handle)?;
        stream.read_to_end(&mut bytes).map_err(|error| into_error(error, ErrorKind::Retry))?;
        found.push((handle, Bytes::from(bytes)));
    }
    Ok(found)
}

pub(crate) fn written(outcome: HeadOutcome) -> Result<WrittenHead> {
    match outcome {
        HeadOutcome::Written(written) => Ok(written),
        HeadOutcome::Fenced(error) | HeadOutcome::Failed(error) | HeadOutcome::Unknown(error) => Err(error),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn storage() -> FileSystemStorage {
    FileSystemStorage::new("sim:///base").with_inline_threshold_bytes(0)
}

/// A process that sees this disk alone.
pub(crate) fn context(disk: &Disk) -> StorageContext {
    let (mut file_systems, disk) = (FileSystems::local(), disk.clone());
    let opener = move |location: &str| {
        let path = location.trim_start_matches("sim://");
        Ok(Arc::new(disk.open(path)?) as Arc<dyn FileSystem>)
    };
    file_systems.register("sim", opener).expect("a new scheme");
    StorageContext::new(Arc::new(file_systems), Arc::new(RefusingSpawn::new()))
}

/// A process whose calls fail as those do.
pub(crate) fn context_of(calls: &Arc<FailingCalls>) -> StorageContext {
    let (mut file_systems, calls) = (FileSystems::local(), Arc::clone(calls));
    let opener =
        move |location: &str| Ok(Arc::new(calls.open(location.trim_start_matches("sim://"))?) as Arc<dyn FileSystem>);
    file_systems.register("sim", opener).expect("a new scheme");
    StorageContext::new(Arc::new(file_systems), Arc::new(RefusingSpawn::new()))
}

/// The job as a process sees it that dies of this.
pub(crate) fn dying(disk: &Disk, injection: Injection) -> Result<Arc<dyn CoordinatorView>> {
    storage().coordinator_view(JOB, &context_of(&Arc::new(FailingCalls::on(disk, injection))))
}

pub(crate) fn metadata_with(
    identity: CheckpointIdentity,
    properties: CheckpointProperties,
    state: Option<&SubtaskState>,
) -> Result<CheckpointMetadata> {
    let mut builder = CheckpointMetadata::builder(CheckpointDescription::new(JOB, identity, properties))?;
    let operator = OperatorDescription::new(OPERATOR, "operator", 1, MaxParallelism::new(128)?);
    let mut operator = builder.operator(&operator)?;
    if let Some(state) = state {
        operator.subtask(0, state)?;
    }
    builder.finish(Timestamp::from_millis(identity.triggered_at.millis() + 1))
}

pub(crate) fn handles_of(metadata: &CheckpointMetadata) -> Result<Vec<StateHandle>> {
    let mut handles = Vec::new();
    metadata.visit_handles(&mut |handle| handles.push(handle.to_handle()))?;
    Ok(handles)
}

pub(crate) fn path_of(id: CheckpointId, handle: &StateHandle) -> Option<String> {
    match handle.place() {
        Place::File { root: Root::ThisSnapshot, file } => Some(format!("chk-{id}/{file}")),
        Place::File { root: Root::JobShared, file } => Some(format!("{SHARED_DIRECTORY}/{file}")),
        _ => None,
    }
}

pub(crate) fn whole() -> Partitions {
    Partitions::new(iter::once(0..1), Redistribution::Split).expect("one partition")
}

/// An error and what it came of.
pub(crate) fn said(error: &Error) -> String {
    let mut said = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        said = format!("{said}: {error}");
        source = error.source();
    }
    said
}
