//! How much input has been read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::job::JobObserver;

/// How much of all input has been read, over all source subtasks.
#[derive(Debug)]
pub(crate) struct Progress {
    /// Only a number that is shown: no order with other memory is needed.
    read_bytes: AtomicU64,
    /// What had been read when the tasks were restored.
    restored_bytes: AtomicU64,
    total_bytes: u64,
    /// The observer is told each time so much more was read.
    step_bytes: u64,
    observer: Arc<dyn JobObserver>,
}

impl Progress {
    const LONGEST_STEP_BYTES: u64 = 128 * 1024;

    /// All of `total_bytes` counts as read until subtasks say what is left.
    pub(crate) fn new(total_bytes: u64, observer: Arc<dyn JobObserver>) -> Self {
        let (read_bytes, restored_bytes) = (AtomicU64::new(total_bytes), AtomicU64::new(total_bytes));
        let step_bytes = (total_bytes / 64).clamp(1, Self::LONGEST_STEP_BYTES);
        Self { read_bytes, restored_bytes, total_bytes, step_bytes, observer }
    }

    /// A subtask begins with that much to read.
    pub(crate) fn restored(&self, remaining_bytes: u64) {
        self.read_bytes.fetch_sub(remaining_bytes, Ordering::Relaxed);
        self.restored_bytes.fetch_sub(remaining_bytes, Ordering::Relaxed);
    }

    /// A subtask has read so much more.
    pub(crate) fn read(&self, more_bytes: u64) {
        let before = self.read_bytes.fetch_add(more_bytes, Ordering::Relaxed);
        let now = before + more_bytes;
        if before / self.step_bytes != now / self.step_bytes || now == self.total_bytes {
            self.observer.progress(now);
        }
    }

    /// What had been read when the tasks were restored.
    pub(super) fn restored_bytes(&self) -> u64 {
        self.restored_bytes.load(Ordering::Relaxed)
    }
}
