//! What is read ahead, by whom, and what ends it.

use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use ckpt_core::key_group::{KeyGroup, KeyGroupRange};
use ckpt_core::state::{FileRef, KeyGroupsState, Place, RelPath, Root, StateHandle};
use ckpt_core::state_file::BLOCK_BYTES;
use parking_lot::Mutex;

use crate::file_system::{CasOutcome, Durability, FileSystem as _, MemoryFileSystem, Visible};
use crate::read::file::PIECE_BYTES;
use crate::read::stored_test::{Stored, payload, store};
use crate::testing::{Delays, RefusingSpawn, SlowFileSystem, VirtualClock};
use crate::{
    FileStateReader, Job, KeyGroupSections, Pool, PoolOptions, ReadAhead, ReadOptions, Rejected, Spawn, StateDirectory,
    StateInputStream, StateReader as _,
};

/// Keeps jobs until the test runs them.
#[derive(Clone, Default)]
struct Queued(Arc<Mutex<Vec<Job>>>);

impl std::fmt::Debug for Queued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Queued")
    }
}

impl Spawn for Queued {
    fn spawn(&self, _name: &'static str, job: Job) -> Result<(), Rejected> {
        self.0.lock().push(job);
        Ok(())
    }
}

impl Queued {
    fn run(&self) -> usize {
        let jobs = std::mem::take(&mut *self.0.lock());
        let count = jobs.len();
        jobs.into_iter().for_each(|job| job());
        count
    }
}

const PIECES: usize = 8;
const LENGTH: usize = (PIECES - 1) * PIECE_BYTES + BLOCK_BYTES + 9;

fn open(stored: &Stored, spawn: Arc<dyn Spawn>, pieces: usize) -> Box<dyn StateInputStream> {
    let options = ReadOptions::default().with_read_ahead(ReadAhead::new(spawn, pieces * PIECE_BYTES));
    let reader = FileStateReader::new(vec![stored.directory.clone()]).with_options(options);
    let stream = reader.open(&stored.files[0].1).unwrap();
    stored.reads.lock().clear();
    stream
}

static STATE: LazyLock<Vec<u8>> = LazyLock::new(|| payload(LENGTH));

/// Which pieces were read since, in order.
fn pieces_read(stored: &Stored) -> Vec<usize> {
    let reads = std::mem::take(&mut *stored.reads.lock());
    reads.into_iter().map(|(at, ..)| usize::try_from(at).unwrap() / PIECE_BYTES).collect()
}

/// Reads on, and compares.
fn read(stream: &mut dyn StateInputStream, length: usize) {
    let at = usize::try_from(stream.stream_position().unwrap()).unwrap();
    let mut found = vec![0; length];
    stream.read_exact(&mut found).unwrap();
    assert!(found == STATE[at..at + length], "{length} bytes at {at}");
}

#[test]
fn what_follows_is_read_by_jobs_as_far_as_it_may() {
    let stored = store(&[LENGTH]);
    let jobs = Queued::default();
    let mut stream = open(&stored, Arc::new(jobs.clone()), 3);
    read(&mut *stream, PIECE_BYTES - 1);
    assert_eq!(jobs.run(), 0, "it may be no more than that");
    read(&mut *stream, 1);
    assert_eq!((jobs.run(), pieces_read(&stored)), (0, vec![0, 0]), "the last block by itself");
    read(&mut *stream, PIECE_BYTES);
    assert_eq!(pieces_read(&stored), [1]);
    assert_eq!((jobs.run(), pieces_read(&stored)), (3, vec![2, 3, 4]), "as far as it may");
    // Small reads too.
    for _ in 0..PIECE_BYTES / 1024 {
        read(&mut *stream, 1024);
    }
    assert_eq!(pieces_read(&stored), []);
    assert_eq!((jobs.run(), pieces_read(&stored)), (1, vec![5]), "one more for the one that was taken");
    read(&mut *stream, 2 * PIECE_BYTES + 1);
    assert_eq!((jobs.run(), pieces_read(&stored)), (2, vec![6, 7]), "up to the end");
    read(&mut *stream, LENGTH - 5 * PIECE_BYTES - 1);
    assert_eq!((jobs.run(), pieces_read(&stored)), (0, vec![]));
    assert_eq!(stream.read(&mut [0; 10]).unwrap(), 0);
}

