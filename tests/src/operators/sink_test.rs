//! The sink's promises, without a pipeline around it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ckpt_coord::task::CheckpointedTask;
use ckpt_core::ErrorKind;
use ckpt_core::id::{AttemptId, OperatorId, TaskId, VertexId, Writer, WriterId};
use ckpt_core::key_group::MaxParallelism;
use ckpt_core::message::Marker;
use ckpt_core::snapshot::{CheckpointIdentity, CheckpointOptions, LocationReference, SnapshotKind};
use ckpt_core::state::{OperatorRestore, Places, SubtaskState};
use ckpt_core::{Timestamp, snapshot::CheckpointBarrier};
use ckpt_storage::{CheckpointStorage, FileSystemStorage};
use crossbeam_channel::bounded;
use tempfile::TempDir;

use super::*;
use crate::job::storage_context;

const JOB: JobId = JobId::new([7; 16]);
const OPERATOR: OperatorId = OperatorId::new(*b"sink under test!");

/// A place for output and checkpoints.
struct Place {
    directory: TempDir,
}

/// A sink of one subtask that is not part of a job.
struct Sink {
    task: SinkTask,
    view: Arc<dyn WorkerView>,
    location: LocationReference,
    epoch: LeaderEpoch,
}

fn id(number: u64) -> CheckpointId {
    CheckpointId::new(number).unwrap()
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("output")).unwrap();
        Self { directory }
    }

    fn output(&self) -> std::path::PathBuf {
        self.directory.path().join("output")
    }

    /// A sink of that epoch that begins with `state` of that checkpoint; not begun yet.
    fn sink(&self, epoch: u64, state: Option<(u64, SubtaskState)>) -> Result<Sink> {
        let context = storage_context()?;
        let storage = FileSystemStorage::new(self.directory.path().join("checkpoints").to_str().unwrap());
        let epoch = LeaderEpoch::new(epoch);
        let writer = Writer::new(epoch, WriterId::new(1));
        let view = storage.worker_view(JOB, writer, &context)?;
        let coordinator = storage.coordinator_view(JOB, &context)?;
        coordinator.initialize_base_locations()?;
        let identity = CheckpointIdentity::new(id(1000 + epoch.get()), epoch, Timestamp::from_millis(0), None);
        let location = coordinator.initialize_checkpoint(&identity)?.reference();
        let attempt = TaskId::new(VertexId::new(OPERATOR.bytes()), 0).attempt(AttemptId::new(epoch.get()));
        let mut restore = TaskRestore::fresh(attempt, writer);
        if let Some((from, state)) = state {
            let key_groups = MaxParallelism::new(1)?.range_of(0, 1)?;
            restore.from = Some(id(from));
            restore.places = Places::none();
            restore.operators = BTreeMap::from([(OPERATOR, OperatorRestore::new(key_groups, state))]);
        }
        let options =
            SinkOptions { operator: OPERATOR, job: JOB, parallelism: 1, directory: self.output().as_path().into() };
        let (_, stopped) = bounded(0);
        let (inbox, _, _) = Inbox::new(1, 1, &stopped);
        Ok(Sink { task: SinkTask::restore(&options, inbox, &restore, &*view)?, view, location, epoch })
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.output()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// What is committed, in the order of the files' names.
    fn committed(&self) -> String {
        let parts = self.names().into_iter().filter(|name| name.starts_with("part-"));
        parts.map(|name| fs::read_to_string(self.output().join(name)).unwrap()).collect()
    }

    fn count(&self, prefix: &str) -> usize {
        self.names().iter().filter(|name| name.starts_with(prefix)).count()
    }
}

impl Sink {
    fn write(&mut self, records: &str) {
        let batch = Batch { bytes: records.into(), ..Batch::default() };
        self.task.process(&batch).unwrap();
    }

    fn capture(&mut self, number: u64) -> (CheckpointBarrier, Box<dyn CapturedState>) {
        let identity = CheckpointIdentity::new(id(number), self.epoch, Timestamp::from_millis(0), None);
        let options = CheckpointOptions::aligned(SnapshotKind::Checkpoint, self.location.clone());
        let barrier = CheckpointBarrier::new(identity, options);
        self.task.forward(&Marker::Barrier(barrier.clone())).unwrap();
        let captured = self.task.capture(&barrier).unwrap();
        (barrier, captured)
    }

    /// Takes a whole snapshot and returns the sink's state in it.
    fn snapshot(&mut self, number: u64) -> SubtaskState {
        let (barrier, captured) = self.capture(number);
        let streams = self.view.streams(&barrier).unwrap();
        let staged = captured.write(&*streams).unwrap();
        streams.seal(staged).unwrap().operators().get(&OPERATOR).cloned().unwrap_or_default()
    }

    /// What a task does once all have their state.
    fn begin(&mut self, from: Option<u64>) -> Result<()> {
        if let Some(from) = from {
            self.task.commit(id(from))?;
        }
        self.task.begin()
    }
}

