//! Work that may wait.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use ckpt_streams::{Job, Spawn};
use parking_lot::Mutex;

/// Runs jobs one after the other. Each is a job of its own to the [`Spawn`], and comes there when the one before has ended: so
/// a thousand deletions take one thread at most, and a commit that comes after them waits for one of them at most, however few
/// threads there are.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    spawn: Arc<dyn Spawn>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<(&'static str, Job)>,
    /// Whether one is with the [`Spawn`].
    runs: bool,
}

impl Lane {
    pub(super) fn new(spawn: Arc<dyn Spawn>) -> Self {
        Self { spawn, state: Arc::default() }
    }

    /// Runs `job` after those that wait. If it, or one before it, is refused, it is dropped.
    pub(super) fn run(&self, name: &'static str, job: Job) {
        let mut state = self.state.lock();
        state.waiting.push_back((name, job));
        if !state.runs {
            drop(state);
            self.next();
        }
    }

    fn next(&self) {
        let next = {
            let mut state = self.state.lock();
            let next = state.waiting.pop_front();
            state.runs = next.is_some();
            next
        };
        let Some((name, job)) = next else { return };
        let mut turn = Turn { lane: self.clone(), begun: false };
        let job = move || {
            turn.begin();
            job();
        };
        // One that is refused is dropped, and its turn ends.
        let _ = self.spawn.spawn(name, Box::new(job));
    }
}

/// The turn of a job, which ends when it has run, has panicked, or is dropped.
struct Turn {
    lane: Lane,
    begun: bool,
}

impl Turn {
    const fn begin(&mut self) {
        self.begun = true;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.begun {
            return self.lane.next();
        }
        let refused = {
            let mut state = self.lane.state.lock();
            state.runs = false;
            std::mem::take(&mut state.waiting)
        };
        // What refuses one refuses the next: they are answered now, and tried again later.
        drop(refused);
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.waiting.iter().map(|(name, _)| *name).collect();
        f.debug_struct("State").field("waiting", &names).field("runs", &self.runs).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use ckpt_streams::Rejected;

    use super::*;

    /// Keeps jobs until they are to run, or refuses them.
    #[derive(Default)]
    struct Kept {
        jobs: Mutex<VecDeque<Job>>,
        refuses: Mutex<bool>,
    }

    impl Spawn for Kept {
        fn spawn(&self, _: &'static str, job: Job) -> Result<(), Rejected> {
            if *self.refuses.lock() {
                return Err(Rejected::new());
            }
            self.jobs.lock().push_back(job);
            Ok(())
        }
    }

    impl fmt::Debug for Kept {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{} jobs", self.jobs.lock().len())
        }
    }

    impl Kept {
        fn run_next(&self) {
            let next = self.jobs.lock().pop_front().unwrap();
            next();
        }
    }

    /// Tells what became of it.
    struct Told(Arc<Mutex<Vec<String>>>, u32, bool);

    impl Told {
        fn run(mut self) {
            self.2 = true;
        }
    }

    impl Drop for Told {
        fn drop(&mut self) {
            self.0.lock().push(format!("{} {}", self.1, if self.2 { "ran" } else { "was dropped" }));
        }
    }

    fn world() -> (Arc<Kept>, Lane, Arc<Mutex<Vec<String>>>) {
        let kept = Arc::new(Kept::default());
        (Arc::clone(&kept), Lane::new(kept), Arc::default())
    }

    #[test]
    fn one_job_at_a_time_waits_for_a_thread() {
        let (kept, lane, told) = world();
        for number in 0..1000 {
            let job = Told(Arc::clone(&told), number, false);
            lane.run("deletes", Box::new(move || job.run()));
        }
        // What comes now waits for one of them.
        let urgent = Told(Arc::clone(&told), 1000, false);
        kept.spawn("commits", Box::new(move || urgent.run())).unwrap();
        kept.run_next();
        kept.run_next();
        assert_eq!(*told.lock(), ["0 ran", "1000 ran"]);
        for _ in 1..1000 {
            assert_eq!(kept.jobs.lock().len(), 1);
            kept.run_next();
        }
        assert_eq!(told.lock().last().unwrap(), "999 ran");
        assert_eq!(told.lock().len(), 1001);
        // And again after a pause.
        let job = Told(Arc::clone(&told), 7, false);
        lane.run("deletes", Box::new(move || job.run()));
        kept.run_next();
        assert_eq!(told.lock()[1001], "7 ran");
    }

    #[test]
    fn a_panic_ends_a_turn_and_no_other() {
        let (kept, lane, told) = world();
        let job = Told(Arc::clone(&told), 1, false);
        let panics = move || {
            let _job = job;
            panic!("as it was told to");
        };
        lane.run("panics", Box::new(panics));
        let job = Told(Arc::clone(&told), 2, false);
        lane.run("runs", Box::new(move || job.run()));
        assert!(catch_unwind(AssertUnwindSafe(|| kept.run_next())).is_err());
        kept.run_next();
        assert_eq!(*told.lock(), ["1 was dropped", "2 ran"]);
    }

    #[test]
    fn what_is_refused_is_dropped_with_all_that_waits_for_it() {
        let (kept, lane, told) = world();
        for number in 0..3 {
            let job = Told(Arc::clone(&told), number, false);
            lane.run("deletes", Box::new(move || job.run()));
        }
        *kept.refuses.lock() = true;
        kept.run_next();
        told.lock().sort();
        assert_eq!(*told.lock(), ["0 ran", "1 was dropped", "2 was dropped"]);
        // It is taken up again when there is room.
        *kept.refuses.lock() = false;
        let job = Told(Arc::clone(&told), 3, false);
        lane.run("deletes", Box::new(move || job.run()));
        kept.run_next();
        assert_eq!(told.lock()[3], "3 ran");
        // So is a job that was accepted and dropped all the same.
        let job = Told(Arc::clone(&told), 4, false);
        lane.run("deletes", Box::new(move || job.run()));
        kept.jobs.lock().clear();
        assert_eq!(told.lock()[4], "4 was dropped");
    }
}
