//! Checkpoints as a job takes them, through `ckpt-storage`: leaders claim HEAD, tasks write and seal, `_metadata` is
//! published, HEAD commits and removes, and what nothing names is deleted.

use std::collections::{BTreeMap, BTreeSet};
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
    OperatorState, Partitions, Place, Places, Redistribution, Root, StateHandle, SubtaskState, TaskSnapshot,
};
use ckpt_core::{Result, Timestamp};
use ckpt_storage::{
    CheckpointStorage as _, CoordinatorView, FileSystemStorage, HEAD_DIRECTORY, HeadOutcome, METADATA_FILE,
    SHARED_DIRECTORY, StorageContext, WorkerView, claim,
};
use ckpt_streams::StateScope;
use ckpt_streams::file_system::{FileSystem, FileSystems};
use ckpt_streams::testing::{Disk, Image, RefusingSpawn};

use crate::draws::Draws;
use crate::scenario::Tale;

pub(crate) const JOB: JobId = JobId::new([1; 16]);
pub(crate) const OPERATOR: OperatorId = OperatorId::new([7; 16]);
const WRITER: WriterId = WriterId::new(5);

/// What leaders, one after the other, did.
pub(crate) struct Jobs {
    disk: Disk,
    draws: Draws,
    /// When each commit was begun, in their order.
    begun: Vec<(usize, CheckpointId)>,
    /// When each commit was announced.
    announced: Vec<(usize, CheckpointId)>,
    /// What was written as state of each checkpoint that was to be committed.
    states: BTreeMap<CheckpointId, Vec<Bytes>>,
}

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

/// What is wrong with an image.
#[derive(Debug, thiserror::Error)]
enum Wrong {
    #[error("checkpoint {announced} was announced, and HEAD commits up to {found:?}")]
    NotCommitted { announced: CheckpointId, found: Option<CheckpointId> },
    #[error("HEAD commits {found}, which nobody had begun to commit")]
    NotBegun { found: CheckpointId },
    #[error("checkpoint {id}, which HEAD retains, cannot be resolved: {error}")]
    Unresolved { id: CheckpointId, error: String },
    #[error("checkpoint {id}, which HEAD retains, has other state than was written")]
    OtherState { id: CheckpointId },
    #[error("'{path}' is named by nothing and cannot be collected")]
    NotCollected { path: String },
    #[error("'{path}' was collected, and a retained checkpoint names it")]
    Collected { path: String },
    #[error("what is left cannot be used: {0}")]
    Unusable(#[from] ckpt_core::Error),
}

/// Some checkpoints of some leaders.
pub(crate) fn tell(seed: u64) -> Box<dyn Tale> {
    let (begun, announced, states) = (Vec::new(), Vec::new(), BTreeMap::new());
    let mut jobs = Jobs { disk: Disk::new(), draws: Draws::new(seed), begun, announced, states };
    let mut leader = Leader::claim(&jobs.disk, 1).expect("a disk that works");
    for _ in 0..1 + jobs.draws.below(3) {
        jobs.checkpoint(&mut leader).expect("a disk that works");
        if jobs.draws.below(3) == 0 {
            let nonce = 1 + u8::try_from(jobs.begun.len()).unwrap_or(0);
            leader = Leader::claim(&jobs.disk, nonce).expect("a disk that works");
            leader.collect().expect("a disk that works");
        }
    }
    Box::new(jobs)
}

impl Jobs {
    /// One checkpoint: committed, or given up before its metadata is published or after.
    fn checkpoint(&mut self, leader: &mut Leader) -> Result<()> {
        let head = leader.written.head.head();
        let newest = head.retained.last().map(|snapshot| snapshot.id);
        let id = leader.reserved.take().expect("more than a story takes");
        let identity = CheckpointIdentity::new(id, head.epoch, Timestamp::from_millis(id.get()), newest);
        let options = CheckpointOptions::aligned(SnapshotKind::Checkpoint, LocationReference::Default);
        let location = leader.view.initialize_checkpoint(&identity)?;
        leader.registry.begin(&identity, SnapshotKind::Checkpoint).expect("a new number");

        let streams = leader.worker.streams(&CheckpointBarrier::new(identity, options))?;
        let (mut pieces, mut states) = (Vec::new(), Vec::new());
        for scope in [StateScope::Exclusive, StateScope::Shared] {
            let state = self.draws.bytes(200);
            let mut stream = streams.create(scope)?;
            stream.write_all(&state).expect("room");
            pieces.extend(stream.finish()?);
            states.push(state);
        }
        if self.draws.below(5) == 0 {
            drop(pieces);
            return self.give_up(leader, id, &*location);
        }
        let pieces = pieces.into_iter().map(|staged| OperatorState::new([("s", whole())].into(), staged)).collect();
        let snapshot = TaskSnapshot::new([(OPERATOR, SubtaskState::new(Vec::new(), pieces))].into());
        let sealed = streams.seal(snapshot)?;
        let mut files = leader.registry.acknowledge(id, WRITER).expect("it is pending");
        for handle in sealed.handles() {
            files.written(handle).expect("it was sealed by the writer");
        }
        files.accept();
        if self.draws.below(5) == 0 {
            return self.give_up(leader, id, &*location);
        }
        let published = location.publish(&metadata_of(identity, sealed.operators().values().next())?)?;
        self.states.insert(id, states);
        self.commit(leader, published)
    }

    fn give_up(&self, leader: &mut Leader, id: CheckpointId, location: &dyn ckpt_storage::Location) -> Result<()> {
        location.discard()?;
        let files = leader.registry.release(id);
        leader.view.remove_files(&files)
    }

