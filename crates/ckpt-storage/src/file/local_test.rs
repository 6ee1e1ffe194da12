//! File storage in real directories.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ckpt_core::ErrorKind;
use ckpt_core::head::Collected;
use ckpt_core::id::{CheckpointId, LeaderEpoch, Writer, WriterId};
use ckpt_core::shared::RemovedFiles;
use ckpt_core::state::{Place, Places, Root};
use ckpt_streams::Verification;

use crate::test_support::local_context;
use crate::testing::sample::{
    barrier, commit, commit_next, identity, job, metadata_of, nonce, publish, read_all, written_state,
};
use crate::{CheckpointStorage, CoordinatorView, FileSystemStorage, HeadOutcome, claim, jobs_in};

fn storage(base: &Path) -> FileSystemStorage {
    FileSystemStorage::new(base.to_str().unwrap()).with_inline_threshold_bytes(16)
}

fn view(base: &Path) -> Arc<dyn CoordinatorView> {
    storage(base).coordinator_view(job(1), &local_context()).unwrap()
}

/// Files below a directory, without those of HEAD.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().map(Result::unwrap) {
        if entry.file_name() == "head" {
            continue;
        }
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => found.extend(files(&entry.path())),
            _ => found.push(entry.path()),
        }
    }
    found.sort();
    found
}

#[test]
fn two_coordinators_on_one_directory() {
    let directory = tempfile::tempdir().unwrap();
    // The first is stopped after each of its steps, the second takes over, the first goes on.
    for stop in 0..4 {
        let base = directory.path().join(stop.to_string());
        let first = view(&base);
        let claimed = claim(&*first.head(), job(1), nonce(1)).unwrap();
        let committed = commit_next(&*first, &claimed.head, 1, &[]).head;
        let worker = Writer::new(committed.head().epoch, WriterId::new(1));
        let worker = storage(&base).worker_view(job(1), worker, &local_context()).unwrap();
        let second_view = view(&base);
        let take_over = || {
            let claimed = claim(&*second_view.head(), job(1), nonce(2)).unwrap().head;
            let retained: Vec<_> =
                claimed.head().retained.iter().map(|retained| Arc::new(second_view.load(retained).unwrap())).collect();
            second_view.collect_orphans(claimed.head(), &retained).unwrap();
            commit_next(&*second_view, &claimed, 1001, &[])
        };
        let mut second = None;
        let location = first.initialize_checkpoint(&identity(&committed, 2)).unwrap();
        if stop == 0 {
            second = Some(take_over());
        }
        let streams = worker.streams(&barrier(identity(&committed, 2))).unwrap();
        let state = written_state(&*streams, &[1; 1000]);
        if stop == 1 {
            second = Some(take_over());
        }
        let metadata = metadata_of(job(1), identity(&committed, 2), Some(state));
        let published = location.publish(&metadata).unwrap();
        if stop == 2 {
            second = Some(take_over());
        }
        let write = || committed.commit(published.clone(), 1, &Collected::none()).unwrap();
        if stop == 3 {
            assert!(matches!(first.head().write(write()), HeadOutcome::Written(_)));
            second = Some(take_over());
        }
        let there = files(&base);
        let HeadOutcome::Fenced(error) = first.head().write(write()) else { panic!("stop {stop}: not fenced") };
        assert_eq!(error.kind(), ErrorKind::Fenced);
        assert!(error.to_string().contains("epoch 2") && error.to_string().contains("ours is 1"), "{error}");
        assert_eq!(files(&base), there, "stop {stop}: who is fenced deletes nothing");
        // What the fenced one left is swept by the next claim, and what the second committed is there.
        let second = second.unwrap();
        second_view.load(second.head.head().restore_point().unwrap()).unwrap();
        for removed in second.removed {
            second_view.remove(&removed, &RemovedFiles::default()).unwrap();
        }
        let third = view(&base);
        let claimed = claim(&*third.head(), job(1), nonce(3)).unwrap();
        for removed in claimed.all_removed() {
            third.remove(&removed, &RemovedFiles::default()).unwrap();
        }
        let retained = Arc::new(third.load(claimed.head.head().restore_point().unwrap()).unwrap());
        third.collect_orphans(claimed.head.head(), &[retained]).unwrap();
        let job_directory = base.join(job(1).to_string());
        assert_eq!(files(&base), [job_directory.join("chk-1001/_metadata")], "stop {stop}");
    }
}

