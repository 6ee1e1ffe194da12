//! Who may take a job over that has not ended, and what that costs.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ckpt_core::ErrorKind;
use ckpt_core::head::{ClaimMode, Collected, JobState, Nonce, WrittenHead};
use ckpt_core::id::LeaderEpoch;
use parking_lot::Mutex;

use crate::claim::support_test::{
    Left, NoTime, active_checkpoints, check_readable, checkpoints, fencing, start, view, write,
};
use crate::claim::{ActiveJob, Start, Wait, begin_from, take_over};
use crate::test_support::{Fault, MemoryDisk};
use crate::testing::sample::job;

const INTERVAL: Duration = Duration::from_secs(60);

/// While it waits the leader of job 1 writes HEAD, if it is alive.
#[derive(Debug)]
struct Meanwhile {
    disk: MemoryDisk,
    leader: Mutex<Option<WrittenHead>>,
    waits: AtomicU32,
}

impl Wait for Meanwhile {
    fn wait(&self, duration: Duration) {
        assert_eq!(duration, INTERVAL);
        self.waits.fetch_add(1, Ordering::Relaxed);
        let mut leader = self.leader.lock();
        if let Some(alive) = leader.take() {
            let reserved = alive.head.reserve(&Collected::none()).unwrap();
            *leader = Some(write(&*view(&self.disk, 1), reserved).unwrap());
        }
    }
}

fn meanwhile(disk: &MemoryDisk, leader: Option<WrittenHead>) -> Meanwhile {
    Meanwhile { disk: disk.clone(), leader: Mutex::new(leader), waits: AtomicU32::new(0) }
}

#[test]
fn an_active_job_is_left_alone_unless_it_is_said_otherwise() {
    let disk = MemoryDisk::default();
    let leader = active_checkpoints(&disk, Left::Full);
    let store = view(&disk, 1).head();
    let before = store.read().unwrap();
    let error = take_over(&*store, job(1), Nonce::new([2; 16]), ActiveJob::Refuse, &NoTime).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("is active, led under epoch"), "{error}");
    assert_eq!(store.read().unwrap(), before);
    // Whoever wants its checkpoint is refused before anything of either changes.
    let start = start("mem:/base/01010101010101010101010101010101/chk-2", ClaimMode::Claim);
    let context = disk.context();
    let begin =
        |start: &Start| begin_from(&*view(&disk, 2).head(), job(2), Nonce::new([3; 16]), start, &context, &NoTime);
    assert_eq!(begin(&start).unwrap_err().kind(), ErrorKind::Configuration);
    assert_eq!((store.read().unwrap(), view(&disk, 2).head().read().unwrap()), (before, None));
    // Forced, it says whom that cost the job.
    let begun = begin(&fencing(start)).unwrap();
    assert_eq!(begun.fenced, Some((job(1), LeaderEpoch::new(1))));
    let head = store.read().unwrap().unwrap();
    assert_eq!((head.state, head.retained.len(), head.handed_over.len()), (JobState::Cancelled, 1, 1));
    let late = leader.head.reserve(&Collected::none()).unwrap();
    assert_eq!(write(&*view(&disk, 1), late).unwrap_err().kind(), ErrorKind::Fenced);
    check_readable(&disk, 1, &"forced");
    check_readable(&disk, 2, &"forced");
}

#[test]
fn a_leader_that_is_alive_is_noticed_within_its_interval() {
    let disk = MemoryDisk::default();
    let leader = active_checkpoints(&disk, Left::Full);
    let (store, nonce) = (view(&disk, 1).head(), Nonce::new([2; 16]));
    let alive = meanwhile(&disk, Some(leader));
    for _ in 0..3 {
        let error = take_over(&*store, job(1), nonce, ActiveJob::Watch(INTERVAL), &alive).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains("is led: within 60s its HEAD went from version"), "{error}");
        assert_eq!(store.read().unwrap().unwrap().state, JobState::Active);
    }
    let alive = alive.leader.into_inner().unwrap();
    // It stops. Nobody waits for it longer than that.
    let dead = meanwhile(&disk, None);
    let taken = take_over(&*store, job(1), nonce, ActiveJob::Watch(INTERVAL), &dead).unwrap();
    assert_eq!((taken.fenced, dead.waits.into_inner()), (Some(LeaderEpoch::new(1)), 1));
    assert_eq!(taken.written.head.head().state, JobState::Cancelled);
    assert_eq!(taken.written.head.head().retained.len(), 2);
    let late = alive.head.reserve(&Collected::none()).unwrap();
    assert_eq!(write(&*view(&disk, 1), late).unwrap_err().kind(), ErrorKind::Fenced);
}

#[test]
fn a_job_that_has_ended_is_taken_over_without_waiting() {
    let disk = MemoryDisk::default();
    checkpoints(&disk, Left::Full);
    let store = view(&disk, 1).head();
    let wait = meanwhile(&disk, None);
    for active in [ActiveJob::Refuse, ActiveJob::Watch(INTERVAL), ActiveJob::Fence] {
        let taken = take_over(&*store, job(1), Nonce::new([2; 16]), active, &wait).unwrap();
        assert_eq!((taken.fenced, taken.written.head.head().state), (None, JobState::Cancelled));
    }
    assert_eq!(wait.waits.into_inner(), 0);
    let absent = view(&disk, 5).head();
    let error = take_over(&*absent, job(5), Nonce::new([2; 16]), ActiveJob::Fence, &NoTime).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    let error = take_over(&*store, job(5), Nonce::new([2; 16]), ActiveJob::Fence, &NoTime).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
}

#[test]
fn a_crash_at_every_step_of_it_leaves_what_the_same_call_goes_on_from() {
    for fault in [Fault::Fails, Fault::ReplyLost, Fault::RequestLost] {
        for step in 0.. {
            let disk = MemoryDisk::default();
            active_checkpoints(&disk, Left::Incremental);
            let files = disk.files();
            let begun = disk.operations();
            disk.fail(step, fault, u64::MAX);
            let take = || take_over(&*view(&disk, 1).head(), job(1), Nonce::new([2; 16]), ActiveJob::Fence, &NoTime);
            let outcome = take();
            let has_met = disk.operations() - begun > step;
            disk.heal();
            assert_eq!(outcome.is_err(), has_met, "{fault:?} at {step}");
            let taken = take().unwrap();
            assert_eq!(taken.written.head.head().state, JobState::Cancelled);
            assert_eq!(disk.files(), files, "nothing is deleted");
            check_readable(&disk, 1, &(fault, step));
            if !has_met {
                break;
            }
        }
    }
}
