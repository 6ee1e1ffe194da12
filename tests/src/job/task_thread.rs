//! The loops that run tasks.

use ckpt_coord::task::TaskCheckpoints;
use ckpt_core::id::TaskAttempt;
use ckpt_core::message::ToTask;
use ckpt_core::snapshot::CheckpointIdentity;
use ckpt_core::{Error, ErrorKind, Result};
use crossbeam_channel::Sender;

use crate::exchange::{Control, Inbox, Received, Tail};
use crate::operators::{ReceivingTask, SourceTask};
use crate::text::Reading;

/// What the engine learns from its threads.
#[derive(Debug)]
pub(super) enum TaskEvent {
    /// The task has its state and waits to begin.
    Started,
    /// The source has read all its input; it stays and answers barriers.
    SourceEnded,
    /// The thread has ended; without an error the task has finished.
    Ended(TaskAttempt, Result<()>),
    /// A checkpoint was committed.
    CheckpointCompleted,
    /// A checkpoint will never complete.
    CheckpointAborted { reason: String },
    /// The coordinator has stopped: another leader has taken over, or may have.
    LeadershipLost { kind: ErrorKind, message: String },
}

/// Runs a source until the engine says that the last checkpoint is committed.
pub(super) fn run_source(
    mut task: SourceTask,
    mut inbox: Inbox,
    mut checkpoints: TaskCheckpoints,
    events: &Sender<TaskEvent>,
) -> Result<()> {
    tell(events, TaskEvent::Started);
    wait_for_begin(&mut inbox)?;
    checkpoints.restored(&mut task)?;
    let mut reading = true;
    loop {
        // While it reads it looks at what the engine says between two buffers, otherwise it waits for it.
        let ahead = task.ahead();
        let control = match reading {
            true if ahead.is_zero() => inbox.poll_control()?,
            true => inbox.receive_control_within(ahead)?,
            false => Some(inbox.receive_control()?),
        };
        match control {
            Some(Control::Message(message)) => checkpoints.on_message(&mut task, message)?,
            Some(Control::Begin) => {}
            Some(Control::Finish(last)) => {
                checkpoints.on_message(&mut task, notice_of(&last))?;
                break;
            }
            None if !ahead.is_zero() => {}
            None if reading && task.read()? == Reading::Ended => {
                reading = false;
                tell(events, TaskEvent::SourceEnded);
            }
            None => {}
        }
    }
    task.end()?;
    checkpoints.finish();
    Ok(())
}

/// Runs a task with inputs until all of them have ended and it has nothing left to do.
pub(super) fn run_receiver(
    mut task: impl ReceivingTask,
    mut checkpoints: TaskCheckpoints,
    events: &Sender<TaskEvent>,
) -> Result<()> {
    tell(events, TaskEvent::Started);
    wait_for_begin(task.inbox())?;
    checkpoints.restored(&mut task)?;
    task.begin()?;
    let mut open_inputs = task.inbox().inputs();
    while open_inputs > 0 || !task.may_finish() {
        match task.inbox().receive()? {
            Received::Control(Control::Message(message)) => checkpoints.on_message(&mut task, message)?,
            Received::Control(Control::Begin) => {}
            // What it owes for the last checkpoint is done now; its inputs say when it is over.
            Received::Control(Control::Finish(last)) => checkpoints.on_message(&mut task, notice_of(&last))?,
            Received::Batch(input, mut batch) => {
                task.process(&batch)?;
                let tail = batch.tail.take();
                task.inbox().give_back(input, batch);
                match tail {
                    None => {}
                    Some(Tail::Marker(marker)) => checkpoints.on_marker(&mut task, input, marker)?,
                    Some(Tail::End) => {
                        checkpoints.on_input_ended(&mut task, input)?;
                        open_inputs -= 1;
                        if open_inputs == 0 {
                            task.all_inputs_ended()?;
                        }
                    }
                }
            }
        }
    }
    checkpoints.finish();
    Ok(())
}

/// What the coordinator says of a committed checkpoint. Its own notice may be lost, and after the last one none follows
/// that would make up for it.
const fn notice_of(last: &CheckpointIdentity) -> ToTask {
    ToTask::Completed { epoch: last.epoch, id: last.id, subsumed_upto: None }
}

/// Every task has its state before any changes anything.
fn wait_for_begin(inbox: &mut Inbox) -> Result<()> {
    // Nothing else is told before; batches of tasks that began earlier wait.
    while !matches!(inbox.receive_control()?, Control::Begin) {}
    Ok(())
}

/// Whether the error only says that the engine stops the task.
pub(super) fn is_stop(error: &Error) -> bool {
    error.kind() == ErrorKind::Cancelled
}

fn tell(events: &Sender<TaskEvent>, event: TaskEvent) {
    // Once the engine is gone nobody needs to know.
    let _ = events.send(event);
}

#[cfg(test)]
#[path = "task_thread_test.rs"]
mod tests;
