//! Bugs that Flink had with files and directories, each by its ticket.

use std::fs;

use ckpt_core::ErrorKind;
use ckpt_core::id::{Writer, WriterId};
use ckpt_core::shared::SharedStateRegistry;
use ckpt_core::snapshot::{
    Admission, AfterSavepoint, CheckpointBarrier, CheckpointOptions, CheckpointProperties, SavepointFormat,
    SnapshotKind,
};
use ckpt_core::state::Root;

use crate::test_support::{MemoryDisk, local_context};
use crate::testing::sample::{barrier, commit_next, identity, job, nonce, snapshot_of, written_state};
use crate::{CheckpointStorage as _, FileSystemStorage, claim, jobs_in, make_savepoint_location};

#[test]
fn flink_28863_a_native_savepoint_names_no_shared_state() {
    let disk = MemoryDisk::default();
    let storage =
        FileSystemStorage::new("mem:/base").with_default_savepoint_dir("mem:/save").with_inline_threshold_bytes(0);
    let view = storage.coordinator_view(job(1), &disk.context()).unwrap();
    let claimed = claim(&*view.head(), job(1), nonce(1)).unwrap().head;
    let identity = identity(&claimed, 1);
    let (_, location) = make_savepoint_location(&*view, &identity, None, &mut |_| Ok(())).unwrap();
    let properties =
        CheckpointProperties::savepoint(SavepointFormat::Native, AfterSavepoint::Continue, Admission::InTurn);
    // What would be shared is written into its own directory.
    let barrier = CheckpointBarrier::new(identity, CheckpointOptions::aligned(properties.kind(), location.reference()));
    let writer = Writer::new(claimed.head().epoch, WriterId::new(1));
    let worker = storage.worker_view(job(1), writer, &disk.context()).unwrap();
    let state = written_state(&*worker.streams(&barrier).unwrap(), &[1; 100]);
    let roots: Vec<_> = state.operator().iter().map(|state| state.handle().place().file().unwrap().0).collect();
    assert_eq!(roots, [Root::ThisSnapshot, Root::ThisSnapshot]);
    let metadata = snapshot_of(job(1), identity, properties, Some(state));
    assert!(metadata.summary().self_contained);
    location.publish(&metadata).unwrap();
}

#[test]
fn flink_30461_uploads_of_an_increment_that_was_given_up_are_deleted() {
    let disk = MemoryDisk::default();
    let storage = FileSystemStorage::new("mem:/base").with_inline_threshold_bytes(0);
    let view = storage.coordinator_view(job(1), &disk.context()).unwrap();
    let claimed = claim(&*view.head(), job(1), nonce(1)).unwrap().head;
    let (epoch, writer) = (claimed.head().epoch, WriterId::new(1));
    let worker = storage.worker_view(job(1), Writer::new(epoch, writer), &disk.context()).unwrap();
    let mut registry = SharedStateRegistry::new(epoch);
    registry.start_writer(writer).unwrap();
    let identity = identity(&claimed, 1);
    let location = view.initialize_checkpoint(&identity).unwrap();
    registry.begin(&identity, SnapshotKind::Checkpoint).unwrap();
    let state = written_state(&*worker.streams(&barrier(identity)).unwrap(), &[1; 100]);
    let mut files = registry.acknowledge(identity.id, writer).unwrap();
    for state in state.operator() {
        files.written(state.handle()).unwrap();
    }
    files.accept();
    assert_eq!(disk.files().len(), 2, "{:?}", disk.files());
    // It is given up; the writer may still name what it uploaded, and then ends.
    location.discard().unwrap();
    view.remove_files(&registry.release(identity.id)).unwrap();
    assert!(disk.files().iter().all(|file| file.contains("/shared/")), "{:?}", disk.files());
    view.remove_files(&registry.end_writers([writer])).unwrap();
    assert_eq!(disk.files(), Vec::<String>::new());
}

#[test]
fn flink_38909_a_directory_goes_with_its_last_file_and_with_nothing_in_it() {
    let directory = tempfile::tempdir().unwrap();
    let storage = FileSystemStorage::new(directory.path().to_str().unwrap());
    let view = storage.coordinator_view(job(1), &local_context()).unwrap();
    let mut claimed = claim(&*view.head(), job(1), nonce(1)).unwrap().head;
    let place = |number: u64| directory.path().join(job(1).to_string()).join(format!("chk-{number}"));
    for (number, marker) in [(1, false), (2, true), (3, false)] {
        let written = commit_next(&*view, &claimed, number, &[]);
        if marker {
            // As a store that has no directories leaves one.
            fs::write(place(number).join("_$folder$"), "").unwrap();
        }
        for removed in &written.removed {
            view.remove(removed, &Default::default()).unwrap();
        }
        claimed = written.head;
    }
    assert!(!place(1).exists());
    // What is not ours stays, and is in nobody's way: the removal is done, and is so when it is done again.
    let left: Vec<_> = fs::read_dir(place(2)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["_$folder$"]);
    assert!(place(3).join("_metadata").exists());
}

#[test]
fn flink_11107_looking_makes_no_directory() {
    let directory = tempfile::tempdir().unwrap();
    let base = directory.path().join("not/there");
    let (base_path, context) = (base.to_str().unwrap(), local_context());
    let storage = FileSystemStorage::new(base_path).with_default_savepoint_dir(format!("{base_path}-savepoints"));
    let view = storage.coordinator_view(job(1), &context).unwrap();
    assert_eq!(view.head().read().unwrap(), None);
    assert_eq!(jobs_in(base_path, &context).unwrap(), []);
    let error = storage.resolve(&format!("{base_path}/chk-1"), &context).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}
