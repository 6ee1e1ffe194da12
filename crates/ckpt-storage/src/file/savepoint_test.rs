//! Savepoints: their names, whose a directory is, what is published, and what is left of one that was given up.

use std::error::Error as _;
use std::path::Path;
use std::sync::Arc;

use ckpt_core::head::{AbandonedSavepoint, ClaimedHead, Collected, SavepointInProgress};
use ckpt_core::id::{CheckpointId, FileName, LeaderEpoch, Writer, WriterId};
use ckpt_core::mark::SavepointMark;
use ckpt_core::snapshot::{Admission, AfterSavepoint, CheckpointIdentity, CheckpointProperties, SavepointFormat};
use ckpt_core::uri::Uri;
use ckpt_core::{Error, ErrorKind, Timestamp};
use ckpt_streams::testing::ObjectStoreFileSystem;

use crate::test_support::{Fault, MemoryDisk, Seeded, context_over, local_context};
use crate::testing::sample::{
    barrier_of_savepoint, identity, job, metadata, nonce, savepoint_of, snapshot_of, write_head, written_state,
};
use crate::{
    AbandonedOutcome, CheckpointStorage as _, CoordinatorView, FileSystemStorage, InitializedSavepoint, Location,
    StorageContext, claim, make_savepoint_location,
};

const EPOCH: LeaderEpoch = LeaderEpoch::new(1);

fn numbered(number: u64) -> CheckpointIdentity {
    CheckpointIdentity::new(CheckpointId::new(number).unwrap(), EPOCH, Timestamp::from_millis(7), None)
}

fn view_of(disk: &MemoryDisk) -> Arc<dyn CoordinatorView> {
    view_in(&disk.context())
}

fn view_in(context: &StorageContext) -> Arc<dyn CoordinatorView> {
    let storage = FileSystemStorage::new("mem:/base").with_default_savepoint_dir("mem:/save");
    storage.coordinator_view(job(1), context).unwrap()
}

fn place(digits: &str) -> (Uri, String) {
    let directory = format!("save/savepoint-010101-{digits}");
    (Uri::new(format!("mem:/{directory}")).unwrap(), directory)
}

fn location(view: &dyn CoordinatorView, number: u64, uri: &Uri) -> Arc<dyn Location> {
    match view.initialize_savepoint(&numbered(number), uri).unwrap() {
        InitializedSavepoint::Made(location) => location,
        InitializedSavepoint::Taken => panic!("'{uri}' is taken"),
    }
}

/// Has HEAD say that the savepoint was given up.
fn abandoned(view: &dyn CoordinatorView, number: u64, uri: &Uri) -> AbandonedSavepoint {
    let head = claim(&*view.head(), job(1), nonce(1)).unwrap().head;
    abandoned_by(view, &head, number, uri)
}

fn abandoned_by(view: &dyn CoordinatorView, head: &ClaimedHead, number: u64, uri: &Uri) -> AbandonedSavepoint {
    let savepoint = SavepointInProgress::new(identity(head, number).id, uri.clone());
    let id = savepoint.id;
    let head = write_head(view, head.begin_savepoint(savepoint, &Collected::none()).unwrap()).head;
    write_head(view, head.give_up_savepoint(id, &Collected::none()).unwrap()).abandoned.remove(0)
}

fn state_file(epoch: LeaderEpoch, number: u32) -> FileName {
    Writer::new(epoch, WriterId::new(1)).file(number)
}

fn told(error: &Error) -> String {
    format!("{error}: {}", error.source().map(ToString::to_string).unwrap_or_default())
}

#[test]
fn a_target_that_is_named_wins_and_else_the_configured_directory_is_taken() {
    let with_default = FileSystemStorage::new("mem:/base").with_default_savepoint_dir("/save/by default");
    let without = FileSystemStorage::new("mem:/base");
    let context = MemoryDisk::default().context();
    for (storage, target, expected) in [
        (&with_default, Some("mem://bucket/elsewhere/"), "mem://bucket/elsewhere/savepoint-010101-"),
        (&with_default, None, "file:///save/by%20default/savepoint-010101-"),
        (&without, Some("/save"), "file:///save/savepoint-010101-"),
    ] {
        let view = storage.coordinator_view(job(1), &context).unwrap();
        let uri = view.name_savepoint(&numbered(1), target).unwrap();
        let digits = uri.as_str().strip_prefix(expected).unwrap_or_else(|| panic!("'{uri}' is below {expected}"));
        assert!(digits.len() == 12 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()), "{uri}");
    }
}

