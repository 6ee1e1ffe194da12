//! The order of a task's part, and everything that may come in between.

use std::sync::Barrier;

use bytes::Bytes;
use ckpt_core::snapshot::{CheckpointOptions, LocationReference, SnapshotKind};
use ckpt_streams::Budget;
use parking_lot::Mutex;

use super::*;
use crate::observer::CheckpointObserver;
use crate::task::rig_test::{
    EPOCH, Jobs, MemoryView, Rig, aborted, barrier, completed, files, id, memory_storage, on_disk, restore,
};

#[test]
fn a_source_forwards_captures_and_acknowledges_in_this_order() {
    let mut rig = Rig::new(0);
    rig.trigger(1, None);
    let now = ["forward barrier 1", "phase Capturing 1", "capture 1", "phase Reading"];
    assert_eq!(rig.log.take(), now);
    rig.jobs.run_all();
    let later = ["phase WritingState 1", "phase Sealing 1", "phase Acknowledging 1", "acknowledge 1 with 10 bytes"];
    assert_eq!(rig.log.take(), later);
    rig.message(completed(1)).unwrap();
    assert_eq!(rig.log.take(), ["phase Committing 1", "commit 1", "phase Reading"]);
    assert_eq!(rig.checkpoints().completed_upto(), Some(id(1)));
}

#[test]
fn two_inputs_are_aligned_first() {
    let mut rig = Rig::new(2);
    rig.arrive(1, 1);
    assert_eq!(rig.log.take(), ["phase Aligning 1", "block 1"]);
    rig.arrive(0, 1);
    let last = ["forward barrier 1", "phase Capturing 1", "capture 1", "phase Reading", "unblock all"];
    assert_eq!(rig.log.take(), last);
    rig.arrive(0, 2);
    rig.arrive(1, 3);
    let overtaken = [
        "block 0",
        "unblock all",
        "decline 2 Subsumed: a newer checkpoint has begun at the task",
        "forward cancel 2",
        "block 1",
    ];
    assert_eq!(rig.log.take_but_phases(), overtaken);
    rig.checkpoints.as_mut().unwrap().on_input_ended(&mut rig.task, 0).unwrap();
    assert_eq!(rig.log.take_but_phases(), ["forward barrier 3", "capture 3", "unblock all"]);
}

#[test]
fn once_every_input_has_ended_a_trigger_counts() {
    let mut rig = Rig::new(1);
    rig.trigger(1, None);
    let why = "decline 1 NotReady: the task was triggered, but has inputs whose barriers it must wait for";
    assert_eq!(rig.log.take_but_phases(), [why]);
    rig.checkpoints.as_mut().unwrap().on_input_ended(&mut rig.task, 0).unwrap();
    rig.trigger(2, None);
    assert_eq!(rig.log.take_but_phases(), ["forward barrier 2", "capture 2"]);
}

#[test]
fn doubled_and_late_messages_do_nothing_and_outdated_ones_are_declined() {
    let mut rig = Rig::new(0);
    rig.trigger(1, None);
    rig.trigger(3, None);
    rig.log.take();
    rig.trigger(3, None);
    rig.trigger(1, None);
    assert_eq!(rig.log.take_but_phases(), [""; 0], "both are on their way");
    rig.trigger(2, None);
    rig.trigger(2, None);
    let why = "decline 2 Subsumed: checkpoint 3, which is newer, has begun at the task";
    assert_eq!(rig.log.take_but_phases(), [why]);
    for number in [3, 3, 1] {
        rig.message(completed(number)).unwrap();
    }
    assert_eq!(rig.log.take_but_phases(), ["commit 3"]);
    rig.message(aborted(4)).unwrap();
    rig.message(aborted(4)).unwrap();
    assert_eq!(rig.log.take_but_phases(), ["abort 4"]);
    rig.trigger(4, None);
    assert_eq!(rig.log.take_but_phases(), ["forward cancel 4"], "what overtook its abort is not captured");
}

