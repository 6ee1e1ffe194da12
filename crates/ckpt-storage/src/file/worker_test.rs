//! Where workers write: checkpoints, savepoints, what is shared before its checkpoint is known, and what tasks own.

use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use ckpt_core::head::Collected;
use ckpt_core::id::{CheckpointId, JobId, LeaderEpoch, Writer, WriterId};
use ckpt_core::mark::SavepointMark;
use ckpt_core::shared::RemovedFiles;
use ckpt_core::snapshot::{CheckpointIdentity, JobEnd, LocationReference, RetentionPolicy};
use ckpt_core::state::{FileRef, Place, Places, RelPath, Root, StateHandle};
use ckpt_core::uri::Uri;
use ckpt_core::{Digest, ErrorKind, Timestamp};
use ckpt_streams::file_system::{CasOutcome, Durability, FileSystem, FileSystems, MemoryFileSystem, Visible};
use ckpt_streams::{Budget, StateScope, StreamFactory};

use crate::test_support::{MemoryDisk, local_context};
use crate::testing::sample::{
    barrier, barrier_of_savepoint, commit_next, identity, job, nonce, read_all, try_write_state, write_head,
    written_state,
};
use crate::{CheckpointStorage as _, FileSystemStorage, InitializedSavepoint, StorageContext, WorkerView, claim};

const EPOCH: LeaderEpoch = LeaderEpoch::new(1);

fn numbered(number: u64) -> CheckpointIdentity {
    CheckpointIdentity::new(CheckpointId::new(number).unwrap(), EPOCH, Timestamp::from_millis(7), None)
}

fn storage(base: impl AsRef<Path>) -> FileSystemStorage {
    FileSystemStorage::new(base.as_ref().to_str().unwrap()).with_inline_threshold_bytes(16)
}

fn worker_in(storage: &FileSystemStorage, context: &StorageContext) -> Arc<dyn WorkerView> {
    storage.worker_view(job(1), Writer::new(EPOCH, WriterId::new(1)), context).unwrap()
}

fn worker(base: impl AsRef<Path>) -> Arc<dyn WorkerView> {
    worker_in(&storage(base), &local_context())
}

/// The directories of all files below one, each as often as it has files.
fn directories(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root).into_iter().flatten().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(directories(&entry.path())),
            false => found.push(root.to_owned()),
        }
    }
    found.sort();
    found
}

fn write(streams: &dyn StreamFactory, scope: StateScope, bytes: &[u8]) -> StateHandle {
    let mut stream = streams.create(scope).unwrap();
    stream.write_all(bytes).unwrap();
    streams.seal_piece(stream.finish().unwrap().unwrap()).unwrap()
}

fn mark_of(job: JobId, number: u64, epoch: LeaderEpoch) -> SavepointMark {
    SavepointMark::new(job, numbered(number).id, epoch, nonce(1), Timestamp::from_millis(7))
}

/// At the root of a file system, as a savepoint's directory is opened.
fn plant_mark(files: &MemoryFileSystem, mark: &SavepointMark) {
    let path = RelPath::new(SavepointMark::FILE_NAME).unwrap();
    let mut writer = files.create_new(&path, Visible::AtOnce).unwrap();
    writer.write_all(&mark.encode().unwrap()).unwrap();
    assert!(matches!(writer.finish(Durability::None), CasOutcome::Done(_)));
}

#[test]
fn exclusive_and_shared_state_of_a_checkpoint_lie_apart_and_of_a_savepoint_in_its_own_directory() {
    let scratch = tempfile::tempdir().unwrap();
    let (base, elsewhere) = (scratch.path().join("base"), scratch.path().join("else where"));
    let storage = storage(&base).with_default_savepoint_dir(base.join("save").to_str().unwrap());
    let view = storage.coordinator_view(job(1), &local_context()).unwrap();
    let worker = worker_in(&storage, &local_context());
    let _ = written_state(&*worker.streams(&barrier(numbered(1))).unwrap(), &[1; 100]);
    let of_job = base.join(job(1).to_string());
    assert_eq!(directories(scratch.path()), [of_job.join("chk-1"), of_job.join("shared")]);
    std::fs::remove_dir_all(&of_job).unwrap();

    // Where savepoints go by default, and at a target of its own.
    for (number, target) in [(2, None), (3, Some(elsewhere.to_str().unwrap()))] {
        let uri = view.name_savepoint(&numbered(number), target).unwrap();
        let made = view.initialize_savepoint(&numbered(number), &uri).unwrap();
        let InitializedSavepoint::Made(location) = made else { panic!("'{uri}' is taken") };
        let streams = worker.streams(&barrier_of_savepoint(numbered(number), location.reference())).unwrap();
        let state = written_state(&*streams, &[2; 100]);
        for handle in state.handles() {
            assert!(matches!(handle.place(), Place::File { root: Root::ThisSnapshot, .. }), "{handle:?}");
        }
        let parent = target.map_or_else(|| base.join("save"), PathBuf::from);
        let name = uri.as_str().rsplit_once('/').unwrap().1;
        assert_eq!(directories(scratch.path()), [parent.join(name), parent.join(name), parent.join(name)]);
        std::fs::remove_dir_all(parent).unwrap();
    }
}