#[test]
fn without_any_target_a_savepoint_is_refused_and_the_key_is_named() {
    let disk = MemoryDisk::default();
    let view = FileSystemStorage::new("mem:/base").coordinator_view(job(1), &disk.context()).unwrap();
    let error = view.name_savepoint(&numbered(1), None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert_eq!(
        error.to_string(),
        "no savepoint location given and no default configured: name a target, or set \
         'execution.checkpointing.savepoint-dir'"
    );
}

#[test]
fn each_wrong_target_has_a_message_of_its_own_that_names_it() {
    let disk = MemoryDisk::default();
    let view = view_of(&disk);
    let before = disk.operations();
    for (target, message) in [
        ("relative/target", "neither an absolute path nor a URI"),
        ("file:", "has no path part"),
        ("s3://bucket", "has no path part"),
        ("/", "is a root directory"),
        ("s3://bucket/", "is a root directory"),
        ("/a/../b", "'..'"),
        ("/a/\u{7}", "control character"),
    ] {
        let error = view.name_savepoint(&numbered(1), Some(target)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        let shown = format!("'{}' is no target for a savepoint: ", target.escape_debug());
        assert!(error.to_string().starts_with(&shown) && error.to_string().contains(message), "{error}");
    }
    for target in ["s3://user:canary@bucket/a", "s3://bucket/a?token=canary"] {
        let error = view.name_savepoint(&numbered(1), Some(target)).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
    let unknown = Uri::new("s3://bucket/save/savepoint-010101-0123456789ab").unwrap();
    let error = view.initialize_savepoint(&numbered(1), &unknown).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(told(&error).contains("expected one of file, mem") && told(&error).contains(unknown.as_str()), "{error}");
    assert_eq!(disk.operations(), before, "nothing was looked at");
}

/// One seed, so both choose the same names one after the other.
#[test]
fn a_name_that_is_taken_is_left_for_the_next_one() {
    let disk = MemoryDisk::default();
    let seeded = || view_in(&disk.context().with_random(Arc::new(Seeded::new(7))));
    let make = |number, names: &mut Vec<Uri>| {
        let mut before = |uri: &Uri| {
            names.push(uri.clone());
            Ok(())
        };
        make_savepoint_location(&*seeded(), &numbered(number), None, &mut before).unwrap()
    };
    let (mut first_names, mut second_names) = (Vec::new(), Vec::new());
    let (first, first_location) = make(1, &mut first_names);
    let marks = disk.files();
    let (second, second_location) = make(2, &mut second_names);
    assert_eq!(first_names, std::slice::from_ref(&first));
    assert_eq!(second_names, [first.clone(), second.clone()], "the second met the first and chose another name");
    assert!(marks.iter().all(|mark| disk.files().contains(mark)) && disk.files().len() == 2, "{:?}", disk.files());
    first_location.publish(&savepoint_of(job(1), numbered(1), None)).unwrap();
    second_location.publish(&savepoint_of(job(1), numbered(2), None)).unwrap();
}

#[test]
fn after_ten_names_the_target_and_the_last_cause_are_told() {
    let disk = MemoryDisk::default();
    // Always the same name.
    let view = view_in(&disk.context().with_random(Arc::new(Seeded::constant(0xab))));
    let mut names = Vec::new();
    let mut make = |number| {
        make_savepoint_location(&*view, &numbered(number), Some("mem:/named"), &mut |uri| {
            names.push(uri.clone());
            Ok(())
        })
    };
    make(1).unwrap();
    let error = make(2).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AbortCheckpoint);
    assert_eq!(
        told(&error),
        "cannot make a directory for a savepoint in 'mem:/named': the last of 10 attempts failed: \
         'mem:/named/savepoint-010101-abababababab' is another's already"
    );
    disk.fail(0, Fault::Fails, u64::MAX);
    let error = make(3).unwrap_err();
    assert!(told(&error).contains("in 'mem:/named'") && told(&error).contains("cannot make the directory"), "{error}");
    assert_eq!(names.len(), 1 + 10 + 10);

    // What cannot be written down is not made.
    let before = disk.operations();
    let refuse = Error::new(ErrorKind::Fenced, "another leader");
    let mut refuse = Some(refuse);
    let refused = make_savepoint_location(&*view, &numbered(4), None, &mut |_| Err(refuse.take().unwrap()));
    assert_eq!((refused.unwrap_err().kind(), disk.operations()), (ErrorKind::Fenced, before));
}

#[test]
fn a_directory_in_which_anything_is_belongs_to_somebody_else() {
    for file in ["_metadata", "notes.txt", "below/_savepoint", "_savepoint"] {
        let disk = MemoryDisk::default();
        let (uri, directory) = place("0123456789ab");
        let theirs = format!("{directory}/{file}");
        disk.put(&theirs, b"somebody's");
        let outcome = view_of(&disk).initialize_savepoint(&numbered(1), &uri).unwrap();
        assert!(matches!(outcome, InitializedSavepoint::Taken), "{file}");
        assert_eq!(disk.files(), [theirs], "nothing is left of us, and nothing of theirs was touched");
    }
    // What lies beside it does not matter.
    let disk = MemoryDisk::default();
    let (uri, directory) = place("0123456789ab");
    disk.put(&format!("{directory}0/_metadata"), b"somebody's");
    let _ = location(&*view_of(&disk), 1, &uri);
}

/// Of what no list of files shows, too.
#[test]
fn a_directory_that_we_did_not_make_is_somebody_elses_whatever_is_in_it() {
    use std::fs;
    use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, symlink};

    type Plant<'a> = &'a dyn Fn(&Path);

    let scratch = tempfile::tempdir().unwrap();
    let (save, outside) = (scratch.path().join("save"), scratch.path().join("outside"));
    fs::create_dir_all(&outside).unwrap();
    fs::create_dir_all(&save).unwrap();
    let view = FileSystemStorage::new(scratch.path().join("base").to_str().unwrap())
        .coordinator_view(job(1), &local_context())
        .unwrap();
    let pipe = |path: &Path| {
        assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
        assert!(fs::symlink_metadata(path).unwrap().file_type().is_fifo());
    };
    let within = |path: &Path, name: &str| {
        fs::create_dir(path).unwrap();
        path.join(name)
    };
    let theirs: [(&str, Plant<'_>); 12] = [
        ("an empty directory", &|path| fs::create_dir(path).unwrap()),
        ("a link to a directory", &|path| symlink(&outside, path).unwrap()),
        ("a link to nothing", &|path| symlink("/nonexistent/target", path).unwrap()),
        ("a file", &|path| fs::write(path, "theirs").unwrap()),
        ("a pipe", &|path| pipe(path)),
        ("with a directory", &|path| fs::create_dir(within(path, "directory")).unwrap()),
        ("with a pipe", &|path| pipe(&within(path, "pipe"))),
        ("with a link", &|path| symlink("/nonexistent/target", within(path, "link")).unwrap()),
        ("with a name that no path of ours has", &|path| fs::write(within(path, "a\\b"), "theirs").unwrap()),
        ("with a name like the mark's", &|path| fs::write(within(path, "my_savepoint_notes"), "theirs").unwrap()),
        ("with a directory like the mark", &|path| fs::create_dir(within(path, "_savepoint")).unwrap()),
        ("with a link like the mark", &|path| symlink("/nonexistent/target", within(path, "_savepoint")).unwrap()),
    ];
    for (number, (what, make)) in (1..).zip(theirs) {
        let path = save.join(format!("savepoint-010101-{number:012x}"));
        make(&path);
        let list = || -> Vec<_> {
            let entries = fs::read_dir(&path).into_iter().flatten();
            entries.map(|entry| entry.unwrap().file_name()).collect()
        };
        let (kind, inside) = (fs::symlink_metadata(&path).unwrap(), list());
        let uri = Uri::new(format!("file://{}", path.display())).unwrap();
        let outcome = view.initialize_savepoint(&numbered(number), &uri).unwrap();
        assert!(matches!(outcome, InitializedSavepoint::Taken), "{what}");
        let left = fs::symlink_metadata(&path).unwrap();
        assert_eq!(
            (left.file_type(), left.permissions(), list()),
            (kind.file_type(), kind.permissions(), inside),
            "{what}"
        );
    }
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0, "no link was followed");

    let path = save.join("savepoint-010101-0123456789ab");
    let _ = location(&*view, 1, &Uri::new(format!("file://{}", path.display())).unwrap());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o700);
}

