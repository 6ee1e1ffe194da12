//! Models: every interleaving of the code that ships, over files in memory.
//!
//! Each names the property and the line that one changes to see it fail; that change is kept as
//! `tests/mutants/loom-<name>.patch`.

use std::io::Write as _;
use std::sync::Arc as StdArc;

use ckpt_core::ErrorKind;
use ckpt_core::id::{LeaderEpoch, OperatorId, Writer, WriterId};
use ckpt_core::state::{OperatorState, RelPath, Root, StateHandle, SubtaskState, TaskSnapshot};

use crate::file_system::MemoryFileSystem;
use crate::file_system::{Durability, FileSystem};
use crate::spawn::{Job, Rejected, Spawn};
use crate::sync::{Arc, AtomicU32, Mutex, Ordering, thread};
use crate::testing::RefusingSpawn;
use crate::{
    Budget, FileNames, FileStreams, FileStreamsOptions, FileStreamsTarget, Pending, Pool, PoolOptions, Staged,
    StagedDescriptors, StateDirectory, StateScope, StreamFactory as _,
};

/// Explores the interleavings of `body`, those with at most `preemptions` preemptions if a number is given.
/// `LOOM_MAX_PREEMPTIONS` overrides it.
fn model(preemptions: Option<usize>, body: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(preemptions);
    builder.check(body);
}

/// What the threads of a model share.
#[derive(Clone)]
struct Scene {
    files: MemoryFileSystem,
    streams: Arc<FileStreams>,
}

/// Takes no job but the removal that a cancellation leaves, which whoever cancels does: one thread fewer to explore.
#[derive(Debug)]
struct InCaller;

impl Spawn for InCaller {
    fn spawn(&self, name: &'static str, job: Job) -> Result<(), Rejected> {
        if name == "remove cancelled state files" {
            job();
            return Ok(());
        }
        RefusingSpawn::new().spawn(name, job)
    }
}

impl Scene {
    fn new(spawn: StdArc<dyn Spawn>) -> Self {
        Self::with_descriptors(spawn, 8)
    }

    fn with_descriptors(spawn: StdArc<dyn Spawn>, staged_descriptors: usize) -> Self {
        let files = MemoryFileSystem::new();
        let file_system: StdArc<dyn FileSystem> = StdArc::new(files.clone());
        let directory = |root| StateDirectory::new(root, StdArc::clone(&file_system), None);
        let names = StdArc::new(FileNames::new(Writer::new(LeaderEpoch::new(1), WriterId::new(1))));
        let target = FileStreamsTarget::new(directory(Root::ThisSnapshot), directory(Root::JobShared), names, spawn)
            .with_descriptors(StdArc::new(StagedDescriptors::new(staged_descriptors)));
        // Every write goes to a file at once.
        let options =
            FileStreamsOptions { inline_threshold_bytes: 0, write_buffer_bytes: 1, durability: Durability::Full };
        Self { files, streams: Arc::new(FileStreams::new(target, options)) }
    }

    fn alone() -> Self {
        Self::new(StdArc::new(InCaller))
    }

    /// Creates a stream, writes and finishes; `None` when it was cancelled.
    fn write(&self) -> Option<Staged> {
        let written = self.streams.create(StateScope::Exclusive).and_then(|mut stream| {
            stream.write_all(b"x").map_err(|error| crate::into_error(error, ErrorKind::Retry))?;
            stream.finish()
        });
        match written {
            Ok(staged) => Some(staged.expect("something was written")),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}");
                None
            }
        }
    }

    /// Seals; `None` when it was cancelled.
    fn seal(&self, staged: Vec<Staged>) -> Option<Vec<StateHandle>> {
        let operators = staged.into_iter().enumerate().map(|(number, staged)| {
            let state = OperatorState::new(Default::default(), staged);
            (OperatorId::new([number as u8; 16]), SubtaskState::new(Vec::new(), vec![state]))
        });
        match self.streams.seal(TaskSnapshot::new(operators.collect())) {
            Ok(sealed) => Some(sealed.handles().cloned().collect()),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}");
                None
            }
        }
    }

    fn paths(&self) -> Vec<RelPath> {
        self.files.paths()
    }
}

fn spawn(body: impl FnOnce() + Send + 'static) -> thread::JoinHandle<()> {
    thread::spawn_named("model".to_owned(), body).unwrap()
}