#[test]
fn the_default_reference_means_the_own_file_system_and_a_place_that_of_its_uri() {
    let (files, disk) = (MemoryFileSystem::new(), MemoryDisk::default());
    let (mut file_systems, opened) = (FileSystems::local(), files.clone());
    let opener = move |_: &str| Ok(Arc::new(opened.clone()) as Arc<dyn FileSystem>);
    file_systems.register("other", opener).unwrap();
    let of_disk = disk.context().file_systems;
    file_systems.register("mem", move |uri| of_disk.open(uri)).unwrap();
    let mut context = disk.context();
    context.file_systems = Arc::new(file_systems);
    let worker = worker_in(&storage("mem:/base"), &context);

    let _ = written_state(&*worker.streams(&barrier(numbered(1))).unwrap(), &[1; 100]);
    let own = disk.files();
    assert!(own.len() == 2 && files.paths().is_empty(), "{own:?}");
    let uri = Uri::new("other://bucket/savepoint-010101-0123456789ab").unwrap();
    let there = barrier_of_savepoint(numbered(2), LocationReference::of_uri(&uri).unwrap());
    plant_mark(&files, &mark_of(job(1), 2, EPOCH));
    let _ = written_state(&*worker.streams(&there).unwrap(), &[1; 100]);
    assert_eq!((disk.files(), files.paths().len()), (own, 3));
}

#[test]
fn each_wrong_reference_has_an_error_of_its_own() {
    let disk = MemoryDisk::default();
    let worker = worker_in(&storage("mem:/base"), &disk.context());
    let sealed = |content: &[u8]| [content, &Digest::of(content).value().to_le_bytes()].concat();
    let told = |reference: LocationReference| {
        let error = worker.streams(&barrier_of_savepoint(numbered(1), reference)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AbortCheckpoint);
        format!("{error}: {}", error.source().map(ToString::to_string).unwrap_or_default())
    };
    for (bytes, message) in [
        (b"x".to_vec(), "at least 14 bytes, found 1"),
        // Flink's own encoding of a path.
        (b"\x05\x5f\x3f\x18/checkpoints".to_vec(), "the magic"),
        (sealed(b"CKPL\x02\0file:///a"), "version"),
        (sealed(b"CKPL\x01\x07file:///a"), "a place of kind 7"),
        (b"CKPL\x01\0file:///aNODIGEST".to_vec(), "the digest of a location reference"),
        (sealed(b"CKPL\x01\0file:///\xff"), "not text"),
        (sealed(b"CKPL\x01\0/no/scheme"), "cannot be used"),
        (sealed(b"CKPL\x01\0s3://bucket/savepoint"), "no file system is registered for the scheme 's3'"),
    ] {
        let message_found = told(LocationReference::at(Bytes::from(bytes)).unwrap());
        let expected = "the barrier of snapshot 1 names a place that cannot be used: ";
        assert!(message_found.starts_with(expected) && message_found.contains(message), "{message_found}");
    }
    let without = told(LocationReference::Default);
    assert_eq!(without, "the barrier of savepoint 1 names no directory, expected one: its state is to lie apart: ");
    let mut of_another = numbered(1);
    of_another.epoch = LeaderEpoch::new(2);
    let error = worker.streams(&barrier(of_another)).unwrap_err();
    assert!(error.to_string().starts_with("a barrier of "), "{error}");
    assert_eq!(disk.files(), Vec::<String>::new());
}

