//! A list of work that threads share.

use std::sync::Arc as StdArc;

use crate::spawn::Spawn;
use crate::sync::{Condvar, Mutex};

/// Does `work` for each item: this thread works through the list, and up to `helpers` jobs take from it as well. Returns when
/// all is done, with what came of each item in their order; of one whose work panicked there is nothing.
///
/// Nobody waits for a job that did not begin: where every one is refused, or waits behind the caller, this thread does it
/// all. So a job may call this, too.
pub fn fan_out<T, R>(
    spawn: &dyn Spawn,
    name: &'static str,
    helpers: usize,
    items: Vec<T>,
    work: impl Fn(T) -> R + Send + Sync + 'static,
) -> Vec<Option<R>>
where
    T: Send + 'static,
    R: Send + 'static,
{
    let helpers = items.len().saturating_sub(1).min(helpers);
    let done = items.iter().map(|_| None).collect();
    let mut ahead: Vec<(usize, T)> = items.into_iter().enumerate().collect();
    // Taken from the end, so that the first comes first.
    ahead.reverse();
    let list = StdArc::new(List { state: Mutex::new(State { ahead, running: 0, done }), ended: Condvar::new(), work });
    for _ in 0..helpers {
        let helper = StdArc::clone(&list);
        if spawn.spawn(name, Box::new(move || helper.work_through())).is_err() {
            break;
        }
    }
    list.work_through();
    list.join()
}

struct List<T, R, W> {
    state: Mutex<State<T, R>>,
    ended: Condvar,
    work: W,
}

/// Items are known by their place among all.
struct State<T, R> {
    ahead: Vec<(usize, T)>,
    running: usize,
    done: Vec<Option<R>>,
}

impl<T, R, W: Fn(T) -> R> List<T, R, W> {
    /// Takes items until none is ahead.
    fn work_through(&self) {
        let mut state = self.state.lock();
        while let Some((place, item)) = state.ahead.pop() {
            state.running += 1;
            drop(state);
            let mut running = Running { list: self, place, outcome: None };
            running.outcome = Some((self.work)(item));
            drop(running);
            state = self.state.lock();
        }
    }

    /// Waits for the items that others have taken: their threads are running, so they come to an end.
    fn join(&self) -> Vec<Option<R>> {
        let mut state = self.state.lock();
        while state.running > 0 {
            self.ended.wait(&mut state);
        }
        std::mem::take(&mut state.done)
    }
}

/// An item that is being worked on. It counts as ended even if the work panics.
struct Running<'a, T, R, W> {
    list: &'a List<T, R, W>,
    place: usize,
    outcome: Option<R>,
}

impl<T, R, W> Drop for Running<'_, T, R, W> {
    fn drop(&mut self) {
        let mut state = self.list.state.lock();
        state.running -= 1;
        let outcome = self.outcome.take();
        if let Some(done) = state.done.get_mut(self.place) {
            *done = outcome;
        }
        drop(state);
        self.list.ended.notify_all();
    }
}

#[cfg(all(test, not(ckpt_loom)))]
mod tests {
    use std::collections::BTreeSet;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::thread;

    use super::*;
    use crate::spawn::{Job, Rejected};
    use crate::{Pool, PoolOptions};

    /// Refuses every job, or takes it and never begins it.
    #[derive(Debug)]
    struct Never {
        refuses: bool,
        taken: Mutex<Vec<()>>,
    }

    impl Spawn for Never {
        fn spawn(&self, _name: &'static str, _job: Job) -> Result<(), Rejected> {
            self.taken.lock().push(());
            if self.refuses { Err(Rejected::new()) } else { Ok(()) }
        }
    }

    #[test]
    fn without_a_job_that_begins_the_caller_does_it_all() {
        for refuses in [true, false] {
            let spawn = Never { refuses, taken: Mutex::default() };
            let caller = thread::current().id();
            let done = fan_out(&spawn, "count", 3, (0..100).collect(), move |n: u32| {
                assert_eq!(thread::current().id(), caller);
                n * 2
            });
            assert_eq!(done, (0..100).map(|n| Some(n * 2)).collect::<Vec<_>>());
            assert_eq!(spawn.taken.lock().len(), if refuses { 1 } else { 3 });
        }
        assert_eq!(
            fan_out(&Never { refuses: true, taken: Mutex::default() }, "count", 3, Vec::<u32>::new(), |n| n),
            []
        );
    }

    #[test]
    fn jobs_take_from_the_list_as_well() {
        let pool = Pool::new(PoolOptions { threads: 2, queue_limit: 8 }).unwrap();
        let gate = StdArc::new(std::sync::Barrier::new(3));
        let done = fan_out(&pool, "meet", 2, vec![(); 3], move |()| {
            gate.wait();
            thread::current().id()
        });
        assert_eq!(done.into_iter().flatten().map(|id| format!("{id:?}")).collect::<BTreeSet<_>>().len(), 3);
    }

    #[test]
    fn of_what_panics_in_a_job_there_is_nothing_and_the_rest_is_done() {
        let pool = Pool::new(PoolOptions { threads: 1, queue_limit: 1 }).unwrap();
        let caller = thread::current().id();
        let gate = StdArc::new(std::sync::Barrier::new(2));
        let work = move |n: u32| {
            if n < 2 {
                gate.wait();
            }
            if n < 2 && thread::current().id() != caller {
                // The caller's own is not caught here.
                std::panic::resume_unwind(Box::new("asked for"));
            }
            n
        };
        let done = catch_unwind(AssertUnwindSafe(|| fan_out(&pool, "panic", 1, (0..20).collect(), work))).unwrap();
        let missing: Vec<_> = (0..20).filter(|n| done[*n].is_none()).collect();
        assert!(matches!(missing[..], [0] | [1]), "{missing:?}");
    }
}
