//! An acknowledgement that is too long for a message goes through a file, from a task to the restore, over frames as they
//! cross processes.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ckpt_coord::driver::{ClaimedJob, Driver, DriverHandle, DriverOptions, ManualTrigger, RecoveryOptions};
use ckpt_coord::task::{CapturedState, CheckpointedTask, TaskCheckpoints, TaskOptions};
use ckpt_coord::{CompletedCheckpoint, CoordinatorGateway, TaskGateway, restore};
use ckpt_core::config::CheckpointConfig;
use ckpt_core::graph::{JobGraph, Vertex};
use ckpt_core::head::Nonce;
use ckpt_core::id::{AttemptId, JobId, OperatorId, TaskAttempt, TaskId, VertexId, WriterId};
use ckpt_core::key_group::MaxParallelism;
use ckpt_core::message::{FrameReader, Marker, SpilledAcknowledge, ToCoordinator, ToTask};
use ckpt_core::snapshot::CheckpointBarrier;
use ckpt_core::state::{OperatorState, Partitions, Redistribution, SortedMap, SubtaskState, TaskRestore, TaskSnapshot};
use ckpt_core::{ErrorKind, Result};
use ckpt_storage::{CheckpointStorage, FileSystemStorage, StorageContext};
use ckpt_streams::file_system::FileSystems;
use ckpt_streams::{Pool, PoolOptions, Spawn, Staged, StateScope, StreamFactory};
use crossbeam_channel::{Receiver, Sender, unbounded};
use parking_lot::Mutex;

const JOB: JobId = JobId::new([9; 16]);
const VERTEX: VertexId = VertexId::new([1; 16]);
const LIMIT: usize = FrameReader::DEFAULT_LIMIT_BYTES;

/// What the disk holds between a task's acknowledgement and its reading.
type Tamper = Box<dyn Fn(&SpilledAcknowledge) + Send + Sync>;

/// The way to the coordinator: frames, as if over a network.
struct Wire {
    driver: DriverHandle,
    sent: Mutex<Vec<(&'static str, usize)>>,
    tamper: Tamper,
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wire").finish_non_exhaustive()
    }
}

impl CoordinatorGateway for Wire {
    fn send(&self, message: ToCoordinator) {
        let frame = message.encode(LIMIT).unwrap();
        let kind = match &message {
            ToCoordinator::Acknowledge(_) => "acknowledge",
            ToCoordinator::AcknowledgeSpilled(spilled) => {
                (self.tamper)(spilled);
                "spilled"
            }
            ToCoordinator::Decline(_) => "decline",
            other => panic!("{other:?}"),
        };
        self.sent.lock().push((kind, frame.len()));
        self.driver.send(ToCoordinator::decode(&frame, LIMIT).unwrap());
    }
}

#[derive(Debug)]
struct ToTasks(Sender<ToTask>);

impl TaskGateway for ToTasks {
    fn send(&self, _to: &TaskAttempt, message: ToTask) {
        let frame = message.encode(LIMIT).unwrap();
        self.0.send(ToTask::decode(&frame, LIMIT).unwrap()).unwrap();
    }
}

/// A source whose state is so many pieces of so many bytes.
#[derive(Clone, Copy)]
struct Source {
    pieces: usize,
    piece_bytes: usize,
}

impl Source {
    fn piece(self, number: usize) -> Vec<u8> {
        (0..self.piece_bytes).map(|at| (at + number) as u8).collect()
    }
}

impl CheckpointedTask for Source {
    fn capture(&mut self, _: &CheckpointBarrier) -> Result<Box<dyn CapturedState>> {
        Ok(Box::new(*self))
    }

    fn forward(&mut self, _: &Marker) -> Result<()> {
        Ok(())
    }

    fn block(&mut self, _: u32) {}

    fn unblock_all(&mut self) {}
}

