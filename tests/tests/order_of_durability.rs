//! Every step of a checkpoint relies on bytes and names that are durable already. `cargo xtask order` shows the same in
//! system calls; this shows it wherever no process may be traced.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ckpt_coord::{CheckpointObserver, Phase};
use ckpt_core::config::CheckpointConfig;
use ckpt_core::id::CheckpointId;
use ckpt_core::state::RelPath;
use ckpt_storage::StorageContext;
use ckpt_streams::file_system::{FileSystems, LocalFileSystem};
use ckpt_streams::testing::{Operation, OperationKind, RecordingFileSystem};
use ckpt_streams::{Pool, PoolOptions};
use ckpt_tests::job::{JobFile, JobObserver, JobOptions, JobRequest, RunningJob, storage_context};
use ckpt_tests::text::InputFile;
use support::words;

/// Looks at each step at what was done before it.
#[derive(Debug, Default)]
struct Witness {
    file_systems: Mutex<Vec<Arc<RecordingFileSystem>>>,
    /// How many HEAD writes there were when that of a checkpoint began.
    heads_before: Mutex<BTreeMap<CheckpointId, usize>>,
    violations: Mutex<Vec<String>>,
    seen: Mutex<BTreeMap<&'static str, u64>>,
}

impl Witness {
    /// All that was done so far. The order within one file system is kept, and files are of one file system each.
    fn operations(&self) -> Vec<Operation> {
        let file_systems = self.file_systems.lock().unwrap().clone();
        file_systems.iter().flat_map(|file_system| file_system.operations()).collect()
    }

    fn saw(&self, what: &'static str) {
        *self.seen.lock().unwrap().entry(what).or_default() += 1;
    }

    fn expect(&self, holds: bool, otherwise: String) {
        if !holds {
            self.violations.lock().unwrap().push(otherwise);
        }
    }

    /// A file's bytes are synced, and after that its name.
    fn expect_durable(&self, operations: &[Operation], path: &str, step: &str) {
        let position = |kind| {
            let done = |it: &Operation| it.kind == kind && it.paths.iter().any(|found| found.as_str() == path);
            operations.iter().position(done)
        };
        let (bytes, name) = (position(OperationKind::Sync), position(OperationKind::SyncEntries));
        self.expect(bytes.is_some(), format!("{step} while the bytes of {path} are not synced"));
        self.expect(name > bytes, format!("{step} while the name {path} is not synced"));
    }

    fn acknowledging(&self, id: CheckpointId) {
        let operations = self.operations();
        let directory = format!("chk-{id}/");
        let of = |kind| operations.iter().filter(move |it| it.kind == kind).flat_map(|it| &it.paths);
        // What was discarded is relied on by nobody.
        let discarded: BTreeSet<_> = of(OperationKind::Discard).collect();
        let ours = |path: &&RelPath| path.as_str().starts_with(&directory) || path.as_str().starts_with("shared/");
        let state = of(OperationKind::CreateNew).filter(ours).filter(|path| !discarded.contains(path));
        for path in state {
            self.saw("state file");
            self.expect_durable(&operations, path.as_str(), &format!("checkpoint {id} is acknowledged"));
        }
    }

    fn writing_head(&self, id: CheckpointId) {
        let operations = self.operations();
        self.saw("HEAD write");
        self.expect_durable(
            &operations,
            &format!("chk-{id}/_metadata"),
            &format!("HEAD is written for checkpoint {id}"),
        );
        self.heads_before.lock().unwrap().insert(id, heads(&operations));
    }

    fn notifying(&self, id: CheckpointId) {
        self.saw("notice");
        let before = self.heads_before.lock().unwrap().get(&id).copied();
        let written = before.is_some_and(|before| heads(&self.operations()) > before);
        self.expect(written, format!("checkpoint {id} is announced before its HEAD is written"));
    }
}

fn heads(operations: &[Operation]) -> usize {
    operations.iter().filter(|operation| operation.kind == OperationKind::PutRecord).count()
}

impl CheckpointObserver for Witness {
    fn phase(&self, phase: Phase, checkpoint: Option<CheckpointId>) {
        match (phase, checkpoint) {
            (Phase::WritingHead, Some(id)) => self.writing_head(id),
            (Phase::Notifying, Some(id)) => self.notifying(id),
            _ => {}
        }
    }
}

impl JobObserver for Witness {
    fn task_phase(&self, task: &str, phase: Phase, checkpoint: Option<CheckpointId>) {
        match (phase, checkpoint) {
            // At a parallelism of one only this task has state that does not fit into an acknowledgement.
            (Phase::Acknowledging, Some(id)) if task.starts_with("count") => self.acknowledging(id),
            _ => self.phase(phase, checkpoint),
        }
    }
}

#[test]
fn order_of_durability() {
    let directory = tempfile::tempdir().unwrap();
    let input = directory.path().join("input");
    std::fs::write(&input, words(1, 4 << 20)).unwrap();
    let request = JobRequest::new(Some(vec![InputFile::inspect(&input).unwrap()]), None);
    let checkpoints = directory.path().join("checkpoints");
    let mut file = JobFile::open(&checkpoints, &request, &storage_context().unwrap()).unwrap();
    file.checkpoints = PathBuf::from(format!("recording://{}", file.checkpoints.display()));

    let witness = Arc::new(Witness::default());
    let mut file_systems = FileSystems::local();
    let recorder = Arc::clone(&witness);
    file_systems
        .register("recording", move |location| {
            let path = location.strip_prefix("recording://").unwrap_or(location);
            let opened = Arc::new(RecordingFileSystem::new(Arc::new(LocalFileSystem::open(path)?)));
            recorder.file_systems.lock().unwrap().push(Arc::clone(&opened));
            Ok(opened)
        })
        .unwrap();
    let pool = Arc::new(Pool::new(PoolOptions::default()).unwrap());
    let context = StorageContext::new(Arc::new(file_systems), pool);

    let config = CheckpointConfig::builder().interval(Duration::from_millis(20)).build().unwrap();
    let options = JobOptions::new(1, config).with_observer(Arc::clone(&witness) as Arc<dyn JobObserver>);
    RunningJob::start(&file, options, &context).unwrap().wait().unwrap();

    assert_eq!(*witness.violations.lock().unwrap(), Vec::<String>::new());
    let seen = witness.seen.lock().unwrap();
    assert!(["state file", "HEAD write", "notice"].iter().all(|what| seen.get(what) > Some(&0)), "{seen:?}");
}