/// What is late finds nobody who would delete it.
#[test]
fn a_savepoint_that_was_given_up_is_not_written_into_and_its_directory_is_not_made_again() {
    let scratch = tempfile::tempdir().unwrap();
    let save = scratch.path().join("save");
    let storage = storage(scratch.path().join("base"));
    let view = storage.coordinator_view(job(1), &local_context()).unwrap();
    for is_open in [false, true] {
        let worker = worker_in(&storage, &local_context());
        let uri = view.name_savepoint(&numbered(1), Some(save.to_str().unwrap())).unwrap();
        let made = view.initialize_savepoint(&numbered(1), &uri).unwrap();
        let InitializedSavepoint::Made(location) = made else { panic!("'{uri}' is taken") };
        let barrier = barrier_of_savepoint(numbered(1), location.reference());
        // Whoever was in time meets no place for a file either.
        let streams = is_open.then(|| worker.streams(&barrier).unwrap());
        location.discard().unwrap();
        match streams {
            None => {
                let error = worker.streams(&barrier).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::AbortCheckpoint);
                let expected =
                    format!("'{uri}' has no mark of savepoint 1: it was given up, and nothing more is written there");
                assert_eq!(error.to_string(), expected);
            }
            Some(streams) => {
                let written = try_write_state(&*streams, &[1; 100]);
                assert_eq!(written.unwrap_err().kind(), ErrorKind::AbortCheckpoint);
            }
        }
        assert!(directories(&save).is_empty() && !Path::new(uri.as_str().strip_prefix("file://").unwrap()).exists());
    }
}

#[test]
fn the_place_of_another_savepoint_is_refused_and_what_the_mark_says_is_told() {
    let uri = Uri::new("other://bucket/savepoint-010101-0123456789ab").unwrap();
    let barrier = barrier_of_savepoint(numbered(2), LocationReference::of_uri(&uri).unwrap());
    let later = LeaderEpoch::new(2);
    for (of, number, epoch) in [(job(2), 2, EPOCH), (job(1), 3, EPOCH), (job(1), 2, later)] {
        let files = MemoryFileSystem::new();
        plant_mark(&files, &mark_of(of, number, epoch));
        let (mut context, mut file_systems) = (local_context(), FileSystems::local());
        let opened = files.clone();
        file_systems.register("other", move |_| Ok(Arc::new(opened.clone()) as Arc<dyn FileSystem>)).unwrap();
        context.file_systems = Arc::new(file_systems);
        let error = worker_in(&storage("other:/base"), &context).streams(&barrier).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AbortCheckpoint);
        let expected = format!(
            "'{uri}' is not the place of savepoint 2 of this job and {EPOCH:?}: its mark is of savepoint {number} of job {of} and {epoch:?}"
        );
        assert_eq!(error.to_string(), expected);
        assert_eq!(files.paths().len(), 1, "nothing was written");
    }
}

#[test]
fn a_place_is_opened_once_while_somebody_writes_there() {
    let opened = Arc::new(AtomicU64::new(0));
    let (mut file_systems, counted) = (FileSystems::local(), Arc::clone(&opened));
    let files = MemoryFileSystem::new();
    plant_mark(&files, &mark_of(job(1), 1, EPOCH));
    let opener = move |_: &str| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok(Arc::new(files.clone()) as Arc<dyn FileSystem>)
    };
    file_systems.register("counted", opener).unwrap();
    let mut context = local_context();
    context.file_systems = Arc::new(file_systems);
    let worker = worker_in(&storage("counted:/base"), &context);
    let uri = Uri::new("counted:/save/savepoint-010101-0123456789ab").unwrap();
    let there = barrier_of_savepoint(numbered(1), LocationReference::of_uri(&uri).unwrap());
    assert_eq!(opened.load(Ordering::Relaxed), 1, "the job's own");
    let streams = worker.streams(&there).unwrap();
    for _ in 0..3 {
        assert!(Arc::ptr_eq(&streams, &worker.streams(&there).unwrap()));
    }
    assert_eq!(opened.load(Ordering::Relaxed), 2);
    drop(streams);
    let _ = worker.streams(&there).unwrap();
    assert_eq!(opened.load(Ordering::Relaxed), 3, "what nobody holds is forgotten");
}