/// Several creators at once get names of their own and all their files: `fetch_update` in `names.rs`.
fn creators(count: usize) {
    let scene = Scene::alone();
    let staged = Arc::new(Mutex::new(Vec::new()));
    let threads: Vec<_> = (1..count)
        .map(|_| {
            let (scene, staged) = (scene.clone(), Arc::clone(&staged));
            spawn(move || staged.lock().push(scene.write().expect("nobody cancels")))
        })
        .collect();
    let own = scene.write().expect("nobody cancels");
    staged.lock().push(own);
    for thread in threads {
        thread.join().unwrap();
    }
    let all = std::mem::take(&mut *staged.lock());
    assert_eq!(scene.paths().len(), count);
    let sealed = scene.seal(all).expect("nobody cancels");
    assert_eq!(sealed.len(), count);
    assert_eq!(scene.paths().len(), count);
}

/// Two creators never get one name. Mutate: `FileNames::next` loads and stores instead of updating.
#[test]
fn loom_two_creators() {
    model(Some(3), || creators(2));
}

/// Three creators: keys in `Unsealed` are as unique as names. Mutate: `register` reads the next key under one lock and
/// counts it up under another.
#[test]
fn loom_three_creators() {
    model(Some(2), || creators(3));
}

/// A file that is being made while it is cancelled does not stay. Mutate: `take` hands out a file that is busy.
#[test]
fn loom_create_against_cancel() {
    model(None, || {
        let scene = Scene::alone();
        let other = scene.clone();
        let creator = spawn(move || {
            let staged = other.write();
            // Held until the other has seen that nothing is left.
            drop(staged);
        });
        scene.streams.cancel().wait().unwrap();
        assert_eq!(scene.paths(), []);
        creator.join().unwrap();
        assert_eq!(scene.paths(), []);
        assert!(scene.write().is_none());
    });
}

/// What was cancelled is gone when the answer comes, though the owner of the staged state never lets go of it. Mutate:
/// `take` leaves open files to their streams.
#[test]
fn loom_finish_against_cancel() {
    model(Some(3), || {
        let scene = Scene::alone();
        let kept = Arc::new(Mutex::new(Vec::new()));
        let mut stream = scene.streams.create(StateScope::Exclusive).unwrap();
        stream.write_all(b"x").unwrap();
        let keeps = Arc::clone(&kept);
        let finisher = spawn(move || {
            let written = stream.write_all(b"y").is_ok();
            match stream.finish() {
                Ok(staged) => {
                    assert!(written);
                    keeps.lock().extend(staged);
                }
                Err(error) => assert_ne!(error.kind(), ErrorKind::Retry),
            }
        });
        scene.streams.cancel().wait().unwrap();
        assert_eq!(scene.paths(), []);
        finisher.join().unwrap();
        assert_eq!(scene.paths(), []);
        assert_eq!(scene.streams.counts().left_behind, 0);
        kept.lock().clear();
    });
}

/// Sealing and cancelling agree on who was first: sealed files are all there, others are all gone. Mutate: `sealed`
/// does not look whether it was cancelled.
#[test]
fn loom_seal_against_cancel() {
    model(Some(3), || {
        let scene = Scene::alone();
        let staged = vec![scene.write().expect("not yet"), scene.write().expect("not yet")];
        let other = scene.clone();
        let sealed = Arc::new(Mutex::new(None));
        let outcome = Arc::clone(&sealed);
        let sealer = spawn(move || *outcome.lock() = other.seal(staged));
        scene.streams.cancel().wait().unwrap();
        // The answer says that nothing unsealed is left, so this does not change any more.
        let after_the_answer = scene.paths().len();
        sealer.join().unwrap();
        assert_eq!(scene.paths().len(), after_the_answer);
        let sealed = sealed.lock().take();
        assert_eq!(after_the_answer, sealed.map_or(0, |handles| handles.len()));
    });
}

/// An abort and a cancellation at once remove the file once, and the answer comes after it. Mutate: `give_up` ends a
/// file before it is removed.
#[test]
fn loom_abort_against_cancel() {
    model(Some(3), || {
        let scene = Scene::alone();
        let mut stream = scene.streams.create(StateScope::Exclusive).unwrap();
        stream.write_all(b"x").unwrap();
        let aborter = spawn(move || stream.abort().unwrap());
        scene.streams.cancel().wait().unwrap();
        assert_eq!(scene.paths(), []);
        aborter.join().unwrap();
    });
}

/// Dropping staged state and a cancellation at once: as with an abort. Mutate: `Unsealed::remove` ends
/// the file first (`let _ =` instead of `let _ending =`).
#[test]
fn loom_drop_against_cancel() {
    model(Some(3), || {
        let scene = Scene::alone();
        let staged = scene.write().expect("not yet");
        let other = scene.clone();
        let dropper = spawn(move || {
            drop(staged);
            drop(other);
        });
        scene.streams.cancel().wait().unwrap();
        assert_eq!(scene.paths(), []);
        dropper.join().unwrap();
    });
}

