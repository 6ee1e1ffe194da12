//! What happened, as nobody in the world could know it: by this it is judged.

use std::collections::{BTreeMap, BTreeSet};

use ckpt_core::head::{Head, JobState};
use ckpt_core::id::{CheckpointId, FileName, LeaderEpoch};

/// What must be remembered to judge what happens next.
#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct History {
    /// Who used a number.
    numbers: BTreeMap<CheckpointId, LeaderEpoch>,
    /// The checkpoints that HEAD has ever named, and who took them.
    committed: BTreeMap<CheckpointId, LeaderEpoch>,
    /// Those that HEAD names no more.
    left: BTreeSet<CheckpointId>,
    /// Those whose tasks were told that they are complete.
    pub(crate) announced: BTreeSet<CheckpointId>,
    /// Those of which somebody was told that they were given up.
    pub(crate) aborted: BTreeSet<CheckpointId>,
    /// Savepoints of which their user was told that they are complete.
    pub(crate) savepoints_told: BTreeSet<CheckpointId>,
    /// Savepoints that HEAD has ever named as in progress.
    pub(crate) savepoints_listed: BTreeSet<CheckpointId>,
    /// Those whose directory was made when HEAD had given them up: if they were removed before, nobody looks there again.
    pub(crate) savepoints_made_late: BTreeSet<CheckpointId>,
    /// Every file that was ever written.
    written: BTreeSet<FileName>,
    /// What a restore must take.
    pub(crate) newest: Option<CheckpointId>,
}

/// A rule that was broken by a single step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Broken {
    /// HEAD cannot be read.
    HeadNotWhole,
    /// A version or an epoch does not follow the one before.
    VersionsDoNotAscend,
    /// A leader wrote HEAD after a later one had.
    WrittenAfterALaterLeader,
    /// Two leaders write HEAD in one epoch.
    TwoLeadersOfOneEpoch,
    /// Numbers in HEAD do not ascend, or one names another checkpoint than before.
    NumbersDoNotAscend,
    /// A number was used twice.
    NumberUsedTwice,
    /// What HEAD named no more is named again.
    NamedAgain,
    /// HEAD of a job that has ended goes on.
    GoesOnAfterTheEnd,
    /// A leader that has stopped the job with a savepoint has committed a checkpoint.
    CommittedAfterTheStop,
    /// A file was written twice.
    FileWrittenTwice,
    /// The shipping code refuses something that must be possible.
    Stuck(&'static str),
}

impl History {
    /// A leader uses that number.
    pub(crate) fn number_used(&mut self, id: CheckpointId, by: LeaderEpoch) -> Result<(), Broken> {
        match self.numbers.insert(id, by) {
            None => Ok(()),
            Some(_) => Err(Broken::NumberUsedTwice),
        }
    }

    pub(crate) fn file_written(&mut self, file: FileName) -> Result<(), Broken> {
        if self.written.insert(file) { Ok(()) } else { Err(Broken::FileWrittenTwice) }
    }

    pub(crate) fn was_committed(&self, id: CheckpointId) -> bool {
        self.committed.contains_key(&id)
    }

    /// HEAD changes from one to the next.
    pub(crate) fn head_changes(&mut self, before: Option<&Head>, next: &Head) -> Result<(), Broken> {
        if let Some(before) = before {
            if next.epoch < before.epoch {
                return Err(Broken::WrittenAfterALaterLeader);
            }
            if next.epoch == before.epoch && next.nonce != before.nonce {
                return Err(Broken::TwoLeadersOfOneEpoch);
            }
            if before.version.next() != Some(next.version) || next.unreserved_id < before.unreserved_id {
                return Err(Broken::VersionsDoNotAscend);
            }
            let stopped = before.stopped_at.as_ref().is_some_and(|savepoint| savepoint.epoch == next.epoch);
            if stopped && before.stopped_at != next.stopped_at {
                return Err(Broken::CommittedAfterTheStop);
            }
            if before.state != JobState::Active && next.state == JobState::Active {
                return Err(Broken::GoesOnAfterTheEnd);
            }
        } else if next.version.get() != 1 {
            return Err(Broken::VersionsDoNotAscend);
        }
        let ids = next.retained.iter().map(|snapshot| snapshot.id);
        if ids.clone().zip(ids.skip(1)).any(|(one, other)| one >= other) {
            return Err(Broken::NumbersDoNotAscend);
        }
        for snapshot in &next.retained {
            if self.left.contains(&snapshot.id) {
                return Err(Broken::NamedAgain);
            }
            match self.committed.get(&snapshot.id) {
                Some(epoch) if *epoch != snapshot.epoch => return Err(Broken::NumbersDoNotAscend),
                Some(_) => {}
                None if self.newest.is_some_and(|newest| newest >= snapshot.id) => {
                    return Err(Broken::NumbersDoNotAscend);
                }
                None => {
                    self.committed.insert(snapshot.id, snapshot.epoch);
                    self.newest = Some(snapshot.id);
                }
            }
        }
        self.savepoints_listed.extend(next.savepoints_in_progress.iter().map(|savepoint| savepoint.id));
        if let Some(stopped) = &next.stopped_at {
            self.committed.insert(stopped.id, stopped.epoch);
            self.newest = self.newest.max(Some(stopped.id));
        }
        let kept: BTreeSet<_> = next.kept().map(|snapshot| snapshot.id).collect();
        self.left.extend(self.committed.keys().filter(|id| !kept.contains(id)));
        Ok(())
    }
}