#[test]
fn what_is_shared_before_its_checkpoint_is_known_goes_with_its_leader_unless_one_names_it() {
    let disk = MemoryDisk::default();
    let (context, storage) = (disk.context(), storage("mem:/base"));
    let view = storage.coordinator_view(job(1), &context).unwrap();
    let head = claim(&*view.head(), job(1), nonce(1)).unwrap().head;
    let streams = worker_in(&storage, &context).shared_streams().unwrap();
    let [named, unnamed] =
        [StateScope::Shared, StateScope::Exclusive].map(|scope| match write(&*streams, scope, &[1; 100]).place() {
            Place::File { root: Root::JobShared, file: FileRef::Ours(name) } => *name,
            place => panic!("{place:?}"),
        });
    let head = commit_next(&*view, &head, 1, &[named]).head;
    let retained = |head: &ckpt_core::head::ClaimedHead| {
        let kept = head.head().retained.iter();
        kept.map(|snapshot| Arc::new(view.load(snapshot).unwrap())).collect::<Vec<_>>()
    };
    view.collect_orphans(head.head(), &retained(&head)).unwrap();
    let there = |name| disk.files().iter().any(|file| file.ends_with(&format!("/shared/{name}")));
    assert!(there(named) && there(unnamed), "its writer may still have it named");
    let next = claim(&*view.head(), job(1), nonce(2)).unwrap().head;
    view.collect_orphans(next.head(), &retained(&next)).unwrap();
    assert!(there(named) && !there(unnamed));
}

#[test]
fn no_collection_touches_what_tasks_own() {
    let disk = MemoryDisk::default();
    let (context, storage) = (disk.context(), storage("mem:/base"));
    let view = storage.coordinator_view(job(1), &context).unwrap();
    let head = claim(&*view.head(), job(1), nonce(1)).unwrap().head;
    let worker = worker_in(&storage, &context);
    let handle = write(&*worker.task_owned_streams().unwrap(), StateScope::Exclusive, &[1; 100]);
    assert!(matches!(handle.place(), Place::File { root: Root::JobTaskOwned, .. }), "{handle:?}");
    let check = |what| {
        let reader = worker.reader(CheckpointId::FIRST, &Places::none()).unwrap();
        assert_eq!(read_all(&*reader, &handle), [1; 100], "{what}");
    };

    let aborted = identity(&head, 9);
    view.initialize_checkpoint(&aborted).unwrap().discard().unwrap();
    check("a checkpoint that was aborted");
    let first = commit_next(&*view, &head, 10, &[]);
    let second = commit_next(&*view, &first.head, 11, &[]);
    view.remove(&second.removed[0], &RemovedFiles::default()).unwrap();
    check("a checkpoint that was removed");
    for leader in 2..5 {
        let next = claim(&*view.head(), job(1), nonce(leader)).unwrap();
        let retained = next.head.head().retained.iter();
        let retained: Vec<_> = retained.map(|snapshot| Arc::new(view.load(snapshot).unwrap())).collect();
        view.collect_orphans(next.head.head(), &retained).unwrap();
        check("another leader");
        if leader == 4 {
            let end = next.head.end(JobEnd::Failed, RetentionPolicy::RetainOnFailure, &Collected::none());
            let _ = write_head(&*view, end.unwrap());
        }
    }
    check("the end of the job, after which its checkpoints are there");
}

mod toolset {
    use super::*;

    fn shared(worker: &dyn WorkerView, bytes: &[u8]) -> StateHandle {
        write(&*worker.shared_streams().unwrap(), StateScope::Shared, bytes)
    }

    fn read(worker: &dyn WorkerView, handle: &StateHandle) -> Vec<u8> {
        read_all(&*worker.reader(CheckpointId::FIRST, &Places::none()).unwrap(), handle)
    }

    fn path(base: &Path, handle: &StateHandle) -> PathBuf {
        let directory = base.join(job(1).to_string());
        match handle.place() {
            Place::File { root: Root::JobShared, file } => directory.join("shared").join(file.to_string()),
            Place::File { root: Root::JobTaskOwned, file } => directory.join("taskowned").join(file.to_string()),
            place => panic!("{place:?}"),
        }
    }

    #[test]
    fn inline_state_is_not_copied_as_a_file() {
        let scratch = tempfile::tempdir().unwrap();
        let worker = worker(scratch.path());
        let toolset = worker.task_owned_toolset();
        let (file, inline) = (shared(&*worker, &[1; 100]), shared(&*worker, &[1; 10]));
        assert!(matches!(inline.place(), Place::Inline(_)) && !toolset.can_duplicate(&inline));
        let error = toolset.duplicate(&[file, inline]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FailJob);
        assert!(error.to_string().contains("expected a shared or a task-owned file"), "{error}");
        let of_job = scratch.path().join(job(1).to_string());
        assert_eq!(directories(scratch.path()), [of_job.join("shared")], "no copy is left of the one that is a file");
    }

