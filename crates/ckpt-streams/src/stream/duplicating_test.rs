//! State that is written to two places at once.

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ckpt_core::state::{Place, StateHandle};
use ckpt_core::{Error, ErrorKind};

use super::kinds_test::Copies;
use super::stream_test::{options, pattern, target};
use super::watched_test::{Event, Watched};
use crate::file_system::{FileSystem, MemoryFileSystem};
use crate::testing::{FailingFileSystem, Failure, Fault, Injection, ObjectStoreFileSystem, RefusingSpawn};
use crate::{
    Budget, DuplicatingStream, FileStreams, LocalCopy, SnapshotResult, SnapshotStream, Staged, StateOutputStream as _,
    StateScope, StreamFactory as _,
};

/// Two disks, of which each may fail.
struct Disks {
    streams: FileStreams,
    copies: Copies,
    stored: MemoryFileSystem,
    local: MemoryFileSystem,
}

impl Disks {
    fn new() -> Self {
        Self::failing(None, None)
    }

    fn failing(stored: Option<Injection>, local: Option<Injection>) -> Self {
        let files = [MemoryFileSystem::new(), MemoryFileSystem::new()];
        let disk = |files: &MemoryFileSystem, injection: Option<Injection>| -> Arc<dyn FileSystem> {
            let files = Arc::new(files.clone());
            match injection {
                Some(injection) => Arc::new(FailingFileSystem::new(files, injection)),
                None => files,
            }
        };
        let streams = FileStreams::new(target(&disk(&files[0], stored), Arc::new(RefusingSpawn::new())), options(100));
        let copies = Copies::new(&disk(&files[1], local));
        let [stored, local] = files;
        Self { streams, copies, stored, local }
    }

    fn duplicating(&self) -> DuplicatingStream {
        DuplicatingStream::new(self.streams.create(StateScope::Exclusive).unwrap(), self.copies.create().unwrap())
    }

    fn with_copy(&self) -> SnapshotStream {
        SnapshotStream::with_copy(self.streams.create(StateScope::Exclusive).unwrap(), self.copies.create())
    }

    /// How many files there are, in the checkpoint and here.
    fn files(&self) -> (usize, usize) {
        (self.stored.paths().len(), self.local.paths().len())
    }
}

fn written(copy: LocalCopy<Staged>) -> Staged {
    match copy {
        LocalCopy::Written(copy) => copy,
        other => panic!("{other:?}"),
    }
}

/// The bytes of a sealed piece, whose file is the only one on its disk.
fn bytes_of(handle: &StateHandle, files: &MemoryFileSystem) -> Vec<u8> {
    if let Place::Inline(bytes) = handle.place() {
        return bytes.to_vec();
    }
    let mut bytes = vec![0; usize::try_from(handle.length_bytes()).unwrap()];
    files.open(&files.paths()[0]).unwrap().read_exact_at(&mut bytes, 0).unwrap();
    bytes
}

#[test]
fn both_have_the_same_bytes_and_positions() {
    let disks = Disks::new();
    let (mut stream, mut expected) = (disks.duplicating(), Vec::new());
    for number in 0..500_usize {
        let piece = pattern(number * 7919 % 1_000);
        match number % 3 {
            0 => stream.write_all(&piece).unwrap(),
            1 => assert_eq!(stream.write(&piece).unwrap(), piece.len()),
            _ => stream.write_all(&piece[..piece.len() / 2]).unwrap(),
        }
        expected.extend_from_slice(if number % 3 == 2 { &piece[..piece.len() / 2] } else { &piece });
        if number % 50 == 0 {
            stream.flush().unwrap();
        }
        assert_eq!(stream.position(), expected.len() as u64);
    }
    let both = stream.finish_both().unwrap();
    let primary = disks.streams.seal_piece(both.primary.unwrap()).unwrap();
    let secondary = disks.copies.streams.seal_piece(both.secondary.unwrap().unwrap()).unwrap();
    assert!(bytes_of(&primary, &disks.stored) == expected && bytes_of(&secondary, &disks.local) == expected);
}

