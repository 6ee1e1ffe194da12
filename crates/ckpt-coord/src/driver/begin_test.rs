//! Jobs that begin from what another one left, under leaders that die.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ckpt_core::Timestamp;
use ckpt_core::config::CheckpointConfig;
use ckpt_core::graph::{JobGraph, Vertex};
use ckpt_core::head::{ClaimMode, Collected, Head, JobState, Nonce};
use ckpt_core::id::{AttemptId, CheckpointId, JobId, OperatorId, TaskAttempt, TaskId, VertexId, Writer, WriterId};
use ckpt_core::key_group::MaxParallelism;
use ckpt_core::message::{Acknowledge, Decline, DeclineReason, ToCoordinator, ToTask};
use ckpt_core::metadata::{CheckpointDescription, CheckpointMetadata};
use ckpt_core::snapshot::{
    CheckpointBarrier, CheckpointIdentity, CheckpointProperties, JobEnd, RetentionPolicy, SnapshotKind,
};
use ckpt_core::state::{
    FileView, IncrementalState, KeyedState, Place, ReusedFile, Root, SharedFile, StateHandle, SubtaskState,
    TaskSnapshot,
};
use ckpt_storage::{CheckpointStorage, FileSystemStorage, HeadOutcome, Start, StorageContext, ThreadWait, WorkerView};
use ckpt_streams::file_system::FileSystems;
use ckpt_streams::{Pool, PoolOptions, StateScope};
use parking_lot::Mutex;

use crate::driver::{ClaimedJob, Driver, DriverHandle, DriverOptions, ManualTrigger, RecoveryOptions};
use crate::gateway::{CoordinatorGateway, TaskGateway};

const FORMER: JobId = JobId::new([7; 16]);
const JOB: JobId = JobId::new([8; 16]);
const VERTEX: VertexId = VertexId::new([1; 16]);
const OPERATOR: OperatorId = OperatorId::new([1; 16]);

fn max_parallelism() -> MaxParallelism {
    MaxParallelism::new(128).unwrap()
}

/// What the task does with a trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    Acknowledges,
    Declines,
    Nothing,
}

/// The one task of the job: each checkpoint has a file of its own and one that the next may name again.
#[derive(Debug)]
struct Task {
    worker: Arc<dyn WorkerView>,
    writer: WriterId,
    driver: Mutex<Option<DriverHandle>>,
    barriers: Mutex<Vec<CheckpointBarrier>>,
    /// The files that each checkpoint names that it may be based on.
    shared: Mutex<BTreeMap<CheckpointId, Vec<ReusedFile>>>,
    does: Mutex<Does>,
}

impl Task {
    fn snapshot(&self, barrier: &CheckpointBarrier) -> TaskSnapshot {
        let streams = self.worker.streams(barrier).unwrap();
        let write = |scope| {
            let mut stream = streams.create(scope).unwrap();
            stream.write_all(&[3; 50_000]).unwrap();
            stream.finish().unwrap().unwrap()
        };
        let range = max_parallelism().range_of(0, 1).unwrap();
        let mut files = BTreeMap::from([("new".to_owned(), SharedFile::Written(write(StateScope::Shared)))]);
        let known = self.shared.lock();
        for (number, reused) in barrier.base().and_then(|base| known.get(&base)).into_iter().flatten().enumerate() {
            files.insert(format!("again-{number}"), SharedFile::Reused(reused.clone()));
        }
        let private = BTreeMap::from([("own".to_owned(), write(StateScope::Exclusive))]);
        let meta = write(StateScope::Exclusive);
        let state = KeyedState::Incremental(IncrementalState::new(OPERATOR, range, files.into(), private.into(), meta));
        streams.seal(TaskSnapshot::new([(OPERATOR, SubtaskState::new(vec![state], vec![]))].into())).unwrap()
    }
}