/// Two cancellations are both answered, each when nothing is left. Mutate: `end` answers only one of them.
#[test]
fn loom_two_cancellations() {
    model(Some(3), || {
        let scene = Scene::alone();
        let staged = scene.write().expect("not yet");
        let other = scene.clone();
        let canceller = spawn(move || {
            other.streams.cancel().wait().unwrap();
            assert_eq!(other.paths(), []);
        });
        scene.streams.cancel().wait().unwrap();
        assert_eq!(scene.paths(), []);
        canceller.join().unwrap();
        drop(staged);
    });
}

/// A file that is synced early while its owner drops or seals it is neither lost nor left. Mutate: `synced_early` puts
/// a file back that is unwanted.
#[test]
fn loom_early_sync_against_drop() {
    model(Some(2), || {
        let scene = Scene::with_descriptors(StdArc::new(RefusingSpawn::new()), 1);
        let first = scene.write().expect("nobody cancels");
        let other = scene.clone();
        // The second takes the descriptor of the first, which is being dropped meanwhile.
        let writer = spawn(move || {
            let second = other.write().expect("nobody cancels");
            assert_eq!(other.seal(vec![second]).map(|handles| handles.len()), Some(1));
        });
        drop(first);
        writer.join().unwrap();
        assert_eq!(scene.paths().len(), 1);
    });
}

/// A file that is synced early while it is cancelled goes, though both owners keep what they have. Mutate: `put_back`
/// does not look whether it was cancelled.
#[test]
fn loom_early_sync_against_cancel() {
    model(Some(2), || {
        let scene = Scene::with_descriptors(StdArc::new(InCaller), 1);
        let first = scene.write().expect("not yet");
        let (other, kept) = (scene.clone(), Arc::new(Mutex::new(None)));
        let keeps = Arc::clone(&kept);
        let writer = spawn(move || *keeps.lock() = other.write());
        scene.streams.cancel().wait().unwrap();
        assert_eq!(scene.paths(), []);
        writer.join().unwrap();
        drop((first, kept.lock().take()));
    });
}

/// Helps in a thread of its own.
#[derive(Debug)]
struct Helping(Mutex<Vec<thread::JoinHandle<()>>>);

impl Helping {
    fn join(&self) {
        let helpers = std::mem::take(&mut *self.0.lock());
        for helper in helpers {
            helper.join().unwrap();
        }
    }
}

impl Spawn for Helping {
    fn spawn(&self, _name: &'static str, job: Job) -> Result<(), Rejected> {
        self.0.lock().push(spawn(job));
        Ok(())
    }
}

/// A file that a job has in its hands while it is cancelled goes when the job is done with it. Mutate: `begun` does not
/// look whether it was cancelled.
#[test]
fn loom_write_back_against_cancel() {
    model(Some(2), || {
        let helping = StdArc::new(Helping(Mutex::new(Vec::new())));
        let scene = Scene::new(StdArc::clone(&helping) as StdArc<dyn Spawn>);
        let staged = scene.write().expect("not yet");
        scene.streams.cancel().wait().unwrap();
        assert_eq!(scene.paths(), []);
        helping.join();
        assert_eq!(scene.paths(), []);
        drop(staged);
    });
}

/// A file that is finished while the only job ends is found by it, or by another. Mutate: a job that finds nothing is
/// counted out when it is dropped.
#[test]
fn loom_write_back_of_the_last_file() {
    model(Some(2), || {
        let helping = StdArc::new(Helping(Mutex::new(Vec::new())));
        let scene = Scene::with_descriptors(StdArc::clone(&helping) as StdArc<dyn Spawn>, 3);
        let staged = [scene.write().expect("nobody cancels"), scene.write().expect("nobody cancels")];
        helping.join();
        assert_eq!(scene.files.synced().len(), 2);
        drop(staged);
        assert_eq!(scene.paths(), []);
    });
}

/// Sealing with a helper waits for what the helper has taken, and for nothing else. Mutate: `SyncList::join` does not
/// wait.
#[test]
fn loom_seal_with_a_helper() {
    model(Some(2), || {
        let helping = StdArc::new(Helping(Mutex::new(Vec::new())));
        let scene = Scene::new(StdArc::clone(&helping) as StdArc<dyn Spawn>);
        let staged = vec![scene.write().expect("nobody cancels"), scene.write().expect("nobody cancels")];
        let sealed = scene.seal(staged).expect("nobody cancels");
        assert_eq!(scene.files.synced().len(), sealed.len());
        helping.join();
    });
}

