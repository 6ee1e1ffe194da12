//! What a leader restores, and what it refuses to restore.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ckpt_core::head::{ClaimedHead, Collected, Nonce};
use ckpt_core::id::{CheckpointId, JobId, OperatorId, Writer, WriterId};
use ckpt_core::key_group::MaxParallelism;
use ckpt_core::metadata::{CheckpointDescription, CheckpointMetadata, OperatorDescription};
use ckpt_core::snapshot::{
    CheckpointBarrier, CheckpointIdentity, CheckpointOptions, CheckpointProperties, LocationReference, RetentionPolicy,
    SnapshotKind,
};
use ckpt_core::state::{OperatorState, SubtaskState};
use ckpt_core::{ErrorKind, Result, Timestamp};
use ckpt_storage::verify::{FindingKind, StateRole};
use ckpt_storage::{CheckpointStorage, CoordinatorView, FileSystemStorage, HeadOutcome, StorageContext, claim};
use ckpt_streams::file_system::FileSystems;
use ckpt_streams::{Job, Pool, PoolOptions, Rejected, Spawn, StateFlaw, StateScope};

use super::retained;
use crate::driver::{ClaimedJob, GoingBack, RecoveryFlaws, RecoveryOptions, RecoveryRefused, RecoveryVerification};

pub(super) const JOB: JobId = JobId::new([7; 16]);

fn id(number: u64) -> CheckpointId {
    CheckpointId::new(number).unwrap()
}

pub(super) fn context(spawn: Arc<dyn Spawn>) -> StorageContext {
    StorageContext::new(Arc::new(FileSystems::local()), spawn)
}

pub(super) fn pool() -> Arc<dyn Spawn> {
    Arc::new(Pool::new(PoolOptions::default()).unwrap())
}

#[derive(Debug)]
struct Full;

impl Spawn for Full {
    fn spawn(&self, _: &'static str, _: Job) -> Result<(), Rejected> {
        Err(Rejected::new())
    }
}

pub(super) fn storage(directory: &Path) -> FileSystemStorage {
    FileSystemStorage::new(directory.to_str().unwrap()).with_inline_threshold_bytes(0)
}

pub(super) fn view(directory: &Path) -> Arc<dyn CoordinatorView> {
    storage(directory).coordinator_view(JOB, &context(pool())).unwrap()
}

/// Commits a checkpoint with two files of state.
fn commit(directory: &Path, head: &ClaimedHead, number: u64) -> ClaimedHead {
    let view = view(directory);
    let epoch = head.head().epoch;
    let identity = CheckpointIdentity::new(id(number), epoch, Timestamp::from_millis(number), None);
    let location = view.initialize_checkpoint(&identity).unwrap();
    let writer = Writer::new(epoch, WriterId::new(number));
    let worker = storage(directory).worker_view(JOB, writer, &context(pool())).unwrap();
    let options = CheckpointOptions::aligned(SnapshotKind::Checkpoint, LocationReference::Default);
    let streams = worker.streams(&CheckpointBarrier::new(identity, options)).unwrap();
    let state = [1, 2].map(|piece| {
        let mut stream = streams.create(StateScope::Exclusive).unwrap();
        stream.write_all(&vec![piece; 1000]).unwrap();
        let handle = streams.seal_piece(stream.finish().unwrap().unwrap()).unwrap();
        OperatorState::new(Default::default(), handle)
    });
    let properties = CheckpointProperties::checkpoint(RetentionPolicy::default());
    let mut builder = CheckpointMetadata::builder(CheckpointDescription::new(JOB, identity, properties)).unwrap();
    let maximum = MaxParallelism::new(128).unwrap();
    let description = OperatorDescription::new(OperatorId::new([1; 16]), "toy", 1, maximum);
    let mut operator = builder.operator(&description).unwrap();
    operator.subtask(0, &SubtaskState::new(vec![], state.into())).unwrap();
    let snapshot = location.publish(&builder.finish(Timestamp::from_millis(number)).unwrap()).unwrap();
    match view.head().write(head.commit(snapshot, 100, &Collected::none()).unwrap()) {
        HeadOutcome::Written(written) => written.head,
        other => panic!("expected it to be written, found {other:?}"),
    }
}

pub(super) fn commit_three(directory: &Path) {
    let mut head = claim(&*view(directory).head(), JOB, Nonce::new([1; 16])).unwrap().head;
    for number in 1..=3 {
        head = commit(directory, &head, number);
    }
}

fn recover(directory: &Path, recovery: RecoveryOptions) -> Result<ClaimedJob> {
    ClaimedJob::claim(view(directory), JOB, Nonce::new([2; 16]), &recovery, &context(pool()))
}