#[test]
fn a_secondary_that_fails_is_given_up_and_never_touched_again() {
    // The first write of the copy fails, or what it ends with, or its sync when it is sealed.
    for (fault, at) in [(Fault::WriteFails, 1), (Fault::WriteFails, 2), (Fault::DiskFull, 3)] {
        let disks = Disks::failing(None, Some(Injection::new(fault, at, Failure::FromThereOn)));
        let mut stream = disks.duplicating();
        for _ in 0..3 {
            stream.write_all(&pattern(70_000)).unwrap();
            stream.flush().unwrap();
            if stream.secondary_error().is_some() {
                assert_eq!(disks.files().1, 0, "it is removed at once");
            }
        }
        let both = stream.finish_both().unwrap();
        assert_eq!(both.primary.as_ref().unwrap().length_bytes(), 210_000);
        let error = both.secondary.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AbortCheckpoint);
        assert!(error.to_string().contains("cannot write 'local/"), "{error}");
        assert_eq!(disks.files(), (1, 0));
    }
}

#[test]
fn a_flush_that_fails_gives_up_the_secondary_and_is_told_of_the_primary() {
    let fails = Some(Injection::new(Fault::WriteFails, 1, Failure::Once));
    let disks = Disks::failing(None, fails);
    let mut stream = disks.duplicating();
    stream.write_all(&pattern(1_000)).unwrap();
    assert!(stream.secondary_error().is_none());
    stream.flush().unwrap();
    assert!(stream.secondary_error().is_some());
    assert_eq!(disks.files(), (1, 0));

    let disks = Disks::failing(fails, None);
    let mut stream = disks.duplicating();
    stream.write_all(&pattern(1_000)).unwrap();
    let error = stream.flush().unwrap_err();
    assert_eq!(crate::into_error(error, ErrorKind::Retry).kind(), ErrorKind::AbortCheckpoint);
    assert!(stream.finish_both().is_err());
    assert_eq!(disks.files(), (0, 0));
}

#[test]
fn a_sync_that_fails_takes_the_copy_alone_or_fails_the_state_alone() {
    let fails = Some(Injection::new(Fault::SyncFails, 1, Failure::Once));
    for (stored, local, expected) in [(None, fails, (1, 0)), (fails, None, (0, 1))] {
        let disks = Disks::failing(stored, local);
        let mut stream = disks.with_copy();
        stream.write_all(&pattern(1_000)).unwrap();
        let result = stream.finish().unwrap();
        let stored = disks.streams.seal_piece(result.stored.unwrap());
        let copy = disks.copies.streams.seal_piece(written(result.local));
        assert_eq!((usize::from(stored.is_ok()), usize::from(copy.is_ok())), expected);
        assert_eq!(disks.files(), expected);
    }
}

#[test]
fn a_primary_that_fails_is_told_at_once_and_takes_the_copy_with_it() {
    for (length, fault) in [(70_000, Fault::WriteFails), (70_000, Fault::DiskFull), (200_000, Fault::WriteFails)] {
        let disks = Disks::failing(Some(Injection::new(fault, 1, Failure::Once)), None);
        let mut stream = disks.duplicating();
        let error = stream.write_all(&pattern(length)).unwrap_err();
        assert_eq!(crate::into_error(error, ErrorKind::Retry).kind(), ErrorKind::AbortCheckpoint);
        assert!(stream.secondary_error().is_none(), "the disk of the copy works");
        assert!(stream.finish_both().is_err());
        assert_eq!(disks.files(), (0, 0));
        assert_eq!(disks.copies.streams.counts().dropped, 0);
    }
}

