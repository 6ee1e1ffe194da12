//! A checkpoint begins.

use std::collections::BTreeMap;

use ckpt_core::Now;
use ckpt_core::id::CheckpointId;
use ckpt_core::message::ToTask;
use ckpt_core::shared::SharedStateRefusal;
use ckpt_core::snapshot::{CheckpointBarrier, CheckpointIdentity, CheckpointOptions, LocationReference, SnapshotKind};
use ckpt_core::state::TaskSnapshot;

use crate::coordinator::outbox::{HeadPurpose, Purpose};
use crate::coordinator::pending::{PendingCheckpoint, Stage, state_of_finished};
use crate::coordinator::tasks::{Plan, TaskState};
use crate::coordinator::{AbortReason, Action, Answer, Coordinator, Failure, ManualTrigger, ReplyToken};

/// How many requests by hand may wait; Flink's number.
const MOST_REQUESTS: usize = 1000;

/// Who wants a checkpoint.
#[derive(Clone, Copy, Debug)]
enum Request {
    Periodic,
    Manual(ManualTrigger, ReplyToken),
}

impl Coordinator {
    pub(super) fn trigger_requested(&mut self, trigger: ManualTrigger, reply: ReplyToken) {
        let refusal = match self.lifecycle.refusal() {
            Some(reason) => Some(reason),
            None if self.requests.len() >= MOST_REQUESTS => Some(AbortReason::TooManyRequests(MOST_REQUESTS)),
            None => None,
        };
        match refusal {
            Some(reason) => self.outbox.push(Action::Reply { to: reply, answer: Answer::Aborted(reason) }),
            None => self.requests.push_back((trigger, reply)),
        }
    }

    /// Begins checkpoints as long as one is wanted and there is room. One place is made at a time: so triggers leave in
    /// the order of their numbers.
    pub(super) fn trigger_next(&mut self, now: Now) {
        while self.has_room() {
            let request = match self.requests.pop_front() {
                Some((trigger, reply)) => Request::Manual(trigger, reply),
                None if self.schedule.take_due(now.monotonic) => Request::Periodic,
                None => return,
            };
            let (plan, finished) = match self.plan() {
                Ok(plan) => plan,
                Err(reason) => {
                    self.refuse_request(request, reason);
                    continue;
                }
            };
            let Some(id) = self.committed.ids().take() else {
                self.reserve_ids_for(request);
                return;
            };
            self.begin(now, id, request, plan, finished);
        }
    }

    fn has_room(&self) -> bool {
        let initializing = |pending: &PendingCheckpoint| matches!(pending.stage, Stage::Initializing);
        self.pending.len() < self.settings.max_concurrent() && !self.pending.values().any(initializing)
    }

    /// Who takes part, and what tasks that have finished contribute.
    fn plan(&self) -> Result<(Plan, BTreeMap<usize, TaskSnapshot>), AbortReason> {
        let plan = self.tasks.plan().ok_or(AbortReason::NotAllTasksRunning)?;
        let newest = self.committed.newest_id().and_then(|id| self.committed.metadata(id));
        let mut finished = BTreeMap::new();
        for (index, _) in plan.states.iter().enumerate().filter(|(_, state)| **state == TaskState::Finished) {
            if let Some(newest) = newest {
                let state = state_of_finished(newest, &self.tasks, index)
                    .ok_or_else(|| AbortReason::FinishedSource(self.tasks.id(index)))?;
                finished.insert(index, state);
            }
        }
        Ok((plan, finished))
    }

    /// Numbers are used up: the request waits for a write of HEAD that reserves more. Every write of HEAD is followed by
    /// another attempt.
    fn reserve_ids_for(&mut self, request: Request) {
        let write = match self.outbox.head_write() {
            Some(_) => None,
            None => Some(self.committed.head().reserve(self.committed.collected())),
        };
        match write {
            Some(Err(error)) => return self.refuse_request(request, AbortReason::NoNumber(Failure::from(&error))),
            Some(Ok(write)) => {
                let purpose = Purpose::WriteHead(HeadPurpose::Reserve);
                self.outbox.begin(purpose, |io| Action::WriteHead { io, commits: None, write });
            }
            None => {}
        }
        match request {
            Request::Periodic => self.schedule.put_back(),
            Request::Manual(trigger, reply) => self.requests.push_front((trigger, reply)),
        }
    }

    fn refuse_request(&mut self, request: Request, reason: AbortReason) {
        if let Request::Manual(_, reply) = request {
            self.outbox.push(Action::Reply { to: reply, answer: Answer::Aborted(reason) });
        }
    }

    fn begin(
        &mut self,
        now: Now,
        id: CheckpointId,
        request: Request,
        plan: Plan,
        finished: BTreeMap<usize, TaskSnapshot>,
    ) {
        let configured = match self.committed.head().head().requires_full_checkpoint() {
            true => SnapshotKind::FullCheckpoint,
            false => SnapshotKind::Checkpoint,
        };
        let (kind, reply) = match request {
            Request::Periodic => (configured, None),
            Request::Manual(ManualTrigger::Configured, reply) => (configured, Some(reply)),
            Request::Manual(ManualTrigger::Full, reply) => (SnapshotKind::FullCheckpoint, Some(reply)),
        };
        let identity = CheckpointIdentity::new(id, self.epoch(), now.wall, self.committed.newest_id());
        let times = (now.monotonic, now.monotonic.after(self.settings.timeout()));
        let inherited = self.shared.begin(&identity, kind).and_then(|()| self.inherit(id, &finished));
        self.pending.insert(id, PendingCheckpoint::new(identity, kind, times, plan, finished, reply));
        self.statistics.triggered += 1;
        self.outbox.begin(Purpose::Initialize(id), |io| Action::InitializeLocation { io, identity });
        if let Err(refusal) = inherited {
            self.abort(id, AbortReason::InheritedState(refusal));
        }
    }

    /// The shared files of tasks that have finished are named once more.
    fn inherit(
        &mut self,
        id: CheckpointId,
        finished: &BTreeMap<usize, TaskSnapshot>,
    ) -> Result<(), SharedStateRefusal> {
        let mut files = self.shared.inherit(id)?;
        for handle in finished.values().flat_map(TaskSnapshot::handles) {
            files.inherited(handle)?;
        }
        files.accept();
        Ok(())
    }

    /// Its place is made: tasks may know of it. If it was aborted in the meantime, the place goes.
    pub(super) fn location_initialized(&mut self, id: CheckpointId, target: LocationReference) {
        let Some(pending) = self.pending.get_mut(&id) else { return self.discard(id) };
        pending.stage = Stage::Acknowledging;
        let barrier = CheckpointBarrier::new(pending.identity, CheckpointOptions::aligned(pending.kind, target));
        self.outbox.send(pending.trigger.clone(), ToTask::Trigger(barrier));
    }
}