fn newest(claimed: &ClaimedJob) -> u64 {
    claimed.newest().unwrap().summary().identity.id.get()
}

pub(super) fn place(directory: &Path, number: u64) -> PathBuf {
    directory.join(JOB.to_string()).join(format!("chk-{number}"))
}

/// The files of state of a checkpoint.
fn state_of(directory: &Path, number: u64) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(place(directory, number)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| !path.ends_with("_metadata")).collect();
    files.sort();
    files
}

fn all_files(directory: &Path) -> Vec<PathBuf> {
    (1..=3)
        .flat_map(|number| std::fs::read_dir(place(directory, number)).unwrap())
        .map(|it| it.unwrap().path())
        .collect()
}

fn with(verification: RecoveryVerification) -> RecoveryOptions {
    RecoveryOptions::default().with_verification(verification)
}

#[test]
fn flink_22502_a_newest_checkpoint_that_is_not_whole_is_refused_and_no_older_one_is_taken() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    commit_three(directory);
    assert_eq!(newest(&recover(directory, RecoveryOptions::default()).unwrap()), 3);
    // What is wrong with an older one is nobody's matter now.
    std::fs::remove_file(&state_of(directory, 1)[0]).unwrap();
    assert_eq!(newest(&recover(directory, RecoveryOptions::default()).unwrap()), 3);

    let missing = state_of(directory, 3)[1].clone();
    std::fs::remove_file(&missing).unwrap();
    let files = all_files(directory);
    for _ in 0..2 {
        let error = recover(directory, RecoveryOptions::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        let refused = error.downcast_ref::<RecoveryRefused>().unwrap();
        assert_eq!((refused.snapshot, &*refused.older), (id(3), &[id(1), id(2)][..]));
        let RecoveryFlaws::Files { first, flawed, files } = &refused.flaws else { panic!("{error}") };
        assert_eq!((*flawed, *files, first.len()), (1, 2, 1));
        assert_eq!(first[0].kind, FindingKind::State(StateFlaw::Missing));
        assert_eq!((first[0].owners[0].role, first[0].owners[0].subtask), (StateRole::Operator, Some(0)));
        let message = error.to_string();
        for told in ["chk-3", missing.file_name().unwrap().to_str().unwrap(), "toy", "go back from 3 to 2"] {
            assert!(message.contains(told), "'{told}' is missing: {message}");
        }
    }
    let head = view(directory).head().read().unwrap().unwrap();
    assert_eq!((head.restored_from, head.retained.len(), head.gone_back), (Some(id(3)), 3, None));
    assert_eq!(all_files(directory), files, "nothing is deleted");
    // Who does not want to look may find out by himself.
    assert_eq!(newest(&recover(directory, with(RecoveryVerification::MetadataOnly)).unwrap()), 3);
}

#[test]
fn what_is_looked_at_is_what_was_asked_for() {
    type Damage<'a> = (&'a str, &'a dyn Fn(&mut Vec<u8>), &'a [RecoveryVerification]);
    let damages: [Damage<'_>; 3] = [
        ("cut", &|bytes| bytes.truncate(500), &[RecoveryVerification::Lengths, RecoveryVerification::Digests]),
        ("longer", &|bytes| bytes.push(0), &[RecoveryVerification::Lengths, RecoveryVerification::Digests]),
        ("changed", &|bytes| bytes[7] ^= 1, &[RecoveryVerification::Digests]),
    ];
    for (what, damage, finds) in damages {
        let directory = tempfile::tempdir().unwrap();
        commit_three(directory.path());
        let file = &state_of(directory.path(), 3)[0];
        let mut bytes = std::fs::read(file).unwrap();
        damage(&mut bytes);
        std::fs::write(file, bytes).unwrap();
        use RecoveryVerification::{Digests, Lengths, MetadataOnly};
        for verification in [MetadataOnly, Lengths, Digests] {
            let recovered = recover(directory.path(), with(verification));
            assert_eq!(recovered.is_err(), finds.contains(&verification), "{what} {verification:?}: {recovered:?}");
        }
    }
}

#[test]
fn flink_5942_damaged_metadata_ends_in_a_refusal_each_time() {
    for (damage, kind) in [(None, ErrorKind::NotFound), (Some(b"no metadata"), ErrorKind::Corrupt)] {
        let directory = tempfile::tempdir().unwrap();
        commit_three(directory.path());
        let metadata = place(directory.path(), 3).join("_metadata");
        std::fs::remove_file(&metadata).unwrap();
        if let Some(bytes) = damage {
            std::fs::write(&metadata, bytes).unwrap();
        }
        for verification in [RecoveryVerification::MetadataOnly, RecoveryVerification::Digests] {
            let error = recover(directory.path(), with(verification)).unwrap_err();
            let refused = error.downcast_ref::<RecoveryRefused>().expect("a refusal");
            assert!(matches!(refused.flaws, RecoveryFlaws::Metadata(_)), "{error}");
            assert_eq!((error.kind(), refused.snapshot, refused.older.len()), (kind, id(3), 2), "{error}");
        }
    }
}