/// Two may find that nobody has a name, where there are no directories.
#[test]
fn where_nothing_is_seen_of_a_rival_its_mark_decides() {
    let store = Arc::new(ObjectStoreFileSystem::new());
    let context = context_over(store.clone());
    let view = FileSystemStorage::new("sim:/base").coordinator_view(job(1), &context).unwrap();
    store.list_the_past();
    let uri = Uri::new("sim:/save/savepoint-010101-0123456789ab").unwrap();
    let first = location(&*view, 1, &uri);
    let second = view.initialize_savepoint(&numbered(2), &uri).unwrap();
    assert!(matches!(second, InitializedSavepoint::Taken), "{second:?}");
    first.publish(&savepoint_of(job(1), numbered(1), None)).unwrap();
}

#[test]
fn of_all_who_want_one_name_one_has_it() {
    let directory = tempfile::tempdir().unwrap();
    let base = directory.path().to_str().unwrap();
    for round in 0..20 {
        let uri = Uri::new(format!("file://{base}/save/savepoint-010101-{round:012x}")).unwrap();
        let take = |number: u64| {
            let view = FileSystemStorage::new(base).coordinator_view(job(1), &local_context()).unwrap();
            view.initialize_savepoint(&numbered(number), &uri).unwrap()
        };
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (1..=4).map(|number| scope.spawn(move || take(number))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let made = outcomes.iter().filter(|outcome| matches!(outcome, InitializedSavepoint::Made(_))).count();
        assert_eq!(made, 1, "round {round}: {outcomes:?}");
    }
}

#[test]
fn the_mark_is_durable_before_anyone_has_the_place_and_goes_last() {
    let disk = MemoryDisk::default();
    let (view, (uri, directory)) = (view_of(&disk), place("0123456789ab"));
    let made = location(&*view, 1, &uri);
    let log = disk.take_log();
    assert_eq!(log, ["publish", "sync"].map(|step| format!("{step} {directory}/_savepoint")));
    for number in [0, 1] {
        disk.put(&format!("{directory}/{}", state_file(EPOCH, number)), b"state");
    }
    made.discard().unwrap();
    let steps = [
        "publish _metadata",
        "sync _metadata",
        &format!("remove {}", state_file(EPOCH, 0)),
        &format!("remove {}", state_file(EPOCH, 1)),
        "sync _savepoint",
        "remove _savepoint",
        "sync _savepoint",
        "remove _metadata",
        "sync _savepoint",
    ];
    let steps = steps.map(|step| step.replacen(' ', &format!(" {directory}/"), 1));
    assert_eq!(disk.take_log(), steps);
    assert_eq!(disk.files(), Vec::<String>::new());
}

#[test]
fn what_is_published_is_what_head_stops_a_job_with() {
    let disk = MemoryDisk::default();
    let view = view_of(&disk);
    let head = claim(&*view.head(), job(1), nonce(1)).unwrap().head;
    let uri = view.name_savepoint(&identity(&head, 1), None).unwrap();
    let in_progress = SavepointInProgress::new(identity(&head, 1).id, uri.clone());
    let head = write_head(&*view, head.begin_savepoint(in_progress, &Collected::none()).unwrap()).head;
    let properties =
        CheckpointProperties::savepoint(SavepointFormat::Native, AfterSavepoint::Terminate, Admission::InTurn);
    let metadata = snapshot_of(job(1), identity(&head, 1), properties, None);
    let published = location(&*view, 1, &uri).publish(&metadata).unwrap();
    let stopped = write_head(&*view, head.stop(published.clone(), &Collected::none()).unwrap()).head;
    assert_eq!(stopped.head().restore_point(), Some(&published));
    assert_eq!(view.pointer(&published), uri.as_str());
}

#[test]
fn state_outside_its_directory_is_refused() {
    let disk = MemoryDisk::default();
    let (uri, _) = place("0123456789ab");
    let made = location(&*view_of(&disk), 1, &uri);
    let shared = metadata(job(1), numbered(1), &[state_file(EPOCH, 1)]);
    let error = made.publish(&shared).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AbortCheckpoint);
    let expected = format!("'{uri}/_metadata' is not published: snapshot 1 is a checkpoint, expected a savepoint");
    assert_eq!(error.to_string(), expected);
    // A snapshot of somebody else's may have the kind of a savepoint and name anything.
    let shared = crate::testing::sample::shared_state(&[state_file(EPOCH, 1)]);
    let unclaimed = snapshot_of(job(1), numbered(1), CheckpointProperties::unclaimed(), Some(shared));
    let error = made.publish(&unclaimed).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AbortCheckpoint);
    let expected = format!("'{uri}/_metadata' is not published: savepoint 1 names state outside its directory");
    assert_eq!(error.to_string(), expected);
}

