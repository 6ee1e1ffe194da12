//! A store that takes ten minutes to do anything, in virtual time: how much is in memory meanwhile, that all of it goes on
//! afterwards, and what a cancellation leaves.

use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ckpt_core::state::{Place, StateHandle};
use ckpt_core::{ErrorKind, Result};

use super::stream_test::{directories, options, target, until};
use crate::file_system::{FileSystem, MemoryFileSystem};
use crate::testing::{Delays, ObjectStoreFileSystem, SlowFileSystem, VirtualClock};
use crate::{
    Budget, FileStateReader, FileStreams, Pending, Pool, PoolOptions, Spawn, StateReader as _, StateScope,
    StreamFactory as _, into_error,
};

const TEN_MINUTES: Duration = Duration::from_secs(600);
const TASKS: usize = 8;
const KIB: usize = 1 << 10;
/// Of a buffer, and of a part.
const PIECE: usize = 64 * KIB;

/// Tasks that write to one slow store, each a checkpoint's state of its own.
struct Scene {
    store: Arc<dyn FileSystem>,
    clock: VirtualClock,
    budget: Arc<Budget>,
    tasks: Vec<Arc<FileStreams>>,
}

impl Scene {
    fn new(store: Arc<dyn FileSystem>, budget_bytes: usize) -> Self {
        let clock = VirtualClock::new();
        let delays = Delays::of_operations(TEN_MINUTES);
        let slow: Arc<dyn FileSystem> = Arc::new(SlowFileSystem::new(Arc::clone(&store), clock.clone(), delays));
        let budget = Arc::new(Budget::new(budget_bytes as u64));
        let pool: Arc<dyn Spawn> = Arc::new(Pool::new(PoolOptions::new(TASKS, TASKS)).unwrap());
        let target = target(&slow, pool).with_budget(Arc::clone(&budget));
        let tasks = (0..TASKS).map(|_| Arc::new(FileStreams::new(target.clone(), options(0)))).collect();
        Self { store, clock, budget, tasks }
    }

    /// Every task writes so much in small writes and seals it, holding what it has captured if the budget has room.
    fn write(&self, length: usize, captured_bytes: usize) -> Vec<JoinHandle<Result<StateHandle>>> {
        let job = |(task, streams): (usize, &Arc<FileStreams>)| {
            let (streams, account) = (Arc::clone(streams), self.budget.account());
            let captured = (captured_bytes > 0).then(|| account.try_charge(captured_bytes as u64).expect("room"));
            thread::spawn(move || {
                let mut stream = streams.create(StateScope::Exclusive)?;
                let aborted = |error| into_error(error, ErrorKind::AbortCheckpoint);
                for piece in state_of(task, length).chunks(1000) {
                    stream.write_all(piece).map_err(aborted)?;
                }
                let staged = stream.finish()?.expect("something was written");
                drop(captured);
                streams.seal_piece(staged)
            })
        };
        self.tasks.iter().enumerate().map(job).collect()
    }

    /// Lets the store go on until that is so.
    fn until(&self, done: impl Fn() -> bool) {
        until(|| {
            done() || {
                self.clock.advance(TEN_MINUTES);
                false
            }
        });
    }

    /// All that was written is there, and nothing is in memory.
    fn resume(&self, writing: Vec<JoinHandle<Result<StateHandle>>>, length: usize) {
        self.until(|| writing.iter().all(JoinHandle::is_finished));
        let reader = FileStateReader::new(directories(&self.store).into());
        for (task, handle) in writing.into_iter().map(|task| task.join().unwrap().unwrap()).enumerate() {
            assert!(matches!(handle.place(), Place::File { .. }));
            let mut found = Vec::new();
            reader.open(&handle).unwrap().read_to_end(&mut found).unwrap();
            assert!(found == state_of(task, length), "{task}");
        }
        assert_eq!(self.budget.charged_bytes(), 0);
    }

    fn files(&self) -> usize {
        self.store.list(None, None, usize::MAX).unwrap().len()
    }
}

fn state_of(task: usize, length: usize) -> Vec<u8> {
    (0..length).map(|n| (n % 251 + task) as u8).collect()
}

