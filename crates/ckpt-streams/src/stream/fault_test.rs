//! Streams that are cancelled, and over file systems that are watched.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use bytes::Bytes;
use ckpt_core::state::{Place, StateHandle};
use ckpt_core::{Digest, ErrorKind};

use super::stream_test::{files_below, handles_of, options, snapshot_of, stage, target};
use super::watched_test::{Event, Watched};
use crate::file_system::{Durability, FileSystem, LocalFileSystem, MemoryFileSystem};
use crate::testing::{ObjectStoreFileSystem, OperationKind, RecordingFileSystem, RefusingSpawn, Reply};
use crate::{
    FileStreams, FileStreamsOptions, Pool, PoolOptions, Spawn, Staged, StagedDescriptors, StateScope,
    StreamFactory as _,
};

/// Writes three pieces of state, each in two writes, and seals them.
fn write_and_seal(streams: &FileStreams) -> ckpt_core::Result<usize> {
    let mut staged = Vec::new();
    for (scope, length) in [(StateScope::Exclusive, 70_000), (StateScope::Shared, 300), (StateScope::Exclusive, 5)] {
        let mut stream = streams.create(scope)?;
        for half in [length / 2, length - length / 2] {
            stream.write_all(&vec![1; half]).map_err(|error| crate::into_error(error, ErrorKind::FailJob))?;
        }
        staged.extend(stream.finish()?);
    }
    Ok(handles_of(&streams.seal(snapshot_of(staged))?).len())
}

#[test]
fn files_are_synced_before_names_and_each_directory_once() {
    let recording = Arc::new(RecordingFileSystem::new(Arc::new(MemoryFileSystem::new())));
    let file_system: Arc<dyn FileSystem> = Arc::clone(&recording) as Arc<dyn FileSystem>;
    let pool = Arc::new(Pool::new(PoolOptions::new(3, 8)).unwrap());
    let streams = FileStreams::new(target(&file_system, pool), options(0));
    assert_eq!(write_and_seal(&streams).unwrap(), 3);
    let kinds: Vec<OperationKind> = recording.operations().iter().map(|operation| operation.kind).collect();
    use OperationKind::{CreateNew, Sync, SyncEntries};
    assert_eq!(kinds, [CreateNew, CreateNew, CreateNew, Sync, Sync, Sync, SyncEntries]);
    assert_eq!(recording.operations()[6].paths.len(), 3);
}

#[test]
fn without_durability_nothing_is_synced() {
    let recording = Arc::new(RecordingFileSystem::new(Arc::new(MemoryFileSystem::new())));
    let file_system: Arc<dyn FileSystem> = Arc::clone(&recording) as Arc<dyn FileSystem>;
    let options = FileStreamsOptions { durability: Durability::None, ..options(0) };
    let streams = FileStreams::new(target(&file_system, Arc::new(RefusingSpawn::new())), options);
    assert_eq!(write_and_seal(&streams).unwrap(), 3);
    let count = |kind| recording.operations().iter().filter(|operation| operation.kind == kind).count();
    assert_eq!((count(OperationKind::Sync), count(OperationKind::SyncEntries)), (0, 0));
    assert_eq!(count(OperationKind::Finish), 3);
}

#[test]
fn with_too_many_descriptors_the_oldest_is_synced_early_and_once() {
    let recording = Arc::new(RecordingFileSystem::new(Arc::new(MemoryFileSystem::new())));
    let file_system: Arc<dyn FileSystem> = Arc::clone(&recording) as Arc<dyn FileSystem>;
    let descriptors = Arc::new(StagedDescriptors::new(2));
    let target = target(&file_system, Arc::new(RefusingSpawn::new())).with_descriptors(Arc::clone(&descriptors));
    let streams = FileStreams::new(target, options(0));
    let staged: Vec<_> = (0..5).map(|_| stage(streams.create(StateScope::Exclusive).unwrap(), b"x")).collect();
    let of = |kind| -> Vec<String> {
        let operations = recording.operations().into_iter().filter(|operation| operation.kind == kind);
        operations.map(|operation| operation.paths[0].to_string()).collect()
    };
    let created = of(OperationKind::CreateNew);
    assert_eq!(of(OperationKind::Sync), created[..3]);
    assert_eq!(handles_of(&streams.seal(snapshot_of(staged)).unwrap()).len(), 5);
    let mut synced = of(OperationKind::Sync);
    synced.sort();
    assert_eq!(synced, created);
}

