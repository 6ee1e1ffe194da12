//! Stores that break their promises, keep them late, and are asked by many at once.

use std::sync::Arc;

use bytes::Bytes;
use ckpt_core::ErrorKind;
use ckpt_core::head::{Head, Nonce};
use ckpt_core::state::RelPath;
use ckpt_streams::file_system::{CasOutcome, Expect, FileSystem, LocalFileSystem, MemoryFileSystem};
use ckpt_streams::testing::{Breach, FaithlessFileSystem, ObjectStoreFileSystem, Reply};

use super::ProbedStores;
use crate::test_support::{Fault, MemoryDisk, Seeded, context_over};
use crate::testing::sample::{job, nonce};
use crate::{CheckpointStorage, FileSystemStorage, HeadOutcome, claim, layout};

const BREACHES: [(Breach, &str); 8] = [
    (Breach::ReplacesWhatIsThere, "asked for none"),
    (Breach::ReplacesWhatIsNewer, "asked for an older version"),
    (Breach::ReplacesAndSaysLost, "read otherwise"),
    (Breach::RefusesWhatIsRight, "asked for the version that it has"),
    (Breach::LosesWrites, ""),
    (Breach::SaysDone, ""),
    (Breach::ReadsThePast, ""),
    (Breach::OneTag, ""),
];

fn require(files: Arc<dyn FileSystem>, seed: u64) -> ckpt_core::Result<()> {
    ProbedStores::default().require(&files, "the store", &Seeded::new(seed))
}

/// What probes have left.
fn probed(disk: &MemoryDisk) -> Vec<String> {
    disk.files().into_iter().chain(disk.records()).filter(|path| path.contains("_probe")).collect()
}

fn nothing_is_left(files: &dyn FileSystem) {
    assert_eq!(files.list(None, None, 100).unwrap(), []);
}