impl CapturedState for Source {
    fn write(self: Box<Self>, streams: &dyn StreamFactory) -> Result<TaskSnapshot<Staged>> {
        let mut states = Vec::new();
        for number in 0..self.pieces {
            let mut stream = streams.create(StateScope::Exclusive)?;
            stream.write_all(&self.piece(number)).unwrap();
            let all = Partitions::new(std::iter::once(0..self.piece_bytes as u64), Redistribution::Split)?;
            let named = SortedMap::from([(format!("piece {number}").into_boxed_str(), all)]);
            states.push(OperatorState::new(named, stream.finish()?.unwrap()));
        }
        Ok(TaskSnapshot::new([(operator(), SubtaskState::new(vec![], states))].into()))
    }
}

fn operator() -> OperatorId {
    OperatorId::new(VERTEX.bytes())
}

fn deployment() -> (TaskAttempt, WriterId) {
    (TaskId::new(VERTEX, 0).attempt(AttemptId::new(1)), WriterId::new(5))
}

/// A job of one source, deployed on a directory.
struct Running {
    driver: Driver,
    to_task: Receiver<ToTask>,
    wire: Arc<Wire>,
    checkpoints: TaskCheckpoints,
    restored: TaskRestore,
    view: Arc<dyn ckpt_storage::WorkerView>,
}

fn start(directory: &Path, nonce: u8, tamper: Tamper) -> Running {
    let spawn: Arc<dyn Spawn> = Arc::new(Pool::new(PoolOptions::default()).unwrap());
    let context = StorageContext::new(Arc::new(FileSystems::local()), Arc::clone(&spawn));
    let storage = FileSystemStorage::new(directory.to_str().unwrap()).with_inline_threshold_bytes(1 << 20);
    let (view, recovery) = (storage.coordinator_view(JOB, &context).unwrap(), RecoveryOptions::default());
    let claimed = ClaimedJob::claim(view, JOB, Nonce::new([nonce; 16]), &recovery, &context).unwrap();
    let vertex = Vertex::single(VERTEX, "source", 1, MaxParallelism::new(128).unwrap());
    let graph = Arc::new(JobGraph::new(vec![vertex], vec![]).unwrap());
    let newest = claimed.newest().map(Arc::clone);
    let restored = restore::plan(&graph, newest.as_deref(), claimed.epoch(), &[deployment()]).unwrap().remove(0);
    let restored = TaskRestore::decode(&restored.encode(LIMIT).unwrap(), LIMIT).unwrap();
    let (sender, to_task) = unbounded();
    let options = DriverOptions::new(Arc::new(ToTasks(sender)), Arc::clone(&spawn));
    let driver = Driver::start(claimed, graph, CheckpointConfig::default(), options).unwrap();
    let wire = Arc::new(Wire { driver: driver.handle(), sent: Mutex::default(), tamper });
    let view = storage.worker_view(JOB, restored.writer, &context).unwrap();
    let options = TaskOptions::new(Arc::clone(&view), Arc::clone(&wire) as Arc<dyn CoordinatorGateway>, spawn);
    let checkpoints = TaskCheckpoints::new(&restored, 0, options);
    driver.handle().attempts_started(vec![deployment()]).wait().unwrap().unwrap();
    Running { driver, to_task, wire, checkpoints, restored, view }
}

impl Running {
    fn checkpoint(&mut self, mut source: Source) -> Result<CompletedCheckpoint> {
        let mut pending = self.driver.handle().trigger_checkpoint(ManualTrigger::Configured);
        loop {
            if let Ok(message) = self.to_task.recv_timeout(Duration::from_millis(1)) {
                self.checkpoints.on_message(&mut source, message).unwrap();
            }
            if let Some(answer) = pending.wait_timeout(Duration::ZERO) {
                return answer.unwrap();
            }
        }
    }

    fn sent(&self) -> Vec<(&'static str, usize)> {
        std::mem::take(&mut *self.wire.sent.lock())
    }
}

fn nothing() -> Tamper {
    Box::new(|_| {})
}

/// 1.5 MiB, all of it inline.
const LARGE: Source = Source { pieces: 100, piece_bytes: 15_000 };