#[test]
fn a_copy_that_stands_elsewhere_is_none() {
    for (ahead_bytes, copy_bytes) in [(5, 0), (0, 5), (5, 4)] {
        let disks = Disks::new();
        let (mut primary, mut secondary) =
            (disks.streams.create(StateScope::Exclusive).unwrap(), disks.copies.create().unwrap());
        primary.write_all(&pattern(ahead_bytes)).unwrap();
        secondary.write_all(&pattern(copy_bytes)).unwrap();
        let mut stream = DuplicatingStream::new(primary, secondary);
        assert_eq!(disks.files(), (0, 0), "it is removed at once");
        assert_eq!(disks.copies.streams.counts().dropped, 0);
        stream.write_all(b" and further").unwrap();
        let both = stream.finish_both().unwrap();
        assert_eq!(both.primary.unwrap().length_bytes(), ahead_bytes as u64 + 12);
        let error = both.secondary.unwrap_err().to_string();
        let stands = format!("a copy that stands at {copy_bytes} bytes");
        assert_eq!(error, format!("{stands} would be none of a stream that stands at {ahead_bytes}"));
    }
}

#[test]
fn without_a_copy_there_is_one_file_and_with_one_there_are_two() {
    let disks = Disks::new();
    let finish = |mut stream: SnapshotStream| -> SnapshotResult<Staged> {
        stream.write_all(&pattern(1_000)).unwrap();
        assert_eq!(stream.position(), 1_000);
        stream.finish().unwrap()
    };
    let simple = finish(SnapshotStream::simple(disks.streams.create(StateScope::Exclusive).unwrap()));
    assert!(matches!(simple.local, LocalCopy::None));
    assert_eq!(disks.files(), (1, 0));
    drop(simple);

    let both = finish(disks.with_copy());
    assert_eq!(disks.files(), (1, 1));
    let stored = disks.streams.seal_piece(both.stored.unwrap()).unwrap();
    let copy = disks.copies.streams.seal_piece(written(both.local)).unwrap();
    assert!(bytes_of(&stored, &disks.stored) == bytes_of(&copy, &disks.local));
    assert_eq!(stored.length_bytes(), copy.length_bytes());
    // What is written again has other names, and what is sealed stays.
    drop(finish(disks.with_copy()));
    assert_eq!(disks.files(), (1, 1));
}

#[test]
fn a_copy_that_cannot_be_made_is_told_in_the_result() {
    let disks = Disks::failing(None, Some(Injection::new(Fault::TooManyOpenFiles, 1, Failure::Once)));
    let mut stream = disks.with_copy();
    stream.write_all(b"state").unwrap();
    let result = stream.finish().unwrap();
    assert_eq!(result.stored.unwrap().length_bytes(), 5);
    let LocalCopy::Failed(error) = result.local else { panic!("{:?}", result.local) };
    assert!(error.to_string().contains("cannot create 'local/"), "{error}");
    // Of nothing there is no copy to be missed.
    let failed = || Err(Error::new(ErrorKind::AbortCheckpoint, "no disk"));
    let empty = SnapshotStream::with_copy(disks.streams.create(StateScope::Exclusive).unwrap(), failed());
    let empty = empty.finish().unwrap();
    assert!(empty.stored.is_none() && matches!(empty.local, LocalCopy::None));
}

#[test]
fn what_is_given_up_is_given_up_in_both_places() {
    let disks = Disks::new();
    let begun = || {
        let mut stream = disks.with_copy();
        stream.write_all(&pattern(1_000)).unwrap();
        assert_eq!(disks.files(), (1, 1));
        stream
    };
    begun().abort().unwrap();
    assert_eq!(disks.files(), (0, 0));
    drop(begun().finish().unwrap());
    assert_eq!(disks.files(), (0, 0));
    assert_eq!((disks.streams.counts().dropped, disks.copies.streams.counts().dropped), (0, 0));
    drop(begun());
    assert_eq!(disks.files(), (0, 0));
    assert_eq!((disks.streams.counts().dropped, disks.copies.streams.counts().dropped), (1, 1));
    // An end after a cancellation is an error; a copy that was cancelled alone is none.
    let (cancelled, other) = (begun(), disks.with_copy());
    disks.copies.streams.cancel().wait().unwrap();
    let result = cancelled.finish().unwrap();
    assert!(matches!(result.local, LocalCopy::Failed(error) if error.kind() == ErrorKind::Cancelled));
    disks.streams.cancel().wait().unwrap();
    assert_eq!(other.finish().unwrap_err().kind(), ErrorKind::Cancelled);
    drop(result.stored);
    assert_eq!(disks.files(), (0, 0));
}

