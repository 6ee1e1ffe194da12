//! What a pointer leads to is told, and its state is read from there, also after it was moved.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ckpt_core::head::Nonce;
use ckpt_core::id::{CheckpointId, Writer, WriterId};
use ckpt_core::mark::DisposalMark;
use ckpt_core::state::{ClaimId, Place, Places, Root, StateHandle, SubtaskState, TaskSnapshot};
use ckpt_core::uri::StoragePath;
use ckpt_core::{Digest, ErrorKind, Timestamp};
use ckpt_streams::file_system::FileSystems;
use ckpt_streams::testing::RefusingSpawn;
use ckpt_streams::{ReadOptions, StateScope, StreamFactory};

use crate::test_support::{MemoryDisk, local_context};
use crate::testing::sample::{
    OPERATOR, barrier, commit, commit_next, identity, job, metadata_of, metadata_with, nonce, operator_state, read_all,
    written_state,
};
use crate::{CheckpointStorage, CompletedLocation, FileSystemStorage, StorageContext, claim, make_savepoint_location};

const BYTES: [u8; 3000] = [7; 3000];

/// Which state a checkpoint has.
#[derive(Clone, Copy, Debug)]
enum State {
    /// In its own directory alone.
    Exclusive,
    /// In that and in the job's directory of shared files.
    AlsoShared,
}

/// Takes checkpoint 1 of job 1.
fn take(storage: &FileSystemStorage, context: &StorageContext, state: State) {
    let storage = storage.clone().with_inline_threshold_bytes(0);
    let view = storage.coordinator_view(job(1), context).unwrap();
    let claimed = claim(&*view.head(), job(1), nonce(1)).unwrap().head;
    let identity = identity(&claimed, 1);
    let location = view.initialize_checkpoint(&identity).unwrap();
    let writer = Writer::new(claimed.head().epoch, WriterId::new(1));
    let streams = storage.worker_view(job(1), writer, context).unwrap().streams(&barrier(identity)).unwrap();
    let state = match state {
        State::Exclusive => exclusive_state(&*streams),
        State::AlsoShared => written_state(&*streams, &BYTES),
    };
    let published = location.publish(&metadata_of(job(1), identity, Some(state))).unwrap();
    let _ = commit(&*view, &claimed, published);
}

fn exclusive_state(streams: &dyn StreamFactory) -> SubtaskState {
    let mut stream = streams.create(StateScope::Exclusive).unwrap();
    stream.write_all(&BYTES).unwrap();
    let staged = operator_state(stream.finish().unwrap().unwrap());
    let state = SubtaskState::new(Vec::new(), vec![staged]);
    let sealed = streams.seal(TaskSnapshot::new([(OPERATOR, state)].into())).unwrap();
    sealed.into_operators().into_iter().map(|(_, state)| state).next().unwrap()
}

/// All state that a resolved checkpoint names, read and verified.
fn state_of(found: &CompletedLocation) -> Vec<Vec<u8>> {
    let reader = found.reader(ReadOptions::default()).unwrap();
    let mut read = Vec::new();
    found.metadata.visit_handles(&mut |handle| read.push(read_all(&*reader, &handle.to_handle()))).unwrap();
    read
}

/// A real directory with that checkpoint: the directory, its path, and that of the checkpoint.
fn on_disk(state: State) -> (tempfile::TempDir, FileSystemStorage, String, String) {
    let directory = tempfile::tempdir().unwrap();
    let base = directory.path().canonicalize().unwrap().into_os_string().into_string().unwrap();
    let storage = FileSystemStorage::new(&*base);
    take(&storage, &local_context(), state);
    let checkpoint = format!("{base}/{}/chk-1", job(1));
    (directory, storage, base, checkpoint)
}