#[test]
fn a_large_acknowledgement_is_spilled_committed_and_restored() {
    let directory = tempfile::tempdir().unwrap();
    let mut running = start(directory.path(), 1, nothing());
    let completed = running.checkpoint(LARGE).unwrap();
    assert_eq!(completed.total_bytes, (LARGE.pieces * LARGE.piece_bytes) as u64);
    let sent = running.sent();
    assert_eq!(sent.len(), 1);
    assert!(matches!(sent[0], ("spilled", length) if length < 200), "{sent:?}");
    // `_metadata` has all of it: the restore needs no spilled file.
    let exclusive = directory.path().join(JOB.to_string()).join("chk-1");
    let spilled: Vec<_> = fs::read_dir(&exclusive).unwrap().map(|entry| entry.unwrap().path()).collect();
    let spilled: Vec<_> = spilled.iter().filter(|path| !path.ends_with("_metadata")).collect();
    assert_eq!(spilled.len(), 1, "{spilled:?}");
    fs::remove_file(spilled[0]).unwrap();
    drop(running);

    let mut again = start(directory.path(), 2, nothing());
    assert_eq!(again.restored.from, Some(completed.identity.id));
    let state = &again.restored.operators[&operator()].state;
    let reader = again.view.reader(completed.identity.id, &again.restored.places).unwrap();
    let mut found = 0;
    for handle in state.handles() {
        let mut bytes = Vec::new();
        reader.open(handle).unwrap().read_to_end(&mut bytes).unwrap();
        assert!(bytes == LARGE.piece(found), "piece {found}");
        found += 1;
    }
    assert_eq!(found, LARGE.pieces);
    // The next one subsumes it, and its directory goes.
    again.checkpoint(Source { pieces: 1, piece_bytes: 10 }).unwrap();
    assert!(matches!(again.sent()[..], [("acknowledge", _)]));
    again.driver.handle().shut_down().wait().unwrap().unwrap();
    assert!(!exclusive.exists());
}

#[test]
fn a_spilled_file_that_is_damaged_or_gone_aborts_its_checkpoint_only() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_owned();
    let file_of = move |spilled: &SpilledAcknowledge| {
        let ckpt_core::state::Place::File { file, .. } = spilled.handle().place() else { panic!("no file") };
        path.join(JOB.to_string()).join(format!("chk-{}", spilled.id)).join(file.to_string())
    };
    let tamper = move |spilled: &SpilledAcknowledge| match spilled.id.get() {
        1 => {
            let mut bytes = fs::read(file_of(spilled)).unwrap();
            bytes[70_000] ^= 1;
            fs::write(file_of(spilled), bytes).unwrap();
        }
        2 => fs::remove_file(file_of(spilled)).unwrap(),
        _ => {}
    };
    let mut running = start(directory.path(), 1, Box::new(tamper));
    for expected in ["is not what was written: block 1 has digest", "is missing"] {
        let error = running.checkpoint(LARGE).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AbortCheckpoint);
        let text = error.to_string();
        assert!(text.contains("the acknowledgement could not be brought over in a file"), "{text}");
        assert!(text.contains(expected), "{text}");
    }
    assert_eq!(running.checkpoint(LARGE).unwrap().identity.id.get(), 3);
    assert_eq!(running.driver.handle().statistics().declined, 2);
}

#[test]
fn an_acknowledgement_above_all_bounds_is_declined() {
    let directory = tempfile::tempdir().unwrap();
    let mut running = start(directory.path(), 1, nothing());
    let error = running.checkpoint(Source { pieces: 65, piece_bytes: 1 << 20 }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AbortCheckpoint);
    let text = error.to_string();
    assert!(text.contains("the acknowledgement is too large: the snapshot of the task takes 6815"), "{text}");
    assert!(text.contains("expected at most 67108864"), "{text}");
    assert!(matches!(running.sent()[..], [("decline", _)]));
    assert_eq!(running.checkpoint(LARGE).unwrap().identity.id.get(), 2);
}
