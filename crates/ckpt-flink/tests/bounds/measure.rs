//! The memory that something takes.

use std::alloc::System;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cap::Cap;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// The allocator counts for the whole process, so one test at a time measures.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Measures. While there is one, no other test has one.
pub(crate) struct Measure {
    _alone: MutexGuard<'static, ()>,
}

impl Measure {
    pub(crate) fn new() -> Self {
        Self { _alone: ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner) }
    }

    /// What `work` gives, and the most memory that it had at a time.
    pub(crate) fn peak_bytes<T>(&self, work: impl FnOnce() -> T) -> (T, usize) {
        // The allocator knows the most there ever was. With this beside what there is, that is what there is now.
        let ballast = Vec::<u8>::with_capacity(ALLOCATOR.max_allocated() - ALLOCATOR.allocated());
        let floor = ALLOCATOR.max_allocated();
        let value = work();
        let peak_bytes = ALLOCATOR.max_allocated() - floor;
        drop(ballast);
        (value, peak_bytes)
    }
}