#[test]
fn only_what_is_its_own_goes_with_an_abandoned_savepoint() {
    let (uri, directory) = place("0123456789ab");
    let there = |disk: &MemoryDisk| -> Vec<String> {
        disk.files().iter().filter_map(|file| file.strip_prefix(&format!("{directory}/")).map(str::to_owned)).collect()
    };
    // Its state and its mark, but no file of anybody else, nor of another leader.
    let disk = MemoryDisk::default();
    let view = view_of(&disk);
    let _ = location(&*view, 1, &uri);
    let (own, other) = (state_file(EPOCH, 1).to_string(), state_file(LeaderEpoch::new(2), 1).to_string());
    for file in [&*own, &*other, "notes.txt", &format!("below/{own}")] {
        disk.put(&format!("{directory}/{file}"), b"bytes");
    }
    let given_up = abandoned(&*view, 1, &uri);
    assert_eq!(view.remove_abandoned(&given_up).unwrap(), AbandonedOutcome::Gone);
    assert_eq!(there(&disk), [other, format!("below/{own}"), "notes.txt".to_owned()]);

    // Of another job, and another number, nothing.
    for (of, number) in [(job(2), 1), (job(1), 2)] {
        let disk = MemoryDisk::default();
        let mark = SavepointMark::new(of, numbered(number).id, EPOCH, nonce(1), Timestamp::from_millis(0));
        disk.put(&format!("{directory}/_savepoint"), &mark.encode().unwrap());
        disk.put(&format!("{directory}/{}", state_file(EPOCH, 1)), b"state");
        let view = view_of(&disk);
        let given_up = abandoned(&*view, 1, &uri);
        assert_eq!(view.remove_abandoned(&given_up).unwrap(), AbandonedOutcome::Gone);
        assert_eq!(there(&disk).len(), 2);
    }

    // Nothing where it cannot be told, and nothing where nobody took it.
    let disk = MemoryDisk::default();
    disk.put(&format!("{directory}/_savepoint"), b"rot");
    disk.put(&format!("{directory}/{}", state_file(EPOCH, 1)), b"state");
    let view = view_of(&disk);
    let given_up = abandoned(&*view, 1, &uri);
    let error = view.remove_abandoned(&given_up).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains(&format!("'{uri}/_savepoint'")), "{error}");
    assert_eq!(there(&disk).len(), 2);
    disk.put(&format!("{directory}/_savepoint"), &[0; 5000]);
    assert_eq!(view.remove_abandoned(&given_up).unwrap_err().kind(), ErrorKind::Corrupt);
}