/// Two checkpoints are sealed by jobs of a pool of one thread, which has no thread left to help them. Mutate: the sealing
/// thread leaves the files to its helpers.
#[test]
fn loom_two_seals_on_a_pool_of_one_thread() {
    model(Some(2), || {
        let pool = StdArc::new(Pool::new(PoolOptions::new(1, 8)).unwrap());
        let scene = Scene::new(StdArc::clone(&pool) as StdArc<dyn Spawn>);
        let seals: Vec<_> = (0..2)
            .map(|_| {
                let staged = vec![scene.write().expect("nobody cancels"), scene.write().expect("nobody cancels")];
                let (promise, pending) = Pending::channel();
                let scene = scene.clone();
                let seal = move || promise.keep(scene.seal(staged).map(|handles| handles.len()));
                pool.spawn("seal", Box::new(seal)).unwrap();
                pending
            })
            .collect();
        for sealed in seals {
            assert_eq!(sealed.wait(), Ok(Some(2)));
        }
        assert_eq!(scene.files.synced().len(), 4);
    });
}

/// A budget of one byte is never exceeded, and everybody gets it in the end. Mutate: `Charge::give_back` wakes nobody.
#[test]
fn loom_a_budget_of_one_byte() {
    model(Some(3), || {
        let budget = Arc::new(Budget::new(1));
        let holders = Arc::new(AtomicU32::new(0));
        let charge = move |budget: &Budget, holders: &AtomicU32| {
            let charge = budget.account().charge(1).unwrap();
            assert_eq!(holders.fetch_add(1, Ordering::Relaxed), 0);
            holders.fetch_sub(1, Ordering::Relaxed);
            drop(charge);
        };
        let threads = [(); 2].map(|()| {
            let (budget, holders) = (Arc::clone(&budget), Arc::clone(&holders));
            spawn(move || charge(&budget, &holders))
        });
        charge(&budget, &holders);
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(budget.charged_bytes(), 0);
    });
}

/// Captured state that fills the budget keeps nobody from sending it piece by piece, the one whose it is neither. Mutate:
/// `State::piece_fits` lets no piece pass beside it.
#[test]
fn loom_pieces_of_captured_state_that_fills_the_budget() {
    model(Some(3), || {
        let budget = Arc::new(Budget::new(1));
        let account = budget.account();
        let captured = account.try_charge(1).unwrap();
        let other = Arc::clone(&budget);
        let writer = spawn(move || drop(other.account().charge(1).unwrap()));
        drop(account.charge(1).unwrap());
        drop(captured);
        writer.join().unwrap();
        assert_eq!(budget.charged_bytes(), 0);
        assert!(budget.most_charged_bytes() <= 2);
    });
}

/// A cancellation ends a wait whenever it comes, and takes nothing from others. Mutate: `BudgetAccount::cancel` wakes
/// nobody.
#[test]
fn loom_charge_against_cancel() {
    model(None, || {
        let budget = Budget::new(1);
        let held = budget.account().charge(1).unwrap();
        let account = Arc::new(budget.account());
        let waits = Arc::clone(&account);
        let waiter = spawn(move || assert_eq!(waits.charge(1).unwrap_err().kind(), ErrorKind::Cancelled));
        account.cancel();
        waiter.join().unwrap();
        drop(held);
        assert_eq!(budget.charged_bytes(), 0);
        assert!(budget.account().try_charge(1).is_some());
    });
}

/// Whoever waits gets the answer, whenever it comes. Mutate: `settle` does not wake anybody.
#[test]
fn loom_an_answer_is_handed_over() {
    model(None, || {
        let (promise, pending) = Pending::channel();
        let answerer = spawn(move || promise.keep(7));
        assert_eq!(pending.wait(), Ok(7));
        answerer.join().unwrap();
    });
}

/// A promise that is dropped ends the wait. Mutate: `Drop` of `Promise` does nothing.
#[test]
fn loom_a_dropped_promise_ends_the_wait() {
    model(None, || {
        let (promise, pending) = Pending::<u8>::channel();
        let dropper = spawn(move || drop(promise));
        assert!(pending.wait().is_err());
        dropper.join().unwrap();
    });
}

/// A job that a pool accepted runs, and one that it refused does not, whenever it is shut down. Mutate: `run` ends at a
/// shut-down before it looks for jobs.
#[test]
fn loom_pool_spawn_against_shut_down() {
    model(Some(3), || {
        let ran = Arc::new(AtomicU32::new(0));
        let pool = Pool::new(PoolOptions::new(1, 1)).unwrap();
        let accepted = (0..2).filter(|_| {
            let ran = Arc::clone(&ran);
            pool.spawn("count", Box::new(move || _ = ran.fetch_add(1, Ordering::Relaxed))).is_ok()
        });
        let accepted = accepted.count();
        drop(pool);
        assert_eq!(ran.load(Ordering::Relaxed) as usize, accepted);
        assert!(accepted >= 1);
    });
}
