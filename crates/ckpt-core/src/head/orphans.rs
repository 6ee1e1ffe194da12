//! What leaders that are gone left behind.

use std::collections::BTreeSet;

use super::Head;
use crate::id::{CheckpointId, FileName, LeaderEpoch};

/// Which files nobody names: those of leaders before the one that claimed HEAD, whatever HEAD did not name then.
///
/// A leader of an earlier epoch can commit nothing any more, so such a file is dead for ever, whoever still writes it. Files
/// of the epoch that claimed, or of a higher one, are never among them: whoever asks may be fenced without knowing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Orphans {
    epoch: LeaderEpoch,
    first_reserved_id: CheckpointId,
    /// The checkpoints that HEAD keeps, or lists as removed.
    listed: BTreeSet<CheckpointId>,
    /// The shared files that these name, as far as they are retained. `None` when any may be named: other jobs have taken over
    /// snapshots, and nobody here knows what their checkpoints name.
    alive: Option<BTreeSet<FileName>>,
}

impl Orphans {
    /// What is not named by HEAD as it was `claimed`; `alive` are the shared files that the retained checkpoints name.
    pub fn new(claimed: &Head, alive: BTreeSet<FileName>) -> Self {
        let listed = claimed.kept().chain(&claimed.removed).map(|snapshot| snapshot.id).collect();
        let alive = claimed.handed_over.is_empty().then_some(alive);
        Self { epoch: claimed.epoch, first_reserved_id: claimed.first_reserved_id, listed, alive }
    }

    /// Whether HEAD names that checkpoint: nothing in its directory is an orphan.
    pub fn lists(&self, id: CheckpointId) -> bool {
        self.listed.contains(&id)
    }

    /// Whether that shared file is one.
    pub fn contains_shared(&self, file: FileName) -> bool {
        file.epoch < self.epoch && self.alive.as_ref().is_some_and(|alive| !alive.contains(&file))
    }

    /// Whether that file in the directory of a checkpoint is one.
    pub fn contains_state(&self, id: CheckpointId, file: FileName) -> bool {
        file.epoch < self.epoch && !self.lists(id)
    }

    /// Whether the `_metadata` of a checkpoint is one, that was taken in that epoch.
    pub fn contains_metadata(&self, id: CheckpointId, epoch: LeaderEpoch) -> bool {
        epoch < self.epoch && !self.lists(id)
    }

    /// Whether what was only begun in the directory of a checkpoint was begun by a former leader: there is nothing in it
    /// that would say so but its number.
    pub fn contains_begun(&self, id: CheckpointId) -> bool {
        id < self.first_reserved_id && !self.lists(id)
    }
}
