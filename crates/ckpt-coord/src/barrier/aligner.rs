//! The state machine of alignment.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use ckpt_core::id::{CheckpointId, LeaderEpoch};
use ckpt_core::message::{DeclineReason, Marker};
use ckpt_core::snapshot::CheckpointBarrier;
use ckpt_core::{Monotonic, Now};

use crate::barrier::{BarrierAction, BarrierEvent};

/// Brings the barriers of all inputs of one task together. Never blocks, never fails.
#[derive(Debug)]
pub struct BarrierAligner {
    /// By input: whether it has ended.
    ended: Vec<bool>,
    aligning: Option<Aligning>,
    /// The newest checkpoint that was snapshotted or aborted. Older ones count as answered too.
    answered: Option<Key>,
    /// Newer ones that the coordinator has aborted before any barrier of them came.
    aborted: BTreeSet<Key>,
    actions: VecDeque<BarrierAction>,
}

/// Orders checkpoints: a new leader's are newer than all before.
type Key = (LeaderEpoch, CheckpointId);

/// The checkpoint whose barriers are being waited for.
#[derive(Debug)]
struct Aligning {
    barrier: CheckpointBarrier,
    /// By input: whether its barrier has come, or never will because the input has ended.
    arrived: Vec<bool>,
    missing: usize,
    blocked_any: bool,
    since: Monotonic,
    start_delay: Duration,
}

impl BarrierAligner {
    /// The most notices of aborted checkpoints that are remembered; beyond it the oldest are forgotten, which costs an
    /// alignment in vain and nothing else.
    const MAX_REMEMBERED_ABORTS: usize = 64;

    /// An aligner of inputs `0..inputs`.
    pub fn new(inputs: u32) -> Self {
        Self {
            ended: vec![false; inputs as usize],
            aligning: None,
            answered: None,
            aborted: BTreeSet::new(),
            actions: VecDeque::new(),
        }
    }

    /// Takes note of what happened; [`poll_action`](Self::poll_action) says what is to be done. An input that does not
    /// exist is passed over.
    pub fn handle(&mut self, now: Now, event: BarrierEvent) {
        match event {
            BarrierEvent::BarrierArrived { input, barrier } => self.barrier_arrived(now, input, barrier),
            BarrierEvent::CancelArrived { input, epoch, id } => self.cancel_arrived(input, (epoch, id)),
            BarrierEvent::InputEnded { input } => self.input_ended(now, input),
            BarrierEvent::AbortNotified { epoch, id } => self.abort_notified((epoch, id)),
        }
    }

    /// The next thing to be done; to be called until there is none, after every event.
    pub fn poll_action(&mut self) -> Option<BarrierAction> {
        self.actions.pop_front()
    }

    /// The checkpoint whose barriers are being waited for.
    pub fn aligning(&self) -> Option<&CheckpointBarrier> {
        self.aligning.as_ref().map(|aligning| &aligning.barrier)
    }

    /// Whether no marker will come any more: all inputs have ended, or there were none.
    pub fn all_ended(&self) -> bool {
        self.ended.iter().all(|&ended| ended)
    }

    fn barrier_arrived(&mut self, now: Now, input: u32, barrier: CheckpointBarrier) {
        let key = key_of(&barrier);
        if !self.exists(input) || self.is_answered(key) {
            return;
        }
        match self.aligning.as_ref().map(Aligning::key) {
            Some(current) if key < current => {
                // It never came into its own, and those of a former leader nobody waits for.
                if key.0 == current.0 {
                    self.abort(key, DeclineReason::Subsumed);
                }
                return;
            }
            Some(current) if key > current => self.give_up(DeclineReason::Subsumed),
            _ => {}
        }
        if self.aborted.contains(&key) {
            self.answer(key);
            self.forward_cancel(key);
            return;
        }
        let ended = &self.ended;
        let aligning = self.aligning.get_or_insert_with(|| Aligning::begin(now, barrier, ended));
        let first_on_this_input = aligning.arrive(input);
        if aligning.missing == 0 {
            self.complete(now);
        } else if first_on_this_input && aligning.barrier.options.is_exactly_once() {
            // No records in flight are kept here, so what may be unaligned is aligned too.
            aligning.blocked_any = true;
            self.actions.push_back(BarrierAction::Block { input });
        }
    }

