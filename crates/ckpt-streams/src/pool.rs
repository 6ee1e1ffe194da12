//! A bounded pool of threads.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ckpt_core::{Error, ErrorKind, Result};

use crate::spawn::{Job, Rejected, Spawn};
use crate::sync::{Arc, Condvar, Mutex, thread};

/// A fixed number of threads and a bounded queue.
///
/// What was accepted runs: dropping the pool refuses new jobs, runs those that wait, and joins the threads. A job that
/// panics ends alone; the thread goes on.
pub struct Pool {
    shared: Arc<Shared>,
    threads: Vec<thread::JoinHandle<()>>,
}

/// How large a [`Pool`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolOptions {
    /// How many jobs run at once; at least one.
    pub threads: usize,
    /// How many jobs may wait; one more is rejected. At least one, since every job waits until a thread takes it.
    pub queue_limit: usize,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    waiting: VecDeque<Job>,
    queue_limit: usize,
    shut_down: bool,
}

impl Pool {
    /// Starts the threads.
    ///
    /// # Errors
    ///
    /// `Configuration` when there are to be no threads or no job may wait, `FailJob` when the system gives no thread.
    pub fn new(options: PoolOptions) -> Result<Self> {
        if options.threads == 0 {
            return Err(Error::new(ErrorKind::Configuration, "a pool needs at least one thread, found 0"));
        }
        if options.queue_limit == 0 {
            return Err(Error::new(
                ErrorKind::Configuration,
                "a pool needs a queue limit of at least one job, found 0",
            ));
        }
        let state = State { waiting: VecDeque::new(), queue_limit: options.queue_limit, shut_down: false };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        // Threads that were started are joined by the drop when a later one cannot be.
        let mut pool = Self { shared, threads: Vec::new() };
        for number in 0..options.threads {
            let shared = Arc::clone(&pool.shared);
            let thread = thread::spawn_named(format!("ckpt-pool-{number}"), move || shared.run())
                .map_err(|error| Error::new(ErrorKind::FailJob, error))?;
            pool.threads.push(thread);
        }
        Ok(pool)
    }
}

impl Spawn for Pool {
    fn spawn(&self, _name: &'static str, job: Job) -> Result<(), Rejected> {
        let mut state = self.shared.state.lock();
        if state.shut_down || state.waiting.len() >= state.queue_limit {
            // The job goes outside of the lock: what it owns may do anything when dropped.
            drop(state);
            drop(job);
            return Err(Rejected::new());
        }
        state.waiting.push_back(job);
        drop(state);
        self.shared.changed.notify_one();
        Ok(())
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.state.lock().shut_down = true;
        self.shared.changed.notify_all();
        for thread in self.threads.drain(..) {
            // A job may hold the last reference to its pool. Its own thread ends by itself.
            if thread.thread().id() != thread::current().id() {
                // Jobs' panics are caught, so a thread has none of its own.
                let _ = thread.join();
            }
        }
    }
}

impl Shared {
    fn run(&self) {
        let mut state = self.state.lock();
        loop {
            if let Some(job) = state.waiting.pop_front() {
                drop(state);
                // The panic was reported by the hook; whoever waits for the job sees its promise dropped.
                let _ = catch_unwind(AssertUnwindSafe(job));
                state = self.state.lock();
            } else if state.shut_down {
                return;
            } else {
                self.changed.wait(&mut state);
            }
        }
    }
}

impl PoolOptions {
    /// That many threads and waiting jobs.
    pub const fn new(threads: usize, queue_limit: usize) -> Self {
        Self { threads, queue_limit }
    }
}

impl Default for PoolOptions {
    /// Eight threads, which is what syncing files at once gains from, and 1024 waiting jobs.
    fn default() -> Self {
        Self::new(8, 1024)
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("threads", &self.threads.len()).finish_non_exhaustive()
    }
}
