//! The source's position: what is restored goes on exactly where the snapshot was taken, at any parallelism.

use std::collections::BTreeMap;

use ckpt_core::id::{AttemptId, CheckpointId, JobId, LeaderEpoch, TaskId, VertexId, Writer, WriterId};
use ckpt_core::key_group::KeyGroupRange;
use ckpt_core::snapshot::{CheckpointIdentity, CheckpointOptions, LocationReference, SnapshotKind};
use ckpt_core::state::{OperatorRestore, SubtaskState};
use ckpt_core::{ErrorKind, Timestamp};
use ckpt_storage::{CheckpointStorage, FileSystemStorage};
use ckpt_streams::MemoryStreams;
use crossbeam_channel::{Sender, bounded};

use super::*;
use crate::exchange::{Control, Inbox, Received};
use crate::job::{NobodyWatches, storage_context};

const OPERATOR: OperatorId = OperatorId::new(*b"source in a test");

/// A source of one subtask over one file, and everything that it sends.
struct Source {
    task: SourceTask,
    inbox: Inbox,
    words: Vec<Vec<u8>>,
    /// While these are there the job is not being stopped.
    _engine: (Sender<()>, Sender<Control>),
}

impl Source {
    fn new(directory: &std::path::Path, state: Option<SubtaskState>) -> Result<Self> {
        let max_parallelism = MaxParallelism::new(128)?;
        let context = storage_context()?;
        let writer = Writer::new(LeaderEpoch::new(1), WriterId::new(1));
        let storage = FileSystemStorage::new(directory.join("checkpoints").to_string_lossy());
        let view = storage.worker_view(JobId::new([1; 16]), writer, &context)?;
        let attempt = TaskId::new(VertexId::new(OPERATOR.bytes()), 0).attempt(AttemptId::new(1));
        let mut restore = TaskRestore::fresh(attempt, writer);
        if let Some(state) = state {
            restore.from = CheckpointId::new(1);
            let all = KeyGroupRange::new(KeyGroup::new(0), KeyGroup::new(127))?;
            restore.operators = BTreeMap::from([(OPERATOR, OperatorRestore::new(all, state))]);
        }
        let files = [InputFile::inspect(&directory.join("input"))?];
        let options = SourceOptions {
            operator: OPERATOR,
            progress: Arc::new(Progress::new(files[0].length_bytes, Arc::new(NobodyWatches))),
            files: files.into(),
            max_parallelism,
            parallelism: 1,
            read_limit: None,
        };
        let (stop, stopped) = bounded(0);
        let (inbox, control, outputs) = Inbox::new(1, 1000, &stopped);
        let task = SourceTask::restore(&options, outputs, &restore, &*view)?;
        Ok(Self { task, inbox, words: Vec::new(), _engine: (stop, control) })
    }

    fn snapshot(&mut self) -> SubtaskState {
        let identity =
            CheckpointIdentity::new(CheckpointId::FIRST, LeaderEpoch::new(1), Timestamp::from_millis(0), None);
        let options = CheckpointOptions::aligned(SnapshotKind::Checkpoint, LocationReference::Default);
        let barrier = CheckpointBarrier::new(identity, options);
        self.task.forward(&Marker::Barrier(barrier.clone())).unwrap();
        let streams = MemoryStreams::new(1 << 20);
        let staged = self.task.capture(&barrier).unwrap().write(&streams).unwrap();
        streams.seal(staged).unwrap().operators().get(&OPERATOR).cloned().unwrap_or_default()
    }

    /// Takes what was sent up to the next barrier or the end.
    fn drain(&mut self) {
        loop {
            let Ok(Received::Batch(_, batch)) = self.inbox.receive() else { panic!("the job does not stop") };
            self.words.extend(batch.records().map(|(_, _, word)| word.to_vec()));
            if batch.tail.is_some() {
                return;
            }
        }
    }
}

#[test]
fn a_restored_source_goes_on_behind_the_last_word_before_the_barrier() {
    let directory = tempfile::tempdir().unwrap();
    // One split that takes many reads.
    let text: Vec<u8> = (0..400_000_u32).flat_map(|number| format!("{number} ").into_bytes()).collect();
    std::fs::write(directory.path().join("input"), &text).unwrap();
    for reads in [0, 1, 2, 3, 10] {
        let mut first = Source::new(directory.path(), None).unwrap();
        first.task.waiting = [Split::new(0, 0, text.len() as u64)].into();
        for _ in 0..reads {
            assert_eq!(first.task.read().unwrap(), Reading::More);
        }
        let state = first.snapshot();
        first.drain();
        let mut second = Source::new(directory.path(), Some(state)).unwrap();
        while second.task.read().unwrap() == Reading::More {}
        second.task.end().unwrap();
        second.drain();
        let words = first.words.into_iter().chain(second.words);
        assert!(words.eq((0..400_000_u32).map(|number| number.to_string().into_bytes())), "{reads}");
    }
}

#[test]
fn an_ended_source_has_no_state_and_a_foreign_one_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("input"), "a b").unwrap();
    let mut source = Source::new(directory.path(), None).unwrap();
    let begun = source.snapshot();
    while source.task.read().unwrap() == Reading::More {}
    assert!(source.snapshot().is_empty());
    std::fs::write(directory.path().join("input"), "a").unwrap();
    let error = Source::new(directory.path(), Some(begun)).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
}