fn copy_directory(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_directory(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn state_is_read_from_where_a_pointer_led_to() {
    let (_directory, storage, _, checkpoint) = on_disk(State::AlsoShared);
    for pointer in [checkpoint.clone(), format!("{checkpoint}/_metadata"), format!("file:{checkpoint}/")] {
        let found = storage.resolve(&pointer, &local_context()).unwrap();
        assert_eq!(state_of(&found), [BYTES, BYTES], "{pointer}");
        let own = found.directory().unwrap();
        assert_eq!(own.directory.as_ref().unwrap().as_str(), "chk-1");
        assert_eq!(found.metadata_path().unwrap().as_str(), "chk-1/_metadata");
        assert!(own.file_system.open(found.metadata_path().unwrap()).is_ok());
        assert_eq!(found.roots().iter().map(|at| at.root).collect::<Vec<_>>(), [Root::ThisSnapshot, Root::JobShared]);
    }
}

#[test]
fn flink_25952_a_moved_directory_is_whole_wherever_it_lies() {
    let (_directory, storage, base, checkpoint) = on_disk(State::Exclusive);
    let moved = format!("{base}/elsewhere/of another name 100%");
    fs::create_dir(format!("{base}/elsewhere")).unwrap();
    fs::rename(&checkpoint, &moved).unwrap();
    // Nothing of where it was taken is needed.
    fs::remove_dir_all(format!("{base}/{}", job(1))).unwrap();
    let uri = StoragePath::from(&*moved).to_uri().unwrap();
    for pointer in [moved.clone(), format!("{moved}/_metadata"), uri.as_str().to_owned()] {
        let found = storage.resolve(&pointer, &local_context()).unwrap();
        assert!(found.metadata.summary().self_contained);
        assert_eq!(state_of(&found), [BYTES], "{pointer}");
        assert_eq!(found.pointer, moved);
    }
}

#[test]
fn flink_31984_a_directory_is_whole_on_another_file_system() {
    let (_directory, storage, _, checkpoint) = on_disk(State::Exclusive);
    let disk = MemoryDisk::default();
    for entry in fs::read_dir(&checkpoint).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        for above in ["deep/er", "bucket"] {
            disk.put(&format!("{above}/my savepoint/{name}"), &fs::read(entry.path()).unwrap());
        }
    }
    for pointer in ["mem:/deep/er/my%20savepoint", "mem:/bucket/my savepoint/", "mem:/bucket/my%20savepoint/_metadata"]
    {
        let found = storage.resolve(pointer, &disk.context()).unwrap();
        assert_eq!(state_of(&found), [BYTES], "{pointer}");
    }
}

#[test]
fn flink_28843_state_below_a_claimed_place_is_found_there() {
    let (_directory, storage, base, _) = on_disk(State::AlsoShared);
    let found = storage.resolve(&format!("{base}/{}/chk-1", job(1)), &local_context()).unwrap();
    // Checkpoint 1 of job 2, which has claimed those of job 1 and names their shared files.
    let mut claimed = Vec::new();
    let root = Root::Claimed(ClaimId::FIRST);
    found
        .metadata
        .visit_handles(&mut |handle| {
            let handle = handle.to_handle();
            if let Some((Root::JobShared, file)) = handle.place().file() {
                let place = Place::File { root, file: file.clone() };
                claimed.push(operator_state(StateHandle::assume_durable(
                    place,
                    handle.length_bytes(),
                    handle.digest(),
                )));
            }
        })
        .unwrap();
    assert_eq!(claimed.len(), 1);
    // Each file system of that scheme is counted when it is opened.
    let (mut file_systems, opened) = (FileSystems::local(), Arc::new(AtomicU64::new(0)));
    let count = Arc::clone(&opened);
    let open = move |uri: &str| {
        count.fetch_add(1, Ordering::Relaxed);
        FileSystems::local().open(uri.trim_start_matches("counted://"))
    };
    file_systems.register("counted", open).unwrap();
    let counting = StorageContext::new(Arc::new(file_systems), Arc::new(RefusingSpawn::new()));
    let place = StoragePath::from(&*format!("counted://{base}/{}/shared", job(1))).to_uri().unwrap();
    let view = storage.coordinator_view(job(2), &local_context()).unwrap();
    let taken = claim(&*view.head(), job(2), nonce(1)).unwrap().head;
    let identity = identity(&taken, 1);
    let places = Places::new(vec![(root, place)]).unwrap();
    let metadata = metadata_with(job(2), identity, Some(SubtaskState::new(Vec::new(), claimed)), places);
    view.initialize_checkpoint(&identity).unwrap().publish(&metadata).unwrap();

    let pointer = format!("{base}/{}/chk-1", job(2));
    let found = storage.resolve(&pointer, &counting).unwrap();
    assert_eq!(state_of(&found), [BYTES]);
    // Its place is absolute, so the checkpoint may lie wherever it wants.
    let moved = format!("{base}/moved");
    fs::rename(&pointer, &moved).unwrap();
    assert_eq!(state_of(&storage.resolve(&moved, &counting).unwrap()), [BYTES]);
    // Whatever is read below a place, it is opened once.
    let reader = found.reader(ReadOptions::default()).unwrap();
    let before = opened.load(Ordering::Relaxed);
    let mut open = |_| {
        found.metadata.visit_handles(&mut |handle| drop(reader.open(&handle.to_handle()).unwrap())).unwrap();
    };
    (0..3).for_each(&mut open);
    assert_eq!(opened.load(Ordering::Relaxed), before + 1);
    // A place that is gone is told by whoever reads, not before.
    fs::remove_dir_all(format!("{base}/{}", job(1))).unwrap();
    let found = storage.resolve(&moved, &counting).unwrap();
    let reader = found.reader(ReadOptions::default()).unwrap();
    let mut errors = Vec::new();
    found.metadata.visit_handles(&mut |handle| errors.extend(reader.open(&handle.to_handle()).err())).unwrap();
    assert_eq!(errors.iter().map(|error| error.kind()).collect::<Vec<_>>(), [ErrorKind::NotFound]);
    assert!(errors[0].to_string().contains("is missing"), "{}", errors[0]);
}

#[test]
fn one_that_is_not_self_contained_moves_with_its_job_and_not_alone() {
    let (_directory, storage, base, checkpoint) = on_disk(State::AlsoShared);
    let job_directory = format!("{base}/{}", job(1));
    copy_directory(Path::new(&job_directory), Path::new(&format!("{base}/backup")));
    let found = storage.resolve(&format!("{base}/backup/chk-1"), &local_context()).unwrap();
    assert!(!found.metadata.summary().self_contained);
    assert_eq!(state_of(&found), [BYTES, BYTES]);

    let other_job = format!("{base}/{}", job(2));
    copy_directory(Path::new(&format!("{job_directory}/shared")), Path::new(&format!("{other_job}/shared")));
    for (to, why) in [
        (format!("{base}/saved"), "it lies in no directory 'chk-1' beside 'shared'".to_owned()),
        (format!("{base}/saved/chk-2"), "it lies in no directory 'chk-1' beside 'shared'".to_owned()),
        (format!("{base}/alone/chk-1"), format!("there is nothing in '{base}/alone/shared'")),
        (format!("{other_job}/chk-1"), format!("it lies in the directory of job {}", job(2))),
    ] {
        copy_directory(Path::new(&checkpoint), Path::new(&to));
        for pointer in [to.clone(), format!("{to}/_metadata")] {
            let error = storage.resolve(&pointer, &local_context()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound);
            let expected = format!(
                "snapshot 1 of job {} at '{pointer}' is not self-contained: needs the job's directory of shared files, \
                 and {why}",
                job(1)
            );
            assert_eq!(error.to_string(), expected);
        }
    }
    // A single file that is missing is no move: it is told to whoever reads, with its name.
    let shared = format!("{job_directory}/shared");
    fs::write(format!("{shared}/another"), "").unwrap();
    for entry in fs::read_dir(&shared).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name != "another" {
            fs::remove_file(format!("{shared}/{name}")).unwrap();
        }
    }
    assert!(storage.resolve(&checkpoint, &local_context()).is_ok());
}

