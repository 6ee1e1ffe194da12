//! Every sentence about memory storage.

use std::io::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use ckpt_core::ErrorKind;
use ckpt_core::head::SnapshotPlace;
use ckpt_core::id::{LeaderEpoch, Writer, WriterId};
use ckpt_core::snapshot::{CheckpointBarrier, CheckpointOptions, LocationReference, SnapshotKind};
use ckpt_core::state::{HandleView, Place, StateHandle};
use ckpt_streams::{StateScope, into_error};

use crate::test_support::{MemoryDisk, local_context};
use crate::testing::sample::{
    barrier, barrier_of_savepoint, commit_next, identity, job, nonce, publish, savepoint_of, written_state,
};
use crate::testing::{StorageUnderTest, check_storage};
use crate::{
    CheckpointStorage, FileSystemStorage, MemoryStorage, NOT_ADDRESSABLE, StorageContext, WorkerView, claim,
    make_savepoint_location,
};

fn worker(storage: &MemoryStorage, context: &StorageContext) -> Arc<dyn WorkerView> {
    storage.worker_view(job(1), Writer::new(LeaderEpoch::new(1), WriterId::new(1)), context).unwrap()
}

#[test]
fn contract_without_a_directory() {
    check_storage(&mut || {
        StorageUnderTest::new(Arc::new(MemoryStorage::new()), MemoryDisk::default().context())
            .with_savepoint_target("mem:/save")
    });
}

#[test]
fn contract_with_a_directory() {
    check_storage(&mut || {
        let storage =
            MemoryStorage::new().with_base_checkpoint_dir("mem:/base").with_default_savepoint_dir("mem:/save");
        StorageUnderTest::new(Arc::new(storage), MemoryDisk::default().context())
    });
}

#[test]
fn without_a_directory_it_is_not_highly_available_and_no_file_is_made() {
    let disk = MemoryDisk::default();
    let context = disk.context();
    let view = MemoryStorage::new().coordinator_view(job(1), &context).unwrap();
    assert!(!view.supports_high_availability() && !view.has_default_savepoint_location());
    view.initialize_base_locations().unwrap();
    let claimed = claim(&*view.head(), job(1), nonce(1)).unwrap().head;
    let _ = commit_next(&*view, &claimed, 1, &[]);
    assert_eq!(disk.operations(), 0);
}

#[test]
fn with_a_directory_its_metadata_is_a_file_and_it_is_highly_available() {
    let disk = MemoryDisk::default();
    let storage = MemoryStorage::new().with_base_checkpoint_dir("mem:/base").with_default_savepoint_dir("mem:/save");
    let view = storage.coordinator_view(job(1), &disk.context()).unwrap();
    assert!(view.supports_high_availability() && view.has_default_savepoint_location());
    let claimed = claim(&*view.head(), job(1), nonce(1)).unwrap().head;
    let published = publish(&*view, job(1), identity(&claimed, 1), &[]);
    let directory = format!("base/{}/chk-1", job(1));
    assert!(disk.files().contains(&format!("{directory}/_metadata")), "{:?}", disk.files());
    let pointer = view.pointer(&published);
    assert_eq!(pointer, format!("mem:/{directory}"));
    assert_eq!(storage.resolve(&pointer, &disk.context()).unwrap().metadata, view.load(&published).unwrap().into());
}

#[test]
fn no_one_can_resolve_the_pointer_of_a_checkpoint_in_memory() {
    let context = MemoryDisk::default().context();
    let storage = MemoryStorage::new();
    let view = storage.coordinator_view(job(1), &context).unwrap();
    let claimed = claim(&*view.head(), job(1), nonce(1)).unwrap().head;
    let mut published = publish(&*view, job(1), identity(&claimed, 1), &[]);
    assert_eq!(view.pointer(&published), NOT_ADDRESSABLE);
    let error = storage.resolve(NOT_ADDRESSABLE, &context).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("no pointer leads there"), "{error}");
    // What lies elsewhere is found there.
    published.place = SnapshotPlace::Elsewhere(ckpt_core::uri::Uri::new("mem:/save/savepoint-1").unwrap());
    assert_eq!(view.pointer(&published), "mem:/save/savepoint-1");
}

#[test]
fn the_memory_of_a_job_that_is_forgotten_is_given_back_and_that_of_others_stays() {
    let (storage, process) = (MemoryStorage::new(), MemoryDisk::default().context());
    let head = |number| storage.coordinator_view(job(number), &process).unwrap().head();
    let kept = [1, 2].map(|number| claim(&*head(number), job(number), nonce(1)).unwrap().head);
    let held = head(1);
    process.clone().forget(job(1));
    assert!(held.read().unwrap().is_some());
    assert_eq!((head(1).read().unwrap(), head(2).read().unwrap().is_some()), (None, true));
    drop(kept);
}

#[test]
fn jobs_and_processes_do_not_see_each_others_memory() {
    let storage = MemoryStorage::new();
    let (process, other) = (MemoryDisk::default().context(), MemoryDisk::default().context());
    let view = storage.coordinator_view(job(1), &process).unwrap();
    let claimed = claim(&*view.head(), job(1), nonce(1)).unwrap().head;
    assert!(storage.coordinator_view(job(1), &process.clone()).unwrap().head().read().unwrap().is_some());
    for (job, process) in [(job(1), other), (job(2), process)] {
        assert_eq!(storage.coordinator_view(job, &process).unwrap().head().read().unwrap(), None);
    }
    drop(claimed);
}