    fn cancel_arrived(&mut self, input: u32, key: Key) {
        if !self.exists(input) || self.is_answered(key) {
            return;
        }
        match self.aligning.as_ref().map(Aligning::key) {
            Some(current) if key == current => self.give_up(DeclineReason::CancellationBarrier),
            Some(current) if key < current => {
                if key.0 == current.0 {
                    self.abort(key, DeclineReason::CancellationBarrier);
                }
            }
            _ => {
                // What is being aligned is older: its barrier will not come behind this on the same input.
                self.give_up(DeclineReason::Subsumed);
                if self.aborted.contains(&key) {
                    self.answer(key);
                    self.forward_cancel(key);
                } else {
                    self.abort(key, DeclineReason::CancellationBarrier);
                }
            }
        }
    }

    fn input_ended(&mut self, now: Now, input: u32) {
        if !self.exists(input) {
            return;
        }
        self.ended[input as usize] = true;
        if let Some(aligning) = &mut self.aligning {
            aligning.arrive(input);
            if aligning.missing == 0 {
                self.complete(now);
            }
        }
    }

    fn abort_notified(&mut self, key: Key) {
        match self.aligning.as_ref().map(Aligning::key) {
            Some(current) if key == current => {
                // The coordinator knows: nothing to decline.
                self.unblock();
                self.answer(key);
                self.forward_cancel(key);
            }
            _ if self.is_answered(key) => {}
            _ => {
                self.aborted.insert(key);
                if self.aborted.len() > Self::MAX_REMEMBERED_ABORTS {
                    self.aborted.pop_first();
                }
            }
        }
    }

    /// Every barrier is here.
    fn complete(&mut self, now: Now) {
        let Some(Aligning { barrier, blocked_any, since, start_delay, .. }) = self.aligning.take() else { return };
        self.answer(key_of(&barrier));
        let alignment = now.monotonic.since(since);
        self.actions.push_back(BarrierAction::Snapshot { barrier, alignment, start_delay });
        if blocked_any {
            self.actions.push_back(BarrierAction::UnblockAll);
        }
    }

    /// Aborts what is being aligned, if anything is.
    fn give_up(&mut self, reason: DeclineReason) {
        if let Some(key) = self.aligning.as_ref().map(Aligning::key) {
            self.unblock();
            self.abort(key, reason);
        }
    }

    fn unblock(&mut self) {
        if self.aligning.take().is_some_and(|aligning| aligning.blocked_any) {
            self.actions.push_back(BarrierAction::UnblockAll);
        }
    }

    fn abort(&mut self, key: Key, reason: DeclineReason) {
        self.answer(key);
        self.actions.push_back(BarrierAction::Abort { epoch: key.0, id: key.1, reason });
        self.forward_cancel(key);
    }

    fn forward_cancel(&mut self, (epoch, id): Key) {
        self.actions.push_back(BarrierAction::Forward(Marker::Cancel { epoch, id }));
    }

    fn answer(&mut self, key: Key) {
        debug_assert!(!self.is_answered(key), "{key:?} is answered twice");
        self.answered = Some(key);
        self.aborted.retain(|&aborted| aborted > key);
    }

    fn is_answered(&self, key: Key) -> bool {
        self.answered.is_some_and(|answered| key <= answered)
    }

    fn exists(&self, input: u32) -> bool {
        (input as usize) < self.ended.len()
    }
}

impl Aligning {
    /// The first barrier is here; inputs that have ended have nothing to wait for.
    fn begin(now: Now, barrier: CheckpointBarrier, ended: &[bool]) -> Self {
        let age = now.wall.millis().saturating_sub(barrier.identity.triggered_at.millis());
        Self {
            barrier,
            arrived: ended.to_vec(),
            missing: ended.iter().filter(|&&ended| !ended).count(),
            blocked_any: false,
            since: now.monotonic,
            start_delay: Duration::from_millis(age),
        }
    }

    /// Whether it is the first time that this input needs not be waited for.
    fn arrive(&mut self, input: u32) -> bool {
        let first = !std::mem::replace(&mut self.arrived[input as usize], true);
        self.missing -= usize::from(first);
        first
    }

    fn key(&self) -> Key {
        key_of(&self.barrier)
    }
}

const fn key_of(barrier: &CheckpointBarrier) -> Key {
    (barrier.identity.epoch, barrier.identity.id)
}

#[cfg(test)]
#[path = "aligner_test.rs"]
pub(super) mod tests;