/// Each operation goes wrong in each way, once and from then on; whatever comes of it, the next leader finishes it.
#[test]
fn whatever_fails_while_a_savepoint_is_made_the_next_leader_leaves_nothing_or_all() {
    for fault in [Fault::Fails, Fault::ReplyLost, Fault::RequestLost] {
        for (after, how_many) in (0..40).flat_map(|after| [(after, 1), (after, u64::MAX)]) {
            let what = format!("{fault:?} {how_many} after {after}");
            let disk = MemoryDisk::default();
            let (view, (uri, directory)) = (view_of(&disk), place("0123456789ab"));
            let given_up = abandoned(&*view, 1, &uri);
            disk.fail(after, fault, how_many);
            let metadata = savepoint_of(job(1), numbered(1), None);
            let made = match view.initialize_savepoint(&numbered(1), &uri) {
                Ok(InitializedSavepoint::Made(made)) => Some(made),
                Ok(InitializedSavepoint::Taken) => panic!("{what}: nobody else is here"),
                Err(error) => {
                    assert!(told(&error).contains(uri.as_str()), "{what}: {error}");
                    None
                }
            };
            let published = made.as_ref().map(|made| made.publish(&metadata));
            disk.heal();
            let outcome = view_of(&disk).remove_abandoned(&given_up).unwrap();
            let complete = disk.files().contains(&format!("{directory}/_metadata"));
            assert_eq!(outcome == AbandonedOutcome::Complete, complete, "{what}");
            match published {
                Some(Ok(_)) => assert!(complete, "{what}: what was published stays"),
                Some(Err(error)) if error.kind() != ErrorKind::Unknown => assert!(!complete, "{what}: {error}"),
                _ => {}
            }
            if !complete {
                assert_eq!(disk.files(), Vec::<String>::new(), "{what}");
            }
        }
    }
}