#[test]
fn nobody_waits_for_a_job_that_is_queued_or_refused() {
    let stored = store(&[LENGTH]);
    let jobs = Queued::default();
    for spawn in [Arc::new(jobs.clone()) as Arc<dyn Spawn>, Arc::new(RefusingSpawn::new())] {
        let mut stream = open(&stored, spawn, 3);
        read(&mut *stream, LENGTH);
        assert_eq!(pieces_read(&stored), (0..PIECES).collect::<Vec<_>>(), "each once");
        drop(stream);
    }
    jobs.run();
    assert_eq!(pieces_read(&stored), [], "for nobody");
}

#[test]
fn a_seek_and_the_end_of_the_stream_cancel_it() {
    let stored = store(&[LENGTH]);
    let jobs = Queued::default();
    let mut stream = open(&stored, Arc::new(jobs.clone()), 3);
    read(&mut *stream, PIECE_BYTES);
    pieces_read(&stored);
    stream.seek(SeekFrom::Start(5 * PIECE_BYTES as u64)).unwrap();
    assert_eq!((jobs.run(), pieces_read(&stored)), (3, vec![]), "nothing is wanted any more");
    // Where it goes on it begins anew; to where it is already is no seek.
    read(&mut *stream, PIECE_BYTES);
    stream.seek(SeekFrom::Start(6 * PIECE_BYTES as u64)).unwrap();
    assert_eq!((jobs.run(), pieces_read(&stored)), (2, vec![5, 6, 7]));
    stream.seek(SeekFrom::Start(0)).unwrap();
    read(&mut *stream, PIECE_BYTES);
    drop(stream);
    assert_eq!((jobs.run(), pieces_read(&stored)), (3, vec![0]), "nobody is there to read it");
}

#[test]
fn a_piece_that_a_job_cannot_read_is_read_by_whoever_asks() {
    let stored = store(&[LENGTH]);
    let (path, _) = &stored.files[0];
    let jobs = Queued::default();
    let mut stream = open(&stored, Arc::new(jobs.clone()), 2);
    let sound = std::fs::read(path).unwrap();
    let mut damaged = sound.clone();
    damaged[PIECE_BYTES + BLOCK_BYTES + 3] ^= 1;
    read(&mut *stream, PIECE_BYTES);
    std::fs::write(path, &damaged).unwrap();
    assert_eq!(jobs.run(), 2);
    // The block before the damaged one, then the error, as without jobs.
    read(&mut *stream, BLOCK_BYTES);
    let error = stream.read(&mut [0; 10]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData, "{error}");
    std::fs::write(path, &sound).unwrap();
    read(&mut *stream, LENGTH - PIECE_BYTES - BLOCK_BYTES);
}

#[test]
fn a_job_that_panics_leaves_its_piece_to_whoever_asks() {
    let stored = store(&[LENGTH]);
    let jobs = Queued::default();
    let mut stream = open(&stored, Arc::new(jobs.clone()), 3);
    read(&mut *stream, PIECE_BYTES);
    *stored.panics.lock() = Some(2 * PIECE_BYTES as u64);
    let all = std::mem::take(&mut *jobs.0.lock());
    let panicked = all.into_iter().map(|job| catch_unwind(AssertUnwindSafe(job)).is_err());
    assert_eq!(panicked.collect::<Vec<_>>(), [false, true, false]);
    read(&mut *stream, LENGTH - PIECE_BYTES);
    assert_eq!(pieces_read(&stored), [0, 1, 3, 2, 4, 5, 6, 7]);
}

/// Takes jobs and drops them.
#[derive(Debug)]
struct Dropping;

impl Spawn for Dropping {
    fn spawn(&self, _name: &'static str, job: Job) -> Result<(), Rejected> {
        drop(job);
        Ok(())
    }
}

#[test]
fn nobody_waits_for_a_job_that_was_dropped() {
    let stored = store(&[LENGTH]);
    let mut stream = open(&stored, Arc::new(Dropping), 100);
    read(&mut *stream, LENGTH);
}

