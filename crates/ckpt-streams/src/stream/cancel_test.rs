//! Streams that are cancelled in the middle of a write, by counts and not by clocks.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use ckpt_core::{ErrorKind, Result};

use super::stream_test::{options, snapshot_of, stage, target};
use super::watched_test::{Event, Watched};
use crate::file_system::{Durability, FileSystem, MemoryFileSystem};
use crate::testing::RefusingSpawn;
use crate::{FileStreams, FileStreamsOptions, Staged, StagedDescriptors, StateScope, StreamFactory as _};

const MIB: usize = 1 << 20;
/// Fails a test that would hang.
const LIMIT: Duration = Duration::from_secs(60);

/// Streams that are cancelled in the write that brings the bytes of all files to a number.
struct Cancelled {
    files: Watched,
    streams: Arc<FileStreams>,
    written_bytes: Arc<AtomicUsize>,
}

impl Cancelled {
    fn new(at_bytes: usize, inline_threshold_bytes: usize, write_buffer_bytes: usize) -> Self {
        let written_bytes = Arc::new(AtomicUsize::new(0));
        let (written, to_cancel) = (Arc::clone(&written_bytes), Arc::new(OnceLock::<Arc<FileStreams>>::new()));
        let (cancels, is_done) = (Arc::clone(&to_cancel), Mutex::new(false));
        let files = Watched::new(move |event, files| {
            let Event::Written(bytes) = event else { return };
            let written = written.fetch_add(bytes, Ordering::Relaxed) + bytes;
            if written >= at_bytes && !std::mem::replace(&mut *is_done.lock().unwrap(), true) {
                // The answer comes though the write has not returned.
                cancels.get().unwrap().cancel().wait().unwrap();
                assert_eq!(files.paths(), []);
            }
        });
        let file_system: Arc<dyn FileSystem> = Arc::new(files.clone());
        let mut options = options(inline_threshold_bytes);
        options.write_buffer_bytes = write_buffer_bytes;
        let streams = Arc::new(FileStreams::new(target(&file_system, Arc::new(RefusingSpawn::new())), options));
        to_cancel.set(Arc::clone(&streams)).unwrap();
        Self { files, streams, written_bytes }
    }
}

/// Every buffer and every MiB is a look at the cancellation, however much is given at once: what was begun is the last.
#[test]
fn a_write_ends_with_the_piece_in_which_it_was_cancelled() {
    for (write_bytes, buffer_bytes, piece_bytes) in
        [(64 * MIB, 64 << 10, MIB), (64 << 10, 64 << 10, 64 << 10), (64, 64 << 10, 64 << 10), (1000, MIB, MIB)]
    {
        let Cancelled { files, streams, written_bytes } = Cancelled::new(5 * MIB, 0, buffer_bytes);
        let mut stream = streams.create(StateScope::Exclusive).unwrap();
        let piece = vec![1; write_bytes];
        let mut accepted_bytes = 0;
        let error = loop {
            match stream.write_all(&piece) {
                Ok(()) => accepted_bytes += write_bytes,
                Err(error) => break error,
            }
            assert!(accepted_bytes <= 6 * MIB, "{write_bytes} {accepted_bytes}");
        };
        assert_eq!(error.kind(), io::ErrorKind::Other);
        assert_eq!(crate::into_error(error, ErrorKind::FailJob).kind(), ErrorKind::Cancelled);
        let most = (5 * MIB).next_multiple_of(piece_bytes);
        assert_eq!(written_bytes.load(Ordering::Relaxed), most, "{write_bytes}");
        assert!(stream.finish().is_err());
        assert_eq!(files.paths(), []);
        let counts = streams.counts();
        assert_eq!((counts.dropped, counts.left_behind), (0, 0));
    }
}