    #[test]
    fn a_file_is_copied_where_that_is_cheap_and_only_there() {
        let scratch = tempfile::tempdir().unwrap();
        let worker = worker(scratch.path());
        assert!(worker.task_owned_toolset().can_duplicate(&shared(&*worker, &[1; 100])));
        let exclusive = worker.streams(&barrier(numbered(1))).unwrap();
        let exclusive = write(&*exclusive, StateScope::Exclusive, &[1; 100]);
        assert!(!worker.task_owned_toolset().can_duplicate(&exclusive), "a handle does not say of which checkpoint");

        // This one copies nothing.
        let worker = worker_in(&storage("mem:/base"), &MemoryDisk::default().context());
        let handle = shared(&*worker, &[1; 100]);
        assert!(!worker.task_owned_toolset().can_duplicate(&handle));
        let error = worker.task_owned_toolset().duplicate(&[handle]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AbortCheckpoint);
    }

    #[test]
    fn copies_are_made_in_one_batch_and_keep_sizes_and_bytes_whatever_becomes_of_the_originals() {
        let scratch = tempfile::tempdir().unwrap();
        let worker = worker(scratch.path());
        let toolset = worker.task_owned_toolset();
        assert!(toolset.duplicate(&[]).unwrap().is_empty());
        let originals: Vec<_> = (1..=20).map(|byte| shared(&*worker, &vec![byte; 100 * usize::from(byte)])).collect();
        let copies = toolset.duplicate(&originals).unwrap();
        assert_eq!(copies.len(), originals.len());
        for ((original, copy), byte) in originals.iter().zip(&copies).zip(1..) {
            // Relative to the job's own directory, as every handle is.
            assert!(matches!(copy.place(), Place::File { root: Root::JobTaskOwned, .. }), "{copy:?}");
            assert_eq!(copy.length_bytes(), original.length_bytes());
            let [from, to] = [original, copy].map(|handle| path(scratch.path(), handle));
            assert_eq!(std::fs::metadata(&from).unwrap().len(), std::fs::metadata(to).unwrap().len());
            std::fs::remove_file(from).unwrap();
            assert_eq!(read(&*worker, copy), vec![byte; 100 * usize::from(byte)]);
        }
    }

    #[test]
    fn what_tasks_own_is_copied_under_another_name_and_never_onto_itself() {
        let scratch = tempfile::tempdir().unwrap();
        let worker = worker(scratch.path());
        let toolset = worker.task_owned_toolset();
        let owned = write(&*worker.task_owned_streams().unwrap(), StateScope::Exclusive, &[1; 100]);
        assert!(toolset.can_duplicate(&owned));
        let copies = toolset.duplicate(&[owned.clone(), owned.clone()]).unwrap();
        let places = [&owned, &copies[0], &copies[1]].map(|handle| path(scratch.path(), handle));
        assert!(places[0] != places[1] && places[1] != places[2] && places[0] != places[2], "{places:?}");
        std::fs::remove_file(&places[0]).unwrap();
        assert_eq!(read(&*worker, &copies[0]), [1; 100]);
    }

    #[test]
    fn when_one_copy_fails_none_is_left() {
        let scratch = tempfile::tempdir().unwrap();
        let worker = worker(scratch.path());
        let originals: Vec<_> = (1..=5).map(|byte| shared(&*worker, &[byte; 100])).collect();
        std::fs::remove_file(path(scratch.path(), &originals[2])).unwrap();
        worker.task_owned_toolset().duplicate(&originals).unwrap_err();
        let shared = scratch.path().join(job(1).to_string()).join("shared");
        assert_eq!(directories(scratch.path()), vec![shared; 4]);
    }
}

/// A task may keep such a stream open for as long as it lives, and a checkpoint that waits for the budget would wait for it.
#[test]
fn what_a_task_owns_takes_nothing_of_the_budget_of_checkpoints() {
    let directory = tempfile::tempdir().unwrap();
    let budget = Arc::new(Budget::new(1 << 20));
    let worker = worker_in(&storage(directory.path()), &local_context().with_budget(Arc::clone(&budget)));
    let charged = |streams: Arc<dyn StreamFactory>| {
        let mut stream = streams.create(StateScope::Exclusive).unwrap();
        stream.write_all(&[7; 1000]).unwrap();
        budget.charged_bytes()
    };
    assert_eq!(charged(worker.task_owned_streams().unwrap()), 0);
    assert_ne!(charged(worker.shared_streams().unwrap()), 0);
}
