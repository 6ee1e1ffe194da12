//! What is deleted, what stays, and how it is told.

use std::fs;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ckpt_core::ErrorKind;
use ckpt_core::head::Nonce;
use ckpt_core::id::{CheckpointId, LeaderEpoch};
use ckpt_core::mark::{DisposalMark, SavepointMark};
use ckpt_core::state::{RelPath, Root};
use ckpt_core::{Digest, Timestamp};
use ckpt_streams::file_system::{Durability, FileSystems};
use ckpt_streams::testing::RefusingSpawn;
use ckpt_streams::{Job, Pool, PoolOptions, Rejected, Spawn};

use crate::dispose::support_test::{
    Snapshot, disposal_mark, file, handle, metadata, names_in, options, savepoint_mark, snapshot, snapshot_of,
};
use crate::test_support::local_context;
use crate::testing::sample::job;
use crate::{CheckpointStorage, Disposal, FileCount, FileSystemStorage, Kept, MemoryStorage, StorageContext, dispose};

fn disposed_of(snapshot: &Snapshot) -> Disposal {
    dispose(snapshot.pointer(), &local_context(), &options()).unwrap()
}

#[test]
fn the_files_of_a_savepoint_its_metadata_and_its_directory_go() {
    let target = tempfile::tempdir().unwrap();
    let savepoint = snapshot(target.path(), "savepoint-1", 1_300);
    assert_eq!(names_in(&savepoint.directory).len(), savepoint.files.len() + 1);
    let disposal = disposed_of(&savepoint);
    assert!(disposal.is_complete(), "{disposal:?}");
    assert_eq!(disposal.snapshot.map(|(job, id)| (job, id.get())), Some((job(1), 1)));
    assert_eq!((disposal.listed.files, disposal.listed.bytes), (1_300, 3_900));
    assert_eq!(disposal.gone, disposal.listed);
    assert!(disposal.kept.is_empty() && disposal.planned.is_none());
    assert_eq!(names_in(target.path()), [] as [&str; 0]);
}