#[test]
fn state_that_has_no_file_hears_of_a_cancellation_too() {
    let Cancelled { streams, .. } = Cancelled::new(usize::MAX, usize::MAX, 1);
    let mut stream = streams.create(StateScope::Exclusive).unwrap();
    stream.write_all(&[1; 100]).unwrap();
    streams.cancel().wait().unwrap();
    let after = (0..2000).take_while(|_| stream.write_all(&[1; 1000]).is_ok()).count();
    assert!(after * 1000 <= MIB, "{after}");
    assert_eq!(stream.finish().unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!(streams.create(StateScope::Exclusive).unwrap_err().kind(), ErrorKind::Cancelled);
}

/// Where no job is taken the files go nevertheless, and whoever cancels does not wait for the file system: here it does
/// nothing before the cancellation has returned.
#[test]
fn a_cancellation_waits_for_no_removal_though_the_pool_refuses() {
    let (let_go, waiting) = channel::<()>();
    let waiting = Mutex::new(waiting);
    let files = Watched::new(move |event, _| {
        if event == Event::Removing {
            waiting.lock().unwrap().recv_timeout(LIMIT).expect("the cancellation returned before");
        }
    });
    let file_system: Arc<dyn FileSystem> = Arc::new(files.clone());
    let streams = FileStreams::new(target(&file_system, Arc::new(RefusingSpawn::new())), options(0));
    let staged: Vec<_> = (0..3).map(|_| stage(streams.create(StateScope::Exclusive).unwrap(), b"x")).collect();
    let mut answer = streams.cancel();
    assert!(answer.wait_timeout(Duration::ZERO).is_none());
    (0..3).for_each(|_| let_go.send(()).unwrap());
    answer.wait().unwrap();
    assert_eq!((files.paths(), streams.counts().left_behind), (Vec::new(), 0));
    drop(staged);
}

/// A file system that panics when the first file is removed. The other files go, everybody gets an answer, and what is left
/// is counted.
#[test]
fn a_removal_that_panics_holds_up_nobody() {
    let give_up: [fn(Arc<FileStreams>, Vec<Staged>); 3] = [
        |streams, _held| streams.cancel().wait_timeout(LIMIT).expect("an answer in time").unwrap(),
        // The name that was not staged here fails the whole.
        |streams, mut staged| {
            let files: Arc<dyn FileSystem> = Arc::new(MemoryFileSystem::new());
            let other = FileStreams::new(target(&files, Arc::new(RefusingSpawn::new())), options(0));
            staged.push(stage(other.create(StateScope::Exclusive).unwrap(), b"x"));
            assert_eq!(streams.seal(snapshot_of(staged)).unwrap_err().kind(), ErrorKind::FailJob);
        },
        |_, staged| drop(staged),
    ];
    for (early, give_up) in [1, 8].into_iter().flat_map(|early| give_up.map(|give_up| (early, give_up))) {
        let panicked = AtomicUsize::new(0);
        let files = Watched::new(move |event, _| {
            assert!(event != Event::Removing || panicked.fetch_add(1, Ordering::Relaxed) > 0, "on purpose");
        });
        let file_system: Arc<dyn FileSystem> = Arc::new(files.clone());
        let target = target(&file_system, Arc::new(RefusingSpawn::new()));
        let target = target.with_descriptors(Arc::new(StagedDescriptors::new(early)));
        let streams = Arc::new(FileStreams::new(target, options(0)));
        let staged = (0..3).map(|_| stage(streams.create(StateScope::Exclusive).unwrap(), b"x")).collect();
        give_up(Arc::clone(&streams), staged);
        streams.cancel().wait_timeout(LIMIT).expect("an answer in time").unwrap();
        // A writer that was not discarded by hand is by its drop.
        assert!(files.paths().len() <= 1, "{:?}", files.paths());
        assert_eq!(streams.counts().left_behind, 1);
    }
}

/// A file system that does not say whether it removed a file has not.
#[test]
fn a_removal_without_an_answer_is_one_that_failed() {
    let files = Watched::mute();
    let file_system: Arc<dyn FileSystem> = Arc::new(files.clone());
    let streams = FileStreams::new(target(&file_system, Arc::new(RefusingSpawn::new())), options(0));
    let mut stream = streams.create(StateScope::Exclusive).unwrap();
    stream.write_all(b"bytes").unwrap();
    streams.cancel().wait_timeout(LIMIT).expect("an answer in time").unwrap();
    assert_eq!((files.paths().len(), streams.counts().left_behind), (1, 1));
}

/// Writes one file, aborts another, writes a third and seals two. Whether it was sealed.
fn write_and_seal(streams: &FileStreams) -> Result<bool> {
    let mut staged = Vec::new();
    for (length, is_kept) in [(150_000, true), (10, false), (10, true)] {
        let mut stream = streams.create(StateScope::Exclusive)?;
        for half in [length / 2, length / 2] {
            stream.write_all(&vec![1; half]).map_err(|error| crate::into_error(error, ErrorKind::FailJob))?;
        }
        if is_kept {
            staged.extend(stream.finish()?);
        } else {
            stream.abort()?;
        }
    }
    Ok(streams.seal(snapshot_of(staged))?.handles().count() == 2)
}

/// Cancels in another thread when so many events have come.
#[test]
fn a_cancellation_at_any_instant_leaves_what_was_sealed_and_nothing_else() {
    for durability in [Durability::None, Durability::Full] {
        for at in 0.. {
            let to_cancel = Arc::new(OnceLock::<Arc<FileStreams>>::new());
            let (cancels, seen) = (Arc::clone(&to_cancel), AtomicUsize::new(0));
            let pending = Arc::new(Mutex::new(None));
            let answer = Arc::clone(&pending);
            let files = Watched::new(move |_, _| {
                if seen.fetch_add(1, Ordering::Relaxed) == at {
                    let streams = Arc::clone(cancels.get().unwrap());
                    *answer.lock().unwrap() = Some(std::thread::spawn(move || streams.cancel()).join().unwrap());
                }
            });
            let file_system: Arc<dyn FileSystem> = Arc::new(files.clone());
            let options = FileStreamsOptions { durability, ..options(0) };
            let streams = Arc::new(FileStreams::new(target(&file_system, Arc::new(RefusingSpawn::new())), options));
            to_cancel.set(Arc::clone(&streams)).unwrap();
            let sealed = write_and_seal(&streams);
            let Some(pending) = pending.lock().unwrap().take() else {
                assert!(sealed.unwrap() && at >= 12, "{durability:?}: only {at} instants");
                break;
            };
            pending.wait().unwrap();
            assert_eq!(sealed.unwrap_err().kind(), ErrorKind::Cancelled, "{durability:?} {at}");
            assert_eq!(files.paths(), [], "{durability:?} {at}");
            assert_eq!(streams.counts().left_behind, 0);
        }
    }
}

/// Nobody can tell whether such a file was made, but nobody waits for it either.
#[test]
fn a_cancellation_does_not_wait_for_what_panicked() {
    for at in [Event::Creating, Event::Created, Event::Closing] {
        let files = Watched::new(move |event, _| assert_ne!(event, at, "on purpose"));
        let file_system: Arc<dyn FileSystem> = Arc::new(files.clone());
        let options = FileStreamsOptions { durability: Durability::None, ..options(0) };
        let streams = FileStreams::new(target(&file_system, Arc::new(RefusingSpawn::new())), options);
        catch_unwind(AssertUnwindSafe(|| write_and_seal(&streams))).unwrap_err();
        let answer = streams.cancel().wait_timeout(LIMIT);
        assert_eq!(answer, Some(Ok(())), "{at:?}");
        assert_eq!(files.paths(), [], "{at:?}");
    }
}
