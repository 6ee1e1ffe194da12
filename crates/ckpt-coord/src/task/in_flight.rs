//! The snapshots that are on their way to storage.

use std::collections::BTreeMap;
use std::sync::Arc;

use ckpt_core::id::CheckpointId;
use ckpt_streams::{Pending, Promise, StreamFactory};
use parking_lot::Mutex;

/// The snapshots of one task that are on their way to storage. Shared by the task's thread, which enters and cancels,
/// and the jobs, which leave.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    snapshots: BTreeMap<CheckpointId, Snapshot>,
    waiting: Option<Promise<()>>,
}

#[derive(Debug)]
struct Snapshot {
    streams: Arc<dyn StreamFactory>,
    cancelled: bool,
}

/// A job's place among the snapshots in flight; given up when it is dropped.
#[derive(Debug)]
pub(super) struct Ticket {
    in_flight: Arc<InFlight>,
    id: CheckpointId,
}

impl InFlight {
    /// Enters a snapshot that is written by those streams. A checkpoint is entered once only.
    pub(super) fn enter(self: &Arc<Self>, id: CheckpointId, streams: Arc<dyn StreamFactory>) -> Ticket {
        self.table.lock().snapshots.insert(id, Snapshot { streams, cancelled: false });
        Ticket { in_flight: Arc::clone(self), id }
    }

    pub(super) fn len(&self) -> usize {
        self.table.lock().snapshots.len()
    }

    /// Cancels the streams of that snapshot, if it is in flight. Returns at once; the job notices.
    pub(super) fn cancel(&self, id: CheckpointId) {
        let streams = self.table.lock().snapshots.get_mut(&id).map(Snapshot::cancel);
        // Outside of the lock, since a factory may end streams, and with them a job, right here.
        if let Some(streams) = streams {
            drop(streams.cancel());
        }
    }

    /// As [`cancel`](Self::cancel), of every snapshot.
    pub(super) fn cancel_all(&self) {
        let streams: Vec<_> = self.table.lock().snapshots.values_mut().map(Snapshot::cancel).collect();
        for streams in streams {
            drop(streams.cancel());
        }
    }

    /// Answers when no snapshot is in flight any more. To be asked once.
    pub(super) fn finished(&self) -> Pending<()> {
        let (promise, pending) = Pending::channel();
        let mut table = self.table.lock();
        if table.snapshots.is_empty() {
            drop(table);
            promise.keep(());
        } else {
            table.waiting = Some(promise);
        }
        pending
    }
}

impl Snapshot {
    fn cancel(&mut self) -> Arc<dyn StreamFactory> {
        self.cancelled = true;
        Arc::clone(&self.streams)
    }
}

impl Ticket {
    /// Whether the task has cancelled the snapshot, so that nobody waits for it.
    pub(super) fn is_cancelled(&self) -> bool {
        self.in_flight.table.lock().snapshots.get(&self.id).is_some_and(|snapshot| snapshot.cancelled)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut table = self.in_flight.table.lock();
        let left = table.snapshots.remove(&self.id);
        let waiting = if table.snapshots.is_empty() { table.waiting.take() } else { None };
        drop(table);
        // The factory may delete what is left of it: before anyone is told that nothing is.
        drop(left);
        if let Some(promise) = waiting {
            promise.keep(());
        }
    }
}