impl Task {
    /// All of it can be restored, wherever it lies.
    fn check_readable(&self, metadata: &CheckpointMetadata) {
        let summary = metadata.summary();
        let reader = self.worker.reader(summary.identity.id, &summary.places).unwrap();
        let mut files = 0;
        metadata
            .visit_handles(&mut |handle| {
                let mut bytes = Vec::new();
                reader.open(&handle.to_handle()).unwrap().read_to_end(&mut bytes).unwrap();
                assert_eq!(bytes, [3; 50_000]);
                files += 1;
            })
            .unwrap();
        assert!(files > 2, "{files}");
    }
}

impl TaskGateway for Task {
    fn send(&self, to: &TaskAttempt, message: ToTask) {
        let ToTask::Trigger(barrier) = message else { return };
        let (epoch, id) = (barrier.identity.epoch, barrier.id());
        let answer = match *self.does.lock() {
            Does::Nothing => None,
            Does::Declines => Some(ToCoordinator::Decline(Decline::new(
                epoch,
                id,
                *to,
                DeclineReason::SnapshotFailed,
                "the disk is full",
            ))),
            Does::Acknowledges => {
                let snapshot = self.snapshot(&barrier);
                let reused = snapshot.handles().filter_map(as_shared).collect();
                self.shared.lock().insert(id, reused);
                Some(ToCoordinator::Acknowledge(Acknowledge::new(epoch, id, *to, self.writer, snapshot)))
            }
        };
        self.barriers.lock().push(barrier);
        if let (Some(driver), Some(answer)) = (&*self.driver.lock(), answer) {
            driver.send(answer);
        }
    }
}

/// The name by which a checkpoint may name that file again.
fn as_shared(handle: &StateHandle) -> Option<ReusedFile> {
    match handle.place() {
        Place::File { root: root @ (Root::JobShared | Root::Claimed(_)), file } => {
            Some(ReusedFile::whole(*root, file.clone()))
        }
        _ => None,
    }
}

struct Running {
    driver: Driver,
    task: Arc<Task>,
}

impl Running {
    fn checkpoint(&self, trigger: ManualTrigger) -> ckpt_core::Result<CheckpointId> {
        let completed = self.driver.handle().trigger_checkpoint(trigger).wait().unwrap();
        completed.map(|completed| completed.identity.id)
    }

    fn end(&self, end: JobEnd) {
        self.driver.handle().end(end, RetentionPolicy::RetainOnCancellation).wait().unwrap().unwrap();
    }

    fn kinds(&self) -> Vec<(SnapshotKind, Option<CheckpointId>)> {
        let barriers = self.task.barriers.lock();
        barriers.iter().map(|barrier| (barrier.options.kind(), barrier.base())).collect()
    }
}

struct Rig {
    directory: tempfile::TempDir,
    storage: FileSystemStorage,
    context: StorageContext,
}

