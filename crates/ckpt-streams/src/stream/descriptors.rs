//! How many files that are finished and not sealed may hold a descriptor.

// The standard atomic: what it counts is a measure and no part of the models.
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many files that are finished and not sealed may hold a descriptor, besides those in the hands of at most seven jobs
/// of each factory. There is one for each process, as descriptors are a process's; by default it is of
/// [`DEFAULT_LIMIT`](Self::DEFAULT_LIMIT).
///
/// Beyond three quarters of it jobs sync the oldest files of their factory, and beyond all of it whoever finishes one more.
#[derive(Debug)]
pub struct StagedDescriptors {
    limit: usize,
    held: AtomicUsize,
}

impl StagedDescriptors {
    /// 256.
    pub const DEFAULT_LIMIT: usize = 256;

    /// At most that many.
    pub const fn new(limit: usize) -> Self {
        Self { limit, held: AtomicUsize::new(0) }
    }

    /// How many files hold one.
    pub fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// How many may.
    pub const fn limit(&self) -> usize {
        self.limit
    }

    pub(super) fn hold(&self) {
        self.held.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn release(&self) {
        self.held.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Default for StagedDescriptors {
    /// Of [`DEFAULT_LIMIT`](Self::DEFAULT_LIMIT).
    fn default() -> Self {
        Self::new(Self::DEFAULT_LIMIT)
    }
}