/// Descriptors are those of a process, however many checkpoints and tasks it writes.
#[test]
fn factories_share_a_limit_of_descriptors() {
    let file_system: Arc<dyn FileSystem> = Arc::new(MemoryFileSystem::new());
    let descriptors = Arc::new(StagedDescriptors::new(10));
    let target = target(&file_system, Arc::new(RefusingSpawn::new())).with_descriptors(Arc::clone(&descriptors));
    let factories: Vec<_> = (0..5).map(|_| FileStreams::new(target.clone(), options(0))).collect();
    let mut staged = Vec::new();
    for number in 0..50 {
        staged.push(stage(factories[number % 5].create(StateScope::Exclusive).unwrap(), b"x"));
        assert_eq!(descriptors.held(), (number + 1).min(10));
    }
    // However they go, they are counted no more.
    factories[0].cancel().wait().unwrap();
    let kept = staged.split_off(25);
    drop(staged);
    for (number, staged) in kept.into_iter().enumerate().filter(|(number, _)| number % 5 > 0) {
        factories[number % 5].seal_piece(staged).unwrap();
    }
    assert_eq!(descriptors.held(), 0);
}

#[test]
fn what_is_dropped_aborted_or_cancelled_leaves_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    let file_system: Arc<dyn FileSystem> = Arc::new(LocalFileSystem::open(scratch.path()).unwrap());
    let streams = FileStreams::new(target(&file_system, Arc::new(RefusingSpawn::new())), options(0));
    let open = || {
        let mut stream = streams.create(StateScope::Exclusive).unwrap();
        stream.write_all(b"bytes").unwrap();
        stream
    };
    drop(open());
    assert_eq!(streams.counts().dropped, 1);
    open().abort().unwrap();
    drop(open().finish().unwrap());
    assert_eq!((files_below(scratch.path()).len(), streams.counts().dropped), (0, 1));
    // Streams and staged state that somebody holds for ever do not keep their files.
    let (held, staged) = (open(), open().finish().unwrap());
    assert_eq!(files_below(scratch.path()).len(), 2);
    streams.cancel().wait().unwrap();
    assert_eq!(files_below(scratch.path()).len(), 0);
    assert_eq!(held.finish().unwrap_err().kind(), ErrorKind::Cancelled);
    drop(staged);
    assert_eq!(streams.counts().left_behind, 0);
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
}

#[test]
fn what_another_factory_staged_is_refused_and_removed() {
    let files = MemoryFileSystem::new();
    let file_system: Arc<dyn FileSystem> = Arc::new(files.clone());
    let target = target(&file_system, Arc::new(RefusingSpawn::new()));
    let (ours, theirs) = (FileStreams::new(target.clone(), options(0)), FileStreams::new(target, options(0)));
    let mix = vec![
        stage(ours.create(StateScope::Exclusive).unwrap(), b"x"),
        stage(theirs.create(StateScope::Exclusive).unwrap(), b"y"),
    ];
    assert_eq!(ours.seal(snapshot_of(mix)).unwrap_err().kind(), ErrorKind::FailJob);
    assert_eq!(files.paths(), []);
}

/// What lies under the name of a copy is never this factory's, so it stays: state that somebody sealed, or a leftover.
#[test]
fn a_copy_whose_name_is_taken_removes_nothing() {
    let files = MemoryFileSystem::new();
    let file_system: Arc<dyn FileSystem> = Arc::new(files.clone());
    // Names that begin again for the same writer.
    let begin = || FileStreams::new(target(&file_system, Arc::new(RefusingSpawn::new())), options(0));
    let streams = begin();
    let staged = stage(streams.create(StateScope::Shared).unwrap(), b"state");
    let handle = streams.seal_piece(staged).unwrap();
    let sealed = files.paths();
    assert_eq!(sealed.len(), 1);
    let again = begin();
    let error = again.duplicate(&[handle], StateScope::Shared).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AbortCheckpoint);
    assert_eq!(files.paths(), sealed);
    again.cancel().wait().unwrap();
    assert_eq!(files.paths(), sealed);
}

/// Where a file appears when it is finished, another's may have its name by then: that one stays, whoever finds it.
#[test]
fn a_name_that_was_taken_while_its_file_was_written_is_left_to_whoever_has_it() {
    for (durability, limit) in [(Durability::None, 9), (Durability::Full, 9), (Durability::Full, 0)] {
        let options = FileStreamsOptions { durability, ..options(0) };
        for is_cancelled in [false, true] {
            let file_system: Arc<dyn FileSystem> = Arc::new(ObjectStoreFileSystem::new());
            let begin = || {
                let target = target(&file_system, Arc::new(RefusingSpawn::new()));
                FileStreams::new(target.with_descriptors(Arc::new(StagedDescriptors::new(limit))), options)
            };
            let (first, second) = (begin(), begin());
            let mut streams = [&first, &second].map(|streams| streams.create(StateScope::Shared).unwrap());
            streams.iter_mut().for_each(|stream| stream.write_all(b"state").unwrap());
            let [ours, theirs] = streams;
            let staged = ours.finish().unwrap().unwrap();
            first.seal_piece(staged).unwrap();
            let error = theirs.finish().and_then(|staged| second.seal_piece(staged.unwrap())).unwrap_err();
            assert!(error.to_string().contains("its name was taken"), "{error}");
            if is_cancelled {
                second.cancel().wait().unwrap();
            }
            drop(second);
            assert_eq!(file_system.list(None, None, 9).unwrap().len(), 1, "{options:?} {limit}");
        }
    }
}

