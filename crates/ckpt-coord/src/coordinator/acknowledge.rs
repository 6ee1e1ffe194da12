//! Tasks answer a trigger.

use ckpt_core::Now;
use ckpt_core::id::{CheckpointId, LeaderEpoch, TaskAttempt, Writer};
use ckpt_core::message::{Acknowledge, Decline};
use ckpt_core::snapshot::SnapshotKind;
use ckpt_core::state::{PlaceRule, TaskSnapshot};

use crate::coordinator::pending::{Acknowledged, Stage, is_exclusive};
use crate::coordinator::validate::validate;
use crate::coordinator::{AbortReason, Coordinator, StateRefusal};

impl Coordinator {
    /// A task's part is durable. Whatever does not fit is counted and changes nothing: messages may come doubled, late,
    /// from another deployment, or for another leader.
    pub(super) fn acknowledged(&mut self, now: Now, acknowledge: Acknowledge) {
        let Acknowledge { epoch, id, attempt, writer, snapshot, .. } = acknowledge;
        if self.is_foreign(epoch) {
            return;
        }
        let Some(pending) = self.pending.get(&id) else {
            self.statistics.late_messages += 1;
            // The task wrote after the place was discarded.
            if self.aborted.contains(&id) && snapshot.handles().any(is_exclusive) {
                self.discard(id);
            }
            return;
        };
        let index = self.tasks.index_of(attempt.task).filter(|index| pending.takes_part(*index, attempt));
        let Some(index) = index else {
            self.statistics.unknown_attempts += 1;
            return;
        };
        // Before its place was made no task knew of it; after all had acknowledged nothing is missing.
        if !matches!(pending.stage, Stage::Acknowledging) {
            self.statistics.late_messages += 1;
            return;
        }
        if pending.waits_for(index, attempt).is_some_and(|registered| registered != writer) {
            self.statistics.unknown_attempts += 1;
            return;
        }
        let rule = match pending.kind {
            SnapshotKind::Savepoint { .. } => PlaceRule::Savepoint,
            _ => PlaceRule::Acknowledgement,
        };
        if let Err(refusal) = self.take_part(now, index, (id, attempt), Writer::new(epoch, writer), rule, snapshot) {
            self.statistics.declined += 1;
            self.abort(id, AbortReason::StateRefused { attempt, refusal: Box::new(refusal) });
        }
    }

    fn take_part(
        &mut self,
        now: Now,
        index: usize,
        (id, attempt): (CheckpointId, TaskAttempt),
        writer: Writer,
        rule: PlaceRule,
        snapshot: TaskSnapshot,
    ) -> Result<(), StateRefusal> {
        let mut files = self.shared.acknowledge(id, writer.id)?;
        let snapshot = validate(snapshot, self.tasks.vertex(index), writer, rule, &mut files)?;
        let Some(pending) = self.pending.get_mut(&id) else { return Ok(()) };
        match pending.acknowledge(index, attempt, snapshot) {
            Acknowledged::First => {
                files.accept();
                if pending.outstanding() == 0 {
                    self.publish(now.wall, id);
                }
            }
            Acknowledged::Again => self.statistics.duplicate_acknowledgements += 1,
            // Its exclusive files lie in the checkpoint's directory and go with it, its shared ones with their writer.
            Acknowledged::Conflicting => self.statistics.conflicting_acknowledgements += 1,
        }
        Ok(())
    }

    /// A task cannot take its part.
    pub(super) fn declined(&mut self, decline: Decline) {
        let Decline { epoch, id, attempt, reason, message, .. } = decline;
        if self.is_foreign(epoch) {
            return;
        }
        let Some(pending) = self.pending.get(&id) else {
            self.statistics.late_messages += 1;
            // The task wrote after the place was discarded.
            if self.aborted.contains(&id) && reason.leaves_state() {
                self.discard(id);
            }
            return;
        };
        let index = self.tasks.index_of(attempt.task).filter(|index| pending.takes_part(*index, attempt));
        match index {
            None => self.statistics.unknown_attempts += 1,
            // Who has acknowledged cannot take it back.
            Some(index) if pending.waits_for(index, attempt).is_none() => self.statistics.late_messages += 1,
            Some(_) => {
                self.statistics.declined += 1;
                self.abort(id, AbortReason::Declined { attempt, reason, message });
            }
        }
    }

    fn is_foreign(&mut self, epoch: LeaderEpoch) -> bool {
        let foreign = epoch != self.epoch();
        self.statistics.foreign_epochs += u64::from(foreign);
        foreign
    }
}