#[test]
fn output_appears_when_its_checkpoint_is_committed_and_not_before() {
    let place = Place::new();
    let mut sink = place.sink(1, None).unwrap();
    sink.write("a\n");
    sink.write("b\n");
    assert_eq!((place.count(".writing-"), place.count("part-")), (1, 0));
    sink.snapshot(1);
    sink.write("c\n");
    assert_eq!((place.count(".staged-"), place.count(".writing-"), place.count("part-")), (1, 1, 0));
    sink.task.commit(id(1)).unwrap();
    assert_eq!(place.committed(), "a\nb\n");
    sink.task.commit(id(1)).unwrap();
    assert!(!sink.task.may_finish());
    sink.snapshot(2);
    sink.task.commit(id(2)).unwrap();
    assert_eq!(place.committed(), "a\nb\nc\n");
    assert!(sink.task.may_finish());
}

#[test]
fn records_of_an_aborted_checkpoint_belong_to_the_next() {
    let place = Place::new();
    let mut sink = place.sink(1, None).unwrap();
    sink.write("a\n");
    // Captured and never written: aborted before its job ran.
    let (_, captured) = sink.capture(1);
    drop(captured);
    sink.task.abort(id(1)).unwrap();
    sink.write("b\n");
    let state = sink.snapshot(2);
    assert_eq!((place.count("part-"), place.count(".staged-")), (0, 2));
    drop(sink);

    let mut restored = place.sink(2, Some((2, state))).unwrap();
    restored.begin(Some(2)).unwrap();
    assert_eq!(place.committed(), "a\nb\n");
}

#[test]
fn a_restore_commits_what_is_listed_and_drops_the_rest() {
    let place = Place::new();
    let mut sink = place.sink(1, None).unwrap();
    sink.write("a\n");
    let state = sink.snapshot(1);
    sink.write("b\n");
    sink.snapshot(2);
    sink.write("c\n");
    drop(sink);
    let others = [
        "part-of-a-book",
        ".staged-other",
        &PartName { stage: Stage::Staged, job: JobId::new([8; 16]), epoch: LeaderEpoch::new(1), number: 9, subtask: 0 }
            .to_string(),
    ];
    for other in others {
        fs::write(place.output().join(other), "x").unwrap();
    }

    let mut restored = place.sink(2, Some((1, state.clone()))).unwrap();
    assert_eq!(place.count(".staged-"), 4, "nothing is changed before the begin");
    restored.begin(Some(1)).unwrap();
    assert_eq!(fs::read_to_string(find(&place, "part-0707")).unwrap(), "a\n");
    assert_eq!(place.names().len(), 1 + others.len(), "{:?}", place.names());

    // Once more: the crash came after the commit. What a living leader of the same or a higher epoch writes stays.
    restored.write("d\n");
    let mut again = place.sink(2, Some((1, state))).unwrap();
    again.begin(Some(1)).unwrap();
    assert_eq!(place.count(".writing-"), 1);
}

#[test]
fn a_staged_file_that_is_gone_or_cut_is_an_error() {
    let place = Place::new();
    let mut sink = place.sink(1, None).unwrap();
    sink.write("a\n");
    let state = sink.snapshot(1);
    drop(sink);
    let staged = find(&place, ".staged-");
    fs::write(&staged, "a").unwrap();
    let mut restored = place.sink(2, Some((1, state.clone()))).unwrap();
    let error = restored.begin(Some(1)).unwrap_err();
    assert!(error.kind() == ErrorKind::Corrupt && error.to_string().contains("1 bytes, expected 2"), "{error}");
    fs::remove_file(staged).unwrap();
    let mut restored = place.sink(3, Some((1, state))).unwrap();
    let error = restored.begin(Some(1)).unwrap_err();
    assert!(
        error.kind() == ErrorKind::Corrupt && error.to_string().contains("neither staged nor committed"),
        "{error}"
    );
}

#[test]
fn a_file_that_did_not_reach_the_disk_is_in_no_checkpoint() {
    let place = Place::new();
    let mut sink = place.sink(1, None).unwrap();
    sink.write("a\n");
    fs::remove_file(find(&place, ".writing-")).unwrap();
    let (barrier, captured) = sink.capture(1);
    let streams = sink.view.streams(&barrier).unwrap();
    assert!(captured.write(&*streams).is_err());
    // It is not tried again, and the task fails at its next record.
    let (barrier, captured) = sink.capture(2);
    assert!(captured.write(&*sink.view.streams(&barrier).unwrap()).is_err());
    let error = sink.task.process(&Batch { bytes: b"b\n".to_vec(), ..Batch::default() }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FailJob, "{error}");
}

fn find(place: &Place, prefix: &str) -> std::path::PathBuf {
    let name = place.names().into_iter().find(|name| name.starts_with(prefix)).unwrap();
    Path::join(&place.output(), name)
}