/// With room for the buffers of half of the tasks: the others make do with short ones, and nobody waits for anything but
/// the store.
#[test]
fn buffers_of_stalled_files_stay_within_the_budget() {
    let scene = Scene::new(Arc::new(MemoryFileSystem::new()), TASKS / 2 * PIECE);
    let writing = scene.write(3 * PIECE + 1, 0);
    // They make their files, then they write their first buffers: everybody is in the store.
    for charged in [0, TASKS / 2 * PIECE] {
        scene.clock.wait_for_sleepers(TASKS);
        assert_eq!(scene.budget.charged_bytes(), charged as u64);
        scene.clock.advance(TEN_MINUTES);
    }
    scene.resume(writing, 3 * PIECE + 1);
    assert_eq!(scene.budget.most_charged_bytes(), (TASKS / 2 * PIECE) as u64);
}

/// With room for the parts of half of the tasks: the others wait for theirs.
#[test]
fn parts_that_a_stalled_store_has_not_confirmed_stay_within_the_budget() {
    let scene = Scene::new(object_store(), TASKS / 2 * PIECE);
    let writing = scene.write(3 * PIECE + 1, 0);
    scene.clock.wait_for_sleepers(TASKS);
    scene.clock.advance(TEN_MINUTES);
    scene.clock.wait_for_sleepers(TASKS / 2);
    assert_eq!(scene.budget.charged_bytes(), (TASKS / 2 * PIECE) as u64);
    scene.resume(writing, 3 * PIECE + 1);
    assert_eq!(scene.budget.most_charged_bytes(), (TASKS / 2 * PIECE) as u64);
}

/// What was captured leaves no room for a single part, and is written nonetheless, one part at a time.
#[test]
fn captured_state_that_fills_the_budget_is_written_by_one_part_at_a_time() {
    let scene = Scene::new(object_store(), TASKS * PIECE);
    let writing = scene.write(PIECE, PIECE);
    assert_eq!(scene.budget.charged_bytes(), scene.budget.limit_bytes());
    assert!(scene.budget.account().try_charge(1).is_none(), "no more is captured");
    scene.resume(writing, PIECE);
    assert_eq!(scene.budget.most_charged_bytes(), ((TASKS + 1) * PIECE) as u64);
}

#[test]
fn a_part_of_more_than_the_budget_is_in_memory_alone() {
    let scene = Scene::new(object_store(), 10 * KIB);
    let writing = scene.write(2 * PIECE, 0);
    scene.resume(writing, 2 * PIECE);
    assert_eq!(scene.budget.most_charged_bytes(), PIECE as u64);
}

/// Whoever waits for the budget ends at once, without the store; the answer comes when the store has removed the files.
#[test]
fn a_cancellation_in_the_middle_of_the_stall_returns_at_once_and_leaves_nothing() {
    let uploads = ObjectStoreFileSystem::new().with_part_bytes(PIECE);
    let stores: [Arc<dyn FileSystem>; 2] = [Arc::new(MemoryFileSystem::new()), Arc::new(uploads.clone())];
    for (store, waiting) in stores.into_iter().zip([0, TASKS / 2]) {
        let scene = Scene::new(store, TASKS / 2 * PIECE);
        let writing = scene.write(3 * PIECE, 0);
        scene.clock.wait_for_sleepers(TASKS);
        scene.clock.advance(TEN_MINUTES);
        scene.clock.wait_for_sleepers(TASKS - waiting);
        until(|| scene.budget.waiting() >= waiting);
        let stalled_at = scene.clock.now();
        let (returned, cancelled) = channel();
        let tasks = scene.tasks.clone();
        thread::spawn(move || {
            let answers: Vec<Pending<()>> = tasks.iter().map(|streams| streams.cancel()).collect();
            returned.send(answers).unwrap();
        });
        let mut answers = cancelled.recv_timeout(Duration::from_secs(30)).expect("a cancellation never waits for I/O");
        // Whoever waited for the budget is at closing its file by now, and for each task a job removes what there is.
        scene.clock.wait_for_sleepers(2 * TASKS);
        assert_eq!(scene.clock.now(), stalled_at);
        assert!(answers.iter_mut().all(|answer| answer.wait_timeout(Duration::ZERO).is_none()));
        scene.until(|| writing.iter().all(JoinHandle::is_finished));
        for task in writing {
            assert_eq!(task.join().unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
        }
        let answered = thread::spawn(move || answers.into_iter().all(|answer| answer.wait().is_ok()));
        scene.until(|| answered.is_finished());
        assert_eq!((scene.files(), uploads.open_uploads(), scene.budget.charged_bytes()), (0, 0, 0));
        assert!(scene.tasks.iter().all(|streams| streams.counts().left_behind == 0));
    }
}

fn object_store() -> Arc<dyn FileSystem> {
    Arc::new(ObjectStoreFileSystem::new().with_part_bytes(PIECE))
}
