//! What jobs do for files before they are sealed, and what is left to others when there is none.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ckpt_core::ErrorKind;
use ckpt_core::state::RelPath;

use super::stream_test::{handles_of, options, snapshot_of, stage, target, until};
use super::unsealed::HELPERS;
use super::watched_test::{Event, Watched};
use crate::file_system::FileSystem;
use crate::spawn::Job;
use crate::testing::RefusingSpawn;
use crate::{
    FileStreams, Pool, PoolOptions, Rejected, Spawn, Staged, StagedDescriptors, StateScope, StreamFactory as _,
};

/// Fails a test that would hang.
const LIMIT: Duration = Duration::from_secs(60);

/// Every sync that is begun or made, in this thread or in a pool's, in their order.
#[derive(Clone, Default)]
struct Events(Arc<Mutex<Vec<Event>>>);

impl Events {
    fn push(&self, event: Event) {
        if matches!(event, Event::Beginning | Event::Syncing) {
            self.0.lock().unwrap().push(event);
        }
    }

    fn all(&self) -> Vec<Event> {
        self.0.lock().unwrap().clone()
    }

    fn count(&self, of: Event) -> usize {
        self.0.lock().unwrap().iter().filter(|event| **event == of).count()
    }

    /// Waits until there are that many of them.
    #[track_caller]
    fn wait_for(&self, of: Event, count: usize) {
        until(|| self.count(of) >= count);
    }
}

/// Refuses that many jobs first.
#[derive(Debug)]
struct RefusesAtFirst {
    left: AtomicUsize,
    pool: Arc<dyn Spawn>,
}

impl Spawn for RefusesAtFirst {
    fn spawn(&self, name: &'static str, job: Job) -> Result<(), Rejected> {
        match self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)) {
            Ok(_) => Err(Rejected::new()),
            Err(_) => self.pool.spawn(name, job),
        }
    }
}

fn pool(threads: usize) -> Arc<dyn Spawn> {
    Arc::new(Pool::new(PoolOptions::new(threads, 8)).unwrap())
}

fn streams(files: &Watched, spawn: Arc<dyn Spawn>, staged_descriptors: usize) -> FileStreams {
    let file_system: Arc<dyn FileSystem> = Arc::new(files.clone());
    let descriptors = Arc::new(StagedDescriptors::new(staged_descriptors));
    FileStreams::new(target(&file_system, spawn).with_descriptors(descriptors), options(0))
}

fn write(streams: &FileStreams, count: usize) -> Vec<Staged> {
    (0..count).map(|_| stage(streams.create(StateScope::Exclusive).unwrap(), b"x")).collect()
}

fn seal(streams: &FileStreams, staged: Vec<Staged>) -> usize {
    handles_of(&streams.seal(snapshot_of(staged)).unwrap()).len()
}

/// Files whose first sync that is begun waits until it is let go. Says that it waits.
fn held() -> (Watched, Events, Receiver<()>, Sender<()>) {
    let (events, (waits, is_waiting), (let_go, waiting)) = (Events::default(), channel(), channel());
    let (seen, waiting) = (events.clone(), Mutex::new(Some(waiting)));
    let files = Watched::new(move |event, _| {
        seen.push(event);
        if event == Event::Beginning {
            if let Some(waiting) = waiting.lock().unwrap().take() {
                waits.send(()).unwrap();
                waiting.recv_timeout(LIMIT).unwrap();
            }
        }
    });
    (files, events, is_waiting, let_go)
}

#[test]
fn files_are_written_back_by_a_job_while_others_are_finished() {
    let (files, events, is_waiting, let_go) = held();
    let streams = streams(&files, pool(1), 256);
    // Nobody who finishes is held up, though the job is.
    let mut staged = write(&streams, 1);
    is_waiting.recv_timeout(LIMIT).unwrap();
    staged.extend(write(&streams, 4));
    assert_eq!(events.all(), [Event::Beginning]);
    let_go.send(()).unwrap();
    // The job goes on with the others, before anybody seals.
    events.wait_for(Event::Beginning, 5);
    assert_eq!(events.all(), [Event::Beginning; 5]);
    assert_eq!(seal(&streams, staged), 5);
    assert_eq!(events.count(Event::Syncing), 5);
}

