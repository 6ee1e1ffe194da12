//! Others dispose of a snapshot, claim it or publish it meanwhile: no mark goes before what it marks.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Barrier;
use std::thread;

use bytes::Bytes;
use ckpt_core::head::Nonce;
use ckpt_core::id::LeaderEpoch;
use ckpt_core::mark::OwnerRecord;
use ckpt_core::state::{ClaimId, RelPath, Root};
use ckpt_core::{ErrorKind, Result, Timestamp};

use crate::dispose::crash_test::{FILES, check_left, whole};
use crate::dispose::support_test::{
    disposal_mark, file, handle, metadata, names_in, options, savepoint_mark, snapshot,
};
use crate::test_support::{MemoryDisk, local_context};
use crate::testing::sample::job;
use crate::{Disposal, DisposeOptions, dispose};

const DIRECTORY: &str = "target/savepoint-1";

fn path_of(name: &str) -> String {
    format!("{DIRECTORY}/{name}")
}

fn disposed_on(disk: &MemoryDisk) -> Result<Disposal> {
    dispose(&format!("mem:/{DIRECTORY}"), &disk.context(), &options().with_parallelism(NonZeroUsize::MIN))
}

fn names_on(disk: &MemoryDisk) -> BTreeSet<String> {
    disk.files().iter().filter_map(|path| Some(path.rsplit_once('/')?.1.to_owned())).collect()
}

fn owner() -> Bytes {
    let (epoch, claim) = (LeaderEpoch::new(3), ClaimId::new(4));
    OwnerRecord::new(job(9), epoch, claim, Nonce::new([5; 16]), Timestamp::from_millis(6)).encode().unwrap()
}

/// A claims while B disposes, before each step of B: whoever comes first has it, and the mark that B may have made stays,
/// since C may have taken it up when A gave way.
#[test]
fn a_disposal_that_finds_an_owner_leaves_its_mark_to_others() {
    let (mut marked, mut unmarked, mut too_late) = (0, 0, 0);
    for after in 0.. {
        let disk = MemoryDisk::default();
        whole().iter().for_each(|(name, bytes)| disk.put(&path_of(name), bytes));
        let before = disk.operations();
        disk.meanwhile(after, |files| {
            files.insert(path_of("OWNER"), owner());
        });
        let outcome = disposed_on(&disk);
        let has_met = disk.operations() - before > after;
        disk.heal();
        let left = names_on(&disk);
        if let Ok(disposal) = outcome {
            // It had looked before: the claim finds the mark, as long as anything is there, and gives way.
            assert!(disposal.is_complete(), "{disposal:?}");
            too_late += 1;
            if !has_met {
                break;
            }
            assert!(left.iter().eq(["OWNER"]), "{left:?} at {after}");
            continue;
        }
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
        assert!(error.to_string().contains("belongs to job"), "{error}");
        check_left(&left, &after);
        assert!(left.contains("_metadata"), "{left:?}");
        if !left.contains("_disposing") {
            unmarked += 1;
            continue;
        }
        marked += 1;
        // A finds the mark and gives way. C takes it up, and is killed when a file is gone: nobody begins from that.
        disk.meanwhile(0, |files| {
            files.remove(&path_of("OWNER"));
            files.remove(&path_of(RelPath::from(&file(0)).as_str()));
        });
        check_left(&names_on(&disk), &after);
        assert!(disposed_on(&disk).unwrap().is_complete());
        assert_eq!(names_on(&disk), BTreeSet::new());
    }
    assert!(marked > 2 && unmarked > 2 && too_late > 2, "{marked}, {unmarked} and {too_late}");
}

/// A looks while a savepoint is taken. Before each step of A it is published, and B has begun to dispose of it.
#[test]
fn who_finds_no_metadata_takes_no_mark_from_others() {
    let (mut not_found, mut finished) = (0, 0);
    for after in 0.. {
        let disk = MemoryDisk::default();
        let state = |number| path_of(RelPath::from(&file(number)).as_str());
        (0..FILES).for_each(|number| disk.put(&state(number), b"abc"));
        disk.put(&path_of("_savepoint"), &savepoint_mark(1));
        let before = disk.operations();
        disk.meanwhile(after, move |files| {
            let metadata = metadata(1, (0..FILES).map(|number| handle(Root::ThisSnapshot, number)).collect());
            files.insert(path_of("_disposing"), disposal_mark(&metadata).into());
            files.insert(path_of("_metadata"), metadata.encode().unwrap().0.into());
            files.remove(&state(0));
        });
        let outcome = disposed_on(&disk);
        let has_met = disk.operations() - before > after;
        disk.heal();
        match outcome {
            Ok(disposal) => {
                assert!(disposal.is_complete(), "{disposal:?}");
                assert_eq!(names_on(&disk), BTreeSet::new());
                finished += 1;
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
                not_found += 1;
                if !has_met {
                    break;
                }
                check_left(&names_on(&disk), &after);
            }
        }
    }
    assert!(not_found > 1 && finished > 1, "{not_found} and {finished}");
}

/// Before each step of A, B comes to its end: A does too, or is told that there is nothing any more.
#[test]
fn who_is_overtaken_is_told_what_to_do() {
    let (mut ended, mut gone) = (0, 0);
    for after in 0.. {
        let disk = MemoryDisk::default();
        whole().iter().for_each(|(name, bytes)| disk.put(&path_of(name), bytes));
        let before = disk.operations();
        disk.meanwhile(after, BTreeMap::clear);
        let outcome = disposed_on(&disk);
        let has_met = disk.operations() - before > after;
        disk.heal();
        let errors = match outcome {
            Ok(disposal) if disposal.is_complete() => {
                ended += 1;
                Vec::new()
            }
            Ok(disposal) => disposal.errors,
            Err(error) => vec![error],
        };
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::NotFound, "at {after}: {error}");
            gone += 1;
        }
        // What A made after B had gone, its mark, the next one takes away.
        let _ = disposed_on(&disk);
        assert_eq!(names_on(&disk), BTreeSet::new(), "at {after}");
        if !has_met {
            break;
        }
    }
    assert!(ended > 2 && gone > 2, "{ended} and {gone}");
}

#[test]
fn of_many_at_once_some_come_to_the_end_and_others_are_told_what_to_do() {
    const THREADS: u8 = 4;
    let target = tempfile::tempdir().unwrap();
    for _ in 0..100 {
        let savepoint = snapshot(target.path(), "savepoint-1", 20);
        let together = Barrier::new(usize::from(THREADS));
        let dispose_with = |nonce| {
            let options = DisposeOptions::new(Nonce::new([nonce; 16]), Timestamp::from_millis(1));
            together.wait();
            dispose(savepoint.pointer(), &local_context(), &options)
        };
        let outcomes: Vec<Result<Disposal>> = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS).map(|nonce| scope.spawn(move || dispose_with(nonce))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(outcomes.iter().any(|outcome| outcome.as_ref().is_ok_and(Disposal::is_complete)), "{outcomes:?}");
        for outcome in outcomes {
            let errors = outcome.map_or_else(|error| vec![error], |disposal| disposal.errors);
            for error in errors {
                assert!(
                    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Retry),
                    "{:?}: {error:?}",
                    error.kind()
                );
            }
        }
        assert_eq!(names_in(target.path()), [] as [&str; 0]);
    }
}
