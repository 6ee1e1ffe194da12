//! What a model sees: loom's types in the shape of the real ones.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

pub(crate) use loom::sync::Arc;
pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// In how many lanes threads count apart. In a model all threads are of one.
pub(crate) const LANES: usize = 1;

/// Threads.
pub(crate) mod thread {
    use std::io;

    pub(crate) use loom::thread::{JoinHandle, current};

    /// Starts a thread; loom has no names.
    pub(crate) fn spawn_named(_name: String, body: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
        Ok(loom::thread::spawn(body))
    }
}

/// A lock without poisoning.
#[derive(Debug)]
pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

/// Holds the lock. The option is empty only while a condition variable has the guard.
pub(crate) struct MutexGuard<'a, T>(Option<loom::sync::MutexGuard<'a, T>>);

/// A condition variable that takes the guard by reference.
#[derive(Debug)]
pub(crate) struct Condvar(loom::sync::Condvar);

/// Whether a wait ended by time. In a model it never does.
pub(crate) struct WaitTimeoutResult;

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard(Some(self.0.lock().expect("a panic ends the whole model, so no lock is poisoned")))
    }

    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.0.try_lock().ok().map(|guard| MutexGuard(Some(guard)))
    }
}

impl Condvar {
    pub(crate) fn new() -> Self {
        Self(loom::sync::Condvar::new())
    }

    pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        let inner = guard.0.take().expect("only a wait takes it, and puts it back");
        guard.0 = Some(self.0.wait(inner).expect("a panic ends the whole model, so no lock is poisoned"));
    }

    /// Time does not pass in a model.
    pub(crate) fn wait_for<T>(&self, guard: &mut MutexGuard<'_, T>, _timeout: Duration) -> WaitTimeoutResult {
        self.wait(guard);
        WaitTimeoutResult
    }

    pub(crate) fn notify_one(&self) -> bool {
        self.0.notify_one();
        true
    }

    pub(crate) fn notify_all(&self) -> usize {
        self.0.notify_all();
        0
    }
}

impl WaitTimeoutResult {
    pub(crate) fn timed_out(&self) -> bool {
        false
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("empty only within a wait")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("empty only within a wait")
    }
}