#[test]
fn links_are_not_followed() {
    let directory = tempfile::tempdir().unwrap();
    let (base, outside) = (directory.path().join("base"), directory.path().join("outside"));
    fs::create_dir(&outside).unwrap();
    let name = Writer::new(LeaderEpoch::new(1), WriterId::new(1)).file(0).to_string();
    fs::write(outside.join(&name), "not ours").unwrap();
    fs::write(outside.join("_metadata"), "not ours").unwrap();

    let former = view(&base);
    let claimed = claim(&*former.head(), job(1), nonce(1)).unwrap();
    let _ = publish(&*former, job(1), identity(&claimed.head, 1), &[]);
    let job_directory = base.join(job(1).to_string());
    // A link to a file, and links in the place of directories that are ours.
    symlink(outside.join(&name), job_directory.join("chk-1").join(&name)).unwrap();
    symlink(&outside, job_directory.join("chk-2")).unwrap();
    symlink(&outside, job_directory.join("shared")).unwrap();

    let location = former.initialize_checkpoint(&identity(&claimed.head, 2));
    if let Ok(location) = location {
        let _ = location.publish(&metadata_of(job(1), identity(&claimed.head, 2), None)).unwrap_err();
        let _ = location.discard();
    }
    let present = claim(&*view(&base).head(), job(1), nonce(2)).unwrap();
    let _ = view(&base).collect_orphans(present.head.head(), &[]);
    assert_eq!(fs::read_to_string(outside.join(&name)).unwrap(), "not ours");
    assert_eq!(fs::read_to_string(outside.join("_metadata")).unwrap(), "not ours");
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 2, "nothing was written there either");
}

#[test]
fn directories_and_files_are_for_their_owner_only() {
    let directory = tempfile::tempdir().unwrap();
    let base = directory.path().join("base");
    let view = view(&base);
    let claimed = claim(&*view.head(), job(1), nonce(1)).unwrap();
    let published = publish(&*view, job(1), identity(&claimed.head, 1), &[]);
    let _ = commit(&*view, &claimed.head, published);
    let job_directory = base.join(job(1).to_string());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&job_directory), 0o700);
    assert_eq!(mode(&job_directory.join("chk-1")), 0o700);
    assert_eq!(mode(&job_directory.join("chk-1/_metadata")), 0o600);
}

#[test]
fn a_base_location_that_cannot_be_made_is_named() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["shared", "taskowned"] {
        let base = directory.path().join(format!("base-of-{name}"));
        let in_the_way = base.join(job(1).to_string()).join(name);
        fs::create_dir_all(in_the_way.parent().unwrap()).unwrap();
        fs::write(&in_the_way, "a file").unwrap();
        let error = view(&base).initialize_base_locations().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FailJob);
        assert!(error.to_string().contains(in_the_way.to_str().unwrap()), "{error}");
    }
}

#[test]
fn flink_9633_the_jobs_of_a_directory_are_those_with_a_head() {
    let directory = tempfile::tempdir().unwrap();
    let base = directory.path().join("base");
    let (text, context) = (base.to_str().unwrap(), local_context());
    assert_eq!(jobs_in(text, &context).unwrap(), []);
    assert!(!base.exists(), "looking makes nothing");
    for number in [3, 1, 2] {
        let view = storage(&base).coordinator_view(job(number), &context).unwrap();
        let claimed = claim(&*view.head(), job(number), nonce(1)).unwrap();
        let _ = commit_next(&*view, &claimed.head, 1, &[]);
    }
    fs::create_dir_all(base.join(job(4).to_string()).join("shared")).unwrap();
    fs::create_dir_all(base.join("lost+found")).unwrap();
    fs::write(base.join("lost+found/notes"), "").unwrap();
    fs::write(base.join("readme"), "").unwrap();
    assert_eq!(jobs_in(text, &context).unwrap(), [job(1), job(2), job(3)]);
    assert_eq!(jobs_in("relative", &context).unwrap_err().kind(), ErrorKind::Configuration);
}