#[test]
fn a_lost_notice_of_completion_is_healed_by_the_next_barrier() {
    let mut rig = Rig::new(0);
    rig.trigger(1, None);
    rig.log.take();
    rig.trigger(2, Some(1));
    assert_eq!(rig.log.take_but_phases(), ["forward barrier 2", "capture 2", "commit 1"]);
    rig.message(completed(1)).unwrap();
    assert_eq!(rig.log.take_but_phases(), [""; 0]);
}

#[test]
fn a_lost_notice_of_completion_is_healed_by_the_next_notice_of_an_abort() {
    let mut rig = Rig::new(0);
    rig.trigger(1, None);
    rig.trigger(2, None);
    rig.log.take();
    let aborted = ToTask::Aborted { epoch: EPOCH, id: id(2), latest_completed: Some(id(1)) };
    rig.message(aborted.clone()).unwrap();
    assert_eq!(rig.log.take_but_phases(), ["commit 1", "abort 2"]);
    rig.message(aborted).unwrap();
    rig.message(completed(1)).unwrap();
    assert_eq!(rig.log.take_but_phases(), [""; 0]);
}

#[test]
fn what_it_began_from_is_committed_again_before_the_first_record() {
    let mut rig = Rig::with(1, Some(7), Arc::new(MemoryView::new(100)));
    assert_eq!(rig.checkpoints().completed_upto(), None);
    rig.checkpoints.as_mut().unwrap().restored(&mut rig.task).unwrap();
    assert_eq!(rig.log.take(), ["phase Committing 7", "commit 7", "phase Reading"]);
    assert_eq!(rig.checkpoints().completed_upto(), Some(id(7)));
    rig.message(completed(7)).unwrap();
    assert_eq!(rig.log.take_but_phases(), [""; 0]);
}

#[test]
fn a_failed_commit_is_tried_again() {
    let mut rig = Rig::new(0);
    rig.task.commit_fails = true;
    assert_eq!(rig.message(completed(1)).unwrap_err().to_string(), "the disk is full");
    assert_eq!(rig.checkpoints().completed_upto(), None);
    rig.task.commit_fails = false;
    rig.message(completed(1)).unwrap();
    assert_eq!(rig.log.take_but_phases(), ["commit 1", "commit 1"]);
}

#[test]
fn every_failure_is_declined_with_its_reason() {
    let declined = |rig: &Rig| rig.log.take().into_iter().find(|line| line.starts_with("decline")).unwrap();

    let mut rig = Rig::new(0);
    rig.task.capture_fails = true;
    rig.trigger(1, None);
    assert_eq!(declined(&rig), "decline 1 CaptureFailed: the operator will not");
    rig.task.capture_fails = false;

    let mut elsewhere = barrier(2, None);
    let target = LocationReference::at(Bytes::from_static(b"elsewhere")).unwrap();
    elsewhere.options = CheckpointOptions::aligned(SnapshotKind::Checkpoint, target);
    rig.checkpoints.as_mut().unwrap().perform_checkpoint(&mut rig.task, &elsewhere).unwrap();
    assert_eq!(declined(&rig), "decline 2 SnapshotFailed: no such place");

    rig.task.state_bytes = 101;
    rig.trigger(3, None);
    rig.jobs.run_all();
    assert!(declined(&rig).contains("100"), "the limit is named");

    rig.jobs.0.lock().closed = true;
    rig.trigger(4, None);
    assert!(declined(&rig).starts_with("decline 4 SnapshotFailed: the captured state was not written"));
    rig.jobs.0.lock().closed = false;

    rig.task.state_bytes = usize::MAX;
    rig.trigger(5, None);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| rig.jobs.run_all()));
    assert!(panicked.is_err());
    assert!(declined(&rig).starts_with("decline 5 SnapshotFailed: the captured state was not written"));

    rig.task.state_bytes = 0;
    for number in 6..9 {
        rig.trigger(number, None);
    }
    rig.trigger(9, None);
    assert_eq!(
        declined(&rig),
        "decline 9 SnapshotFailed: 3 snapshots of the task are still being written: expected fewer than 3"
    );
    rig.jobs.run_all();
    rig.log.take();
    rig.trigger(10, None);
    rig.jobs.run_all();
    assert_eq!(rig.log.take_but_phases().last().unwrap(), "acknowledge 10 with 0 bytes");
}