impl Rig {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let storage = FileSystemStorage::new(directory.path().to_str().unwrap());
        let pool = Arc::new(Pool::new(PoolOptions::default()).unwrap());
        Self { directory, storage, context: StorageContext::new(Arc::new(FileSystems::local()), pool) }
    }

    fn run(&self, claimed: ClaimedJob, job: JobId) -> Running {
        let writer = WriterId::new(1);
        let worker = self.storage.worker_view(job, Writer::new(claimed.epoch(), writer), &self.context).unwrap();
        let restored = claimed.newest().map(|metadata| (metadata.summary().identity.id, shared_of(metadata)));
        let task = Arc::new(Task {
            worker,
            writer,
            driver: Mutex::default(),
            barriers: Mutex::default(),
            shared: Mutex::new(restored.into_iter().collect()),
            does: Mutex::new(Does::Acknowledges),
        });
        let graph = JobGraph::new(vec![Vertex::single(VERTEX, "keyed", 1, max_parallelism())], vec![]).unwrap();
        let options = DriverOptions::new(Arc::clone(&task) as Arc<dyn TaskGateway>, Arc::clone(&self.context.spawn));
        let driver = Driver::start(claimed, Arc::new(graph), CheckpointConfig::default(), options).unwrap();
        *task.driver.lock() = Some(driver.handle());
        let attempt = TaskId::new(VERTEX, 0).attempt(AttemptId::new(1));
        driver.handle().attempts_started(vec![(attempt, writer)]).wait().unwrap().unwrap();
        Running { driver, task }
    }

    /// A job takes two checkpoints, of which the second names a file of the first, and is cancelled.
    fn left(&self) -> PathBuf {
        let view = self.storage.coordinator_view(FORMER, &self.context).unwrap();
        let recovery = RecoveryOptions::default();
        let claimed = ClaimedJob::claim(view, FORMER, Nonce::new([1; 16]), &recovery, &self.context);
        let running = self.run(claimed.unwrap(), FORMER);
        running.checkpoint(ManualTrigger::Configured).unwrap();
        let id = running.checkpoint(ManualTrigger::Configured).unwrap();
        running.end(JobEnd::Cancelled);
        self.directory.path().join(FORMER.to_string()).join(format!("chk-{id}"))
    }

    fn begin(&self, pointer: &Path, mode: ClaimMode, nonce: u8) -> ClaimedJob {
        let view = self.storage.coordinator_view(JOB, &self.context).unwrap();
        let start = Start::new(pointer.to_str().unwrap(), mode, Timestamp::from_millis(1));
        let (nonce, recovery) = (Nonce::new([nonce; 16]), RecoveryOptions::default());
        ClaimedJob::begin_from(view, JOB, nonce, &start, &recovery, &self.context, &ThreadWait).unwrap()
    }

    fn head(&self, job: JobId) -> Head {
        self.storage.coordinator_view(job, &self.context).unwrap().head().read().unwrap().unwrap()
    }

    /// The files of the job that has ended, but for its HEAD.
    fn former_files(&self) -> BTreeSet<PathBuf> {
        let job = self.directory.path().join(FORMER.to_string());
        let mut files = BTreeSet::new();
        for directory in fs::read_dir(job).unwrap().map(|entry| entry.unwrap().path()) {
            if !directory.ends_with("head") {
                files.extend(fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()));
            }
        }
        files
    }
}

fn shared_of(metadata: &CheckpointMetadata) -> Vec<ReusedFile> {
    let mut shared = Vec::new();
    metadata
        .visit_handles(&mut |handle| {
            if let Some((root @ (Root::JobShared | Root::Claimed(_)), file @ FileView::Ours(_))) = handle.file() {
                shared.push(ReusedFile::whole(root, file.to_file()));
            }
        })
        .unwrap();
    shared
}

/// The duty is in HEAD: Flink's coordinator kept it in memory, and a job that failed over before its first checkpoint was
/// complete took an incremental one.
#[test]
fn after_no_claim_the_first_checkpoint_is_full_under_however_many_leaders() {
    let rig = Rig::new();
    let pointer = rig.left();
    let before = rig.former_files();
    for (nonce, does) in [(2, Does::Nothing), (3, Does::Declines), (4, Does::Nothing), (5, Does::Acknowledges)] {
        let claimed = rig.begin(&pointer, ClaimMode::NoClaim, nonce);
        assert!(claimed.head().requires_full_checkpoint());
        assert_eq!(claimed.fenced(), None);
        let restored = Arc::clone(claimed.newest().unwrap());
        let running = rig.run(claimed, JOB);
        running.task.check_readable(&restored);
        *running.task.does.lock() = does;
        let pending = running.driver.handle().trigger_checkpoint(ManualTrigger::Configured);
        match does {
            Does::Acknowledges => drop(pending.wait().unwrap().unwrap()),
            Does::Declines => drop(pending.wait().unwrap().unwrap_err()),
            // The leader dies while it waits.
            Does::Nothing => drop(running.driver.handle().shut_down().wait().unwrap()),
        }
        let kinds = running.kinds();
        assert_eq!(kinds, vec![(SnapshotKind::FullCheckpoint, None); kinds.len()]);
        if does == Does::Acknowledges {
            let first = rig.head(JOB).restore_point().unwrap().clone();
            assert_eq!((first.kind, first.claims.len()), (SnapshotKind::FullCheckpoint, 0));
            running.checkpoint(ManualTrigger::Configured).unwrap();
            assert_eq!(running.kinds().last(), Some(&(SnapshotKind::Checkpoint, Some(first.id))));
            running.end(JobEnd::Finished);
        }
        assert_eq!(rig.former_files(), before, "what is borrowed stays");
    }
    let head = rig.head(JOB);
    assert_eq!((head.state, head.retained.len(), head.removed.len()), (JobState::Finished, 0, 0));
}