/// What an older one needs must be known, or the files that both name would go with the newest.
#[test]
fn damaged_metadata_of_an_older_one_is_refused_by_its_own_name() {
    let scratch = tempfile::tempdir().unwrap();
    commit_three(scratch.path());
    std::fs::write(place(scratch.path(), 1).join("_metadata"), "damaged").unwrap();
    let error = recover(scratch.path(), RecoveryOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    let refused = error.downcast_ref::<RecoveryRefused>().unwrap();
    assert_eq!((refused.snapshot, refused.restores, &*refused.older), (id(1), Some(id(3)), &[][..]));
    assert!(error.to_string().contains("begin a new job from snapshot 3"), "{error}");
}

#[test]
fn going_back_is_a_decision_that_head_records_and_that_may_be_left_standing() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    commit_three(directory);
    std::fs::remove_file(&state_of(directory, 3)[0]).unwrap();
    let back = |from, to| RecoveryOptions::default().with_going_back(GoingBack::new(id(from), id(to)));
    for (from, to) in [(2, 1), (4, 2), (3, 4), (3, 3)] {
        let error = recover(directory, back(from, to)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{from} to {to}: {error}");
    }
    for _ in 0..2 {
        let claimed = recover(directory, back(3, 2)).unwrap();
        assert_eq!(newest(&claimed), 2);
        let gone_back = claimed.head().gone_back.unwrap();
        assert_eq!((gone_back.from, gone_back.to), (id(3), id(2)));
        assert_eq!(claimed.head().set_aside.iter().map(|it| it.id.get()).collect::<Vec<_>>(), [3]);
        // The coordinator knows what it names, and deletes none of that.
        assert!(claimed.retained.contains_key(&id(3)));
    }
    assert!(place(directory, 3).join("_metadata").exists(), "it is evidence");
    // Nor does it go back once more when something newer is committed meanwhile.
    let head = claim(&*view(directory).head(), JOB, Nonce::new([3; 16])).unwrap().head;
    let number = head.head().first_reserved_id.get();
    commit(directory, &head, number);
    assert_eq!(newest(&recover(directory, back(3, 2)).unwrap()), number);
}

/// What goes back to something that is not whole either goes no further.
#[test]
fn flink_20441_what_is_gone_back_to_is_verified_too() {
    let directory = tempfile::tempdir().unwrap();
    commit_three(directory.path());
    for number in [2, 3] {
        std::fs::remove_file(&state_of(directory.path(), number)[0]).unwrap();
    }
    let back = |from, to| RecoveryOptions::default().with_going_back(GoingBack::new(id(from), id(to)));
    let error = recover(directory.path(), back(3, 2)).unwrap_err();
    assert_eq!(error.downcast_ref::<RecoveryRefused>().unwrap().snapshot, id(2), "{error}");
    assert!(error.to_string().contains("go back from 2 to 1"), "{error}");
    assert_eq!(newest(&recover(directory.path(), back(2, 1)).unwrap()), 1);
}

#[test]
fn metadata_is_read_in_order_whoever_reads_it() {
    let directory = tempfile::tempdir().unwrap();
    let view = view(directory.path());
    let mut head = claim(&*view.head(), JOB, Nonce::new([1; 16])).unwrap().head;
    for number in 1..=30 {
        head = commit(directory.path(), &head, number);
    }
    for spawn in [pool(), Arc::new(Full)] {
        let read = retained::read(&view, head.head().retained.clone(), &*spawn).unwrap();
        let numbers: Vec<_> = read.iter().map(|metadata| metadata.summary().identity.id.get()).collect();
        assert_eq!(numbers, (1..=30).collect::<Vec<_>>());
        assert_eq!(retained::read(&view, Vec::new(), &*spawn).unwrap(), []);
    }
    std::fs::remove_file(place(directory.path(), 17).join("_metadata")).unwrap();
    for spawn in [pool(), Arc::new(Full)] {
        let (at, error) = retained::read(&view, head.head().retained.clone(), &*spawn).unwrap_err();
        assert_eq!((at, error.kind()), (16, ErrorKind::NotFound), "{error}");
    }
}