#[test]
fn a_directory_that_cannot_be_made_is_told_when_the_job_is_opened() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "a file").unwrap();
    let base = file.join("below").into_os_string().into_string().unwrap();
    let error = MemoryStorage::new().with_base_checkpoint_dir(&*base).coordinator_view(job(1), &local_context());
    let error = error.expect_err("a file is in the way");
    assert!(error.to_string().contains(&base), "{error}");
}

#[test]
fn a_piece_of_state_may_have_the_limit_and_no_byte_more() {
    let storage = MemoryStorage::new().with_max_state_size_bytes(100);
    let context = MemoryDisk::default().context();
    let worker = worker(&storage, &context);
    let view = storage.coordinator_view(job(1), &context).unwrap();
    let claimed = claim(&*view.head(), job(1), nonce(1)).unwrap().head;
    let barrier = barrier(identity(&claimed, 1));
    for streams in [worker.streams(&barrier).unwrap(), worker.task_owned_streams().unwrap()] {
        let mut stream = streams.create(StateScope::Exclusive).unwrap();
        stream.write_all(&[7; 100]).unwrap();
        let handle = streams.seal_piece(stream.finish().unwrap().unwrap()).unwrap();
        assert_eq!(handle.length_bytes(), 100);
        let mut stream = streams.create(StateScope::Shared).unwrap();
        stream.write_all(&[7; 60]).unwrap();
        let error = into_error(stream.write_all(&[7; 41]).unwrap_err(), ErrorKind::AbortCheckpoint).to_string();
        for part in ["a write of 41 bytes at 60", "at most 100 bytes", "file storage"] {
            assert!(error.contains(part), "{error} names {part}");
        }
    }
}

#[test]
fn any_reference_gives_streams_in_memory_and_its_own_is_the_default() {
    let disk = MemoryDisk::default();
    let storage = MemoryStorage::new().with_base_checkpoint_dir("mem:/base");
    let context = disk.context();
    let view = storage.coordinator_view(job(1), &context).unwrap();
    let claimed = claim(&*view.head(), job(1), nonce(1)).unwrap().head;
    let identity = identity(&claimed, 1);
    let location = view.initialize_checkpoint(&identity).unwrap();
    assert_eq!(location.reference(), LocationReference::Default);
    let anywhere = LocationReference::at(b"anywhere".as_slice().into()).unwrap();
    let elsewhere = CheckpointBarrier::new(identity, CheckpointOptions::aligned(SnapshotKind::Checkpoint, anywhere));
    let before = disk.operations();
    let streams = worker(&storage, &context).streams(&elsewhere).unwrap();
    let mut stream = streams.create(StateScope::Exclusive).unwrap();
    stream.write_all(&[1; 1 << 20]).unwrap();
    let handle = streams.seal_piece(stream.finish().unwrap().unwrap()).unwrap();
    assert!(matches!(handle.place(), Place::Inline(_)) && disk.operations() == before);
}

/// Without a directory for checkpoints a savepoint still is a file, and all that it needs is in that.
#[test]
fn a_savepoint_is_a_file_that_holds_all_state() {
    let disk = MemoryDisk::default();
    let context = disk.context();
    let storage = MemoryStorage::new();
    let view = storage.coordinator_view(job(1), &context).unwrap();
    let claimed = claim(&*view.head(), job(1), nonce(1)).unwrap().head;
    let identity = identity(&claimed, 1);
    let (uri, location) = make_savepoint_location(&*view, &identity, Some("mem:/save"), &mut |_| Ok(())).unwrap();
    assert_eq!(location.reference(), LocationReference::Default, "workers need no place");
    let streams = worker(&storage, &context).streams(&barrier_of_savepoint(identity, location.reference())).unwrap();
    let state = written_state(&*streams, &vec![1; 1 << 20]);
    let published = location.publish(&savepoint_of(job(1), identity, Some(state))).unwrap();
    let directory = uri.as_str().strip_prefix("mem:/").unwrap();
    assert_eq!(disk.files(), ["_metadata", "_savepoint"].map(|file| format!("{directory}/{file}")));
    // It is found without the storage that took it, and wherever it is moved to.
    assert!(disk.take_log().contains(&format!("sync {directory}/_metadata")), "a savepoint is durable");
    let anywhere = FileSystemStorage::without_directory().resolve(&view.pointer(&published), &context).unwrap();
    assert!(anywhere.metadata.summary().self_contained);
    let mut inline = 0;
    let count =
        &mut |handle: &HandleView<'_>| inline += u64::from(matches!(handle.to_handle().place(), Place::Inline(_)));
    anywhere.metadata.visit_handles(count).unwrap();
    assert_eq!(inline, 2);
}

#[test]
fn nothing_is_duplicated_and_asking_is_an_error() {
    let context = MemoryDisk::default().context();
    let toolset = worker(&MemoryStorage::new(), &context).task_owned_toolset();
    let handle = StateHandle::inline(Bytes::from_static(b"state"));
    assert!(!toolset.can_duplicate(&handle));
    let error = toolset.duplicate(&[handle]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FailJob);
    assert_eq!(error.to_string(), "memory storage duplicates no state: there are no files");
}