#[test]
fn without_a_job_the_seal_begins_all_before_it_waits_for_one() {
    let events = Events::default();
    let seen = events.clone();
    let files = Watched::new(move |event, _| seen.push(event));
    let streams = streams(&files, Arc::new(RefusingSpawn::new()), 256);
    let staged = write(&streams, 3);
    assert_eq!(events.all(), []);
    assert_eq!(seal(&streams, staged), 3);
    assert_eq!(events.all(), [[Event::Beginning; 3], [Event::Syncing; 3]].concat());
    // A single file is waited for in any case.
    assert_eq!(seal(&streams, write(&streams, 1)), 1);
    assert_eq!(events.all()[6..], [Event::Syncing]);
}

#[test]
fn jobs_come_again_after_any_number_of_them_was_refused() {
    let events = Events::default();
    let seen = events.clone();
    let files = Watched::new(move |event, _| seen.push(event));
    // More than there may be at once.
    let refused = 2 * HELPERS;
    let spawn = RefusesAtFirst { left: AtomicUsize::new(refused), pool: pool(1) };
    let streams = streams(&files, Arc::new(spawn), 256);
    let mut staged = write(&streams, refused);
    assert_eq!(events.all(), []);
    // The first that is taken begins all.
    staged.extend(write(&streams, 1));
    events.wait_for(Event::Beginning, refused + 1);
    assert_eq!(seal(&streams, staged), refused + 1);
}

#[test]
fn jobs_sync_the_oldest_before_whoever_finishes_has_to() {
    let events = Events::default();
    let (seen, own) = (events.clone(), std::thread::current().id());
    let files = Watched::new(move |event, _| {
        assert!(event != Event::Syncing || std::thread::current().id() != own);
        seen.push(event);
    });
    let streams = streams(&files, pool(2), 8);
    let mut staged = Vec::new();
    for synced in 1..10 {
        // Six keep their descriptors, two more may come before the jobs have caught up.
        staged.extend(write(&streams, if synced == 1 { 7 } else { 1 }));
        events.wait_for(Event::Syncing, synced);
    }
    assert_eq!(files.paths().len(), staged.len());
    drop(staged);
    assert_eq!(files.paths(), []);
}

#[test]
fn whoever_finishes_one_too_many_syncs_the_oldest_that_no_job_has() {
    let (files, events, is_waiting, let_go) = held();
    let streams = streams(&files, pool(1), 2);
    let mut staged = write(&streams, 1);
    is_waiting.recv_timeout(LIMIT).unwrap();
    staged.extend(write(&streams, 5));
    // Of six the job has one and two have their descriptors.
    assert_eq!(events.all(), [&[Event::Beginning][..], &[Event::Syncing; 3]].concat());
    let_go.send(()).unwrap();
    assert_eq!(seal(&streams, staged), 6);
}

#[test]
fn a_job_that_panics_fails_the_seal_and_leaves_nothing() {
    for at in [Event::Beginning, Event::Syncing] {
        let own = std::thread::current().id();
        let (panicked, panics) = channel();
        let files = Watched::new(move |event, _| {
            if event == at && std::thread::current().id() != own {
                let _ = panicked.send(());
                panic!("on purpose");
            }
        });
        let streams = streams(&files, pool(1), 1);
        let staged = write(&streams, 1);
        panics.recv_timeout(LIMIT).unwrap();
        let error = streams.seal(snapshot_of(staged)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AbortCheckpoint);
        assert!(error.to_string().contains("'chk-1/0000000000000001-0000000000000002-00000000'"), "{error}");
        assert_eq!(files.paths(), Vec::<RelPath>::new());
        streams.cancel().wait().unwrap();
    }
}

#[test]
fn what_is_dropped_or_cancelled_in_the_hands_of_a_job_goes() {
    for cancels in [false, true] {
        let (files, _, is_waiting, let_go) = held();
        let streams = streams(&files, pool(1), 256);
        let staged = write(&streams, 1);
        is_waiting.recv_timeout(LIMIT).unwrap();
        let pending = cancels.then(|| streams.cancel());
        drop(staged);
        assert_eq!(files.paths().len(), 1);
        let_go.send(()).unwrap();
        match pending {
            Some(pending) => pending.wait().unwrap(),
            None => streams.cancel().wait().unwrap(),
        }
        assert_eq!(files.paths(), []);
    }
}