#[test]
fn a_claimed_checkpoint_is_the_base_of_the_next_and_goes_when_nothing_names_it() {
    let rig = Rig::new();
    let pointer = rig.left();
    let before = rig.former_files();
    let claimed = rig.begin(&pointer, ClaimMode::Claim, 2);
    let origin = claimed.newest().unwrap().summary().identity.id;
    let claimed_files = shared_of(claimed.newest().unwrap());
    // Two that are shared, and two of its own, which are as good as shared from now on.
    assert_eq!(claimed_files.len(), 4);
    let restored = Arc::clone(claimed.newest().unwrap());
    let running = rig.run(claimed, JOB);
    running.task.check_readable(&restored);
    let first = running.checkpoint(ManualTrigger::Configured).unwrap();
    assert_eq!(running.kinds(), [(SnapshotKind::Checkpoint, Some(origin))]);
    // What it began from is subsumed, and its leader dies.
    drop(running);
    let again = rig.begin(&pointer, ClaimMode::Claim, 3);
    let newest = again.newest().unwrap();
    assert_eq!(newest.summary().identity.id, first);
    let again_files = shared_of(newest);
    assert!(claimed_files.iter().all(|file| again_files.contains(file)), "{again_files:?}");
    assert_eq!(rig.former_files().len(), before.len() - 1, "'_metadata' is gone");
    let running = rig.run(again, JOB);
    running.checkpoint(ManualTrigger::Full).unwrap();
    running.end(JobEnd::Finished);
    let head = rig.head(JOB);
    assert!(head.claims.is_empty() && head.released_claims.is_empty() && head.removed.is_empty(), "{head:?}");
    assert!(rig.head(FORMER).handed_over.is_empty());
    assert_eq!(rig.former_files(), BTreeSet::new());
}

/// The leader that removed it died before it had deleted a file: the next one knows what it named.
#[test]
fn what_a_former_leader_removed_of_a_claimed_place_goes_with_the_next() {
    let rig = Rig::new();
    let pointer = rig.left();
    let files = rig.former_files();
    let claimed = rig.begin(&pointer, ClaimMode::Claim, 2);
    let head = claimed.written.head.clone();
    let identity = CheckpointIdentity::new(
        claimed.written.reserved.clone().take().unwrap(),
        claimed.epoch(),
        Timestamp::from_millis(1),
        None,
    );
    let description = CheckpointDescription::new(JOB, identity, CheckpointProperties::checkpoint(Default::default()));
    let metadata = CheckpointMetadata::builder(description).unwrap().finish(Timestamp::from_millis(2)).unwrap();
    let published = claimed.view.initialize_checkpoint(&identity).unwrap().publish(&metadata).unwrap();
    let write = head.commit(published, 1, &Collected::none()).unwrap();
    assert!(matches!(claimed.view.head().write(write), HeadOutcome::Written(_)));
    assert_eq!(rig.former_files(), files);
    let running = rig.run(rig.begin(&pointer, ClaimMode::Claim, 3), JOB);
    running.end(JobEnd::Finished);
    assert_eq!(rig.former_files(), BTreeSet::new());
    assert!(rig.head(FORMER).handed_over.is_empty() && rig.head(JOB).removed.is_empty());
}