#[test]
fn one_that_is_being_disposed_of_is_not_found_and_says_why() {
    let (_directory, storage, _, checkpoint) = on_disk(State::Exclusive);
    let mark = DisposalMark::new(
        (job(1), CheckpointId::FIRST),
        1,
        Digest::of(b""),
        Nonce::new([1; 16]),
        Timestamp::from_millis(1_700_000_000_123),
    );
    fs::write(format!("{checkpoint}/_disposing"), mark.encode().unwrap()).unwrap();
    let told = |pointer: &str| storage.resolve(pointer, &local_context()).unwrap_err();
    let expected = "is being disposed of since 2023-11-14T22:13:20.123Z";
    for pointer in [checkpoint.clone(), format!("{checkpoint}/_metadata")] {
        assert_eq!(told(&pointer).kind(), ErrorKind::NotFound);
        assert!(told(&pointer).to_string().contains(expected), "{}", told(&pointer));
    }
    // So it is when its metadata is gone already.
    fs::remove_file(format!("{checkpoint}/_metadata")).unwrap();
    assert!(told(&checkpoint).to_string().contains(expected), "{}", told(&checkpoint));
    // A mark that cannot be read is one all the same, however long it is.
    for (mark, kind) in [(Vec::new(), ErrorKind::Corrupt), (vec![1; 1 << 20], ErrorKind::Corrupt)] {
        fs::write(format!("{checkpoint}/_disposing"), mark).unwrap();
        assert_eq!(told(&checkpoint).kind(), kind);
        assert!(told(&checkpoint).to_string().ends_with("/chk-1/_disposing' cannot be used"), "{}", told(&checkpoint));
    }
}

#[test]
fn a_savepoint_that_is_not_complete_says_so() {
    let (_directory, storage, base, _) = on_disk(State::Exclusive);
    let context = local_context();
    let view = storage.coordinator_view(job(1), &context).unwrap();
    let claimed = claim(&*view.head(), job(1), nonce(2)).unwrap().head;
    let identity = identity(&claimed, 1234);
    let target = format!("{base}/savepoints");
    let (uri, location) = make_savepoint_location(&*view, &identity, Some(&target), &mut |_| Ok(())).unwrap();
    let told = || storage.resolve(uri.as_str(), &context).unwrap_err();
    let expected = format!(
        "'{uri}' has no '_metadata': savepoint 1234 of job {}, begun at 1970-01-01T00:00:01.234Z, is in progress there or was \
         abandoned",
        job(1)
    );
    assert_eq!((told().kind(), told().to_string()), (ErrorKind::NotFound, expected));
    // As one that was abandoned while its state was being deleted.
    let directory = uri.as_str().strip_prefix("file://").unwrap();
    fs::copy(format!("{directory}/_savepoint"), format!("{directory}/_metadata")).unwrap();
    let expected = format!(
        "'{directory}/_metadata' says that savepoint 1234 of job {} was given up before it was complete",
        job(1)
    );
    assert_eq!((told().kind(), told().to_string()), (ErrorKind::NotFound, expected));
    fs::remove_file(format!("{directory}/_metadata")).unwrap();
    fs::write(format!("{directory}/_savepoint"), "damaged").unwrap();
    assert_eq!(told().kind(), ErrorKind::Corrupt);
    drop(location);
}