/// The primary holds what there is of the budget, and both are written by one thread: the copy is given up, and nobody
/// waits for itself.
#[test]
fn a_copy_for_which_the_budget_has_no_room_is_given_up() {
    const PART: usize = 64 << 10;
    for (room, is_copied) in [(1, false), (2, true), (9, true)] {
        let stores = [(); 2].map(|()| ObjectStoreFileSystem::new().with_part_bytes(PART));
        let budget = Arc::new(Budget::new((room * PART) as u64));
        let [primary, secondary] = stores.clone().map(|store| {
            let files: Arc<dyn FileSystem> = Arc::new(store);
            let target = target(&files, Arc::new(RefusingSpawn::new())).with_budget(Arc::clone(&budget));
            FileStreams::new(target, options(100))
        });
        let copy = secondary.create(StateScope::Exclusive);
        let mut stream = SnapshotStream::with_copy(primary.create(StateScope::Exclusive).unwrap(), copy);
        for piece in pattern(5 * PART).chunks(1_000) {
            stream.write_all(piece).unwrap();
        }
        let result = stream.finish().unwrap();
        assert_eq!(primary.seal_piece(result.stored.unwrap()).unwrap().length_bytes(), 5 * PART as u64);
        match result.local {
            LocalCopy::Written(copy) if is_copied => drop(secondary.seal_piece(copy).unwrap()),
            LocalCopy::Failed(error) if !is_copied => {
                assert_eq!(error.kind(), ErrorKind::AbortCheckpoint);
                assert!(error.to_string().starts_with("there is no room for a part of 65536 bytes"), "{error}");
                assert_eq!(stores[1].list(None, None, usize::MAX).unwrap().len(), 0);
            }
            other => panic!("{room}: {other:?}"),
        }
        assert_eq!((stores[1].open_uploads(), budget.charged_bytes()), (0, 0));
        assert!(budget.most_charged_bytes() <= budget.limit_bytes());
    }
}

/// Whoever catches the panic of one of them and goes on has no copy: it has other bytes.
#[test]
fn a_copy_that_panicked_is_given_up() {
    for primary_panics in [false, true] {
        let files = [primary_panics, !primary_panics].map(|panics| {
            let panicked = AtomicBool::new(!panics);
            Watched::new(move |event, _| {
                let written = matches!(event, Event::Written(_));
                assert!(!written || panicked.swap(true, Ordering::Relaxed), "on purpose");
            })
        });
        let [primary, secondary] = files.clone().map(|files| {
            let files: Arc<dyn FileSystem> = Arc::new(files);
            FileStreams::new(target(&files, Arc::new(RefusingSpawn::new())), options(0))
        });
        let create = |streams: &FileStreams| streams.create(StateScope::Exclusive).unwrap();
        let mut stream = DuplicatingStream::new(create(&primary), create(&secondary));
        let written = catch_unwind(AssertUnwindSafe(|| stream.write_all(&pattern(100_000))));
        assert!(written.is_err());
        if primary_panics {
            let error = stream.write_all(&pattern(100_000)).unwrap_err().to_string();
            assert_eq!(error, "the stream failed at an earlier write");
            assert!(stream.finish_both().is_err());
            assert_eq!(files[0].paths(), []);
        } else {
            stream.write_all(&pattern(100_000)).unwrap();
            let error = stream.finish_both().unwrap().secondary.unwrap_err().to_string();
            assert_eq!(error, "a write of the copy panicked");
        }
        assert_eq!(files[1].paths(), []);
    }
}