#[test]
fn streams_that_are_read_and_left_at_once_by_many_jobs() {
    let stored = store(&[LENGTH]);
    let pool: Arc<dyn Spawn> = Arc::new(Pool::new(PoolOptions::new(3, 16)).unwrap());
    for round in 0..60_usize {
        let mut stream = open(&stored, Arc::clone(&pool), 1 + round % 5);
        read(&mut *stream, PIECE_BYTES + round * 4099);
        stream.seek(SeekFrom::Start(round as u64 * 1000)).unwrap();
        read(&mut *stream, (round * 37_813) % (LENGTH - 60_000));
    }
}

#[test]
fn nothing_is_read_ahead_behind_the_key_groups_that_are_wanted() {
    let stored = store(&[LENGTH]);
    let jobs = Queued::default();
    let ahead = ReadAhead::new(Arc::new(jobs.clone()), 5 * PIECE_BYTES);
    let reader = FileStateReader::new(vec![stored.directory.clone()])
        .with_options(ReadOptions::default().with_read_ahead(ahead));
    let (first, end) = (KeyGroup::new(0), 3 * PIECE_BYTES + 100);
    let range = KeyGroupRange::new(first, KeyGroup::new(1)).unwrap();
    let state = KeyGroupsState::new(range, [0, end as u64], stored.files[0].1.clone()).unwrap();
    let mut sections = KeyGroupSections::open(&reader, &state, &[KeyGroupRange::new(first, first).unwrap()]).unwrap();
    stored.reads.lock().clear();
    let mut section = sections.next_section().unwrap();
    let mut found = vec![0; PIECE_BYTES];
    section.read_exact(&mut found).unwrap();
    assert_eq!(pieces_read(&stored), [0]);
    assert_eq!(jobs.run(), 3);
    let blocks = stored.reads.lock().iter().map(|(at, length, _)| at + *length as u64).max().unwrap();
    assert_eq!(blocks, (3 * PIECE_BYTES + BLOCK_BYTES) as u64);
    found.append(&mut section.into_bytes().unwrap());
    assert!(found == STATE[..end]);
    assert_eq!((jobs.run(), pieces_read(&stored)), (0, vec![1, 2, 3]));
}

/// Of a file that is far away four pieces are on their way at once: 9 reads take the time of three.
#[test]
fn waiting_for_a_file_that_is_far_away_overlaps() {
    const PIECES: usize = 9;
    let (clock, second) = (VirtualClock::new(), Duration::from_secs(1));
    let memory = MemoryFileSystem::new();
    let path = RelPath::new("file").unwrap();
    let mut writer = memory.create_new(&path, Visible::AtOnce).unwrap();
    writer.write_all(&vec![1; PIECES * PIECE_BYTES]).unwrap();
    assert!(matches!(writer.finish(Durability::None), CasOutcome::Done(_)));
    let slow = Arc::new(SlowFileSystem::new(Arc::new(memory), clock.clone(), Delays::of_operations(second)));
    let directories = vec![StateDirectory::new(Root::Borrowed(0), slow, None)];
    let pool = Arc::new(Pool::new(PoolOptions::new(4, 16)).unwrap());
    let options = ReadOptions::default().with_read_ahead(ReadAhead::new(pool, 4 * PIECE_BYTES));
    let reader = FileStateReader::new(directories).with_options(options);
    let place = Place::File { root: Root::Borrowed(0), file: FileRef::Foreign(path) };
    let handle = StateHandle::assume_durable(place, (PIECES * PIECE_BYTES) as u64, None);
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let mut stream = reader.open(&handle).unwrap();
            (0..PIECES).for_each(|_| stream.read_exact(&mut vec![0; PIECE_BYTES]).unwrap());
            clock.now()
        });
        // To open it; the first piece; four, one of them by whoever reads if no job has begun it; the other four.
        for at_once in [1, 1, 4, 4] {
            clock.wait_for_sleepers(at_once);
            clock.advance(second);
        }
        assert_eq!(reading.join().unwrap(), 4 * second);
    });
}