#[test]
fn what_is_gone_is_not_there() {
    let target = tempfile::tempdir().unwrap();
    let savepoint = snapshot(target.path(), "savepoint-1", 3);
    assert!(disposed_of(&savepoint).is_complete());
    for pointer in [savepoint.pointer(), &format!("{}/_metadata", savepoint.pointer())] {
        let error = dispose(pointer, &local_context(), &options()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    }
}

/// Flink's storage threw when a handle was discarded whose file was gone.
#[test]
fn flink_27051_files_that_are_gone_already_are_no_error() {
    let target = tempfile::tempdir().unwrap();
    let savepoint = snapshot(target.path(), "savepoint-1", 4);
    fs::remove_file(savepoint.directory.join(&savepoint.files[2])).unwrap();
    let disposal = disposed_of(&savepoint);
    assert!(disposal.is_complete(), "{disposal:?}");
    assert_eq!(disposal.gone.files, 4);
    assert_eq!(names_in(target.path()), [] as [&str; 0]);
}

#[test]
fn a_dry_run_lists_exactly_what_would_go_and_changes_nothing() {
    let target = tempfile::tempdir().unwrap();
    let savepoint = snapshot(target.path(), "savepoint-1", 5);
    fs::write(savepoint.directory.join("notes.txt"), "mine").unwrap();
    fs::write(savepoint.directory.join("_savepoint"), savepoint_mark(1)).unwrap();
    // Listed, and gone.
    fs::remove_file(savepoint.directory.join(&savepoint.files[0])).unwrap();
    let before = names_in(&savepoint.directory);
    let dry = dispose(savepoint.pointer(), &local_context(), &options().dry_run()).unwrap();
    assert_eq!(names_in(&savepoint.directory), before);
    assert!(!dry.is_complete() && dry.errors.is_empty(), "{dry:?}");
    assert_eq!((dry.listed.files, dry.gone.files), (5, 0));
    let planned: Vec<String> = dry.planned.unwrap().iter().map(ToString::to_string).collect();
    let mut expected = savepoint.files[1..].to_vec();
    expected.extend(["_metadata".to_owned(), "_savepoint".to_owned()]);
    assert_eq!(planned, expected);

    let disposal = disposed_of(&savepoint);
    assert!(disposal.is_complete(), "{disposal:?}");
    let left = names_in(&savepoint.directory);
    let went: Vec<&String> = before.iter().filter(|name| !left.contains(name)).collect();
    expected.sort();
    assert_eq!(went, expected.iter().collect::<Vec<_>>());
    assert_eq!(disposal.kept, dry.kept);
}

#[test]
fn what_nobody_listed_stays_and_is_told() {
    let target = tempfile::tempdir().unwrap();
    let savepoint = snapshot(target.path(), "savepoint-1", 2);
    let others = ["0000000000000001-0000000000000001-0000ffff", "README", "directory/file"];
    fs::create_dir(savepoint.directory.join("directory")).unwrap();
    for name in others {
        fs::write(savepoint.directory.join(name), "12345").unwrap();
    }
    let disposal = disposed_of(&savepoint);
    assert!(disposal.is_complete(), "{disposal:?}");
    let unknown = |path: &str| Kept::Unknown { path: path.parse().unwrap(), length_bytes: 5 };
    assert_eq!(disposal.kept, others.map(unknown));
    assert_eq!(names_in(&savepoint.directory), ["0000000000000001-0000000000000001-0000ffff", "README", "directory"]);
    let error = dispose(savepoint.pointer(), &local_context(), &options()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}

#[test]
fn a_directory_that_holds_something_else_than_files_is_told() {
    let target = tempfile::tempdir().unwrap();
    let savepoint = snapshot(target.path(), "savepoint-1", 2);
    std::os::unix::fs::symlink("/nowhere", savepoint.directory.join("link")).unwrap();
    let disposal = disposed_of(&savepoint);
    assert_eq!((disposal.is_complete(), disposal.kept), (true, vec![Kept::Directory]));
    assert_eq!(names_in(&savepoint.directory), ["link"]);
}

#[test]
fn files_of_the_job_and_of_others_stay() {
    let job_directory = tempfile::tempdir().unwrap();
    let handles = vec![
        handle(Root::ThisSnapshot, 0),
        handle(Root::JobShared, 0),
        handle(Root::JobShared, 1),
        handle(Root::JobTaskOwned, 2),
        // Named twice, and one file.
        handle(Root::JobShared, 1),
    ];
    let checkpoint = snapshot_of(job_directory.path(), "chk-1", 1, &metadata(1, handles));
    for directory in ["shared", "taskowned"] {
        fs::create_dir(job_directory.path().join(directory)).unwrap();
        for number in 0..3 {
            let name = RelPath::from(&file(number));
            fs::write(job_directory.path().join(directory).join(name.as_str()), "abc").unwrap();
        }
    }
    let disposal = disposed_of(&checkpoint);
    assert!(disposal.is_complete(), "{disposal:?}");
    let count = |files, bytes| FileCount { files, bytes };
    assert_eq!((disposal.listed, disposal.gone), (count(1, 3), count(1, 3)));
    let told = [
        Kept::NotOwned { root: Root::JobShared, count: count(2, 9) },
        Kept::NotOwned { root: Root::JobTaskOwned, count: count(1, 3) },
    ];
    assert_eq!(disposal.kept, told);
    assert_eq!(names_in(job_directory.path()), ["shared", "taskowned"]);
    assert_eq!(names_in(&job_directory.path().join("shared")).len(), 3);
    assert_eq!(names_in(&job_directory.path().join("taskowned")).len(), 3);
}

/// Flink's history server took an entry off its list before it was disposed of, and forgot it when that failed.
#[test]
fn flink_39439_what_could_not_be_deleted_is_not_forgotten() {
    let target = tempfile::tempdir().unwrap();
    let savepoint = snapshot(target.path(), "savepoint-1", 2_000);
    // What cannot be unlinked: a directory in the place of a file.
    let stuck = [7, 800, 1_999].map(|number: usize| savepoint.directory.join(&savepoint.files[number]));
    for path in &stuck {
        fs::remove_file(path).unwrap();
        fs::create_dir(path).unwrap();
    }
    for _ in 0..2 {
        let disposal = disposed_of(&savepoint);
        assert!(!disposal.is_complete());
        // None of the errors is lost, and none keeps another file.
        assert_eq!((disposal.errors.len(), disposal.gone.files), (3, 1_997), "{disposal:?}");
        for (error, path) in disposal.errors.iter().zip(&stuck) {
            assert_eq!(error.kind(), ErrorKind::Retry);
            assert_eq!(error.to_string(), format!("'{}' could not be deleted", path.display()));
        }
        // What lists them stays, and so does the mark that nobody is to begin from it.
        let mut expected: Vec<_> = stuck.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
        expected.extend(["_disposing", "_metadata"]);
        assert_eq!(names_in(&savepoint.directory), expected);
    }
    stuck.iter().for_each(|path| fs::remove_dir(path).unwrap());
    assert!(disposed_of(&savepoint).is_complete());
    assert_eq!(names_in(target.path()), [] as [&str; 0]);
}

#[test]
fn a_disposal_goes_on_where_an_earlier_one_ended() {
    let target = tempfile::tempdir().unwrap();
    let savepoint = snapshot(target.path(), "savepoint-1", 3);
    let written = metadata(1, (0..3).map(|number| handle(Root::ThisSnapshot, number)).collect()).encode().unwrap().1;
    let id = CheckpointId::new(1).unwrap();
    let mark = |bytes, digest| {
        let mark = DisposalMark::new((job(1), id), bytes, digest, Nonce::new([1; 16]), Timestamp::from_millis(5));
        fs::write(savepoint.directory.join("_disposing"), mark.encode().unwrap()).unwrap();
    };
    // One of other metadata is no leave to delete by these.
    for (bytes, digest) in
        [(written.length_bytes + 1, written.index_digest), (written.length_bytes, Digest::of(b"other"))]
    {
        mark(bytes, digest);
        for options in [options(), options().dry_run()] {
            let error = dispose(savepoint.pointer(), &local_context(), &options).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            assert!(error.to_string().contains("was made for a '_metadata'"), "{error}");
        }
        assert_eq!(names_in(&savepoint.directory).len(), 5);
    }
    // That of another disposal of the same is taken up.
    mark(written.length_bytes, written.index_digest);
    fs::remove_file(savepoint.directory.join(&savepoint.files[0])).unwrap();
    assert!(disposed_of(&savepoint).is_complete());
    assert_eq!(names_in(target.path()), [] as [&str; 0]);
}

#[test]
fn marks_that_are_left_without_metadata_go() {
    let target = tempfile::tempdir().unwrap();
    let marks = [("_disposing", disposal_mark(&metadata(1, Vec::new()))), ("_savepoint", savepoint_mark(1))];
    for left in [&marks[..1], &marks[..]] {
        let savepoint = snapshot(target.path(), "savepoint-1", 0);
        fs::remove_file(savepoint.directory.join("_metadata")).unwrap();
        for (name, content) in left {
            fs::write(savepoint.directory.join(name), content).unwrap();
        }
        let dry = dispose(savepoint.pointer(), &local_context(), &options().dry_run()).unwrap();
        assert_eq!(dry.planned.unwrap().len(), left.len());
        let disposal = disposed_of(&savepoint);
        assert!(disposal.is_complete() && disposal.snapshot.is_none(), "{disposal:?}");
        assert_eq!(names_in(target.path()), [] as [&str; 0]);
    }
}

/// They may be anybody's: of a savepoint that is being taken, or of nothing that was ever ours.
#[test]
fn marks_without_metadata_that_do_not_fit_stay() {
    let target = tempfile::tempdir().unwrap();
    let taken = Snapshot { directory: target.path().canonicalize().unwrap().join("savepoint-1"), files: Vec::new() };
    fs::create_dir(&taken.directory).unwrap();
    let (ours, other) = (disposal_mark(&metadata(1, Vec::new())), disposal_mark(&metadata(2, Vec::new())));
    let cases: [(&[u8], &[u8], &str); 5] = [
        (b"", &savepoint_mark(1), "says that the snapshot is being disposed of, and cannot be read"),
        (b"mine", &savepoint_mark(1), "says that the snapshot is being disposed of, and cannot be read"),
        (&[b'x'; 100_000], &savepoint_mark(1), "says that the snapshot is being disposed of, and cannot be read"),
        (&other, &savepoint_mark(1), "is of savepoint 1 of job"),
        (&ours, b"", "says whose savepoint it is, and cannot be read"),
    ];
    for (disposing, savepoint, message) in cases {
        fs::write(taken.directory.join("_disposing"), disposing).unwrap();
        fs::write(taken.directory.join("_savepoint"), savepoint).unwrap();
        for options in [options(), options().dry_run()] {
            let error = dispose(taken.pointer(), &local_context(), &options).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
            assert!(error.to_string().contains(message), "{error}");
            assert_eq!(names_in(&taken.directory), ["_disposing", "_savepoint"]);
        }
    }
    // With metadata it is no other.
    fs::remove_dir_all(&taken.directory).unwrap();
    let whole = snapshot(target.path(), "savepoint-1", 2);
    for (savepoint, message) in [(savepoint_mark(2), "is of savepoint 2"), (Vec::new(), "cannot be read")] {
        fs::write(whole.directory.join("_savepoint"), savepoint).unwrap();
        let error = dispose(whole.pointer(), &local_context(), &options()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        assert!(error.to_string().contains(message), "{error}");
        assert_eq!(names_in(&whole.directory).len(), 4);
    }
}

#[test]
fn where_nothing_is_to_be_disposed_of_nothing_goes() {
    let target = tempfile::tempdir().unwrap();
    let mine = target.path().canonicalize().unwrap().join("mine");
    fs::create_dir(&mine).unwrap();
    let not_found = || {
        let error = dispose(mine.to_str().unwrap(), &local_context(), &options()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    };
    not_found();
    assert_eq!(names_in(&mine), [] as [&str; 0]);
    // What a disposal that was interrupted had not made its mark yet goes, and nothing that only looks like it.
    let kept = [".tmp-_disposing", ".tmp-_disposing-1-x", ".tmp-_metadata-1-0", "_disposing-1-0"];
    kept.iter().for_each(|name| fs::write(mine.join(name), "").unwrap());
    fs::write(mine.join(".tmp-_disposing-7-1"), "CKPTDISP").unwrap();
    not_found();
    assert_eq!(names_in(&mine), kept);
    // With it the directory goes, in which nothing else is.
    kept.iter().for_each(|name| fs::remove_file(mine.join(name)).unwrap());
    fs::write(mine.join(".tmp-_disposing-7-1"), "CKPTDISP").unwrap();
    not_found();
    assert!(!mine.exists());
}

#[test]
fn a_savepoint_that_is_not_complete_is_its_jobs() {
    let target = tempfile::tempdir().unwrap();
    let savepoint = snapshot(target.path(), "savepoint-1", 1);
    let id = CheckpointId::new(1).unwrap();
    let (epoch, at) = (LeaderEpoch::new(1), Timestamp::from_millis(5));
    let mark = SavepointMark::new(job(1), id, epoch, Nonce::new([1; 16]), at).encode().unwrap();
    fs::write(savepoint.directory.join("_savepoint"), &mark).unwrap();
    fs::remove_file(savepoint.directory.join("_metadata")).unwrap();
    // It is being taken; or it was given up, and the mark keeps metadata out.
    for given_up in [false, true] {
        if given_up {
            fs::write(savepoint.directory.join("_metadata"), &mark).unwrap();
        }
        let before = names_in(&savepoint.directory);
        let error = dispose(savepoint.pointer(), &local_context(), &options()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let message = if given_up { "was given up before it was complete" } else { "is not complete" };
        assert!(error.to_string().contains(message), "{error}");
        assert_eq!(names_in(&savepoint.directory), before);
    }
}

/// Flink's `CheckpointsTest`: a savepoint is loaded, and disposed of, by its pointer alone, whatever the storage of the job.
#[test]
fn a_savepoint_is_loaded_and_disposed_of_by_a_pointer_whatever_the_storage() {
    let target = tempfile::tempdir().unwrap();
    let storages: [&dyn CheckpointStorage; 3] =
        [&FileSystemStorage::new("/nowhere"), &FileSystemStorage::without_directory(), &MemoryStorage::new()];
    for storage in storages {
        for form in ["", "/", "/_metadata", "file:"] {
            let savepoint = snapshot(target.path(), "savepoint-1", 3);
            let pointer = match form {
                "file:" => format!("file://{}", savepoint.pointer()),
                form => format!("{}{form}", savepoint.pointer()),
            };
            let location = storage.resolve(&pointer, &local_context()).unwrap();
            assert_eq!(location.metadata.summary().identity.id.get(), 1);
            assert!(storage.dispose(&pointer, &local_context(), &options()).unwrap().is_complete());
            assert_eq!(names_in(target.path()), [] as [&str; 0], "{pointer}");
        }
    }
}

#[test]
fn a_location_disposes_of_what_was_resolved_and_of_nothing_else() {
    let target = tempfile::tempdir().unwrap();
    let savepoint = snapshot(target.path(), "savepoint-1", 1);
    let location = FileSystemStorage::without_directory().resolve(savepoint.pointer(), &local_context()).unwrap();
    fs::rename(&savepoint.directory, target.path().join("moved")).unwrap();
    let another = snapshot_of(target.path(), "savepoint-1", 0, &metadata(2, Vec::new()));
    let error = location.dispose(&local_context(), &options()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("is checkpoint 2 of job"), "{error}");
    assert_eq!(names_in(&another.directory), ["_metadata"]);
    fs::remove_dir_all(&another.directory).unwrap();
    fs::rename(target.path().join("moved"), &savepoint.directory).unwrap();
    assert!(location.dispose(&local_context(), &options()).unwrap().is_complete());
    assert_eq!(names_in(target.path()), [] as [&str; 0]);
}

/// Counts the jobs, and passes them on.
#[derive(Debug)]
struct Counting(Pool, AtomicUsize);

impl Spawn for Counting {
    fn spawn(&self, name: &'static str, job: Job) -> Result<(), Rejected> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.spawn(name, job)
    }
}

#[test]
fn no_more_threads_delete_than_are_allowed_and_none_is_needed() {
    let target = tempfile::tempdir().unwrap();
    let pool = Pool::new(PoolOptions::default()).unwrap();
    let counting = Arc::new(Counting(pool, AtomicUsize::new(0)));
    for (threads, expected) in [(1, 0), (3, 2), (100, 9)] {
        let savepoint = snapshot(target.path(), "savepoint-1", 5_000);
        let context = StorageContext::new(Arc::new(FileSystems::local()), Arc::clone(&counting) as Arc<dyn Spawn>);
        let options = options().with_parallelism(NonZeroUsize::new(threads).unwrap());
        let disposal = dispose(savepoint.pointer(), &context, &options).unwrap();
        assert!(disposal.is_complete(), "{disposal:?}");
        assert_eq!(counting.1.swap(0, Ordering::Relaxed), expected, "{threads} threads");
    }
    let savepoint = snapshot(target.path(), "savepoint-1", 5_000);
    let context = StorageContext::new(Arc::new(FileSystems::local()), Arc::new(RefusingSpawn::new()));
    let options = options().with_durability(Durability::None);
    assert!(dispose(savepoint.pointer(), &context, &options).unwrap().is_complete());
    assert_eq!(names_in(target.path()), [] as [&str; 0]);
}