#[test]
fn a_store_that_keeps_its_promises_is_taken_and_nothing_is_left() {
    let directory = tempfile::tempdir().unwrap();
    let local: Arc<dyn FileSystem> = Arc::new(LocalFileSystem::open(directory.path()).unwrap());
    let stores: [Arc<dyn FileSystem>; 3] =
        [local, Arc::new(MemoryFileSystem::new()), Arc::new(ObjectStoreFileSystem::new())];
    for store in stores {
        require(Arc::clone(&store), 1).unwrap();
        nothing_is_left(&*store);
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn each_broken_promise_is_named_and_no_job_is_claimed() {
    for (breach, named) in BREACHES {
        let below: Arc<dyn FileSystem> = Arc::new(MemoryFileSystem::new());
        let store = Arc::new(FaithlessFileSystem::new(Arc::clone(&below), breach));
        let view = FileSystemStorage::new("sim:/base").coordinator_view(job(1), &context_over(store)).unwrap();
        let claimed = claim(&*view.head(), job(1), nonce(1));
        let error = claimed.expect_err(&format!("{breach:?} is to be refused"));
        assert_eq!(error.kind(), ErrorKind::Configuration, "{breach:?}: {error}");
        let message = error.to_string();
        assert!(message.contains("head/HEAD") && message.contains(named), "{breach:?}: {message}");
        nothing_is_left(&*below);
    }
}

#[test]
fn a_store_is_asked_once_in_a_process() {
    let disk = MemoryDisk::default();
    let (context, storage) = (disk.context(), FileSystemStorage::new("mem:/base"));
    let before = disk.operations();
    let first = storage.coordinator_view(job(1), &context).unwrap();
    let claimed = claim(&*first.head(), job(1), nonce(1)).unwrap();
    let asked = disk.operations() - before;
    let again = storage.coordinator_view(job(1), &context).unwrap();
    let before = disk.operations();
    let claimed = claim(&*again.head(), job(1), Nonce::new([2; 16])).map(|again| (claimed, again)).unwrap();
    assert_eq!(disk.operations() - before, 2, "a read and a write");
    assert!(asked > 10 && claimed.1.head.head().epoch > claimed.0.head.head().epoch);
}

/// Whatever answer is lost, it is neither refused for that nor taken unasked.
#[test]
fn answers_that_are_lost_are_asked_for_again() {
    for reply in [Reply::LostAfterApplied, Reply::LostBeforeApplied, Reply::Late] {
        for lost in 0..5 {
            let store = ObjectStoreFileSystem::new();
            let replies = std::iter::repeat_n(Reply::Arrives, lost).chain([reply]);
            store.answer_next(replies);
            require(Arc::new(store.clone()), 1).unwrap_or_else(|error| panic!("{reply:?} {lost}: {error}"));
            store.land();
            // What lands that late is found by the next one.
            require(Arc::new(store.clone()), 2).unwrap();
            nothing_is_left(&store);
        }
    }
}

/// The same where the same write once more is refused, as by most object stores: the record tells that it was one's own.
#[test]
fn own_first_try_of_a_probe_is_recognised() {
    for fault in [Fault::ReplyLost, Fault::RequestLost] {
        for (at, step) in [(3, "A"), (4, "B for nothing"), (6, "B"), (7, "C for an older one")] {
            let disk = MemoryDisk::default();
            let view = FileSystemStorage::new("mem:/base").coordinator_view(job(1), &disk.context()).unwrap();
            disk.take_log();
            disk.fail(at, fault, 1);
            let first = Head::claim(None, job(1), nonce(1)).unwrap();
            let outcome = view.head().write(first);
            assert!(matches!(outcome, HeadOutcome::Written(_)), "{fault:?} of {step}: {outcome:?}");
            let puts =
                disk.take_log().iter().filter(|line| line.starts_with("put ") && line.contains("_probe")).count();
            assert_eq!(puts, if fault == Fault::ReplyLost { 5 } else { 4 }, "{step} was to be sent twice");
        }
    }
}

#[test]
fn a_store_that_does_not_answer_is_neither_taken_nor_refused() {
    for fault in [Fault::Fails, Fault::ReplyLost, Fault::RequestLost] {
        for after in 0..14 {
            let disk = MemoryDisk::default();
            let view = FileSystemStorage::new("mem:/base").coordinator_view(job(1), &disk.context()).unwrap();
            let first = Head::claim(None, job(1), nonce(1)).unwrap();
            disk.fail(after, fault, 1000);
            let HeadOutcome::Failed(error) = view.head().write(first) else {
                panic!("{fault:?} {after}: written without having been asked")
            };
            assert_eq!(error.kind(), ErrorKind::Retry, "{fault:?} {after}: {error}");
            assert_eq!(disk.records().iter().filter(|path| !path.contains("_probe")).count(), 0);
            disk.heal();
            // It is asked again, and what was left goes with the next process.
            claim(&*view.head(), job(1), nonce(1)).unwrap();
            let next = FileSystemStorage::new("mem:/base").coordinator_view(job(1), &disk.context()).unwrap();
            claim(&*next.head(), job(1), nonce(2)).unwrap();
            assert_eq!(probed(&disk), [""; 0], "{fault:?} {after}");
        }
    }
}

#[test]
fn a_process_that_dies_leaves_what_the_next_one_deletes() {
    let directory = tempfile::tempdir().unwrap();
    let local: Arc<dyn FileSystem> = Arc::new(LocalFileSystem::open(directory.path()).unwrap());
    let (dead, body) = (layout::probed_record(Nonce::new([7; 16])), Bytes::from_static(b"A"));
    assert!(matches!(local.put_record(&dead, body.clone(), Expect::Absent), CasOutcome::Done(_)));
    // Somebody's file that has no name of ours stays.
    let other = RelPath::new("head/_probe/notes").unwrap();
    assert!(matches!(local.put_record(&other, body, Expect::Absent), CasOutcome::Done(_)));
    require(Arc::clone(&local), 1).unwrap();
    assert_eq!(local.read_record(&dead).unwrap(), None);
    assert!(local.read_record(&other).unwrap().is_some());
}

/// At every step of a probe another process begins one, and takes the first for dead.
#[test]
fn two_processes_at_once_are_both_answered() {
    let disk = MemoryDisk::default();
    let view =
        |disk: &MemoryDisk| FileSystemStorage::new("mem:/base").coordinator_view(job(1), &disk.context()).unwrap();
    let alone = {
        let first = Head::claim(None, job(1), nonce(1)).unwrap();
        assert!(matches!(view(&disk).head().write(first), HeadOutcome::Written(_)));
        disk.operations()
    };
    for at in 0..alone - 2 {
        let disk = MemoryDisk::default();
        disk.meanwhile_all(at, |files, records| {
            files.retain(|path, _| !path.contains("_probe"));
            records.retain(|path, _| !path.contains("_probe"));
        });
        let first = Head::claim(None, job(1), nonce(1)).unwrap();
        let outcome = view(&disk).head().write(first);
        assert!(matches!(outcome, HeadOutcome::Written(_)), "before operation {at}: {outcome:?}");
        assert_eq!(probed(&disk), [""; 0], "before operation {at}");
    }
}