#[test]
fn state_in_a_handle_is_verified_before_it_is_copied() {
    let file_system: Arc<dyn FileSystem> = Arc::new(MemoryFileSystem::new());
    let streams = FileStreams::new(target(&file_system, Arc::new(RefusingSpawn::new())), options(0));
    let inline =
        |length_bytes, digest| StateHandle::assume_durable(Place::Inline(Bytes::from("state")), length_bytes, digest);
    let right = Some(Digest::of(b"state"));
    let copies = streams.duplicate(&[inline(5, right)], StateScope::Shared).unwrap();
    assert_eq!(copies[0].length_bytes(), 5);
    for damaged in [inline(5, Some(Digest::of(b"other"))), inline(5, None), inline(6, right)] {
        let error = streams.duplicate(&[inline(5, right), damaged], StateScope::Shared).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
    }
}

/// Where nobody knows whether a copy was made it is removed, and so it is when only its answer was lost.
#[test]
fn a_copy_whose_answer_is_lost_leaves_nothing() {
    for reply in [Reply::LostAfterApplied, Reply::LostBeforeApplied] {
        let store = ObjectStoreFileSystem::new();
        let file_system: Arc<dyn FileSystem> = Arc::new(store.clone());
        let streams = FileStreams::new(target(&file_system, Arc::new(RefusingSpawn::new())), options(0));
        let staged = stage(streams.create(StateScope::Shared).unwrap(), b"state");
        let handle = streams.seal_piece(staged).unwrap();
        store.answer_next([reply]);
        let error = streams.duplicate(&[handle], StateScope::Shared).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AbortCheckpoint);
        assert_eq!(file_system.list(None, None, 9).unwrap().len(), 1, "{reply:?}");
        assert_eq!(streams.counts().left_behind, 0);
    }
}

#[test]
fn a_copy_costs_no_sync_where_nothing_is_to_be_durable() {
    for (durability, synced) in [(Durability::None, 0), (Durability::Full, 2)] {
        let files = MemoryFileSystem::new();
        let file_system: Arc<dyn FileSystem> = Arc::new(files.clone());
        let options = FileStreamsOptions { durability, ..options(0) };
        let streams = FileStreams::new(target(&file_system, Arc::new(RefusingSpawn::new())), options);
        let staged = stage(streams.create(StateScope::Shared).unwrap(), b"state");
        let handle = streams.seal_piece(staged).unwrap();
        let copies = streams.duplicate(&[handle], StateScope::Shared).unwrap();
        assert_eq!((files.paths().len(), files.synced().len()), (2, synced), "{durability:?}");
        drop(copies);
    }
}

/// The copies come in the order that was asked for, whoever makes them.
#[test]
fn many_copies_are_made_side_by_side_and_also_where_no_job_is_taken() {
    let pool = |threads| -> Arc<dyn Spawn> { Arc::new(Pool::new(PoolOptions::new(threads, 64)).unwrap()) };
    for (spawn, expected) in [(Arc::new(RefusingSpawn::new()) as Arc<dyn Spawn>, 1), (pool(1), 2), (pool(7), 4)] {
        // Those that copy wait for each other, until there were as many as expected.
        let copying = Arc::new((Mutex::new((0, 0)), Condvar::new()));
        let met = Arc::clone(&copying);
        let file_system: Arc<dyn FileSystem> = Arc::new(Watched::new(move |event, _| {
            if event == Event::Copying {
                let (count, changed) = &*met;
                let mut count = count.lock().unwrap();
                count.0 += 1;
                count.1 = count.0.max(count.1);
                changed.notify_all();
                let wait = Duration::from_secs(20);
                let mut count = changed.wait_timeout_while(count, wait, |count| count.1 < expected).unwrap().0;
                count.0 -= 1;
            }
        }));
        let streams = FileStreams::new(target(&file_system, spawn), options(0));
        let staged = [1, 2, 3, 4].map(|length| stage(streams.create(StateScope::Shared).unwrap(), &vec![7; length]));
        let handles = handles_of(&streams.seal(snapshot_of(staged.into())).unwrap());
        let copies = streams.duplicate(&handles, StateScope::Shared).unwrap();
        let copied: Vec<u64> = copies.iter().map(Staged::length_bytes).collect();
        assert_eq!(copied, handles.iter().map(StateHandle::length_bytes).collect::<Vec<_>>());
        assert_eq!(copying.0.lock().unwrap().1, expected);
        drop(copies);
        assert_eq!(file_system.list(None, None, 99).unwrap().len(), 4);
        // One that cannot be made takes the others with it.
        file_system.remove(&[file_system.list(None, None, 1).unwrap()[0].path.clone()]);
        streams.duplicate(&handles, StateScope::Shared).unwrap_err();
        assert_eq!(file_system.list(None, None, 99).unwrap().len(), 3);
    }
}
