//! How tasks end.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use ckpt_coord::task::{CapturedState, CheckpointedTask, TaskOptions};
use ckpt_core::id::{AttemptId, CheckpointId, JobId, LeaderEpoch, TaskId, VertexId, Writer, WriterId};
use ckpt_core::message::Marker;
use ckpt_core::snapshot::CheckpointBarrier;
use ckpt_core::state::TaskRestore;
use ckpt_core::{Error, Timestamp};
use ckpt_storage::{CheckpointStorage, FileSystemStorage};
use crossbeam_channel::{bounded, unbounded};

use super::*;
use crate::exchange::Batch;
use crate::job::gateway::CoordinatorAddress;
use crate::job::storage_context;

/// A task that may not end before that checkpoint is committed.
struct Owing {
    inbox: Inbox,
    checkpoint: CheckpointId,
    committed_upto: Option<CheckpointId>,
}

impl CheckpointedTask for Owing {
    fn capture(&mut self, _barrier: &CheckpointBarrier) -> Result<Box<dyn CapturedState>> {
        Err(Error::new(ErrorKind::AbortCheckpoint, "no checkpoint is expected"))
    }

    fn forward(&mut self, _marker: &Marker) -> Result<()> {
        Ok(())
    }

    fn block(&mut self, _input: u32) {}

    fn unblock_all(&mut self) {}

    fn commit(&mut self, upto: CheckpointId) -> Result<()> {
        self.committed_upto = Some(upto);
        Ok(())
    }
}

impl ReceivingTask for Owing {
    fn inbox(&mut self) -> &mut Inbox {
        &mut self.inbox
    }

    fn process(&mut self, _batch: &Batch) -> Result<()> {
        Ok(())
    }

    fn may_finish(&self) -> bool {
        self.committed_upto >= Some(self.checkpoint)
    }
}

#[test]
fn the_end_says_what_a_lost_notice_of_the_last_checkpoint_would_have_said() {
    let directory = tempfile::tempdir().unwrap();
    let context = storage_context().unwrap();
    let storage = FileSystemStorage::new(directory.path().to_str().unwrap());
    let writer = Writer::new(LeaderEpoch::new(1), WriterId::new(0));
    let view = storage.worker_view(JobId::new([1; 16]), writer, &context).unwrap();
    let attempt = TaskId::new(VertexId::new(*b"a task that owes"), 0).attempt(AttemptId::new(1));
    let options = TaskOptions::new(view, Arc::new(CoordinatorAddress::default()), Arc::clone(&context.spawn));
    let checkpoints = TaskCheckpoints::new(&TaskRestore::fresh(attempt, writer), 1, options);

    let (stop, stopped) = bounded(0);
    let (inbox, control, mut outputs) = Inbox::new(1, 1, &stopped);
    let last = CheckpointIdentity::new(CheckpointId::FIRST, writer.epoch, Timestamp::from_millis(0), None);
    control.send(Control::Begin).unwrap();
    control.send(Control::Finish(last)).unwrap();
    outputs[0].send_tail(Tail::End).unwrap();
    let (ended, end) = bounded(1);
    let (events, _events) = unbounded();
    let task = thread::spawn(move || {
        let task = Owing { inbox, checkpoint: last.id, committed_upto: None };
        ended.send(run_receiver(task, checkpoints, &events)).unwrap();
    });
    let end = end.recv_timeout(Duration::from_secs(10));
    // A task that did not end is stopped.
    drop(stop);
    task.join().unwrap();
    end.expect("the task ends though it was told of no commit but by the end").unwrap();
}