#[test]
fn a_directory_of_a_job_says_which_checkpoints_are_in_it() {
    let (_directory, storage, base, _) = on_disk(State::Exclusive);
    let pointer = format!("{base}/{}", job(1));
    let told = || {
        let error = storage.resolve(&pointer, &local_context()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        error.to_string()
    };
    let expected = |snapshots: &str| {
        let of = "expected that of one of its checkpoints or savepoints";
        format!("'{pointer}' is the directory of job {}, {of}: {snapshots}", job(1))
    };
    assert_eq!(told(), expected("'chk-1'"));

    let other = format!("{base}/{}", job(2));
    let view = storage.coordinator_view(job(2), &local_context()).unwrap();
    let claimed = claim(&*view.head(), job(2), nonce(1)).unwrap();
    let error = storage.resolve(&other, &local_context()).unwrap_err();
    assert!(error.to_string().ends_with("savepoints: it has none"), "{error}");
    let _ = commit_next(&*view, &claimed.head, 7, &[]);
    let error = storage.resolve(&other, &local_context()).unwrap_err();
    assert!(error.to_string().ends_with("savepoints: 'chk-7'"), "{error}");

    // A HEAD that is damaged is still that of a job.
    let head = fs::read_dir(format!("{pointer}/head")).unwrap().map(|entry| entry.unwrap().path()).max().unwrap();
    fs::write(head, "damaged").unwrap();
    assert_eq!(
        told(),
        format!(
            "'{pointer}' is the directory of a job, expected that of one of its checkpoints, which '{pointer}/head/HEAD' \
             would name"
        )
    );
}

#[test]
fn what_is_none_of_ours_newer_or_damaged_says_so() {
    let (_directory, storage, base, checkpoint) = on_disk(State::Exclusive);
    let file = format!("{checkpoint}/_metadata");
    let good = fs::read(&file).unwrap();
    let told = |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        let error = storage.resolve(&checkpoint, &local_context()).unwrap_err();
        assert!(error.to_string().starts_with(&format!("metadata file '{file}'")), "{error}");
        (error.kind(), error.to_string(), std::error::Error::source(&error).map(ToString::to_string))
    };
    let flinks = [&[0x49, 0x60, 0x67, 0x2d, 0, 0, 0, 4][..], &[0; 200]].concat();
    for flinks in [&flinks[..], &flinks[..12]] {
        let (kind, message, _) = told(flinks);
        assert_eq!(kind, ErrorKind::Configuration);
        assert!(message.contains("is one of Flink's: `ckpt show` and `ckpt verify` read it"), "{message}");
    }

    let mut newer = good.clone();
    let trailer = newer.len() - 56;
    newer[trailer + 36..trailer + 40].copy_from_slice(&2_u32.to_le_bytes());
    let digest = Digest::of(&newer[trailer..trailer + 40]).value().to_le_bytes();
    newer[trailer + 40..trailer + 48].copy_from_slice(&digest);
    let (kind, message, source) = told(&newer);
    assert_eq!(kind, ErrorKind::Configuration, "{message}: {source:?}");
    assert!(source.unwrap().contains("version 2"));

    let mut flipped = good.clone();
    flipped[20] ^= 1;
    for damaged in [&flipped[..], &good[..good.len() - 1], b"", b"not metadata"] {
        let (kind, message, source) = told(damaged);
        assert_eq!(kind, ErrorKind::Corrupt, "{message}");
        assert!(message.ends_with("cannot be used") && source.is_some(), "{message}");
    }

    // Whatever may be a link, what users point to excepted, is none of ours.
    fs::rename(&file, format!("{base}/real")).unwrap();
    symlink(format!("{base}/real"), &file).unwrap();
    fs::write(format!("{base}/real"), &good).unwrap();
    let error = storage.resolve(&checkpoint, &local_context()).unwrap_err();
    assert!(error.to_string().contains("could not be opened"), "{error}");
    assert_eq!(storage.resolve(&file, &local_context()).unwrap().pointer, format!("{base}/real"));
}