/// A former leader publishes between any two steps of the one that deletes, which dies there and begins again.
#[test]
fn either_it_is_published_whole_or_it_goes_whoever_comes_first() {
    for fault in [Fault::Fails, Fault::ReplyLost, Fault::RequestLost] {
        let mut outcomes = Vec::new();
        for after in 0..30 {
            let what = format!("{fault:?} after {after}");
            let disk = MemoryDisk::default();
            let (view, (uri, directory)) = (view_of(&disk), place("0123456789ab"));
            let given_up = abandoned(&*view, 1, &uri);
            let made = location(&*view, 1, &uri);
            let state = format!("{directory}/{}", state_file(EPOCH, 1));
            disk.put(&state, b"state");

            disk.fail(after, fault, u64::MAX);
            let removed = view_of(&disk).remove_abandoned(&given_up);
            disk.heal();
            let published = made.publish(&savepoint_of(job(1), numbered(1), None));
            let again = view_of(&disk).remove_abandoned(&given_up).unwrap();
            match &published {
                Ok(_) => {
                    assert!(disk.files().contains(&state), "{what}: what is published has its state");
                    assert_eq!(again, AbandonedOutcome::Complete, "{what}");
                    removed.expect_err("it was not finished before");
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::AbortCheckpoint, "{what}: {error}");
                    assert_eq!(again, AbandonedOutcome::Gone, "{what}");
                    assert_eq!(disk.files(), Vec::<String>::new(), "{what}");
                }
            }
            outcomes.push(published.is_ok());
        }
        assert!(outcomes.contains(&true) && outcomes.contains(&false), "{outcomes:?}");
        assert!(outcomes.is_sorted_by(|earlier, later| earlier >= later), "{fault:?}: {outcomes:?}");
    }
}

#[test]
fn what_a_worker_wrote_is_opened_by_the_coordinator_in_the_savepoint() {
    let disk = MemoryDisk::default();
    let context = disk.context();
    let (uri, _) = place("0123456789ab");
    let made = location(&*view_of(&disk), 1, &uri);
    let storage = FileSystemStorage::new("mem:/base").with_inline_threshold_bytes(0);
    let worker = storage.worker_view(job(1), Writer::new(EPOCH, WriterId::new(1)), &context).unwrap();
    let barrier = barrier_of_savepoint(numbered(1), made.reference());
    let state = written_state(&*worker.streams(&barrier).unwrap(), b"spilled");
    let mut found = Vec::new();
    std::io::Read::read_to_end(&mut made.open(state.operator()[0].handle()).unwrap(), &mut found).unwrap();
    assert_eq!(found, b"spilled");
}
