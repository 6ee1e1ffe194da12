//! What a process may do next.

use ckpt_core::snapshot::JobEnd;
use ckpt_storage::HeadStep;

use super::{Sent, Shown, Step, World};
use crate::configuration::Bounds;
use crate::leader::{Leader, SavepointStage, Stage, What};
use crate::swap::Swap;

impl World {
    pub(super) fn steps_of_swap(&self, swap: &Swap, steps: &mut Vec<Step>) {
        let faulty = self.left.faults > 0;
        match &swap.step {
            HeadStep::Read | HeadStep::Explain => {
                steps.push(Step::Read(Shown::Present));
                if faulty {
                    steps.push(Step::ReadFails);
                    if self.store.has_past() {
                        steps.push(Step::Read(Shown::Past));
                    }
                }
            }
            HeadStep::Put(_) => {
                steps.push(Step::Put(Sent::Answered));
                if faulty {
                    steps.extend([Sent::Late, Sent::Doubled, Sent::Fails].map(Step::Put));
                }
            }
            HeadStep::Ended(_) => {
                if !swap.is_in_doubt() {
                    steps.push(Step::TryAgain);
                }
                steps.push(Step::GiveUp);
            }
        }
    }

    pub(super) fn steps_of_leader(&self, leader: &Leader, bounds: &Bounds, steps: &mut Vec<Step>) {
        let idle = leader.write.is_none();
        if leader.has_ended {
            if idle && leader.has_collected() {
                steps.push(Step::Write(What::Clear));
            }
            return;
        }
        for (id, pending) in &leader.pending {
            match pending.stage {
                Stage::Triggered => {
                    steps.extend(leader.nameable(*id).into_iter().map(|names| Step::Acknowledge(*id, names)));
                }
                Stage::Acknowledged => steps.push(Step::Publish(*id)),
                Stage::Published | Stage::Committing => {}
            }
            let may = pending.stage != Stage::Committing || bounds.aborts_while_committing;
            if self.left.aborts > 0 && may {
                steps.push(Step::Abort(*id));
            }
        }
        if self.left.checkpoints > 0 && leader.pending.len() < bounds.concurrent && !leader.is_stopped() {
            steps.push(Step::Trigger);
        }
        if self.left.restarts > 0 {
            steps.push(Step::RestartTasks);
        }
        for (id, stage) in &leader.savepoints {
            match stage {
                SavepointStage::Begun => {
                    steps.push(Step::MakeSavepoint(*id));
                    if idle {
                        steps.push(Step::Write(What::GiveUpSavepoint(*id)));
                    }
                }
                SavepointStage::Made => {
                    steps.push(Step::PublishSavepoint(*id));
                    if idle {
                        steps.push(Step::Write(What::GiveUpSavepoint(*id)));
                    }
                }
                SavepointStage::Published => steps.push(Step::LookForMark(*id)),
                SavepointStage::Complete if idle => {
                    steps.push(Step::Write(What::SavepointPublished(*id)));
                    steps.push(Step::Write(What::Stop(*id)));
                }
                SavepointStage::Failed if idle => steps.push(Step::Write(What::GiveUpSavepoint(*id))),
                SavepointStage::Beginning | SavepointStage::Complete | SavepointStage::Failed => {}
            }
        }
        if self.left.savepoints > 0 && idle && !leader.is_stopped() {
            steps.push(Step::BeginSavepoint);
        }
        if self.left.ends > 0 && idle {
            steps.extend([JobEnd::Cancelled, JobEnd::Failed].map(|end| Step::Write(What::End(end))));
        }
    }

    pub(super) fn crash(&self, steps: &mut Vec<Step>) {
        if self.left.crashes > 0 {
            steps.push(Step::Crash);
        }
    }
}