    fn commit(&mut self, leader: &mut Leader, published: RetainedSnapshot) -> Result<()> {
        let id = published.id;
        let write = leader.written.head.commit(published, 1, &leader.collected)?;
        self.begun.push((self.disk.done(), id));
        leader.written = written(leader.view.head().write(write))?;
        self.announced.push((self.disk.done(), id));
        leader.registry.head_written(&leader.written);
        leader.remove()
    }

    fn check_image(&self, image: &Image) -> Result<(), Wrong> {
        // As another process: it claims, reads what it could restore, and collects.
        let nonce = 200;
        let before = view(&image.disk)?.head().read()?;
        let announced = self.announced.iter().filter(|(done, _)| *done <= image.done).map(|(_, id)| *id).max();
        let begun: BTreeSet<_> = self.begun.iter().filter(|(done, _)| *done <= image.done).map(|(_, id)| *id).collect();
        let found = before.as_ref().and_then(|head| head.retained.last()).map(|snapshot| snapshot.id);
        match announced {
            Some(announced) if found < Some(announced) => return Err(Wrong::NotCommitted { announced, found }),
            _ => {}
        }
        if let Some(found) = found.filter(|found| !begun.contains(found)) {
            return Err(Wrong::NotBegun { found });
        }
        let mut leader = Leader::claim(&image.disk, nonce)?;
        let mut named = self.resolve(&leader)?;
        leader.collect()?;
        named.extend(self.resolve(&leader)?);
        self.check_files(&image.disk, &named)
    }

    /// Reads all that HEAD retains as a restore does. Returns the files that it names.
    fn resolve(&self, leader: &Leader) -> Result<BTreeSet<String>, Wrong> {
        let mut named = BTreeSet::new();
        for snapshot in &leader.written.head.head().retained {
            let id = snapshot.id;
            let unresolved = |error: ckpt_core::Error| Wrong::Unresolved { id, error: error.to_string() };
            let metadata = leader.view.load(snapshot).map_err(unresolved)?;
            let reader = leader.worker.reader(id, &Places::default())?;
            let mut found = Vec::new();
            for handle in handles_of(&metadata)? {
                let mut bytes = Vec::new();
                let mut stream = reader.open(&handle).map_err(unresolved)?;
                stream.read_to_end(&mut bytes).map_err(|error| Wrong::Unresolved { id, error: error.to_string() })?;
                found.push(Bytes::from(bytes));
                named.extend(path_of(id, &handle));
            }
            if self.states.get(&id) != Some(&found) {
                return Err(Wrong::OtherState { id });
            }
            named.insert(format!("chk-{id}/{METADATA_FILE}"));
        }
        Ok(named)
    }

    /// Once a leader has collected there is HEAD, and what retained checkpoints name.
    fn check_files(&self, disk: &Disk, named: &BTreeSet<String>) -> Result<(), Wrong> {
        let files = disk.open(format!("/base/{JOB}"))?.list(None, None, usize::MAX)?;
        let found: BTreeSet<String> = files.into_iter().map(|entry| entry.path.to_string()).collect();
        let of_head = format!("{HEAD_DIRECTORY}/");
        if let Some(path) = found.difference(named).find(|path| !path.starts_with(&of_head)) {
            return Err(Wrong::NotCollected { path: path.clone() });
        }
        match named.difference(&found).next() {
            Some(path) => Err(Wrong::Collected { path: path.clone() }),
            None => Ok(()),
        }
    }
}

impl Tale for Jobs {
    fn disk(&self) -> &Disk {
        &self.disk
    }

    fn epoch(&self, done: usize) -> usize {
        self.begun.iter().chain(&self.announced).filter(|(at, _)| *at <= done).count()
    }

    fn check(&self, image: &Image) -> Result<(), String> {
        self.check_image(image).map_err(|wrong| wrong.to_string())
    }
}

impl Leader {
    /// Takes the job over and learns which shared files are alive.
    pub(crate) fn claim(disk: &Disk, nonce: u8) -> Result<Self> {
        let view = view(disk)?;
        view.initialize_base_locations()?;
        let written = claim(&*view.head(), JOB, Nonce::new([nonce; 16]))?;
        let epoch = written.head.head().epoch;
        let worker = storage().worker_view(JOB, Writer::new(epoch, WRITER), &context(disk))?;
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

    /// Deletes what former leaders have left.
    pub(crate) fn collect(&mut self) -> Result<()> {
        let retained = self.written.head.head().retained.iter();
        let retained: Vec<_> =
            retained.map(|snapshot| self.view.load(snapshot).map(Arc::new)).collect::<Result<_>>()?;
        self.view.collect_orphans(self.written.head.head(), &retained)?;
        self.remove()
    }

    /// Deletes what HEAD has removed.
    fn remove(&mut self) -> Result<()> {
        for removed in self.written.all_removed() {
            if let Some(files) = self.registry.remove(&removed) {
                self.view.remove(&removed, &files)?;
                self.collected.snapshots.push(removed.snapshot().id);
            }
        }
        Ok(())
    }
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

fn view(disk: &Disk) -> Result<Arc<dyn CoordinatorView>> {
    storage().coordinator_view(JOB, &context(disk))
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

fn metadata_of(identity: CheckpointIdentity, state: Option<&SubtaskState>) -> Result<CheckpointMetadata> {
    metadata_with(identity, CheckpointProperties::checkpoint(RetentionPolicy::default()), state)
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

fn path_of(id: CheckpointId, handle: &StateHandle) -> Option<String> {
    match handle.place() {
        Place::File { root: Root::ThisSnapshot, file } => Some(format!("chk-{id}/{file}")),
        Place::File { root: Root::JobShared, file } => Some(format!("{SHARED_DIRECTORY}/{file}")),
        _ => None,
    }
}

pub(crate) fn whole() -> Partitions {
    Partitions::new(iter::once(0..1), Redistribution::Split).expect("one partition")
}