#[test]
fn an_acknowledgement_that_no_file_can_hold_is_declined() {
    const MIB: usize = 1 << 20;
    let mut rig = Rig::with(0, None, Arc::new(MemoryView::new(2 * MIB)));
    rig.task.state_bytes = MIB - 1000;
    rig.trigger(1, None);
    rig.jobs.run_all();
    let last = rig.log.take_but_phases().pop().unwrap();
    assert_eq!(last, format!("acknowledge 1 with {} bytes", MIB - 1000));
    rig.task.state_bytes = MIB;
    rig.trigger(2, None);
    rig.jobs.run_all();
    let last = rig.log.take_but_phases().pop().unwrap();
    assert!(last.starts_with("decline 2 TooLarge: an acknowledgement is spilled into "), "{last}");
    assert!(
        last.ends_with(
            "bytes in the handle itself, expected a file of writer 5 of epoch 3 in the checkpoint's own directory"
        ),
        "{last}"
    );
    // It does not fit into any stream either.
    rig.task.state_bytes = 2 * MIB;
    rig.trigger(3, None);
    rig.jobs.run_all();
    let last = rig.log.take_but_phases().pop().unwrap();
    assert!(last.starts_with("decline 3 SpillFailed: "), "{last}");
}

#[test]
fn state_of_memory_storage_stays_in_its_acknowledgement_however_long() {
    let mut rig = Rig::with(0, None, memory_storage());
    rig.task.state_bytes = 3 << 20;
    rig.trigger(1, None);
    rig.jobs.run_all();
    let last = rig.log.take_but_phases().pop().unwrap();
    assert_eq!(last, format!("acknowledge 1 with {} bytes", 3 << 20));
}

/// Bytes are charged before they are taken and given back when they are written, not when they are sealed.
#[test]
fn what_a_task_captures_is_charged_until_it_is_written() {
    let mut view = MemoryView::new(100);
    view.budget = Arc::new(Budget::new(25));
    let budget = Arc::clone(&view.budget);
    let mut rig = Rig::with(0, None, Arc::new(view));
    rig.trigger(1, None);
    rig.trigger(2, None);
    assert_eq!(budget.charged_bytes(), 20);
    rig.log.take();
    rig.trigger(3, None);
    let why = "decline 3 SnapshotFailed: a capture takes 10 bytes of memory, and 20 of a budget of 25 bytes are on their way \
               to storage";
    assert_eq!(rig.log.take_but_phases(), ["forward barrier 3", why], "nothing was captured");
    rig.jobs.run_all();
    assert_eq!((budget.charged_bytes(), budget.most_charged_bytes()), (0, 20));
    // One of more than the budget passes alone, and an error gives it back.
    rig.task.state_bytes = 101;
    rig.trigger(4, None);
    assert_eq!(budget.charged_bytes(), 101);
    rig.log.take();
    rig.jobs.run_all();
    assert!(rig.log.take_but_phases()[0].starts_with("decline 4 SnapshotFailed: a write of "));
    rig.trigger(5, None);
    assert_eq!(budget.charged_bytes(), 101);
    rig.checkpoints = None;
    drop(std::mem::take(&mut *rig.jobs.0.lock()));
    assert_eq!(budget.charged_bytes(), 0, "a job that is dropped gives it back");
}

/// Says what is charged at each phase of a job.
#[derive(Debug)]
struct Charged(Arc<Budget>, Mutex<Vec<(Phase, u64)>>);

impl CheckpointObserver for Charged {
    fn phase(&self, phase: Phase, _checkpoint: Option<CheckpointId>) {
        self.1.lock().push((phase, self.0.charged_bytes()));
    }
}

