//! Reading the metadata of many snapshots.

use std::sync::Arc;

use ckpt_core::head::RetainedSnapshot;
use ckpt_core::metadata::CheckpointMetadata;
use ckpt_core::{Error, ErrorKind, Result};
use ckpt_storage::CoordinatorView;
use ckpt_streams::Spawn;
use parking_lot::{Condvar, Mutex};

/// How many are read at once. Of files that are near this is more than there are processors for decoding; of those that are
/// far away it is what waits at once.
const AT_ONCE: usize = 8;

/// The snapshots to read, which the calling thread and jobs take from.
struct Reading {
    view: Arc<dyn CoordinatorView>,
    snapshots: Vec<RetainedSnapshot>,
    state: Mutex<State>,
    /// One was read.
    changed: Condvar,
}

struct State {
    next: usize,
    /// How many are being read.
    busy: usize,
    read: Vec<Option<Result<Arc<CheckpointMetadata>>>>,
}

/// One that is being read.
struct Taken<'a> {
    reading: &'a Reading,
    at: usize,
    read: Option<Result<Arc<CheckpointMetadata>>>,
}

/// Reads the metadata of all of these, in their order. The calling thread reads, and so do jobs, as far as any are accepted.
///
/// # Errors
///
/// The first that was met, with the snapshot that it is of: what comes after it is not read then. `FailJob` when a job has
/// panicked.
pub(super) fn read(
    view: &Arc<dyn CoordinatorView>,
    snapshots: Vec<RetainedSnapshot>,
    spawn: &dyn Spawn,
) -> Result<Vec<Arc<CheckpointMetadata>>, (usize, Error)> {
    let all = snapshots.len();
    let state = State { next: 0, busy: 0, read: (0..all).map(|_| None).collect() };
    let reading =
        Arc::new(Reading { view: Arc::clone(view), snapshots, state: Mutex::new(state), changed: Condvar::new() });
    for _ in 1..AT_ONCE.min(all) {
        let job = Arc::clone(&reading);
        // Without one this thread reads alone.
        if spawn.spawn("ckpt-metadata", Box::new(move || job.work())).is_err() {
            break;
        }
    }
    reading.work();
    let mut state = reading.state.lock();
    while state.busy > 0 {
        reading.changed.wait(&mut state);
    }
    let mut read = Vec::with_capacity(all);
    let mut missing = None;
    for (at, metadata) in std::mem::take(&mut state.read).into_iter().enumerate() {
        match metadata {
            Some(Ok(metadata)) => read.push(metadata),
            Some(Err(error)) => return Err((at, error)),
            // It was not read because of another one, which is told if it has failed and did not panic.
            None => missing = missing.or(Some(at)),
        }
    }
    match missing {
        Some(at) => Err((at, Error::new(ErrorKind::FailJob, "a job panicked over the metadata of a checkpoint"))),
        None => Ok(read),
    }
}

impl Reading {
    fn work(&self) {
        while let Some(mut taken) = self.take() {
            taken.read = Some(self.view.load(&self.snapshots[taken.at]).map(Arc::new));
        }
    }

    fn take(&self) -> Option<Taken<'_>> {
        let mut state = self.state.lock();
        let at = Some(state.next).filter(|at| *at < self.snapshots.len())?;
        state.next += 1;
        state.busy += 1;
        Some(Taken { reading: self, at, read: None })
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let mut state = self.reading.state.lock();
        state.busy -= 1;
        // Nothing is restored then, whatever the others are.
        if !matches!(self.read, Some(Ok(_))) {
            state.next = usize::MAX;
        }
        state.read[self.at] = self.read.take();
        drop(state);
        self.reading.changed.notify_all();
    }
}