#[test]
fn flink_5214_what_an_interrupted_publication_leaves_goes_with_the_next_leader() {
    let directory = tempfile::tempdir().unwrap();
    let base = directory.path().join("base");
    let former = view(&base);
    let claimed = claim(&*former.head(), job(1), nonce(1)).unwrap();
    let _ = commit_next(&*former, &claimed.head, 1, &[]);
    // As a process leaves it that is killed before the link.
    let job_directory = base.join(job(1).to_string());
    fs::create_dir(job_directory.join("chk-2")).unwrap();
    fs::write(job_directory.join("chk-2/.tmp-_metadata-1-0"), "half").unwrap();
    let present = view(&base);
    let claimed = claim(&*present.head(), job(1), nonce(2)).unwrap();
    let retained = Arc::new(present.load(claimed.head.head().restore_point().unwrap()).unwrap());
    present.collect_orphans(claimed.head.head(), &[retained]).unwrap();
    assert_eq!(files(&base), [job_directory.join("chk-1/_metadata")]);
    assert!(!job_directory.join("chk-2").exists());
}

/// Whatever the scope, the coordinator knows of none of it.
#[test]
fn task_owned_state_is_sealed_by_its_streams_and_read_back() {
    let directory = tempfile::tempdir().unwrap();
    let view = view(directory.path());
    let claimed = claim(&*view.head(), job(1), nonce(1)).unwrap().head;
    let worker = Writer::new(claimed.head().epoch, WriterId::new(1));
    let worker = storage(directory.path()).worker_view(job(1), worker, &local_context()).unwrap();
    let bytes = vec![7; 1000];
    let state = written_state(&*worker.task_owned_streams().unwrap(), &bytes);
    let reader = worker.reader(CheckpointId::FIRST, &Places::none()).unwrap();
    for handle in state.handles() {
        assert!(matches!(handle.place(), Place::File { root: Root::JobTaskOwned, .. }), "{handle:?}");
        assert_eq!(read_all(&*reader, handle), bytes);
    }
    let found = files(&directory.path().join(job(1).to_string()));
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|path| path.parent().unwrap().ends_with("taskowned")), "{found:?}");
}

/// The description says what is compared with what was written, and it is compared so.
#[test]
fn state_is_verified_as_the_storage_says() {
    let directory = tempfile::tempdir().unwrap();
    let open = |storage: FileSystemStorage| {
        let writer = Writer::new(LeaderEpoch::new(1), WriterId::new(1));
        storage.worker_view(job(1), writer, &local_context()).unwrap()
    };
    let bytes = vec![7; 1 << 20];
    let written = written_state(&*open(storage(directory.path())).task_owned_streams().unwrap(), &bytes);
    let handle = written.handles().next().unwrap();
    let Place::File { file, .. } = handle.place() else { panic!("{handle:?}") };
    let path = directory.path().join(job(1).to_string()).join("taskowned").join(file.to_string());
    let mut damaged = fs::read(&path).unwrap();
    damaged[300_000] = 8;
    fs::write(&path, &damaged).unwrap();
    for (verification, found) in [(Verification::Always, None), (Verification::Lengths, Some(8))] {
        for read_ahead_bytes in [0, 1 << 19] {
            let storage = storage(directory.path());
            let storage = storage.with_verification(verification).with_read_ahead_bytes(read_ahead_bytes);
            let reader = open(storage).reader(CheckpointId::FIRST, &Places::none()).unwrap();
            let mut read = vec![0; 1 << 20];
            let outcome = reader.open(handle).unwrap().read_exact(&mut read);
            assert_eq!(outcome.map(|()| read[300_000]).ok(), found, "{verification}, {read_ahead_bytes}");
        }
    }
}