/// Whoever seals holds no bytes of the budget, however long the disk takes.
#[test]
fn sealing_holds_nothing_of_the_budget() {
    let view = Arc::new(MemoryView::new(100));
    let charged = Arc::new(Charged(Arc::clone(&view.budget), Mutex::default()));
    let mut rig = Rig::new(0);
    let options = TaskOptions::new(view, Arc::new(rig.log.clone()), Arc::<Jobs>::clone(&rig.jobs));
    let options = options.with_observer(Arc::<Charged>::clone(&charged));
    rig.checkpoints = Some(TaskCheckpoints::new(&restore(None), 0, options));
    rig.trigger(1, None);
    rig.jobs.run_all();
    let phases = [
        (Phase::Capturing, 0),
        (Phase::Reading, 10),
        (Phase::WritingState, 10),
        (Phase::Sealing, 0),
        (Phase::Acknowledging, 0),
    ];
    assert_eq!(*charged.1.lock(), phases);
}

#[test]
fn another_leader_is_heard_neither_early_nor_late() {
    let mut rig = Rig::new(1);
    rig.message(ToTask::Completed { epoch: LeaderEpoch::new(2), id: id(9), subsumed_upto: None }).unwrap();
    let cancel = Marker::Cancel { epoch: LeaderEpoch::new(2), id: id(9) };
    rig.checkpoints.as_mut().unwrap().on_marker(&mut rig.task, 0, cancel).unwrap();
    assert_eq!(rig.log.take(), [""; 0]);

    rig.arrive(0, 1);
    rig.log.take();
    let newer = ToTask::Completed { epoch: LeaderEpoch::new(4), id: id(9), subsumed_upto: None };
    assert_eq!(rig.message(newer).unwrap_err().kind(), ErrorKind::Fenced);
    let error = rig.message(completed(1)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the task was deployed by the leader of epoch 3, and the leader of epoch 4 has taken over"
    );
    rig.jobs.run_all();
    assert_eq!(rig.log.take_but_phases(), [""; 0], "its snapshot was cancelled, and nobody is told");
}

#[test]
fn an_abort_before_and_after_the_write_leaves_no_unsealed_file() {
    let (mut rig, directory) = on_disk();
    rig.trigger(1, None);
    rig.message(aborted(1)).unwrap();
    rig.jobs.run_all();
    assert_eq!(rig.log.take_but_phases(), ["forward barrier 1", "capture 1", "abort 1"], "it declines nothing");
    assert_eq!(files(directory.path()), [""; 0]);

    rig.trigger(2, None);
    rig.jobs.run_all();
    rig.message(aborted(2)).unwrap();
    let late = ["forward barrier 2", "capture 2", "acknowledge 2 with 10 bytes", "abort 2"];
    assert_eq!(rig.log.take_but_phases(), late);
    assert_eq!(files(directory.path()).len(), 1, "what was acknowledged is the coordinator's to delete");
}

#[test]
fn an_abort_in_the_middle_of_the_write_leaves_nothing() {
    let (mut rig, directory) = on_disk();
    let gate = Arc::new(Barrier::new(2));
    rig.task.gate = Some(Arc::clone(&gate));
    rig.task.state_bytes = 1 << 20;
    rig.trigger(1, None);
    let jobs = Arc::clone(&rig.jobs);
    let writing = std::thread::spawn(move || jobs.run_all());
    gate.wait();
    rig.message(aborted(1)).unwrap();
    gate.wait();
    writing.join().unwrap();
    assert_eq!(rig.log.take_but_phases(), ["forward barrier 1", "capture 1", "abort 1"]);
    assert_eq!(files(directory.path()), [""; 0]);
}

#[test]
fn dropping_cancels_and_finishing_waits() {
    let (mut rig, directory) = on_disk();
    rig.trigger(1, None);
    rig.checkpoints = None;
    rig.jobs.run_all();
    assert_eq!(rig.log.take_but_phases(), ["forward barrier 1", "capture 1"]);
    assert_eq!(files(directory.path()), [""; 0]);

    let (mut rig, directory) = on_disk();
    rig.trigger(1, None);
    rig.trigger(2, None);
    let mut finished = rig.checkpoints.take().unwrap().finish();
    assert!(finished.wait_timeout(Duration::ZERO).is_none());
    rig.jobs.run_all();
    finished.wait().unwrap();
    assert_eq!(files(directory.path()).len(), 2);
    Rig::new(0).checkpoints.take().unwrap().finish().wait().unwrap();
}
